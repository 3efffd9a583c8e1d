"""What the page shows of each stage of an explained step, as plain values for the template."""

import math
from dataclasses import dataclass

import numpy as np

from app.explained_step import bitmaps
from app.explained_step.layer_pictures import backward_blocks, cells_of, forward_blocks, size_of
from app.numbers import count, number, short, tick
from app.plots.pictures import limit
from app.short_names import short_input
from engine import BatchExample, DataInfo, ExplainedStep, TensorStep

STAGES = ("Batch", "Forward", "Loss", "Backward", "Update", "One weight")
MOST_COLUMNS = 8  # inputs of a table's row
MOST_OUTPUTS = 12  # rows of the table of scores
LETTERS = 9  # of a class below its picture
RATIOS = (1e-6, 1.0)  # from one end of the scale of ratios to the other
HEALTHY = (5e-4, 2e-3)
# What some kinds of layers, by the first letters of what they are called, do to a gradient.
LETS_THROUGH = {
    "Maxout": "Maxout passes it to the largest of its sums alone",
    "pool": "a pool passes it to the largest number of each window alone",
    "dropout": "dropout stops it at the units that it set to 0",
    "batch norm": "batch norm takes out what all examples of the batch have in common",
}
SLOPE = "{kind} multiplies it by its slope, and stops it where that is 0"  # any other activation


@dataclass(frozen=True)
class Example:
    """An example of the mini-batch as the page shows it."""

    number: int  # from 0
    address: str  # of its picture; empty in a table
    cells: tuple[str, ...]  # of its row
    right: str
    predicted: str
    loss: str
    wrong: bool
    readout: str


@dataclass(frozen=True)
class Output:
    """A score of the followed example, and what the loss makes of it."""

    name: str
    right: bool
    columns: tuple[str, ...]
    share: float | None  # the probability, if there is one
    gradient: str


@dataclass(frozen=True)
class Tensor:
    """An array of parameters and its change."""

    name: str
    shape: str
    size: str
    gradient: str
    update: str
    ratio: str
    place: float | None  # of the ratio on its scale, in per cent
    before: str  # addresses of pictures
    change: str


def context(step: ExplainedStep, data: DataInfo, activation: str) -> dict[str, object]:
    """All that the template of an explained step is filled in with."""
    examples = [_example(n, one, data) for n, one in enumerate(step.examples)]
    return {
        "step": step,
        "data": data,
        "examples": examples,
        "chosen": examples[step.chosen],
        "columns": _columns(step, data),
        "entering": _entering(step, data),
        "cell": size_of(len(step.entering)),
        "forward": forward_blocks(step, data.classes),
        "backward": backward_blocks(step, data.classes),
        "maps": any(layer.output.ndim == 3 for layer in step.layers),
        "lets_through": _lets_through(step, activation),
        "heads": _heads(step),
        "outputs": _outputs(step, data),
        "left_out": max(0, len(step.scores) - MOST_OUTPUTS),
        "formula": _formula(step, data),
        "losses": _losses(step),
        "tensors": [_tensor(one) for one in step.tensors],
        "healthy": tuple(_place(ratio) for ratio in HEALTHY),
    }


# ---- the batch ------------------------------------------------------------------------------


def _example(place: int, one: BatchExample, data: DataInfo) -> Example:
    right, predicted = (_answer(value, data) for value in (one.right, one.predicted))
    return Example(
        number=place,
        address="" if one.picture is None else bitmaps.picture(one.picture),
        cells=tuple(short(float(value)) for value in one.inputs[:MOST_COLUMNS]),
        right=right,
        predicted=predicted,
        loss=number(one.loss),
        wrong=bool(data.classes) and one.right != one.predicted,
        readout=f"example {place + 1}: is {right}, said {predicted}, loss {number(one.loss)}",
    )


def _answer(value: float, data: DataInfo) -> str:
    return data.classes[int(value)] if data.classes else number(value)


def _columns(step: ExplainedStep, data: DataInfo) -> list[str]:
    shown = len(step.examples[0].inputs[:MOST_COLUMNS])
    return [short_input(data, n, 2 * LETTERS) for n in range(shown)]


def _entering(step: ExplainedStep, data: DataInfo) -> list[object]:
    """The followed example of a table as the network gets it."""
    if step.examples[step.chosen].picture is not None:
        return []

    def readout(place: int) -> str:
        return f"{data.input_name(place)}: {number(float(step.entering[place]))}"

    most = limit(step.entering)
    across = min(8, math.ceil(math.sqrt(len(step.entering))))
    return list(cells_of(step.entering, most, readout, lambda place: "", across))


