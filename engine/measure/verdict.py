"""A verdict on what somebody claimed of a network, and the numbers that it rests on."""

import math
from dataclasses import dataclass

STEPS = ",.0f"  # the form of a number of steps, which is infinite if something never came


@dataclass(frozen=True)
class Metric:
    """A number that a verdict rests on, beside the lecture's own where it gives one."""

    label: str
    ours: float
    lecture: str = ""
    form: str = ".3g"

    @property
    def text(self) -> str:
        """Our number, written out."""
        if math.isinf(self.ours):
            return "never" if self.form == STEPS else "∞"
        return "–" if math.isnan(self.ours) else format(self.ours, self.form)


@dataclass(frozen=True)
class Verdict:
    """Whether the claim holds here, by which figures, in one sentence."""

    holds: bool
    figures: tuple[Metric, ...]
    sentence: str
