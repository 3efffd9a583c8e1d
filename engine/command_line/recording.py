"""A run in a file: what determines it to the bit, and a digest of the bits that came out."""

from typing import Annotated

import msgspec

from engine.command_line.figures import digest
from engine.commands import Command
from engine.config import RunConfig
from engine.experiment import Experiment

type Steps = Annotated[int, msgspec.Meta(ge=0)]


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The config that a run began with, the commands that steered it, and how long it was."""

    config: RunConfig
    journal: tuple[tuple[Steps, Command], ...]
    steps: Steps
    digest: str | None = None  # of the weights after the last step

    def __post_init__(self) -> None:
        steps = [*(step for step, _ in self.journal), self.steps]
        if steps != sorted(steps):
            raise ValueError("the steps of the journal fall, or go beyond the last step")


def record(experiment: Experiment) -> Recording:
    """What it takes to repeat the experiment's run as far as it has come."""
    journal = tuple(experiment.journal)
    return Recording(experiment.first_config, journal, experiment.step, digest(experiment))
