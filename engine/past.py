"""A run that others are compared with: one that was pinned, or the one before this."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.config import RunConfig
from engine.history import Curves

if TYPE_CHECKING:
    from engine.telemetry import Gauges

MAX_PINNED = 6


@dataclass(frozen=True, slots=True)
class PastRun:
    """What is kept of a run: its settings, its curves, and how it stood at the end."""

    name: str
    run: int
    config: RunConfig  # as it was at the end
    curves: Curves
    step: int
    gauges: "Gauges"
