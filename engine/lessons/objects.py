"""Section 1 of the lecture: the network that is trained."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.lessons import observing
from engine.lessons.bundled_lessons import bundled
from engine.lessons.downhill import Downhill, Slope
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.outcome import Outcome
from engine.lessons.recipes import clothes, recipe
from engine.measure.verdict import Metric, Verdict
from engine.number_format import written
from engine.training.commands import SetKnob
from engine.training.config import RunConfig
from engine.training.config_sections import ModelConfig
from engine.training.layer_specs import Convolution

SECTION = "The object being trained"


@LESSONS.register("convolution")
def convolution() -> Lesson:
    """Six 5x5 filters make six maps, four pixels smaller; each looks for one thing everywhere."""
    model = ModelConfig(convolutions=(Convolution(filters=6, size=5, pool=2),), hidden=(32,))
    config: RunConfig = recipe(clothes(1000), model, 0.05, optimizer="momentum")
    return Lesson(
        section=SECTION,
        title="How does a small filter look at a whole picture?",
        setup="A convolutional layer of six filters, each 5 x 5, learns from pictures of clothing."
        " A filter is laid on every place of the picture where it fits; its answers, one for each"
        " place, are its map.",
        look="Watch the six maps of one piece of clothing while the filters learn.",
        why="Each map is the same small filter, applied at every place of the picture. Some"
        " learn to respond to edges, some to plain areas.",
        question=Question(
            "The pictures have 28 x 28 pixels. How large is the map of a 5 x 5 filter?",
            ("28 x 28", "24 x 24", "5 x 5"),
            1,
        ),
        runs=(Run("filters", config, 150),),
        check=_maps,
        view="weights",
        observe=observing.which(
            "Weights shows the maps beside the picture: how many are there?",
            ("one, of all filters together", "six", "sixteen", "another number"),
            lambda evidence: _count_of_maps(evidence["filters"]),
        ),
        variations=(
            Variation("3 x 3 filters", "filters", (SetKnob("model.convolutions", "6 of 3x3"),)),
            Variation("16 of them", "filters", (SetKnob("model.convolutions", "16 of 5x5"),)),
        ),
    )


def _count_of_maps(run: Outcome) -> int:
    maps = next(x for name, x in run.responses.items() if name.startswith("conv"))
    return {1: 0, 6: 1, 16: 2}.get(maps.shape[-1], 3)


def _maps(evidence: Evidence) -> Verdict:
    run = evidence["filters"]
    name = next(name for name in run.responses if name.startswith("conv"))
    maps = run.responses[name].transpose(2, 0, 1)  # (O, H', W')
    W = run.parameters[f"{name} W"]  # (C size size, O)
    height, width = run.example.shape[:2]
    picture = run.example.reshape(height, width, -1).transpose(2, 0, 1)
    filters = W.T.reshape(W.shape[1], len(picture), round((W.shape[0] / len(picture)) ** 0.5), -1)
    windows = sliding_window_view(picture, filters.shape[2:], axis=(1, 2))
    slid = np.einsum("chwij,ocij->ohw", windows, filters)
    slid += run.parameters[f"{name} b"][:, None, None]
    error = float(np.abs(slid - maps).max() / np.abs(slid).max())
    holds = maps.shape == (6, height - 4, width - 4) and error < 1e-4
    figures = (
        Metric("maps", len(maps), "6", "d"),
        Metric("pixels lost at the edges", height - maps.shape[1], "4", "d"),
        Metric("sliding each filter by hand: difference", error),
        Metric("validation accuracy", run.accuracy, form=".0%"),
    )
    size = filters.shape[2]
    sentence = (
        f"{len(maps)} maps of {maps.shape[1]} x {maps.shape[2]}, from pictures of"
        f" {height} x {width}: n - {size} + 1 places each way."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("a step downhill")
def a_step_downhill() -> Lesson:
    """A small step lowers the loss by rate * |gradient|^2; a large one may raise it."""
    return Lesson(
        section=SECTION,
        title="How far does the loss fall in one step?",
        setup="One mini-batch and its gradient. From the same weights one step is made against it,"
        " W -= rate * dW, at each of many learning rates.",
        look="The dashed line is what the gradient foresees. On the left both lines hardly"
        " part. On the right, at rates a hundred times as large, the loss bends away from it and"
        " rises: the slope holds only near the weights where it was taken.",
        question=Question(
            "A small rate is doubled. How far does the loss fall in one step?",
            ("as much as before", "twice as much", "four times as much"),
            1,
        ),
        exhibits={"small": Downhill(0.01, 0.2), "large": Downhill(1.0, 20.0)},
        check=_downhill,
        observe=observing.highest_exhibit(
            "Which picture reaches the higher loss?", Slope, lambda slope: slope.highest
        ),
        variations=(
            Variation("Rates a hundred times as large", "small", exhibit=Downhill(1.0, 20.0)),
            Variation("Up to a rate of 1 alone", "large", exhibit=Downhill(0.05, 1.0)),
        ),
    )


def _downhill(evidence: Evidence) -> Verdict:
    small, large = (evidence.exhibit(name, Slope) for name in ("small", "large"))
    figures = (
        Metric(f"fall of the loss at a rate of {written(small.rate)}", small.fall, form=".4f"),
        Metric("... foreseen by the gradient", small.foreseen, form=".4f"),
        Metric("... at twice that rate", small.of_twice, form=".4f"),
        Metric("twice that rate, times as far", small.ratio),
        Metric("loss before the step", large.start),
        Metric(f"... after one, highest of the {large.name}", large.highest),
    )
    holds = 1.9 < small.ratio < 2.1 and large.highest > large.start
    sentence = (
        f"At a rate of {written(small.rate)} the loss falls by {small.fall:.4f}, and by"
        f" {small.of_twice:.4f} at twice that; among the {large.name} it reaches"
        f" {written(large.highest, 3)}."
    )
    return Verdict(holds, figures, sentence)


bundled("small-batches")
