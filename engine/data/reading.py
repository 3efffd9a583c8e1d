"""What a person decides about a table; whatever is left open, the reader of the table chooses."""

from typing import Literal

import msgspec

type Task = Literal["classes", "values"]
type Missing = Literal["drop", "median"]


class Reading(msgspec.Struct, frozen=True):
    """Which column is the target, what it tells, and what becomes of missing values."""

    target: str | None = None  # a column by name
    task: Task | None = None
    missing: Missing | None = None  # None: a table with missing values is refused


AS_FOUND = Reading()
