"""A past run to compare with: one that was pinned, or the one before this."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from engine.measure.run_metrics import RunMetrics
from engine.training.commands import Begin
from engine.training.config import RunConfig
from engine.training.history import Curves

MAX_PINNED = 6
MAX_NAME = 40  # characters
MAX_NOTE = 500


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PastRun:
    """What is kept of a past run: its settings, its curves, and its final results."""

    name: str
    run: int
    config: RunConfig  # as it was at the end
    curves: Curves
    step: int
    metrics: RunMetrics
    begin: Begin  # repeats it to the bit
    note: str = ""  # what was written beside it when it was pinned
    digest: str = ""  # of its weights, of a pinned run


def check_pin(name: str, pinned: Sequence[PastRun], note: str = "") -> None:
    """Raise ValueError unless one more run can be pinned beside these, under this name."""
    if len(note) > MAX_NOTE:
        raise ValueError(f"A note has at most {MAX_NOTE} characters, got {len(note):,}.")
    if not (isinstance(name, str) and 1 <= len(name) <= MAX_NAME):
        raise ValueError(f"A pinned run needs a name of 1 to {MAX_NAME} characters.")
    if any(unicodedata.category(x) in ("Cc", "Cs") for x in name):
        raise ValueError(f"The name {name!r} contains characters that cannot be shown.")
    if len(pinned) == MAX_PINNED:
        raise ValueError(f"{MAX_PINNED} runs are pinned already: unpin one first.")
    if any(past.name == name for past in pinned):
        raise ValueError(f"A run named {name!r} is pinned already.")
