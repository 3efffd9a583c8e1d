"""Returns the memory of visitors who have left to the operating system.

The C library keeps freed memory for later use: of five hundred pages that were opened
and closed it kept 50 MB, though not an object of them was left.

Python's collector of garbage has to look at everything that lives, and nothing else runs meanwhile.
Most of that is the program itself, 220,000 objects of modules and classes, and the pages of a class
that stays, 5,000 objects each. So these are set aside from it ("frozen"): the program when the
server starts and whenever nobody is here, pages once a few visitors have been here for a while.
Whoever comes and goes beside a class then makes the collector look at little more than its own
garbage. What is left of a page that was set aside is found only by a search of everything, which
takes half a second: it waits until nobody is here, or until very much is left.

Of the other pages mostly those are searched that have come since the last time: the collector's
middle generation. The rest is in its oldest one, which only departures of visitors who had been
here longer make worth a search. Left to itself, the collector would search everything whenever a
quarter as much has been added.
"""

import asyncio
import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

EVERY = 2.0  # seconds between two checks
YOUNG = 15.0  # MB of garbage among what is new that are worth a pause for the visitors who are here
OLD = 10.0  # ... among what is older: a search of sixty pages takes 0.15 s, and longer with more
ASIDE = 150.0  # ... among what was set aside: a search of everything takes half a second
SEATED = 60.0  # seconds after which a visitor is taken to stay
STAY = 5  # visitors who stay, whose pages are worth being set aside
CAME = 5  # visitors since the last search, whose pages are so few that nobody notices the next
SELDOM = 60.0  # seconds after which what is new is searched in any case
ENDS = 1.0  # seconds for which a connection may still use the page that was closed
PAGE = 2.0  # MB of a visitor's page; the network is freed without a search
NEVER = 2**30
THRESHOLDS = 2000, NEVER, NEVER  # objects after which Python itself searches the newest generation
NEW, ALL = 1, 2  # the collector's generations


def give_back() -> None:
    """Have the C library return its empty pages to the system, where it can."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)  # without the GIL


def set_aside() -> None:
    """Collect all garbage, and freeze what survives: the program, when nobody is here."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Departure:
    """A visitor has left."""

    at: float  # seconds
    searches: int  # how many there had been when the page was built


class Memory:
    """Frees the memory of visitors who left: when nobody is here, or when it is much."""

    def __init__(
        self,
        collect: Callable[[int], object] = gc.collect,
        set_aside: Callable[[], None] = set_aside,
        give_back: Callable[[], None] = give_back,
        freeze: Callable[[], None] = gc.freeze,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collect, self._set_aside, self._give_back = collect, set_aside, give_back
        self._freeze, self._clock = freeze, clock
        self.nobody_is_here: Callable[[], bool] = lambda: True
        self.searches = 0  # for garbage, so far
        self._searched = clock()
        self._came = 0  # visitors since then
        self._aside = 0  # how many searches there had been when pages were last set aside
        self._connected: dict[Hashable, float] = {}  # visitors since then, and when they came
        self._departures: list[Departure] = []
        self._lock = threading.Lock()  # of the departures

    def begin(self, nobody_is_here: Callable[[], bool]) -> None:
        """Start to check; called on the event loop."""
        self.nobody_is_here = nobody_is_here
        gc.set_threshold(*THRESHOLDS)
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.look)

    def come(self) -> None:
        """A visitor has requested a page."""
        self._came += 1

    def keep(self, visitor: Hashable) -> None:
        """A visitor has a page; of the visitor itself nothing may be kept here."""
        with self._lock:
            self._connected.setdefault(visitor, self._clock())

    def owe(self, visitor: Hashable, searches: int = 0) -> None:
        """A visitor has left, whose page came after so many searches."""
        with self._lock:
            self._connected.pop(visitor, None)
            self._departures.append(Departure(self._clock(), searches))

    def look(self) -> None:
        """Free the garbage, if it is time."""
        now = self._clock()
        over = [departure for departure in self._departures if now - departure.at >= ENDS]
        new = [departure for departure in over if departure.searches == self.searches]
        aside = [departure for departure in over if departure.searches < self._aside]
        if (self._departures and self.nobody_is_here()) or _megabytes(aside) >= ASIDE:
            self._free(over, self._set_aside)
            self._put_aside()
        elif _megabytes(over) - _megabytes(new) - _megabytes(aside) >= OLD:
            self._free([x for x in over if x not in aside], lambda: self._collect(ALL))
        elif self._stay(now):
            self._free(new, lambda: self._collect(NEW))
            self._freeze()
            self._put_aside()
        elif self._came >= CAME or _megabytes(new) >= YOUNG or now - self._searched >= SELDOM:
            self._free(new, lambda: self._collect(NEW))

    def _stay(self, now: float) -> bool:
        """Whether enough visitors have been here for a while whose pages are not set aside."""
        with self._lock:
            return sum(now - came >= SEATED for came in self._connected.values()) >= STAY

    def _put_aside(self) -> None:
        """Every page that there is has been set aside."""
        with self._lock:
            self._aside = self.searches
            self._connected.clear()

    def _free(self, departures: list[Departure], search: Callable[[], object]) -> None:
        """Find the garbage of these departures; whatever else there is now is older from now on."""
        with self._lock:
            self._departures = [x for x in self._departures if x not in departures]
        self.searches += 1
        self._searched, self._came = self._clock(), 0
        search()
        self._give_back()


def _megabytes(departures: list[Departure]) -> float:
    return PAGE * len(departures)


MEMORY = Memory()
