"""Section 9 of the lecture, announced for part 2: update rules, schedules, dropout."""

import msgspec

from engine.lessons import observing, words
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.recipes import OPTIMIZER, RATE, clothes, digits, layers, recipe
from engine.measure.verdict import STEPS, Metric, Verdict
from engine.registry import Choice
from engine.training.commands import SetKnob
from engine.training.config import ModelConfig, RunConfig

SECTION = "Summary and part 2"
RULES = {
    "momentum": 0.01,
    "Nesterov": 0.01,
    "Adagrad": 0.01,
    "RMSprop": 0.001,
    "Adam": 0.001,
    "SGD": 0.01,  # last: its run is the longest, so that the plots show all of every run
}
WANTED = 0.95


@LESSONS.register("update rules")
def update_rules() -> Lesson:
    """Momentum, Nesterov, Adagrad, RMSprop and Adam all learn sooner than plain SGD."""
    return Lesson(
        section=SECTION,
        title="Which update rule arrives first?",
        setup="One network, one start, six rules, each at a usual rate.",
        look="See which is first at 95 %, and which is still far from it.",
        question=Question(
            "At a rate of 0.01, how much sooner does momentum reach 95 % than SGD?",
            ("no sooner", "twice as soon", "about ten times as soon"),
            2,
        ),
        runs=tuple(
            Run(
                rule,
                recipe(digits(), layers(64, 64), rate, optimizer=rule),
                3000 if rule == "SGD" else 500,
                called=words.optimizer,
            )
            for rule, rate in RULES.items()
        ),
        check=_rules,
        view="accuracy",
        observe=observing.lowest(
            "Which was the first at 95 % on its training examples?",
            lambda run: run.steps_to(WANTED),
            STEPS,
        ),
        breaks=(
            Variation("SGD in momentum's place", "momentum", (SetKnob(OPTIMIZER, Choice("SGD")),)),
            Variation("SGD at a rate of 0.1", "SGD", (SetKnob(RATE, 0.1),)),
        ),
    )


def _rules(evidence: Evidence) -> Verdict:
    steps = {rule: evidence[rule].steps_to(WANTED) for rule in RULES}
    called = {rule: words.optimizer(evidence[rule].config) for rule in RULES}
    best = min(steps, key=lambda rule: steps[rule])
    worst = max((rule for rule in RULES if rule != "SGD"), key=lambda rule: steps[rule])
    figures = tuple(
        Metric(f"steps to {WANTED:.0%}, {called[rule]}", count, form=STEPS)
        for rule, count in steps.items()
    )
    sentence = (
        f"Steps to {WANTED:.0%}: {called['SGD']} {words.steps(steps['SGD'])}; the slowest of the"
        f" others, {called[worst]}, {words.steps(steps[worst])}; the fastest of all,"
        f" {called[best]}, {words.steps(steps[best])}."
    )
    return Verdict(steps[worst] < 0.5 * steps["SGD"], figures, sentence)


@LESSONS.register("schedules")
def schedules() -> Lesson:
    """A high rate that decays ends at a lower loss than the same rate held to the end."""
    choices = {
        "constant": Choice("constant"),
        "step": Choice("step", {"every": 300, "factor": 0.2}),
        "cosine": Choice("cosine", {"length": 1000}),
    }
    plain = recipe(clothes(), layers(50), 0.5)
    return Lesson(
        section=SECTION,
        title="Should the learning rate stay what it is?",
        setup="The same network three times, at first at a rate of 0.5: it stays, drops in steps,"
        " or falls along a cosine.",
        look="A rate of 0.5 is quick at first, but it rattles from wall to wall of the valley and"
        " never gets to its floor. Watch what the loss does each time the rate drops.",
        question=Question(
            "The rate drops to a fifth. What does the loss do, within a few steps?",
            ("nothing", "it drops as well", "it rises"),
            1,
        ),
        runs=tuple(
            Run(name, _batches_of_10(plain, choice), 1000, called=words.schedule)
            for name, choice in choices.items()
        ),
        check=_schedules,
        observe=observing.lowest(
            "Which of them ended with the lowest loss on training?", observing.loss
        ),
        breaks=(
            Variation("Constant in the cosine's place", "cosine",
                  (SetKnob("optimization.schedule", Choice("constant")),)),
            Variation("A constant rate of 0.05", "constant", (SetKnob(RATE, 0.05),)),
        ),
    )  # fmt: skip


