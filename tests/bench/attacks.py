"""Visitors who harm a class on purpose or by accident, one kind at a time.

Each context manager runs until it is left; `misbehaving.py` measures the other visitors meanwhile.
"""

import asyncio
import base64
import contextlib
import gzip
import itertools
import socket
import urllib.error
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from bokeh.core.types import ID
from bokeh.util.token import generate_jwt_token
from picows import WSError, WSMsgType
from server import get
from visitor import Visitor, token_in

from app.sharing.packed_runs import packed
from engine import Recording, RunConfig

FLOOD = 2000  # presses at once
HELD = 1 / 30  # seconds between two key repeats
HOLDERS = 20
PULLS = 300
NONSENSE = 19_000_000  # bytes
ASKED = 4  # bare requests for a page, in a second
HALF = 100  # requests that never end
HANDS = 20  # sockets that are opened at the same time
HURRY = 0.02  # seconds from one to the next
CHANNELS = 100  # of one page
HALVES = 30
BODY, MESSAGE = 90_000_000, 2_000_000  # bytes that are announced, of a request and on a socket
HOLDING = 15  # pages with halves on all their sockets
SOCKETS = 4  # of each
ZEROS, BOMBS = 500_000_000, 5  # bytes, and how often
# Packed at once, or the ordinary visitors in this process would have to wait for it.
PACKED_ZEROS = base64.b64encode(gzip.compress(bytes(ZEROS), 1)).decode()
LONG = "x" * 2_000_000
CHUNK = 500_000  # ... that are sent at a time


def link(*hidden: int) -> str:
    """A link to a running network of this size."""
    config = RunConfig().replace("model.hidden", hidden)
    return f"?run={packed(Recording(config, (), 0, None))}&then=play&pace=full"


type Attack = Callable[[str], AbstractAsyncContextManager[list[Visitor]]]


@contextlib.asynccontextmanager
async def meanwhile(work: Awaitable[None], visitors: list[Visitor]) -> AsyncIterator[list[Visitor]]:
    """Do something until the block is left."""
    task = asyncio.ensure_future(work)
    try:
        yield visitors
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        for visitor in visitors:
            visitor.leave()


@contextlib.asynccontextmanager
async def floods_r(base: str) -> AsyncIterator[list[Visitor]]:
    """Two thousand restarts over one socket."""
    visitor = Visitor(base)
    await visitor.open()

    async def press() -> None:
        for _ in range(FLOOD):
            visitor.press("r")

    async with meanwhile(press(), [visitor]) as there:
        yield there


