"""The advice that somebody has followed, so that no later advice sends him back."""

from collections.abc import Iterable

from engine.measure.snapshot import Change, Finding
from engine.training.commands import Command, SetKnob


class Followed:
    """The changes that findings advised, since somebody last made one of his own."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """A new story begins, in which nothing has been advised yet."""
        self.changes: tuple[Change, ...] = ()
        self._remedies: tuple[tuple[Command, ...], ...] = ()
        self._begun: tuple[Command, ...] = ()  # a remedy, a part of which has been followed

    def advise(self, findings: Iterable[Finding]) -> None:
        """These findings stand now, and what they advise can be followed."""
        self._remedies = (*(finding.remedy for finding in findings), self._begun)

    def note(self, turn: SetKnob, change: Change) -> None:
        """A setting was changed: as advised, or else by a will that advice has to go by."""
        followed = [x for x in self._remedies if any(_follows(turn, change, y) for y in x)]
        if not followed:
            return self.forget()
        self.changes += (change,)
        self._begun = followed[0]


def _follows(turn: SetKnob, change: Change, advised: Command) -> bool:
    """Whether it is what was advised, or a number that goes the way that was advised."""
    if turn == advised:
        return True
    if not isinstance(advised, SetKnob) or turn.path != advised.path:
        return False
    match change.before, change.after, advised.value:
        case int() | float() as before, int() | float() as after, int() | float() as wanted:
            return (after > before) == (wanted > before)
    return False