def _batches_of_10(config: RunConfig, schedule: Choice) -> RunConfig:
    """Small batches are noisy, and noise is what a schedule is for."""
    optimization = msgspec.structs.replace(config.optimization, batch_size=10, schedule=schedule)
    return msgspec.structs.replace(config, optimization=optimization)


def _schedules(evidence: Evidence) -> Verdict:
    runs = [evidence[name] for name in ("constant", "step", "cosine")]
    constant, step, cosine = (run.loss for run in runs)
    called = [words.schedule(run.config) for run in runs]
    figures = tuple(
        Metric(f"training loss, {name}", run.loss, form=".2f")
        for name, run in zip(called, runs, strict=True)
    )
    ends = ", ".join(f"{run.loss:.2f} ({name})" for name, run in zip(called, runs, strict=True))
    sentence = f"The loss on training ends at {ends}."
    return Verdict(max(step, cosine) < 0.9 * constant, figures, sentence)


@LESSONS.register("dropout")
def dropout() -> Lesson:
    """Dropping 30 % of the units at each step narrows the gap between training and validation."""
    plain = recipe(clothes(), layers(200, 200), 0.05)
    model: ModelConfig = msgspec.structs.replace(plain.model, dropout=0.3)
    return Lesson(
        section=SECTION,
        title="What if units are dropped at random while it learns?",
        setup="The same network twice, with few examples: in one, each step drops 30 % of the"
        " hidden units.",
        look="With dropout no unit can rely on another. Training is harder, so its curve ends"
        " lower; validation ends higher. In evaluation no unit is dropped.",
        question=Question(
            "What does dropout do to the accuracy on training examples?",
            ("raise it", "lower it", "nothing"),
            1,
        ),
        runs=(
            Run("no dropout", plain, 2500, called=words.dropout),
            Run(
                "dropout of 0.3",
                msgspec.structs.replace(plain, model=model),
                2500,
                called=words.dropout,
            ),
        ),
        check=_dropout,
        observe=observing.highest(
            "Where do the losses of training and validation end further apart?",
            observing.gap,
            ".2f",
        ),
        breaks=(
            Variation("None here either", "dropout of 0.3", (SetKnob("model.dropout", 0.0),)),
            Variation("90 %", "dropout of 0.3", (SetKnob("model.dropout", 0.9),)),
        ),
    )


def _dropout(evidence: Evidence) -> Verdict:
    runs = evidence["no dropout"], evidence["dropout of 0.3"]
    plain, dropped = (run.snapshot.metrics for run in runs)
    first, second = (words.dropout(run.config) for run in runs)
    wide, narrow = (g.validation_loss - g.train_loss for g in (plain, dropped))
    holds = narrow < 0.8 * wide and dropped.validation_loss < plain.validation_loss
    figures = (
        Metric(f"gap in loss, {first}", wide),
        Metric(f"... {second}", narrow),
        Metric(f"validation loss, {first}", plain.validation_loss),
        Metric(f"... {second}", dropped.validation_loss),
        Metric(f"validation accuracy, {first}", plain.validation_accuracy, form=".1%"),
        Metric(f"... {second}", dropped.validation_accuracy, form=".1%"),
    )
    sentence = (
        f"The gap in loss is {wide:.2f} with {first} and {narrow:.2f} with {second}; the loss on"
        f" validation {plain.validation_loss:.2f} and {dropped.validation_loss:.2f}."
    )
    return Verdict(holds, figures, sentence)
