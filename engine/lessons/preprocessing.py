"""Section 3 of the lecture, preprocessing: what the network is shown."""

import numpy as np

from engine.commands import SetKnob
from engine.config import DataConfig
from engine.lessons.exhibits import Cloud, Means, Scatter, Subtraction
from engine.lessons.lesson import LESSONS, Break, Evidence, Figure, Lesson, Question, Run, Verdict
from engine.lessons.recipes import layers, recipe
from engine.registry import Choice

SECTION = "Preprocessing"
STEPS = {
    "raw": "none",
    "centred": "centre",
    "normalized": "standardize",
    "PCA": "PCA",
    "whitened": "whiten",
}


@LESSONS.register("centre, normalize, whiten")
def steps() -> Lesson:
    """Centred: mean 0. Normalized: size 1. PCA: no correlation. Whitened: both, a round cloud."""
    return Lesson(
        section=SECTION,
        look="One cloud of penguins, flipper against bill, five times. Each step takes something"
        " away: the offset, the unlike units, the slant. The condition number says how far"
        " from round the cloud is; gradient descent likes it round.",
        question=Question(
            "Which step makes the cloud round?",
            ("centring", "normalizing", "PCA", "whitening"),
            3,
        ),
        exhibits={name: Scatter(Choice(step)) for name, step in STEPS.items()},
        check=_steps,
        breaks=(
            Break("PCA where whitening was", "whitened", exhibit=Scatter(Choice("PCA"))),
            Break(
                "Iris instead of penguins", "raw", exhibit=Scatter(Choice("none"), Choice("iris"))
            ),
        ),
    )


def _steps(evidence: Evidence) -> Verdict:
    raw, centred, normalized, pca, white = (evidence.exhibit(name, Cloud) for name in STEPS)
    sizes = np.sqrt(np.diag(normalized.covariance))
    slant = float(abs(pca.covariance[0, 1]) / np.sqrt(np.diag(pca.covariance).prod()))
    round_off = float(np.abs(white.covariance - np.eye(2)).max())
    holds = (
        float(np.abs(raw.mean).max()) > 1
        and float(np.abs(centred.mean).max()) < 1e-6
        and float(np.abs(sizes - 1).max()) < 1e-6
        and slant < 1e-6
        and round_off < 1e-6
    )
    figures = (
        Figure("largest mean, raw", float(np.abs(raw.mean).max())),
        Figure("... centred", float(np.abs(centred.mean).max()), "0", ".1g"),
        Figure("deviations, normalized", float(sizes.max()), "1"),
        Figure("correlation, normalized", float(normalized.covariance[0, 1])),
        Figure("... PCA", slant, "0", ".1g"),
        Figure("condition number, raw", raw.condition),
        Figure("... normalized", normalized.condition),
        Figure("... whitened", white.condition, "1"),
    )
    sentence = f"The condition number falls from {raw.condition:.3g} to {white.condition:.3g}."
    return Verdict(holds, figures, sentence)


@LESSONS.register("images: subtract the mean")
def means() -> Lesson:
    """Of images one subtracts the mean image, or a mean per colour, from the training part."""
    return Lesson(
        section=SECTION,
        look="On the left the mean image: a ghost of all the clothes at once. On the right what a"
        " mean per channel subtracts, the same grey everywhere. Both take away the offset; only"
        " the first leaves each single pixel with mean 0.",
        question=Question(
            "After subtracting one mean per channel, what is the mean of one pixel?",
            ("0", "not 0, only all pixels together have mean 0", "1"),
            1,
        ),
        exhibits={
            "mean image": Subtraction(Choice("centre")),
            "channel mean": Subtraction(Choice("channel mean")),
        },
        check=_means,
        breaks=(
            Break("Subtract nothing", "mean image", exhibit=Subtraction(Choice("none"))),
            Break(
                "Digits instead",
                "mean image",
                exhibit=Subtraction(Choice("centre"), Choice("digits")),
            ),
        ),
    )  # fmt: skip


def _means(evidence: Evidence) -> Verdict:
    image = evidence.exhibit("mean image", Means)
    channel = evidence.exhibit("channel mean", Means)
    holds = (
        image.train < 1e-6 < image.validation
        and channel.numbers in (1, 3)
        and abs(channel.overall) < 1e-5 < channel.train
    )
    figures = (
        Figure("numbers subtracted, mean image", image.subtracted.size, "32 x 32 x 3", "d"),
        Figure("... channel mean", channel.numbers, "3", "d"),
        Figure("largest mean left in a pixel, mean image", image.train, "0", ".1g"),
        Figure("... on validation, which was not asked", image.validation),
        Figure("... channel mean", channel.train),
    )
    sentence = (
        f"The mean image leaves at most {image.train:.1g} in a pixel of the training part and"
        f" {image.validation:.2g} in the validation part, which took no share in it."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("unlike units")
def unlike_units() -> Lesson:
    """Inputs of unlike sizes make a valley too steep for any useful rate; normalized, it learns."""
    names = {"raw": "none", "centred": "centre", "normalized": "standardize"}
    return Lesson(
        section=SECTION,
        look="Penguins come in millimetres and grams: numbers of 20 beside numbers of 4,000. The"
        " same network at the same rate, raw, centred, and divided by the standard deviation.",
        question=Question(
            "Which of them learn at a rate of 0.1?",
            ("all three", "centred and normalized", "normalized alone"),
            2,
        ),
        runs=tuple(Run(name, recipe(_penguins(step), layers(16), 0.1), 300)
                   for name, step in names.items()),
        check=_units,
        breaks=(
            Break("Leave them as they are", "normalized",
                  (SetKnob("data.preprocessing", Choice("none")),)),
            Break("Whiten them", "normalized", (SetKnob("data.preprocessing", Choice("whiten")),)),
        ),
    )  # fmt: skip


def _penguins(step: str) -> DataConfig:
    return DataConfig(dataset=Choice("penguins"), preprocessing=Choice(step))


def _units(evidence: Evidence) -> Verdict:
    raw, centred, normalized = (evidence[name] for name in ("raw", "centred", "normalized"))
    holds = max(raw.accuracy, centred.accuracy) < 0.8 and normalized.accuracy > 0.9
    names = "raw", "centred", "normalized"
    steps = (Figure(f"steps made, {x}", evidence[x].snapshot.step, form="d") for x in names)
    ends = (Figure(f"validation accuracy, {x}", evidence[x].accuracy, form=".0%") for x in names)
    sentence = (
        f"Raw it ended after {raw.snapshot.step} steps with {raw.accuracy:.0%}, centred after"
        f" {centred.snapshot.step} with {centred.accuracy:.0%}; normalized it came to"
        f" {normalized.accuracy:.0%}."
    )
    return Verdict(holds, (*steps, *ends), sentence)
