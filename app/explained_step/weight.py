"""What the page shows of a traced weight, as plain values for the template."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.explained_step.layer_pictures import MOST_ACROSS, Cell, cells_of, size_of
from app.numbers import exactly, number
from app.plots.pictures import limit
from app.short_names import short_input, short_names
from engine import DataInfo, ExplainedStep, Link, TracedWeight

LETTERS = 20  # of an input's name


@dataclass(frozen=True)
class ChainLine:
    """A layer on the way back, in words."""

    layer: str
    kind: str
    output: str
    how: str  # by which link the gradient arrives
    gradient: str
    terms: tuple[tuple[str, str], ...]  # of the sum that it is: in words, and the product


def context(traced: TracedWeight, step: ExplainedStep, data: DataInfo) -> dict[str, object]:
    """All that the template of a traced weight is filled in with."""
    names = short_names(data.classes, LETTERS)
    aboves = (traced.above, *(link.layer for link in traced.chain[:-1]))
    return {
        "traced": traced,
        "from_": input_name(traced, traced.row, step, data),
        "to": f"unit {traced.column + 1} of {traced.layer}"
        if traced.window is None
        else f"filter {traced.column + 1} of {traced.layer}",
        "cells": _incoming(traced, step, data),
        "across": _across(traced, data),
        "cell": size_of(len(traced.incoming)),
        "left_out": max(0, traced.shape[0] - len(traced.incoming)),
        "chain": [
            _line(traced, n, link, names if above == step.layers[-1].name else ())
            for n, (above, link) in enumerate(zip(aboves, traced.chain, strict=True))
        ],
        "rows": [
            (n + 1, *(number(float(value) + 0.0) for value in (x, up, term)))  # not -0
            for n, (x, up, term) in enumerate(
                zip(traced.inputs, traced.upstream, traced.terms, strict=True)
            )
        ],
        "total": number(float(traced.terms.sum()) + traced.rest),
        "agrees": traced.error <= 1e-5,
        "exactly": exactly,
    }


def input_name(traced: TracedWeight, row: int, step: ExplainedStep, data: DataInfo) -> str:
    """What a weight comes from: a pixel, a column of the table, a unit of the layer below."""
    if traced.window is not None:
        return _of_filter(traced, row)
    names = [layer.name for layer in step.layers]
    place = names.index(traced.layer)
    if place:
        return f"unit {row + 1} of {names[place - 1]}"
    if len(data.shape) > 1:
        width, colours = data.shape[1], (*data.shape, 1)[2]
        pixel, colour = divmod(row, colours)
        down, right = divmod(pixel, width)
        tint = f" ({('red', 'green', 'blue')[colour]})" if colours == 3 else ""
        return f"pixel in row {down + 1}, column {right + 1}{tint}"
    return short_input(data, row, LETTERS)


def _of_filter(traced: TracedWeight, row: int) -> str:
    side = traced.side
    channel, within = divmod(row, side * side)
    down, right = divmod(within, side)
    return f"map {channel + 1}, row {down + 1}, column {right + 1} of the window"


def _across(traced: TracedWeight, data: DataInfo) -> int:
    """Cells in a row of the picture of all weights into the unit."""
    count = len(traced.incoming)
    if traced.window is not None:
        return traced.side
    if traced.layer == traced.layers[0] and len(data.shape) > 1:
        return data.shape[1] * (*data.shape, 1)[2]
    return min(2 * MOST_ACROSS, math.ceil(math.sqrt(count)))


def _incoming(traced: TracedWeight, step: ExplainedStep, data: DataInfo) -> list[Cell]:
    def readout(row: int) -> str:
        weight, gradient = float(traced.incoming[row]), float(traced.steepest[row])
        name = input_name(traced, row, step, data)
        return f"from {name}: weight {number(weight)}, gradient {number(gradient)}"

    def asks(row: int) -> str:
        return f"{traced.layer}|{row + 1}|{traced.column + 1}"

    most = limit(traced.incoming)
    return list(cells_of(traced.incoming, most, readout, asks, _across(traced, data)))


# ---- the chain ------------------------------------------------------------------------------


def _line(traced: TracedWeight, place: int, link: Link, classes: Sequence[str]) -> ChainLine:
    """A link; `classes` are the names of the units above it, if they are those of the scores."""
    above = traced.chain[place - 1] if place else None
    terms = [
        (
            f"{classes[x.unit] if classes else f'unit {x.unit + 1}'}:"
            f" {number(x.weight)} × {number(x.gradient)}",
            number(x.product),
        )
        for x in link.terms
    ]
    if terms and link.others:
        terms.append(("all other units", number(link.others)))
    return ChainLine(
        layer=link.layer,
        kind=link.kind,
        output=number(link.output),
        how=_how(traced, link, above),
        gradient=number(link.gradient + 0.0),  # not -0
        terms=tuple(terms),
    )


def _how(traced: TracedWeight, link: Link, above: Link | None) -> str:
    if above is None:
        if traced.above == "loss":
            return "comes from the loss"
        if link.terms:
            return f"sums, over the units of {traced.above}, weight × gradient"
        return f"comes back from all windows of {traced.above} that see it"
    if link.factor is not None:
        part = "mask" if above.kind.startswith("dropout") else "slope"
        return f"{number(above.gradient)} × {number(link.factor)}, the {part} of {above.kind} here"
    if "norm" in above.kind:
        return f"through {above.kind}, which ties the examples of the batch together"
    return f"through {above.kind}"
