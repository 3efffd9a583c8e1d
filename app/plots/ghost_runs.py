"""Other runs in the curves of this one: the run before it, faint, and those that were pinned.

They are drawn where they can be compared: on the same data, and of losses under the same loss. The
runs of a lesson are pinned one after the other; there the current run has a name as well.
"""

import functools
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from app import palette
from app.explanations.explanation import explain
from app.plots.plot_data import Columns, floored, rounded
from app.short_names import short_names
from engine import Choice, Curves, LessonProgress, PastRun, RunConfig, Snapshot, memoize

POINTS = 150  # of a curve, at most

NONE: Columns = {name: [] for name in ("steps", "epochs", "y", "colour", "dash", "label")}
LONGEST = 22  # letters of a name behind a line: two lines of them (app/static/margins.js)


class Line(NamedTuple):
    """A curve, all of it finite."""

    steps: list[float]
    epochs: list[float]
    values: list[float]


def ghosts(snapshot: Snapshot, view: str, names: Mapping[str, str]) -> dict[str, Columns]:
    """The curves of other runs by their names, each drawn with the dash that is given for it.

    Of several curves whose names end in a star, such as "ratio *", the median is drawn. A run is
    named behind the last of its curves.
    """
    if not (snapshot.previous or snapshot.pinned or snapshot.branches):
        return {f"{view}.ghosts": NONE}
    called = _names(snapshot)
    drawn = [
        (past, colour, name, dash)
        for name, dash in names.items()
        for past, colour in _comparable(snapshot, name)
    ]
    lines = [_line(past.curves, name) for past, _, name, _ in drawn]
    last = [*names][-1]
    columns: Columns = {
        "steps": [line.steps for line in lines],
        "epochs": [line.epochs for line in lines],
        "y": [line.values for line in lines],
        "colour": [colour for _, colour, _, _ in drawn],
        "dash": [dash for *_, dash in drawn],
        "label": [called[id(past)] if name == last else "" for past, _, name, _ in drawn],
    }
    return {f"{view}.ghosts": columns}


def left_out(snapshot: Snapshot, name: str) -> str:
    """Which runs are not drawn, and why: this curve of theirs cannot be compared."""
    if not (snapshot.previous or snapshot.pinned or snapshot.branches):
        return ""
    called = _names(snapshot)
    runs = [(called[id(past)], _apart(snapshot, past, name)) for past, _ in _others(snapshot)]
    text = ", ".join(f"{label} ({reason})" for label, reason in runs if reason)
    return f"not drawn: {text}" if text else ""


def _apart(snapshot: Snapshot, past: PastRun, name: str) -> str:
    """Why a curve of another run cannot be compared with this one's; empty if it can."""
    mine, other = snapshot.config, past.config
    if (mine.data.dataset, mine.data.classes) != (other.data.dataset, other.data.classes):
        return "other data"
    if "loss" in name and _unit_of_loss(mine) != _unit_of_loss(other):
        return "other loss"
    return ""


def _unit_of_loss(config: RunConfig) -> tuple[Choice, Choice]:
    return config.optimization.loss, config.data.target_scaling


def _comparable(snapshot: Snapshot, name: str) -> list[tuple[PastRun, str]]:
    return [x for x in _others(snapshot) if not _apart(snapshot, x[0], name)]


def _others(snapshot: Snapshot) -> list[tuple[PastRun, str]]:
    """The run before this one, other branches, and those that were pinned, with their colours."""
    pinned = enumerate(snapshot.pinned)
    others = [(past, palette.past(n)) for n, past in pinned if not _is_current(past, snapshot)]
    before = run_before(snapshot)
    left = [*([before] if before else []), *branches(snapshot)]
    return [*((past, palette.QUIET) for past in left), *others]


def branches(snapshot: Snapshot) -> list[PastRun]:
    """The other branches of this run, without those that are drawn already."""
    known = {(past.run, past.step) for past in (snapshot.previous, *snapshot.pinned) if past}
    pasts = (branch.past for branch in snapshot.branches)
    return [past for past in pasts if past and (past.run, past.step) not in known]


def run_before(snapshot: Snapshot) -> PastRun | None:
    """The run before this one, unless it was pinned as it ended."""
    before = snapshot.previous
    pinned = {(past.run, past.step) for past in snapshot.pinned}
    return None if before is None or (before.run, before.step) in pinned else before


def _is_current(past: PastRun, snapshot: Snapshot) -> bool:
    """Whether a pinned run is the current one at its current step."""
    now = (snapshot.run, snapshot.step, snapshot.config)
    return (past.run, past.step, past.config) == now and past.run > 0


