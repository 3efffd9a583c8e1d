"""Section 2 of the lecture, activation functions: where they are flat, and what that does."""

import numpy as np

from engine.lessons import observing, words
from engine.lessons.exhibits import Descent, FunctionCurve, Nonlinearity, TwoWeights
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.outcome import Outcome
from engine.lessons.recipes import ACTIVATION, RATE, digits, layers, recipe
from engine.measure.verdict import STEPS, Metric, Verdict
from engine.number_format import written
from engine.registry import Choice
from engine.training.commands import SetKnob

SECTION = "Activation functions"
FAST = 0.2  # a learning rate that ReLU, tanh and sigmoid can all take on the digits
LEARNED = 0.98  # of the training examples
DEADLY, SANE = 0.5, 0.01  # with momentum
KILLED, LATER = 300, 800  # steps


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
        breaks=(
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
    told = ", ".join(f"{written(slope, 3)} at {written(z)}" for z, slope in slopes)
    ends = "is flat at both ends" if holds else "is not flat at both ends"
    return Verdict(holds, figures, f"{curve.name} {ends}: its slope is {told}.")


@LESSONS.register("inputs of one sign zig-zag")
def zigzag() -> Lesson:
    """If all inputs are positive, a unit's weights can only all rise or all fall: a zig-zag."""
    return Lesson(
        section=SECTION,
        title="What do inputs of one sign do to the updates?",
        setup="Two weights of one unit set out for a goal to the lower right: one must rise, the"
        " other fall.",
        look="With positive inputs every step moves both weights the same way, so the path zig-"
        " ags. Centred inputs make it nearly straight.",
        question=Question(
            "All inputs positive: in which directions can a step take two weights?",
            ("any", "both up or both down", "one up, the other down"),
            1,
        ),
        exhibits={"positive inputs": TwoWeights(0.0), "centred inputs": TwoWeights(-0.5)},
        check=_zigzag,
        observe=observing.highest_exhibit(
            "Which way to the goal was longer?", Descent, lambda descent: descent.detour
        ),
        breaks=(
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
        f"With {positive.name} {positive.same_sign:.0%} of the steps moved both weights the same"
        f" way, and the path was {positive.detour:.1f} times as long as needed; with {centred.name}"
        f" {centred.same_sign:.0%}, and {centred.detour:.1f} times."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("ReLU learns faster")
def relu_learns_faster() -> Lesson:
    """ReLU learns the same in far fewer steps than a sigmoid; the lecture says 6x, of tanh too."""
    names = {"ReLU": "He", "tanh": "Xavier", "sigmoid": "Xavier"}
    return Lesson(
        section=SECTION,
        title="Which activation learns fastest?",
        setup="Three networks that differ in the activation alone, ReLU, tanh and sigmoid, at one"
        " learning rate.",
        look="Compare when each reaches 98 % on its training examples. The sigmoid hardly learns"
        " at first.",
        question=Question(
            "How many steps does the sigmoid need, compared with ReLU?",
            ("about as many", "twice as many", "more than five times as many"),
            2,
        ),
        runs=tuple(
            Run(
                name,
                recipe(digits(), layers(64, 64, activation=name, initializer=draw), FAST),
                3000 if name == "sigmoid" else 500,
                called=words.activation,
            )
            for name, draw in names.items()
        ),
        check=_faster,
        view="accuracy",
        observe=observing.lowest(
            "Which of them was the first at 98 % on its training examples?",
            lambda run: run.steps_to(LEARNED),
            STEPS,
        ),
        breaks=(
            Variation(
                "ReLU in the sigmoid's place", "sigmoid", (SetKnob(ACTIVATION, Choice("ReLU")),)
            ),
            Variation("ELU for tanh", "tanh", (SetKnob(ACTIVATION, Choice("ELU")),)),
        ),
    )


def _faster(evidence: Evidence) -> Verdict:
    runs = [evidence[name] for name in ("ReLU", "tanh", "sigmoid")]
    relu, tanh, sigmoid = (run.steps_to(LEARNED) for run in runs)
    first, second, third = (words.activation(run.config) for run in runs)
    figures = (
        Metric(f"{first}: steps to {LEARNED:.0%}", relu, form=STEPS),
        Metric(f"{second}: times as many", tanh / relu, "about 6", ".1f"),
        Metric(f"{third}: times as many", sigmoid / relu, "about 6", ".1f"),
    )
    sentence = (
        f"To {LEARNED:.0%}: {first} {words.steps(relu)}, {second} {words.steps_beside(tanh, relu)},"
        f" {third} {words.steps_beside(sigmoid, relu)}. The lecture's figure was measured on a"
        " larger, convolutional network."
    )
    return Verdict(sigmoid > 2 * relu, figures, sentence)


@LESSONS.register("dead ReLUs")
def dead_relus() -> Lesson:
    """A high rate kills ReLUs for good, a lower one does not revive them; leaky ReLU does."""
    config = recipe(digits(), layers(64, 64), DEADLY, optimizer="momentum")
    called = words.activation_and_optimizer
    slower = (KILLED, SetKnob(RATE, SANE))
    leak = (KILLED, SetKnob(ACTIVATION, Choice("leaky ReLU")))
    return Lesson(
        section=SECTION,
        title="Can a dead ReLU come back?",
        setup="For 300 steps the learning rate is far too high, and most units die: they are 0 on"
        " every example. Then both networks get a usual rate, and one of them leaky ReLU.",
        look="Watch the share of dead units, before the rate is lowered and after.",
        question=Question(
            "After the units have died, the rate is lowered. What happens with plain ReLU?",
            ("they come back", "they stay dead", "the rest takes over their work"),
            1,
        ),
        runs=(
            Run("ReLU, slower", config, LATER, (slower,), called),
            Run("leaky ReLU, slower", config, LATER, (leak, slower), called),
        ),
        check=_dead,
        view="health",
        observe=observing.highest(
            "Which of them had more dead units in its worst hidden layer at the end?",
            _worst_layer,
        ),
        breaks=(
            Variation("A sane rate from the start", commands=(SetKnob(RATE, SANE),)),
            Variation("Adam instead of momentum", "ReLU, slower",
                  (SetKnob("optimization.optimizer", Choice("Adam")),)),
        ),
    )  # fmt: skip


def _worst_layer(run: Outcome) -> float:
    """The largest share of dead units in a hidden layer."""
    return max(layer.dead for layer in run.snapshot.layers[:-1])


def _dead(evidence: Evidence) -> Verdict:
    relu, leaky = evidence["ReLU, slower"], evidence["leaky ReLU, slower"]
    dead = _worst_layer(relu)
    holds = dead > 0.4 and relu.accuracy < 0.5 and leaky.accuracy > relu.accuracy + 0.3
    first, second = (words.activation(run.config) for run in (relu, leaky))
    figures = (
        Metric(f"dead units, {first}", dead, form=".0%"),
        Metric(f"validation accuracy, {first}", relu.accuracy, form=".0%"),
        Metric(f"... {second}", leaky.accuracy, form=".0%"),
    )
    sentence = (
        f"With {first} {dead:.0%} of the worst layer is dead, and accuracy ends at"
        f" {relu.accuracy:.0%}; {second} reaches {leaky.accuracy:.0%}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("PReLU learns its slope")
def prelu() -> Lesson:
    """PReLU's slope below zero is a parameter: each unit finds its own by backprop."""
    model = layers(64, 64, activation="PReLU")
    return Lesson(
        section=SECTION,
        title="Which slope below zero is best?",
        setup="PReLU is a leaky ReLU whose slope below zero is a parameter; at the start it is"
        " 0.25 in every unit.",
        look="Every unit has a slope of its own, and the gradient moves it like any weight. See"
        " how far they spread.",
        question=Question(
            "After training, what are the slopes?",
            ("all still 0.25", "all the same, but another number", "different for each unit"),
            2,
        ),
        runs=(Run("PReLU", recipe(digits(), model, 0.1), 600, called=words.activation),),
        check=_slopes,
        view="functions",
        observe=observing.which(
            "Functions draws the mean of all units' curves: what has become of it below zero?",
            ("flatter than it began", "as steep as it began", "steeper than it began"),
            lambda evidence: _turned(evidence["PReLU"]),
        ),
        breaks=(
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
        f"From {written(start)} the {slopes.size} slopes have spread to {low:.2f} ... {high:.2f}."
    )
    return Verdict(spread > 0.01, figures, sentence)
