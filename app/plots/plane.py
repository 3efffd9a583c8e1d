"""The decision surface: what the network predicts at every point of a plane of two inputs."""

import math
from typing import Any

import numpy as np
from bokeh.models import DataRange1d, LinearColorMapper
from bokeh.models.tickers import BasicTicker
from bokeh.plotting import figure

from app import palette, theme
from app.plots import pictures, plot_data
from app.plots.plot_data import Columns
from app.plots.view import source
from engine import DecisionSurface, Points, Snapshot

MOST_CLASSES = 64  # that have distinct colours on the plane


def is_plane(snapshot: Snapshot) -> bool:
    """Whether the inputs are points of a plane."""
    return snapshot.data.shape == (2,) and len(snapshot.data.classes) <= MOST_CLASSES


def plane_columns(snapshot: Snapshot) -> dict[str, Columns]:
    """The surface, the points on it, and a cross on each misclassified point."""
    surface = snapshot.on_demand.decision_surface
    if surface is None:
        nothing: Columns = {"x": [], "y": [], "value": []}
        return {
            "data.surface": pictures.placed([], []),
            "data.training": nothing,
            "data.validation": nothing,
            "data.wrong": {"x": [], "y": []},
        }
    classes = len(snapshot.data.classes)
    box = surface.left, surface.bottom, surface.right - surface.left, surface.top - surface.bottom
    parts = surface.training, surface.validation
    return {
        "data.surface": pictures.placed([surface_bytes(surface, classes)], [box]),
        "data.training": _points(surface.training, surface, classes),
        "data.validation": _points(surface.validation, surface, classes),
        "data.wrong": _wrong(parts) if classes else {"x": [], "y": []},
    }


def surface_bytes(surface: DecisionSurface, classes: int) -> np.ndarray:
    """Bytes for `shades_of` the classes."""
    if surface.lead is None:
        return pictures.diverging(_centred(surface.predicted, surface), 1.0)
    levels = 256 // classes
    level = np.rint((levels - 1) * np.nan_to_num(surface.lead)).astype(np.uint8)
    shown: np.ndarray = (levels * surface.predicted + level).astype(np.uint8)
    return shown


def shades_of(classes: int) -> list[str]:
    """The palette of the plane."""
    return palette.territory(classes) if classes else palette.DIVERGING


def _centred(values: np.ndarray, surface: DecisionSurface) -> np.ndarray:
    """Values from -1 to 1; if there are negative values, 0 stays 0."""
    low, high = reach(surface)
    centred: np.ndarray = (values - (low + high) / 2) / max((high - low) / 2, 1e-12)
    return centred


def reach(surface: DecisionSurface) -> tuple[float, float]:
    """The range of the colour scale: symmetric around 0 if it contains 0."""
    low, high = surface.values
    if low < 0 < high:
        most = pictures.limit(np.array([low, high]))
        return -most, most
    return low, high


def _points(points: Points, surface: DecisionSurface, classes: int) -> Columns:
    values = points.right.astype(float) if classes else _centred(points.right, surface)
    return {
        "x": plot_data.rounded(points.x[:, 0]),
        "y": plot_data.rounded(points.x[:, 1]),
        "value": plot_data.rounded(values),
    }


def _wrong(parts: tuple[Points, ...]) -> Columns:
    wrong = np.concatenate([part.x[part.right != part.predicted] for part in parts])
    return {"x": plot_data.rounded(wrong[:, 0]), "y": plot_data.rounded(wrong[:, 1])}


def draw_plane(drawn: figure, snapshot: Snapshot, style: theme.Style) -> None:
    """The surface below the points, with axes in the units that the network receives."""
    classes = len(snapshot.data.classes)
    shown = pictures.draw_pictures(drawn, "data.surface", shades_of(classes))
    for side in ("x_range", "y_range"):
        setattr(drawn, side, DataRange1d(syncable=False, range_padding=0, renderers=[shown]))
    if classes:
        colours = LinearColorMapper(palette=palette.points(classes), low=-0.5, high=classes - 0.5)
    else:
        solid = [palette.blended(n / 255) for n in range(256)]
        colours = LinearColorMapper(palette=solid, low=-1, high=1)
    scale = math.sqrt(style.line_width / theme.DESK.line_width)
    glyph: dict[str, Any] = {"fill_color": {"field": "value", "transform": colours}}
    for name, size, line in (
        ("data.training", theme.POINT, None),
        ("data.validation", theme.LARGE_POINT, palette.INK),
    ):
        data = source(name, ["x", "y", "value"])
        drawn.scatter("x", "y", source=data, size=size * scale, line_color=line, **glyph)
    drawn.scatter(
        "x",
        "y",
        source=source("data.wrong", ["x", "y"]),
        marker="x",
        size=theme.CROSS * scale,
        line_color=palette.ACCENT,
        line_width=style.line_width * 0.75,
    )
    _draw_axes(drawn, snapshot)


def _draw_axes(drawn: figure, snapshot: Snapshot) -> None:
    name = snapshot.config.data.preprocessing.name
    after = "" if name == "none" else f" ({name})"
    names = [snapshot.data.input_name(n) for n in (0, 1)]
    for axis, label in ((drawn.xaxis, names[0]), (drawn.yaxis, names[1])):
        axis.axis_label = label + after
        axis.axis_label_standoff = 0
        axis.ticker = BasicTicker(desired_num_ticks=4, num_minor_ticks=0)
    drawn.grid.visible = False
