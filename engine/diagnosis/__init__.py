"""What is wrong with a run, why, and what to do: one rule per symptom, most serious first."""

from collections.abc import Iterator

# Each module registers its rules when it is imported; the most serious come first.
# isort: off
from engine.diagnosis import divergence_rules
from engine.diagnosis import data_rules
from engine.diagnosis import penalty_rules
from engine.diagnosis import signal_rules
from engine.diagnosis import learning_rules
from engine.diagnosis import nothing_learned_rules
from engine.diagnosis import fit_rules
from engine.diagnosis import notice_rules

# isort: on
from engine.diagnosis.condition import condition_of
from engine.diagnosis.followed import Followed
from engine.diagnosis.noticed import Noticed
from engine.diagnosis.remedies import Remedy, Symptom, advised
from engine.diagnosis.rules import RULES, Rule
from engine.measure.snapshot import Finding, Snapshot, Status

__all__ = [
    "RULES",
    "Followed",
    "Noticed",
    "Remedy",
    "Symptom",
    "condition_of",
    "data_rules",
    "diagnose",
    "divergence_rules",
    "fit_rules",
    "learning_rules",
    "nothing_learned_rules",
    "notice_rules",
    "penalty_rules",
    "signal_rules",
]

# The only rules for a run that has diverged: its curves and statistics mean nothing any more.
OF_DIVERGED = ("input scale", "target scale", "batch size", "first loss", "exploding")


def diagnose(snapshot: Snapshot) -> tuple[Finding, ...]:
    """All findings on a run, most serious first; none on a healthy one."""
    diverged = snapshot.status is Status.DIVERGED
    rules = [RULES[name] for name in OF_DIVERGED] if diverged else RULES.values()
    return tuple(_found([rule.make for rule in rules], snapshot))


def _found(rules: list[Rule], snapshot: Snapshot) -> Iterator[Finding]:
    for rule in rules:
        if symptom := rule(snapshot):
            yield advised(symptom, snapshot)