# ---- backward -------------------------------------------------------------------------------


def _lets_through(step: ExplainedStep, activation: str) -> str:
    """What the layers of this network do to the gradient, each kind once."""
    told: dict[str, None] = {}
    for kind in (layer.kind for layer in reversed(step.layers)):
        known = next((words for name, words in LETS_THROUGH.items() if kind.startswith(name)), "")
        if known or kind == activation:
            told[known or SLOPE.format(kind=kind)] = None
    return "; ".join(told)


# ---- the loss -------------------------------------------------------------------------------


def _heads(step: ExplainedStep) -> tuple[str, ...]:
    if step.probabilities is not None:
        return "score", "e^score", "probability", "wanted"
    if step.loss_name == "multiclass hinge":
        return "score", "margin"
    return "output", "wanted", "difference", "squared"


def _outputs(step: ExplainedStep, data: DataInfo) -> list[Output]:
    """The rows of the table of scores: the right class and those with the highest scores."""
    right = int(step.target.argmax()) if data.classes else -1
    order = np.argsort(-step.scores, kind="stable")
    rows = sorted({right, *(int(n) for n in order)} - {-1}, key=lambda n: n)
    if len(rows) > MOST_OUTPUTS:
        best = {right, *(int(n) for n in order[: MOST_OUTPUTS - 1])} - {-1}
        rows = sorted(best)
    return [_output(step, data, n, n == right) for n in rows]


def _output(step: ExplainedStep, data: DataInfo, place: int, right: bool) -> Output:
    return Output(
        name=data.classes[place] if data.classes else f"value {place + 1}",
        right=right,
        columns=tuple(
            (tick if head == "wanted" else number)(figure)
            for head, figure in zip(_heads(step), _figures(step, place), strict=True)
        ),
        share=None if step.probabilities is None else float(step.probabilities[place]),
        gradient="–" if step.dscores is None else number(float(step.dscores[place])),
    )


def _figures(step: ExplainedStep, place: int) -> tuple[float, ...]:
    """The numbers of one output, in the order of `_heads`."""
    score, target = float(step.scores[place]), float(step.target[place])
    if step.probabilities is not None:
        power = math.exp(min(score, 700.0))
        return score, power, float(step.probabilities[place]), target
    if step.loss_name == "multiclass hinge":
        right = float(step.scores[int(step.target.argmax())])
        return score, 0.0 if target else max(0.0, score - right + 1)
    return score, target, score - target, (score - target) ** 2


def _formula(step: ExplainedStep, data: DataInfo) -> str:
    """How the followed example's loss follows from the table."""
    loss = number(step.examples[step.chosen].loss)
    if step.probabilities is not None:
        right = float(step.probabilities[int(step.target.argmax())])
        return f"−ln {number(right)} = {loss}"
    if step.loss_name == "multiclass hinge":
        return f"the sum of all margins = {loss}"
    return f"the mean of the squares = {loss}"


def _losses(step: ExplainedStep) -> list[tuple[float, str]]:
    """The height of a bar for each example's loss, in per cent, and its text."""
    known = [one.loss for one in step.examples]
    most = max((loss for loss in known if math.isfinite(loss)), default=0.0) or 1.0
    return [
        (
            round(100 * min(1.0, loss / most), 1) if math.isfinite(loss) else 100.0,
            f"example {n + 1}: loss {number(loss)}",
        )
        for n, loss in enumerate(known)
    ]


# ---- the update -----------------------------------------------------------------------------


def _tensor(one: TensorStep) -> Tensor:
    plain = one.name != "W"
    return Tensor(
        name=f"{one.layer} {one.name}",
        shape="×".join(map(count, one.shape)),
        size=number(one.size),
        gradient=number(one.gradient),
        update=number(one.update),
        ratio=number(one.ratio),
        place=None if plain or not one.ratio > 0 else _place(one.ratio),
        before="" if plain else bitmaps.numbers(one.weights, limit(one.weights)),
        change="" if plain else bitmaps.numbers(one.change, limit(one.change)),
    )


def _place(ratio: float) -> float:
    """Where on the scale of ratios, in per cent from its left end."""
    low, high = map(math.log10, RATIOS)
    return round(100 * min(1.0, max(0.0, (math.log10(ratio) - low) / (high - low))), 2)
