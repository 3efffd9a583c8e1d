"""The buttons that control a run in time: each does what it said when it was pressed."""

import pytest

from app.page.buttons import Presses
from app.page.transport import Transport
from engine import Conductor, Experiment, Pause, Play, RunConfig, Status
from tests.waiting import wait_until


@pytest.fixture
def handle():
    conductor = Conductor()
    yield conductor.add(Experiment(RunConfig()))
    conductor.close()


@pytest.mark.parametrize("status", [Status.PAUSED, Status.RUNNING])
def test_play_does_what_its_label_said_whatever_has_changed_since(handle, status):
    if status is Status.RUNNING:
        handle.send(Play())
    wait_until(lambda: handle.latest.status is status)
    sent, presses = [], Presses()
    Transport(sent.append, lambda: handle, presses)
    for label in ("Pause", "Play", "Pause", "", "anything"):
        presses.press("play", label)
    other = Pause() if status is Status.RUNNING else Play()
    assert sent == [Pause(), Play(), Pause(), other, other]