@contextlib.asynccontextmanager
async def floods_all(base: str) -> AsyncIterator[list[Visitor]]:
    """Restarts that cannot be merged, because the rate changes in between."""
    visitor = Visitor(base)
    await visitor.open()

    async def press() -> None:
        for n in range(FLOOD // 4):
            visitor.press("r")
            visitor.press("[" if n % 2 else "]")

    async with meanwhile(press(), [visitor]) as there:
        yield there


@contextlib.asynccontextmanager
async def holds_r_large(base: str) -> AsyncIterator[list[Visitor]]:
    """A key held down, with a network of two thousand units."""
    visitor = Visitor(base, query=link(1000, 1000))

    async def hold() -> None:
        await visitor.open()
        while True:
            visitor.press("r")
            await asyncio.sleep(HELD)

    async with meanwhile(hold(), []) as there:
        yield there
    visitor.leave()


@contextlib.asynccontextmanager
async def all_hold_r(base: str) -> AsyncIterator[list[Visitor]]:
    """A key held down by many visitors at once."""
    visitors = [Visitor(base) for _ in range(HOLDERS)]
    for visitor in visitors:
        await visitor.open()

    async def hold() -> None:
        while True:
            for visitor in visitors:
                visitor.press("r")
            await asyncio.sleep(HELD)

    async with meanwhile(hold(), visitors) as there:
        yield there


def comes_by(*hidden: int) -> Attack:
    """An ordinary link to a large network."""

    @contextlib.asynccontextmanager
    async def come(base: str) -> AsyncIterator[list[Visitor]]:
        visitor = Visitor(base, query=link(*hidden))
        async with meanwhile(visitor.open(), []) as there:
            yield there
        with contextlib.suppress(AttributeError):  # it was not opened
            visitor.leave()

    return come


@contextlib.asynccontextmanager
async def opens_pages(base: str) -> AsyncIterator[list[Visitor]]:
    """One visitor after the other opens the page, and leaves."""

    async def come_and_go() -> None:
        while True:
            visitor = Visitor(base)
            await visitor.open()
            visitor.leave()

    async with meanwhile(come_and_go(), []) as there:
        yield there


def enters(panel: str) -> Attack:
    """A tab of the sidebar is opened for the first time."""

    @contextlib.asynccontextmanager
    async def enter(base: str) -> AsyncIterator[list[Visitor]]:
        visitor = Visitor(base)
        await visitor.open()

        async def open_room() -> None:
            await visitor.go_to(panel)

        async with meanwhile(open_room(), [visitor]) as there:
            yield there

    return enter


@contextlib.asynccontextmanager
async def pulls(base: str) -> AsyncIterator[list[Visitor]]:
    """The whole page, requested again and again."""
    visitor = Visitor(base)
    await visitor.open()

    async def pull() -> None:
        for _ in range(PULLS):
            visitor.post("PULL-DOC-REQ", {})

    async with meanwhile(pull(), [visitor]) as there:
        yield there


@contextlib.asynccontextmanager
async def sends_nonsense(base: str) -> AsyncIterator[list[Visitor]]:
    """Invalid messages of 19 MB on the document socket."""

    async def send() -> None:
        while True:
            visitor = Visitor(base)
            try:
                await visitor.open()
                visitor.document.transport.send(WSMsgType.TEXT, b'{"msgid": "' + b"x" * NONSENSE)
                await asyncio.wait_for(visitor.document.closed, 20)
            finally:
                visitor.leave()

    async with meanwhile(send(), []) as there:
        yield there


def asks_for_pages(queries: Iterable[str]) -> Attack:
    """Page requests without a socket, and one visitor who requests the page."""

    @contextlib.asynccontextmanager
    async def ask_for_pages(base: str) -> AsyncIterator[list[Visitor]]:
        tried, came, asking = 0, 0, set()

        async def ask() -> None:
            nonlocal tried, came
            for n, query in enumerate(queries):
                asking.add(asyncio.create_task(asyncio.to_thread(_got, base + query)))
                await asyncio.sleep(1 / ASKED)
                if n % (2 * ASKED) == 0:
                    tried += 1
                    came += await asyncio.to_thread(_got, base)

        async with meanwhile(ask(), []) as there:
            yield there
        print(f"  (an honest visitor came in at {came} of {tried} tries)")

    return ask_for_pages


def _got(address: str) -> bool:
    try:
        get(address)
    except urllib.error.URLError:
        return False
    return True


def connects_and_leaves(token_of: Callable[[str, int], str]) -> Attack:
    """Document sockets that are closed as soon as their page is there, many at a time."""

    @contextlib.asynccontextmanager
    async def connect_and_leave(base: str) -> AsyncIterator[list[Visitor]]:
        numbers, came = itertools.count(), itertools.count()

        async def come_and_go() -> None:
            for number in numbers:
                with contextlib.suppress(urllib.error.URLError, WSError):
                    token = await asyncio.to_thread(token_of, base, number)
                    visitor = Visitor(base)
                    try:
                        if await visitor.plug_in(token):
                            next(came)
                    finally:  # also when the attack is over meanwhile
                        visitor.leave()
                await asyncio.sleep(HURRY)

        async def come_together() -> None:
            await asyncio.gather(*(come_and_go() for _ in range(HANDS)))

        async with meanwhile(come_together(), []) as there:
            yield there
        print(f"  (it had {next(came)} pages at {next(numbers)} tries)")

    return connect_and_leave


@contextlib.asynccontextmanager
async def stays_silent(base: str) -> AsyncIterator[list[Visitor]]:
    """Document sockets that stay, and nothing else of their pages."""
    silent: list[Visitor] = []

    async def come() -> None:
        for number in itertools.count():
            with contextlib.suppress(urllib.error.URLError, WSError):
                silent.append(Visitor(base))
                await silent[-1].plug_in(_invented(base, number))
            await asyncio.sleep(HURRY)

    async with meanwhile(come(), []) as there:
        yield there
    held = sum(not visitor.document.closed.done() for visitor in silent)
    print(f"  (it held {held} pages after {len(silent)} tries)")
    for visitor in silent:
        visitor.leave()


def _of_own_page(base: str, number: int) -> str:
    return token_in(get(f"{base}?hide=inside&seed={number}"))


def _invented(base: str, number: int) -> str:
    return generate_jwt_token(ID(f"invented {number}"))


@contextlib.asynccontextmanager
async def watches_often(base: str) -> AsyncIterator[list[Visitor]]:
    """A page with a hundred frame channels, each of which requests all anew as soon as it can."""
    visitor = Visitor(base)
    await visitor.open()

    async def watch() -> None:
        for _ in range(CHANNELS):
            await visitor.watch_beside()

    async with meanwhile(watch(), [visitor]) as there:
        yield there


@contextlib.asynccontextmanager
async def half_asks(base: str) -> AsyncIterator[list[Visitor]]:
    """Requests that begin and never end."""
    parts = urlsplit(base)
    sockets = [socket.create_connection((parts.hostname, parts.port)) for _ in range(HALF)]
    for half in sockets:
        half.sendall(b"GET /app HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    yield []
    for half in sockets:
        half.close()


def sends_halves(begin: Callable[[Visitor], bytes], size: int) -> Attack:
    """What begins and never ends, of many megabytes each; what the server keeps of it is seen."""

    @contextlib.asynccontextmanager
    async def send_halves(base: str) -> AsyncIterator[list[Visitor]]:
        visitor = Visitor(base)
        await visitor.open()
        parts, sent = urlsplit(base), itertools.count()

        async def send_half() -> None:
            _, line = await asyncio.open_connection(parts.hostname, parts.port)
            with contextlib.suppress(ConnectionError):
                line.write(begin(visitor))
                for _ in range(size // CHUNK):
                    line.write(b"x" * CHUNK)
                    await line.drain()
                    next(sent)
                await asyncio.Event().wait()

        async def send_all() -> None:
            await asyncio.gather(*(send_half() for _ in range(HALVES)))

        async with meanwhile(send_all(), [visitor]) as there:
            yield there
        print(f"  (it could send {next(sent) * CHUNK / 1e6:.0f} MB)")

    return send_halves


def _form(visitor: Visitor) -> bytes:
    host = urlsplit(visitor.base).netloc
    return f"POST /app HTTP/1.1\r\nHost: {host}\r\nContent-Length: {BODY}\r\n\r\n".encode()


def _socket_of(route: str) -> Callable[[Visitor], bytes]:
    """Opens a socket of the page, and begins a message."""

    def begin(visitor: Visitor) -> bytes:
        parts = urlsplit(visitor.base)
        lines = [
            f"GET {parts.path}/{route} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: bokeh, {visitor.token}",
        ]
        header = b"\x81\xff" + (MESSAGE + 1).to_bytes(8) + bytes(4)
        return "\r\n".join([*lines, "", ""]).encode() + header

    return begin


def sends(messages: Callable[[Visitor], Iterable[tuple[str, object]]]) -> Attack:
    """Messages of the document, one after the other, each of which is to take much memory."""

    @contextlib.asynccontextmanager
    async def send(base: str) -> AsyncIterator[list[Visitor]]:
        visitor = Visitor(base)
        await visitor.open()

        async def send_on() -> None:
            for kind, content in messages(visitor):
                visitor.post(kind, content)
                await asyncio.sleep(HURRY)

        async with meanwhile(send_on(), [visitor]) as there:
            yield there

    return send


def _event(visitor: Visitor, data: object) -> tuple[str, object]:
    values = {"type": "map", "entries": [["model", {"id": visitor.bridge}], ["data", data]]}
    event = {"type": "event", "name": "data_event", "values": values}
    sent = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}
    return "PATCH-DOC", {"events": [sent]}


def _bombs(visitor: Visitor) -> Iterable[tuple[str, object]]:
    """Half a gigabyte of zeros, packed."""
    return itertools.repeat(_event(visitor, {"type": "bytes", "data": PACKED_ZEROS}), BOMBS)


def _wide_arrays(visitor: Visitor) -> Iterable[tuple[str, object]]:
    """An array of five texts, each as long as the message says."""
    array = {"type": "ndarray", "array": ["x"] * 5, "shape": [5], "order": "little"}
    return itertools.repeat(_event(visitor, {**array, "dtype": f"U{ZEROS // 20}"}), BOMBS)


def _long_values(visitor: Visitor) -> Iterable[tuple[str, object]]:
    """Texts of megabytes in all components of the page."""
    for owner in visitor.components:
        value = {"kind": "ModelChanged", "model": {"id": owner}, "attr": "tags", "new": [LONG]}
        yield "PATCH-DOC", {"events": [value]}


@contextlib.asynccontextmanager
async def holds_halves(base: str) -> AsyncIterator[list[Visitor]]:
    """Many pages that all begin messages on all their sockets, and end none."""
    visitors = [Visitor(base) for _ in range(HOLDING)]
    lines: list[asyncio.StreamWriter] = []
    parts = urlsplit(base)
    for visitor in visitors:
        await visitor.open()

    async def hold() -> None:
        for visitor, _ in itertools.product(visitors, range(SOCKETS)):
            _, line = await asyncio.open_connection(parts.hostname, parts.port)
            lines.append(line)
            with contextlib.suppress(ConnectionError):
                line.write(_socket_of("ws")(visitor) + bytes(MESSAGE))
                await line.drain()

    async with meanwhile(hold(), visitors) as there:
        yield there
    for line in lines:
        line.close()


ATTACKS: dict[str, Attack] = {
    "r x 2000": floods_r,
    "r [ r ] x 500": floods_all,
    "r, 1000x1000": holds_r_large,
    f"{HOLDERS} hold r": all_hold_r,
    "4400, 4400": comes_by(4400, 4400),
    "10 x 500": comes_by(*[500] * 10),
    "opens pages": opens_pages,
    "enters Lab": enters("Lab"),
    "enters Search": enters("Search"),
    "enters Checks": enters("Checks"),
    f"{PULLS} pulls": pulls,
    "19 MB": sends_nonsense,
    "bare GETs": asks_for_pages(itertools.repeat("")),
    "own GETs": asks_for_pages(f"?hide=inside&seed={n}" for n in itertools.count()),
    f"{HALF} half GETs": half_asks,
    "in and out": connects_and_leaves(_of_own_page),
    "own tokens": connects_and_leaves(_invented),
    "silent": stays_silent,
    f"{CHANNELS} channels": watches_often,
    f"{HALVES} half forms": sends_halves(_form, BODY // 2),
    f"{HALVES} half frames": sends_halves(_socket_of("frames"), MESSAGE),
    f"{HALVES} half messages": sends_halves(_socket_of("ws"), MESSAGE),
    f"{HOLDING} hold halves": holds_halves,
    "packed zeros": sends(_bombs),
    "wide arrays": sends(_wide_arrays),
    "long values": sends(_long_values),
}
# Attacks that start with ordinary visitors, whose cost "opens pages" shows.
COME_FIRST = {f"{HOLDERS} hold r", f"{HOLDING} hold halves"}
