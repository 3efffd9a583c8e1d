"""A press does what the button says on which it began, whatever the page does meanwhile."""

import pytest

WRITE_ANEW = "(button) => button.replaceWith(button.cloneNode(true))"


@pytest.fixture
def button(tab):
    """What unfolds the maximum norm, with the pointer held down on it."""
    button = tab.page.locator("[data-press='more Regularization']")
    button.hover()
    tab.page.mouse.down()
    return button


def test_a_button_is_pressed_though_the_page_moves_it_away_meanwhile(tab, button):
    before = button.bounding_box()
    tab.page.locator("[data-press='more Training']").dispatch_event("click")
    tab.wait_for(lambda: button.bounding_box()["y"] > before["y"] + before["height"])
    tab.page.mouse.up()
    max_norm(tab).wait_for()


def test_a_button_is_pressed_though_it_is_written_anew_meanwhile(tab, button):
    button.evaluate(WRITE_ANEW)
    tab.page.mouse.up()
    max_norm(tab).wait_for()


def test_whoever_draws_the_pointer_away_has_not_pressed(tab, button):
    x, y = 700, 450
    tab.page.mouse.move(x, y)
    tab.page.mouse.up()
    press_another(tab)
    assert max_norm(tab).count() == 0


def test_a_button_that_is_of_no_use_meanwhile_is_not_pressed(tab, button):
    button.evaluate("(button) => button.disabled = true")
    tab.page.mouse.up()
    press_another(tab)
    assert max_norm(tab).count() == 0


def test_a_press_counts_once(tab, button):
    tab.page.mouse.up()
    max_norm(tab).wait_for()
    press_another(tab)
    assert max_norm(tab).is_visible()


def press_another(tab) -> None:
    """Whatever was pressed before has had its effect when this one has."""
    tab.page.locator("[data-press='more Training']").click()
    tab.page.get_by_role("slider", name="Warm-up").wait_for()


def max_norm(tab):
    return tab.page.get_by_role("slider", name="Max norm")
