"""Whatever a link hides, the remaining plots fill the screen."""

import pytest

from app.panels import PANELS
from app.plots import VIEWS, view_of
from app.sharing.run_links import PARTS, hideable
from tests.browser.conftest import PATIENCE
from tests.browser.tab import at_test_pace, wait_for

SCREENS = {1440: 900, 1920: 1080, 1280: 720, 390: 844}
SIDEBAR = 290  # pixels, beside the plots, unless it covers them
PHONE = 600
GAP = 12  # between plots, and at the edges
SCROLLBAR = 16
MAIN = [name for name in VIEWS if view_of(name).tab == ""]
TABS = [name for name in VIEWS if view_of(name).tab not in ("", "Search")]
NAMES = hideable()
CONTROLS = [name for name, told in NAMES.items() if told.startswith("Knob: ")]
SIDEBAR_HAS = (*map(str.lower, PANELS), "learning-rate", "activation")
ROLES = {
    **{plot: ("heading", view_of(plot).title) for plot in MAIN},
    **{panel.lower(): ("tab", panel) for panel in PANELS},
    "transport": ("button", "Pause"),
    "menus": ("button", "Share"),
    "inside": ("tab", "Signal"),
    "learning-rate": ("slider", "Learning rate"),
    "activation": ("combobox", "Activation"),
}
ABOVE = ("transport", "menus", "timeline", "lane")
# Opening a page takes long: what lies apart on it is hidden together.
HIDDEN = [
    ",".join((*(part for part in PARTS if part != "sidebar"), *PANELS)).lower(),
    ",".join((*ABOVE[:2], *MAIN[:2], "sidebar", *TABS)),
    ",".join((*ABOVE[2:], *MAIN[2:], *CONTROLS)),
]

# The edges of all plots.
PLACES = """() => {
    const all = (root) => [...root.querySelectorAll("*")].flatMap(
        (e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]
    )
    const places = all(document).filter((e) => e.matches("babysit-view"))
    const boxes = places.map((e) => e.getBoundingClientRect()).filter((box) => box.width > 0)
    return [Math.min(...boxes.map((box) => box.left)), Math.max(...boxes.map((box) => box.right))]
}"""


def test_every_part_is_hidden_once():
    assert {name for names in HIDDEN for name in names.split(",")} >= {*NAMES}


def seen(page) -> set[str]:
    """The names of what is on the page, of those that one can tell by a role."""

    def there(role: str, title: str) -> bool:
        exact = role not in ("slider", "combobox")  # a setting's name says when it acts
        return page.get_by_role(role, name=title, exact=exact).count() > 0

    return {name for name, told in ROLES.items() if there(*told)}


def expected(hidden: set[str]) -> set[str]:
    """The names of what is to be there."""
    left = ROLES.keys() - hidden
    if "sidebar" in hidden:
        left -= {*SIDEBAR_HAS}
    return left - {"inside"} if {*TABS} <= hidden else left


@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda names: names[:20])
def test_what_is_hidden_is_not_there_and_the_remaining_plots_fill_the_screen(page, address, hidden):
    page.goto(at_test_pace(f"{address}?hide={hidden}"))
    page.wait_for_function("window.babysit?.frames > 0")
    wait_for(page, lambda: seen(page) == expected(set(hidden.split(","))))
    for width, height in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        beside = 0 if "sidebar" in hidden or width < PHONE else SIDEBAR
        page.wait_for_function(
            f"() => {{ const [left, right] = ({PLACES})();"
            f" return Math.abs(left - {beside + GAP}) <= 1"
            f" && right <= {width - GAP} && right >= {width - GAP - SCROLLBAR} }}",
            timeout=1000 * PATIENCE,
        )
