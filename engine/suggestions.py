"""What to say to somebody who has written a name that there is not."""

import difflib
import re
import reprlib
from collections.abc import Iterable

FEW = 8  # names that a sentence can list
NEAR = 3  # of more than that, those that may have been meant
LIKE = 0.5  # how much alike two names have to be for that, from 0 to 1


_SHORT = reprlib.Repr(maxstring=80, maxlong=80, maxother=80)


def quoted(value: object) -> str:
    """What was received, as a sentence can hold it: the middle of a long value is left out."""
    return _SHORT.repr(value)


def instead_of(wrong: str, names: Iterable[str]) -> str:
    """The end of a refusal: all that there is, where a sentence can list it, else the nearest.

    Where none is like it, some are named all the same, to show what such names are like.
    """
    known = list(names)
    if len(known) <= FEW:
        return f"choose from {', '.join(known)}" if known else "there are none"
    likeness = {name: _likeness(wrong.lower(), name.lower()) for name in known}
    nearest = sorted(known, key=likeness.__getitem__, reverse=True)[:NEAR]
    if likeness[nearest[0]] < LIKE:
        return f"there are {len(known)}, such as {', '.join(known[:NEAR])}"
    return f"the nearest of {len(known)} are {', '.join(nearest)}"


def _likeness(wrong: str, name: str) -> float:
    """By their letters; what is only a part of a name, or of a path, counts for the whole."""
    parts = [name, *re.split(r"[ ._-]", name), name.split(".")[-1]]
    return max(difflib.SequenceMatcher(None, wrong, part).ratio() for part in parts)
