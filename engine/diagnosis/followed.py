"""Remembers which advice was followed, so that later advice does not undo it."""

from collections.abc import Iterable

from engine.measure.snapshot import Change, Finding
from engine.training.commands import Command, SetKnob


class Followed:
    """The advised changes that were made since the last change that no advice asked for."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget all advice: a new series of runs begins."""
        self.changes: tuple[Change, ...] = ()
        self._remedies: tuple[tuple[Command, ...], ...] = ()
        self._begun: tuple[Command, ...] = ()  # a remedy that has been followed in part

    def advise(self, findings: Iterable[Finding]) -> None:
        """These findings are current, and their advice can be followed."""
        self._remedies = (*(finding.remedy for finding in findings), self._begun)

    def note(self, turn: SetKnob, change: Change) -> None:
        """A setting was changed: as advised, or else as a decision that advice must respect."""
        followed = [x for x in self._remedies if any(_follows(turn, change, y) for y in x)]
        if not followed:
            return self.forget()
        self.changes += (change,)
        self._begun = followed[0]


def _follows(turn: SetKnob, change: Change, advised: Command) -> bool:
    """Whether the change is the advised one, or changes a number in the advised direction."""
    if turn == advised:
        return True
    if not isinstance(advised, SetKnob) or turn.path != advised.path:
        return False
    match change.before, change.after, advised.value:
        case int() | float() as before, int() | float() as after, int() | float() as wanted:
            return (after > before) == (wanted > before)
    return False
