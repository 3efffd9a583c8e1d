"""The page from a phone to a wall: nothing is cut off, and every plot can be reached."""

import pytest

SCREENS = {390: 844, 1024: 768, 1440: 900, 2560: 1440}
VIEWS = ("loss", "accuracy", "updates", "activations")
PLOT = """name => {
    const view = Bokeh.index.find_one(window.babysit.model(`view:${name}`))
    if (view == null) return null // not drawn yet
    view.el.scrollIntoView({block: "center"})
    const {left, right, top, bottom, width} = view.el.getBoundingClientRect()
    return {left, right, top, bottom, width, drawn: view.bbox.width}
}"""
HEADER = """() => {
    const cut = []
    const all = (root) => [...root.querySelectorAll("*")].flatMap(
        (e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]
    )
    const header = all(document).find((e) => e.matches("header"))
    const bottom = header.getBoundingClientRect().bottom
    for (const element of all(header).filter((e) => e.matches("button, [data-text]"))) {
        const box = element.getBoundingClientRect()
        const seen = box.width > 0 && getComputedStyle(element).display != "none"
        const inside = box.left >= 0 && box.right <= innerWidth 
            && box.top >= 0 && box.bottom <= bottom
        if (seen && !inside) {
            cut.push(element.innerText)
        }
    }
    return cut
}"""


@pytest.fixture(params=SCREENS, ids=str)
def screen(request, tab) -> tuple[int, int]:
    width, height = request.param, SCREENS[request.param]
    tab.page.set_viewport_size({"width": width, "height": height})
    tab.page.reload()
    tab.wait_for_frames(3)
    return width, height


def test_nothing_is_wider_than_the_screen(tab, screen):
    width, _ = screen
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    assert tab.page.evaluate(HEADER) == []


def test_every_plot_can_be_scrolled_to_and_fills_its_place(tab, screen):
    width, height = screen
    for name in VIEWS:
        tab.wait_for(lambda name=name: fits(tab.page.evaluate(PLOT, name)))
        box = tab.page.evaluate(PLOT, name)
        assert box["left"] >= 0 and box["right"] <= width, name
        assert box["top"] >= 0 and box["bottom"] <= height, name
        assert box["width"] > 250, name
    tab.page.get_by_role("tab", name="Health").click()
    tab.wait_for(lambda: fits(tab.page.evaluate(PLOT, "health")))


def fits(box: dict[str, float] | None) -> bool:
    """Whether a plot is there, and drawn as wide as the room it has."""
    return box is not None and abs(box["drawn"] - box["width"]) <= 2


def test_on_a_phone_the_knobs_come_when_they_are_called(tab):
    tab.page.set_viewport_size({"width": 390, "height": 844})
    tab.page.reload()
    tab.wait_for_frames(3)
    menu = tab.page.get_by_role("combobox", name="Activation")
    assert not menu.is_visible()
    tab.press("Open drawer")
    menu.wait_for()
    tab.choose("Activation", "tanh")
    tab.page.keyboard.press("Escape")
    menu.wait_for(state="hidden")
    tab.wait_for(lambda: tab.text("title") == "He + tanh on digits")


def test_plots_follow_when_the_sidebar_goes(tab):
    before = tab.page.evaluate(PLOT, "loss")["drawn"]
    tab.press("Close drawer")
    tab.wait_for(lambda: tab.page.evaluate(PLOT, "loss")["drawn"] > before + 100)
    tab.wait_for(lambda: fits(tab.page.evaluate(PLOT, "loss")))


def test_everyday_knobs_need_no_scrolling_on_a_laptop(tab):
    tab.wait_for_frames(3)
    for label in ("Data set", "Activation", "Learning rate", "Batch size", "L2 strength"):
        control = tab.page.get_by_label(label).first
        box = control.bounding_box()
        assert box and box["y"] + box["height"] <= 900, label
