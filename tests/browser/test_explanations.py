"""The pointer as a question mark, in a real browser: one walk through all that one can ask for."""

from tests.browser.explanations import all_explained
from tests.browser.tab import Tab
from tests.browser.test_accessibility import COLOURS, shuts_nobody_out

# Where the line of the validation loss lies furthest from that of the training loss.
ON_THE_LINE = """async () => {
    const {figures_in} = await import("/app/static/views.js")
    const [figure] = figures_in("loss")
    const {left, top} = figure.el.getBoundingClientRect()
    const {x_scale, y_scale} = figure.frame
    const train = window.babysit.model("loss").data
    const {x, validation} = window.babysit.model("loss.validation").data
    const apart = Array.from(x, (place, n) => {
        const row = Array.from(train.x).findIndex((other) => other >= place)
        return Math.abs(y_scale.compute(validation[n]) - y_scale.compute(train.train[row])) || 0
    })
    const n = apart.indexOf(Math.max(...apart))
    return [left + x_scale.compute(x[n]), top + y_scale.compute(validation[n])]
}"""
# Before the server can have said what it can explain.
ASKED_AT_ONCE = """async () => {
    const {find} = await import("/app/static/find.js")
    const restart = find(document.body, "[data-press=restart]")
    const {left, top, width, height} = restart.getBoundingClientRect()
    find(document.body, "[data-explains]").click()
    const [clientX, clientY] = [left + width / 2, top + height / 2]
    const layer = find(document.body, "babysit-question-mark").shadowRoot.querySelector(".layer")
    layer.dispatchEvent(new MouseEvent("click", {bubbles: true, composed: true, clientX, clientY}))
}"""
FOCUSED = """() => {
    let element = document.activeElement
    while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    return element.dataset.press ?? element.localName
}"""


def answered(tab: Tab, title: str) -> str:
    """The answer, once it is this one."""
    answer = tab.page.get_by_role("dialog", name="What is this?")
    answer.get_by_role("heading", name=title, exact=True).wait_for()
    return answer.inner_text()


def middle(tab: Tab, selector: str) -> tuple[float, float]:
    element = tab.page.locator(selector).first
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def explains_what_is_pressed(tab: Tab) -> None:
    """A slider is not turned, a button not pressed, and the plot says which line is meant."""
    page, mouse, keyboard = tab.page, tab.page.mouse, tab.page.keyboard
    page.get_by_role("button", name="What is this?").wait_for()
    page.evaluate(ASKED_AT_ONCE)
    answered(tab, "Restart")
    keyboard.press("Escape")
    mouse.click(*middle(tab, "babysit-question-mark .hint .text"))  # on what lies below it
    page.get_by_role("dialog", name="What is this?").wait_for()
    keyboard.press("Escape")
    mouse.click(*middle(tab, "[data-explain='setting learning_rate'] .MuiSlider-root"))
    assert "0.01" in answered(tab, "Learning rate")
    mouse.click(*middle(tab, "[data-press=restart]"))
    answered(tab, "Restart")
    keyboard.press("Escape")  # the answer may lie over what is asked for next
    mouse.click(*page.evaluate(ON_THE_LINE))
    assert tab.text("loss.validation") in answered(tab, "Validation loss")
    keyboard.press("Escape")
    mouse.click(*middle(tab, "[name=loss] .name:has-text('penalty')"))  # on two lines
    answered(tab, "Penalty")
    keyboard.press("Escape")
    mouse.click(*middle(tab, "[data-text='updates.W2']"))
    assert tab.text("updates.W2") in answered(tab, "Update / weight of a layer")
    shuts_nobody_out(tab)
    keyboard.press("Escape")
    keyboard.press("Escape")
    page.get_by_text("Press on anything").wait_for(state="hidden")


def explains_what_has_the_focus(tab: Tab) -> None:
    """By keyboard alone, and the focus comes back."""
    page, keyboard = tab.page, tab.page.keyboard
    page.locator("[data-press=play]").focus()
    keyboard.press("q")
    keyboard.press("Tab")
    keyboard.press("Shift+Tab")
    for key in ("Enter", " "):
        keyboard.press(key)
        answered(tab, "Play and Pause")
        keyboard.press("Escape")
        tab.wait_for(lambda: page.evaluate(FOCUSED) == "play")
    keyboard.press("r")
    keyboard.press("q")
    page.get_by_text("Press on anything").wait_for(state="hidden")


def explains_in_dialogs(tab: Tab) -> None:
    """Everything in each dialog has one; Material's dialogs keep the focus to themselves."""
    page, keyboard = tab.page, tab.page.keyboard
    for name in ("Data", "Runs", "Export", "Share", "Keys", "Explain the next step"):
        page.get_by_role("button", name=name, exact=True).click()
        page.locator("[role=dialog] button").first.wait_for()
        page.locator("[role=dialog]").get_by_text("A moment").wait_for(state="hidden")
        all_explained(tab)
        if name == "Export":
            keyboard.press("q")
            page.mouse.click(*middle(tab, "[role=dialog] button:has-text('CSV')"))
            answered(tab, "Curves")
            keyboard.press("Escape")
            keyboard.press("q")
        keyboard.press("Escape")
        page.locator("[role=dialog]:not(.answer)").wait_for(state="hidden")


def explains_folded_settings(tab: Tab) -> None:
    """Everything in the other tabs has an explanation, too: see test_accessibility.py."""
    while (folded := tab.page.locator(".settings button[aria-expanded=false]")).count():
        folded.first.click()
    all_explained(tab)


def tells_tabs_apart(tab: Tab) -> None:
    """What has the same name in two tabs is another thing in each."""
    tab.page.get_by_role("tab", name="Lessons").click()
    tab.page.keyboard.press("q")
    tab.page.mouse.click(*middle(tab, "summary:has-text('All lessons')"))
    answered(tab, "All lessons")
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("Escape")
    tab.page.get_by_role("tab", name="Knobs").click()


def leads_to_the_lesson_in_the_dark(tab: Tab) -> None:
    """The lesson about a thing is a press away."""
    tab.press("Toggle theme")
    tab.page.keyboard.press("q")
    tab.page.mouse.click(*middle(tab, "[data-explain='setting dropout'] .MuiSlider-root"))
    answered(tab, "Dropout")
    shuts_nobody_out(tab, COLOURS, within="role=dialog")
    tab.page.get_by_role("link", name="What if units are dropped").click()
    tab.page.get_by_role("tab", name="Lessons", selected=True).wait_for()
    tab.wait_for(lambda: tab.visit.lesson == "dropout")


def test_whatever_is_asked_for_with_the_question_mark_is_explained_and_not_done(tab):
    tab.train(1000)
    before = tab.snapshot
    explains_what_is_pressed(tab)
    explains_what_has_the_focus(tab)
    explains_in_dialogs(tab)
    now = tab.snapshot
    assert (now.run, now.step, now.config) == (before.run, before.step, before.config)
    explains_folded_settings(tab)
    tells_tabs_apart(tab)
    leads_to_the_lesson_in_the_dark(tab)
