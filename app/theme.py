"""Colours, sizes and number formats of the page: the only place for such literals.

The colours are readable on white and on black and, together with the dashes, told apart without
colour vision; each means the same in every plot.
"""

import math
from dataclasses import dataclass

TRAIN = "#2f7fd6"
VALIDATION = "#e8751a"
LAYERS = (
    "#1b9e77",
    "#a864c9",
    "#d6497f",
    "#7f9a1f",
    "#3aa6c2",
    "#b8862f",
)  # first to last, repeated
LAYER_DASHES = ("solid", "dashed", "dotdash")  # one a round through the colours
QUIET = "#8a8f98"  # grids, ticks, reference lines
ACCENT = "#d62f4b"  # what deserves a look: markers, the bar of exact zeros
GOOD = "#1b8a68"  # the healthy range, and a run that goes well


@dataclass(frozen=True)
class Style:
    """How large the type and how thick the lines of the plots are."""

    small: str  # type: axes, labels
    tiny: str  # ... of what is written along a line
    line_width: float


DESK = Style("11px", "10px", 2)
PROJECTOR = Style("16px", "14px", 4)  # to be read from the last row

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

SIDEBAR_WIDTH = 290
PLOT_MIN_WIDTH = 330
PLOT_MIN_HEIGHT = 190
INSIDE_HEIGHT = 210  # of the panel below the main plots
TABS_HEIGHT = 40  # of its tabs
SPACE = 12  # the page's one unit of spacing, in pixels

PAGE_SX = {
    ".MuiAppBar-root": {
        # These two, by their names, leave the header's widgets their own colours ...
        "bgcolor": "primary.contrastText",
        "color": "primary.main",
        # ... and these are the header's.
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
}

HEADING_CSS = f"""
:host {{
  margin: {SPACE}px 10px {SPACE // 2}px 10px;
  font: 600 12px {FONT};
  letter-spacing: 0.08em; text-transform: uppercase; opacity: 0.7;
}}
"""

MAIN_CSS = f"""
:host {{
  height: 100%; width: 100%; box-sizing: border-box;
  padding: {SPACE}px; gap: {SPACE}px; min-height: 0;
}}
"""

# Always as high: a plot resized while nothing moves keeps its old size inside (Bokeh 3.10.2).
LANE_CSS = f"""
:host {{ height: 62px; flex: none; align-items: center; gap: {SPACE // 2}px; }}
:host > * {{ align-self: center; }}
"""

MESSAGE_CSS = f"""
:host {{ font: 14px/1.35 {FONT}; height: 62px; margin: 0; font-variant-numeric: tabular-nums; }}
p {{ margin: 0; }}
p span {{ opacity: 0.75; margin: 0 {SPACE // 2}px; }}
p em {{ font-style: normal; font-weight: 600; }}
div[role] {{
  box-sizing: border-box; height: 62px; overflow: auto; display: flex; align-items: center;
  padding: 0 {SPACE}px; border: 1px solid; border-left-width: 6px; border-radius: 8px;
}}
div[role="status"] {{ border-color: color-mix(in srgb, {QUIET} 35%, transparent); }}
div[role="alert"] {{ border-color: {ACCENT}; }}
"""

CARD_CSS = f"""
:host {{
  border: 1px solid color-mix(in srgb, {QUIET} 35%, transparent);
  border-radius: 8px;
  padding: {SPACE // 2}px {SPACE // 2}px 0 {SPACE // 2}px;
  min-width: 0; min-height: 0;
}}
:host(.pointed-at) {{ outline: 3px solid {ACCENT}; }}
"""

GRID_CSS = f"""
:host {{
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(max({PLOT_MIN_WIDTH}px, 40%), 1fr));
  grid-auto-rows: minmax({PLOT_MIN_HEIGHT}px, 1fr);
  gap: {SPACE}px;
  min-height: 0;
}}
.scroll-button {{ display: none; }}  /* or it takes a cell of the grid */
"""

SIDEBAR_CSS = """
.MuiTabs-root, .MuiTabs-scroller { min-height: 36px; height: 36px; }
.MuiTab-root { min-height: 36px; min-width: 0; padding: 6px 8px; text-transform: none; }
"""

INSIDE_CSS = """
:host { flex: none; }
.MuiTabs-root, .MuiTabs-scroller { min-height: 36px; height: 36px; }
.MuiTab-root { min-height: 36px; padding: 6px 14px; text-transform: none; }
"""

HEADLINE_CSS = f"""
.unseen {{
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; margin: 0;
}}
:host {{ font-family: {FONT}; font-variant-numeric: tabular-nums; overflow: hidden; }}
.headline {{
  display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px {SPACE}px; padding: 0 4px;
}}
.headline h2 {{ font-size: 15px; font-weight: 600; margin: 0; }}
.key {{ font-size: 12.5px; white-space: nowrap; }}
.key i {{
  display: inline-block; width: 14px; margin-right: 5px; vertical-align: 3px;
  border-top: 3px solid;
}}
.key b {{ font-weight: 600; display: inline-block; min-width: 3.6em; }}
"""

STATUS_CSS = f"""
:host {{ font-family: {FONT}; font-variant-numeric: tabular-nums; }}
.status {{
  display: flex; flex-wrap: wrap; gap: 0 {SPACE}px; align-items: baseline; font-size: 14px;
}}
.status span {{ white-space: nowrap; }}
.status b {{ display: inline-block; font-weight: 600; }}
.status [data-text="step"] {{ min-width: 5em; }}
.status [data-text="epoch"] {{ min-width: 3.2em; }}
.status [data-text="pace"] {{ min-width: 3.2em; }}
.status [data-text="status"] {{
  font-weight: 600; min-width: 4.6em; text-align: center;
  padding: 1px 8px; border-radius: 9px; color: white; background: {QUIET};
}}
.status [data-value="running"] {{ background: {GOOD}; }}
.status [data-value="diverged"], .status [data-value="failed"] {{ background: {ACCENT}; }}
"""


def dash(layer: int) -> str:
    """The line style of a layer, so that colour is never the only difference."""
    return LAYER_DASHES[layer // len(LAYERS) % len(LAYER_DASHES)]


def colour(layer: int) -> str:
    """The colour of a layer, wherever it is drawn."""
    return LAYERS[layer % len(LAYERS)]


def number(value: float) -> str:
    """A figure as precise as one can read while it moves."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞"
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def percent(share: float) -> str:
    """A share of 1 as per cent."""
    return "–" if math.isnan(share) else f"{100 * share:.1f} %"
