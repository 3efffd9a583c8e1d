"""Writes numbers and labels for people to read, in the same form as the plots.

What is below 0 has a minus, and a share has a space before its %, at which no line breaks. What a
program reads again, such as JSON, CSV and links, is written by Python alone: there it is a hyphen.
Powers of ten keep the hyphen with which one would type them.
"""

import re

MINUS = "−"
JOINED = "\N{NO-BREAK SPACE}"  # between a number and its unit
UNIT = re.compile(r"(?<=\d) (?=%|(?:ms|s|min|kB|MB)\b)")  # the space before one


def written(value: float, digits: int = 6) -> str:
    """With so many significant digits: 0.001, 12,345, 7.9e13; never 1e+06 or 1e-06."""
    return in_form(value, f",.{digits}g")


def in_form(value: float, form: str) -> str:
    """In a form of Python's, but as the plots write it: 4.5e-5, −2, 12 %."""
    text = re.sub(r"e\+?(-?)0*", r"e\1", format(value, form))
    return with_minus(text.replace("%", f"{JOINED}%"))


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 in per cent, with so many decimals: 42 %."""
    return f"{with_minus(f'{100 * share:z,.{digits}f}')}{JOINED}%"


def joined(text: str) -> str:
    """The text, with no line break between a number and its unit: 42 %, 30 s."""
    return UNIT.sub(JOINED, text)


def within(label: str) -> str:
    """A label in the middle of a sentence: learning rate, L2 strength."""
    return f"{label[:1].lower()}{label[1:]}" if label[1:2].islower() else label


def with_minus(text: str) -> str:
    """A number with a minus, if it begins with a hyphen."""
    return MINUS + text[1:] if text.startswith("-") else text


def typed(text: str) -> str:
    """Text as one types it, and as it was written in earlier files: with -2 and 12%."""
    return text.replace(MINUS, "-").replace(JOINED, " ").replace(" %", "%")


def counted(count: float, things: str) -> str:
    """So many of these, given in the plural with a regular s: 1 step, 12,345 steps, 0.5 epochs."""
    number = f"{count:,.0f}" if float(count).is_integer() else written(count)
    return f"{number} {things.removesuffix('s') if count == 1 else things}"
