"""A run as plain values that determine it to the bit, with a digest of the result."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from engine.json_reader import from_json
from engine.runtime.branches import MOST
from engine.runtime.experiment import Experiment
from engine.runtime.run_transfer import RunTransfer
from engine.training.commands import Begin, BranchRecord, Command, SetKnob
from engine.training.config import RunConfig

type Steps = Annotated[int, msgspec.Meta(ge=0)]


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first config of a run, its journal, its number of steps, and the branches beside it."""

    config: RunConfig
    journal: tuple[tuple[Steps, Command], ...]
    steps: Steps
    digest: str | None = None  # of the weights after the last step
    run: Steps = 1  # its number among the branches
    parent: tuple[Steps, Steps] | None = None  # the run that it left, and at which step
    branches: tuple[BranchRecord, ...] = ()

    def __post_init__(self) -> None:
        steps = [*(step for step, _ in self.journal), self.steps]
        if steps != sorted(steps):
            raise ValueError("the steps of the journal fall, or go beyond the last step")
        runs = [self.run, *(branch.run for branch in self.branches)]
        if len(runs) > min(len(set(runs)), 1 + MOST):
            raise ValueError(f"at most {MOST} branches are possible, each with a number of its own")
        if self.parent and not (self.parent[0] < self.run and self.parent[1] <= self.steps):
            raise ValueError("a branch leaves a run that is not older, or at a later step")

    @classmethod
    def from_json(cls, text: str | bytes) -> "Recording":
        """The recording in JSON text; for any other text ValueError says what is wrong."""
        return from_json(text, cls)

    @property
    def turns(self) -> tuple[tuple[int, SetKnob], ...]:
        """The commands in the journal that change the result."""
        return tuple(self._turns())

    def _turns(self) -> Iterator[tuple[int, SetKnob]]:
        config = self.config
        for step, turn in self.journal:
            if isinstance(turn, SetKnob):
                before, config = config, config.replace(turn.path, turn.value)
                if config != before:  # older journals also contain settings that did not change
                    yield step, turn

    @property
    def begin(self) -> Begin:
        """The command that repeats the run and pauses after its last step."""
        return Begin(self.config, self.turns, self.steps, self.run, self.parent, self.branches)


def record(experiment: Experiment) -> Recording:
    """What it takes to repeat the experiment's run up to the step that is shown."""
    journal, steps = experiment.shown_journal, experiment.shown_step
    digest, parent = experiment.shown_network.parameters.digest, experiment.parent
    left = (parent.run, parent.step) if parent and parent.step <= steps else None
    branches = experiment.branch_records
    return Recording(
        experiment.first_config, journal, steps, digest, experiment.run, left, branches
    )


def transfer_of(experiment: Experiment) -> RunTransfer:
    """The run as it is shown, for another experiment of this server that goes on with it."""
    begin, branch = record(experiment).begin, experiment.shown_branch
    if branch is None:
        begin = msgspec.structs.replace(begin, state=experiment.packed_state())
    return RunTransfer(begin, branch, experiment.noticed, experiment.previous)


def digest(experiment: Experiment) -> str:
    """A fingerprint of the weights as they are now: the same for the same bits."""
    return experiment.network.parameters.digest
