"""What can be asked of an experiment: plain values, sent by queue and kept in its journal."""

import msgspec

from engine.registry import Choice


class Play(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="play"):
    """Train until told otherwise."""


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pause"):
    """Stop training; everything stays as it is."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="step"):
    """Make one update, then stay paused."""


class SetKnob(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="set"):
    """Give a setting another value, such as 0.1 to "optimization.learning_rate"."""

    path: str
    value: float | Choice | str  # text: a row of layers, such as "64, 64"


class Restart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="restart"):
    """Begin a new run with the settings of now, and the same seed unless another is given."""

    seed: int | None = None


type Command = Play | Pause | Step | SetKnob | Restart
