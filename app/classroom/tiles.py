"""What the wall shows of a student's run: a small loss curve, its diagnosis, and how far it is."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from app.classroom.participant import Participant, Trial
from app.classroom.question import Axes
from engine import Curves, Snapshot, Status, slug_of

POINTS = 40  # of a small curve
FLOOR = 1e-7  # of a loss on a logarithmic axis
ROOM = 1.15  # factor by which an axis is larger than what is known
FALLS, RISES = 100.0, 3.0  # times lower and higher that a loss may come to lie where it is drawn
FURTHER = 10.0  # times lower than it is now, in any case


class Tile(msgspec.Struct, frozen=True):
    """One run on the wall."""

    step: int
    state: str  # running, paused, diverged, failed
    health: str  # the name of the most serious finding; without one, the condition
    loss: float | None
    accuracy: float | None  # on the validation examples
    rate: float
    penalty: float
    lesson: str  # the slug of the lesson that is being played
    curve: list[tuple[int, float]]


def tile_of(snapshot: Snapshot) -> Tile:
    """The tile of a run as it is now."""
    playing = snapshot.background.lesson
    optimization = snapshot.config.optimization
    return Tile(
        step=snapshot.end,
        state=snapshot.status.value,
        health=snapshot.findings[0].rule if snapshot.findings else snapshot.condition.value,
        loss=_known(snapshot.curves.last("loss_average")),
        accuracy=_known(snapshot.metrics.validation_accuracy),
        rate=optimization.learning_rate,
        penalty=optimization.l2,
        lesson=slug_of(playing.lesson) if playing else "",
        curve=curve_of(snapshot.curves),
    )


def curve_of(curves: Curves) -> list[tuple[int, float]]:
    """The loss along a run, as few points as a small plot shows."""
    step, loss = curves["step"], curves["loss_average"]
    known = np.flatnonzero(np.isfinite(loss))
    if known.size > POINTS:
        known = known[np.unique(np.linspace(0, known.size - 1, POINTS).round().astype(int))]
    return _points(step[known], loss[known])


def curve_between(curves: Curves, first: int, last: int) -> list[tuple[int, float]]:
    """The loss from one step to another, as far as the run has come.

    Late in a run the rows of its curves lie far apart: between them the loss is taken as a line.
    """
    known = np.isfinite(curves["loss_average"])
    step, loss = curves["step"][known], curves["loss_average"][known]
    if not step.size or step[-1] <= first:
        return []
    along = np.unique(np.linspace(first, min(last, step[-1]), POINTS).round())
    return _points(along, np.interp(along, step, loss))


def _points(step: np.ndarray, loss: np.ndarray) -> list[tuple[int, float]]:
    return [(int(x), float(f"{max(float(y), FLOOR):.4g}")) for x, y in zip(step, loss, strict=True)]


def note(student: Participant, snapshot: Snapshot) -> None:
    """Keep what a student's run has shown: lessons, the best run, settings that were tried.

    What a lesson plays under its own settings is nobody's trial.
    """
    playing = snapshot.background.lesson
    if playing and playing.verdict and not playing.note:
        student.lessons[slug_of(playing.lesson)] = playing.verdict.holds
    accuracy = _known(snapshot.metrics.validation_accuracy)
    if snapshot.status is Status.DIVERGED:
        accuracy = 0.0  # whatever it was before
    if accuracy is None or not snapshot.step or snapshot.looking_back or playing:
        return
    optimization = snapshot.config.optimization
    rate, penalty = optimization.learning_rate, optimization.l2
    student.note_trial(Trial(snapshot.run, rate, penalty, accuracy))
    student.note_run(accuracy, snapshot.config)


def axes_of(snapshot: Snapshot, steps: int) -> Axes:
    """Axes on which the loss of the next steps can be drawn."""
    now = _known(snapshot.curves.last("loss_average")) or _known(snapshot.metrics.first_loss)
    now = max(now or 1.0, FLOOR)
    high = ROOM * max(now, _known(snapshot.metrics.chance_loss) or 0.0)
    return Axes(snapshot.step, steps, min(high / FALLS, now / FURTHER), RISES * high, now)


def order_of(tile: Tile | None, hand: float | None) -> tuple[float, ...]:
    """Who comes first on the wall: raised hands, diverged runs, findings, then those ahead."""
    if tile is None:
        return (0.0 if hand else 4.0, 0.0, 0.0)
    broken = tile.state in (Status.DIVERGED, Status.FAILED)
    ill = tile.health not in ("healthy", "converged")
    group = 1.0 if broken else 2.0 if ill else 3.0
    return (0.0 if hand else group, hand or 0.0, -(tile.accuracy or 0.0))


def trials_of(students: Sequence[Participant]) -> list[tuple[float, float, float, str]]:
    """Learning rate, penalty and accuracy of all that the class has tried, and whose they are."""
    return [
        (trial.rate, trial.penalty, trial.accuracy, student.number)
        for student in students
        for trial in student.trials.values()
    ]


def _known(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
