"""Images in plots: numbers as bytes, coloured by a palette."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, DataRange1d, LinearColorMapper
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure

from app import palette
from app.plots.plot_data import Column, Columns, image

NOTHING = 128  # the byte that is transparent in `palette.DIVERGING`
NO_COLOUR = 255  # ... and in `palette.COLOURS`
STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)  # at which a scale may end
OUTLIERS = 0.005  # share of the numbers that may lie beyond the ends of their scale


def limit(*numbers: np.ndarray) -> float:
    """A round limit that almost all numbers are within, for a stable colour scale."""
    known = np.abs(np.concatenate([np.ravel(some) for some in numbers]))
    known = known[np.isfinite(known)]
    largest = float(np.quantile(known, 1 - OUTLIERS)) if known.size else 0.0
    if not largest > 0:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(largest))
    return next(step * decade for step in STEPS if step * decade >= largest * (1 - 1e-9))


def diverging(numbers: np.ndarray, most: float) -> np.ndarray:
    """Bytes for `palette.DIVERGING`: blue from -most, red to +most; NaN is 0."""
    shares = np.nan_to_num(numbers / most, nan=0.0)
    return np.rint(np.clip(NOTHING + 127.5 * shares, 0, 255)).astype(np.uint8)


def natural(pixels: np.ndarray) -> np.ndarray:  # (H, W) or (H, W, 3) from 0 to 1
    """Bytes for `palette.GREYS`, or for `palette.COLOURS` if the pixels have colours."""
    pixels = np.clip(np.nan_to_num(pixels, nan=0.5), 0, 1)
    if pixels.ndim == 2:
        return np.rint(1 + 254 * pixels).astype(np.uint8)
    levels = palette.COLOUR_LEVELS
    red, green, blue = np.moveaxis(np.rint((levels - 1) * pixels).astype(np.uint8), -1, 0)
    places: np.ndarray = (red * levels + green) * levels + blue
    return places


def stretched(picture: np.ndarray) -> np.ndarray:
    """An image scaled to 0, black, to 1, white, unless it is already."""
    low, high = min(0.0, float(picture.min())), max(1.0, float(picture.max()))
    stretched: np.ndarray = (picture - low) / (high - low)
    return stretched


def palette_of(shape: Sequence[int]) -> list[str]:
    """The palette of images of this shape."""
    return palette.COLOURS if len(shape) == 3 else palette.GREYS


def mosaic(tiles: Sequence[np.ndarray], gap: int, wide: float) -> np.ndarray:
    """Tiles of one size in rows, as large as possible in a frame `wide` times as wide as high.

    `gap` is the byte between tiles. The first row is the lowest, as in Bokeh.
    """
    height, width = tiles[0].shape

    def size(columns: int) -> float:
        down = math.ceil(len(tiles) / columns)
        return float(min(wide / (columns * (width + 1)), 1 / (down * (height + 1))))

    columns = max(range(1, len(tiles) + 1), key=size)
    rows = math.ceil(len(tiles) / columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), gap, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top, left = row * (height + 1), column * (width + 1)
        sheet[top : top + height, left : left + width] = tile
    return sheet[::-1]


def placed(
    pictures: Sequence[np.ndarray],
    boxes: Sequence[tuple[float, float, float, float]],  # x, y, width, height
) -> Columns:
    """The columns of `draw_pictures`; without images, an invisible one."""
    if not pictures:  # the browser infers the array type from the first one
        pictures, boxes = [np.zeros((1, 1), np.uint8)], [(0.0, 0.0, 0.0, 0.0)]
    sides = [[round(float(box[n]), 4) for box in boxes] for n in range(4)]
    columns: dict[str, Column] = dict(zip(("x", "y", "width", "height"), sides, strict=True))
    return {"image": [image(picture) for picture in pictures], **columns}


def draw_pictures(figure: figure, name: str, palette: Sequence[str]) -> "GlyphRenderer[Any]":
    """Images of bytes from the source `name`, each in its box."""
    columns: dict[str, list[object]] = {k: [0.0] for k in ("x", "y", "width", "height")}
    data = ColumnDataSource({"image": [np.zeros((1, 1), np.uint8)], **columns}, name=name)
    colours: dict[str, Any] = {
        "color_mapper": LinearColorMapper(palette=list(palette), low=-0.5, high=255.5)
    }
    return figure.image("image", x="x", y="y", dw="width", dh="height", source=data, **colours)


def fit(figure: figure, *shown: "GlyphRenderer[Any]") -> None:
    """Fit the figure to just these images and keep their proportions."""
    figure.match_aspect = True
    figure.x_range = DataRange1d(syncable=False, range_padding=0.01, renderers=list(shown))
    figure.y_range = DataRange1d(syncable=False, range_padding=0.01, renderers=list(shown))
    figure.axis.visible = False
    figure.grid.visible = False


def share_width(figure: figure, parts: float, least: int = 0) -> None:
    """Give a figure so many parts of the width of its view, and at least so many pixels.

    A card that is too narrow for its figures scrolls.
    """
    figure.styles = {"flex": f"{parts:g} 1 0", "min-width": f"{least}px" if least else "auto"}


def keep_width(figure: figure, pixels: int) -> None:
    """Give a figure a fixed part of the width of its view."""
    figure.styles = {"flex": f"0 1 {pixels}px"}


def line_height(type_size: str) -> int:
    """Pixels from one line of type of this size to the next."""
    return 2 + int(type_size.removesuffix("px"))
