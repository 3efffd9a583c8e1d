"""A class in one room: frames of all who follow, the wall, and votes at once.

uv run --group bench python tests/bench/classroom.py --students 40
uv run --group bench python tests/bench/classroom.py --students 40 --free
uv run --group bench python tests/bench/classroom.py --students 40 --wheel 30000
"""

import argparse
import asyncio
import itertools
import statistics
import time
from typing import Any

import msgspec
import numpy as np
import psutil
from server import Server, served
from visitor import Socket, Visitor

PASSWORD = "sesame"
OPTIONS = ["fall", "rise", "stay"]


class Member:
    """A page in a class."""

    def __init__(self, base: str, pace: str) -> None:
        self.page = Visitor(base, query=f"?pace={pace}")
        self.walls: list[float] = []  # when the wall was sent
        self.room: dict[str, Any] = {}
        self.key: dict[str, Any] = {}
        self.refused: list[str] = []
        self.channel: Socket

    async def open(self) -> None:
        """Open the page, and its class channel."""
        await self.page.open()
        self.channel = await self.page.connect("class", self._hear)
        self.channel.send({"token": self.page.token})

    def say(self, what: str, **given: object) -> None:
        """Send a message to the room."""
        self.channel.send({"do": what, **given})

    def _hear(self, payload: bytes) -> None:
        told = msgspec.json.decode(payload)
        if "wall" in told:
            self.walls.append(time.perf_counter())
        if "refused" in told:
            self.refused.append(told["refused"])
        self.room = told.get("room", self.room)
        if "key" in told:
            self.key = told


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.02)


async def open_class(server: Server, students: int, pace: str) -> tuple[Member, list[Member]]:
    """A teacher and the students, who follow as soon as their page is there."""
    teacher = Member(server.base, pace)
    await teacher.open()
    teacher.say("teach", password=PASSWORD)
    teacher.say("open")
    await until(lambda: teacher.key)
    crowd = [Member(server.base, pace) for _ in range(students)]
    for some in itertools.batched(enumerate(crowd), 10):
        await asyncio.gather(*(member.open() for _, member in some))
        for number, member in some:
            member.say("join", code=teacher.key["code"], name=f"student {number}")
    await until(lambda: all(member.room for member in crowd))
    return teacher, crowd


async def measure(
    server: Server, students: int, seconds: float, free: bool, pace: str, after: float
) -> None:
    teacher, crowd = await open_class(server, students, pace)
    await vote(teacher, crowd)
    teacher.say("wall", on=True)
    if free:
        teacher.say("mode", mode="free")
        await until(lambda: all(not member.room["follows"] for member in crowd))
        for member in crowd:
            member.page.press(" ")
    await asyncio.sleep(after)
    client = psutil.Process()
    begun, cpu, own = time.perf_counter(), server.cpu, client.cpu_times()
    await asyncio.sleep(seconds)
    ended, used, spent = time.perf_counter(), server.cpu - cpu, client.cpu_times()
    report(crowd, begun, ended)
    walls = np.diff([x for x in teacher.walls if begun <= x <= ended])
    print(f"wall                   {walls.max():8.2f} s between two at most")
    print(f"server CPU             {100 * used / (ended - begun):8.0f} % of a core", end="")
    busy = spent.user + spent.system - own.user - own.system
    print(f"   (this client: {100 * busy / (ended - begun):.0f} %)")
    print(f"refused                {sum(len(member.refused) for member in crowd):8d}")


async def take_the_wheel(server: Server, students: int, steps: int) -> None:
    """All go on with runs of their own from a late step; how long until each has made a step."""
    teacher, crowd = await open_class(server, students, "full")
    await until(lambda: teacher.page.steps[-1] >= steps)
    teacher.page.press(" ")
    await asyncio.sleep(2)
    shown = teacher.page.steps[-1]
    begun, cpu = time.perf_counter(), server.cpu
    for member in crowd:
        member.say("take wheel")
    took = await asyncio.gather(*(goes_on(member, shown, begun) for member in crowd))
    median, last = statistics.median(took), max(took)
    print(f"own step after {shown:7,} {median:8.2f} s median, {last:.2f} s last")
    print(f"server CPU             {server.cpu - cpu:8.1f} s until then")


async def goes_on(member: Member, shown: int, begun: float) -> float:
    """Seconds from Play to the first step of a student's own run."""
    await until(lambda: not member.room["follows"])
    while member.page.steps[-1] <= shown:
        member.page.press(".")
        await asyncio.sleep(0.2)
    return time.perf_counter() - begun


async def vote(teacher: Member, crowd: list[Member]) -> None:
    """All answer at once; all must be counted, and none twice."""
    teacher.say("ask", question="What will the loss do?", options=OPTIONS)
    await until(lambda: all("question" in member.room for member in crowd))
    begun = time.perf_counter()
    for number, member in enumerate(crowd):
        member.say("choose", option=number % 3)
    await until(lambda: teacher.room["question"]["answered"] == len(crowd))
    took = time.perf_counter() - begun
    teacher.say("close question")
    await until(lambda: "before" in crowd[0].room["question"])
    tally = crowd[0].room["question"]["before"]
    print(f"votes                  {sum(tally):8d} of {len(crowd)} counted within {took:.2f} s")
    teacher.say("drop question")


def report(crowd: list[Member], begun: float, ended: float) -> None:
    rates, gaps, sizes = [], [], []
    for member in crowd:
        times = np.array(member.page.arrivals)
        inside = (times >= begun) & (times <= ended)
        rates.append(inside.sum() / (ended - begun))
        gaps.append(np.diff(times[inside]))
        sizes.append(np.array(member.page.sizes)[inside])
    gap, size = 1000 * np.concatenate(gaps), np.concatenate(sizes)
    print(f"frames/s per student   {min(rates):8.2f} least, {statistics.median(rates):.2f} median")
    print(
        f"gap between frames     {np.percentile(gap, 50):8.0f} ms p50,"
        f" {np.percentile(gap, 99):.0f} ms p99, {gap.max():.0f} ms worst"
    )
    print(f"bytes per frame        {size.mean():8.0f} mean")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--free", action="store_true", help="all on runs of their own")
    parser.add_argument("--wheel", type=int, metavar="STEP", help="all take the wheel there")
    parser.add_argument("--pace", default="auto", help="at less than 10 steps/s frames are fewer")
    parser.add_argument("--after", type=float, help="seconds before; 5, or 40 for --free")
    options = parser.parse_args()
    # A young run at its automatic pace makes fewer than ten steps a second, so frames are fewer.
    after = options.after or (40 if options.free else 5)
    what = "on runs of their own" if options.free else "who follow"
    print(f"{options.students} students {what}, with the wall, {options.seconds:g} s")
    places = options.students + 2
    with served(BABYSIT_TEACHER=PASSWORD, BABYSIT_MAX_VISITORS=places) as server:
        if options.wheel:
            asyncio.run(take_the_wheel(server, options.students, options.wheel))
        else:
            asyncio.run(
                measure(
                    server, options.students, options.seconds, options.free, options.pace, after
                )
            )
        for line in server.complaints[:10]:
            print(line)


if __name__ == "__main__":
    main()
