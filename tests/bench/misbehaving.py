"""Ordinary visitors, and beside them misbehaving ones: who notices?

    uv run --group bench python tests/bench/misbehaving.py --visitors 20 --seconds 15

With --attacks, those who mean no good (attacks.py); with --folder, the program of another folder:

    uv run --group bench python tests/bench/misbehaving.py --attacks --seconds 10
    uv run --group bench python tests/bench/misbehaving.py --attacks --seconds 10 --folder BEFORE

Whether memory grows from one round to the next, and what is left once all have gone:

    uv run --group bench python tests/bench/misbehaving.py --attacks --seconds 3 --rounds 3

The same for the runs of the ordinary ones alone, which have a history too:

    uv run --group bench python tests/bench/misbehaving.py --only nobody --seconds 3 --rounds 57

Starts a server of its own with so many visitors, all training. In turn there comes one who stops
reading, a greedy one, a hidden tab, a phone on a slow line, one who talks nonsense, and a crowd
that has paused. Printed are the frames of the ordinary ones before and meanwhile and the longest
wait of any, the memory of the server before, meanwhile and after, how many frames the misbehaving
one got, and how many bytes the server's system keeps for it. Last, what a visitor costs who has
paused while nobody else is there.
"""

import argparse
import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import numpy as np
from attacks import ATTACKS, COME_FIRST
from picows import WSMsgType
from server import Server, served
from visitor import VIEWS, Visitor

SMALL = 8192  # bytes of a receive buffer
SLOW = 1.5  # seconds from a frame to the next request
GREED = 0.005  # seconds between two requests
PAUSED = 30
SETTLE = 3.0  # seconds after a visitor has come
LIFETIME, CHECK = 3000, 500  # milliseconds

type Misbehaving = Callable[[str], AbstractAsyncContextManager[list[Visitor]]]


async def opened(base: str, number: int, buffer: int | None = None) -> list[Visitor]:
    """So many more visitors, a few at a time."""
    visitors = [Visitor(base, buffer) for _ in range(number)]
    for some in itertools.batched(visitors, 5):
        await asyncio.gather(*(visitor.open() for visitor in some))
    for visitor in visitors:
        while len(visitor.arrivals) < 3:
            await asyncio.sleep(0.05)
    return visitors


@contextlib.asynccontextmanager
async def nobody(base: str) -> AsyncIterator[list[Visitor]]:
    """Nobody comes: how the ordinary ones' own runs grow meanwhile."""
    yield []


@contextlib.asynccontextmanager
async def stops_reading(base: str) -> AsyncIterator[list[Visitor]]:
    """Stops reading with a request pending; the run goes on."""
    (visitor,) = await opened(base, 1, SMALL)
    visitor.stop_reading()
    yield [visitor]
    visitor.drop()


@contextlib.asynccontextmanager
async def greedy(base: str) -> AsyncIterator[list[Visitor]]:
    """Requests everything again and again, and reads nothing."""
    (visitor,) = await opened(base, 1, SMALL)
    visitor.asks = False

    async def request_on() -> None:
        while not visitor.channel.closed.done():
            visitor.channel.send({"since": -1, "views": VIEWS})
            await asyncio.sleep(GREED)

    visitor.stop_reading()
    requesting = asyncio.create_task(request_on())
    yield [visitor]
    requesting.cancel()
    visitor.drop()


@contextlib.asynccontextmanager
async def hidden_tab(base: str) -> AsyncIterator[list[Visitor]]:
    """Requests nothing."""
    (visitor,) = await opened(base, 1)
    visitor.asks = False
    yield [visitor]
    visitor.leave()


@contextlib.asynccontextmanager
async def slow_phone(base: str) -> AsyncIterator[list[Visitor]]:
    """Waits between each frame and the next request."""
    (visitor,) = await opened(base, 1)
    visitor.asks = False

    async def request_on() -> None:
        while True:
            seen = len(visitor.arrivals)
            visitor.request()
            while len(visitor.arrivals) == seen:
                await asyncio.sleep(0.01)
            await asyncio.sleep(SLOW)

    requesting = asyncio.create_task(request_on())
    yield [visitor]
    requesting.cancel()
    visitor.leave()


@contextlib.asynccontextmanager
async def talks_nonsense(base: str) -> AsyncIterator[list[Visitor]]:
    """Is disconnected each time, and comes back at once."""
    (visitor,) = await opened(base, 1)
    nonsense = itertools.cycle(
        [b"{", b"[" * 100_000, b'{"since": "x"}', b"\xff\xfe", b"7" * 10**6, b'{"views": [[]]}']
    )
    times = 0

    async def paste() -> None:
        nonlocal times
        while True:
            line = await visitor.connect("frames", lambda message: None)
            line.send({"token": visitor.token})
            line.transport.send(WSMsgType.TEXT, next(nonsense))
            await asyncio.wait_for(line.closed, 10)
            times += 1

    pasting = asyncio.create_task(paste())
    yield [visitor]
    pasting.cancel()
    print(f"  (it was shown the door {times} times)")
    visitor.leave()


@contextlib.asynccontextmanager
async def paused_crowd(base: str) -> AsyncIterator[list[Visitor]]:
    """Many visitors who have paused."""
    visitors = await paused(base, PAUSED)
    yield visitors
    for visitor in visitors:
        visitor.leave()


async def paused(base: str, number: int) -> list[Visitor]:
    """So many visitors whose pages show that they have paused."""
    visitors = await opened(base, number)
    for visitor in visitors:
        visitor.press(" ")
    while any(time.perf_counter() - visitor.arrivals[-1] < 1 for visitor in visitors):
        await asyncio.sleep(0.1)
    return visitors


