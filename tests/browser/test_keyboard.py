"""The page by keyboard: every shortcut, the controls that Tab reaches, and sliders."""

import pytest
from playwright.sync_api import expect

from app import theme
from app.page.keyboard import KEYS
from engine import Status

QUERY = "hide=accuracy,activations"  # keys change the other plots

# The element that has the focus, inside all shadow roots.
DEEPEST = """((element) => {
    while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    return element
})(document.activeElement)"""
HOLDS_FOCUS = f"""(dialog) => {{
    let element = {DEEPEST}
    while (element != null && element != dialog) {{
        element = element.parentNode ?? element.host
    }}
    return element != null
}}"""
AROUND = f"""() => {{
    const element = {DEEPEST}
    const box = element.getBoundingClientRect()
    const [x, y] = [Math.max(box.x - 12, 0), Math.max(box.y - 12, 0)]
    const clip = {{x, y, width: box.width + 24, height: box.height + 24}}
    return [element.ariaLabel ?? element.innerText ?? "", clip]
}}"""


def learning_rate(tab) -> float:
    return tab.snapshot.config.optimization.learning_rate


def wait_for_status(tab, status: str) -> None:
    tab.wait_for(lambda: tab.text("status") == status)


def test_space_pauses_and_plays_and_a_dot_steps(shared):
    shared.play()
    shared.page.keyboard.press("Space")
    wait_for_status(shared, "paused")
    step = shared.snapshot.step
    shared.page.keyboard.press(".")
    shared.wait_for(lambda: shared.text("step") == f"{step + 1:,}")
    shared.page.keyboard.press("Space")
    wait_for_status(shared, "running")


def test_space_on_a_focused_button_acts_once(tab):
    tab.page.get_by_role("button", name="Play").focus()
    tab.page.keyboard.press("Space")
    wait_for_status(tab, "running")
    tab.page.keyboard.press("]")  # a second key press, which would pause, would come before it
    tab.wait_for(lambda: learning_rate(tab) == 0.012)
    assert tab.snapshot.status is Status.RUNNING


def test_space_works_from_a_slider_that_has_just_been_turned(tab):
    tab.slide("Learning rate", "ArrowRight")
    tab.page.keyboard.press("Space")
    wait_for_status(tab, "running")


def test_r_restarts(tab):
    tab.page.keyboard.press("r")
    tab.wait_for(lambda: tab.snapshot.run == 2)
    assert tab.snapshot.config.seed == 0


HOLD = """([key, times]) => {
    for (let time = 0; time < times; time++) {
        const event = new KeyboardEvent("keydown", {key, repeat: time > 0, bubbles: true})
        document.body.dispatchEvent(event)
    }
}"""


def test_a_held_key_acts_once(tab):
    tab.page.evaluate(HOLD, ["r", 5])
    tab.page.evaluate(HOLD, ["]", 5])  # too fast to see: handled once too
    tab.wait_for(lambda: learning_rate(tab) == 0.012)
    assert tab.snapshot.run == 2


def test_a_held_nudge_repeats(tab):
    keyboard = tab.page.keyboard

    def held() -> bool:
        keyboard.down("]")  # all but the first are key repeats
        return learning_rate(tab) >= 0.02

    tab.wait_for(held)
    keyboard.up("]")


def test_brackets_turn_the_learning_rate_by_a_stop(tab):
    tab.page.keyboard.press("]")
    tab.wait_for(lambda: learning_rate(tab) == 0.012)
    tab.page.keyboard.press("[")
    tab.wait_for(lambda: learning_rate(tab) == 0.01)
    tab.page.keyboard.press("[")
    tab.wait_for(lambda: learning_rate(tab) == 0.008)
    slider = tab.page.get_by_role("slider", name="Learning rate")
    tab.wait_for(lambda: slider.get_attribute("aria-valuetext") == "0.008")
    assert tab.snapshot.run == 1


