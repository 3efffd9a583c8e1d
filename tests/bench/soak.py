"""Visitors come and go for a long time: what stays in the server's memory?

    uv run --group bench python tests/bench/soak.py --cycles 500
    uv run --group bench python tests/bench/soak.py --minutes 30 --visitors 20

Starts a server of its own, which forgets a page soon after its visitor has left. `--cycles`: so
many times somebody opens the complete page, sees a few frames and leaves, a few side by side.
`--minutes`: so long about that many visitors are there, and each stays for a while; some leave in
good order, some vanish, some load the page anew at once. Memory and all that can be counted are
sampled; what is told are the values before (some pages have been opened and closed), after (the
server has forgotten all pages), and the slope in between.
"""

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, fields

import numpy as np
import psutil
from picows import WSError
from server import Server, served
from visitor import Visitor

WARM_UP = 30  # pages
SIDE_BY_SIDE = 4  # visitors, when cycles are counted
FRAMES = 5  # that each of these sees
STAY = (20.0, 120.0)  # seconds, when they come and go
PAUSE = (0.0, 8.0)  # seconds from one visitor to the next
RAMP = 60.0  # seconds that are not counted: not everybody is there yet
EVERY = 2.0  # seconds between two samples
SETTLED = 45.0  # seconds after which the server has collected garbage and returned memory
PATIENCE = 120.0  # seconds for a page to fill, and for the server to forget all of them
LIFETIME, CHECK = 4000, 1000  # milliseconds


@dataclass(frozen=True)
class Sample:
    """The server's state at one moment."""

    memory: float  # MB
    threads: int
    descriptors: int
    sockets: int  # TCP connections
    visitors: int
    experiments: int
    sessions: int
    blocks: int  # of memory allocated by Python


