"""What the others notice when one visitor opens something: the page, a tab, a dialog.

    uv run --group bench python tests/bench/openings.py --visitors 10 --times 5
    uv run --group bench python tests/bench/openings.py --folder BEFORE

So many visitors watch their networks learn. One more opens one thing after the other, all of it for
the first time and then once more. Told are the others' gaps from one frame to the next: the worst
of each time, of these the median and the worst, and how long the opener waits. The bound is 300 ms;
what the machine does besides is told by the rows "nothing", which stand between.
"""

import argparse
import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial

import numpy as np
from misbehaving import opened
from server import Server, served
from visitor import Visitor

TABS = ("Lessons", "Checks", "Lab", "Search")
DIALOGS = ("Data", "Runs", "Export", "Share", "Keys")
SECONDS = 3.0  # for which the others are measured at each opening
QUIET = 0.7  # seconds of silence after which all has arrived
BOUND = 300  # milliseconds
LIFETIME, CHECK = 3000, 500  # milliseconds


class Watch:
    """The visitors, and what they notice of another one's actions."""

    def __init__(self, crowd: list[Visitor]) -> None:
        self._crowd = crowd
        self.gaps: dict[str, list[np.ndarray]] = defaultdict(list)  # milliseconds
        self.waits: dict[str, list[float]] = defaultdict(list)  # seconds of the opener
        self.sizes: dict[str, list[int]] = defaultdict(list)  # bytes sent to the opener

    async def note(self, what: str, opener: Visitor, act: Callable[[], Awaitable[None]]) -> None:
        """Open something, and measure until all of it has arrived."""
        begun, heard = time.perf_counter(), opener.heard
        opening = asyncio.ensure_future(act())
        await asyncio.sleep(SECONDS)
        await opening
        while opener.told and time.perf_counter() - opener.told[-1] < QUIET:
            await asyncio.sleep(0.1)
        self.waits[what].append(max([0.0, *(at - begun for at in opener.told)]))
        self.sizes[what].append(opener.heard - heard)
        self.gaps[what].append(self._gaps(begun))

    def _gaps(self, since: float) -> np.ndarray:
        """The gaps between frames, of all visitors together."""
        now, each = time.perf_counter(), []
        for visitor in self._crowd:
            times = np.array(visitor.arrivals)
            each.append(np.diff(times[times >= since], prepend=since, append=now))
        return 1000 * np.concatenate(each)


async def nothing() -> None:
    """The noise of the machine."""


async def open_all(base: str, watch: Watch, only: list[str]) -> None:
    """One more visitor opens the page, then one thing after the other."""
    opener = Visitor(base)
    await watch.note("nothing", opener, nothing)
    await watch.note("page", opener, opener.open)
    for tab in (tab for tab in TABS if tab in only):
        for again in ("", " again"):
            await watch.note(tab + again, opener, partial(opener.go_to, tab))
            await opener.go_to("Knobs")
            await asyncio.sleep(0.5)
    await watch.note("nothing", opener, nothing)
    for dialog in (dialog for dialog in DIALOGS if dialog in only):
        for again in ("", " again"):
            await watch.note(dialog + again, opener, partial(opener.push, dialog))
            await asyncio.sleep(0.5)
    opener.leave()
    await asyncio.sleep((LIFETIME + CHECK) / 1000)


async def measure(server: Server, number: int, times: int, only: list[str]) -> None:
    """One opener after the other beside so many visitors."""
    crowd = await opened(server.base, number)
    await asyncio.sleep(5.0)
    watch = Watch(crowd)
    for _ in range(times):
        await open_all(server.base, watch, only)
    tell(watch)
    for visitor in crowd:
        visitor.leave()


def tell(watch: Watch) -> None:
    """Print the table."""
    print(f"{'ms':<16}{'p99':>7}{'worst: median':>15}{'worst':>8}{'opener':>9}{'kB':>8}  of times")
    for what, each in watch.gaps.items():
        worst = [float(gap.max()) for gap in each]
        late = "" if max(worst) <= BOUND else " over"
        print(
            f"{what:<16}{np.percentile(np.concatenate(each), 99):>7.0f}"
            f"{statistics.median(worst):>15.0f}{max(worst):>8.0f}"
            f"{1000 * statistics.median(watch.waits[what]):>9.0f}"
            f"{statistics.median(watch.sizes[what]) / 1000:>8.0f}  {len(each)}{late}",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visitors", type=int, default=10, help="who watch")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=(*TABS, *DIALOGS), default=[*TABS, *DIALOGS])
    parser.add_argument("--folder", help="where the program lies, if not here")
    options = parser.parse_args()
    flags = "--unused-session-lifetime", f"{LIFETIME}", "--check-unused-sessions", f"{CHECK}"
    with served(*flags, folder=options.folder) as server:
        asyncio.run(measure(server, options.visitors, options.times, options.only))
        print(f"the server has {server.memory:.0f} MB; in its log:")
        print(*server.complaints[:12], sep="\n  ")


if __name__ == "__main__":
    main()
