"""Section 2 of the lecture, activation functions: where they are flat, and what that does."""

import numpy as np

from engine.lessons import observing, words
from engine.lessons.bundled_lessons import bundled
from engine.lessons.exhibits import Descent, FunctionCurve, Nonlinearity, TwoWeights
from engine.lessons.exponential import Effort, Exponential
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.outcome import Outcome
from engine.lessons.recipes import ACTIVATION, digits, layers, recipe
from engine.measure.verdict import Metric, Verdict
from engine.number_format import in_form, percent, written
from engine.registry import Choice
from engine.training.commands import SetKnob

SECTION = "Activation functions"


@LESSONS.register("sigmoid saturates")
def sigmoid_saturates() -> Lesson:
    """At -10 and 10 the sigmoid is flat: a gradient that has to pass there is gone."""
    return Lesson(
        section=SECTION,
        title="How much of a gradient does a sigmoid let through?",
        setup="On its way back, a gradient is multiplied by the slope of every activation that it"
        " passes.",
        look="Follow the slope at -10, 0 and 10. Even at its best place the sigmoid keeps a"
        " quarter of a gradient, at the ends next to nothing.",
        question=Question(
            "What share of a gradient comes through a sigmoid whose input is 10?",
            ("all of it", "about a tenth", "less than a ten-thousandth"),
            2,
        ),
        exhibits={"curve": Nonlinearity(Choice("sigmoid"))},
        check=_saturation,
        observe=observing.place_of_highest(
            "At which of the three marked points is the curve steepest?", _slopes_at
        ),
        variations=(
            Variation("Leaky ReLU instead", "curve", exhibit=Nonlinearity(Choice("leaky ReLU"))),
            Variation("tanh: does it saturate too?", "curve", exhibit=Nonlinearity(Choice("tanh"))),
        ),
    )


def _slopes_at(evidence: Evidence) -> list[tuple[str, float]]:
    curve = evidence.exhibit("curve", FunctionCurve)
    points = zip(curve.points, curve.slopes, strict=True)
    return [(f"at {written(point)}", slope) for point, slope in points]


def _saturation(evidence: Evidence) -> Verdict:
    curve = evidence.exhibit("curve", FunctionCurve)
    below, middle, above = curve.slopes
    holds = max(below, above) < 1e-3 * middle
    slopes = tuple(zip(curve.points, curve.slopes, strict=True))
    figures = tuple(Metric(f"slope of {curve.name} at {written(z)}", slope) for z, slope in slopes)
    text = ", ".join(f"{written(slope, 3)} at {written(z)}" for z, slope in slopes)
    ends = "flat at both ends" if holds else "not flat at both ends"
    return Verdict(holds, figures, f"The slope of {curve.name} is {text}: {ends}.")


@LESSONS.register("inputs of one sign zig-zag")
def zigzag() -> Lesson:
    """If all inputs are positive, a unit's weights can only all rise or all fall: a zig-zag."""
    return Lesson(
        section=SECTION,
        title="What do inputs of one sign do to the updates?",
        setup="Two weights of one unit set out for a goal to the lower right: one must rise, the"
        " other fall.",
        look="With positive inputs every step moves both weights the same way, so the path"
        " zig-zags. Centred inputs make it nearly straight.",
        question=Question(
            "If all inputs are positive, which way can one step move the two weights?",
            ("any", "both up or both down", "one up, the other down"),
            1,
        ),
        exhibits={"positive inputs": TwoWeights(0.0), "centred inputs": TwoWeights(-0.5)},
        check=_zigzag,
        observe=observing.highest_exhibit(
            "Which way to the goal was longer?", Descent, lambda descent: descent.detour
        ),
        variations=(
            Variation("Centre the inputs", "positive inputs", exhibit=TwoWeights(-0.5)),
            Variation("Move them far off", "positive inputs", exhibit=TwoWeights(1.0, 0.1)),
        ),
    )


