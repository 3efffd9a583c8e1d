"""Colours, sizes and number formats of the page: the only place for such literals.

The colours are readable on white and on black and, together with the dashes, told apart without
colour vision; each means the same in every plot.
"""

import math
import sys
from dataclasses import dataclass

from bokeh.themes import Theme

TRAIN = "#2f7fd6"
VALIDATION = "#e8751a"
VALIDATION_DASH = "dashed"
STRIP = "#3f6fb5"  # histograms along the run; more opaque where there are more values
STRIP_PALETTE = tuple(f"{STRIP}{round(255 * (share / 255) ** 0.7):02x}" for share in range(256))
GAP = "#c9a227"  # between the two
LAYERS = (  # CIE76 distance at least 23 for any two, also to who lacks red or green cones
    "#0e773e",
    "#8168ed",
    "#ae8c16",
    "#319ac9",
    "#ed6e7d",
    "#865081",
)  # first to last, repeated
LAYER_DASHES = ("solid", "dashed", "dotdash")  # one a round through the colours
FORWARD = "#7c68dc"  # what goes forward through the layers: the signal
BACKWARD = "#bf6022"  # what comes back: the gradient
PINNED = ("#5c6bc0", "#9c6b30", "#2a9d8f", "#b5487f", "#6d8b1e", "#7b5ea7")  # runs to compare with
SLIDE = "#bf7a00"  # what the lecture prints
PLAIN = ""  # the mark of a figure in a headline that no line or bar goes with
TICKS = "#757b85"  # type along axes, on white and on black
QUIET = "#8a8f98"  # grids, ticks, reference lines
ACCENT = "#d62f4b"  # what deserves a look: markers, the bar of exact zeros
INK = "#5d636c"  # behind white words
HEALTHY = "#157355"  # ... that say that all is well
GOOD = "#1b8a68"  # the healthy range, and a run that goes well


@dataclass(frozen=True)
class Style:
    """How large the type and how thick the lines of the plots are."""

    small: str  # type: axes, labels
    tiny: str  # ... of what is written along a line
    line_width: float
    half_number: int  # pixels: of a long number below the last tick of an axis
    names: int  # ... to the right of a plot, for the names of its lines
    flags: int  # ... above it, for its changes
    ticks: int  # about so many along an axis of steps
    line: int  # letters of a title, on one line


DESK = Style("11px", "10px", 2, 22, 88, 18, 4, 60)
PROJECTOR = Style("16px", "14px", 4, 32, 128, 25, 2, 30)  # to be read from the last row
STYLES = {"desk": DESK, "projector": PROJECTOR}  # by the names under which a page asks for them

TABLET = 767  # pixels: up to here the page opens without its sidebar, and without its name

# Material would draw all axes in its own size and colours; it leaves alone what a theme names.
OWN_AXES = Theme(json={"attrs": {"Axis": {}}})

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

SIDEBAR_WIDTH = 290
PLOT_MIN_WIDTH = 330
PLOT_MIN_HEIGHT = 215
INSIDE_HEIGHT = 210  # of the panel below the main plots
TABS_HEIGHT = 40  # of its tabs
SPACE = 12  # the page's one unit of spacing, in pixels

# All of these are pixels on a desk. What holds type grows with it: style sheets say such lengths in
# the size of the root's type, of which there are so many pixels.
REM = 16
LARGER = 1.25  # how much larger type is in a hall
IN_HALL = "--display-in-hall"  # how CSS asks whether it is: what is left out there uses this
HALL = {  # what a hall makes of the page, in the browser: app/static/hall.js
    "larger": LARGER,
    "root": {"font-size": f"{LARGER:.0%}", IN_HALL: "none"},
    "sidebar": SIDEBAR_WIDTH,
}


def rem(pixels: float) -> str:
    """A length that grows with type."""
    return f"{pixels / REM:g}rem"


HEADER_HEIGHT = 64
ABOVE = f"var(--header, {HEADER_HEIGHT}px)"  # what the header covers: app/static/screen.js
PAGE_THEME = {"mixins": {"toolbar": {"minHeight": ABOVE}}}  # of the room kept for the header

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
    ".MuiAppBar-root .MuiToolbar-root": {"minHeight": f"{HEADER_HEIGHT}px"},
    ".MuiAppBar-root .MuiToolbar-root > .MuiBox-root": {"minWidth": 0},
    f"@media (max-width: {TABLET}px)": {
        ".MuiAppBar-root .MuiToolbar-root": {"padding": f"0 {SPACE // 2}px"},
        ".MuiAppBar-root .MuiToolbar-root > button": {"margin": 0},
        ".MuiAppBar-root a": {"display": "none !important"},
    },
}

