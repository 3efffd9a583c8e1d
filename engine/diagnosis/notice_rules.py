"""Notices about the data: no mistake, but they change what the figures mean."""

from engine.diagnosis.remedies import Symptom
from engine.diagnosis.rules import RULES
from engine.measure.snapshot import Snapshot
from engine.number_format import percent

UNEVEN = 10.0  # times as many examples of one class as of another


@RULES.register("imbalance")
def imbalance(now: Snapshot) -> Symptom | None:
    """One class has far more examples than another: accuracy hardly counts the rare one."""
    counts = now.data.counts
    if len(counts) < 2 or max(counts) <= UNEVEN * min(counts):
        return None
    common, rare = (now.data.classes[counts.index(f(counts))] for f in (max, min))
    share = max(counts) / sum(counts)
    return Symptom(
        "imbalance", max(counts) / max(min(counts), 1), (1.0, UNEVEN), "",
        f"Of {sum(counts):,} training examples {max(counts):,} are “{common}” and {min(counts):,}"
        f" “{rare}”: always answering “{common}” has an accuracy of {percent(share)}.",
        (), "accuracy", by_hand="Look at each class by itself, in the table of confusions.",
    )  # fmt: skip


@RULES.register("index among the inputs")
def index_among_the_inputs(now: Snapshot) -> Symptom | None:
    """An input only numbers the rows, which are sorted by class: it gives the answer away."""
    column = now.data.telling_index
    if not column:
        return None
    return Symptom(
        "index among the inputs", 1, (0.0, 0.0), column,
        f"Input {column} numbers the rows, which are sorted by class: it alone gives the"
        " answer.",
        (), "accuracy",
        by_hand="Take that column out of the table: no new example will have such a number.",
    )  # fmt: skip
