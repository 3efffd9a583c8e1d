"""A run on its way to another experiment of the same server, which goes on with it at once.

Nothing is repeated, unlike with the run of a link, whose state anybody may have written: the last
checkpoint leads to the last step, and its weights are compared with those that the run had there.
"""

import dataclasses
from dataclasses import dataclass

from engine.measure.pinned_runs import PastRun
from engine.measure.snapshot import Notice
from engine.runtime.branches import Branch
from engine.training.commands import Begin, Command


@dataclass(frozen=True, slots=True, eq=False)
class RunTransfer:
    """A run as it was shown, in values that nobody changes any more."""

    begin: Begin  # what determines it
    branch: Branch | None  # how it stood; None: it is repeated from its first step
    noticed: tuple[Notice, ...]
    previous: PastRun | None  # the run before it, which its plots show, too

    @property
    def light(self) -> "RunTransfer":
        """The same for a long way: of its checkpoints only the last, beside the first step."""
        branch = self.branch
        if branch is None or branch.kept is None:
            return self
        states = branch.kept.checkpoints
        kept = dataclasses.replace(branch.kept, checkpoints=[states[0], *states[1:][-1:]])
        info = dataclasses.replace(branch.info, past=None)
        return dataclasses.replace(self, branch=dataclasses.replace(branch, info=info, kept=kept))


type Sent = Command | RunTransfer
"""What an experiment is sent."""
