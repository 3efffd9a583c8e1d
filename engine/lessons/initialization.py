"""Section 4 of the lecture, weight initialization: ten layers of 500 units before any training."""

import math
from collections.abc import Callable

import numpy as np

from engine.lessons import observing, slides
from engine.lessons.bundled_lessons import bundled
from engine.lessons.laboratory import Laboratory, LabReport
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Variation
from engine.measure.verdict import Metric, Verdict
from engine.number_format import percent, written
from engine.registry import Choice

SECTION = "Weight initialization"
SIZES = ("its size stays much the same", "it shrinks to nothing", "it grows without end")
BROAD = {  # up to so many times as broad: in words
    0.001: "a thousandth of it, or less",
    0.1: "a tenth of it, or less",
    0.85: "narrower, but no tenth of it",
    1.15: "as broad",
    math.inf: "broader",
}
UNITS = ("near 0", "spread between", "nearly all at -1 or 1")


def _ten_layers(
    activation: str,
    initializer: str,
    title: str,
    look: str,
    question: Question,
    claim: Callable[[LabReport], bool],
    variations: tuple[tuple[str, str, str], ...],  # label, activation, initializer
) -> Lesson:
    """The lecture's experiment with one activation and initializer."""

    def check(evidence: Evidence) -> Verdict:
        report = evidence.exhibit("lab", LabReport)
        first, last, depth = report.layers[0], report.layers[-1], len(report.layers)
        agrees = _agrees(report)
        beside = {True: "as", False: "not as", None: "without a figure"}[agrees]
        figures = (
            _deviation(f"{report.name}: std, layer 1", first.std, first.slide_std),
            _deviation(f"... layer {depth}", last.std, last.slide_std),
            _deviation("... predicted by theory", last.expected_std),
            Metric(f"gradient at layer 1, relative to layer {depth}", first.backward, "", ".2g"),
            Metric("... predicted by theory", first.expected_backward, "", ".2g"),
        )
        sentence = (
            f"{report.name}: the deviation goes from {written(first.std, 3)} in layer 1 to"
            f" {written(last.std, 2)}"
            f" in layer {depth}, {beside} on the slide."
        )
        return Verdict(claim(report) and agrees is True, figures, sentence)

    return Lesson(
        section=SECTION,
        title=title,
        setup="Random inputs pass ten layers of 500 units, none of them trained: the lecture's"
        " experiment. The weights are random too: N(0, 1) has mean 0 and deviation 1.",
        look=look,
        question=question,
        exhibits={"lab": _lab(activation, initializer)},
        check=check,
        observe=observing.in_words(
            "How broad is the last layer's histogram, at the bottom, beside the first one's?",
            _last_beside_first,
            BROAD,
        ),
        variations=tuple(
            Variation(label, "lab", exhibit=_lab(*knobs)) for label, *knobs in variations
        ),
    )


def _last_beside_first(evidence: Evidence) -> float:
    stds = evidence.exhibit("lab", LabReport).stds
    return stds[-1] / stds[0]


def _lab(activation: str, initializer: str) -> Laboratory:
    return Laboratory(activation=Choice(activation), initializer=Choice(initializer))


def _agrees(report: LabReport) -> bool | None:
    """Whether every layer agrees with the slide, up to differences between seeds; None: no slide.

    We use a quarter of the slide's examples.
    """
    spread = slides.SPREADS.get((report.activation.name, report.initializer.name))
    if spread is None or math.isnan(report.layers[0].slide_std):
        return None
    spreads = np.linspace(*spread, len(report.layers))
    return all(
        abs(layer.std - layer.slide_std) <= 6 * spread * layer.slide_std + 0.5e-6
        for layer, spread in zip(report.layers, spreads, strict=True)
    )


def _deviation(label: str, std: float, slide: float = math.nan) -> Metric:
    """Formatted as on the slides, unless it is very large."""
    form = ".6f" if std < 1e4 else ".3g"
    return Metric(label, std, "" if math.isnan(slide) else f"{slide:.6f}", form)


@LESSONS.register("too small: collapse")
def too_small() -> Lesson:
    """tanh, weights of 0.01 N(0, 1): layer by layer all activations collapse to zero."""
    return _ten_layers(
        "tanh", "small normal",
        "What if the first weights are small?",
        "Look at the histograms from top to bottom: each is narrower than the one before, until"
        " nothing is left. A weight's gradient is proportional to its input; so that is gone too.",
        Question("Weights of 0.01 N(0, 1), ten tanh layers. What becomes of the signal?", SIZES, 1),
        lambda report: report.stds[-1] < 1e-5 * report.stds[0],
        (("Xavier", "tanh", "Xavier"), ("Unit normal", "tanh", "unit normal")),
    )  # fmt: skip


