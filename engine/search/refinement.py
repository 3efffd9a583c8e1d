"""From coarse to fine: the best trials, whether a range is too narrow, and the next search."""

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from engine.number_format import written
from engine.search.description import Search, Trial
from engine.search.frames import Edge
from engine.search.space import Axis, Categorical, Continuous, allowed, in_words, label_of
from engine.search.trial import Ending, Result

BEST = 5  # best trials that determine the next search: so many, ...
SHARE = 0.1  # ... or so large a share of a large search
RIM = 0.1  # share of an axis, at either end
MARGIN = 0.1  # share of an axis that a finer search adds around the best
LONGER = 4.0  # factor on the epochs of the finer search


def ranked(search: Search, results: Iterable[Result]) -> list[Result]:
    """The finished trials, best first."""
    last = len(search.rungs) - 1
    ended = [x for x in results if x.ending is Ending.FINISHED and x.rung == last]
    return sorted(ended, key=lambda x: (-x.score, x.number))


def leaders(order: Sequence[Result]) -> list[Result]:
    """The best of the finished trials, which determine the next search."""
    return list(order[: max(BEST, math.ceil(SHARE * len(order)))])


def edges(search: Search, trials: Sequence[Trial], order: Sequence[Result]) -> tuple[Edge, ...]:
    """The ranges in whose outer tenth most of the best trials lie."""
    best = leaders(order)
    if len(best) < BEST:
        return ()  # too few to distinguish an edge from chance
    found = []
    for i, axis in enumerate(search.space):
        if isinstance(axis, Categorical):
            continue
        low = tuple(x.number for x in best if trials[x.number].places[i] < RIM)
        high = tuple(x.number for x in best if trials[x.number].places[i] > 1 - RIM)
        for side, numbers in (("low", low), ("high", high)):
            if 2 * len(numbers) > len(best):
                found.append(_edge(search, axis, side, numbers, len(best)))
    return tuple(found)


def _edge(search: Search, axis: Continuous, side: str, numbers: tuple[int, ...], best: int) -> Edge:
    limits = allowed(axis.path, search.base)
    end = axis.high if side == "high" else axis.low
    last = limits and (limits.high if side == "high" else limits.low)
    is_open = last is None or last != end
    advice = "look beyond it" if is_open else "it can go no further"
    text = (
        f"{len(numbers)} of the best {best} lie at the {side} end of"
        f" the range of {label_of(axis.path)}, near {in_words(end)}: {advice}."
    )
    return Edge(axis.path, side, numbers, is_open, text)


def refine(
    search: Search,
    results: Iterable[Result],
    *,
    trials: int | None = None,
    epochs: float | None = None,
) -> Search:
    """The finer search around the best trials: narrower, and longer unless `epochs` is given.

    ValueError: no trial has finished.
    """
    best = {x.number for x in leaders(ranked(search, results))}
    if not best:
        raise ValueError("no trial has finished: there is nothing to search around")
    places = [trial.places for trial in search.draw() if trial.number in best]
    lines = list(zip(*places, strict=True))
    space = tuple(
        _around(search, axis, line) for axis, line in zip(search.space, lines, strict=True)
    )
    return _finer(search, space, trials, epochs)


def narrow(
    search: Search,
    region: Mapping[str, tuple[float, float]],  # path: from and to, 0 to 1 on its axis
    *,
    trials: int | None = None,
    epochs: float | None = None,
) -> Search:
    """The finer search in a region of the space, such as one that was selected in a plot.

    ValueError: the region has another axis, or is empty.
    """
    if unknown := set(region) - {axis.path for axis in search.space}:
        raise ValueError(f"no axis of this search is {', '.join(sorted(unknown))}")
    space = tuple(
        _between(search, axis, *sorted(region[axis.path])) if axis.path in region else axis
        for axis in search.space
    )
    return _finer(search, space, trials, epochs)


def _finer(
    search: Search, space: tuple[Axis, ...], trials: int | None, epochs: float | None
) -> Search:
    return msgspec.structs.replace(
        search,
        space=space,
        trials=search.trials if trials is None else trials,
        epochs=LONGER * search.epochs if epochs is None else epochs,
        seed=search.seed + 1,  # else it would draw the same places in the smaller range
        stage=search.stage + 1,
    )


def _around(search: Search, axis: Axis, places: Sequence[float]) -> Axis:
    if isinstance(axis, Categorical):
        good = [axis.at(place) for place in places]
        return Categorical(axis.path, tuple(x for x in axis.options if x in good))
    return _stretch(search, axis, min(places) - MARGIN, max(places) + MARGIN)


def _between(search: Search, axis: Axis, low: float, high: float) -> Axis:
    if isinstance(axis, Continuous):
        return _stretch(search, axis, low, high)
    inside = tuple(x for x in axis.options if low <= axis.place(x) <= high)
    return Categorical(axis.path, inside or (axis.at((low + high) / 2),))


def _stretch(search: Search, axis: Continuous, low: float, high: float) -> Continuous:
    """The axis from one place to another, as far as the setting allows."""
    limits = allowed(axis.path, search.base)
    start, end = axis.at(low), axis.at(high)
    if limits:
        start, end = max(start, limits.low), min(end, limits.high)
    if not start < end:
        raise ValueError(
            f"{axis.path} from {written(start)} to {written(end)} leaves nothing to search"
        )
    return Continuous(axis.path, start, end, axis.scale, axis.whole)
