"""The engine of Babysit: trains networks, tells what happens inside, knows nothing of the page."""

from engine.commands import Begin, Command, Pause, Pin, Play, Restart, SetKnob, Step, Unpin
from engine.conductor import Conductor, Seat
from engine.config import (
    SETTINGS,
    DataConfig,
    Effect,
    ModelConfig,
    OptimizationConfig,
    RunConfig,
    Setting,
)
from engine.experiment import Experiment, replay
from engine.gradcheck import GradientCheck
from engine.history import Curves
from engine.inside import Inside
from engine.past import MAX_PINNED, PastRun
from engine.registry import Choice, Entry, Knob, Range, Registry
from engine.stacks import Convolution, Stack
from engine.telemetry import (
    DataFrame,
    Finding,
    Gauges,
    LayerFrame,
    Marker,
    Snapshot,
    Status,
    TensorFrame,
)

__all__ = [
    "MAX_PINNED",
    "SETTINGS",
    "Begin",
    "Choice",
    "Command",
    "Conductor",
    "Convolution",
    "Curves",
    "DataConfig",
    "DataFrame",
    "Effect",
    "Entry",
    "Experiment",
    "Finding",
    "Gauges",
    "GradientCheck",
    "Inside",
    "Knob",
    "LayerFrame",
    "Marker",
    "ModelConfig",
    "OptimizationConfig",
    "PastRun",
    "Pause",
    "Pin",
    "Play",
    "Range",
    "Registry",
    "Restart",
    "RunConfig",
    "Seat",
    "SetKnob",
    "Setting",
    "Snapshot",
    "Stack",
    "Status",
    "Step",
    "TensorFrame",
    "Unpin",
    "replay",
]
