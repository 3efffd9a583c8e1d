"""A challenge on the page: it says how a run stands, and only what is so."""

import pytest

from app.sharing.challenge_run import ChallengeRun
from engine import Challenge, Choice, Conductor, Experiment, LookBack, Play, Restart, SetKnob

CHALLENGE = Challenge(title="Tame it", steps=40, settings={"optimization.learning_rate": 0.05})


class Page:
    """A visitor who takes part, and what the page tells."""

    def __init__(self) -> None:
        conductor = Conductor(begin=lambda thread: None)
        self.experiment = Experiment(CHALLENGE.config)
        self.notes: list[str] = []
        self.lines: list[str] = []
        handle = conductor.add(self.experiment)
        self._part = ChallengeRun(CHALLENGE, handle, self.notes.append, self.lines.append)
        conductor.main.serve()

    def do(self, *commands, steps: int = 0) -> str:
        """Apply these and train; returns the line below the plots."""
        for command in commands:
            self.experiment.apply(command)
        self.experiment.advance(60.0, steps=steps)
        self._part.show(self.experiment.snapshot())
        return self.lines[-1]


@pytest.fixture
def page() -> Page:
    return Page()


def test_the_task_is_told_until_the_run_pauses_with_its_last_step(page):
    assert page.lines == [CHALLENGE.invitation]
    assert CHALLENGE.invitation.startswith("Tame it: Reach the highest accuracy")
    assert page.do(Play(), steps=39) == CHALLENGE.invitation and not page.notes
    assert page.do(steps=100).startswith("All 40 steps of the challenge are made.")
    assert page.experiment.step == 40
    page.do()
    assert page.notes == page.lines[-1:]  # told once


def test_a_run_that_goes_on_does_not_count_until_it_goes_back(page):
    page.do(Play(), steps=40)
    assert "more than the 40 steps" in page.do(Play())  # no more is told before something changes
    assert "more than the 40 steps" in page.do(steps=2)
    page.do(LookBack(20), steps=1)
    while page.experiment.rebuilding:
        page.do(steps=1)
    assert page.do(Play(), steps=5) == CHALLENGE.invitation


def test_another_start_does_not_count_and_a_live_knob_is_no_other_start(page):
    assert page.do(SetKnob("model.activation", Choice("tanh"))) == CHALLENGE.invitation
    told = page.do(SetKnob("model.hidden", "32"))
    assert "does not count" in told and "in its hidden layers" in told
    assert page.do(SetKnob("model.hidden", "64, 64")) == CHALLENGE.invitation
    assert "in its seed" in page.do(Restart(7))
