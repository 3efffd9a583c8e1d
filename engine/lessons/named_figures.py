"""What a written lesson can name: figures, titles, and sentences that are filled in with them.

A sentence has them in braces: "{plain} ends at {accuracy of plain}." becomes "no L2 ends at
84.0 %."
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.lessons import observing, words
from engine.lessons.outcome import Outcome
from engine.measure.verdict import STEPS, Metric
from engine.number_format import joined
from engine.suggestions import instead_of, quoted
from engine.training.config import RunConfig

MOVED = 0.03  # of the loss of chance: by so much a loss that is no longer flat has moved
STEPS_TO = re.compile(r"steps to (\d\d?) %")
BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class NamedFigure:
    """A figure of a run that a written lesson can compare, by its name."""

    of: Callable[[Outcome], float]
    form: str

    def metric(self, label: str, run: Outcome, lecture: str = "") -> Metric:
        """The figure of a run with a label."""
        return Metric(label, self.of(run), lecture, self.form)


def _dead(run: Outcome) -> float:
    return max((layer.dead for layer in run.snapshot.layers[:-1]), default=0.0)


def _rise(run: Outcome) -> float:
    """How many times its first loss a run's loss was at its highest; infinite if it diverged."""
    highest = math.inf if run.diverged else float(np.max(run.snapshot.curves["loss"]))
    return highest / run.snapshot.metrics.first_loss


def _flat(run: Outcome) -> float:
    curves, chance = run.snapshot.curves, run.snapshot.metrics.chance_loss
    moved = np.flatnonzero(np.abs(curves["loss"] - chance) > MOVED * chance)
    return float(curves["step"][moved[0]]) if len(moved) else math.inf


def _accuracy_gap(run: Outcome) -> float:
    metrics = run.snapshot.metrics
    return metrics.train_accuracy - metrics.validation_accuracy


def _unit_variance(run: Outcome) -> float:
    return max(tensor.unit_variance for tensor in run.snapshot.tensors[:-1])


def _gradient_kept(run: Outcome) -> float:
    """The gradient's size at the first layer's output, relative to that at the scores."""
    first, scores = run.snapshot.layers[0].backward, run.snapshot.layers[-1].backward
    return first / scores if scores else math.nan


def _off_a_thousandth(run: Outcome) -> float:
    return abs(math.log10(run.ratio / 1e-3)) if run.ratio > 0 else math.inf


FIGURES: Mapping[str, NamedFigure] = {
    "accuracy": NamedFigure(observing.accuracy, ".1%"),
    "training accuracy": NamedFigure(observing.train_accuracy, ".1%"),
    "accuracy gap": NamedFigure(_accuracy_gap, ".1%"),
    "loss": NamedFigure(observing.loss, ".3g"),
    "validation loss": NamedFigure(lambda run: run.snapshot.metrics.validation_loss, ".3g"),
    "first loss": NamedFigure(lambda run: run.snapshot.metrics.first_loss, ".4g"),
    "lowest loss": NamedFigure(lambda run: float(np.nanmin(run.snapshot.curves["loss"])), ".3g"),
    "highest loss": NamedFigure(lambda run: float(np.max(run.snapshot.curves["loss"])), ".3g"),
    "rise": NamedFigure(_rise, ".3g"),
    "gap": NamedFigure(observing.gap, ".3g"),
    "steps": NamedFigure(observing.steps, STEPS),
    "epochs": NamedFigure(lambda run: run.snapshot.epoch, ".3g"),
    "flat steps": NamedFigure(_flat, STEPS),
    "update ratio": NamedFigure(lambda run: run.ratio, ".2g"),
    "update ratio off 0.001": NamedFigure(_off_a_thousandth, ".2g"),
    "dead units": NamedFigure(_dead, ".0%"),
    "unit variety": NamedFigure(_unit_variance, ".2g"),
    "gradient kept": NamedFigure(_gradient_kept, ".2g"),
    "last deviation": NamedFigure(lambda run: run.snapshot.layers[-2].std, ".1g"),
}
TITLES: Mapping[str, words.Words] = {
    "activation": words.activation,
    "initializer": words.initializer,
    "normalization": words.normalization,
    "optimizer": words.optimizer,
    "rate": words.rate,
    "bare rate": words.bare_rate,
    "schedule": words.schedule,
    "penalty": words.penalty,
    "dropout": words.dropout,
    "hidden": words.hidden,
    "preprocessing": words.preprocessing,
    "examples": words.examples,
    "batch": words.batch,
    "seed": words.seed,
}
ENDS = "end"  # what became of a run: "{end of plain}"
SIDES: Mapping[str, Callable[[float, float], bool]] = {"above": operator.gt, "below": operator.lt}


def figure_named(name: str) -> NamedFigure:
    """The figure of this name; ValueError names those that there are."""
    if found := STEPS_TO.fullmatch(name):
        share = int(found[1]) / 100
        return NamedFigure(lambda run: run.steps_to(share), STEPS)
    if name not in FIGURES:
        known = instead_of(name, [*FIGURES, "steps to 90 %"])
        raise ValueError(f"unknown figure {quoted(name)}; {known}")
    return FIGURES[name]


# ---- titles -----------------------------------------------------------------------------------


def titled(template: str) -> words.Words:
    """Titles of runs from their settings, such as "{rate} {normalization}"; refuses others."""
    for name in BRACES.findall(template):
        if name not in TITLES:
            raise ValueError(f"unknown title {quoted(name)}; {instead_of(name, TITLES)}")

    def title(config: RunConfig) -> str:
        return BRACES.sub(lambda found: TITLES[found[1]](config), template)

    return title


# ---- sentences --------------------------------------------------------------------------------


def check_sentence(sentence: str, runs: list[str]) -> None:
    """Refuse braces that cannot be filled in."""
    for name in BRACES.findall(sentence):
        what, _ = _parts(name, runs)
        if what and what not in TITLES and what != ENDS:
            figure_named(what)


def filled(sentence: str, outcomes: Mapping[str, Outcome], title: Callable[[str], str]) -> str:
    """The sentence with the titles and the figures of these runs."""

    def fill(found: re.Match[str]) -> str:
        what, run = _parts(found[1], list(outcomes))
        if not what:
            return title(run)
        if what in TITLES:
            return TITLES[what](outcomes[run].config)
        if what == ENDS:
            return "diverged" if outcomes[run].diverged else "did not diverge"
        return figure_named(what).metric("", outcomes[run]).text

    text = joined(BRACES.sub(fill, sentence))
    return f"{text[:1].upper()}{text[1:]}"


def _parts(name: str, runs: list[str]) -> tuple[str, str]:
    """What is named of which run; empty: its title."""
    if name in runs:
        return "", name
    for run in runs:
        if name.endswith(f" of {run}"):
            return name.removesuffix(f" of {run}"), run
    raise ValueError(f"no run is named in {quoted('{' + name + '}')}; {instead_of(name, runs)}")
