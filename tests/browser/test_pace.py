"""The pace of a run in the browser: set by mouse, key and link, and shown correctly."""

import functools

import pytest
from playwright.sync_api import expect

from engine import AUTO, FULL, Status
from tests.browser.conftest import KEPT_TAB
from tests.browser.tab import ONE_PLOT, PACE, Tab, close

QUERY = ONE_PLOT  # beside one plot: the pace is told in the header

LEARNS = "optimization.learning_rate"
WALK = {  # keys from the button on, and where each leads in the list
    "Enter": f"{PACE} steps/s",  # which is chosen
    "ArrowDown": "1,000 steps/s",
    "End": "full speed",
    "Home": "auto: slow at first, and after a change",
    "ArrowUp": "full speed",
    "3": "3 steps/s",
}


@pytest.fixture
def come(chromium, address, request):
    """Opens the page by a link."""

    KEPT_TAB.clear()
    tabs = []

    def open_one(query):
        tabs.append(Tab(chromium, f"{address}{query}"))
        return tabs[-1]

    yield open_one
    close(tabs)


def pace(tab):
    """The text of the pace button, without the part for screen readers."""
    return tab.text("pace")


def test_of_an_unknown_pace_a_link_is_told_and_at_auto_the_curves_have_every_first_step(come):
    tab = come(f"?pace=fast&{ONE_PLOT}")
    told = tab.page.get_by_text("This link says pace='fast'; it must be one of auto, 1, 3,")
    told.wait_for()
    assert tab.visit.handle.pace == AUTO
    tab.wait_for(lambda: pace(tab).startswith("auto, "))
    tab.wait_for(lambda: tab.snapshot.step > 20)
    rows = tab.snapshot.curves["step"]
    assert list(rows[:20]) == list(range(20))  # every step is in the curves
    tab.press_space("Pause")
    tab.wait_for(lambda: pace(tab) == "auto")


def test_a_link_sets_the_pace_and_the_share_dialog_keeps_it(come):
    tab = come(f"?pace=3&{ONE_PLOT}")
    assert tab.visit.handle.pace == 3
    tab.wait_for(lambda: pace(tab) == "3/s")
    tab.press("Share")
    link = tab.page.get_by_role("textbox", name="Link")
    tab.wait_for(lambda: link.input_value().endswith("&pace=3"))


def test_a_pace_is_chosen_from_the_list(tab):
    tab.visit.handle.set_pace(FULL)
    choose = tab.page.get_by_role("button", name="Pace", exact=False)
    tab.play()
    choose.click()
    items = functools.partial(tab.page.get_by_role, "menuitemradio", exact=True)
    items(name="full speed", checked=True).wait_for()
    items(name="10 steps/s").click()
    tab.wait_for(lambda: tab.visit.handle.pace == 10)
    tab.wait_for(lambda: pace(tab) == "10/s")
    expect(tab.page.get_by_role("menu", name="Pace")).to_be_hidden()
    choose.click()
    items(name="10 steps/s", checked=True).wait_for()


def test_a_pace_is_chosen_by_keys_alone(tab):
    opens = tab.page.get_by_role("button", name="Pace", exact=False)
    opens.focus()
    for key, there in WALK.items():
        tab.page.keyboard.press(key)
        expect(tab.page.get_by_role("menuitemradio", name=there, exact=True)).to_be_focused()
    tab.page.keyboard.press("Escape")
    expect(opens).to_be_focused()
    for key in ("ArrowDown", "ArrowDown", " "):
        tab.page.keyboard.press(key)
    tab.wait_for(lambda: tab.visit.handle.pace == 1)
    expect(opens).to_be_focused()
    tab.page.keyboard.press("ArrowUp")
    expect(tab.page.get_by_role("menuitemradio", name="full speed")).to_be_focused()
    tab.page.keyboard.press("Tab")
    expect(tab.page.get_by_role("menu", name="Pace")).to_be_hidden()
    expect(tab.page.get_by_role("button", name="Step", exact=True)).to_be_focused()
    for key, there in (("=", 3), ("=", 10), ("-", 3), ("-", 1), ("-", 1)):
        tab.page.keyboard.press(key)
        tab.wait_for(lambda there=there: tab.visit.handle.pace == there)
    tab.wait_for(lambda: pace(tab) == "1/s")


def test_ten_steps_and_an_epoch_by_key_and_by_button(tab):
    tab.page.keyboard.press("r")
    tab.wait_for(lambda: tab.snapshot.run == 2)
    tab.page.keyboard.press("1")  # has no effect
    begun = tab.snapshot.step
    tab.page.keyboard.press(">")
    tab.wait_for(lambda: tab.snapshot.step == begun + 10)
    for finish in (lambda: tab.page.keyboard.press("e"), lambda: tab.press("Epoch")):
        begun = tab.snapshot.step
        finish()
        tab.wait_for(lambda begun=begun: tab.snapshot.step > begun)
        tab.wait_for(lambda: tab.snapshot.status is Status.PAUSED)
        assert tab.snapshot.step % 44 == 0  # 1,438 digits in mini-batches of 32
        tab.wait_for(lambda: tab.text("epoch") in ("1.0", f"{tab.snapshot.epoch:,.1f}"))


def test_a_change_slows_auto_down(tab):
    tab.train(2000)
    tab.visit.handle.set_pace(AUTO)
    tab.play()
    tab.page.keyboard.press("]")
    tab.wait_for(lambda: tab.snapshot.markers)
    tab.wait_for(lambda: tab.snapshot.step >= tab.snapshot.markers[-1].step + 8)
    steps = tab.snapshot.curves["step"]
    after = [step - tab.snapshot.markers[-1].step for step in steps]
    assert {1, 2, 3, 4, 5, 6} <= set(after)
