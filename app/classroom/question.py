"""A question to the class: what will happen, before the run; and what was seen, after it."""

import itertools
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

from app.classroom.refused import Refused

type Curve = tuple[tuple[float, float], ...]
type Answer = int | Curve
type Loss = Annotated[float, msgspec.Meta(gt=0)]  # on a logarithmic scale


class Phase(StrEnum):
    """The phase of a question; students answer in the first and in the third one."""

    PREDICT = "predict"
    WATCH = "watch"
    SEEN = "seen"
    COMPARE = "compare"


OPEN = (Phase.PREDICT, Phase.SEEN)
NEXT = {Phase.PREDICT: Phase.WATCH, Phase.SEEN: Phase.COMPARE}


class Axes(msgspec.Struct, frozen=True):
    """The axes on which a curve is drawn: steps to come, and a loss on a logarithmic scale."""

    step: int  # the first
    steps: int
    low: Loss
    high: Loss
    now: Loss  # the loss at the first step


class Question:
    """A question with the answers of the class; tallies are hidden while it is open."""

    def __init__(self, text: str, options: Sequence[str], axes: Axes | None) -> None:
        self.text, self.options, self.axes = text, tuple(options), axes
        self.phase = Phase.PREDICT
        self._answers: dict[Phase, dict[str, Answer]] = {phase: {} for phase in OPEN}

    @property
    def holds(self) -> bool:
        """Whether the run waits for predictions."""
        return self.phase is Phase.PREDICT

    @property
    def takes_answers(self) -> bool:
        """Whether it is open."""
        return self.phase in OPEN

    def answer(self, who: str, answer: Answer) -> None:
        """Keep a student's answer; a later one takes its place until the question is closed."""
        if not self.takes_answers:
            raise Refused("This question is closed.")
        self.check(answer)
        self._answers[self.phase][who] = answer

    def check(self, answer: Answer) -> None:
        """Raise Refused if this answers another question."""
        if isinstance(answer, int):
            self._check_option(answer)
        else:
            self._check_curve(answer)

    def _check_option(self, option: int) -> None:
        if not 0 <= option < len(self.options):
            raise Refused(f"This question has {len(self.options)} options, got number {option}.")

    def _check_curve(self, curve: Curve) -> None:
        if self.options:
            raise Refused("This question asks for one of its options.")
        along = [x for x, _ in curve]
        if any(b <= a for a, b in itertools.pairwise(along)):
            raise Refused("A curve is drawn from left to right.")

    def close(self) -> None:
        """Close it: from now on the tally can be seen."""
        if not self.takes_answers:
            raise Refused("No question is open.")
        self.phase = NEXT[self.phase]

    def ask_again(self) -> None:
        """Ask what was seen."""
        if self.phase is not Phase.WATCH:
            raise Refused("What was seen is asked once, after the predictions are closed.")
        if not self.options:
            raise Refused("A curve is compared with the run itself.")
        self.phase = Phase.SEEN

    def forget(self, who: str) -> None:
        """Drop the answers of a student who was removed."""
        for answers in self._answers.values():
            answers.pop(who, None)

    def answered(self, present: Sequence[str]) -> int:
        """How many of those who are present have answered what is open."""
        now = self._answers.get(self.phase, {})
        return sum(who in now for who in present)

    def answer_of(self, who: str, phase: Phase) -> Answer | None:
        """A student's own answer."""
        return self._answers[phase].get(who)

    def tally(self, phase: Phase) -> tuple[int, ...] | None:
        """How many chose each option; None while that is not to be seen, or nothing was asked."""
        if phase is self.phase or not self.options or not self._answers[phase]:
            return None
        chosen = list(self._answers[phase].values())
        return tuple(chosen.count(option) for option in range(len(self.options)))

    @property
    def curves(self) -> tuple[Curve, ...]:
        """All predicted curves, once they can be seen."""
        if self.holds or self.options:
            return ()
        drawn = self._answers[Phase.PREDICT].values()
        return tuple(curve for curve in drawn if not isinstance(curve, int))

    @property
    def answers(self) -> Mapping[Phase, Mapping[str, Answer]]:
        """All answers, for the teacher's export."""
        return self._answers

    def restore(self, phase: Phase, answers: Mapping[str, Answer]) -> None:
        """Take over the answers of a saved question."""
        if phase in self._answers:
            self._answers[phase] = dict(answers)

    def answer_late(self, who: str, phase: Phase, answer: Answer) -> None:
        """Count an answer that was given in time, and has come after the question was closed."""
        now, self.phase = self.phase, phase
        try:
            self.answer(who, answer)
        finally:
            self.phase = now
