"""The header at every width, from phone to wall: nothing overlaps, every action is reachable."""

import itertools

import pytest
from playwright.sync_api import expect

from tests.browser.tab import DRAWN_TWICE, ONE_PLOT, whole

QUERY = ONE_PLOT  # beside one plot: the header is the same

WIDTHS = (320, 390, 640, 768, 1024, 1280, 1440, 1920)  # 640: a laptop's 1280 at a zoom of 200 %
MENUS = ("Data", "Runs", "Export", "Share", "Keys", "Class", "What is this?", "Projector")
TRANSPORT = ("Step", "Explain the next step", "Epoch", "Restart", "New seed")
ACTIONS = (*TRANSPORT, "Open drawer", "Toggle theme", *MENUS)

# The buttons and text in the header, with their boxes.
PARTS = """() => {
    const all = (root) => [...root.querySelectorAll("*")].flatMap(
        (e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]
    )
    const header = all(document).find((e) => e.matches("header"))
    const parts = all(header).filter((e) => e.matches("button, h1, .counters, .word-of-run, a"))
    const boxes = parts.map((e) => [e.ariaLabel || e.innerText, e.getBoundingClientRect()])
    const inside = header.getBoundingClientRect()
    return [["", inside], ...boxes].filter(([_, box]) => box.width > 0).map(
        ([name, {left, right, top, bottom}]) => [name, left, right, top, bottom]
    )
}"""


# Where the buttons are that act on the run, while these words stand beside them.
BESIDE = """(words) => {
    const all = (root) => [...root.querySelectorAll("*")].flatMap(
        (e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]
    )
    const parts = all(all(document).find((e) => e.matches("header")))
    const names = ["title", "health", "epoch", "until"]
    const told = names.map((name) => parts.find((e) => e.dataset.text == name))
    const before = told.map((e) => e.textContent)
    told.forEach((e) => { e.textContent = words })
    const buttons = parts.filter((e) => e.matches(".transport button"))
    const places = buttons.map((e) => e.getBoundingClientRect().left)
    told.forEach((e, n) => { e.textContent = before[n] })
    return places
}"""


# The heights at which the buttons of the header are, while the run has this word.
ROWS = """(word) => {
    const all = (root) => [...root.querySelectorAll("*")].flatMap(
        (e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]
    )
    const parts = all(all(document).find((e) => e.matches("header")))
    parts.find((e) => e.dataset.text == "health").textContent = word
    const buttons = parts.filter((e) => e.matches(".transport button, .menus button, .more"))
    const boxes = buttons.map((e) => e.getBoundingClientRect()).filter(({width}) => width > 0)
    return [...new Set(boxes.map(({top, height}) => Math.round((top + height / 2) / 8)))]
}"""


# Which of these buttons are not where the mouse could press them: hidden, covered or disabled.
BEYOND_REACH = """(names) => {
    const all = (root) => [...root.querySelectorAll("*")].flatMap(
        (e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]
    )
    const pressed = ({left, right, top, bottom}) => {
        const [x, y] = [(left + right) / 2, (top + bottom) / 2]
        let found = document.elementFromPoint(x, y)
        for (let inner = found; inner != null; ) {
            found = inner
            inner = found.shadowRoot?.elementFromPoint(x, y)
            if (inner == found) break
        }
        return found
    }
    const reached = (button) => !button.disabled
        && button.contains(pressed(button.getBoundingClientRect()))
    const buttons = all(document).filter((e) => e.matches("button")).filter(reached)
    const names_reached = buttons.map((button) => button.ariaLabel || button.title)
    return names.filter((name) => !names_reached.includes(name))
}"""


def without_sidebar(tab) -> None:
    """Close the sidebar, which then never covers the header."""
    whole(tab)
    tab.press("Pause")  # drawing takes longest
    tab.press("Close drawer")
    tab.page.get_by_role("button", name="Open drawer").wait_for()


@pytest.fixture
def narrow(kept_tab):
    """A page with a closed sidebar, for tests that leave it in ordinary type and without menus."""
    return kept_tab(without_sidebar)


@pytest.mark.parametrize("style", ["desk", "projector"])
def test_nothing_overlaps_or_leaves_the_header(narrow, style):
    if style == "projector":
        narrow.press("Projector")
    for width in WIDTHS:
        narrow.page.set_viewport_size({"width": width, "height": 800})
        narrow.wait_for(lambda width=width: faults(narrow.page.evaluate(PARTS), width) == [])
    if style == "projector":
        narrow.page.keyboard.press("p")
        narrow.wait_for(lambda: not in_projector_mode(narrow))


