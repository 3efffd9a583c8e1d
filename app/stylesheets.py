"""The page's style sheets: the files `app/static/*.css`, with the theme's values filled in.

A file refers to them as custom properties, such as `var(--space)`. They are filled in here because
a report has no page to inherit them from, and because container queries accept none.
"""

import functools
from pathlib import Path

from app import palette, theme

STATIC = Path(__file__).parent / "static"
TOKENS = {
    "space": f"{theme.SPACE}px",
    "half-space": f"{theme.SPACE // 2}px",
    "double-space": f"{2 * theme.SPACE}px",
    "font": theme.FONT,
    "diagnosis-bar-height": theme.rem(theme.DIAGNOSIS_BAR_HEIGHT),
    "plot-min-width": theme.rem(theme.PLOT_MIN_WIDTH),
    "plot-min-height": theme.rem(theme.PLOT_MIN_HEIGHT),
    "tabs-height": theme.rem(theme.TABS_HEIGHT),
    "inside-height": theme.rem(theme.INSIDE_HEIGHT),
    "tabs-and-plots-height": theme.rem(theme.TABS_HEIGHT + theme.INSIDE_HEIGHT),
    "quiet": palette.QUIET,
    "accent": palette.ACCENT,
    "ticks": palette.TICKS,
    "ink": palette.INK,
    "good": palette.GOOD,
    "healthy": palette.HEALTHY,
    "slide": palette.SLIDE,
    "negative": palette.NEGATIVE,
    "positive": palette.POSITIVE,
}


@functools.cache
def css(*names: str) -> str:
    """The text of these files, concatenated."""
    text = "".join((STATIC / f"{name}.css").read_text() for name in names)
    for token, value in TOKENS.items():
        text = text.replace(f"var(--{token})", value)
    return text
