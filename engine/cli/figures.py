"""The final figures of a run, as text or JSON."""

import math
import textwrap
from collections.abc import Iterator

import msgspec

from engine.measure.snapshot import Finding, Status
from engine.nn.losses import in_measure, measure_of
from engine.runtime.experiment import Experiment
from engine.runtime.recording import digest
from engine.training.config import RunConfig
from engine.types import Array

COLUMNS = 100


class Figures(msgspec.Struct, frozen=True):
    """The final figures of a run; NaN where one is not defined."""

    step: int
    epoch: float
    status: Status
    message: str
    loss: float
    validation_loss: float
    measure: str  # what the next two are: accuracy, or R² in regression
    train_accuracy: float
    validation_accuracy: float
    digest: str  # of the weights
    findings: tuple[Finding, ...]
    config: RunConfig


def figures(experiment: Experiment) -> Figures:
    """The figures of the last row of the history, and the findings on the run."""
    now = experiment.snapshot()
    evaluated = ("validation_loss", "train_accuracy", "validation_accuracy")
    return Figures(
        step=now.step,
        epoch=float(now.epoch),
        status=now.status,
        message=now.message,
        loss=float(now.curves["loss"][-1]),
        measure=measure_of(now.data.classes),
        digest=digest(experiment),
        findings=now.findings,
        config=now.config,
        **{name: _last(now.curves[name]) for name in evaluated},
    )


def lines(ended: Figures) -> Iterator[str]:
    """The figures as text."""
    rows = {
        "step": f"{ended.step:,}",
        "epoch": f"{ended.epoch:.1f}",
        "status": ended.status,
        "loss": _number(ended.loss, ".4g"),
        "validation loss": _number(ended.validation_loss, ".4g"),
        f"training {ended.measure}": in_measure(ended.train_accuracy, ended.measure),
        f"validation {ended.measure}": in_measure(ended.validation_accuracy, ended.measure),
        "weights": ended.digest,
    }
    for name, value in rows.items():
        yield f"{name:<20} {value}"
    for finding in ended.findings:
        yield from _wrapped(f"{finding.rule}: {finding.cause}", "! ")
        yield from _wrapped(finding.advice, "  ")


def _last(column: Array) -> float:
    """The last value that is not NaN: a run that diverges is not evaluated again."""
    return next((x for x in reversed(column.tolist()) if not math.isnan(x)), math.nan)


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)


def _wrapped(text: str, start: str) -> list[str]:
    return textwrap.wrap(text, COLUMNS, initial_indent=start, subsequent_indent="  ")