# ---- controls -----------------------------------------------------------------------------------

KNOB_MARGIN = (5, 10)

# Of buttons that are plain HTML: as Material's look.
BUTTONS_CSS = """
button {
  font: inherit; font-weight: 500; font-size: 0.8125rem; line-height: 1.75;
  letter-spacing: 0.02em;
  color: var(--panel-primary-color); background: none; border: 0; border-radius: 4px;
  display: inline-flex; align-items: center; justify-content: center; gap: 6px;
  min-width: 2rem; padding: 5px 6px; white-space: nowrap; cursor: pointer;
}
button:hover {  /* what the words lose in contrast by the shade, they get back */
  color: color-mix(in srgb, var(--panel-primary-color) 75%, var(--panel-on-surface-color));
  background: color-mix(in srgb, currentcolor 9%, transparent);
}
button:focus-visible { outline: 2px solid currentcolor; outline-offset: -2px; }
button:disabled { opacity: 0.4; cursor: default; background: none; }
.outlined { border: 1px solid color-mix(in srgb, currentcolor 50%, transparent); }
.contained, .contained:hover {
  color: var(--panel-on-primary-color); background: var(--panel-primary-color);
}
.icon { font: 400 1.25rem/1 "Material Icons"; font-feature-settings: "liga"; }
"""

SLIDER_SX = {
    "& .MuiFormLabel-root": {"fontSize": "0.8125rem", "lineHeight": 1.3},
    "& .MuiSlider-root": {"padding": "9px 0"},
}

MAIN_CSS = f"""
:host {{
  height: 100%; width: 100%; box-sizing: border-box;
  padding: {SPACE}px; gap: {SPACE}px; min-height: 0;
  overflow: hidden auto; flex-wrap: nowrap; container-type: inline-size;
}}
.scroll-button {{ display: none; }}  /* or there is a gap for it */
"""

# Always as high: the plots above keep their size.
LANE_HEIGHT = 62  # pixels
LANE_CSS = f"""
:host {{
  flex: none; height: {rem(LANE_HEIGHT)} !important; margin: 0;
  font: 0.875rem/1.35 {FONT}; font-variant-numeric: tabular-nums;
}}
:host > div {{
  display: flex; align-items: center; gap: {SPACE // 2}px; height: 100% !important;
}}
p {{ margin: 0; }}
p span {{ opacity: 0.75; margin: 0 {SPACE // 2}px; }}
p em {{ font-style: normal; font-weight: 600; }}
p:not(:only-child) {{ font-size: 0.8125rem; line-height: 1.15; }}
p.also:not(:only-child) {{
  font-size: 0.75rem; line-height: 1.17; opacity: 0.85;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
}}
div[role] {{
  box-sizing: border-box; height: {rem(LANE_HEIGHT)}; overflow: auto; flex: 1; min-width: 0;
  display: flex; flex-direction: column; justify-content: center;
  padding: 0 {SPACE}px; border: 1px solid; border-left-width: 6px; border-radius: 8px;
}}
div[role="status"] {{ border-color: color-mix(in srgb, {QUIET} 35%, transparent); }}
div[role="alert"] {{ border-color: {ACCENT}; }}
"""

CARD = f"""
  border: 1px solid color-mix(in srgb, {QUIET} 35%, transparent);
  border-radius: 8px;
  padding: {SPACE // 2}px {SPACE // 2}px 0 {SPACE // 2}px;
  min-width: 0; min-height: 0;
"""
CARD_CSS = f":host {{ {CARD} }}"

