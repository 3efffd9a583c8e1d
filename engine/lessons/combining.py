"""Section 9 of the lecture, continued: ensembles, and fine-tuning."""

import msgspec
import numpy as np

from engine.lessons import observing, words
from engine.lessons.beyond import SECTION
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.outcome import Outcome
from engine.lessons.recipes import clothes, layers, recipe
from engine.measure.verdict import Metric, Verdict
from engine.number_format import percent
from engine.registry import Choice
from engine.training.commands import Restart
from engine.training.config import Pretraining, RunConfig
from engine.training.config_sections import DataConfig
from engine.types import Array, Integers

MEMBERS = 5
RENAMED = ("2", "3", "4", "5", "1")
TRIES = 3
PRETRAINING = 3000  # steps


@LESSONS.register("an ensemble beats its members")
def ensemble() -> Lesson:
    """Five networks that vote are right more often than one of them is on average."""
    runs = tuple(
        Run(
            f"member {seed + 1}",
            recipe(clothes(seed=0), layers(50), 0.1, seed=seed),
            1000,
            called=words.seed,
        )
        for seed in range(MEMBERS)
    )
    return Lesson(
        section=SECTION,
        title="Are five networks better than one?",
        setup="Five networks differ in nothing but the seed of their weights and the order of"
        " examples. Their predicted probabilities are averaged.",
        look="Compare the five accuracies on validation. How far apart are they?",
        why="Each makes mistakes of its own; averaging the predictions cancels many of them.",
        question=Question(
            "Five networks of about 85 %. What does the mean of their predictions reach?",
            ("a bit less", "the same", "a percent or two more"),
            2,
        ),
        runs=runs,
        check=_ensemble,
        view="accuracy",
        observe=observing.highest(
            "Which member ended with the highest accuracy on validation?",
            observing.accuracy,
            ".1%",
            0.005,
        ),
        variations=(
            Variation("The same seed for all", commands=(Restart(0),)),
            Variation("Another seed for one", "member 1", (Restart(77),)),
        ),
    )


def _ensemble(evidence: Evidence) -> Verdict:
    members = [evidence[f"member {number + 1}"] for number in range(MEMBERS)]
    answers = members[0].answers
    accuracies = [member.accuracy for member in members]
    losses = [_surprise(_chances(member), answers) for member in members]
    together = np.mean([_chances(member) for member in members], axis=0)
    accuracy = float(np.mean(together.argmax(axis=1) == answers))
    mean, loss = float(np.mean(accuracies)), _surprise(together, answers)
    holds = accuracy > mean + 0.002 and loss < min(losses)
    figures = (
        Metric("accuracy, mean of the members", mean, form=".1%"),
        Metric("... best member", max(accuracies), form=".1%"),
        Metric("... ensemble", accuracy, form=".1%"),
        Metric("loss, best member", min(losses)),
        Metric("... ensemble", loss),
    )
    return Verdict(
        holds, figures, f"Together {percent(accuracy, 1)}; alone {percent(mean, 1)} on average."
    )


def _chances(member: Outcome) -> Array:  # (N, C)
    """The softmax of the scores."""
    z = member.scores - member.scores.max(axis=1, keepdims=True)
    powers = np.exp(z)
    chances: Array = powers / powers.sum(axis=1, keepdims=True)
    return chances


def _surprise(chances: Array, answers: Integers | Array) -> float:
    """The cross-entropy: the mean of -log of the probability of the right class."""
    right = np.take_along_axis(chances, answers.astype(np.intp)[:, None], axis=1)
    return float(-np.log(right + 1e-12).mean())


@LESSONS.register("fine-tuning")
def fine_tuning() -> Lesson:
    """On few examples a network that was pretrained on similar data beats a fresh one."""
    fresh = {f"fresh {seed + 1}": _few(seed) for seed in range(TRIES)}
    tuned = {f"fine-tuned {seed + 1}": _tuned(_few(seed), _spiral()) for seed in range(TRIES)}
    return Lesson(
        section=SECTION,
        title="Does it help to have learned something else before?",
        setup="Twenty points of a spiral with five arms: too few to see how they wind. Some"
        " networks have seen another spiral before, of many points, whose arms had other names;"
        " they keep all layers but the last, and are fine-tuned on the twenty.",
        look="Watch the accuracy on validation: the rest of the spiral.",
        why="What was learned before says how arms wind; twenty points need only tell which is"
        " which.",
        question=Question(
            "Which is better on the rest of the spiral?",
            ("the fresh network", "the fine-tuned one", "neither"),
            1,
        ),
        runs=tuple(
            Run(name, config, 300, called=_title) for name, config in (fresh | tuned).items()
        ),
        check=_fine_tuning,
        view="accuracy",
        observe=observing.highest(
            "Which of the six ended with the highest accuracy on validation?", observing.accuracy
        ),
        variations=(
            Variation("Learned nothing before", "fine-tuned *", change=lambda c: _tuned(c, None)),
            Variation(
                "Learned five points before", "fine-tuned *", change=lambda c: _tuned(c, _spiral(5))
            ),
        ),
    )


def _title(config: RunConfig) -> str:
    return f"{_learned_before(config)}, seed {config.seed}"


def _learned_before(config: RunConfig) -> str:
    if config.start is None:
        return "fresh"
    return f"fine-tuned from {words.examples(RunConfig(data=config.start.data))}"


def _spiral(examples: int | None = None) -> DataConfig:
    spiral = Choice("spiral", {"examples": 1000, "classes": 5, "noise": 0.05})
    return DataConfig(dataset=spiral, examples=examples, seed=99)


def _few(seed: int) -> RunConfig:
    """20 points of a spiral that is drawn anew, and whose arms are numbered differently."""
    data = msgspec.structs.replace(_spiral(20), classes=RENAMED, seed=seed)
    return recipe(data, layers(64, 64), 0.01, optimizer="momentum", seed=seed)


def _tuned(config: RunConfig, before: DataConfig | None) -> RunConfig:
    """The same run, from weights that were learned on other points; None: from random ones."""
    start = None if before is None else Pretraining(data=before, steps=PRETRAINING)
    return msgspec.structs.replace(config, start=start)


def _fine_tuning(evidence: Evidence) -> Verdict:
    pairs = [
        (evidence[f"fresh {n + 1}"].accuracy, evidence[f"fine-tuned {n + 1}"].accuracy)
        for n in range(TRIES)
    ]
    config = evidence["fine-tuned 1"].config
    second = _learned_before(config)
    lead = min(b - a for a, b in pairs)
    fresh, tuned = (float(np.mean(x)) for x in zip(*pairs, strict=True))
    figures = (
        Metric("validation accuracy, fresh, on average", fresh, form=".1%"),
        Metric(f"... {second}", tuned, form=".1%"),
        Metric("smallest lead of a pair", lead, form=".1%"),
    )
    sentence = (
        f"On {words.examples(config)}, on average of {len(pairs)} pairs: fresh {percent(fresh, 1)},"
        f" {second} {percent(tuned, 1)}; the smallest lead of a pair is {percent(lead, 1)}."
    )
    return Verdict(lead > 0, figures, sentence)