def test_every_action_is_reachable_by_mouse(narrow):
    def beyond(names) -> list[str]:
        return narrow.page.evaluate(BEYOND_REACH, names)

    for width in WIDTHS:
        narrow.page.set_viewport_size({"width": width, "height": 800})
        narrow.page.mouse.move(0, 400)  # or the tip of a button may lie over another
        narrow.wait_for(lambda: set(beyond(ACTIONS)) <= set(MENUS))
        if in_menu := beyond(ACTIONS):
            narrow.page.get_by_role("button", name="More", exact=True).click()
            narrow.wait_for(lambda in_menu=in_menu: beyond(in_menu) == [])
            narrow.page.keyboard.press("Escape")
            narrow.wait_for(lambda in_menu=in_menu: set(beyond(in_menu)) == set(in_menu))


def test_every_action_is_reachable_by_keyboard(narrow):
    narrow.page.set_viewport_size({"width": 390, "height": 800})
    narrow.page.get_by_role("button", name="More", exact=True).focus()
    narrow.page.keyboard.press("Enter")  # the list opens at its first entry
    for name in MENUS:
        expect(narrow.page.get_by_role("button", name=name, exact=True)).to_be_focused()
        if name != MENUS[-1]:
            narrow.page.keyboard.press("Tab")
    narrow.page.keyboard.press("Enter")  # the last entry is Projector
    narrow.wait_for(lambda: in_projector_mode(narrow))
    more = narrow.page.get_by_role("button", name="Data", exact=True)
    narrow.wait_for(lambda: not more.is_visible())  # the menu has closed
    narrow.page.keyboard.press("p")
    narrow.wait_for(lambda: not in_projector_mode(narrow))


def in_projector_mode(tab) -> bool:
    return tab.page.evaluate("document.documentElement.style.fontSize") != ""


def test_a_menu_opens_its_dialog_on_a_phone(narrow):
    narrow.page.set_viewport_size({"width": 390, "height": 800})
    narrow.page.get_by_role("button", name="More", exact=True).click()
    narrow.page.get_by_role("button", name="Keys", exact=True).click()
    narrow.page.get_by_role("dialog").wait_for()
    narrow.page.keyboard.press("Escape")
    narrow.page.get_by_role("dialog").wait_for(state="hidden")


def test_the_header_keeps_its_rows_when_the_word_of_the_run_changes(narrow):
    for width in (1024, 1280, 1366, 1440):  # 1366 is the most frequent screen of laptops
        narrow.page.set_viewport_size({"width": width, "height": 800})
        narrow.page.evaluate(DRAWN_TWICE)
        short, long = (narrow.page.evaluate(ROWS, word) for word in ("x", "overshooting"))
        assert short == long
        assert width < 1280 or len(long) == 1


def test_in_a_hall_a_laptop_has_one_row_and_no_row_touches_the_edge(narrow):
    def rows(word: str) -> int:
        return len(narrow.page.evaluate(ROWS, word))

    def off_the_edges() -> bool:
        (_, *header), *parts = narrow.page.evaluate(PARTS)
        return all(box[2] >= header[2] + 4 and box[3] <= header[3] - 4 for _, *box in parts)

    narrow.press("Projector")
    narrow.wait_for(lambda: in_projector_mode(narrow))
    for width, wanted in {1366: 1, 1280: 2}.items():
        narrow.page.set_viewport_size({"width": width, "height": 768})
        for word in ("x", "overshooting"):
            narrow.wait_for(lambda word=word, wanted=wanted: rows(word) == wanted)
        narrow.wait_for(off_the_edges)
    narrow.page.keyboard.press("p")
    narrow.wait_for(lambda: not in_projector_mode(narrow))


@pytest.mark.parametrize("width", [560, 640, 680, 768])
def test_no_button_is_alone_in_a_row(narrow, width):
    def rows() -> list[int]:
        return narrow.page.evaluate(ROWS, "overshooting")

    narrow.page.set_viewport_size({"width": width, "height": 800})
    narrow.wait_for(lambda: narrow.page.evaluate("innerWidth") == width and len(rows()) == 1)


def test_no_button_moves_under_the_mouse_when_words_change(narrow):
    narrow.page.set_viewport_size({"width": 1440, "height": 800})
    narrow.page.evaluate(DRAWN_TWICE)
    short, long = (narrow.page.evaluate(BESIDE, words) for words in ("x", "x" * 24))
    assert len(short) > 5 and short == long


def faults(parts: list, width: int) -> list[str]:
    """The parts that overlap, or lie outside the header."""
    (_, *header), *parts = parts
    found = [name for name, *box in parts if not within(box, header)]
    if header[1] > width:
        found.append("the header itself")
    pairs = itertools.combinations(parts, 2)
    return found + [f"{a} over {b}" for (a, *one), (b, *other) in pairs if overlap(one, other)]


def within(box: list[float], other: list[float]) -> bool:
    return (
        box[0] >= other[0] - 1
        and box[1] <= other[1] + 1
        and box[2] >= other[2] - 1
        and box[3] <= other[3] + 1
    )


def overlap(one: list[float], other: list[float]) -> bool:
    across = min(one[1], other[1]) - max(one[0], other[0])
    return across > 1 and min(one[3], other[3]) - max(one[2], other[2]) > 1