# For those who do not see the page.
UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);"
HEADLINE_CSS = f"""
.switch {{
  font: inherit; font-size: 0.75rem; color: inherit; opacity: 0.75; cursor: pointer;
  background: none; border: 1px solid color-mix(in srgb, {QUIET} 60%, transparent);
  border-radius: 5px; padding: 0 7px; line-height: 1.5;
}}
.switch[aria-pressed="true"] {{
  opacity: 1; font-weight: 600; background: color-mix(in srgb, {QUIET} 22%, transparent);
}}
.switches {{ margin-left: auto; display: flex; gap: 5px; padding-right: 4px; }}
.unseen {{ {UNSEEN} white-space: nowrap; margin: 0; }}
:host {{ font-family: {FONT}; font-variant-numeric: tabular-nums; overflow: hidden; }}
.headline {{
  display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px {SPACE}px; padding: 0 4px;
  flex: none;
}}
.headline h2 {{ font-size: 0.9375rem; font-weight: 600; margin: 0; }}
.key {{ font-size: 0.7812rem; white-space: nowrap; }}
.key i {{
  display: inline-block; width: 14px; margin-right: 5px; vertical-align: 3px;
  border-top: 3px solid;
}}
.told {{ font-size: 0.7812rem; }}
.key:has(b:empty):not(:has(i)) {{ display: none; }}
.key b {{ font-weight: 600; display: inline-block; min-width: 3.6em; }}
"""

# What stands over a plot: the names of its lines, its changes, and what lies off its axes.
MARGIN_CSS = f"""
.margin {{ position: absolute; pointer-events: none; line-height: 1; }}
.margin > *, .margin span {{ position: absolute; white-space: nowrap; }}
.margin line {{ opacity: 0.6; }}
.margin svg {{ inset: 0; width: 100%; height: 100%; overflow: visible; }}
.margin .name {{
  font-weight: 700; translate: 0 -50%; overflow: hidden; text-overflow: ellipsis; padding: 1px 0;
}}
.margin .zero {{ color: {TICKS}; translate: -100% -50%; }}
.margin .beyond {{
  pointer-events: auto; color: {TICKS}; padding: 1px 3px; border-radius: 3px;
  background: color-mix(in srgb, var(--panel-surface-color, Canvas) 80%, transparent);
}}
.margin .flags {{ display: contents; }}
.margin .flag {{
  position: absolute; pointer-events: auto; box-sizing: border-box; margin: 0; cursor: help;
  font: inherit; font-weight: 600; line-height: 1; text-align: left; color: {ACCENT};
  background: color-mix(in srgb, {ACCENT} 12%, transparent);
  border: 0; border-left: 2px solid {ACCENT}; border-radius: 0 4px 4px 0; padding: 2px 4px;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}}
.margin .flag:focus-visible {{ outline: 2px solid currentcolor; outline-offset: -1px; }}
.margin .tip {{
  z-index: 3; white-space: pre-line; width: max-content; max-width: 22em; padding: 5px 8px;
  border-radius: 4px; line-height: 1.35; color: white; background: {INK};
}}
.margin .tip[hidden] {{ display: none; }}
"""

# A card a plot: its headline, and its figures side by side.
VIEWS_CSS = f"""{HEADLINE_CSS}
babysit-view {{  /* as large as its place, whatever has been drawn in it */
  {CARD} contain: size; display: flex; flex-direction: column; overflow: hidden;
}}
babysit-view.pointed-at {{ outline: 3px solid {ACCENT}; outline-offset: -3px; }}
.figures {{
  flex: 1; display: flex; min-width: 0; min-height: 0; position: relative; overflow: auto hidden;
}}
{MARGIN_CSS}"""

BESIDE = rem(2 * PLOT_MIN_WIDTH + SPACE)  # what two plots side by side need
GRID_CSS = f"""
/* All the height that is left, and never less than all rows need. */
:host, :host > div {{
  display: flex !important; flex: 1 0 auto !important; height: auto !important;
  max-height: none !important;
}}
.plots {{
  display: grid; flex: 1; min-width: 0;
  grid-template-columns: repeat(
    auto-fit, minmax(max(min({rem(PLOT_MIN_WIDTH)}, 100%), 40%), 1fr)
  );
  grid-auto-rows: minmax({rem(PLOT_MIN_HEIGHT)}, 1fr);
  gap: {SPACE}px;
}}
"""

