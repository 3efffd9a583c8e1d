"""The legend of a lesson: which runs are in its plots, each in its colour."""

from typing import NamedTuple

from app import palette
from engine import LessonProgress, Snapshot


class RunKey(NamedTuple):
    """A run in the legend: its title, and its colour in the plots."""

    title: str
    colour: str


def legend(snapshot: Snapshot, progress: LessonProgress) -> list[RunKey]:
    """The runs that are in the plots: the current one, and those beside it."""
    if not progress.shown:
        return []
    others = [
        RunKey(past.name, palette.past(n))
        for n, past in enumerate(snapshot.pinned)
        if (past.run, past.step) != (snapshot.run, snapshot.step)
    ]
    return [*others, RunKey(progress.shown, palette.TRAIN)]
