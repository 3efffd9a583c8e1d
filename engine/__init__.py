"""The engine of Babysit: trains networks, tells what happens inside, knows nothing of the page."""

from engine.commands import Command, Pause, Play, Restart, SetKnob, Step
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
from engine.registry import Choice, Entry, Knob, Range, Registry
from engine.stacks import Convolution, Stack
from engine.telemetry import (
    Finding,
    Gauges,
    LayerFrame,
    Marker,
    Snapshot,
    Status,
    TensorFrame,
)

__all__ = [
    "SETTINGS",
    "Choice",
    "Command",
    "Conductor",
    "Convolution",
    "Curves",
    "DataConfig",
    "Effect",
    "Entry",
    "Experiment",
    "Finding",
    "Gauges",
    "GradientCheck",
    "Knob",
    "LayerFrame",
    "Marker",
    "ModelConfig",
    "OptimizationConfig",
    "Pause",
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
    "replay",
]