# Tabs in plain HTML, as Material's look: app/static/tabs.js.
TABS_CSS = f"""
:host {{ font-family: {FONT}; }}
[role="tablist"] {{
  display: flex; box-sizing: border-box; height: {rem(TABS_HEIGHT)}; padding-bottom: 4px;
  overflow: auto hidden;
}}
[role="tab"] {{
  font: inherit; font-weight: 500; font-size: 0.875rem; color: inherit; background: none;
  border: 0; border-bottom: 2px solid transparent; padding: 6px 14px; opacity: 0.75;
  cursor: pointer;
  flex: none;
}}
[role="tab"][aria-selected="true"] {{
  color: var(--panel-primary-color); border-color: currentcolor; opacity: 1;
}}
[role="tab"]:focus-visible {{ outline: 2px solid currentcolor; outline-offset: -3px; }}
"""

# Of the panel below the main plots: the plots of a tab stand side by side.
INSIDE_CSS = f"""
:host {{
  flex: none; height: {rem(INSIDE_HEIGHT + TABS_HEIGHT)} !important; margin: 0;
  font-family: {FONT};
}}
.plots {{ display: flex; height: {rem(INSIDE_HEIGHT)}; }}
.plots[hidden] {{ display: none; }}
.plots > * {{ flex: 1; }}
"""

# They stay where they are when the knobs are scrolled.
SIDEBAR_CSS = f"""
:host {{
  position: sticky; top: {ABOVE}; z-index: 2; margin: 0;
  background: var(--panel-surface-color);
}}
[role="tablist"] {{ height: {rem(36)}; padding: 0; }}
[role="tab"] {{ padding: 6px; }}
"""

LESSON_CSS = f"""
:host {{ font: 0.8125rem/1.4 {FONT}; font-variant-numeric: tabular-nums; margin: 4px 10px; }}
h3 {{ font-size: 0.9375rem; line-height: 1.3; margin: 4px 0; }}
p {{ margin: 0 0 6px 0; }}
.quiet {{ opacity: 0.75; }}
.holds, .fails {{ padding: 4px 8px; border-left: 5px solid {GOOD}; }}
.fails {{ border-color: {ACCENT}; }}
table {{ border-collapse: collapse; width: 100%; }}
th {{ text-align: left; font-weight: 400; padding: 2px 6px 2px 0; }}
td {{ text-align: right; font-weight: 600; padding: 2px 0 2px 6px; }}
thead td {{ font-weight: 400; opacity: 0.75; }}
button {{ width: 100%; margin: 3px 0; white-space: normal; line-height: 1.4; }}
td:nth-child(2) {{ white-space: nowrap; }}
"""

