"""Weights: what does each unit respond to? Filters as pictures, other weights as matrices."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots import pictures
from app.plots.figures import entitle, further
from app.plots.plot_data import Columns, Part
from app.plots.view import VIEWS, layers_of, plot, source
from engine import FeatureMaps, Filters, Matrix, Snapshot, WeightImages

WIDE, WIDE_ALONE = 4.6, 7.7  # width of the area for filters, in heights
WIDE_CONVOLUTIONAL = 2.2  # ... beside feature maps
WIDE_MAPS = 2.2  # ... and of a layer's feature maps
GAP = 0.12  # between matrices, in widths of one
MOST_PARTS = 3  # matrices up to which labels have the share that is shown
MOST_SIZES = 6  # ... and their sizes; with more, only their number
MOST_NAMES = 12  # ... and with still more every second one, or fewer


def weights_columns(snapshot: Snapshot, since: int) -> Part:
    """The first layer's filters (for images), the feature maps of one image, all matrices."""
    weights = snapshot.on_demand.weight_images
    filters, matrices = (weights.filters, weights.matrices) if weights else (None, ())
    scale = pictures.limit(filters.pictures) if filters else 1.0
    later = pictures.limit(*(x.values for x in matrices)) if matrices else 1.0
    parts: dict[str, Columns] = {}
    if _pictured(snapshot):
        parts["weights"] = _filter_columns(filters, scale, _wide(snapshot))
    if _convolutional(snapshot):
        parts |= _map_columns(snapshot.on_demand.feature_maps)
    if _matrix_names(snapshot):
        parts["weights.matrices"] = _matrix_columns(matrices, later)
        parts["weights.names"] = _name_columns(_matrix_names(snapshot), matrices)
    text = {
        "weights.shown": _headline(filters),
        "weights.scale": f"±{scale if filters else later:g}" if weights else "–",
        "weights.later": f"±{later:g}" if filters and matrices else "–",
    }
    names = [key for key, _, _ in _keys(snapshot) if key]
    return Part(
        set=parts,
        text={key: text[key] for key in names},
        alternative=lambda: _alternative(weights, text),
    )


def _pictured(snapshot: Snapshot) -> bool:
    return len(snapshot.data.shape) > 1


def _convolutional(snapshot: Snapshot) -> bool:
    return bool(snapshot.config.model.convolutions)


def _coloured(snapshot: Snapshot) -> bool:
    return len(snapshot.data.shape) == 3


def _matrix_names(snapshot: Snapshot) -> list[str]:
    return [tensor.name for tensor in snapshot.tensors][1 if _pictured(snapshot) else 0 :]


