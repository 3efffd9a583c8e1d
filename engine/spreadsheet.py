"""Keeps a spreadsheet from taking what people have written for a formula.

Where a decimal comma is usual, spreadsheets split a line at semicolons, also within quotation marks
that stand amidst a cell: so each part that may become a cell is looked at.
"""

import re

FORMULA = re.compile(r"^(?=[=+\-@\t\r])|(?<=[;,|\t\r\n])(?=[=+\-@])")  # where one may begin


def as_text(text: str) -> str:
    """Text of which no spreadsheet computes any part."""
    return FORMULA.sub("'", text)
