"""Section 5 of the lecture, batch normalization."""

from engine.lessons import observing, words
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.recipes import NORMALIZATION, RATE, digits, layers, recipe
from engine.measure.verdict import Metric, Verdict
from engine.registry import Choice
from engine.training.commands import SetKnob
from engine.training.config import RunConfig

SECTION = "Batch normalization"
PLAIN, NORMED = "without", "with batch norm"


@LESSONS.register("batch norm rescues")
def rescues() -> Lesson:
    """Ten tanh layers with weights of 0.01 N(0, 1) learn nothing; with batch norm they learn."""
    knobs = {"activation": "tanh", "initializer": "small normal"}
    runs = {PLAIN: "none", NORMED: "batch norm"}
    return Lesson(
        section=SECTION,
        title="Can a bad start be made good?",
        setup="Ten tanh layers with weights of 0.01 N(0, 1), which collapse, are trained: without"
        " batch norm and with it.",
        look="Without batch norm the loss lies flat at ln 10. With it every layer's sums get mean"
        " 0 and size 1, however small the weights.",
        question=Question(
            "Weights a hundred times too small, ten layers, batch norm. Does it learn?",
            ("no, a start like that is lost", "yes"),
            1,
        ),
        runs=tuple(
            Run(
                name,
                recipe(digits(), layers(*[50] * 10, normalization=n, **knobs), 0.1),
                400,
                called=words.normalization,
            )
            for name, n in runs.items()
        ),
        check=_rescued,
        observe=observing.lowest(
            "Which of them ended with the lower loss on training?", observing.loss
        ),
        breaks=(
            Variation("Take it out again", NORMED, (SetKnob(NORMALIZATION, Choice("none")),)),
            Variation("Weights of 0.0001", NORMED,
                  (SetKnob("model.initializer", Choice("small normal", {"scale": 1e-4})),)),
        ),
    )  # fmt: skip


def _rescued(evidence: Evidence) -> Verdict:
    plain, normed = evidence[PLAIN], evidence[NORMED]
    first, second = (words.normalization(run.config) for run in (plain, normed))
    holds = plain.loss > 2.2 and normed.loss < 1.6
    figures = (
        Metric(f"loss, {first}", plain.loss),
        Metric(f"... {second}", normed.loss),
        Metric(f"last layer's std, {first}", plain.snapshot.layers[-2].std, form=".1g"),
        Metric(f"... {second}", normed.snapshot.layers[-2].std, form=".1g"),
    )
    sentence = (
        f"After {plain.snapshot.step:,} steps the loss is {plain.loss:.2f} {first}, and after"
        f" {normed.snapshot.step:,} steps {normed.loss:.2f} {second}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("batch norm bears higher rates")
def higher_rates() -> Lesson:
    """At a learning rate that ruins a plain network, one with batch norm still learns."""
    runs = {PLAIN: "none", NORMED: "batch norm"}
    return Lesson(
        section=SECTION,
        title="How high may the learning rate be with batch norm?",
        setup="Two networks start at a learning rate of 3, thirty times a good one; one of them"
        " has batch norm.",
        look="Watch the first steps: one leaves the valley and does not return.",
        question=Question(
            "Which of them learns at a rate of 3?",
            ("neither", "the one with batch norm", "both"),
            1,
        ),
        runs=tuple(
            Run(
                name,
                recipe(digits(), layers(64, 64, 64, normalization=n), 3.0),
                400,
                called=_rate_and_normalization,
            )
            for name, n in runs.items()
        ),
        check=_borne,
        view="accuracy",
        observe=observing.highest(
            "Which of them ended with the higher accuracy on validation?", observing.accuracy
        ),
        breaks=(
            Variation("A rate of 1000", NORMED, (SetKnob(RATE, 1000.0),)),
            Variation("A rate of 0.1", PLAIN, (SetKnob(RATE, 0.1),)),
        ),
    )


def _rate_and_normalization(config: RunConfig) -> str:
    return f"{words.rate(config)} {words.normalization(config)}"


def _borne(evidence: Evidence) -> Verdict:
    plain, normed = evidence[PLAIN], evidence[NORMED]
    holds = plain.accuracy < 0.5 and normed.accuracy > 0.9
    first, second = (_rate_and_normalization(run.config) for run in (plain, normed))
    figures = (
        Metric(f"validation accuracy, {first}", plain.accuracy, form=".0%"),
        Metric(f"... {second}", normed.accuracy, form=".0%"),
    )
    sentence = f"{plain.accuracy:.0%} at {first}, {normed.accuracy:.0%} at {second}."
    return Verdict(holds, figures, sentence)
