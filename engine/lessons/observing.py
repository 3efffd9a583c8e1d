"""Makes the question of a lesson on what was seen: comparisons of figures of its runs or exhibits.

Each function returns what computes the question, with its right answer, from the evidence. The
answer is therefore also right for a varied lesson, and for a learner who has changed settings.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from engine.lessons.lesson import Evidence, Observe
from engine.lessons.outcome import Outcome
from engine.lessons.words import unlike
from engine.measure.observation import Observation
from engine.measure.verdict import Metric
from engine.number_format import in_form

NEITHER = "no clear difference"
SEVERAL = "two or more alike"  # the same where there are others, which may differ
NO_NUMBER = "it is no number any more"
NONE_OF_THESE = "none of these"  # the same for shares and counts, which do not explode
APART = 0.02  # difference of two figures, also relative to them, that can be seen in a plot

type Figure = Callable[[Outcome], float]
type Labelled = tuple[str, float]


def highest(text: str, figure: Figure, form: str = ".0%", apart: float = APART) -> Observe:
    """Ask in which run a figure is highest."""
    return lambda evidence: _extreme(text, _of_runs(evidence, figure), form, apart, np.max)


def lowest(text: str, figure: Figure, form: str = ".2f", apart: float = APART) -> Observe:
    """Ask in which run a figure is lowest."""
    return lambda evidence: _extreme(text, _of_runs(evidence, figure), form, apart, np.min)


def highest_exhibit[T](
    text: str, kind: type[T], figure: Callable[[T], float], form: str = ".3g"
) -> Observe:
    """Ask in which exhibit a figure is highest."""
    return lambda evidence: _extreme(
        text, _of_exhibits(evidence, kind, figure), form, APART, np.max
    )


def lowest_exhibit[T](
    text: str, kind: type[T], figure: Callable[[T], float], form: str = ".3g"
) -> Observe:
    """Ask in which exhibit a figure is lowest."""
    return lambda evidence: _extreme(
        text, _of_exhibits(evidence, kind, figure), form, APART, np.min
    )


def place_of_highest(text: str, found: Callable[[Evidence], Iterable[Labelled]]) -> Observe:
    """Ask which of several labelled figures is highest."""
    return lambda evidence: _extreme(text, list(found(evidence)), ".3g", APART, np.max)


def how_much(
    text: str, figure: Callable[[Evidence], float], bounds: Sequence[float], form: str = ".0%"
) -> Observe:
    """Ask between which of these bounds a figure lies."""
    ends = [in_form(bound, form) for bound in bounds]
    between = [f"{low} to {high}" for low, high in itertools.pairwise(ends)]
    missing = NONE_OF_THESE if form.endswith(("%", ".0f")) else NO_NUMBER
    options = (f"up to {ends[0]}", *between, f"above {ends[-1]}", missing)

    def observe(evidence: Evidence) -> Observation:
        value = figure(evidence)
        right = len(options) - 1 if math.isnan(value) else int(np.searchsorted(bounds, value))
        return Observation(text, options, right, f"It is {_written(value, form)}.")

    return observe


def in_words(
    text: str, figure: Callable[[Evidence], float], described: Mapping[float, str]
) -> Observe:
    """Ask which description fits a figure; each is of those up to a bound, which rise."""
    bounds = list(described)
    options = (*described.values(), NO_NUMBER)

    def observe(evidence: Evidence) -> Observation:
        value = figure(evidence)
        right = len(bounds) if math.isnan(value) else int(np.searchsorted(bounds, value))
        return Observation(text, options, right, f"It is {_written(value, '.2g')} times as broad.")

    return observe


def which(text: str, options: tuple[str, ...], right: Callable[[Evidence], int]) -> Observe:
    """Ask which of these descriptions fits; `right` finds its index."""

    def observe(evidence: Evidence) -> Observation:
        return Observation(text, options, right(evidence))

    return observe


def only(run: str, figure: Figure) -> Callable[[Evidence], float]:
    """A figure of the run of this name."""
    return lambda evidence: figure(evidence[run])


# ---- figures that the plots show ----------------------------------------------------------------


def accuracy(run: Outcome) -> float:
    """The accuracy on validation at the end."""
    return run.accuracy


def train_accuracy(run: Outcome) -> float:
    """The accuracy on training examples at the end."""
    return run.snapshot.metrics.train_accuracy


def loss(run: Outcome) -> float:
    """The loss on training examples at the end; NaN after a divergence."""
    return math.nan if run.diverged else run.loss


def gap(run: Outcome) -> float:
    """How far the loss on validation lies above that on training."""
    metrics = run.snapshot.metrics
    return metrics.validation_loss - metrics.train_loss


def steps(run: Outcome) -> float:
    """The steps that the run made."""
    return float(run.snapshot.step)


# ---- comparing ----------------------------------------------------------------------------------


def _of_runs(evidence: Evidence, figure: Figure) -> list[Labelled]:
    return [(evidence.title(name), figure(run)) for name, run in evidence.outcomes.items()]


def _of_exhibits[T](
    evidence: Evidence, kind: type[T], figure: Callable[[T], float]
) -> list[Labelled]:
    shown = [(name, evidence.exhibit(name, kind)) for name in evidence.exhibits]
    return [(getattr(one, "name", name), figure(one)) for name, one in shown]


def _extreme(
    text: str,
    found: list[Labelled],
    form: str,
    apart: float,
    extreme: Callable[[Sequence[float]], float],
) -> Observation:
    """The question which figure is the extreme one; NaN, of a run that broke, never is."""
    labels, values = unlike([label for label, _ in found]), [value for _, value in found]
    known = [value for value in values if not math.isnan(value)]
    right = len(labels)  # none stands out
    if known:
        best = extreme(known)
        near = [n for n, value in enumerate(values) if _close(value, best, apart)]
        right = near[0] if len(near) == 1 else right
    figures = "; ".join(
        f"{label}: {_written(value, form)}" for label, value in zip(labels, values, strict=True)
    )
    none = NEITHER if len(labels) == 2 else SEVERAL
    return Observation(text, (*labels, none), right, f"{figures}.")


def _close(value: float, best: float, apart: float) -> bool:
    nearest = apart * max(1.0, abs(value), abs(best))
    return value == best or abs(value - best) <= nearest < math.inf


def _written(value: float, form: str) -> str:
    return Metric("", value, form=form).text