def own_name(snapshot: Snapshot) -> str:
    """What the current run is called in the plots of a lesson with several runs; else empty."""
    lesson = snapshot.background.lesson
    if lesson is None or lesson.count < 2:
        return ""
    return _names_in_lesson(snapshot, lesson)[lesson.shown]


def _names(snapshot: Snapshot) -> Mapping[int, str]:
    """What each of the other runs is called behind its lines."""
    others = [past for past, _ in _others(snapshot)]
    lesson = snapshot.background.lesson
    if lesson is None:
        short = short_names(tuple(_name(snapshot, past) for past in others), LONGEST)
        return {id(past): name for past, name in zip(others, short, strict=True)}
    names = _names_in_lesson(snapshot, lesson)
    return {id(past): names[past.name] for past in others}


def _names_in_lesson(snapshot: Snapshot, lesson: LessonProgress) -> Mapping[str, str]:
    """What each run is called by its title, from the first run on as when all have been played."""
    others = (past.name for past, _ in _others(snapshot))
    shown = (*lesson.titles, lesson.shown) if lesson.count > 1 else ()
    titles = tuple(dict.fromkeys([*others, *shown]))
    return dict(zip(titles, _shortened(titles), strict=True))


@functools.lru_cache(maxsize=100)  # of a lesson: they are the same in each of its frames
def _shortened(titles: tuple[str, ...]) -> tuple[str, ...]:
    """Titles that fit behind a line: without what all have in common, at first where they begin.

    What stands before a colon stays: "before: this rate of 0.01" becomes "before: 0.01".
    """
    parted = [_parted(title) for title in titles]
    length = LONGEST - max((len(head) for head, _ in parted), default=0)
    words = [bare.split() for _, bare in parted]
    if len(words) > 1 and len({bare for _, bare in parted}) > 1:
        while _too_long(words, length) and _in_common(words, 0):
            words = [one[1:] for one in words]
        if _too_long(words, length):
            while _in_common(words, -1):
                words = [one[:-1] for one in words]
        if _too_long(words, length):
            words = _without_common(words)
    names = (f"{head}{_joined(one)}" for (head, _), one in zip(parted, words, strict=True))
    return short_names(tuple(names), LONGEST)


def _too_long(words: list[list[str]], length: int) -> bool:
    return max(len(_joined(one)) for one in words) > length


def _in_common(words: list[list[str]], place: int) -> bool:
    """Whether all have this word in this place, and another one besides."""
    return len({one[place] for one in words}) == 1 and min(map(len, words)) > 1


def _without_common(words: list[list[str]]) -> list[list[str]]:
    """The words that not all have in common, unless too little is left to tell all apart."""
    common = set(words[0]).intersection(*words)
    left = [[word for word in one if word not in common] for one in words]
    apart = len({*map(_joined, left)}) == len({*map(_joined, words)})
    return left if apart and all(left) else words


def _joined(words: list[str]) -> str:
    return " ".join(words).strip(" ,")


def _parted(title: str) -> tuple[str, str]:
    head, colon, rest = title.partition(": ")
    return (head + colon, rest) if colon else ("", title)


def _name(snapshot: Snapshot, past: PastRun) -> str:
    if past is snapshot.previous and past.run not in {x.run for x in snapshot.branches}:
        return "before"
    return past.name


@memoize
def _line(curves: Curves, name: str) -> Line:
    """A curve of a run that is over, thinned."""
    values = _values(curves, name)
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[:: math.ceil(len(rows) / POINTS) or 1]
    shown = rounded(values[rows]) if "accuracy" in name else floored(values[rows])
    return Line(
        curves["step"][rows].tolist(),
        [float(f"{epoch:.6g}") for epoch in curves["epoch"][rows]],
        [value for value in shown if value is not None],
    )


def _values(curves: Curves, name: str) -> np.ndarray:
    if not name.endswith("*"):
        return curves[name]
    several = np.stack([curves[x] for x in curves if x.startswith(name[:-1])])
    known = np.isfinite(several).any(axis=0)
    values = np.full(several.shape[1], np.nan)
    values[known] = np.nanmedian(several[:, known], axis=0)
    return values


explain(
    "mark run",
    "A run",
    "The curve of a run, by its name. Thin ones are runs before this one, or pinned ones, as they"
    " were, to compare with.",
)
explain(
    ("number loss.apart", "number accuracy.apart", "number updates.apart"),
    "Left out",
    "Runs that are not drawn here, and why: of other data or of another loss, the curves cannot be"
    " compared.",
)
