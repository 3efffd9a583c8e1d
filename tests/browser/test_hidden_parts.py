"""Whatever a link hides, the remaining plots fill the screen."""

import pytest

from app.plots import VIEWS, view_of
from app.sharing.run_links import PARTS, hideable
from tests.browser.conftest import PATIENCE

SCREENS = {1440: 900, 1920: 1080, 1280: 720, 390: 844}
SIDEBAR = 290  # pixels, beside the plots, unless it covers them
PHONE = 600
GAP = 12  # between plots, and at the edges
SCROLLBAR = 16
MAIN = [name for name in VIEWS if view_of(name).tab == ""]
TABS = [name for name in VIEWS if view_of(name).tab not in ("", "Search")]
CONTROLS = [name for name in hideable() if name not in (*PARTS, *VIEWS)]
ABOVE = ("transport", "menus", "timeline", "lane")
# Opening a page takes long: what lies apart on it is hidden together.
HIDDEN = [
    "sidebar,inside",
    ",".join(part for part in PARTS if part != "sidebar"),
    *(f"{part},{plot}" for part, plot in zip(ABOVE, MAIN, strict=True)),
    ",".join(TABS + CONTROLS),
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
    assert {name for names in HIDDEN for name in names.split(",")} >= {*PARTS, *MAIN, *TABS}


@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda names: names[:20])
def test_the_remaining_plots_fill_the_screen(page, address, hidden):
    page.goto(f"{address}?hide={hidden}")
    page.wait_for_function("window.babysit?.frames >= 3")
    for width, height in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        beside = 0 if "sidebar" in hidden or width < PHONE else SIDEBAR
        page.wait_for_function(
            f"() => {{ const [left, right] = ({PLACES})();"
            f" return Math.abs(left - {beside + GAP}) <= 1"
            f" && right <= {width - GAP} && right >= {width - GAP - SCROLLBAR} }}",
            timeout=1000 * PATIENCE,
        )
