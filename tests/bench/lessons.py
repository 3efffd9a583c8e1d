"""Forty visitors who all play a lesson, beside forty who just train, in one run.

    uv run --group bench python tests/bench/lessons.py --visitors 40 --seconds 20

Each visitor opens the lessons, predicts, and predicts anew before the lesson's runs are over, so
that all of them play all the time; or as soon as they are over, where they diverge after a few
steps. The lessons have three to six runs each, four of a few seconds.
Those who play the same lesson make the same runs, and an evaluation is computed once for all of
them, as in a class. With `--different` no two visitors make the same runs: each has another lesson
or another variation of it.
Afterwards the same number of visitors on a server of its own trains at the lessons' average pace,
and at full speed: the ratios say what a lesson costs beside a plain run.
"""

import argparse
import asyncio
import statistics
import time
from contextlib import suppress

import numpy as np
from server import Server, served
from visitor import Visitor

from engine import HOLDS, LESSONS, Lesson, open_lesson

PLAYED = {  # lessons of some twelve seconds: what is predicted
    "update-rules": "no sooner",
    "relu-learns-faster": "about as many",
    "update-ratio": "0.3",
    "schedules": "nothing",
    "an-ensemble-beats-its-members": "the same",
    "best-at-the-edge": "better",
    "batch-norm-needs-less-of-a-start": "small ones",
}
AGAIN = 9.0  # seconds after which each predicts anew
SOONER = 5.0  # ... where a lesson may have two runs only, and one of them may diverge
OVER = b"eside the plots"  # the question, or the verdict, is there once the runs are over
LAST = b"Hand-in (JSON)"  # what the panel of lessons is complete with
PACES = "300", "full"  # of those who just train


async def opened(server: Server, visitors: int, pace: str) -> list[Visitor]:
    """So many visitors whose pages are complete."""
    crowd = [Visitor(server.base, query=f"?pace={pace}") for _ in range(visitors)]
    await asyncio.gather(*(visitor.open() for visitor in crowd))
    while any(len(visitor.arrivals) < 3 for visitor in crowd):
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)
    return crowd


type Played = tuple[str, str, str]  # the slug of a lesson, and a button with its value


def alike(count: int) -> list[Played]:
    """A few lessons, which several visitors play each."""
    known = [(slug, "predict", words) for slug, words in PLAYED.items()]
    return [known[n % len(known)] for n in range(count)]


def different(count: int) -> list[Played]:
    """Each visitor has a lesson or a variation that nobody else has."""
    lessons = [lesson for lesson in map(open_lesson, LESSONS) if _takes_long(lesson)]
    known = [(lesson.slug, "predict", lesson.question.answer) for lesson in lessons]
    for number in range(max(len(lesson.variations) for lesson in lessons)):
        varied = [lesson for lesson in lessons if number < len(lesson.variations)]
        known += [(lesson.slug, "vary", f"{number} {HOLDS}") for lesson in varied]
    if count > len(known):
        raise SystemExit(f"there are {len(known)} different ones only")
    return known[:count]


def _takes_long(lesson: Lesson) -> bool:
    """Whether it plays until its visitor predicts anew."""
    return sum(run.steps > 0 for run in lesson.runs) >= 2


async def go_to_lessons(crowd: list[Visitor], played: list[Played]) -> None:
    """Open the panel of lessons on all pages."""
    for visitor in crowd:
        await visitor.go_to("Lessons")
    await asyncio.gather(*(visitor.until(LAST) for visitor in crowd))
    for visitor, (slug, _, _) in zip(crowd, played, strict=True):
        visitor.say("lesson", slug)


async def play(visitor: Visitor, played: Played, again: float) -> None:
    """Let a visitor predict again and again: after so many seconds, or when the runs are over."""
    _, button, value = played
    while True:
        visitor.say(button, value)
        with suppress(TimeoutError):
            await asyncio.wait_for(visitor.until(OVER), again)


async def play_all(crowd: list[Visitor], played: list[Played], again: float) -> None:
    """Let all play at once; they begin one after another."""
    async with asyncio.TaskGroup() as group:
        for visitor, its in zip(crowd, played, strict=True):
            group.create_task(play(visitor, its, again))
            await asyncio.sleep(again / len(crowd))


async def measure(
    server: Server, seconds: float, pace: str, visitors: int, played: list[Played], again: float
) -> float:
    """The median of frames a second that a visitor gets, printed with what else was seen.

    Nothing to be played: all just train.
    """
    early = Visitor(server.base)  # the first visitor waits for what is loaded once
    await early.open()
    early.leave()
    crowd = await opened(server, visitors, pace)
    playing = None
    if played:
        await go_to_lessons(crowd, played)
        playing = asyncio.create_task(play_all(crowd, played, again))
        await asyncio.sleep(AGAIN + 1)  # all of them play
    start, cpu = time.perf_counter(), server.cpu
    await asyncio.sleep(seconds)
    stop, used = time.perf_counter(), server.cpu - cpu
    if playing:
        playing.cancel()
    times = [np.array(visitor.arrivals) for visitor in crowd]
    inside = [arrived[(arrived >= start) & (arrived <= stop)] for arrived in times]
    rates = [len(arrived) / (stop - start) for arrived in inside]
    gaps = 1000 * np.concatenate([np.diff(arrived) for arrived in inside])
    print(
        f"{'lessons' if played else f'pace {pace}':12} frames/s {min(rates):6.2f} least,"
        f" {statistics.median(rates):.2f} median; gap {np.percentile(gaps, 50):.0f} ms p50,"
        f" {np.percentile(gaps, 99):.0f} ms p99;"
        f" server {100 * used / (stop - start):.0f} % of a core"
    )
    if played:
        rarest = sorted(zip(rates, played, strict=True))[:3]
        print("the least:", *(f"{rate:.2f} {' '.join(its)};" for rate, its in rarest))
    for visitor in crowd:
        visitor.leave()
    return statistics.median(rates)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visitors", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--different", action="store_true", help="no two make the same runs")
    options = parser.parse_args()
    chosen = (different if options.different else alike)(options.visitors)
    again = SOONER if options.different else AGAIN
    found = {}
    for name in ("lessons", *PACES):
        with served(BABYSIT_MAX_VISITORS=options.visitors + 1) as server:
            pace, played = ("full", chosen) if name == "lessons" else (name, [])
            found[name] = asyncio.run(
                measure(server, options.seconds, pace, options.visitors, played, again)
            )
            for line in server.complaints:
                print(line)
    for pace in PACES:
        print(f"lessons beside pace {pace}: {found['lessons'] / found[pace]:.2f} of the frames")


if __name__ == "__main__":
    main()
