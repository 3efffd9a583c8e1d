"""The page from phone to wall: nothing is cut off, and every plot can be reached."""

import pytest
from playwright.sync_api import ViewportSize, expect

from app.explained_step.stages import STAGES
from tests.browser.tab import DRAWN_TWICE, ONE_PLOT, Tab, whole

SCREENS = {390: 844, 1024: 768, 2560: 1440, 1440: 900}
OPENED = {1024: 390, 1440: 2560}  # the others come to be by a change of the window
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

# Keeps, of each frame that is painted, how high the first card lies.
EACH_FRAME = """() => {
    window.tops = []
    const look = () => {
        const all = (root) => [...root.querySelectorAll("*")].flatMap(
            (e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]
        )
        const card = all(document).find((e) => e.localName == "babysit-view")
        if (card != null) window.tops.push(card.getBoundingClientRect().top)
        requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
}"""
# Pixels between the words of neighbouring ticks below the plot of an autopsy.
TICKS_APART = """async () => {
    const figure = window.babysit.model("view:autopsy")
    figure.x_range.setv({start: 23451, end: 23500})
    for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame)
    const view = Bokeh.index.find_one(figure)
    const axis = [...view.owner.query((v) => v.model == figure.below[0])][0]
    const places = [...axis.tick_coords.major[0]].map((x) => view.frame.x_scale.compute(x))
    const words = axis.compute_labels(axis.tick_coords.major[0]).items.map((item) => item.text)
    const pen = document.createElement("canvas").getContext("2d")
    pen.font = "11px sans-serif"
    const widths = words.map((text) => pen.measureText(text).width)
    return places.slice(1).map((x, n) => x - places[n] - (widths[n] + widths[n + 1]) / 2)
}"""
MEASURED = "document.documentElement.style.getPropertyValue('--header') != ''"
A_HAIR = 3  # pixels: what other fonts make of two rows

# The titles of figures that are wider than their axes, or higher than what is above those, and the
# words after bars that end beyond the figure.
CUT = """(figures) => {
    const titled = [...Bokeh.index].filter(({el}) => figures.contains(el))
        .filter(({model}) => model.type == "Figure" && model.title?.text)
    const pen = document.createElement("canvas").getContext("2d")
    const cut = titled.filter(({model: {title}, frame: {bbox}}) => {
        pen.font = `${title.text_font_size} ${title.text_font}`
        const lines = title.text.split("\\n")
        const high = lines.length * Number.parseFloat(title.text_font_size)
        return high > bbox.top || lines.some((line) => pen.measureText(line).width > bbox.width)
    })
    const words = titled.flatMap(({model, frame, bbox}) => {
        const size = model.title.text_font_size
        pen.font = `${size} ${model.title.text_font}`
        const texts = model.renderers.filter(({glyph}) => glyph.type == "Text")
        return texts.flatMap(({data_source: {data: {length = [], words = []}}}) => {
            return [...words].filter((word, n) =>
                frame.x_scale.compute(length[n]) + 5 + pen.measureText(word).width > bbox.width)
        })
    })
    const aside = figures.scrollWidth > figures.clientWidth ? ["all"] : []
    const titles = cut.map(({model}) => model.title.text)
    return titled.length == 2 ? [...titles, ...words, ...aside] : null
}"""

# The tables that are wider than their place.
ASIDE = """(panel) => [...panel.querySelectorAll(".scrolls")]
    .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.ariaLabel)"""


@pytest.fixture(params=SCREENS, ids=str, scope="module")
def size(request) -> ViewportSize:
    return ViewportSize(width=request.param, height=SCREENS[request.param])


@pytest.fixture
def screen(kept_tab, size) -> Tab:
    """A page on such a screen."""
    width = OPENED.get(size["width"], size["width"])
    tab = kept_tab(begun, ViewportSize(width=width, height=SCREENS[width]))
    tab.page.set_viewport_size(size)
    return tab


def begun(tab) -> None:
    """The page, paused as drawing takes longest; some screens hide its settings."""
    tab.wait_for_frames(3)
    tab.press("Pause")


