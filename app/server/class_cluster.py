"""The class rooms of a server with several processes: found, shared, taken over."""

import asyncio

import msgspec

from app.classroom.relayed import StoredRun
from app.classroom.room import Room
from app.classroom.rooms import HOUR, Rooms, plain
from app.classroom.saved import SavedRoom, restore, with_results
from app.limits import LIMITS
from app.panels.classroom.live_room import LiveRoom
from app.panels.classroom.remote_room import RemoteRoom
from app.panels.classroom.shared_room import SharedRoom
from app.panels.lesson_list import whole_course
from app.server.exchange import EXCHANGE, OWNED, RedisExchange
from app.server.mirrored_run import run_in
from engine import RunTransfer

SECONDS = int(HOUR * LIMITS.room_hours)  # for which a room is kept


class Cluster:
    """Shares this process's rooms with other processes, and copies theirs."""

    def __init__(self, exchange: RedisExchange) -> None:
        self._exchange = exchange
        self._shared: dict[LiveRoom, SharedRoom] = {}
        self._remote: dict[str, RemoteRoom] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """The server starts."""
        self._exchange.begin()

    # ---- rooms of this process ----------------------------------------------------------------

    async def claim(self, room: Room) -> bool:
        """Claim a room for this process; False if another process owns it."""
        return await self._exchange.claim(room.code)

    def share(self, live: LiveRoom) -> None:
        """Share a room with the other processes from now on."""
        self._shared[live] = SharedRoom(live, self._exchange)
        self.tick(live)

    def publish(self, live: LiveRoom) -> None:
        """Send the changed room to the other processes."""
        if live in self._shared:
            self._shared[live].publish()

    def tick(self, live: LiveRoom) -> None:
        """Renew the claim on a room and its stored copy; called once a second."""
        if live in self._shared:
            self._shared[live].tick(SECONDS)

    def lacks(self, live: LiveRoom) -> bool:
        """Whether this process no longer owns the room, or no page needs the copy."""
        if isinstance(live, RemoteRoom):
            return live.deserted
        return live in self._shared and self._shared[live].taken_over

    # ---- rooms of others ----------------------------------------------------------------------

    def remote(self, code: str) -> RemoteRoom | None:
        """The copy of another process's room."""
        return self._remote.get(plain(code))

    async def fetch(self, code: str, rooms: Rooms) -> RemoteRoom | None:
        """A new copy of a room of another process, also of one that has ended."""
        code = plain(code)
        if code in self._remote or not code.isalnum():
            return None
        kept = await self._exchange.stored(code, "room")
        if kept is None or code in self._remote or rooms.has(code):
            return None
        live = RemoteRoom(rooms.copy(code, whole_course().places), self._exchange)
        _restore(live.room, kept)
        self._remote[code] = live
        return live

    async def inherit(self, live: RemoteRoom) -> bool:
        """Become the owner of a room; False if the process that owns it is alive.

        A process that has just ended keeps its rooms for some seconds, until they can be claimed.
        """
        begun = live.received_at
        for _ in range(OWNED + 2):
            if await self._exchange.claim(live.room.code):
                return True
            await asyncio.sleep(1)
            if live.received_at > begun + 1:
                return False
        return False

    async def recall(self, live: RemoteRoom) -> None:
        """Complete a copy by what is stored of its room, so that this process can take it over."""
        kept = await self._exchange.stored(live.room.code, "room")
        if kept and live.last_received:
            saved = msgspec.json.decode(kept, type=SavedRoom)
            restore(live.room, with_results(live.last_received, saved))
        elif kept:
            _restore(live.room, kept)
        live.do_again()

    async def run_of(self, room: Room) -> tuple[RunTransfer, bool] | None:
        """The stored run of a room, and whether it was running."""
        kept = await self._exchange.stored(room.code, "run")
        try:
            found = msgspec.msgpack.decode(kept or b"", type=StoredRun)
            return await asyncio.to_thread(run_in, found.run), found.plays
        except ValueError:
            return None

    def leave(self, live: LiveRoom) -> None:
        """Stop sending and receiving messages of a room."""
        if isinstance(live, RemoteRoom):
            self._remote.pop(live.room.code, None)
            live.disconnect_room()
        elif shared := self._shared.pop(live, None):
            live.room.closed = True
            task = asyncio.ensure_future(shared.end())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _restore(room: Room, kept: bytes) -> None:
    saved = msgspec.json.decode(kept, type=SavedRoom)
    restore(room, saved)
    room.teacher_key, room.opened = saved.teacher_key, saved.opened


CLUSTER = Cluster(EXCHANGE) if EXCHANGE else None
"""None: this process is alone."""
