"""Writes numbers in sentences, in the same form as the plots."""

import re


def written(value: float, digits: int = 6) -> str:
    """With so many significant digits: 0.001, 12,345, 7.9e13; never 1e+06 or 1e-06."""
    return in_form(value, f",.{digits}g")


def in_form(value: float, form: str) -> str:
    """In a form of Python's, but with powers of ten as the plots write them: 4.5e-5."""
    return re.sub(r"e\+?(-?)0*", r"e\1", format(value, form))


def counted(count: float, things: str) -> str:
    """So many of these, given in the plural with a regular s: 1 step, 12,345 steps, 0.5 epochs."""
    number = f"{count:,.0f}" if float(count).is_integer() else written(count)
    return f"{number} {things.removesuffix('s') if count == 1 else things}"
