"""What to say to somebody who has written a name that there is not."""

import difflib
import re
from collections.abc import Iterable

FEW = 8  # names that a sentence can list
NEAR = 3  # of more than that, those that may have been meant


def instead_of(wrong: str, names: Iterable[str]) -> str:
    """The end of a refusal: all that there is, where a sentence can list it, else the nearest."""
    known = list(names)
    if len(known) <= FEW:
        return f"choose from {', '.join(known)}" if known else "there are none"
    return f"the nearest of {len(known)} are {', '.join(_nearest(wrong, known))}"


def _nearest(wrong: str, known: list[str]) -> list[str]:
    """By their letters; what is only a part of a name, or of a path, counts for the whole."""
    said = wrong.lower()

    def likeness(name: str) -> float:
        parts = [name.lower(), *re.split(r"[ ._-]", name.lower()), name.lower().split(".")[-1]]
        return max(difflib.SequenceMatcher(None, said, part).ratio() for part in parts)

    return sorted(known, key=likeness, reverse=True)[:NEAR]