# What there is no room for goes step by step, the least needed first; the menus move into one.
HEADER_CSS = f"""
:host {{
  font-family: {FONT}; font-variant-numeric: tabular-nums; min-width: 0; flex: 1;
  container-type: inline-size;
}}
:host > div {{
  display: flex; flex-wrap: wrap; align-items: center; row-gap: 2px; min-width: 0;
}}
span {{ white-space: nowrap; }}
h1 {{
  margin: 0 {SPACE}px 0 0; font-size: 0.9375rem; font-weight: 400; opacity: 0.85; flex: 0 1 auto;
  min-width: 0; max-width: 30%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}}
.transport, .menus {{ display: flex; flex: none; }}
.play {{ min-width: 6rem; }}  /* for the longer of its two words */
.pace {{ min-width: 6.25rem; margin-left: 4px; anchor-name: --pace; }}
.unseen {{ {UNSEEN} }}
.paces {{
  position: fixed; inset: {ABOVE} auto auto auto; left: anchor(--pace left); margin: 0;
  padding: {SPACE // 2}px; border: 1px solid color-mix(in srgb, {QUIET} 35%, transparent);
  border-radius: 8px; box-shadow: 0 4px 16px rgb(0 0 0 / 25%);
  background: var(--panel-surface-color);
}}
.paces button {{ display: flex; justify-content: start; width: 100%; }}
.mark {{ width: 1em; }}
.counters {{
  display: flex; gap: 0 {SPACE}px; align-items: baseline; font-size: 0.875rem; flex: none;
  margin-left: {SPACE}px;
}}
.counters b {{ display: inline-block; font-weight: 600; text-align: right; }}
[data-text="step"] {{ min-width: 4.2em; }}
[data-text="epoch"] {{ min-width: 3.2em; }}
.rest {{ display: var({IN_HALL}, inline); }}
/* One word: what the run does, or how it goes while it runs. */
.word-of-run {{ margin: 0 {SPACE}px; font: 600 0.875rem {FONT}; flex: none; }}
.word-of-run span {{
  display: block; max-width: 10em; padding: 2px 9px; border-radius: 9px;
  color: white; background: {INK};
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}}
.word-of-run [data-text="health"], .word-of-run [data-value="diverged"],
.word-of-run [data-value="failed"] {{ background: {ACCENT}; }}
.word-of-run [data-value="healthy"],
.word-of-run [data-value="converged"] {{ background: {HEALTHY}; }}
[data-text="status"][data-value="running"] {{ display: none; }}
[data-text="status"]:not([data-value="running"]) + span {{ display: none; }}
.more {{ display: none; margin-left: auto; }}
.menus {{ all: unset; display: flex; flex: none; margin-left: auto; }}  /* not over the page */
.menus [data-press="look"] .word {{ {UNSEEN} }}
@container (width < 68rem) {{
  h1, .rest {{ display: none; }}
}}
@container (width < 54rem) {{
  .menus .word {{ {UNSEEN} }}
}}
@container (width < 40rem) {{
  .more {{ display: inline-flex; }}
  .menus:not(:popover-open) {{ display: none; }}
  .menus {{
    position: fixed; inset: {ABOVE} {SPACE // 2}px auto auto; flex-direction: column;
    padding: {SPACE // 2}px; border: 1px solid color-mix(in srgb, {QUIET} 35%, transparent);
    border-radius: 8px; box-shadow: 0 4px 16px rgb(0 0 0 / 25%);
    background: var(--panel-surface-color); overflow-y: auto;
    max-height: calc(100dvh - {ABOVE} - {SPACE}px);
  }}
  .menus button {{
    flex: none; justify-content: start; min-height: 2.5rem; padding: 5px {SPACE}px;
  }}
  .menus .word, .menus [data-press="look"] .word {{
    position: static; width: auto; height: auto; clip-path: none;
  }}
}}
@container (width < 28rem) {{
  .transport .word {{ {UNSEEN} }}
  .transport {{ flex: 0 1 auto; flex-wrap: wrap; }}
  .play {{ min-width: 2rem; }}
  .pace {{ min-width: 5rem; padding-inline: 2px; }}
  .counters {{ margin: 0 4px; }}
  [data-text="step"] {{ min-width: 3em; }}
  .word-of-run {{ margin: 0; }}
}}
"""

KEYS_CSS = f"""
:host {{ font: 0.9375rem/1.5 {FONT}; margin: 0; }}
td {{ padding: 3px {SPACE}px 3px 0; }}
kbd {{
  display: inline-block; min-width: 1.2em; padding: 1px 8px; text-align: center;
  border: 1px solid {QUIET}; border-radius: 5px; font: inherit; font-weight: 600;
}}
"""


