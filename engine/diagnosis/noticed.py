"""When each finding came up along a run, to be marked on the timeline."""

from collections.abc import Sequence

from engine.measure.snapshot import Finding, Notice

MOST = 100  # of a run; the oldest are dropped


class Noticed:
    """The findings of a run with their steps: a rule again only after another change."""

    def __init__(self, notices: Sequence[Notice] = ()) -> None:
        self.notices: tuple[Notice, ...] = tuple(notices)

    def note(self, step: int, changed: int, findings: Sequence[Finding]) -> None:
        """Note what is found at a step, and was not since the change at the step `changed`."""
        known = {notice.rule for notice in self.notices if notice.step >= changed}
        new = [Notice(step, finding.rule) for finding in findings if finding.rule not in known]
        if new:
            self.notices = (*self.notices, *new)[-MOST:]

    def up_to(self, step: int) -> "Noticed":
        """Those of a run that goes on from this step as another one."""
        return Noticed([notice for notice in self.notices if notice.step <= step])
