"""Messages between the processes of one server about class rooms, over Valkey or Redis.

BABYSIT_CLUSTER   its address, such as redis://host:6379; empty: this process is alone

A message goes once to all subscribers of its channel, and only rooms are stored. A process that
needs an acknowledgement sends its message again until it has one (remote_room.py): so votes survive
the loss of Redis with all its data, which a queue in Redis would not.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import Callable
from typing import Any, Literal, Protocol

type Part = Literal["room", "run"]
type Receiver = Callable[[bytes], object]

ME = secrets.token_urlsafe(6)  # the name of this process
AGAIN = 1.0  # seconds until a lost connection is tried again
SLOW = 3.0  # seconds without an answer, after which a connection is lost
OWNED = 5  # seconds after which a claim on a room expires
WAITING = 2000  # messages that wait to be sent


class Exchange(Protocol):
    """Messages and stored values that the processes of a server share."""

    lost: bool  # whether nothing can be sent or received

    async def claim(self, code: str) -> bool:
        """Make this process the owner of a room, for some seconds; False if another one is."""

    async def owner(self, code: str) -> str:
        """The process that owns a room; empty if none does now."""

    async def store(self, code: str, what: Part, value: bytes, seconds: int) -> None:
        """Store a room or its run for so many seconds, even if its process ends."""

    async def stored(self, code: str, what: Part) -> bytes | None:
        """The latest stored value of a room or its run."""

    async def forget(self, code: str) -> None:
        """Delete the stored values of a closed room."""

    def publish(self, channel: str, message: bytes) -> None:
        """Send a message to all subscribers of a channel that can be reached."""

    def subscribe(self, channel: str, receive: Receiver) -> None:
        """Receive the messages of a channel, on the thread of the event loop."""

    def unsubscribe(self, channel: str) -> None:
        """Receive no more messages of a channel."""


class RedisExchange:
    """An exchange over Valkey or Redis, which reconnects after a lost connection."""

    def __init__(self, url: str, name: str = ME) -> None:
        import redis.asyncio as redis  # only where it is used: an optional extra
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self._errors = (redis.RedisError, OSError, asyncio.TimeoutError)
        self._name = name
        self._redis: Any = redis.from_url(
            url,
            socket_timeout=SLOW,
            socket_connect_timeout=SLOW,
            retry=Retry(NoBackoff(), 0),  # a lost connection must be noticed at once
        )
        self._receivers: dict[str, Receiver] = {}
        self._outgoing: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(WAITING)
        self._pubsub: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        self.lost = False

    def begin(self) -> None:
        """Connect; called on the thread of the event loop."""
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]

    def end(self) -> None:
        """The server stops."""
        for task in self._tasks:
            task.cancel()

    # ---- rooms --------------------------------------------------------------------------------

    async def claim(self, code: str) -> bool:
        """Claim a room; while Redis is lost, no room changes its owner."""
        name = _named(code, "owner")
        taken = await self._try(self._redis.set(name, self._name, nx=True, ex=OWNED))
        if taken or self.lost:
            return True
        mine = await self._try(self._redis.get(name)) in (self._name.encode(), None)
        if mine:
            await self._try(self._redis.expire(name, OWNED))
        return mine

    async def owner(self, code: str) -> str:
        """The process of a room."""
        return (await self._try(self._redis.get(_named(code, "owner"))) or b"").decode()

    async def store(self, code: str, what: Part, value: bytes, seconds: int) -> None:
        """Keep a room or its run."""
        await self._try(self._redis.set(_named(code, what), value, ex=max(1, seconds)))

    async def stored(self, code: str, what: Part) -> bytes | None:
        """The latest stored value of a room or its run."""
        value: bytes | None = await self._try(self._redis.get(_named(code, what)))
        return value

    async def forget(self, code: str) -> None:
        """Delete the stored values of a closed room."""
        names = (_named(code, what) for what in ("room", "run", "owner"))
        await self._try(self._redis.delete(*names))

    async def _try(self, request: Any) -> Any:
        try:
            answer = await request
        except self._errors:
            self.lost = True
            return None
        return answer

    # ---- messages -----------------------------------------------------------------------------

    def publish(self, channel: str, message: bytes) -> None:
        """Send a message to all subscribers; while Redis is lost, it is dropped."""
        if not self.lost and not self._outgoing.full():
            self._outgoing.put_nowait((channel, message))

    async def _send(self) -> None:
        while True:
            channel, message = await self._outgoing.get()
            await self._try(self._redis.publish(channel, message))

    def subscribe(self, channel: str, receive: Receiver) -> None:
        """Receive messages of a channel."""
        self._receivers[channel] = receive
        if self._pubsub:
            self._later(self._pubsub.subscribe(channel))

    def unsubscribe(self, channel: str) -> None:
        """Receive no more messages of a channel."""
        if self._receivers.pop(channel, None) and self._pubsub:
            self._later(self._pubsub.unsubscribe(channel))

    def _later(self, request: Any) -> None:
        task = asyncio.ensure_future(self._try(request))
        self._tasks = [x for x in self._tasks if not x.done()] + [task]

    async def _receive(self) -> None:
        while True:
            self._pubsub = self._redis.pubsub()
            try:
                await self._pubsub.subscribe(_named("", "all"), *self._receivers)
                self.lost = False
                while not self.lost:
                    await self._receive_next()
            except self._errors:
                self.lost = True
            await self._try(self._pubsub.aclose())
            self._pubsub = None
            await asyncio.sleep(AGAIN)

    async def _receive_next(self) -> None:
        message = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=AGAIN)
        if message is None:
            await self._pubsub.ping()  # or a lost connection would look like silence
            return
        channel = message["channel"].decode() if message["type"] == "message" else ""
        receive = self._receivers.get(channel)
        if receive:
            receive(message["data"])


def _named(code: str, what: str) -> str:
    return f"babysit:{code}:{what}"


def _of_environment() -> RedisExchange | None:
    url = os.environ.get("BABYSIT_CLUSTER", "").strip()
    if not url:
        return None
    try:
        return RedisExchange(url)
    except ImportError:
        sys.exit("babysit: BABYSIT_CLUSTER needs the package redis: install babysit[cluster]")
    except ValueError as error:
        sys.exit(f"babysit: BABYSIT_CLUSTER must be an address such as redis://host:6379: {error}")


EXCHANGE = _of_environment()
"""Between this process and the others of the server; None: it is alone."""
