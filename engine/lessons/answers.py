"""What a learner answered in a lesson: predicted and why, seen, and what came of it."""

import math
from typing import Annotated

import msgspec

from engine.measure.verdict import Verdict
from engine.training.commands import Begin

MOST_WORDS = 500  # characters of a reason
MOST_RUNS = 10  # of a lesson

type Text = Annotated[str, msgspec.Meta(max_length=MOST_WORDS)]
type ResultFigure = tuple[Text, float | None]  # None: infinite, or not a number

type SteeredRuns = Annotated[tuple[tuple[Text, Begin], ...], msgspec.Meta(max_length=MOST_RUNS)]

HOLDS, FAILS = "the claim holds", "the claim fails"  # predictions of a variation


class LessonAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answers to one lesson, or to one of its variations."""

    lesson: Text  # as links call it
    variation: Text = ""  # its label; empty: the lesson itself
    predicted: Text
    reason: Text = ""
    seen: Text
    holds: bool  # whether the claim held
    steered: bool = False  # whether settings were changed on the way
    figures: tuple[ResultFigure, ...] = ()  # those of the verdict
    written: tuple[Text, ...] = ()  # ... as the learner read them, such as 9.2 %
    runs: SteeredRuns = ()  # what repeats its runs, by their names, if they were steered


def figures_of(verdict: Verdict) -> tuple[ResultFigure, ...]:
    """The figures of a verdict, as JSON can hold them."""
    return tuple(
        (figure.label, float(figure.ours) if math.isfinite(figure.ours) else None)
        for figure in verdict.figures
    )