def test_on_a_phone_the_sidebar_opens_on_request(kept_tab):
    tab = kept_tab(begun, ViewportSize(width=390, height=844))
    menu = tab.page.get_by_role("combobox", name="Activation")
    expect(menu).to_be_hidden()
    tab.press("Open drawer")
    menu.wait_for()
    tab.choose("Activation", "tanh")
    tab.page.keyboard.press("Escape")
    menu.wait_for(state="hidden")
    tab.wait_for(lambda: tab.text("title") == "He + tanh on digits")


@pytest.mark.parametrize("wide", [390, 1024])
def test_the_stages_of_an_explained_step_move_no_button_and_need_no_scrolling_aside(kept_tab, wide):
    tab = kept_tab(begun, ViewportSize(width=wide, height=SCREENS[wide]))
    tab.page.keyboard.press("i")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("tab", name="1 Batch").wait_for()
    following = dialog.get_by_role("button", name="Next")
    place = following.bounding_box()
    for name in STAGES[1:]:
        following.click()
        panel = dialog.get_by_role("tabpanel", name=name)
        expect(panel).to_be_visible()
        assert panel.evaluate(ASIDE) == []
        tab.wait_for(lambda: following.bounding_box() == place)  # under the same finger


def test_words_above_a_plot_take_another_line_where_they_are_long(kept_tab):
    tab = kept_tab(begun, ViewportSize(width=390, height=SCREENS[390]))
    tab.page.get_by_role("tab", name="A | B").click()
    words = tab.page.locator('[data-text="between.words"]')
    expect(words).to_contain_text("to train two runs from one step", use_inner_text=True)
    card = tab.page.locator("babysit-view[name=between]")
    tab.wait_for(lambda: right(words) <= right(card))


def test_on_a_phone_the_open_tab_is_in_sight_and_no_title_of_a_figure_is_cut(kept_tab):
    tab = kept_tab(begun, ViewportSize(width=390, height=SCREENS[390]))
    for name, view in (("Autopsy", "autopsy"), ("Functions", "functions"), ("Cost", "cost")):
        tab.page.evaluate("view => window.babysit.point_at(view)", view)
        chosen = tab.page.get_by_role("tab", name=name)
        tab.wait_for(lambda chosen=chosen: 0 <= chosen.bounding_box()["x"] <= right(chosen) <= 390)
        card = tab.page.locator(f"babysit-view[name={view}] .figures")
        tab.wait_for(lambda card=card: card.evaluate(CUT) == [])


def test_on_a_phone_the_timeline_marks_a_change_though_no_plot_is_in_sight(kept_tab):
    tab = kept_tab(begun, ViewportSize(width=390, height=SCREENS[390]))
    tab.page.locator("body").evaluate("() => scrollTo(0, document.body.scrollHeight)")
    tab.page.keyboard.press("]")
    tab.wait_for(lambda: tab.snapshot.markers)
    mark = tab.page.locator(".marks .change")
    expect(mark).to_have_count(1)
    tab.page.keyboard.press("r")
    tab.wait_for(lambda: not tab.snapshot.markers)
    expect(mark).to_have_count(0)


def right(element) -> float:
    box = element.bounding_box()
    return box["x"] + box["width"]


def test_nothing_is_wider_than_the_screen(screen, size):
    assert screen.page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert screen.page.evaluate(HEADER) == []


def test_every_plot_can_be_scrolled_to_and_fills_its_card(screen, size):
    for name in VIEWS:
        screen.wait_for(lambda name=name: fits(screen.page.evaluate(PLOT, name)))
        box = screen.page.evaluate(PLOT, name)
        assert box["left"] >= 0 and box["right"] <= size["width"], name
        assert box["top"] >= 0 and box["bottom"] <= size["height"], name
        assert box["width"] > 250, name
    screen.page.get_by_role("tab", name="Health").click()
    screen.wait_for(lambda: fits(screen.page.evaluate(PLOT, "health")))


