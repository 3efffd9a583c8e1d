"""A script: changes of settings at given steps, as a link or a lesson plays them."""

from collections import deque
from collections.abc import Iterable

from engine.training.commands import SetKnob


class Script:
    """What a run still does by itself: its changes to come, and the step at which it pauses."""

    def __init__(self, turns: Iterable[tuple[int, SetKnob]] = (), until: int | None = None) -> None:
        self._turns = deque(turns)
        self.until = until  # None: the run goes on
        self._find_stop()

    @property
    def rest(self) -> tuple[tuple[int, SetKnob], ...]:
        """The changes to come, with their steps."""
        return tuple(self._turns)

    def _find_stop(self) -> None:
        """Set the next step at which there is something to do; it is looked at after each step."""
        self.next_stop = self._turns[0][0] if self._turns else self.until

    def take(self, step: int) -> SetKnob | None:
        """The next change of this step, which is not in the script any more; None at the last."""
        if not (self._turns and self._turns[0][0] == step):
            return None
        _, turn = self._turns.popleft()
        self._find_stop()
        return turn
