"""Section 2 of the lecture, continued: ELU and Maxout."""

from engine.lessons import observing, words
from engine.lessons.activations import SECTION
from engine.lessons.exhibits import FunctionCurve, Nonlinearity
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.outcome import Outcome
from engine.lessons.recipes import ACTIVATION, digits, layers, recipe
from engine.lessons.two_sums import LargerSum, TwoSums
from engine.measure.verdict import Metric, Verdict
from engine.number_format import in_form, percent, written
from engine.registry import Choice
from engine.training.commands import SetKnob

ALIKE = 1e-9  # difference of outputs that are the same


@LESSONS.register("ELU is nearer zero mean")
def elu() -> Lesson:
    """With centred inputs, the mean of ELU's outputs is nearer to zero than that of ReLU's."""
    return Lesson(
        section=SECTION,
        title="What does an activation do to the mean?",
        setup="Random numbers of mean 0 and deviation 1 pass an activation: ReLU, or ELU.",
        look="ReLU cuts off the negative half, so its outputs are positive on average; ELU keeps"
        " a bounded part of it.",
        question=Question(
            "The inputs of ReLU have mean 0. About what is the mean of its outputs?",
            ("0", "0.4", "1"),
            1,
        ),
        exhibits={"ReLU": Nonlinearity(Choice("ReLU")), "ELU": Nonlinearity(Choice("ELU"))},
        check=_nearer,
        observe=observing.lowest_exhibit(
            "Which of the curves goes further down below zero?",
            FunctionCurve,
            lambda curve: float(curve.value.min()),
        ),
        variations=(
            Variation("Softplus in ELU's place", "ELU", exhibit=Nonlinearity(Choice("softplus"))),
            Variation("tanh in ELU's place", "ELU", exhibit=Nonlinearity(Choice("tanh"))),
        ),
    )


def _nearer(evidence: Evidence) -> Verdict:
    relu, elu = (evidence.exhibit(name, FunctionCurve) for name in ("ReLU", "ELU"))
    figures = tuple(Metric(f"mean after {x.name}", x.mean, form="z.2f") for x in (relu, elu))
    mean, beside = (in_form(x.mean, "z.2f") for x in (elu, relu))
    sentence = f"The mean after {elu.name} is {mean}, after {relu.name} {beside}."
    return Verdict(abs(elu.mean) < 0.5 * relu.mean, figures, sentence)


@LESSONS.register("ELU keeps noise out")
def noise() -> Lesson:
    """Far below zero ELU is flat: noise on its input hardly comes through; a leak lets it pass."""
    return Lesson(
        section=SECTION,
        title="What becomes of noise on an input far below zero?",
        setup="A unit's input lies far below zero, and noise moves it about. Two activations are"
        " not 0 there: leaky ReLU, and ELU.",
        look="The dashed curve is the slope: the share of the noise that comes through. Look at"
        " it at -10.",
        question=Question(
            "Which of them lets less of the noise through?",
            ("leaky ReLU", "ELU", "both the same"),
            1,
        ),
        exhibits={
            "leaky ReLU": Nonlinearity(Choice("leaky ReLU")),
            "ELU": Nonlinearity(Choice("ELU")),
        },
        check=_quieter,
        observe=observing.highest_exhibit(
            "Whose curve still slopes at the left end of the picture, where the other is level?",
            FunctionCurve,
            lambda curve: 100 * curve.slopes[0],
            "z.2g",
        ),
        variations=(
            Variation(
                "Leaky ReLU in ELU's place", "ELU", exhibit=Nonlinearity(Choice("leaky ReLU"))
            ),
            Variation("tanh in ELU's place", "ELU", exhibit=Nonlinearity(Choice("tanh"))),
        ),
    )


def _quieter(evidence: Evidence) -> Verdict:
    leaky, elu = (evidence.exhibit(name, FunctionCurve) for name in ("leaky ReLU", "ELU"))
    figures = tuple(
        Metric(f"noise that passes at {written(x.points[0])}, {x.name}", x.slopes[0], form=".4%")
        for x in (leaky, elu)
    )
    sentence = (
        f"At {written(elu.points[0])} {leaky.name} lets {percent(leaky.slopes[0], 4)} of the noise"
        f" through, {elu.name} {percent(elu.slopes[0], 4)}."
    )
    return Verdict(elu.slopes[0] < 0.1 * leaky.slopes[0], figures, sentence)


RELU, LEAKY = Choice("ReLU"), Choice("leaky ReLU", {"slope_below": 0.1})