def _keys(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    """The keys in the headline, depending on what is shown."""
    signs = [("", "negative", palette.NEGATIVE), ("", "positive", palette.POSITIVE)]
    if not _pictured(snapshot):
        return [*signs, ("weights.scale", "colours reach", palette.PLAIN)]
    scale = "black to white" if _coloured(snapshot) else "colours reach"
    keys = [("weights.shown", "", palette.PLAIN), *signs, ("weights.scale", scale, palette.PLAIN)]
    if _matrix_names(snapshot):
        keys.append(("weights.later", "in later layers", palette.PLAIN))
    return keys


# ---- filters ------------------------------------------------------------------------------------


def _wide(snapshot: Snapshot) -> float:
    if _convolutional(snapshot):
        return WIDE_CONVOLUTIONAL
    return WIDE if _matrix_names(snapshot) else WIDE_ALONE


def _filter_columns(filters: Filters | None, scale: float, wide: float) -> Columns:
    if filters is None:
        return pictures.placed([], [])
    shown = filters.pictures
    if shown.ndim == 4:
        tiles = [pictures.natural(0.5 + 0.5 * some / scale) for some in shown]
        sheet = pictures.mosaic(tiles, pictures.NO_COLOUR, wide)
    else:
        tiles = list(pictures.diverging(shown, scale))
        sheet = pictures.mosaic(tiles, pictures.NOTHING, wide)
    return pictures.placed([sheet], [(0, 0, sheet.shape[1], sheet.shape[0])])


def _headline(filters: Filters | None) -> str:
    """How many filters are shown, and how they were processed."""
    if filters is None:
        return "–"
    shown = len(filters.pictures)
    text = f"{shown} of {filters.units} filters" if shown < filters.units else f"{shown} filters"
    if filters.every > 1:
        text += f", a pixel the mean of {filters.every}×{filters.every}"
    return text + (", turned back into pixels" if filters.turned_back else "")


# ---- feature maps -------------------------------------------------------------------------------


def _map_columns(maps: FeatureMaps | None) -> dict[str, Columns]:
    """The image, and to its right a mosaic of feature maps per layer, all of equal height."""
    names: Columns = {"x": [], "name": []}
    if maps is None:
        nothing = pictures.placed([], [])
        return {"weights.picture": nothing, "weights.maps": nothing, "weights.layers": names}
    whole = pictures.mosaic([pictures.natural(pictures.stretched(maps.picture))], 0, 1)
    left = whole.shape[1] / whole.shape[0]
    sheets, boxes, xs = [], [], [0.0]
    for layer in maps.layers:
        scale = pictures.limit(layer.maps)
        tiles = list(pictures.diverging(layer.maps, scale))
        sheet = pictures.mosaic(tiles, pictures.NOTHING, WIDE_MAPS)
        width = sheet.shape[1] / sheet.shape[0]
        xs.append(left + GAP)
        boxes.append((left + GAP, 0.0, width, 1.0))
        sheets.append(sheet)
        left += GAP + width
    names = {
        "x": [round(x, 4) for x in xs],
        "name": [maps.name or "input", *(layer.layer for layer in maps.layers)],
    }
    return {
        "weights.picture": pictures.placed([whole], [(0, 0, whole.shape[1] / whole.shape[0], 1)]),
        "weights.maps": pictures.placed(sheets, boxes),
        "weights.layers": names,
    }


# ---- matrices -----------------------------------------------------------------------------------


def _matrix_columns(matrices: Sequence[Matrix], scale: float) -> Columns:
    sheets = [pictures.diverging(matrix.values, scale)[::-1] for matrix in matrices]
    return pictures.placed(sheets, [(n * (1 + GAP), 0, 1, 1) for n in range(len(matrices))])


def _name_columns(names: Sequence[str], matrices: Sequence[Matrix]) -> Columns:
    every = 1 + len(names) // MOST_NAMES
    sizes = [_size(matrix, len(names)) for matrix in matrices]
    labels = names if len(names) <= MOST_SIZES else [name.rpartition(" ")[2] for name in names]
    return {
        "x": [round(n * (1 + GAP) + 0.5, 3) for n in range(len(names))],
        "name": [name if n % every == 0 else "" for n, name in enumerate(labels)],
        "size": sizes or [""] * len(names),
    }


def _size(matrix: Matrix, matrices: int) -> str:
    rows, columns = matrix.values.shape
    if matrices > MOST_SIZES:
        return ""
    whole = f"{matrix.inputs}×{matrix.outputs}"
    complete = (rows, columns) == (matrix.inputs, matrix.outputs)
    return whole if complete or matrices > MOST_PARTS else f"{rows}×{columns} of {whole}"


def _alternative(weights: WeightImages | None, text: dict[str, str]) -> str:
    if weights is None:
        return "The weights have not been looked at yet."
    sentences = []
    if weights.filters:
        far = np.abs(weights.filters.pictures)
        sentences.append(
            f"{text['weights.shown']} of the first layer; the mean size of a weight is"
            f" {numbers.number(float(far.mean()))}, the largest {numbers.number(float(far.max()))}."
        )
    sentences += [
        f"{x.layer}, {x.inputs} by {x.outputs}: standard deviation"
        f" {numbers.number(float(x.values.std()))}, largest"
        f" {numbers.number(float(np.abs(x.values).max()))}."
        for x in weights.matrices
    ]
    return " ".join(sentences)


def _drawn_for(snapshot: Snapshot) -> Hashable:
    model, data = snapshot.config.model, snapshot.data
    return layers_of(snapshot), data.shape, model.convolutions, model.hidden[:1]


@VIEWS.register("weights")
class WeightsView:
    """What each unit responds to: blue where its weights are negative, red where positive."""

    title = "Weights"
    tab = "Weights"
    requested: frozenset[str] = frozenset({"weight_images", "feature_maps"})
    columns = staticmethod(weights_columns)
    drawn_for = staticmethod(_drawn_for)

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        self._style = style
        self._shape = snapshot.data.shape
        self.keys = _keys(snapshot)
        self.figures: list[figure] = []
        names = _matrix_names(snapshot)
        if _pictured(snapshot):
            self._draw_filters(2 if _convolutional(snapshot) else 3)
        if _convolutional(snapshot):
            self._draw_maps()
        if names:
            self._draw_matrices(names)

    def _figure(self, description: str, title: str, parts: float, **options: Any) -> figure:
        make = further if self.figures else plot
        drawn = make("weights", description, self._style, **options)
        entitle(drawn, title, self._style)
        drawn.axis.visible = False
        drawn.grid.visible = False
        pictures.share_width(drawn, parts)
        self.figures.append(drawn)
        return drawn

    def _draw_filters(self, parts: float) -> None:
        title = "first layer: a picture a unit, of its weights"
        if len(self._shape) == 3:
            shades, title = palette.COLOURS, f"{title}; grey is 0"
        else:
            shades = palette.DIVERGING
        drawn = self._figure("The weights of the first layer as pictures", title, parts)
        pictures.fit(drawn, pictures.draw_pictures(drawn, "weights", shades))

    def _draw_maps(self) -> None:
        drawn = self._figure(
            "A validation example and what each convolutional layer makes of it",
            "what they make of one picture, map by map",
            3,
        )
        whole = pictures.draw_pictures(drawn, "weights.picture", pictures.palette_of(self._shape))
        maps = pictures.draw_pictures(drawn, "weights.maps", palette.DIVERGING)
        self._label(drawn, source("weights.layers", ["x", "name"]), "left", ("name",))
        corners = drawn.scatter("x", "y", source=_corners((0, 0), (-0.14, 1)), size=0, alpha=0)
        pictures.fit(drawn, whole, maps, corners)

    def _draw_matrices(self, names: Sequence[str]) -> None:
        title = "a row an input, a column a unit"
        if self.figures:
            title = f"later layers: {title}"
        drawn = self._figure(
            "The weights between the layers as matrices",
            title,
            2,
            x_range=Range1d(start=-GAP, end=len(names) * (1 + GAP)),
            y_range=Range1d(start=-0.023 * pictures.line_height(self._style.small), end=1.02),
        )
        pictures.draw_pictures(drawn, "weights.matrices", palette.DIVERGING)
        data = source("weights.names", ["x", "name", "size"])
        self._label(drawn, data, "center", ("name", "size"))

    def _label(
        self, drawn: figure, data: ColumnDataSource, align: Any, lines: Sequence[str]
    ) -> None:
        """Words below pictures, a line a column."""
        for number, column in enumerate(lines):
            drawn.text(
                "x",
                0,
                column,
                source=data,
                y_offset=3 + number * pictures.line_height(self._style.small),
                text_align=align,
                text_baseline="top",
                text_font_size=self._style.small,
                text_color=palette.QUIET,
            )


def _corners(xs: Sequence[float], ys: Sequence[float]) -> ColumnDataSource:
    return ColumnDataSource({"x": list(xs), "y": list(ys)})


explain(
    ("view weights", "tab Weights"),
    "Weights",
    "What each unit of the first layer responds to, as a picture of its weights; of later layers"
    " the"
    " weights themselves. Blue is negative, red positive.",
    healthy="Pictures that differ; noise at first, then strokes and edges of what is learned.",
    moved_by="Training. Constant first weights keep all pictures the same.",
    lesson="constant-weights",
)
explain("number weights.shown", "Units shown", "How many units of this layer have a picture here.")
explain(
    ("number weights.scale", "number weights.later"),
    "Colours",
    "The weight at which the colours are strongest, so that pictures can be compared.",
    moved_by="Training, and L2, which keeps weights small.",
)