def test_a_question_mark_lists_every_key_and_escape_closes_the_list(shared):
    step = shared.snapshot.step
    shared.page.keyboard.press("?")
    dialog = shared.page.get_by_role("dialog")
    dialog.wait_for()
    for does in KEYS.values():
        dialog.get_by_text(does, exact=True).wait_for()
    shared.page.keyboard.press(".")  # ignored while a dialog is open
    shared.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    shared.page.keyboard.press(".")
    shared.wait_for(lambda: shared.text("step") == f"{step + 1:,}")


STAY = """() => {
    window.stay = (event) => event.preventDefault()
    addEventListener("keydown", stay, true)
}"""


def test_shortcuts_with_control_are_left_to_the_browser(shared):
    step = shared.channel("step")
    shared.page.evaluate(STAY)  # this browser would load the page again
    shared.page.keyboard.press("Control+r")
    shared.page.evaluate("removeEventListener('keydown', stay, true)")
    shared.page.keyboard.press(".")  # by then it would have acted
    shared.wait_for(lambda: shared.channel("step") > step)
    assert shared.snapshot.run == 1


def test_no_shortcut_acts_in_a_text_field(shared):
    field = shared.page.get_by_role("textbox", name="Hidden layers")
    written = field.input_value()
    field.focus()
    before, pace = shared.snapshot, shared.visit.handle.pace
    for typed, key in enumerate(KEYS, start=1):
        shared.page.keyboard.type(key)
        assert len(field.input_value()) == len(written) + typed, key
    field.fill(written)
    field.blur()
    shared.page.keyboard.press(".")  # acts again, after all that was typed
    shared.wait_for(lambda: shared.snapshot.step > before.step)
    after = shared.snapshot
    assert after.step == before.step + 1
    assert (after.status, after.run, after.config) == (before.status, before.run, before.config)
    assert after.markers == before.markers  # one knob turned there and back leaves two
    assert shared.visit.handle.pace == pace
    expect(shared.page.get_by_role("dialog")).to_have_count(0)
    assert type_size(shared) == 16


def test_layers_are_added_and_taken_away_by_keyboard_alone(tab):
    tab.page.get_by_role("textbox", name="Hidden layers").focus()
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    tab.wait_for(lambda: tab.snapshot.config.model.hidden == (64, 64, 64))
    tab.page.locator('[data-text="updates.W4"]').wait_for()
    tab.page.keyboard.press("Shift+Tab")
    for _ in range(2):
        tab.page.keyboard.press("Space")
    tab.wait_for(lambda: tab.snapshot.config.model.hidden == (64,))


def test_folded_settings_are_reached_by_keyboard(tab):
    tab.page.get_by_role("button", name="schedule").focus()
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("slider", name="Warm-up").wait_for()
    tab.slide("Warm-up", "End")
    tab.wait_for(lambda: tab.snapshot.config.optimization.warm_up == 10_000)
    tab.page.get_by_role("button", name="schedule").focus()
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("slider", name="Warm-up").wait_for(state="detached")


def test_focus_is_visible_wherever_tab_leads(tab):
    tab.page.evaluate(DEEPEST + ".blur()")
    names = set()
    for _ in range(12):
        tab.page.keyboard.press("Tab")
        name, around = tab.page.evaluate(AROUND)
        tab.settle()
        focused = tab.page.screenshot(clip=around)
        element = tab.page.evaluate_handle(DEEPEST)
        element.evaluate("element => element.blur()")
        tab.settle()
        assert tab.page.screenshot(clip=around) != focused, name
        element.evaluate("element => element.focus()")  # the next Tab continues from here
        names.add(name)
    assert len(names) >= 10


