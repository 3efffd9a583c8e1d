"""A visitor as the server sees one: opens the page, requests frames, turns a knob, leaves.

It does what `app/static/frames.js` does and as little else as possible, because client and server
share the machine.
"""

import asyncio
import math
import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from server import PATIENCE, get

VIEWS = ["loss", "accuracy", "updates", "activations", "signal"]  # in sight when a page opens
STOPS = [0.002, 0.0025, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.012, 0.015, 0.02, 0.025, 0.03]
FULL = "?pace=full"  # to measure what the server can do
ACCURACY = "accuracy.validation"  # the text that tells it
GOOD = 90.0  # per cent
KNOBS = b'"Learning rate'  # is in the message that brings the knobs


class Socket(WSListener):
    """Passes every text message to a function."""

    def __init__(self, on_text: Callable[[bytes], None]) -> None:
        self._on_text = on_text
        self.closed = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self._on_text(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, message: object) -> None:
        self.transport.send(WSMsgType.TEXT, msgspec.json.encode(message))


class Seen(msgspec.Struct):
    """The fields of a frame that a visitor decodes."""

    row: int
    step: int
    run: int
    draw: dict[str, msgspec.Raw] = {}
    stream: dict[str, msgspec.Raw] = {}
    text: dict[str, str] = {}
    look: tuple[int, float] | None = None  # the step looked at, and how much of it is rebuilt


class Header(msgspec.Struct):
    """The fields of a document message that a visitor decodes."""

    msgtype: str
    num_buffers: int = 0


