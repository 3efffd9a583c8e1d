"""Writes numbers in sentences, in the same form as the plots."""

import re


def written(value: float, digits: int = 6) -> str:
    """With so many significant digits: 0.001, 12,345, 7.9e13; never 1e+06 or 1e-06."""
    return re.sub(r"e\+?(-?)0*", r"e\1", f"{value:,.{digits}g}")
