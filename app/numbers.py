"""How the page writes numbers: short, and with a width that does not change in every frame.

What is below 0 has a minus, as in the plots, which is as wide as a digit; powers of ten have the
hyphen with which one would type them.
"""

import math
import sys

from engine import joined, with_minus
from engine import percent as in_percent

# The same rules are in app/static/numbers.js, for tick labels.
_NUDGE = 1 + 4 * sys.float_info.epsilon  # a tie between two roundings is rounded away from 0


def count(value: float) -> str:
    """A whole number: 12,345."""
    return with_minus(f"{value:z,.0f}")


def rate(value: float) -> str:
    """How many steps a second: one decimal where that is few, as in 2.5."""
    return f"{value:.1f}".removesuffix(".0") if value < 9.95 else count(value)


def number(value: float) -> str:
    """A number with as many digits as one can read while it changes."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    nudged = value * _NUDGE + 0.0  # -0.0 is 0
    size = abs(nudged)
    if size != 0 and not 1e-3 <= size < 99999.5:
        return _power(f"{nudged:.1e}")
    if size < 9.9995:
        return with_minus(f"{nudged:.3f}")
    return with_minus(f"{nudged:.4g}") if size < 999.95 else count(nudged)


def tick(value: float) -> str:
    """A number without trailing zeros: for ticks."""
    digits, e, power = number(value).partition("e")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + e + power


def exactly(value: float) -> str:
    """A number with all digits that matter in the comparison of two gradients."""
    return with_minus(f"{value:.9g}")


def short(value: float) -> str:
    """A number with as few characters as possible."""
    if math.isfinite(value) and 0.01 <= abs(value) < 999.5:
        return with_minus(f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}")
    if not value or not math.isfinite(value):
        return number(value) if value else "0"
    return _power(f"{value:.0e}")


def initial(name: str) -> str:
    """A layer's name with as few characters as possible: h1 for hidden 1."""
    word, _, number = name.rpartition(" ")
    return f"{word[0]}{number}" if word else name[:2]


def percent(share: float) -> str:
    """A share of 1 in whole per cent: 42 %."""
    return _percent(share, 0)


def decimal_percent(share: float) -> str:
    """A share of 1 in per cent with one decimal, for what one watches change: 42.3 %."""
    return _percent(share, 1)


def _percent(share: float, digits: int) -> str:
    value = 100 * share
    return in_percent(share, digits) if abs(value) < 99999 else joined(f"{number(value)} %")


def seconds(time: float) -> str:
    """A duration in seconds or minutes."""
    if math.isnan(time):
        return "–"
    return joined(f"{time:.0f} s" if time < 100 else f"{time / 60:.0f} min")


def _power(text: str) -> str:
    return with_minus(text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e"))