class Visitor:
    """One open page; the kernel buffers at most `buffer` bytes of each socket that is not read."""

    def __init__(self, base: str, buffer: int | None = None, query: str = FULL) -> None:
        self.base, self._query = base, query
        self._buffer = buffer
        self.arrivals: list[float] = []  # of frames, in seconds
        self.sizes: list[int] = []  # bytes
        self.steps: list[int] = []
        self.drawn = float("nan")  # seconds from the request until the plots are there
        self.first = float("nan")  # ... until one of them has moved
        self.filled = float("nan")  # ... until the knobs are there
        self.learned = float("nan")  # seconds from the first step to the validation accuracy `GOOD`
        self.told: list[float] = []  # when messages arrived on the document socket
        self.heard = 0  # bytes of these messages
        self.latencies: list[float] = []  # seconds from a change to the frame that shows it
        self.asks = True  # whether it requests the next frame
        self._turned: float | None = None
        self._sought: tuple[int, asyncio.Future[None]] | None = None  # a step to be looked at
        self._stop = STOPS.index(0.01)
        self._fragments: list[bytes] = []
        self._awaited: dict[bytes, asyncio.Future[None]] = {}  # by what the document will hold
        self._skip = 0  # buffers that belong to the message before
        self._reply: asyncio.Future[Any] | None = None
        self._row = -1
        self._lines: list[Socket] = []  # open sockets
        self._frame = msgspec.json.Decoder(Seen)
        self._header = msgspec.json.Decoder(Header)

    async def open(self) -> None:
        """Load the page, connect, and wait until it is complete."""
        self._opened = time.perf_counter()
        loop = asyncio.get_running_loop()
        self._acknowledged, self._full = loop.create_future(), loop.create_future()
        page = await asyncio.to_thread(get, self.base + self._query)
        self.token = token_in(page)
        await self._connect_document()
        await asyncio.wait_for(self._acknowledged, PATIENCE)
        tree = await self._pull()
        self.components = list(dict.fromkeys(str(model["id"]) for model in _models(tree)))
        self.bridge = _model(tree, "Bridge")
        self._happen("document_ready")
        await self.watch()
        self.ask()
        await asyncio.wait_for(self._full, 5 * PATIENCE)  # the last of many is late

    async def _connect_document(self) -> None:
        headers = {"Sec-WebSocket-Protocol": f"bokeh, {self.token}"}
        self.document = await self.connect("ws", self._on_document, extra_headers=headers)

    async def plug_in(self, token: str) -> bool:
        """Open the document socket alone; whether the server has a session for this token."""
        self.token, self._acknowledged = token, asyncio.get_running_loop().create_future()
        await self._connect_document()
        either = [self._acknowledged, self.document.closed]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return self._acknowledged.done()

    async def watch_beside(self) -> None:
        """Open another frame channel, which requests all of each frame."""
        asked = {"since": -1, "views": VIEWS}
        channel = await self.connect("frames", lambda message: channel.send(asked))
        channel.send({"token": self.token})
        channel.send(asked)

    async def watch(self) -> None:
        """Open the frame channel."""
        self.channel = await self.connect("frames", self._on_frame)
        self.channel.send({"token": self.token})

    async def connect(self, route: str, on_text: Callable[[bytes], None], **given: Any) -> Socket:
        """Open a socket of the page."""
        address = f"{self.base.replace('http', 'ws', 1)}/{route}"
        _, line = await ws_connect(
            lambda: Socket(on_text),
            address,
            socket_factory=lambda url: self._plug(),
            websocket_handshake_timeout=PATIENCE,
            **given,
        )
        self._lines = [one for one in self._lines if not one.closed.done()] + [line]
        return line

    def _plug(self) -> socket.socket | None:
        if self._buffer is None:
            return None
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        plug.setblocking(False)
        return plug

    def stop_reading(self) -> None:
        """Leave arriving data in the kernel."""
        for line in (self.channel, self.document):
            line.transport.underlying_transport.pause_reading()

    @property
    def ports(self) -> list[int]:
        """The local ports of its sockets."""
        lines = self.channel.transport, self.document.transport
        return [line.underlying_transport.get_extra_info("sockname")[1] for line in lines]

    def leave(self) -> None:
        """Close the page, as a browser does."""
        for line in self._lines:
            line.transport.send_close(WSCloseCode.GOING_AWAY)
            line.transport.disconnect()

    def drop(self) -> None:
        """Disconnect without a close message."""
        for line in self._lines:
            line.transport.disconnect(graceful=False)

    def ask(self) -> None:
        """Request the next frame, unless it needs none."""
        if self.asks:
            self.request()

    def request(self) -> None:
        """Request one frame."""
        self.channel.send({"since": self._row, "views": VIEWS})

    def _on_frame(self, payload: bytes) -> None:
        now = time.perf_counter()
        frame = self._frame.decode(payload)
        if frame.draw and math.isnan(self.drawn):
            self.drawn = now - self._opened
        if frame.step > 0 and math.isnan(self.first):
            self.first = now - self._opened
        if math.isnan(self.learned) and _percent(frame.text.get(ACCURACY, "")) >= GOOD:
            self.learned = now - self._opened - self.first
        self.arrivals.append(now)
        self.sizes.append(len(payload))
        self.steps.append(frame.step)
        self._row = frame.row
        if self._turned and any(name.endswith(".markers") for name in frame.stream):
            self.latencies.append(now - self._turned)
            self._turned = None
        if self._sought and frame.look == (self._sought[0], 1):
            self._sought[1].set_result(None)
            self._sought = None
        self.ask()

    # ---- the document socket: header, metadata, content, then what buffers it has -------------

    def post(self, kind: str, content: object) -> None:
        """Send a message of the document protocol."""
        self.document.send({"msgid": f"{id(self)}", "msgtype": kind})
        self.document.send({})
        self.document.send(content)

    def _tell(self, kind: str, name: str, value: str = "") -> None:
        """Send a message over the page's bridge."""
        told = {"type": "map", "entries": [["kind", kind], ["name", name], ["value", value]]}
        self._happen("data_event", ["model", {"id": self.bridge}], ["data", told])

    def _happen(self, event: str, *values: object) -> None:
        """Trigger an event of the document."""
        said = {"type": "map", "entries": list(values)}
        data = {"type": "event", "name": event, "values": said}
        sent = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": data}
        self.post("PATCH-DOC", {"events": [sent]})

    def press(self, key: str) -> None:
        """Press a key on the page."""
        self._tell("key", key)

    async def _pull(self) -> Any:
        self._reply = asyncio.get_running_loop().create_future()
        self.post("PULL-DOC-REQ", {})
        return await asyncio.wait_for(self._reply, PATIENCE)

    def _on_document(self, payload: bytes) -> None:
        self.told.append(time.perf_counter())
        self.heard += len(payload)
        if self._skip:
            self._skip -= 1
            return
        self._fragments.append(payload)
        if len(self._fragments) < 3:
            return
        header, _, content = self._fragments
        self._fragments = []
        heading = self._header.decode(header)
        self._skip = heading.num_buffers
        if heading.msgtype == "ACK":
            self._acknowledged.set_result(None)
        elif heading.msgtype == "PULL-DOC-REPLY" and self._reply and not self._reply.done():
            self._reply.set_result(msgspec.json.decode(content))
        for words in [x for x in self._awaited if x in content]:
            self._awaited.pop(words).set_result(None)
        if KNOBS in content and not self._full.done():
            self.filled = time.perf_counter() - self._opened
            self._full.set_result(None)

    async def go_to(self, tab: str) -> None:
        """Open a tab of the sidebar."""
        self._tell("tab", tab)

    async def until(self, words: bytes) -> None:
        """Wait for these words in a message of the document."""
        self._awaited[words] = asyncio.get_running_loop().create_future()
        await asyncio.wait_for(self._awaited[words], 5 * PATIENCE)

    async def push(self, dialog: str) -> None:
        """Press a button in the header, which opens a dialog."""
        self._tell("press", f"dialog {dialog}")

    def say(self, name: str, value: str = "") -> None:
        """Press a button of a panel."""
        self._tell("press", name, value)

    # ---- the knob ------------------------------------------------------------------------------

    def turn(self, by: int) -> None:
        """Move the learning rate by so many stops of its slider."""
        self._stop += by
        self._turned = time.perf_counter()
        self._tell("set", "learning_rate", f"{STOPS[self._stop]:g}")

    async def look(self, step: int) -> float:
        """Look at a step; returns the seconds until it is shown."""
        begun, seen = time.perf_counter(), asyncio.get_running_loop().create_future()
        self._sought = step, seen
        self._tell("look", "", str(step))
        await asyncio.wait_for(seen, PATIENCE)
        return time.perf_counter() - begun


def token_in(page: str) -> str:
    """The token by which a page proves who it is."""
    found = re.search(r'"token":\s*"([^"]+)"', page)
    if not found:
        raise SystemExit("the page carries no token")
    return found.group(1)


def _percent(words: str) -> float:
    return float(words.removesuffix("%")) if words.endswith("%") else math.nan


def _model(tree: Any, kind: str) -> str:
    """The id of the only component of this kind."""
    for model in _models(tree):
        if model["attributes"].get("class_name") == kind:
            return str(model["id"])
    raise SystemExit(f"the page has no {kind}")


def _models(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "attributes" in tree and "id" in tree:
            yield tree
        for branch in tree.values():
            yield from _models(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from _models(branch)
