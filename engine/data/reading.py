"""How the user wants a table to be read; what is left open is detected."""

from typing import Literal

import msgspec

type Task = Literal["classes", "values"]
type Missing = Literal["drop", "median"]


class Reading(msgspec.Struct, frozen=True):
    """Which column is the target, what it holds, and how missing values are handled."""

    target: str | None = None  # the name of a column
    task: Task | None = None
    missing: Missing | None = None  # None: a table with missing values is refused


AS_FOUND = Reading()
