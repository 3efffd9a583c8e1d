"""Section 1 of the lecture: the network that is trained."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.lessons import observing
from engine.lessons.bundled_lessons import bundled
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.outcome import Outcome
from engine.lessons.recipes import clothes, recipe
from engine.measure.verdict import Metric, Verdict
from engine.training.commands import SetKnob
from engine.training.config import ModelConfig, RunConfig
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
        setup="A convolutional layer of six filters, each 5 x 5, learns from pictures of clothing.",
        look="Watch the six maps of one piece of clothing while the filters learn. Each map is"
        " the same small filter, applied at every place of the picture. Some learn to respond to"
        " edges, some to plain areas.",
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
        breaks=(
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


bundled("small-batches")
