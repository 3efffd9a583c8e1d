"""The verdict on a claim about a network, and the numbers that it rests on."""

import math
from dataclasses import dataclass

from engine.number_format import in_form

STEPS = ",.0f"  # format of a number of steps, which is infinite for an event that never occurred


@dataclass(frozen=True)
class Metric:
    """A number that a verdict rests on, with the lecture's own number where it gives one."""

    label: str
    ours: float
    lecture: str = ""
    form: str = ".3g"

    @property
    def text(self) -> str:
        """Our number as text."""
        if math.isinf(self.ours):
            return "never" if self.form == STEPS else "∞"
        return "–" if math.isnan(self.ours) else in_form(self.ours, self.form)


@dataclass(frozen=True)
class Verdict:
    """Whether the claim holds here, in one sentence, with the numbers that show it."""

    holds: bool
    figures: tuple[Metric, ...]
    sentence: str