def fits(box: dict[str, float] | None) -> bool:
    """Whether a plot exists, and is as wide as its card."""
    return box is not None and abs(box["drawn"] - box["width"]) <= 2


@pytest.fixture
def laptop(kept_tab) -> Tab:
    """The page with its settings, on a screen that a wider window was moved to."""
    tab = kept_tab(begun, ViewportSize(width=2560, height=1440))
    whole(tab)
    tab.page.set_viewport_size({"width": 1440, "height": 900})
    return tab


def test_everyday_settings_need_no_scrolling_on_a_laptop(laptop):
    laptop.settle()
    for label in ("Data set", "Activation", "Learning rate", "Batch size", "L2 strength"):
        control = laptop.page.get_by_label(label).first
        box = control.bounding_box()
        assert box and box["y"] + box["height"] <= 900, label


def test_the_tabs_of_the_sidebar_stay_when_the_knobs_are_scrolled(laptop):
    laptop.page.set_viewport_size({"width": 1280, "height": 500})
    tabs = laptop.page.get_by_role("tab", name="Knobs")
    before = tabs.bounding_box()
    last = laptop.page.get_by_role("slider", name="L2 strength")
    last.scroll_into_view_if_needed()
    laptop.wait_for(lambda: last.bounding_box()["y"] < 500)
    after = tabs.bounding_box()
    assert abs(after["y"] - before["y"]) < 10
    tabs.click(trial=True)  # nothing covers it


FOOT_OF_PLOT = """() => Bokeh.index.find_one(
    window.babysit.model("view:loss")).el.getBoundingClientRect().bottom"""


def test_the_strip_of_a_class_covers_nothing_that_the_diagnosis_says(laptop):
    page = laptop.page
    page.set_viewport_size({"width": 1280, "height": 720})
    page.locator("[data-press=class]").first.click()
    page.get_by_label("Nickname").wait_for()
    says, card = page.locator("[data-explain=findings]").first, page.locator("[name=loss]").first
    strip = page.locator(".babysit-class .strip")
    laptop.wait_for(lambda: foot(says) <= strip.bounding_box()["y"])
    laptop.wait_for(lambda: page.evaluate(FOOT_OF_PLOT) <= foot(card))  # with its axis


def foot(element) -> float:
    box = element.bounding_box()
    return box["y"] + box["height"]


def test_plots_resize_when_the_sidebar_closes(laptop):
    laptop.wait_for(lambda: fits(laptop.page.evaluate(PLOT, "loss")))
    before = laptop.page.evaluate(PLOT, "loss")["drawn"]
    laptop.press("Close drawer")
    laptop.wait_for(lambda: laptop.page.evaluate(PLOT, "loss")["drawn"] > before + 100)
    laptop.wait_for(lambda: fits(laptop.page.evaluate(PLOT, "loss")))
    laptop.press("Open drawer")
    laptop.page.get_by_role("button", name="Close drawer").wait_for()


@pytest.mark.parametrize("width", [390, 600, 768, 1280])
def test_the_cards_lie_where_they_will_stay_from_the_first_frame_on(page, address, width):
    page.set_viewport_size({"width": width, "height": 720})
    page.add_init_script(f"({EACH_FRAME})()")
    page.goto(f"{address}?{ONE_PLOT}")
    page.wait_for_function(f"window.babysit?.frames > 0 && {MEASURED}")
    page.evaluate(DRAWN_TWICE)
    tops = page.evaluate("window.tops")
    assert max(tops) - min(tops) <= A_HAIR, tops


def test_the_steps_below_the_autopsy_of_a_long_run_stand_apart_on_a_phone(page, address):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}?{ONE_PLOT.replace(',inside', '')}")
    page.get_by_role("tab", name="Autopsy").click()
    page.wait_for_function("window.babysit.model('view:autopsy') != null")
    page.wait_for_function("Bokeh.index.find_one(window.babysit.model('view:autopsy')) != null")
    gaps = page.evaluate(TICKS_APART)
    assert len(gaps) > 0 and min(gaps) > 0, gaps
