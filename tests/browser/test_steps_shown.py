"""The range of steps in the plots over time: the same for all, and kept by every frame."""

import pytest

LONG = 1000  # steps, after which a change moves the axis


SHOWN = """() => ["loss", "accuracy", "updates"].map(
    (view) => window.babysit.model(`${view}.frame`).data.x
)"""


def linked(tab):
    """The range of steps of all plots."""
    (steps,) = set(map(tuple, tab.page.evaluate(SHOWN)))
    return steps


def switches(tab):
    return tab.page.get_by_role("button", name="all steps")


def pressed(tab):
    return {switch.get_attribute("aria-pressed") for switch in switches(tab).all()}


@pytest.fixture
def long(tab):
    """A page with a long run, paused."""
    tab.wait_for(lambda: tab.snapshot.step > LONG)
    tab.press("Pause")
    tab.wait_for(lambda: tab.channel("step") == tab.snapshot.step and not running(tab))
    tab.wait_for(lambda: linked(tab) == (0, tab.snapshot.step))
    return tab


def running(tab):
    return tab.snapshot.status.value == "running"


def change(tab):
    """Change the learning rate, make the step that shows the change, and return that step."""
    before = len(tab.snapshot.markers)
    tab.page.keyboard.press("]")
    tab.wait_for(lambda: len(tab.snapshot.markers) > before)
    tab.page.keyboard.press(".")
    tab.wait_for(lambda: len(tab.source("loss.markers")["step"]) > before)
    return tab.snapshot.markers[-1].step


def test_a_change_late_in_a_run_is_brought_into_view_and_one_press_goes_back(long):
    step = change(long)
    long.wait_for(lambda: linked(long) == (step - 24, step + 1))
    assert pressed(long) == {"false"}
    long.page.keyboard.press(" ")
    long.wait_for(lambda: linked(long)[1] > step + 100)
    first, last = linked(long)
    assert first == pytest.approx(step - 0.25 * (last - step), abs=2)  # with some steps before it
    switches(long).nth(1).click()
    long.wait_for(lambda: linked(long)[0] == 0)
    assert pressed(long) == {"true"}
    long.press("Pause")
    long.wait_for(lambda: not running(long))
    change(long)  # after going back, the axis stays
    assert linked(long)[0] == 0


def test_only_a_new_run_resets_the_chosen_range(long):
    switches(long).first.click()
    step = long.snapshot.step
    long.wait_for(lambda: linked(long) == (step - 500, step))
    long.press("Play")
    long.wait_for(lambda: linked(long)[1] > step + 100)
    first, last = linked(long)
    assert last - first == 500
    long.page.keyboard.press("r")
    long.wait_for(lambda: long.channel("run") == 2)
    long.wait_for(lambda: linked(long)[0] == 0)
    assert pressed(long) == {"true"}


def test_a_change_early_in_a_run_moves_no_axis(tab):
    tab.press("Pause")
    tab.wait_for(lambda: not running(tab))
    tab.page.keyboard.press("r")
    tab.wait_for(lambda: tab.channel("run") == 2 and tab.channel("step") == 0)
    change(tab)
    assert linked(tab)[0] == 0
    assert pressed(tab) == {"true"}
