"""Which step is shown in place of the last one: a past step, or the last of a link's run."""

from engine.measure.snapshot import Status
from engine.runtime.branches import Branch
from engine.runtime.link_preview import LinkPreview
from engine.runtime.look_back import Past
from engine.runtime.trainer import Trainer


class ShownStep:
    """The step that is shown: the last one, unless a past step or a preview is."""

    def __init__(self) -> None:
        self.past: Past | None = None  # the past step that is shown; training waits meanwhile
        self.goal: Branch | None = None  # the branch whose last step that is, to be taken up
        self.preview: LinkPreview | None = None  # of a link's run, while that is repeated
        self.status_now = Status.PAUSED  # of the run itself, while a past step is shown

    def look_at(self, past: Past, trainer: Trainer, goal: Branch | None = None) -> None:
        """Show a past step; the run waits."""
        self.past, self.goal, self.preview = past, goal, None
        self.status_now, trainer.status = trainer.status, Status.PAUSED

    def end_look(self, trainer: Trainer) -> None:
        """Show the last step again, and continue the run."""
        if self.past:
            self.past = self.goal = None
            if trainer.status is Status.PAUSED:  # not if it failed
                trainer.status = self.status_now

    @property
    def rebuilding(self) -> bool:
        """Whether a requested past step is being rebuilt."""
        return self.past is not None and not self.past.ready

    @property
    def rebuilding_preview(self) -> bool:
        """Whether the last step of a link's run is being rebuilt."""
        return self.preview is not None and not self.preview.ready

    @property
    def rebuilt(self) -> Past | None:
        """The past step or preview, once it is rebuilt."""
        past = self.past or (self.preview and self.preview.past)
        return past if past and past.ready else None

    @property
    def diverged(self) -> bool:
        """Whether it is a past step that diverged."""
        return self.past is not None and self.past.diverged is not None
