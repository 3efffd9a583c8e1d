"""Section 2 of the lecture, continued: ELU and Maxout."""

from engine.lessons import observing, words
from engine.lessons.activations import SECTION
from engine.lessons.exhibits import FunctionCurve, Nonlinearity
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.outcome import Outcome
from engine.lessons.recipes import ACTIVATION, digits, layers, recipe
from engine.measure.verdict import Metric, Verdict
from engine.number_format import in_form, percent, written
from engine.registry import Choice
from engine.training.commands import SetKnob


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
        breaks=(
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
            "Whose curve is still falling at the left end of the picture?",
            FunctionCurve,
            lambda curve: 100 * curve.slopes[0],
            "z.2g",
        ),
        breaks=(
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
        breaks=(
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