def dash(layer: int) -> str:
    """The line style of a layer, so that colour is never the only difference."""
    return LAYER_DASHES[layer // len(LAYERS) % len(LAYER_DASHES)]


def colour(layer: int) -> str:
    """The colour of a layer, wherever it is drawn."""
    return LAYERS[layer % len(LAYERS)]


def past(place: int) -> str:
    """The colour of a pinned run."""
    return PINNED[place % len(PINNED)]


# The same rules are in app/static/numbers.js, for what the browser writes along axes.
_NUDGE = 1 + 4 * sys.float_info.epsilon  # what lies between two roundings goes outwards


def count(value: float) -> str:
    """A whole number: 12,345."""
    return f"{value:,.0f}"


def number(value: float) -> str:
    """A figure as precise as one can read while it moves."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "-∞"
    nudged = value * _NUDGE
    size = abs(nudged)
    if size != 0 and not 1e-3 <= size < 99999.5:
        return f"{nudged:.1e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    if size < 9.9995:
        return f"{nudged:.3f}"
    return f"{nudged:.4g}" if size < 999.95 else count(nudged)


def tick(value: float) -> str:
    """A figure without the zeros that only keep its width: along axes."""
    digits, e, power = number(value).partition("e")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + e + power


def short(value: float) -> str:
    """A figure in as little room as possible."""
    if math.isfinite(value) and 0.01 <= abs(value) < 999.5:
        return f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}"
    if not value or not math.isfinite(value):
        return number(value) if value else "0"
    return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def initial(name: str) -> str:
    """A layer's name in as little room as possible: h1 for hidden 1."""
    word, _, number = name.rpartition(" ")
    return f"{word[0]}{number}" if word else name[:2]


def percent(share: float) -> str:
    """A share of 1 as per cent."""
    value = 100 * share
    return f"{value:,.1f} %" if abs(value) < 99999 else f"{number(value)} %"


# ---- dialogs ------------------------------------------------------------------------------------

DIALOG_SX = {".MuiDialog-paper .MuiIconButton-root": {"color": "text.primary"}}  # or dark on dark

DIALOG_CSS = f"""
:host {{ padding: 0 {SPACE // 2}px {SPACE}px {SPACE // 2}px; box-sizing: border-box; }}
"""

WORDS_CSS = f"""
:host {{ font: 0.875rem/1.45 {FONT}; margin: 0 0 {SPACE // 2}px 0; }}
p {{ margin: 0 0 {SPACE // 2}px 0; }}
p[role="alert"] {{ padding: 6px {SPACE}px; border-left: 6px solid {ACCENT}; }}
"""

BESIDE_CSS = f"""
:host {{ font: 0.875rem/1.45 {FONT}; align-self: center; margin: 0 0 0 {SPACE}px; flex: 1 1 9rem; }}
"""

TABLE_CSS = f"""
:host {{ font: 0.8125rem/1.4 {FONT}; font-variant-numeric: tabular-nums; margin: {SPACE}px 0 0 0; }}
.scroll {{ overflow-x: auto; }}
.scroll + .scroll {{ margin-top: {2 * SPACE}px; }}
table {{ border-collapse: collapse; }}
th, td {{
  text-align: left; padding: 3px {SPACE}px; white-space: nowrap; font-weight: 400;
  border-bottom: 1px solid color-mix(in srgb, {QUIET} 25%, transparent);
}}
thead th, tr.differs th {{ font-weight: 600; }}
tr.same {{ opacity: 0.65; }}
tr.differs td {{
  font-weight: 600; background: color-mix(in srgb, {ACCENT} 14%, transparent);
}}
"""

REPORT_CSS = f"""
:root {{ color-scheme: light dark; }}
body {{ margin: 0; font: 0.9375rem/1.5 {FONT}; font-variant-numeric: tabular-nums; }}
main {{ max-width: 1180px; margin: 0 auto; padding: {2 * SPACE}px; }}
h1 {{ font-size: 1.625rem; margin: 0 0 {SPACE}px 0; }}
h2 {{ font-size: 1.0625rem; margin: {2 * SPACE}px 0 {SPACE // 2}px 0; }}
p {{ margin: 0 0 {SPACE // 2}px 0; max-width: 75ch; }}
dl {{
  margin: 0; display: grid; gap: 0 {2 * SPACE}px;
  grid-template-columns: repeat(auto-fill, minmax(300px, 1fr));
}}
dl div {{
  display: flex; justify-content: space-between; gap: {SPACE}px; padding: 3px 0;
  border-bottom: 1px solid color-mix(in srgb, {QUIET} 25%, transparent);
}}
dt {{ opacity: 0.75; }}
dd {{ margin: 0; font-weight: 600; text-align: right; }}
.plots {{
  display: grid; gap: {SPACE}px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr));
}}
figure {{
  margin: 0; padding: {SPACE // 2}px {SPACE}px; border-radius: 8px;
  border: 1px solid color-mix(in srgb, {QUIET} 35%, transparent);
}}
figcaption {{ font-weight: 600; }}
svg {{ width: 100%; height: auto; font-size: 11px; }}
.grid {{ stroke: {QUIET}; opacity: 0.25; }}
.link {{ overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: 0.75rem; }}
@page {{ margin: 15mm; }}
@media print {{
  :root {{ color-scheme: light; font-size: 80%; }}
  main {{ max-width: none; padding: 0; }}
  h2 {{ break-after: avoid; }}
  figure, p, li, dl div {{ break-inside: avoid; }}
  .plots {{ grid-template-columns: 1fr 1fr; }}
  svg {{ font-size: 15px; }}  /* half as wide as on a screen */
  dl {{ grid-template-columns: repeat(3, 1fr); }}
}}
"""

EXAMPLES_CSS = f"""
.examples {{ display: flex; flex-wrap: wrap; gap: {SPACE}px; }}
.example {{ margin: 0; text-align: center; font-size: 0.75rem; }}
.example img {{ width: 72px; height: 72px; object-fit: contain; image-rendering: pixelated; }}
"""


# ---- pictures -----------------------------------------------------------------------------------

NEGATIVE = "#2f74d0"
POSITIVE = "#d8432f"
CLASSES = (
    "#3f78c4",
    "#e07b39",
    "#2a9d6a",
    "#b65fc2",
    "#c9a227",
    "#35a7bd",
    "#d2557f",
    "#7d7f87",
)  # of points on a plane, repeated
POINT, LARGE_POINT, CROSS = 4, 6, 9  # pixels
SURFACE_WIDTH = 340  # of the plane beside its axes: twice its height
GREY = 150  # a point with the value 0: seen on white and on black
COLOUR_LEVELS = 6  # of red, green and blue in a coloured picture


def sheer(colour: str, opacity: float) -> str:
    """A colour that lets the page's ground through, so that it can be read on white and black."""
    return f"{colour}{round(255 * opacity):02x}"


# For bytes: 0 is the most negative, 128 nothing, 255 the most positive.
DIVERGING = [sheer(NEGATIVE, (128 - n) / 128) for n in range(128)] + [
    sheer(POSITIVE, (n - 128) / 127) for n in range(128, 256)
]
# 0 is no picture, then from black to white.
GREYS = [sheer("#000000", 0), *(f"#{n:02x}{n:02x}{n:02x}" for n in range(1, 256))]
# Red, green and blue as digits of a number, and after that nothing.
COLOURS = [
    "#" + "".join(f"{round(255 * level / (COLOUR_LEVELS - 1)):02x}" for level in (red, green, blue))
    for red in range(COLOUR_LEVELS)
    for green in range(COLOUR_LEVELS)
    for blue in range(COLOUR_LEVELS)
]
COLOURS += [sheer("#000000", 0)] * (256 - len(COLOURS))
# 0 is never, up to 127 more and more wrong, from 128 on more and more right.
MISTAKES = [sheer(ACCENT, 0 if n == 0 else 0.12 + 0.6 * n / 127) for n in range(128)] + [
    sheer(GOOD, 0.4 * (n - 128) / 127) for n in range(128, 256)
]


def territory(classes: int) -> list[str]:
    """For bytes: the colour of each class in turn, more and more certain; all 256 of them."""
    levels = 256 // classes
    colours = [
        sheer(CLASSES[n % len(CLASSES)], 0.08 + 0.52 * level / max(1, levels - 1))
        for n in range(classes)
        for level in range(levels)
    ]
    return colours + [sheer("#000000", 0)] * (256 - len(colours))


def points(classes: int) -> list[str]:
    """The colour of a point of each class."""
    return [CLASSES[n % len(CLASSES)] for n in range(classes)]


def blended(share: float) -> str:
    """A colour of `DIVERGING` that nothing shines through: from 0, negative, to 1, positive."""
    end, part = (POSITIVE, 2 * share - 1) if share > 0.5 else (NEGATIVE, 1 - 2 * share)
    mixed = (round(GREY + part * (int(end[n : n + 2], 16) - GREY)) for n in (1, 3, 5))
    return "#" + "".join(f"{value:02x}" for value in mixed)


# ---- search -------------------------------------------------------------------------------------

# A validation accuracy has the same colour in every plot of every search. Good ones lie close
# together, so the scale is stretched where they are.
SCORES = ("#8a8f98", "#8f6fd0", "#2f7fd6", "#1b9e77", "#c9a227")
SCORES_SHOWN = (0.5, 0.8, 0.9, 0.95)
SCORE_STEPS = 64
STRETCH = 3.0

# Where a view's card needs more than one cell of the grid.
CARDS = {
    "wall": "grid-row: span 2",
    "comparison": "grid-column: 1 / -1",
}


def score_place(score: float) -> float:
    """Where on the scale of scores, from 0 to 1, a score lies."""
    return 0.0 if math.isnan(score) else min(max(score, 0.0), 1.0) ** STRETCH


def score_colour(score: float) -> str:
    """The colour of a validation accuracy; grey where it is not known, or as bad as can be."""
    place = round(SCORE_STEPS * score_place(score)) / SCORE_STEPS * (len(SCORES) - 1)
    first = min(int(place), len(SCORES) - 2)
    low, high = ([int(SCORES[n][i : i + 2], 16) for i in (1, 3, 5)] for n in (first, first + 1))
    mixed = (round(a + (b - a) * (place - first)) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def seconds(time: float) -> str:
    """A time as one says it."""
    if math.isnan(time):
        return "–"
    return f"{time:.0f} s" if time < 100 else f"{time / 60:.0f} min"


AXIS_CSS = """
:host { align-items: center; margin: 0; }
"""

TRIALS_CSS = f"""
:host {{ font: 0.8125rem/1.4 {FONT}; font-variant-numeric: tabular-nums; margin: 0; }}
.scroll {{ overflow: auto; max-height: 60vh; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{
  text-align: right; padding: 2px {SPACE}px; white-space: nowrap; font-weight: 400;
  border-bottom: 1px solid color-mix(in srgb, {QUIET} 25%, transparent);
}}
td:last-child, th:last-child {{ text-align: left; }}
button {{
  font: inherit; color: inherit; background: none; border: none; cursor: pointer; padding: 0 2px;
  text-decoration: underline; text-decoration-color: {QUIET}; text-underline-offset: 3px;
}}
th button {{ font-weight: 600; text-decoration: none; }}
tbody tr {{ cursor: pointer; }}
tbody tr:hover {{ background: color-mix(in srgb, {QUIET} 16%, transparent); }}
"""


# ---- initialization lab -------------------------------------------------------------------------

BUTTON_ROW_CSS = f"""
:host {{ font-family: {FONT}; margin: 4px 10px; }}
:host > div {{ display: flex; flex-wrap: wrap; gap: 6px; }}
"""

LAB_WIDE = {"grid-column": "1 / -1"}
LAB_TABLE = {"grid-column": "var(--table)"}
LAB_ROW = f"minmax({rem(300)}, 1fr)"
LAB_CSS = f"""
:host {{
  --table: auto;
  display: grid; gap: {SPACE}px; min-height: 0; flex: 1 0 {rem(700)} !important;
  grid-template: {LAB_ROW} {LAB_ROW} / repeat(2, minmax(0, 1fr)) minmax({rem(380)}, 1fr);
}}
.scroll-button {{ display: none; }}
@container (width < 57rem) {{  /* the table goes below */
  :host {{
    --table: 1 / -1;
    flex-basis: {rem(950)} !important;
    grid-template: {LAB_ROW} {LAB_ROW} {LAB_ROW} / repeat(2, minmax(0, 1fr));
  }}
}}
@container (width < {BESIDE}) {{
  :host {{
    flex-basis: {rem(1250)} !important;
    grid-template: repeat(4, {LAB_ROW}) / minmax(0, 1fr);
  }}
}}
"""

LAB_TABLE_CSS = f"""
:host {{
  font: 0.8125rem/1.35 {FONT}; font-variant-numeric: tabular-nums; margin: 0; min-height: 0;
}}
.scroll {{ overflow: auto; height: 100%; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: right; padding: 2px 8px; white-space: nowrap; font-weight: 400; }}
th:first-child {{ text-align: left; width: 2.5em; }}
thead th {{ position: sticky; top: 0; opacity: 0.85; }}
tbody tr {{ border-top: 1px solid color-mix(in srgb, {QUIET} 25%, transparent); }}
td:last-child {{ font-weight: 600; border-right: 3px solid {SLIDE}; }}
td:nth-child(3) {{ font-weight: 600; }}
"""

# Of the bar that says that the connection is lost: it belongs to no component of Panel.
BAR_CSS = """
.babysit-bar {
  position: fixed; z-index: 2000; left: 50%; bottom: 16px; translate: -50% 0;
  max-width: min(90vw, 60em); padding: 10px 16px; border-radius: 4px;
  font: 0.875rem/1.5 system-ui, sans-serif; color: #fff; background: #2b2b2b;
  box-shadow: 0 2px 12px rgb(0 0 0 / 40%);
}
.babysit-bar a { color: #9fd0ff; margin-right: 12px; }
.babysit-bar button { font: inherit; color: inherit; background: none; cursor: pointer;
  border: 1px solid currentcolor; border-radius: 4px; padding: 2px 10px; }
"""
