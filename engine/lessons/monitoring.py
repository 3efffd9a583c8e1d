"""Section 8 of the lecture, monitoring: what curves and update ratios reveal."""

import math

import numpy as np

from engine.lessons import observing, words
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.outcome import Outcome
from engine.lessons.recipes import INITIALIZER, L2, RATE, clothes, digits, layers, recipe
from engine.measure.verdict import STEPS, Metric, Verdict
from engine.registry import Choice
from engine.training.commands import SetKnob
from engine.training.config import DataConfig

SECTION = "Monitoring"
BAND = 10**-4.5, 10**-2.0  # of the update ratio, around the healthy 1e-3
RATES = {"too small": 1e-4, "right": 0.1, "too large": 10.0}


@LESSONS.register("flat start, sudden drop")
def plateau() -> Lesson:
    """A loss that lies flat for long and suddenly drops: bad initial weights, most likely."""
    names = {"small weights": "small normal", "Xavier": "Xavier"}
    return Lesson(
        section=SECTION,
        title="What does a loss that stays flat for long tell?",
        setup="Two networks learn the same data; they are the same but for their first weights.",
        look="One needs hundreds of steps only to make its weights large enough to carry a"
        " signal; then it learns at once.",
        question=Question(
            "The loss is flat for 500 steps, then falls. What do you suspect first?",
            ("the data", "the initial weights", "too little regularization"),
            1,
        ),
        runs=tuple(
            Run(
                name,
                recipe(digits(), layers(50, 50, activation="tanh", initializer=draw), 0.1),
                1500,
                called=words.initializer,
            )
            for name, draw in names.items()
        ),
        check=_plateau,
        observe=observing.lowest("Whose loss begins to fall first?", _flat, STEPS),
        breaks=(
            Variation("Draw by Xavier", "small weights", (SetKnob(INITIALIZER, Choice("Xavier")),)),
            Variation("Adam on small weights", "small weights",
                  (SetKnob("optimization.optimizer", Choice("Adam")), SetKnob(RATE, 0.001))),
        ),
    )  # fmt: skip


def _plateau(evidence: Evidence) -> Verdict:
    small, xavier = (_flat(evidence[name]) for name in ("small weights", "Xavier"))
    after = evidence["small weights"]
    first, second = (words.initializer(evidence[x].config) for x in ("small weights", "Xavier"))
    holds = 200 < small < math.inf and xavier < 50 and after.accuracy > 0.8
    figures = (
        Metric(f"the loss first moves after, {first}", small, form=STEPS),
        Metric(f"... {second}", xavier, form=STEPS),
        Metric(f"validation accuracy in the end, {first}", after.accuracy, form=".0%"),
    )
    sentence = (
        f"The loss first moves after {words.steps(small)} with {first}, and after"
        f" {words.steps(xavier)} with {second}; {first} reaches {after.accuracy:.0%} in the end."
    ).replace("after never", "never")
    return Verdict(holds, figures, sentence)


def _flat(run: Outcome) -> float:
    """Steps until the loss has moved by 3 %."""
    curves, chance = run.snapshot.curves, run.snapshot.metrics.chance_loss
    moved = np.flatnonzero(np.abs(curves["loss"] - chance) > 0.03 * chance)
    return float(curves["step"][moved[0]]) if len(moved) else math.inf


@LESSONS.register("the gap is overfitting")
def overfitting() -> Lesson:
    """A gap between training and validation is overfitting; more regularization narrows it."""
    runs = {"no L2": 0.0, "L2 of 0.03": 0.03}
    return Lesson(
        section=SECTION,
        title="What does a gap between training and validation tell?",
        setup="200 examples, 100 hidden units: without a penalty training goes to 100 % and a"
        " loss near 0, and validation is left behind.",
        look="Watch both losses, training and validation, without L2 and with it: how far apart"
        " do they end?",
        question=Question(
            "L2 is added. What happens to the loss on validation?", ("it rises", "it falls"), 1
        ),
        runs=tuple(
            Run(
                name,
                recipe(clothes(200), layers(100), 0.01, optimizer="momentum", l2=l2),
                800,
                called=words.penalty,
            )
            for name, l2 in runs.items()
        ),
        check=_gap,
        observe=observing.highest(
            "Where do the losses of training and validation end further apart?",
            observing.gap,
            ".2f",
        ),
        breaks=(
            Variation("No L2 here either", "L2 of 0.03", (SetKnob(L2, 0.0),)),
            Variation("L2 of 1", "L2 of 0.03", (SetKnob(L2, 1.0),)),
        ),
    )