def _zigzag(evidence: Evidence) -> Verdict:
    positive = evidence.exhibit("positive inputs", Descent)
    centred = evidence.exhibit("centred inputs", Descent)
    holds = positive.same_sign == 1 and positive.detour > 1.5 * centred.detour
    figures = (
        Metric(f"both weights moved one way, {positive.name}", positive.same_sign, "all", ".0%"),
        Metric(f"... {centred.name}", centred.same_sign, "", ".0%"),
        Metric(f"length of the path / straight line, {positive.name}", positive.detour),
        Metric(f"... {centred.name}", centred.detour),
    )
    sentence = (
        f"{percent(positive.same_sign)} of the steps moved both weights the same way with"
        f" {positive.name}, on a path {positive.detour:.1f} times as long as needed;"
        f" {percent(centred.same_sign)} with {centred.name}, on one {centred.detour:.1f} times as"
        " long."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("exp takes many operations")
def exp_costs() -> Lesson:
    """exp takes more than ten multiplications and additions, max(0, x) a single comparison."""
    return Lesson(
        section=SECTION,
        title="How much work is one exponential?",
        setup="Sigmoid, tanh and ELU need exp(x). Near 0 it is a sum, 1 + x + x^2 / 2 + x^3 / 6 and"
        " so on; farther away, times a power of 2. ReLU compares x with 0.",
        look="Each term costs a multiplication and an addition, and brings the sum nearer to exp."
        " The dashed line is what is wanted: numbers of 32 bits have seven digits. What it costs"
        " in a step on this machine, the view Cost shows.",
        question=Question(
            "Seven digits of exp(x) take how many multiplications and additions?",
            ("one", "three or four", "more than ten"),
            2,
        ),
        exhibits={"exp": Exponential(7)},
        check=_effort,
        observe=observing.how_much(
            "At how many operations does the line fall below the dashed one?",
            lambda evidence: evidence.exhibit("exp", Effort).operations,
            (4, 10, 20),
            ".0f",
        ),
        variations=(
            Variation("Two digits are enough", "exp", exhibit=Exponential(2)),
            Variation("Twelve digits", "exp", exhibit=Exponential(12)),
        ),
    )


def _effort(evidence: Evidence) -> Verdict:
    effort = evidence.exhibit("exp", Effort)
    figures = (Metric(f"operations, {effort.name}", effort.operations, form="d"),)
    sentence = f"{effort.name} takes {effort.operations} operations, a comparison is a single one."
    return Verdict(effort.operations > 10, figures, sentence)


bundled("relu-learns-faster")
bundled("dead-relus")


@LESSONS.register("PReLU learns its slope")
def prelu() -> Lesson:
    """PReLU's slope below zero is a parameter: each unit finds its own by backprop."""
    model = layers(64, 64, activation="PReLU")
    return Lesson(
        section=SECTION,
        title="Which slope below zero is best?",
        setup="PReLU is a leaky ReLU whose slope below zero is a parameter; at the start it is"
        " 0.25 in every unit.",
        look="See in Functions whether the slopes stay together, and how far they spread.",
        why="Every unit has a slope of its own, and the gradient moves it like any weight.",
        question=Question(
            "After training, what are the slopes?",
            ("all still 0.25", "all the same, but another number", "different for each unit"),
            2,
        ),
        runs=(Run("PReLU", recipe(digits(), model, 0.1), 600, called=words.activation),),
        check=_slopes,
        view="functions",
        observe=observing.which(
            "Functions draws the mean of all units' curves, dotted as it began: what has become of"
            " it below zero?",
            ("flatter than it began", "as steep as it began", "steeper than it began"),
            lambda evidence: _turned(evidence["PReLU"]),
        ),
        variations=(
            Variation("Leaky ReLU instead", "PReLU", (SetKnob(ACTIVATION, Choice("leaky ReLU")),)),
            Variation("Start from 0, as ReLU", "PReLU",
                  (SetKnob(ACTIVATION, Choice("PReLU", {"start": 0.0})),)),
        ),
    )  # fmt: skip


def _turned(run: Outcome) -> int:
    """0: the mean slope below zero has fallen by 0.02 or more; 1: it has not moved; 2: risen."""
    learned = [v for name, v in run.parameters.items() if name.endswith("slope")]
    if not learned:
        return 1
    moved = float(np.concatenate(learned).mean()) - words.first_slope(run.config)
    return 1 + int(np.sign(moved)) * (abs(moved) > 0.02)


def _slopes(evidence: Evidence) -> Verdict:
    run = evidence["PReLU"]
    learned = [v for name, v in run.parameters.items() if name.endswith("slope")]
    if not learned:
        sentence = f"{words.activation(run.config)} has no slope that is learned."
        return Verdict(False, (Metric("slopes learned", 0, form="d"),), sentence)
    slopes, start = np.concatenate(learned), words.first_slope(run.config)
    low, high, spread = float(slopes.min()), float(slopes.max()), float(slopes.std())
    figures = (
        Metric("slopes learned", slopes.size, form="d"),
        Metric("they start from", start),
        Metric("smallest", low),
        Metric("largest", high),
        Metric("standard deviation", spread),
    )
    sentence = (
        f"From {written(start)} the {slopes.size} slopes have spread to {in_form(low, 'z.2f')} ..."
        f" {in_form(high, 'z.2f')}."
    )
    return Verdict(spread > 0.01, figures, sentence)
