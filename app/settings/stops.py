"""The values at which a slider stops: few, round, and including both ends of its range."""

import functools
import math

from engine import Range

MANTISSAS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)  # of the stops of a log scale, ten per decade
LINEAR_STOPS = 50


@functools.cache
def stops_of(values: Range) -> tuple[float, ...]:
    """The stops of a slider over this range, in order."""
    if values.scale == "linear" and values.whole:
        stops: list[float] = [*range(math.ceil(values.low), math.floor(values.high) + 1)]
    elif values.scale == "linear":
        width = values.high - values.low
        stops = [round(values.low + width * n / LINEAR_STOPS, 6) for n in range(LINEAR_STOPS + 1)]
    elif values.whole:
        powers = [2**n for n in range(math.floor(math.log2(values.high)) + 1)]
        stops = sorted({*powers, math.ceil(values.low), math.floor(values.high)})
    else:
        decades = range(math.floor(math.log10(values.low)), math.ceil(math.log10(values.high)) + 1)
        stops = [float(f"{m}e{decade}") for decade in decades for m in MANTISSAS]
    inside = [stop for stop in stops if values.low <= stop <= values.high]
    return (0, *inside) if values.zero else tuple(inside)


def moved(value: float, by: int, values: Range) -> float:
    """The value so many stops further, within the range."""
    stops = sorted({*stops_of(values), value})
    return stops[min(max(stops.index(value) + by, 0), len(stops) - 1)]
