"""Many visitors at once: what each of them sees, and what they cost the server.

    uv run --group bench python tests/bench/load.py --visitors 20 --seconds 20

Starts a server of its own and opens N visitors at the same moment, each as a browser does: the
page, its document socket (pull, then "document_ready"), the frame channel, asking for the next
frame as soon as one has arrived. During the measurement every visitor turns the learning rate a few
times. Client and server share the machine, so the client does as little as it can.
"""

import argparse
import asyncio
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import psutil
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

VIEWS = ["loss", "accuracy", "updates", "activations"]
READY = {
    "kind": "MessageSent",
    "msg_type": "bokeh_event",
    "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map"}},
}


class Socket(WSListener):
    """Hands every text message to a function."""

    def __init__(self, on_text: Callable[[bytes], None]) -> None:
        self._on_text = on_text
        self.closed = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self._on_text(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, message: object) -> None:
        self.transport.send(WSMsgType.TEXT, msgspec.json.encode(message))


class Visitor:
    """One open page, as its server sees it."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.arrivals: list[float] = []  # of frames, in seconds
        self.sizes: list[int] = []  # bytes
        self.steps: list[int] = []
        self.first = float("nan")  # seconds from the click to the first frame
        self.latencies: list[
            float
        ] = []  # seconds from a turn of the knob to the frame that shows it
        self._turned: float | None = None
        self._fragments: list[bytes] = []
        self._reply: asyncio.Future[Any] | None = None
        self._row = -1

    async def open(self) -> None:
        self._opened = time.perf_counter()
        self._acknowledged = asyncio.get_running_loop().create_future()
        page = await asyncio.to_thread(_get, self.base)
        found = re.search(r'"token":\s*"([^"]+)"', page)
        if not found:
            raise SystemExit("the page carries no token")
        token = found.group(1)
        headers = {"Sec-WebSocket-Protocol": f"bokeh, {token}"}
        address = self.base.replace("http", "ws", 1)
        _, self.document = await ws_connect(
            lambda: Socket(self._on_document), f"{address}/ws", extra_headers=headers
        )
        await self._acknowledged
        await self._pull()
        self._post("PATCH-DOC", {"events": [READY]})
        _, self.channel = await ws_connect(lambda: Socket(self._on_frame), f"{address}/frames")
        self.channel.send({"token": token})
        self._ask()

    def _ask(self) -> None:
        self.channel.send({"since": self._row, "views": VIEWS})

    def _on_frame(self, payload: bytes) -> None:
        now = time.perf_counter()
        if not self.arrivals:
            self.first = now - self._opened
        frame = msgspec.json.decode(payload)
        self.arrivals.append(now)
        self.sizes.append(len(payload))
        self.steps.append(frame["step"])
        self._row = frame["row"]
        if self._turned and any(name.endswith(".markers") for name in frame.get("stream", {})):
            self.latencies.append(now - self._turned)
            self._turned = None
        self._ask()

    # ---- the document socket: header, metadata and content come as three messages ------------

    def _post(self, kind: str, content: object) -> None:
        self.document.send({"msgid": f"{id(self)}", "msgtype": kind})
        self.document.send({})
        self.document.send(content)

    async def _pull(self) -> Any:
        self._reply = asyncio.get_running_loop().create_future()
        self._post("PULL-DOC-REQ", {})
        return await self._reply

    def _on_document(self, payload: bytes) -> None:
        self._fragments.append(payload)
        if len(self._fragments) < 3:
            return
        header, _, content = self._fragments
        self._fragments = []
        if b'"ACK"' in header:
            self._acknowledged.set_result(None)
        elif b'"PULL-DOC-REPLY"' in header and self._reply:
            self._reply.set_result(msgspec.json.decode(content))

    async def find_slider(self) -> None:
        """Learn from the document which model is the learning rate's slider, and its value."""
        while True:  # the first frames may come before the page has been built
            for model in _models(await self._pull()):
                attributes = model["attributes"]
                if str(attributes.get("label", "")).startswith("Learning rate"):
                    self._slider, self._stop = model["id"], attributes["value"]
                    return
            await asyncio.sleep(0.5)

    def turn(self, by: int) -> None:
        """Move the slider as the mouse does: dragged, then let go."""
        self._stop += by
        self._turned = time.perf_counter()
        for attribute in ("value", "value_throttled"):
            event = {
                "kind": "ModelChanged",
                "model": {"id": self._slider},
                "attr": attribute,
                "new": self._stop,
            }
            self._post("PATCH-DOC", {"events": [event]})


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as reply:
        return str(reply.read().decode())


