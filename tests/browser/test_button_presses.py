"""A press activates the button on which it began, whatever the page does meanwhile."""

import re

import pytest
from playwright.sync_api import expect

from engine import Status
from tests.browser.tab import ONE_PLOT

QUERY = ONE_PLOT  # beside one plot: nothing here looks at the others

WRITE_ANEW = "(button) => button.replaceWith(button.cloneNode(true))"
MOVE_AWAY = "(button) => { button.style.translate = '0 80px' }"
AS_IT_WAS = "(button) => { button.removeAttribute('style'); button.disabled = false }"


@pytest.fixture
def button(tab):
    """The Restart button, with the pointer pressed on it."""
    button = tab.page.get_by_role("button", name="Restart")
    button.hover()
    tab.page.mouse.down()
    yield button
    button.evaluate(AS_IT_WAS)


def test_a_press_works_although_the_button_moves_away(tab, button):
    before = button.bounding_box()
    button.evaluate(MOVE_AWAY)
    tab.wait_for(lambda: button.bounding_box()["y"] > before["y"] + before["height"])
    tab.page.mouse.up()
    tab.wait_for(lambda: tab.snapshot.run == 2)


def test_a_press_works_although_the_button_is_replaced(tab, button):
    button.evaluate(WRITE_ANEW)
    tab.page.mouse.up()
    tab.wait_for(lambda: tab.snapshot.run == 2)


def test_moving_the_pointer_away_cancels_the_press(tab, button):
    x, y = 700, 450
    tab.page.mouse.move(x, y)
    tab.page.mouse.up()
    press_another(tab)
    assert tab.snapshot.run == 1


def test_a_button_disabled_during_the_press_is_not_pressed(tab, button):
    button.evaluate("(button) => button.disabled = true")
    tab.page.mouse.up()
    press_another(tab)
    assert tab.snapshot.run == 1


def test_a_press_counts_once(tab, button):
    tab.page.mouse.up()
    tab.wait_for(lambda: tab.snapshot.run == 2)
    press_another(tab)
    assert tab.snapshot.run == 2


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("button", "Restart"),
        ("button", "Step"),
        ("button", "Close drawer"),
        ("button", "Toggle theme"),
        ("button", re.compile("^(\\+ )?schedule")),
        ("tab", "Checks"),
    ],
)
def test_space_plays_after_a_press_by_pointer(tab, role, name):
    pressed = tab.page.get_by_role(role, name=name, exact=True)
    pressed.click()
    expect(tab.page.locator(":focus")).to_have_count(0)
    tab.press_space("Play")
    tab.wait_for(lambda: tab.snapshot.status is Status.RUNNING)
    tab.press_space("Pause")
    tab.wait_for(lambda: tab.snapshot.status is Status.PAUSED)


def test_space_plays_after_a_choice_by_pointer(tab):
    tab.choose("Activation", "tanh")
    tab.wait_for(lambda: tab.snapshot.config.model.activation.name == "tanh")
    expect(tab.page.get_by_role("listbox")).to_have_count(0)
    tab.press_space("Play")
    tab.wait_for(lambda: tab.snapshot.status is Status.RUNNING)
    expect(tab.page.get_by_role("listbox")).to_have_count(0)


def test_space_plays_after_a_menu_that_a_pointer_opened_was_closed_by_escape(tab):
    opens = tab.page.get_by_role("combobox", name=re.compile("^Activation"))
    opens.click()
    tab.page.get_by_role("listbox").wait_for()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("listbox")).to_have_count(0)
    tab.press_space("Play")
    tab.wait_for(lambda: tab.snapshot.status is Status.RUNNING)
    expect(tab.page.get_by_role("listbox")).to_have_count(0)


def test_space_stops_a_film_where_it_is_and_the_run_waits(tab):
    plays = tab.page.get_by_role("button", name="Film of this run")
    plays.click()
    expect(plays).to_have_attribute("aria-pressed", "true")
    tab.wait_for(lambda: tab.snapshot.looking_back)
    tab.page.keyboard.press(" ")
    expect(plays).to_have_attribute("aria-pressed", "false")
    tab.press("Back to now")  # whatever space did has been done before
    tab.wait_for(lambda: tab.snapshot.looking_back is None)
    assert tab.snapshot.run == 1 and not tab.snapshot.branches


def test_a_button_pressed_by_a_key_keeps_the_focus(tab):
    pressed = tab.page.get_by_role("button", name="Restart", exact=True)
    pressed.press("Enter")
    tab.wait_for(lambda: tab.snapshot.run == 2)
    expect(pressed).to_be_focused()


# Presses the tab as soon as there is one, which is before Bokeh has built the whole page.
PRESS_FIRST = """
const within = (element) => element.dataset?.tab == "Checks" ? element : tab(element.shadowRoot)
const tab = (root) => [...root?.querySelectorAll("*") ?? []].reduce(
  (found, element) => found ?? within(element), null)
function look() {
  const found = document.body && tab(document)
  if (found?.getClientRects().length > 0) {
    window.too_late = window.Bokeh.documents[0].is_idle
    found.click()
  } else {
    requestAnimationFrame(look)
  }
}
requestAnimationFrame(look)
"""


def test_what_is_pressed_while_the_page_opens_is_done(page, address):
    page.add_init_script(PRESS_FIRST)
    page.goto(f"{address}?pace=1")
    page.get_by_role("button", name="Run all checks").wait_for()
    assert page.evaluate("window.too_late") is False


def press_another(tab) -> None:
    """Press another button: once it has had its effect, so has everything before."""
    tab.press("Play")
    tab.wait_for(lambda: tab.text("status") == "running")
