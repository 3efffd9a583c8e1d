"""Rules about the data: the size of inputs and targets, and of mini-batches."""

import math
from collections.abc import Iterator

from engine.diagnosis.remedies import Remedy, Symptom
from engine.diagnosis.rules import RULES, finite_or, hidden_layers, shown_by, turned
from engine.measure.snapshot import Snapshot, Status
from engine.number_format import counted, written
from engine.registry import Choice

LARGE = 4.0  # root mean square of an input above which steps and first scores are too large
SMALL = 0.02  # ... and below which the network receives almost no signal
LARGE_TARGET = 10.0
GOOD = 0.9  # accuracy above which a run needs no advice
DEAD = 0.4
FEW = 2  # examples in a mini-batch that is too small for a mean
USUAL_BATCH = 32

PREPROCESSING = "data.preprocessing"
STANDARDIZE_TARGETS = (
    "Standardize them for training, in a new run; predictions are shown in their own units."
)


@RULES.register("no inputs")
def no_inputs(now: Snapshot) -> Symptom | None:
    """All inputs are 0, as those of a single example are without their mean: nothing is seen."""
    if now.data.input_size > 0:
        return None
    return Symptom(
        "no inputs", 0.0, (SMALL, LARGE), "",
        f"After preprocessing, all inputs of {counted(now.data.training, 'training examples')} are"
        " 0: there is nothing that a network could tell apart.",
        (), "loss", by_hand="Bring more examples, which differ in their inputs.",
    )  # fmt: skip


@RULES.register("input scale")
@shown_by("unlike-units")
def input_scale(now: Snapshot) -> Symptom | None:
    """The inputs are far from size 1: scores and steps are too large, or the signal too small."""
    size = now.data.input_size
    if SMALL <= size <= LARGE or not size > 0 or _learns(now) or not _suffers(now):
        return None
    return Symptom(
        "input scale", size, (SMALL, LARGE), "",
        f"The largest input has size {written(size, 3)} (root mean square): about 1 is usual.",
        _rescaled(now), "loss",
    )  # fmt: skip


@RULES.register("target scale")
def target_scale(now: Snapshot) -> Symptom | None:
    """The targets are far from size 1, and so are the loss and each step."""
    size = now.data.target_size
    if SMALL <= size <= LARGE_TARGET or not size > 0 or _learns(now):
        return None
    return Symptom(
        "target scale", size, (SMALL, LARGE_TARGET), "",
        f"The values to predict have size {written(size, 3)} (root mean square): about 1 is usual.",
        (turned("data.target_scaling", Choice("standardize"), STANDARDIZE_TARGETS),), "loss",
    )  # fmt: skip


@RULES.register("batch size")
@shown_by("batch-norm-rescues")
def batch_size(now: Snapshot) -> Symptom | None:
    """Batch norm over one example or two: the mean that it subtracts is the example itself."""
    model = now.config.model
    size = min(now.config.optimization.batch_size, now.data.training)
    if model.normalization.name == "none" or not model.hidden or size > FEW:
        return None
    left = "nothing is left of it" if size == 1 else "only which of the two is larger is left"
    return Symptom(
        "batch size", size, (FEW + 1, math.inf), "",
        f"Batch norm takes the mean over a batch of {size}: {left}.",
        _steadier(now), "loss",
    )  # fmt: skip


def _learns(now: Snapshot) -> bool:
    """Whether the run does well in spite of its data."""
    return now.status is not Status.DIVERGED and now.metrics.train_accuracy > GOOD


def _suffers(now: Snapshot) -> bool:
    """Whether the loss shows that the size of the inputs is to blame.

    The lecture's own pixels go up to 127, yet they are learned: the initial weights are so small
    that the first loss is right. Batch norm makes large preactivations as small as any.
    """
    if now.data.input_size < SMALL:
        return now.status is not Status.DIVERGED
    if now.config.model.normalization.name != "none":
        return False
    metrics = now.metrics
    known = finite_or(now.data.target_size, 1.0) ** 2  # the loss of always predicting 0
    if metrics.first_loss > 4 * finite_or(metrics.chance_loss, max(known, 1.0)):
        return True
    asked = "scale" in now.config.data.preprocessing.knobs
    dead = any(layer.dead > DEAD for layer in hidden_layers(now))
    return not asked and (dead or now.status is Status.DIVERGED)


def _rescaled(now: Snapshot) -> Iterator[Remedy]:
    """The columns of a table have different units; the pixels of an image share one."""
    raw = now.data.input_size / now.config.data.preprocessing.knobs.get("scale", 1.0)
    scale = 1.0 if SMALL <= raw <= LARGE else 10.0 ** -round(math.log10(raw))
    if len(now.data.shape) > 1 and 0.01 <= scale <= 1000:
        centre = Choice("centre", {} if scale == 1 else {"scale": scale})
        yield turned(
            PREPROCESSING, centre, f"Centre them, at scale {written(scale)}, in a new run."
        )
    yield turned(PREPROCESSING, Choice("standardize"), "Standardize them, in a new run.")


def _steadier(now: Snapshot) -> Iterator[Remedy]:
    if now.data.training > FEW:
        yield turned("optimization.batch_size", USUAL_BATCH, f"Batch size {USUAL_BATCH}.")
    yield turned("model.normalization", Choice("none"), "No batch norm, in a new run.")
