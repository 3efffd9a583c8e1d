"""Charts as SVG text, for pages without a server."""

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from app import numbers, palette

WIDTH, HEIGHT = 560, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 96, 8, 30  # margins of the plot, for ticks and labels
DASHES = {"solid": "", "dashed": "7 4", "dotdash": "2 3 7 3"}
TICKS = 5
APART = 17  # pixels between the labels of two lines, at least: on paper they are larger


@dataclass(frozen=True, eq=False)
class Line:
    """A curve with its label."""

    label: str
    colour: str
    dash: str
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class _Scale:
    """Maps values between two ends to pixels."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log10(value), math.log10(low), math.log10(high)
        return self.start + (value - low) / ((high - low) or 1) * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """Round values at a readable distance."""
        if self.log and len(powers := self._powers) > 1:
            return powers
        width = (self.high - self.low) or 1
        step = 10.0 ** math.floor(math.log10(width / TICKS))
        step = next(step * m for m in (1, 2, 5, 10) if width / (step * m) <= TICKS)
        first = math.ceil(self.low / step)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]

    @property
    def _powers(self) -> list[float]:
        """Powers of ten, and 2 and 5 times these where there are few."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        apart = max(1, (last - first) // TICKS)
        powers = [10.0**n for n in range(first, last + 1) if n % apart == 0]
        factors = (1, 2, 5) if last - first <= 2 else (1,)
        return [m * x for x in powers for m in factors if self.low <= m * x <= self.high]


def curves(title: str, lines: Sequence[Line], changes: Iterable[float], log: bool) -> str:
    """Lines over the steps of a run, each labelled at its end; changes are vertical lines."""
    known = [_known(line, log) for line in lines]
    known = [line for line in known if len(line.x)]
    if not known:
        return ""
    values = np.concatenate([line.y for line in known])
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    last = max(float(line.x[-1]) for line in known)
    across = _Scale(0, last or 1, LEFT, WIDTH - RIGHT)
    up = _Scale(low, high, HEIGHT - BOTTOM, TOP, log)
    parts = [*_axes(across, up)]
    parts += [_change(across(step)) for step in changes if step <= last]
    parts += [_path(line, across, up) for line in known]
    parts += _labels(known, up)
    return _picture(title, parts)


def histogram(title: str, edges: np.ndarray, counts: np.ndarray, colour: str) -> str:
    """A histogram with a bar between each two edges."""
    across = _Scale(0, len(counts), LEFT, WIDTH - RIGHT)
    up = _Scale(0, max(1.0, float(counts.max(initial=0))), HEIGHT - BOTTOM, TOP)
    bars = [
        f'<rect x="{across(n):.1f}" y="{up(count):.1f}" width="{across(1) - across(0):.1f}"'
        f' height="{up(0) - up(count):.1f}" fill="{colour}"/>'
        for n, count in enumerate(counts.tolist())
        if count
    ]
    places = [0, len(counts) // 2, len(counts)]
    ticks = [_text(across(n), HEIGHT - 12, numbers.tick(float(edges[n])), "middle") for n in places]
    return _picture(title, [*bars, *ticks])


def _known(line: Line, log: bool) -> Line:
    """The points of a line that can be drawn."""
    good = np.isfinite(line.y) & ((line.y > 0) | (not log))
    return Line(line.label, line.colour, line.dash, line.x[good], line.y[good])


def _axes(across: _Scale, up: _Scale) -> Iterable[str]:
    for value in up.ticks:
        y = up(value)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield _text(LEFT - 6, y + 4, numbers.tick(value), "end")
    for value in across.ticks:
        yield _text(across(value), HEIGHT - 12, numbers.count(value), "middle")


def _path(line: Line, across: _Scale, up: _Scale) -> str:
    points = " ".join(
        f"{across(x):.1f},{up(y):.1f}"
        for x, y in zip(line.x.tolist(), line.y.tolist(), strict=True)
    )
    dash = DASHES.get(line.dash, "")
    return (
        f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="2"'
        f' stroke-dasharray="{dash}"/>'
    )


def _labels(lines: Sequence[Line], up: _Scale) -> list[str]:
    """Each line's label at its end, without overlap."""
    placed, below = [], -math.inf
    for line in sorted(lines, key=lambda line: up(float(line.y[-1]))):
        below = max(up(float(line.y[-1])) + 4, below + APART)
        placed.append(_text(WIDTH - RIGHT + 6, below, line.label, "start", line.colour))
    return placed


def _change(x: float) -> str:
    return f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{palette.ACCENT}" opacity="0.55"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "currentColor") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f"{html.escape(text)}</text>"
    )


def _picture(title: str, parts: Iterable[str]) -> str:
    return (
        f'<figure><figcaption>{html.escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' role="img" aria-label="{html.escape(title)}">{"".join(parts)}</svg></figure>'
    )