def test_p_switches_projector_mode_on_and_off(tab):
    desk = style_of_loss(tab)
    tab.page.keyboard.press("p")
    tab.wait_for(lambda: type_size(tab) == 20)
    tab.wait_for(lambda: style_of_loss(tab)["line"] == theme.PROJECTOR.line_width)
    hall = style_of_loss(tab)
    assert hall["ticks"] == theme.PROJECTOR.small
    assert hall["headline"] == pytest.approx(1.25 * desk["headline"])
    tab.wait_for(lambda: len(tab.source("loss")["step"]) > 5)
    tab.press("Projector")
    tab.wait_for(lambda: type_size(tab) == 16 and style_of_loss(tab) == desk)


def type_size(tab) -> float:
    return float(
        tab.page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    )


def style_of_loss(tab) -> dict[str, object]:
    """The sizes of lines and type in the loss plot, once it has one, and in its headline."""
    heading = tab.page.get_by_role("heading", name="Loss")
    size = "(heading) => parseFloat(getComputedStyle(heading).fontSize)"
    return {"headline": heading.evaluate(size)} | tab.page.wait_for_function(
        """() => {
            const plot = window.babysit.model("view:loss")
            const lines = plot?.renderers.filter((r) => r.glyph?.type == "Line")
            return plot && {
                line: Math.max(...lines.map((r) => r.glyph.line_width.value ?? r.glyph.line_width)),
                ticks: plot.left[0].major_label_text_font_size,
            }
        }"""
    ).json_value()


def test_the_expected_ratio_is_shown_while_the_rate_is_dragged(tab):
    tab.wait_for(lambda: tab.source("updates.ends")["step"])
    box = tab.page.get_by_role("slider", name="Learning rate").locator("xpath=..").bounding_box()
    tab.page.mouse.move(box["x"] + 5, box["y"] + 5)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 30, box["y"] + 5, steps=5)
    tab.wait_for(lambda: len(tab.source("updates.ghost")["y"]) == 3)
    assert learning_rate(tab) == 0.01  # until the slider is released
    tab.page.mouse.up()
    tab.wait_for(lambda: learning_rate(tab) > 0.01)


ACTIVE = """() => {
    let active = document.activeElement
    while (active?.shadowRoot?.activeElement != null) { active = active.shadowRoot.activeElement }
    return active?.dataset.press ?? active?.dataset.tab ?? null
}"""


def test_arrow_keys_go_from_tab_to_tab(tab):
    tab.page.get_by_role("tab", name="Signal").focus()
    for key, name in (("ArrowRight", "Health"), ("ArrowLeft", "Signal"), ("ArrowLeft", "A | B")):
        tab.page.keyboard.press(key)
        tab.wait_for(lambda name=name: tab.page.evaluate(ACTIVE) == name)
        chosen = tab.page.get_by_role("tabpanel", name=name)
        chosen.wait_for()
        expect(tab.page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
    tab.page.get_by_role("tab", name="Health").click()
    tab.page.get_by_role("heading", name="Health").wait_for()


def test_unfolding_keeps_the_focus(tab):
    tab.page.get_by_role("button", name="convolutions").focus()
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("textbox", name="Convolutions").wait_for()
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("textbox", name="Convolutions").wait_for(state="hidden")


@pytest.mark.parametrize("name", ["Keys", "Share", "Explain the next step"])
def test_a_dialog_keeps_the_focus_and_gives_it_back_to_its_button(tab, name):
    opens = tab.page.get_by_role("button", name=name, exact=True)
    dialog = tab.page.get_by_role("dialog")
    closes = dialog.get_by_role("button", name="close", exact=True)
    opens.press("Enter")
    closes.wait_for()
    closes.focus()
    for key in ("Shift+Tab", "Shift+Tab", "Tab", "Tab", "Tab", "Shift+Tab"):
        tab.page.keyboard.press(key)
        tab.wait_for(lambda: dialog.evaluate(HOLDS_FOCUS))
    tab.page.keyboard.press("Escape")
    expect(opens).to_be_focused()
    dialog.wait_for(state="hidden")
