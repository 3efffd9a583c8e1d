"""Writes the curves of a run: the values in each row of its history, and when a row is due.

`Trainer.describe` hands the curves to the snapshot.
"""

import copy
import math

import numpy as np

from engine.measure.instruments import norm_and_ratio
from engine.measure.loss_range import LossRange
from engine.measure.smoothing import Smoothed
from engine.training.history import AFRESH, Curves, History
from engine.training.training import Training

# What a row's figures cost, in multiplications of a matrix product. Below so many, each kind may
# take as much work as training itself; on dearer networks only so large a share of it.
CHEAP = 20_000_000
SHARE = 0.01
MOST = 20_000  # rows of a run that are closer than its own spacing has them
_PASSES = 150  # what measuring one parameter costs: about ten numbers from memory


class Recorder:
    """The history of one run.

    The same run always has the same rows, unless somebody watches it slowly: then there are more,
    and more of them are evaluated; but not before `same_until`.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        self._losses, self._smoothed = LossRange(), Smoothed()
        self._history = History(
            [
                *("loss", "loss_low", "loss_high", "loss_average", "validation_loss", "penalty"),
                *("train_accuracy", "validation_accuracy", "gradient_cosine"),
                *(f"ratio {tensor.layer}" for tensor in training.network.parameters.weights),
                "epoch",
            ]
        )
        self._evaluate_at = self._measure_at = 0  # steps from which on that is due again
        self._changed = 0  # the step of the last change, after which rows are dense again
        self._known: Curves | None = None  # with the rows to come, of a run that is made again
        self._known_row = math.inf  # the step of the next of these
        self.asked = 0  # a step that is to have a row
        self.same_until = 0  # a step with an evaluated row; up to it, watching adds no rows
        self.evaluated = 0  # the step of the last row that was evaluated
        self.apart = math.inf  # steps from one row to the next, at most
        self.spare = 1.0  # how many times as long as a step takes there is for it, and to measure
        self._record(
            dict.fromkeys(("loss", "loss_low", "loss_high", "loss_average"), training.first_loss)
        )

    @property
    def rows(self) -> int:
        """Rows so far."""
        return len(self._history)

    @property
    def curves(self) -> Curves:
        """All rows so far; a row has NaN for what was not measured then."""
        return self._history.curves()

    def make_due(self) -> None:
        """Write a full row at the next step, whatever the spacing."""
        self._history.make_due()
        self._evaluate_at = self._measure_at = 0
        self._changed = self._training.step

    def evaluate_at(self, step: int) -> None:
        """Write an evaluated row at a step that is still to come, as another run has one there."""
        self.asked = self._evaluate_at = step

    def write_before_change(self) -> None:
        """Write a full row of the last step under the settings of before, unless it has one.

        Or a curve that a change bends would be drawn as bent since the row before.
        """
        if self._history.last < self._training.step:
            self._evaluate_at = self._measure_at = 0
            self.write()

    def note_change(self) -> None:
        """A setting was changed: write rows often again, and restart the average."""
        self.make_due()
        self._smoothed.restart()

    def note(self, loss: float) -> None:
        """Include the loss of the step that was just made."""
        self._losses.add(loss)

    # ---- going back ---------------------------------------------------------------------------

    def mark(self) -> "Recorder":
        """Its state after this step, without the rows, from which `rewound` restores it."""
        mark = copy.copy(self)
        mark._losses, mark._smoothed = copy.copy(self._losses), copy.copy(self._smoothed)
        mark._history, mark._known = self._history.mark(), None
        del mark._training  # or the mark would keep it in memory
        return mark

    def rewound(self, mark: "Recorder", training: Training) -> "Recorder":
        """The recorder as it was at a mark, for a copy of the run that repeats its steps."""
        past = copy.copy(mark)
        past._losses, past._smoothed = copy.copy(mark._losses), copy.copy(mark._smoothed)
        past._training = training
        past._history = self._history.rewound(mark._history)
        past._known = self.curves
        past._find_known()
        return past

    def repeat(self, loss: float) -> None:
        """Include the loss of a repeated step, and the row that was written at it."""
        self.note(loss)
        if self._training.step == self._known_row:
            self._take_known()

    def repeat_change(self) -> None:
        """A setting is changed as it was then, after the row that was written before."""
        if self._training.step == self._known_row:
            self._take_known()
        self.note_change()

    def repeat_end(self, loss: float) -> None:
        """The repeated step diverged, as it did before."""
        self.note_change()
        if self._known_row == math.inf:
            self.end(loss)
            return
        self._history.repeat()
        self._find_known()

    def _find_known(self) -> None:
        """Find the step of the next row that is known; of none, infinity."""
        known, rows = self._known, self.rows
        self._known_row = float(known["step"][rows]) if known and rows < known.rows else math.inf

    def _take_known(self) -> None:
        self._losses.take()
        figures = self._history.repeat()
        self._find_known()
        self._smoothed.add(figures["loss"])
        if math.isfinite(figures["penalty"]):
            self._training.compare_next()
            self._note_measured()
        if math.isfinite(figures["validation_loss"]):
            self._note_evaluated()

    def cosine_at(self, step: int, now: float) -> float:
        """The gradient cosine that was shown after a step; `now` is that of the last step.

        It is computed in the step after a measurement, and shown with the next one.
        """
        curves = self.curves
        measured = np.isfinite(curves["penalty"])
        steps, cosines = curves["step"][measured], curves["gradient_cosine"][measured]
        row = int(np.searchsorted(steps, step))  # the first that is not before it
        return float(cosines[row]) if 0 < row < len(steps) else now if row else math.nan

    def fork(self, training: Training) -> "Recorder":
        """A copy with the same rows, for a run that is forked at this step."""
        fork = self.mark()
        fork._training, fork._history = training, self._history.compact_copy()
        return fork

    def compact_copy(self) -> "Recorder":
        """A copy of all rows, without the training."""
        other = copy.copy(self)
        other._history, other._known = self._history.compact_copy(), None
        del other._training
        return other

    def forget_later_rows(self) -> None:
        """Forget the known rows of later steps: from here on the run differs."""
        self._known = None
        self.asked = 0
        self._history.forget_later_rows()

    @property
    def due(self) -> bool:
        """Whether a row ought to be written now."""
        step, history = self._training.step, self._history
        if history.due(step) or step in (self.asked, self.same_until):
            return True
        if step < self.same_until:
            return False
        return step - history.last >= self.apart and len(history) < MOST

    def write(self) -> None:
        """Write a row."""
        figures = self._losses.take()
        self._record(figures | {"loss_average": self._smoothed.add(figures["loss"])})

    def end(self, loss: float) -> None:
        """Write the last row of a run that diverged, with the loss itself as its average."""
        self._append({"loss": loss, "loss_average": loss})

    def _record(self, figures: dict[str, float]) -> None:
        step = self._training.step
        if step >= self._measure_at:
            figures |= self._measure()
            self._note_measured()
        if step >= self._evaluate_at or step == self.same_until:
            figures |= self._evaluate()
            self._note_evaluated()
        self._append(figures)

    def _append(self, figures: dict[str, float]) -> None:
        """Write a row of these figures, and of how many epochs the steps so far make."""
        training = self._training
        self._history.append(training.step, figures | {"epoch": training.batches.epoch})

    def _note_measured(self) -> None:
        work = _PASSES * self._training.network.parameters.size
        self._measure_at = self._training.step + self._apart(work)

    def _note_evaluated(self) -> None:
        self.evaluated = self._training.step
        evaluated = sum(evaluator.examples for evaluator in self._training.evaluators)
        self._evaluate_at = self._training.step + self._apart(
            evaluated * self._training.network.work
        )

    def _measure(self) -> dict[str, float]:
        """The figures that read every parameter."""
        training = self._training
        training.compare_next()
        figures = {
            "penalty": training.regularization.penalty,
            "gradient_cosine": training.gradient_cosine,
        }
        if training.step:
            theta, update = training.network.parameters.theta, training.optimizer.last_update
            for tensor in training.network.parameters.weights:
                _, ratio = norm_and_ratio(theta[tensor.span], update[tensor.span])
                figures[f"ratio {tensor.layer}"] = ratio
        return figures

    def _evaluate(self) -> dict[str, float]:
        """The figures that evaluate many examples."""
        train, validation = self._training.evaluators
        weights = train.network.parameters.state_digest
        return {
            "validation_loss": validation.loss_under(weights),
            "train_accuracy": train.score_under(weights),
            "validation_accuracy": validation.score_under(weights),
        }

    def _apart(self, work: int) -> int:
        """Steps from one figure that takes so much work to the next, at least."""
        # A step goes forward, and backward twice: to the inputs and to the weights.
        spare = self.spare if self._training.step >= self.same_until else 1.0
        step = 3 * self._training.network.batch * self._training.network.work * spare
        since = self._training.step - self._changed
        # At the start, and after a change, the gaps grow: as those of rows then do, or by half.
        share, slowly = (1.0, AFRESH) if work < CHEAP else (SHARE, 2)
        return min(math.ceil(work / (share * step)), 1 + since // slowly)
