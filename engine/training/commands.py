"""The commands that an experiment accepts: plain values, sent by queue, kept in its journal."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from engine.registry import Choice
from engine.training.config import RunConfig

type Count = Annotated[int, msgspec.Meta(ge=0)]


class Play(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="play"):
    """Train until paused."""


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pause"):
    """Stop training; everything stays as it is."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="step"):
    """Make one update, then stay paused."""


class FinishEpoch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="epoch"):
    """Train to the end of this epoch, then pause."""


class SetKnob(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="set"):
    """Set a setting to another value, such as "optimization.learning_rate" to 0.1."""

    path: str
    value: float | Choice | str  # text: a row of layers, such as "64, 64"


class Restart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="restart"):
    """Begin a new run with the current settings, and the same seed unless another is given."""

    seed: int | None = None


class BranchRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A branch as plain values: with the first config of its tree they determine it to the bit."""

    run: Count
    turns: tuple[tuple[Count, SetKnob], ...]  # from the first step on, those of its parent included
    steps: Count
    parent: tuple[Count, Count] | None = None  # the run that it left, and at which step
    digest: str | None = None  # of the weights after the last step

    def __post_init__(self) -> None:
        steps = [*(step for step, _ in self.turns), self.steps]
        if steps != sorted(steps):
            raise ValueError("the steps of a branch fall, or go beyond its last step")
        if self.parent and not (self.parent[0] < self.run and self.parent[1] <= self.steps):
            raise ValueError("a branch leaves a run that is not older, or at a later step")


class Begin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="begin"):
    """Begin a new run under a config, and change settings at given steps, as in a lesson."""

    config: RunConfig
    script: tuple[tuple[Count, SetKnob], ...] = ()
    until: Count | None = None  # pause after so many steps; None: go on
    run: Count = 1  # its number among the branches
    parent: tuple[Count, Count] | None = None
    branches: tuple[BranchRecord, ...] = ()  # the others of its tree
    state: bytes = b""  # shortly before its last step, to be shown while the run is repeated

    def __post_init__(self) -> None:
        steps = [step for step, _ in self.script]
        if steps != sorted(steps) or (
            self.until is not None and max(steps, default=0) > self.until
        ):
            raise ValueError("the steps of a script fall, or go beyond the last step")


class Pin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pin"):
    """Keep the curves of this run, as they are now, to compare with those of later runs."""

    name: str
    note: str = ""


class Unpin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="unpin"):
    """Drop a pinned run."""

    name: str


class LookBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="look back"):
    """Show the run as it was after a step, before what was changed then; training waits."""

    step: int


class LookAhead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="look ahead"):
    """Show the run as it is now, and go on with it."""


class GoTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="go to"):
    """Take up another branch of this run where it was left."""

    run: int


class StartLockstep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="lockstep"):
    """Train a second run, B, beside this one from the step that is shown, at equal steps."""


class EndLockstep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="end lockstep"):
    """Train this run alone again; B stays as a branch."""


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="turn"):
    """Change a setting of run B, or of both runs at the same step."""

    turn: SetKnob
    of: Literal["B", "both"]


type Lockstepping = StartLockstep | EndLockstep | Turn
type Steering = Play | Pause | Step | FinishEpoch | SetKnob | Restart
type Command = Steering | Begin | Pin | Unpin | LookBack | LookAhead | GoTo | Lockstepping


def turns_of(journal: Iterable[tuple[int, Command]]) -> tuple[tuple[int, SetKnob], ...]:
    """The changes of settings in a journal, with their steps."""
    return tuple((step, x) for step, x in journal if isinstance(x, SetKnob))


def check_command(command: Command) -> None:
    """Raise ValueError unless every part of a command has its type: a page can send anything."""
    try:
        msgspec.convert(msgspec.to_builtins(command), type(command))
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"this is not a command: {error}") from None
