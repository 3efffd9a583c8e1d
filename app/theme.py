"""Sizes of the page and of its plots, and the style of Material's components.

Colours are in app/palette.py, how numbers are written in app/numbers.py, CSS in app/static.
"""

from dataclasses import dataclass

from bokeh.themes import Theme


@dataclass(frozen=True)
class Style:
    """The sizes of type and lines in the plots."""

    small: str  # the size of text at axes, and of labels
    tiny: str  # ... of text along a line
    line_width: float
    half_number: int  # pixels: half the width of a long number below the last tick
    names: int  # ... to the right of a plot, for the names of its lines
    figures: int  # ... for the figures of its bars
    flags: int  # ... above it, for its changes
    ticks: int  # about so many on the axis of steps
    line: int  # letters of a title on one line


DESK = Style("11px", "10px", 2, 22, 88, 48, 18, 4, 60)
PROJECTOR = Style("16px", "14px", 4, 32, 128, 70, 25, 2, 30)  # readable from the last row
STYLES = {"desk": DESK, "projector": PROJECTOR}  # by the names that a page sends

TABLET = 767  # pixels: up to this width the page opens without sidebar and title

# Material would style all axes itself, except what a theme sets.
OWN_AXES = Theme(json={"attrs": {"Axis": {}}})

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

SIDEBAR_WIDTH = 290
PLOT_MIN_WIDTH = 330
PLOT_MIN_HEIGHT = 215
INSIDE_HEIGHT = 210  # of the panel below the main plots
TABS_HEIGHT = 40  # of its tabs
SPACE = 12  # pixels: the page's unit of spacing

# These are pixels at desk size. What contains type grows with it: style sheets give such lengths
# in rem, the size of the root's type, which is so many pixels.
REM = 16
LARGER = 1.25  # the factor on type in a lecture hall
IN_HALL = "--display-in-hall"  # by which CSS hides what is left out in a lecture hall
FOR_PROJECTOR = {  # the changes of the page, made by app/static/display_mode.js
    "larger": LARGER,
    "root": {"font-size": f"{LARGER:.0%}", IN_HALL: "none"},
    "sidebar": SIDEBAR_WIDTH,
}


def rem(pixels: float) -> str:
    """A length that grows with the type."""
    return f"{pixels / REM:g}rem"


HEADER_HEIGHT = 64  # without its edge
ABOVE = "var(--header, 69px)"  # the height of the header: app/static/screen.js
# ... and until that has measured it, where the header has two rows, with or without a gap.
TWO_ROWS = {
    "(width <= 530px)": 84,
    "(530px < width <= 660px)": 76,
    f"({TABLET}px < width <= 810px)": 76,
}
ROWS = {f"@media {at}": {"minHeight": f"var(--header, {px}px)"} for at, px in TWO_ROWS.items()}
# Of the space reserved for the header, so that no plot moves when it is measured.
PAGE_THEME = {"mixins": {"toolbar": {"minHeight": ABOVE, **ROWS}}}

# The height of the page without the strip of a class: app/static/classroom/dock.js.
HEIGHT = "calc(100vh - var(--class-strip, 0px))"

PAGE_SX = {
    "height": HEIGHT,
    ".MuiDrawer-paper": {"height": f"{HEIGHT} !important"},
    ".MuiAppBar-root": {
        # These two exceptions keep the colours of the header's widgets ...
        "bgcolor": "primary.contrastText",
        "color": "primary.main",
        # ... and these are the header's colours.
        "backgroundColor": "background.paper",
        "backgroundImage": "none",
        "boxShadow": "none",
        "borderBottom": "1px solid",
        "borderColor": "divider",
    },
    ".MuiAppBar-root .MuiTypography-root": {
        "color": "text.primary",
        "marginRight": f"{2 * SPACE}px",
    },
    ".MuiAppBar-root .MuiToolbar-root": {"minHeight": f"{HEADER_HEIGHT}px"},
    ".MuiAppBar-root .MuiToolbar-root > .MuiBox-root": {"minWidth": 0},
    f"@media (max-width: {TABLET}px)": {
        ".MuiAppBar-root .MuiToolbar-root": {"padding": f"0 {SPACE // 2}px"},
        ".MuiAppBar-root .MuiToolbar-root > button": {"margin": 0},
        ".MuiAppBar-root a": {"display": "none !important"},
    },
}

# A page in a frame of another page has no header, unless it is too narrow for its sidebar: there
# the header has the button that opens it.
BARE_SX = {f"@media (min-width: {TABLET + 1}px)": {".MuiAppBar-root": {"display": "none"}}}

# ---- controls -----------------------------------------------------------------------------------

KNOB_MARGIN = (5, 10)


SLIDER_SX = {
    "& .MuiFormLabel-root": {"fontSize": "0.8125rem", "lineHeight": 1.3},
    "& .MuiSlider-root": {"padding": "9px 0"},
}


# A fixed height, so that the plots above keep their size.
DIAGNOSIS_BAR_HEIGHT = 62  # pixels


# ---- dialogs ------------------------------------------------------------------------------------

DIALOG_SX = {
    ".MuiDialog-paper .MuiIconButton-root": {"color": "text.primary"},  # else dark on dark
    # From its top, or its buttons would move whenever its content grows.
    ".MuiDialog-container": {"alignItems": "flex-start"},
    "@media (width <= 600px)": {  # the whole of a phone
        ".MuiDialog-paper": {
            "margin": "8px",
            "width": "calc(100% - 16px)",
            "maxHeight": "calc(100% - 16px)",
        },
    },
}


# ---- pictures -----------------------------------------------------------------------------------

POINT, LARGE_POINT, CROSS = 4, 6, 9  # pixels
SURFACE_WIDTH = 340  # of the plane without its axes: twice its height


# ---- search -------------------------------------------------------------------------------------


# For views whose card needs more than one cell of the grid.
CARDS = {
    "losses": "grid-row: span 2",
    "comparison": "grid-column: 1 / -1",
}


# ---- initialization lab -------------------------------------------------------------------------


LAB_WIDE = {"grid-column": "1 / -1"}
LAB_TABLE = {"grid-column": "var(--table)"}