def _models(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "attributes" in tree and "id" in tree:
            yield tree
        for branch in tree.values():
            yield from _models(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from _models(branch)


async def measure(base: str, server: psutil.Process, visitors: int, seconds: float) -> None:
    """Open, let settle, measure, print."""
    empty = server.memory_info().rss
    crowd = [Visitor(base) for _ in range(visitors)]
    await asyncio.gather(*(visitor.open() for visitor in crowd))
    while any(len(visitor.arrivals) < 3 for visitor in crowd):
        await asyncio.sleep(0.1)
    await asyncio.gather(*(visitor.find_slider() for visitor in crowd))
    await asyncio.sleep(3)

    client = psutil.Process()
    start, cpu, own = time.perf_counter(), server.cpu_times(), client.cpu_times()
    turns = 4
    for turn in range(turns):
        for visitor in crowd:
            await asyncio.sleep(seconds / turns / visitors)
            visitor.turn(1 if turn % 2 == 0 else -1)
    stop, cpu_end, own_end = time.perf_counter(), server.cpu_times(), client.cpu_times()
    await asyncio.sleep(0.5)
    used = 100 * (cpu_end.user + cpu_end.system - cpu.user - cpu.system) / (stop - start)
    spent = 100 * (own_end.user + own_end.system - own.user - own.system) / (stop - start)
    _report(crowd, start, stop)
    rss = server.memory_info().rss
    print(f"server CPU             {used:8.0f} % of one core   (this client: {spent:.0f} %)")
    each = (rss - empty) / 1e6 / visitors
    print(f"server memory          {rss / 1e6:8.0f} MB, {each:.1f} a visitor")
    gone = sum(v.channel.closed.done() or v.document.closed.done() for v in crowd)
    print(f"connections lost       {gone:8d}")


def _report(crowd: list[Visitor], start: float, stop: float) -> None:
    rates, gaps, sizes, paces = [], [], [], []
    for visitor in crowd:
        times = np.array(visitor.arrivals)
        inside = (times >= start) & (times <= stop)
        rates.append(inside.sum() / (stop - start))
        gaps.append(np.diff(times[inside]))
        sizes.append(np.array(visitor.sizes)[inside])
        steps = np.array(visitor.steps)[inside]
        paces.append((steps[-1] - steps[0]) / (stop - start))
    gap, size = 1000 * np.concatenate(gaps), np.concatenate(sizes)
    first = [visitor.first for visitor in crowd]
    knob = 1000 * np.concatenate([visitor.latencies for visitor in crowd])
    print(f"frames/s per visitor   {min(rates):8.2f} least, {statistics.median(rates):.2f} median")
    print(
        f"gap between frames     {np.percentile(gap, 50):8.0f} ms p50,"
        f" {np.percentile(gap, 99):.0f} ms p99, {gap.max():.0f} ms worst"
    )
    print(f"bytes per frame        {size.mean():8.0f} mean, {np.percentile(size, 99):.0f} p99")
    print(
        f"time to first frame    {statistics.median(first):8.2f} s median, {max(first):.2f} s last"
    )
    print(
        f"knob to visible effect {np.percentile(knob, 50):8.0f} ms p50,"
        f" {np.percentile(knob, 99):.0f} ms p99, {knob.max():.0f} ms worst, of {len(knob)} turns"
    )
    print(
        f"steps/s                {sum(paces):8.0f} together,"
        f" {max(paces) / min(paces):.2f} most to least"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--url", help="a running server's page, instead of a server of our own")
    parser.add_argument("--pid", type=int, help="of that server, for its CPU and memory")
    options = parser.parse_args()
    print(f"{options.visitors} visitors, all training, {options.seconds:g} s")
    if options.url:
        process = psutil.Process(options.pid)
        asyncio.run(measure(options.url, process, options.visitors, options.seconds))
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "panel", "serve", "app", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://localhost:{port}/app"
    try:
        # Not the page: its session would be swept up in the middle of the measurement.
        _wait_until_served(f"{base}/static/frames.js")
        asyncio.run(measure(base, psutil.Process(server.pid), options.visitors, options.seconds))
    finally:
        server.terminate()
        server.wait(20)


def _wait_until_served(address: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            _get(address)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main()