class Course:
    """The course of a run: samples over time, opened pages, errors."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.samples: list[tuple[float, int, Sample]] = []  # seconds, pages so far
        self.pages = 0  # opened and closed
        self.trouble: Counter[str] = Counter()
        self._start = time.perf_counter()

    async def sample(self) -> Sample:
        """Take a sample now."""
        said = await asyncio.to_thread(self.server.says)
        process = self.server.process
        return Sample(
            self.server.memory,
            process.num_threads(),
            process.num_fds(),
            sum(x.status == psutil.CONN_ESTABLISHED for x in process.net_connections("tcp")),
            *(said[name] for name in ("visitors", "experiments", "sessions", "blocks")),
        )

    async def follow(self) -> None:
        """Take samples until cancelled."""
        while True:
            sample = await self.sample()
            self.samples.append((time.perf_counter() - self._start, self.pages, sample))
            await asyncio.sleep(EVERY)

    async def swept(self) -> Sample:
        """A sample after the server has forgotten all pages."""
        deadline = time.perf_counter() + PATIENCE
        while (now := await self.sample()).sessions or now.experiments or now.sockets:
            if time.perf_counter() > deadline:
                print(f"after {PATIENCE:.0f} s the server still keeps {now}")
                break
            await asyncio.sleep(0.5)
        await asyncio.sleep(SETTLED)
        return await self.sample()

    async def visit(self, stay: Callable[[Visitor], Awaitable[None]]) -> None:
        """Open the page, stay, and leave; errors are counted."""
        visitor = Visitor(self.server.base)
        try:
            await visitor.open()
            await stay(visitor)
        except (OSError, TimeoutError, WSError) as error:
            self.trouble[f"{type(error).__name__}: {error}"] += 1
            visitor.drop()
        finally:
            self.pages += 1


async def cycle(course: Course, cycles: int) -> None:
    """Open so many pages, read a few frames of each, and close them."""
    left = iter(range(cycles))

    async def look(visitor: Visitor) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(visitor.arrivals) < FRAMES:
                await asyncio.sleep(0.02)
        visitor.leave()

    async def one_after_the_other() -> None:
        for _ in left:
            await course.visit(look)

    await asyncio.gather(*(one_after_the_other() for _ in range(SIDE_BY_SIDE)))


async def come_and_go(course: Course, visitors: int, seconds: float, seed: int) -> None:
    """Fill so many places with one visitor after the other, for so many seconds."""
    end = time.perf_counter() + seconds
    chance = random.Random(seed)

    async def stay(visitor: Visitor) -> None:
        length = chance.uniform(*STAY)
        await asyncio.sleep(max(0.0, min(length, end - time.perf_counter())))
        if len(visitor.arrivals) < FRAMES:
            course.trouble["a page without frames"] += 1
        if visitor.channel.closed.done() or visitor.document.closed.done():
            course.trouble["a connection that the server closed"] += 1
        if chance.random() < 0.5:
            visitor.leave()
        else:
            visitor.drop()

    async def place() -> None:
        await asyncio.sleep(chance.uniform(0, RAMP / 2))
        while time.perf_counter() < end:
            await course.visit(stay)
            if chance.random() < 0.7:  # else the page is reloaded at once
                await asyncio.sleep(chance.uniform(*PAUSE))

    await asyncio.gather(*(place() for _ in range(visitors)))


type Load = Callable[[Course], Coroutine[None, None, None]]


async def measure(server: Server, load: Load, *, by_time: bool) -> None:
    """Warm up, sample under load, wait until all pages are forgotten, print."""
    warm = Course(server)
    await cycle(warm, WARM_UP)
    before = await warm.swept()
    course = Course(server)
    sampling = asyncio.create_task(course.follow())
    start = time.perf_counter()
    await load(course)
    took = time.perf_counter() - start
    sampling.cancel()
    after = await course.swept()
    _report(course, before, after, by_time=by_time)
    print(f"pages                  {course.pages:8d} opened and closed in {took:.0f} s")
    print(f"trouble                {sum(course.trouble.values()):8d}", *course.trouble.items())
    complaints = server.complaints
    print(f"complaints in the log  {len(complaints):8d}", *complaints[:5], sep="\n    ")


def _report(course: Course, before: Sample, after: Sample, *, by_time: bool) -> None:
    """Each quantity: before, least and most meanwhile, after, and the slope."""
    skip = RAMP if by_time else 0.0
    samples = [(when, pages, sample) for when, pages, sample in course.samples if when >= skip]
    unit = "an hour" if by_time else "100 cycles"
    print(f"{'':16} {'before':>8} {'least':>8} {'most':>8} {'after':>8} {'slope':>9}, {unit}")
    along = [when / 3600 if by_time else pages / 100 for when, pages, _ in samples]
    for field in fields(Sample):
        values = [getattr(sample, field.name) for _, _, sample in samples]
        slope = np.polyfit(along, values, 1)[0] if len(values) > 2 else float("nan")
        ends = getattr(before, field.name), min(values), max(values), getattr(after, field.name)
        row = " ".join(f"{value:8.0f}" for value in ends)
        print(f"{field.name:16} {row} {slope:+9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=0, help="pages, one after the other")
    parser.add_argument("--minutes", type=float, default=0, help="for which visitors come and go")
    parser.add_argument("--visitors", type=int, default=20, help="who are there at the same time")
    parser.add_argument("--seed", type=int, default=0, help="of how long they stay, how they leave")
    options = parser.parse_args()
    cycles, visitors, seconds = options.cycles, options.visitors, 60 * options.minutes

    def serve_and_measure(load: Load, *, by_time: bool) -> None:
        flags = "--unused-session-lifetime", f"{LIFETIME}", "--check-unused-sessions", f"{CHECK}"
        with served(*flags, BABYSIT_MAX_VISITORS=3 * visitors + 20) as server:
            asyncio.run(measure(server, load, by_time=by_time))

    if cycles:
        print(f"{cycles} pages, {SIDE_BY_SIDE} side by side")
        serve_and_measure(lambda course: cycle(course, cycles), by_time=False)
    if seconds:
        print(f"{visitors} visitors who come and go, {options.minutes:g} minutes")
        serve_and_measure(
            lambda course: come_and_go(course, visitors, seconds, options.seed), by_time=True
        )


if __name__ == "__main__":
    main()
