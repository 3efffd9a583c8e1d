"""Transfers a run to another experiment of the same server, which continues it at once.

Only the steps after the last checkpoint are repeated, and the weights are then compared. The state
in a link is not trusted like this, since anybody can write one.
"""

import dataclasses
from dataclasses import dataclass

from engine.measure.pinned_runs import PastRun
from engine.measure.snapshot import Notice
from engine.runtime.branches import Branch
from engine.training.commands import Begin, Command


@dataclass(frozen=True, slots=True, eq=False)
class RunTransfer:
    """A run as it was shown, in immutable values."""

    begin: Begin  # what determines it
    branch: Branch | None  # its state; None: it is repeated from its first step
    noticed: tuple[Notice, ...]
    previous: PastRun | None  # the run before it, which its plots show, too

    @property
    def light(self) -> "RunTransfer":
        """A small copy for another process: it has only the first and the last checkpoint."""
        branch = self.branch
        if branch is None or branch.kept is None:
            return self
        states = branch.kept.checkpoints
        kept = dataclasses.replace(branch.kept, checkpoints=[states[0], *states[1:][-1:]])
        info = dataclasses.replace(branch.info, past=None)
        return dataclasses.replace(self, branch=dataclasses.replace(branch, info=info, kept=kept))


type Sent = Command | RunTransfer
"""What an experiment is sent."""
