"""Section 5 of the lecture, batch normalization."""

from engine.lessons import observing
from engine.lessons.bundled_lessons import bundled
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Variation
from engine.lessons.normalized_place import NormalizedPlace
from engine.lessons.normalized_unit import NormalizedBatch, NormalizedUnit, Statistics
from engine.measure.verdict import Metric, Verdict
from engine.number_format import percent, written

SECTION = "Batch normalization"
WHEN: dict[str, Statistics] = {
    "in training": "its own statistics",
    "at test time": "running averages",
}
BATCHES = 3, 6  # of many: two that are unlike
ALIKE = 1e-9  # difference of outputs that are the same

bundled("batch-norm-rescues")
bundled("batch-norm-lets-gradients-through")
bundled("batch-norm-needs-less-of-a-start")
bundled("batch-norm-bears-higher-rates")


@LESSONS.register("batch norm stands before the nonlinearity")
def before_the_nonlinearity() -> Lesson:
    """Before ReLU batch norm brings a silent unit back to work; behind it, it comes too late."""
    return Lesson(
        section=SECTION,
        title="Where in a layer does batch norm belong?",
        setup="The sums of one ReLU unit lie around -2, for every example of a mini-batch: as it"
        " is, the unit is silent. Batch norm may stand before ReLU or behind it.",
        look="Each point is an example: its sum to the right, the unit's output upwards. ReLU cuts"
        " off what lies below 0. What it has cut off, nothing behind it brings back. The view"
        " Network shows where batch norm stands in yours.",
        question=Question(
            "Where does batch norm help a unit whose sums all lie below 0?",
            ("before ReLU", "behind ReLU", "in both places"),
            0,
        ),
        exhibits={
            "before": NormalizedPlace("before ReLU"),
            "behind": NormalizedPlace("behind ReLU"),
        },
        check=_placed,
        observe=observing.highest_exhibit(
            "In which picture do more of the examples have an output above 0?",
            NormalizedBatch,
            _working,
            ".0%",
        ),
        variations=(
            Variation("Before it in both", "behind", exhibit=NormalizedPlace("before ReLU")),
            Variation(
                "Sums around -0.5 behind it",
                "behind",
                exhibit=NormalizedPlace("behind ReLU", -0.5),
            ),
        ),
    )


def _working(batch: NormalizedBatch) -> float:
    """The share of the examples with an output above 0."""
    return float((batch.outputs > 0).mean())


def _placed(evidence: Evidence) -> Verdict:
    shown = [evidence.exhibit(name, NormalizedBatch) for name in ("before", "behind")]
    before, behind = map(_working, shown)
    figures = tuple(
        Metric(f"examples with an output above 0, {batch.name}", _working(batch), form=".0%")
        for batch in shown
    )
    sentence = (
        f"With {shown[0].name} {percent(before)} of the examples have an output above 0, with"
        f" {shown[1].name} {percent(behind)}."
    )
    return Verdict(before > 0.3 and behind < 0.1, figures, sentence)


@LESSONS.register("batch norm can undo itself")
def undone() -> Lesson:
    """With the deviation for gamma and the mean for beta, batch norm changes nothing at all."""
    return Lesson(
        section=SECTION,
        title="Does batch norm force every unit to mean 0 and size 1?",
        setup="Eight sums of one unit pass batch norm. Behind the normalization stand two numbers"
        " that are learned like weights: gamma, by which it multiplies, and beta, which it adds.",
        look="On the left gamma is 1 and beta 0. On the right they are the batch's own deviation"
        " and mean: compare each output with its sum.",
        question=Question(
            "Can a network learn to switch its batch norm off?",
            ("no, it always normalizes", "yes, by gamma and beta", "only at test time"),
            1,
        ),
        exhibits={
            "1 and 0": NormalizedUnit(1),
            "deviation and mean": NormalizedUnit(1, learned="deviation and mean"),
        },
        check=_undone,
        observe=observing.highest_exhibit(
            "In which picture do outputs differ more from their sums?",
            NormalizedBatch,
            lambda batch: batch.changed,
        ),
        variations=(
            Variation("Gamma 1, beta 0 here too", "deviation and mean", exhibit=NormalizedUnit(1)),
            Variation(
                "Another batch",
                "deviation and mean",
                exhibit=NormalizedUnit(2, learned="deviation and mean"),
            ),
        ),
    )


def _undone(evidence: Evidence) -> Verdict:
    plain, identity = (evidence.exhibit(x, NormalizedBatch) for x in evidence.exhibits)
    figures = tuple(
        Metric(f"largest difference of output and sum, {x.name}", x.changed, form=".2g")
        for x in (plain, identity)
    )
    sentence = (
        f"Outputs differ from their sums by up to {written(plain.changed, 2)} ({plain.name}), and"
        f" by {written(identity.changed, 2)} ({identity.name})."
    )
    return Verdict(identity.changed < ALIKE < plain.changed, figures, sentence)


@LESSONS.register("batch norm at test time")
def at_test_time() -> Lesson:
    """In training an output depends on the rest of the batch; at test time, on fixed statistics."""
    return Lesson(
        section=SECTION,
        title="Does an output depend on which other examples are in the batch?",
        setup="The same example, with a sum of 2, is in two mini-batches: once in training, where"
        " batch norm measures the batch, once at test time.",
        look="The marked point is that example. At test time its output comes from averages that"
        " were gathered during training, so it is the same wherever the example stands.",
        question=Question(
            "The example comes with seven others. When does its output depend on these?",
            ("in training alone", "at test time alone", "always"),
            0,
        ),
        exhibits={
            f"batch {batch}, {when}": NormalizedUnit(batch, statistics)
            for when, statistics in WHEN.items()
            for batch in BATCHES
        },
        check=_fixed,
        observe=observing.which(
            "In which two pictures has the marked point the same height?",
            ("the two of training", "the two of test time", "both pairs", "neither pair"),
            lambda evidence: _same_height(*_apart(evidence)),
        ),
        variations=(
            Variation(
                "The batch's statistics at test time",
                "batch 6, at test time",
                exhibit=NormalizedUnit(6),
            ),
            Variation(
                "A batch of 500", "batch 6, in training", exhibit=NormalizedUnit(6, examples=500)
            ),
        ),
    )


def _apart(evidence: Evidence) -> tuple[float, float]:
    """How far the example's outputs lie apart: in training, and at test time."""
    first, second, third, fourth = (
        evidence.exhibit(name, NormalizedBatch).watched for name in evidence.exhibits
    )
    return abs(first - second), abs(third - fourth)


def _same_height(training: float, test: float) -> int:
    return {(True, False): 0, (False, True): 1, (True, True): 2, (False, False): 3}[
        training < ALIKE, test < ALIKE
    ]


def _fixed(evidence: Evidence) -> Verdict:
    shown = [evidence.exhibit(name, NormalizedBatch) for name in evidence.exhibits]
    figures = tuple(Metric(f"its output, {x.name}", x.watched, form=".4f") for x in shown)
    training, test = _apart(evidence)
    figures += Metric("apart in training", training), Metric("apart at test time", test, "0")
    sentence = (
        f"The example's outputs in two batches lie {written(training, 2)} apart in training, and"
        f" {written(test, 2)} at test time."
    )
    return Verdict(test < ALIKE < training, figures, sentence)


bundled("batch-norm-regularizes-a-little")
