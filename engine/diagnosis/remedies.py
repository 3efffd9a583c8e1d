"""Symptoms and their remedies, and which remedy is advised.

A rule lists its remedies, best first. The advice is the first one that is legal, changes something,
and does not undo earlier advice that was followed.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from engine.measure.snapshot import Change, Finding, Snapshot, Status
from engine.memoize import memoize
from engine.training.commands import Command, Restart, SetKnob
from engine.training.config import SETTINGS, RunConfig
from engine.training.setting import Effect

KNOWS_NONE = "Babysit knows no remedy for this."
KNOWS_NO_MORE = "What may help has been tried: Babysit knows no further remedy."
GIVES_UP = "Many changes did not help: begin again with settings that are known to work."
PATIENCE = 6  # advised changes in a row without a healthy run in between


class Remedy(msgspec.Struct, frozen=True):
    """Settings to change together, and what they do in words."""

    advice: str  # one sentence
    turns: tuple[SetKnob, ...]
    restart: bool = False  # then start a new run; a run that has diverged does so anyway


class Symptom(msgspec.Struct, frozen=True, eq=False):
    """What a rule found: a `Finding` without its remedy."""

    rule: str
    number: float
    band: tuple[float, float]  # the healthy range of the number
    where: str  # the layer, or empty
    cause: str
    remedies: Iterable[Remedy]  # best first
    seen_in: Literal["loss", "accuracy", "updates", "activations"]
    by_hand: str = ""  # one sentence: what to do if no setting is a remedy


def advised(symptom: Symptom, now: Snapshot) -> Finding:
    """The finding, with the first remedy that can be followed, or a note that none is known."""
    patient = len(now.followed) < PATIENCE
    remedies = symptom.remedies if patient else ()
    remedy = next((x for x in remedies if _can_be_followed(x, now)), None)
    if remedy:
        advice, commands = remedy.advice, _commands(remedy, now)
    else:
        none_left = (KNOWS_NO_MORE if patient else GIVES_UP) if now.followed else KNOWS_NONE
        advice, commands = symptom.by_hand or none_left, ()
    return Finding(
        symptom.rule, symptom.number, symptom.band, symptom.where, symptom.cause,
        commands, advice, symptom.seen_in,
    )  # fmt: skip


def _can_be_followed(remedy: Remedy, now: Snapshot) -> bool:
    wanted = _under(now.config, remedy.turns)
    if wanted is None or wanted == (now.diverged_under or now.config):
        return False
    return not any(_undoes(change, now.config, wanted) for change in now.followed)


@memoize  # a finding is made at each frame, and its remedy is nearly always the one before
def _under(config: RunConfig, turns: tuple[SetKnob, ...]) -> RunConfig | None:
    """The config with these settings; None if one of them is illegal."""
    try:
        for turn in turns:
            config = config.replace(turn.path, turn.value)
    except ValueError:
        return None
    return config


def _commands(remedy: Remedy, now: Snapshot) -> tuple[Command, ...]:
    begins = any(SETTINGS[turn.path].effect is Effect.NEW_RUN for turn in remedy.turns)
    restart = (remedy.restart or now.status is Status.DIVERGED) and not begins
    return (*remedy.turns, Restart()) if restart else remedy.turns


def _undoes(change: Change, config: RunConfig, wanted: RunConfig) -> bool:
    """Whether the setting would return to a value that advice led away from, or go beyond."""
    value = wanted.value(change.path)
    if value == config.value(change.path):
        return False
    match change.before, change.after:
        case int() | float() as before, int() | float() as after:
            return bool(value <= before if after > before else value >= before)
    return bool(value == change.before)
