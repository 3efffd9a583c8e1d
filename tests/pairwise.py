"""Combinations of a test's parameters: few that are always tried, and all of them by `-m slow`."""

import itertools
from collections.abc import Iterable, Sequence

import pytest

type Row = tuple[object, ...]


def pairwise(*factors: Iterable[object]) -> list[object]:
    """All combinations; those beyond the few in which any two values meet are marked as slow."""
    rows = list(itertools.product(*factors))
    few = covering(rows)
    return [pytest.param(*row, marks=() if row in few else pytest.mark.slow) for row in rows]


def covering(rows: Sequence[Row]) -> set[Row]:
    """Few of the rows in which each pair of values occurs that occurs in any of them."""
    left = set().union(*map(pairs, rows))
    few: set[Row] = set()
    while left:
        best = max(rows, key=lambda row: len(pairs(row) & left))
        few.add(best)
        left -= pairs(best)
    return few


def pairs(row: Row) -> set[tuple[tuple[int, object], tuple[int, object]]]:
    return set(itertools.combinations(enumerate(row), 2))
