"""Section 3 of the lecture, preprocessing: what the network receives."""

import numpy as np

from engine.lessons import observing, words
from engine.lessons.bundled_lessons import bundled
from engine.lessons.exhibits import Cloud, Means, Scatter, Subtraction
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Variation
from engine.measure.verdict import Metric, Verdict
from engine.number_format import written
from engine.registry import Choice

SECTION = "Preprocessing"
STEPS = {called: step for step, called in words.PREPROCESSED.items()}


@LESSONS.register("centre, normalize, whiten")
def steps() -> Lesson:
    """Centred: mean 0. Normalized: size 1. PCA: no correlation. Whitened: both, a round cloud."""
    return Lesson(
        section=SECTION,
        title="What does each step of preprocessing do to the data?",
        setup="One cloud of penguins, flipper against bill, five times: raw, centred, normalized,"
        " after PCA, whitened.",
        look="Each step takes something away: the offset, the unlike units, the slant. The"
        " condition number says how far from round the cloud is; gradient descent likes it round.",
        question=Question(
            "Which step makes the cloud round?",
            ("centring", "normalizing", "PCA", "whitening"),
            3,
        ),
        exhibits={name: Scatter(Choice(step)) for name, step in STEPS.items()},
        check=_steps,
        observe=observing.lowest_exhibit(
            "Which of the clouds is the roundest?",
            Cloud,
            lambda cloud: cloud.condition,
        ),
        variations=(
            Variation("PCA where whitening was", "whitened", exhibit=Scatter(Choice("PCA"))),
            Variation(
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
        Metric(f"largest mean, {raw.name}", float(np.abs(raw.mean).max())),
        Metric(f"... {centred.name}", float(np.abs(centred.mean).max()), "0", ".1g"),
        Metric(f"deviations, {normalized.name}", float(sizes.max()), "1"),
        Metric(f"correlation, {normalized.name}", float(normalized.covariance[0, 1])),
        Metric(f"... {pca.name}", slant, "0", ".1g"),
        Metric(f"condition number, {raw.name}", raw.condition),
        Metric(f"... {normalized.name}", normalized.condition),
        Metric(f"... {white.name}", white.condition, "1"),
    )
    sentence = (
        f"The condition number is {written(raw.condition, 3)} for {raw.name}, and"
        f" {written(white.condition, 3)} for"
        f" {white.name}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("images: subtract the mean")
def means() -> Lesson:
    """From images one subtracts the training images' mean, pixel by pixel or per colour."""
    return Lesson(
        section=SECTION,
        title="What is subtracted from images?",
        setup="From the training images one subtracts either their mean image, or one mean per"
        " channel.",
        look="On the left the mean image: a ghost of all the clothes at once. On the right what a"
        " mean per channel subtracts, the same grey everywhere. Both take away the offset; only"
        " the first leaves each single pixel with mean 0.",
        question=Question(
            "After subtracting one mean per channel, what is the mean of one pixel?",
            ("0", "another one for each pixel", "1"),
            1,
        ),
        exhibits={
            "mean image": Subtraction(Choice("centre")),
            "channel mean": Subtraction(Choice("channel mean")),
        },
        check=_means,
        observe=observing.highest_exhibit(
            "In which of the two pictures do the greys differ more?",
            Means,
            lambda means: float(means.subtracted.std()),
        ),
        variations=(
            Variation("Subtract nothing", "mean image", exhibit=Subtraction(Choice("none"))),
            Variation(
                "Digits instead",
                "mean image",
                exhibit=Subtraction(Choice("centre"), Choice("digits")),
            ),
        ),
    )  # fmt: skip


def _numbers(means: Means) -> int:
    """How many numbers are subtracted: one per pixel if they differ."""
    return means.subtracted.size if means.numbers > 3 else means.numbers


def _means(evidence: Evidence) -> Verdict:
    image = evidence.exhibit("mean image", Means)
    channel = evidence.exhibit("channel mean", Means)
    holds = (
        image.train < 1e-6 < image.validation
        and channel.numbers in (1, 3)
        and abs(channel.overall) < 1e-5 < channel.train
    )
    figures = (
        Metric(f"numbers subtracted, {image.name}", _numbers(image), "32 x 32 x 3", ",d"),
        Metric(f"... {channel.name}", channel.numbers, "3", ",d"),
        Metric(f"largest mean left in a pixel, {image.name}", image.train, "0", ".1g"),
        Metric("... in the validation part, to which it was not fitted", image.validation),
        Metric(f"... {channel.name}", channel.train),
    )
    sentence = (
        f"{image.name}: a mean of at most {written(image.train, 1)} is left in a pixel of the"
        " training"
        f" part, and {written(image.validation, 2)} in the validation part. {channel.name}:"
        f" {written(channel.train, 2)} in the training part."
    )
    return Verdict(holds, figures, sentence)


bundled("unlike-units")
