"""The network's layers as pictures of their numbers: for one example, forward or backward."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app import palette
from app.explained_step import bitmaps
from app.numbers import number, percent, tick
from app.plots.pictures import diverging, limit
from engine import ExplainedStep, LayerPass

MOST_ACROSS = 8  # cells in a row
CELL, LARGE_CELL = 18, 28  # pixels, with the gap to the next
FEW = 16  # cells that may be large
MAP = 37  # ... of a feature map
MAPS_ACROSS = 4


@dataclass(frozen=True)
class Cell:
    """One number as a coloured square."""

    x: int
    y: int
    colour: str
    readout: str
    asks: str  # which weight a press on it traces; empty: none


@dataclass(frozen=True)
class Block:
    """A layer as a picture."""

    name: str
    kind: str
    sized: str  # how many numbers it has, and how many are shown
    scale: str  # the value of the strongest colour
    label: str  # in words
    cells: tuple[Cell, ...]
    size: int  # of a cell in pixels, with the gap to the next
    sheet: str  # the address of a picture of all feature maps, which the cells lie over; or empty

    @property
    def across(self) -> int:
        """The width of its cells in pixels."""
        return self.size + max(cell.x for cell in self.cells)

    @property
    def down(self) -> int:
        """Their height."""
        return self.size + max(cell.y for cell in self.cells)


def forward_blocks(step: ExplainedStep, classes: Sequence[str]) -> list[Block]:
    """The outputs of all layers."""
    return [
        _block(layer, layer.output, _readout(layer, names), _outputs)
        for layer, names in _named(step, classes)
    ]


def backward_blocks(step: ExplainedStep, classes: Sequence[str]) -> list[Block]:
    """The gradients at the outputs of all layers that the loss comes back to."""
    return [
        _block(layer, layer.gradient, _readout(layer, names), _gradients)
        for layer, names in _named(step, classes)
        if layer.gradient is not None
    ]


def _named(
    step: ExplainedStep, classes: Sequence[str]
) -> Iterator[tuple[LayerPass, Sequence[str]]]:
    """Each layer with the names of its units: of the scores, those of the classes."""
    for layer in step.layers:
        yield layer, classes if layer is step.layers[-1] else ()


def cells_of(
    values: np.ndarray,  # (n,)
    most: float,
    readout: Callable[[int], str],
    asks: Callable[[int], str],
    across: int,
) -> Iterator[Cell]:
    """Numbers as squares, so many in a row."""
    size = size_of(len(values))
    for place, byte in enumerate(diverging(values, most)):
        row, column = divmod(place, across)
        colour = palette.DIVERGING[byte]
        yield Cell(size * column, size * row, colour, readout(place), asks(place))


def size_of(count: int) -> int:
    """The pixels of each of so many cells, with the gap to the next."""
    return LARGE_CELL if count <= FEW else CELL


def across_of(count: int) -> int:
    """How many cells make a row: about a square, but no wider than a few."""
    return min(MOST_ACROSS, math.ceil(math.sqrt(count)))


def _block(
    layer: LayerPass,
    values: np.ndarray,
    readout: Callable[[int], str],
    label: Callable[[np.ndarray], str],
) -> Block:
    most = limit(values)

    def asks(place: int) -> str:
        return f"{layer.name}||{place + 1}" if layer.weighted else ""

    if values.ndim == 3:
        cells, sheet, size = list(_map_cells(len(values), readout, asks)), _sheet(values, most), MAP
    else:
        cells = list(cells_of(values, most, readout, asks, across_of(len(values))))
        sheet, size = "", size_of(len(values))
    return Block(
        name=layer.name,
        kind=layer.kind,
        sized=_sized(layer, len(values)),
        scale=f"±{tick(most)}",
        label=label(values),
        cells=tuple(cells),
        size=size,
        sheet=sheet,
    )


def _map_cells(
    count: int, readout: Callable[[int], str], asks: Callable[[int], str]
) -> Iterator[Cell]:
    """A clear square over each feature map."""
    for place in range(count):
        row, column = divmod(place, MAPS_ACROSS)
        yield Cell(MAP * column, MAP * row, "transparent", readout(place), asks(place))


def _sheet(maps: np.ndarray, most: float) -> str:  # (M, H, W)
    """All feature maps in rows as one picture, which is stretched so that each fills its cell."""
    count, height, width = maps.shape
    across = min(count, MAPS_ACROSS)
    rows = math.ceil(count / across)
    sheet = np.zeros((rows * across, height, width))
    sheet[:count] = maps
    whole = sheet.reshape(rows, across, height, width).swapaxes(1, 2)
    return bitmaps.numbers(whole.reshape(rows * height, -1), most)


def _sized(layer: LayerPass, shown: int) -> str:
    whole = f"{layer.units:,}"
    if layer.output.ndim == 3:
        whole = f"{layer.units:,} map{'s' if layer.units > 1 else ''}"
    return whole if shown == layer.units else f"first {shown} of {whole}"


def _readout(layer: LayerPass, names: Sequence[str]) -> Callable[[int], str]:
    """The text at the pointer, about a unit or a feature map."""

    def readout(place: int) -> str:
        output, gradient = layer.output[place], layer.gradient
        if output.ndim == 0:
            back = "" if gradient is None else f", gradient {number(float(gradient[place]))}"
            unit = names[place] if names else f"unit {place + 1}"
            return f"{layer.name}, {unit}: {number(float(output))}{back}"
        back = "" if gradient is None else f"; gradient {_span(gradient[place])}"
        return f"{layer.name}, map {place + 1}: {_span(output)}{back}"

    return readout


def _span(values: np.ndarray) -> str:
    return f"{number(float(values.min()))} to {number(float(values.max()))}"


def _outputs(values: np.ndarray) -> str:
    zero = float(np.mean(values == 0))
    off = f", {percent(zero)} exactly 0" if zero else ""
    return f"mean {number(float(values.mean()))}{off}"


def _gradients(values: np.ndarray) -> str:
    zero = float(np.mean(values == 0))
    stopped = f", {percent(zero)} stopped" if zero else ""
    return f"size {number(float(np.sqrt(np.mean(np.square(values)))))}{stopped}"