def _gap(evidence: Evidence) -> Verdict:
    runs = evidence["no L2"], evidence["L2 of 0.03"]
    plain, held = (run.snapshot.metrics for run in runs)
    first, second = (words.penalty(run.config) for run in runs)
    gap = plain.train_accuracy - plain.validation_accuracy
    wide, narrow = (g.validation_loss - g.train_loss for g in (plain, held))
    holds = gap > 0.15 and narrow < 0.8 * wide and held.validation_loss < plain.validation_loss
    figures = (
        Metric(f"gap in accuracy, {first}", gap, form=".0%"),
        Metric(f"gap in loss, {first}", wide),
        Metric(f"... {second}", narrow),
        Metric(f"validation loss, {first}", plain.validation_loss),
        Metric(f"... {second}", held.validation_loss),
    )
    sentence = (
        f"With {first} training is {gap:.0%} ahead of validation, with a gap in loss of {wide:.2f}"
        f" and a loss on validation of {plain.validation_loss:.2f}. With {second} the gap in loss"
        f" is {narrow:.2f}, and the loss on validation {held.validation_loss:.2f}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("no gap: more capacity")
def capacity() -> Lesson:
    """No gap and a poor accuracy: the network is too small, and more units help."""
    spiral = DataConfig(dataset=Choice("spiral"))
    runs = {"no hidden units": (), "64 hidden units": (64,)}
    return Lesson(
        section=SECTION,
        title="What if training and validation are equally poor?",
        setup="Arms of points that wind around each other, and a network without a hidden layer.",
        look="A straight line does as badly on training as on validation: no overfitting there."
        " 64 hidden units bend the line.",
        question=Question(
            "Training 50 %, validation 50 %. What helps?", ("more L2", "more units", "dropout"), 1
        ),
        runs=tuple(
            Run(
                name,
                recipe(spiral, layers(*hidden), 0.1, optimizer="momentum"),
                1500,
                called=words.hidden,
            )
            for name, hidden in runs.items()
        ),
        check=_capacity,
        view="data",
        observe=observing.highest(
            "Which of them ended with the higher accuracy on validation?", observing.accuracy
        ),
        breaks=(
            Variation("3 hidden units", "64 hidden units", (SetKnob("model.hidden", "3"),)),
            Variation("64, 64", "64 hidden units", (SetKnob("model.hidden", "64, 64"),)),
        ),
    )


def _capacity(evidence: Evidence) -> Verdict:
    runs = evidence["no hidden units"], evidence["64 hidden units"]
    small, large = (run.snapshot.metrics for run in runs)
    first, second = (words.hidden(run.config) for run in runs)
    gap = small.train_accuracy - small.validation_accuracy
    holds = gap < 0.05 and small.train_accuracy < 0.8 and large.validation_accuracy > 0.95
    figures = (
        Metric(f"training accuracy, {first}", small.train_accuracy, form=".0%"),
        Metric(f"validation accuracy, {first}", small.validation_accuracy, form=".0%"),
        Metric(f"validation accuracy, {second}", large.validation_accuracy, form=".0%"),
    )
    sentence = (
        f"With {first} training itself ends at {small.train_accuracy:.0%}; {second} bring"
        f" validation to {large.validation_accuracy:.0%}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("update ratio")
def update_ratio() -> Lesson:
    """A step should change the weights by about a thousandth: far less is slow, far more ruins."""
    return Lesson(
        section=SECTION,
        title="How large should an update be, beside its weight?",
        setup="The same network at three learning rates: 0.0001, 0.1 and 10.",
        look="Look at the ratio of update to weight in each layer before you look at the loss: it"
        " shows the problem first.",
        question=Question(
            "Which update / weight ratio is healthy?", ("0.3", "0.001", "0.000001"), 1
        ),
        runs=tuple(
            Run(name, recipe(digits(), layers(64, 64), rate), 500, called=words.rate)
            for name, rate in RATES.items()
        ),
        check=_ratio,
        view="updates",
        observe=observing.lowest(
            "Whose update / weight ratios ended nearest to 0.001?", _off_a_thousandth
        ),
        breaks=(
            Variation("A rate of 0.0001", "right", (SetKnob(RATE, 1e-4),)),
            Variation("A rate of 1", "right", (SetKnob(RATE, 1.0),)),
        ),
    )


def _off_a_thousandth(run: Outcome) -> float:
    """How many powers of ten the update ratio is away from 0.001."""
    return abs(math.log10(run.ratio / 1e-3)) if run.ratio > 0 else math.inf


def _ratio(evidence: Evidence) -> Verdict:
    small, right, large = (evidence[name] for name in RATES)
    holds = (
        small.ratio < BAND[0] < right.ratio < BAND[1] < large.ratio
        and right.accuracy > 0.9
        and max(small.accuracy, large.accuracy) < 0.5
    )
    first, second, third = (words.rate(run.config) for run in (small, right, large))
    figures = (
        Metric(f"update / weight, {first}", small.ratio, form=".1g"),
        Metric(f"... {second}", right.ratio, "about 0.001", ".1g"),
        Metric(f"... {third}", large.ratio, form=".1g"),
        Metric(f"validation accuracy, {first}", small.accuracy, form=".0%"),
        Metric(f"... {second}", right.accuracy, form=".0%"),
        Metric(f"... {third}", large.accuracy, form=".0%"),
    )
    sentence = (
        f"Ratios of {small.ratio:.0e}, {right.ratio:.0e} and {large.ratio:.0e} went with"
        f" {small.accuracy:.0%}, {right.accuracy:.0%} and {large.accuracy:.0%}."
    )
    return Verdict(holds, figures, sentence)
