"""A question on what was seen in a run; its right answer is computed from the run's figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Observation:
    """A question that the plots answer, for a learner to answer before the verdict."""

    text: str
    options: tuple[str, ...]
    right: int  # the index of the right option
    reason: str = ""  # the figures that decide it, in one sentence; empty: the option has them

    @property
    def answer(self) -> str:
        """The right option."""
        return self.options[self.right]