@LESSONS.register("too large: saturation")
def too_large() -> Lesson:
    """tanh, weights of 1.0 N(0, 1): almost every unit sits at -1 or 1, where the slope is 0."""
    return _ten_layers(
        "tanh", "unit normal",
        "What if the first weights are large?",
        "All histograms have two towers, at -1 and 1, and nothing between. There tanh is flat. A"
        " few units in between have so large weights that the gradient explodes through them.",
        Question("Weights of 1.0 N(0, 1), ten tanh layers. Where are their outputs?", UNITS, 2),
        lambda report: min(layer.saturated for layer in report.layers) > 0.8,
        (("Xavier", "tanh", "Xavier"), ("ReLU", "ReLU", "unit normal")),
    )  # fmt: skip


@LESSONS.register("Xavier and tanh")
def xavier_tanh() -> Lesson:
    """tanh, Xavier's 1 / sqrt(inputs): the signal stays of a reasonable size to the end."""
    return _ten_layers(
        "tanh", "Xavier",
        "Which size of the first weights suits tanh?",
        "The histograms stay broad in every layer, a little narrower each time: Xavier was"
        " derived for linear units, and tanh squeezes a bit.",
        Question(
            "Weights of N(0, 1) / sqrt(inputs), ten tanh layers. Where are their outputs?", UNITS, 1
        ),
        lambda report: report.stds[-1] > 0.3 * report.stds[0],
        (("Small normal", "tanh", "small normal"), ("ReLU", "ReLU", "Xavier")),
    )  # fmt: skip


@LESSONS.register("Xavier and ReLU")
def xavier_relu() -> Lesson:
    """ReLU, Xavier: every layer loses half of the signal's power, ten layers nearly all of it."""
    return _ten_layers(
        "ReLU", "Xavier",
        "Do Xavier's weights suit ReLU?",
        "ReLU sets half of the units to 0, and with them goes half of the mean square, in every"
        " layer anew. After ten layers a thousandth is left.",
        Question(
            "Xavier's N(0, 1) / sqrt(inputs), but ReLU for tanh. What becomes of the signal?",
            SIZES,
            1,
        ),
        lambda report: 0.4 < _kept(report) < 0.6,
        (("He", "ReLU", "He"), ("tanh", "tanh", "Xavier")),
    )  # fmt: skip


@LESSONS.register("He and ReLU")
def he_relu() -> Lesson:
    """ReLU, He's sqrt(2 / inputs): twice the variance makes up for the half that ReLU cuts."""
    return _ten_layers(
        "ReLU", "He",
        "Which size of the first weights suits ReLU?",
        "One factor of 2 under the root, and all ten histograms look alike. The slide's line of"
        " code prints that factor upside down; its figures are those of 2 / inputs.",
        Question(
            "ReLU, and twice the variance: N(0, 1) * sqrt(2 / inputs). What becomes of the signal?",
            SIZES,
            0,
        ),
        lambda report: 0.9 < _kept(report) < 1.1,
        (("Xavier", "ReLU", "Xavier"), ("tanh", "tanh", "He")),
    )  # fmt: skip


def _kept(report: LabReport) -> float:
    """The share of the mean square that a layer keeps, averaged over the layers."""
    first, last = (layer.mean**2 + layer.std**2 for layer in (report.layers[0], report.layers[-1]))
    return math.exp(math.log(last / first) / (len(report.layers) - 1)) if last > 0 else 0.0


bundled("constant-weights")


@LESSONS.register("inits that look at data")
def data_driven() -> Lesson:
    """LSUV and orthogonal weights keep the size of a signal through ten layers as well."""
    names = "LSUV", "orthogonal", "random walk"
    return Lesson(
        section=SECTION,
        title="Are there better ways to draw the first weights?",
        setup="Later proposals, through the same ten ReLU layers: rotations, which stretch no"
        " direction (Saxe 2013); random walk, which keeps the size of the gradient from drifting"
        " (2014); and LSUV, which measures and rescales (2015).",
        look="Compare the ten histograms of each, and how its gradient fares on the way back.",
        question=Question("What becomes of the signal's size under these?", SIZES, 0),
        exhibits={name: _lab("ReLU", name) for name in names},
        check=_steady,
        observe=observing.highest_exhibit(
            "In which of them is the last layer's deviation the largest?",
            LabReport,
            lambda report: report.stds[-1],
        ),
        variations=(
            Variation("Small normal for LSUV", "LSUV", exhibit=_lab("ReLU", "small normal")),
            Variation("tanh with LSUV", "LSUV", exhibit=_lab("tanh", "LSUV")),
        ),
    )


def _steady(evidence: Evidence) -> Verdict:
    reports = [evidence.exhibit(name, LabReport) for name in evidence.exhibits]
    kept = {report.name: _kept(report) for report in reports}
    figures = tuple(Metric(f"power kept per layer, {name}", x) for name, x in kept.items())
    holds = all(0.8 < share < 1.3 for share in kept.values())
    least, most = percent(min(kept.values())), percent(max(kept.values()))
    sentence = f"A layer keeps {least} to {most} of the power."
    return Verdict(holds, figures, sentence)