@LESSONS.register("Maxout can be ReLU")
def maxout_as_relu() -> Lesson:
    """With weights 1 and 0 Maxout is ReLU, with 1 and 0.1 leaky ReLU; it need not be flat."""
    return Lesson(
        section=SECTION,
        title="What can a unit be that takes the larger of two sums?",
        setup="A Maxout unit of one input x has two weights, and gives the larger of w1 x and w2 x."
        " Three such units, each beside an activation that has no such choice.",
        look="The dashed line is the activation; where the unit is the same, the solid line"
        " covers it. The third unit is flat nowhere, so that it neither saturates nor dies: on"
        " either side a gradient comes through in full.",
        question=Question(
            "w1 is 1. With which w2 is the larger of both sums a ReLU?", ("1", "0", "−1"), 1
        ),
        exhibits={
            "as ReLU": TwoSums(1.0, 0.0, RELU),
            "as leaky ReLU": TwoSums(1.0, 0.1, LEAKY),
            "as neither": TwoSums(1.0, -1.0, RELU),
        },
        check=_both,
        observe=observing.highest_exhibit(
            "In which picture do the solid and the dashed line part furthest?",
            LargerSum,
            lambda shown: shown.apart,
        ),
        variations=(
            Variation("A w2 of 0.5 for ReLU", "as ReLU", exhibit=TwoSums(1.0, 0.5, RELU)),
            Variation("Both weights 1", "as neither", exhibit=TwoSums(1.0, 1.0, RELU)),
        ),
    )


def _both(evidence: Evidence) -> Verdict:
    relu, leaky, neither = (evidence.exhibit(name, LargerSum) for name in evidence.exhibits)
    figures = (
        Metric(f"largest difference from ReLU, {relu.name}", relu.apart, "0", ".2g"),
        Metric(f"... from leaky ReLU, {leaky.name}", leaky.apart, "0", ".2g"),
        Metric(f"slope below zero, {neither.name}", neither.below, form=".2g"),
    )
    holds = relu.apart < ALIKE and leaky.apart < ALIKE and abs(neither.below) > 0.5
    sentence = (
        f"With {relu.name} it differs from ReLU by {written(relu.apart, 2)} at most, with"
        f" {leaky.name} from leaky ReLU by {written(leaky.apart, 2)}; with {neither.name} its"
        f" slope below zero is {written(neither.below, 2)}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("Maxout doubles the parameters")
def maxout() -> Lesson:
    """Maxout takes the larger of two sums: twice the weights in every hidden layer."""
    names = "ReLU", "Maxout"
    return Lesson(
        section=SECTION,
        title="What does Maxout cost?",
        setup="Both networks have 64 and 64 hidden units and learn the same digits: one with"
        " ReLU, one with Maxout, which has no flat part and cannot die.",
        look="Compare the number of parameters, then how well each of them learns.",
        why="Each unit takes the larger of two sums, and each sum has weights of its own.",
        question=Question(
            "How many weights do Maxout's hidden layers have, compared with ReLU's?",
            ("as many", "twice as many", "four times as many"),
            1,
        ),
        runs=tuple(
            Run(
                name,
                recipe(digits(), layers(64, 64, activation=name), 0.1),
                300,
                called=words.activation_and_hidden,
            )
            for name in names
        ),
        check=_doubled,
        view="network",
        observe=observing.highest(
            "Network lists the parameters of each layer: which hidden layers had more?",
            _hidden_parameters,
            ",.0f",
        ),
        variations=(
            Variation("PReLU in its place", "Maxout", (SetKnob(ACTIVATION, Choice("PReLU")),)),
            Variation("Half as wide", "Maxout", (SetKnob("model.hidden", "32, 32"),)),
        ),
    )


def _hidden_parameters(run: Outcome) -> float:
    return float(sum(v.size for n, v in run.parameters.items() if n.startswith("dense")))


def _doubled(evidence: Evidence) -> Verdict:
    runs = evidence["ReLU"], evidence["Maxout"]
    relu, maxout = (int(_hidden_parameters(run)) for run in runs)
    first, second = (words.activation_and_hidden(run.config) for run in runs)
    figures = (
        Metric(f"parameters of the hidden layers, {first}", relu, form=",d"),
        Metric(f"... {second}", maxout, form=",d"),
        Metric("times as many", maxout / relu, "2"),
        Metric(f"validation accuracy, {first}", runs[0].accuracy, form=".0%"),
        Metric(f"... {second}", runs[1].accuracy, form=".0%"),
    )
    holds = maxout == 2 * relu and runs[1].accuracy > 0.9
    sentence = (
        f"{second}: {maxout:,} parameters. {first}: {relu:,}. That is"
        f" {written(maxout / relu, 2)} times as"
        " many."
    )
    return Verdict(holds, figures, sentence)
