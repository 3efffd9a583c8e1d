"""What a page is sent: a frame with the rows, drawings and texts that it does not have yet.

Each view's `columns` turns the snapshot into rows; app/static/frames.js puts them into its sources.
"""

import logging
import math
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Literal

import msgspec

from app.page.branch_tree import Twig, tree
from app.plots import VIEWS, plot_data, view_of
from app.plots.plot_cache import DRAWINGS, Key, being_drawn, key_of
from app.plots.plot_data import Column, Columns, Part
from engine import Snapshot, Status

log = logging.getLogger(__name__)

NOTHING: Mapping[str, object] = {}
DESCRIBED_EVERY = 1.0  # seconds between two text alternatives of a plot


class FrameRequest(msgspec.Struct):
    """The page's request for one frame: the last row it has (-1: none) and its visible views."""

    since: int = -1
    views: list[str] | None = None  # None: all
    # The frame repeats it, as frame and next request may cross.
    number: int = msgspec.field(default=0, name="request")
    style: Literal["desk", "projector"] = "desk"  # of its plots
    first: bool = False  # whether it has drawn none yet: its run begins only after that


class Frame(msgspec.Struct, omit_defaults=True):
    """What a page needs to catch up: rows of named sources, and texts by name."""

    run: int
    row: int
    step: int  # how far the run has come
    draw: dict[str, msgspec.Raw] = {}  # drawings of views that the page lacks, which are reset
    stream: dict[str, Columns] = {}
    set: dict[str, Mapping[str, Column]] = {}
    reset: dict[str, Columns] = {}
    text: dict[str, str] = {}
    back: dict[str, str] = {}  # with which the page restores the run if the server was restarted
    request: int = 0  # the number of the request
    tree: list[Twig] | None = None  # the branches, if they are others than before
    look: tuple[int, float] | None = None  # the step looked back at, and how much is rebuilt


class Composer:
    """Makes the frames of one connection, without what the page already has."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock  # seconds
        self._described = -math.inf  # when the text alternatives were last sent
        self._run = 0
        self._tree: list[Twig] | None = None  # the branches that the page has
        self._drawn: dict[str, Key] = {}  # the drawing of each view that the page has
        self._sent: dict[str, dict[str, Mapping[str, object]]] = {}  # by view and source
        self._broke: set[str] = set()  # views that failed

    def compose(
        self, snapshot: Snapshot, request: FrameRequest, back: Mapping[str, str] | None = None
    ) -> Frame:
        """The frame that brings a page which has the rows up to `request.since` up to date.

        `back` restores the run after a restart of the server, as far as it is known.
        """
        rows = snapshot.curves.rows
        fresh = snapshot.run != self._run or not -1 < request.since < rows
        if fresh:
            self._run, self._sent, self._tree = snapshot.run, {}, None
        describe = fresh or self._describes(snapshot)
        if describe:
            self._described = self._clock()
        frame = Frame(snapshot.run, rows - 1, snapshot.end, request=request.number)
        if (branches := tree(snapshot)) != self._tree:
            frame.tree = self._tree = branches
        if snapshot.looking_back:
            frame.look = snapshot.looking_back.step, snapshot.looking_back.done
        status = plot_data.status(snapshot, request.since)
        if request.first:
            status = plot_data.before_it_begins(status)
        self._add(frame, "", status, fresh)
        for name in requested_views(request):
            drawn = self._draw(frame, name, snapshot, request.style)
            if name in self._drawn:
                since = -1 if fresh or drawn else request.since
                part = self._part(name, snapshot, since, describe or drawn)
                self._add(frame, name, part, since < 0)
        frame.back |= _changed(self._sent.setdefault("", {}), "back", back or {})
        return frame

    def _describes(self, snapshot: Snapshot) -> bool:
        """Whether text alternatives are due; while nothing runs no later frame may bring them."""
        stands = snapshot.status is not Status.RUNNING or snapshot.looking_back is not None
        return stands or self._clock() - self._described >= DESCRIBED_EVERY

    def lacks(self, views: list[str]) -> bool:
        """Whether the page shows one of these views without its drawing."""
        return any(name not in self._drawn for name in views)

    # ---- pages in the same state --------------------------------------------------------------

    def fork(self) -> "Composer":
        """A copy for another page in the same state."""
        other = Composer(self._clock)
        other._described, other._run, other._broke = self._described, self._run, self._broke
        other._drawn = dict(self._drawn)
        other._sent = {view: dict(sent) for view, sent in self._sent.items()}
        return other

    def forget_but(self, views: tuple[str, ...]) -> None:
        """Forget other views, and text alternatives, which are sent anew every second."""
        self._drawn = {name: self._drawn[name] for name in views if name in self._drawn}
        self._sent = {name: self._sent[name] for name in ("", *views) if name in self._sent}
        for sent in self._sent.values():
            texts = sent.get("", {})
            sent[""] = {name: x for name, x in texts.items() if not name.endswith(".alt")}

    @property
    def key(self) -> Hashable:
        """The state that may differ between pages that were sent the same snapshot."""
        return self._run, self._described, tuple(sorted(self._drawn.items(), key=lambda x: x[0]))

    # ---- a view -------------------------------------------------------------------------------

    def _draw(self, frame: Frame, name: str, snapshot: Snapshot, style: str) -> bool:
        """Add the drawing of a view if the page lacks it and it is made; returns whether it did.

        Until it is made the page shows none, rather than that of another network.
        """
        key = key_of(name, snapshot, style)
        if self._drawn.get(name) == key:
            return False
        self._sent.pop(name, None)
        drawing = DRAWINGS.made(key)
        if drawing is None:
            if self._drawn.pop(name, None):
                frame.draw[name] = being_drawn(name)
            return False
        frame.draw[name] = drawing
        self._drawn[name] = key
        return True

    def _part(self, name: str, snapshot: Snapshot, since: int, describe: bool) -> Part:
        try:
            part = view_of(name).columns(snapshot, since)
            return part.described(name) if describe else part
        except Exception:  # of one plot; the others go on
            return self._broken(name)

    def _broken(self, name: str) -> Part:
        """The text in place of a plot that failed; logs the traceback, once."""
        if name not in self._broke:
            self._broke.add(name)
            log.exception("the view %s failed", name)
        return Part(text={"health": f"The plot “{view_of(name).title}” failed and stands still."})

    def _add(self, frame: Frame, view: str, part: Part, anew: bool) -> None:
        """Add the data of a view that the page lacks; all of it if `anew`."""
        if anew:
            frame.reset |= part.stream
        else:
            for name, data in part.stream.items():
                if any(data.values()):
                    frame.stream[name] = data
        sent = self._sent.setdefault(view, {})
        for name, data in part.set.items():
            if sent.get(name) is not data and (new := _changed(sent, name, data)):
                frame.set[name] = new
        frame.text |= _changed(sent, "", part.text)


def _changed[V](
    sent: dict[str, Mapping[str, object]], source: str, values: Mapping[str, V]
) -> Mapping[str, V]:
    """The values of a source that differ from those sent before; notes them as sent."""
    had = sent.get(source, NOTHING)
    new = {k: v for k, v in values.items() if (old := had.get(k)) is not v and old != v}
    sent[source] = values if values.keys() >= had.keys() else {**had, **values}
    return new


def requested_views(request: FrameRequest) -> list[str]:
    """The views that a page asks for; names of none are left out."""
    return [name for name in VIEWS if request.views is None or name in request.views]