MISBEHAVING: dict[str, Misbehaving] = {
    "stops reading": stops_reading,
    "greedy": greedy,
    "hidden tab": hidden_tab,
    "slow phone": slow_phone,
    "talks nonsense": talks_nonsense,
    f"{PAUSED} paused": paused_crowd,
}
ALL = {"nobody": nobody, **MISBEHAVING, **ATTACKS}


async def measure(
    server: Server, number: int, seconds: float, names: list[str], rounds: int
) -> None:
    """Each misbehaving visitor in turn beside so many ordinary ones, for so many seconds."""
    crowd = await opened(server.base, number)
    await asyncio.sleep(2 * SETTLE)
    frames = "frames/s least, median, p99 gap, worst"
    print(f"{'':15} {frames:>42} {'MB before, with, after':>22} {'its frames':>11} {'queued':>8}")
    for name in names * rounds:
        usual = await watch(crowd, seconds)
        memory = [server.memory]
        begun = time.perf_counter()
        async with ALL[name](server.base) as guests:
            await asyncio.sleep(SETTLE)
            got = sum(len(visitor.arrivals) for visitor in guests)
            from_the_start = name in ATTACKS and name not in COME_FIRST
            meanwhile = await watch(crowd, seconds, begun if from_the_start else None)
            got = sum(len(visitor.arrivals) for visitor in guests) - got
            waiting = queued([port for visitor in guests for port in visitor.ports])
            memory.append(server.memory)
        await asyncio.sleep(SETTLE + (LIFETIME + CHECK) / 1000)
        memory.append(server.memory)
        print(f"{'before':15} {usual:>42}")
        told = " ".join(f"{value:6.0f}" for value in memory)
        print(f"{name:15} {meanwhile:>42} {told:>22} {got:11d} {waiting:8d}", flush=True)
    lost = sum(v.channel.closed.done() or v.document.closed.done() for v in crowd)
    print(f"connections of ordinary visitors lost: {lost}")
    for visitor in crowd:
        visitor.leave()
    while server.says()["sessions"]:
        await asyncio.sleep(CHECK / 1000)
    await asyncio.sleep(SETTLE)
    print(f"MB once all have left: {server.memory:.0f}")


async def watch(crowd: list[Visitor], seconds: float, since: float | None = None) -> str:
    """The number of frames that all get meanwhile, or since then, and their regularity."""
    start = time.perf_counter() if since is None else since
    await asyncio.sleep(seconds)
    passed = time.perf_counter() - start
    rates, gaps = [], []
    for visitor in crowd:
        times = np.array(visitor.arrivals)
        times = times[times >= start]
        rates.append(len(times) / passed)
        gaps.append(np.diff(times, prepend=start, append=time.perf_counter()))
    gap = 1000 * np.concatenate(gaps)
    p99, worst = np.percentile(gap, 99), gap.max()
    return f"{min(rates):6.2f} {statistics.median(rates):6.2f} {p99:6.0f} {worst:7.0f} ms"


def queued(ports: list[int]) -> int:
    """Bytes queued in the server's kernel, because these sockets are not read."""
    total = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[2].rpartition(":")[2], 16) in ports:
                total += int(fields[4].partition(":")[0], 16)
    return total


async def price(server: Server, number: int, seconds: float) -> None:
    """The cost of a paused visitor when no other is there."""
    shares = []
    for more in (0, number):
        await paused(server.base, more)
        await asyncio.sleep(2 * SETTLE)
        cpu, start = server.cpu, time.perf_counter()
        await asyncio.sleep(seconds)
        shares.append(100 * (server.cpu - cpu) / (time.perf_counter() - start))
    each = (shares[1] - shares[0]) / number
    print(f"CPU with nobody        {shares[0]:8.2f} % of one core")
    print(f"... with {number:3d} paused    {shares[1]:8.2f} %, {each:.3f} % each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visitors", type=int, default=20, help="ordinary ones")
    parser.add_argument(
        "--seconds", type=float, default=15, help="for which a misbehaving one is there"
    )
    parser.add_argument("--only", nargs="*", choices=ALL, help="some of them")
    parser.add_argument("--rounds", type=int, default=1, help="how often each of them comes")
    parser.add_argument("--attacks", action="store_true", help="those who mean no good instead")
    parser.add_argument("--folder", help="where the program lies, if not here")
    parser.add_argument("--paused", type=int, default=40, help="whose price is measured")
    options = parser.parse_args()
    flags = "--unused-session-lifetime", f"{LIFETIME}", "--check-unused-sessions", f"{CHECK}"
    names = (
        list(ATTACKS if options.attacks else MISBEHAVING) if options.only is None else options.only
    )
    if names:
        most = options.visitors + PAUSED + 5
        with served(*flags, folder=options.folder, BABYSIT_MAX_VISITORS=most) as server:
            asyncio.run(measure(server, options.visitors, options.seconds, names, options.rounds))
            written = server.log.stat().st_size / 1000 if server.log else 0.0
            complaints = [line[:200] for line in server.complaints]
            print(f"the log has {written:,.0f} kB, complaints in it: {len(complaints)}")
            print(*complaints[:5], sep="\n  ")
    if options.paused and not options.attacks:
        with served(
            *flags, folder=options.folder, BABYSIT_MAX_VISITORS=options.paused + 5
        ) as server:
            asyncio.run(price(server, options.paused, max(20.0, options.seconds)))


if __name__ == "__main__":
    main()
