"""Error messages for unknown names: they list or suggest the known ones."""

import difflib
import re
import reprlib
from collections.abc import Iterable

FEW = 8  # names that a sentence can list
NEAR = 3  # of more names, the nearest ones that are suggested
LIKE = 0.5  # least similarity of a suggestion, from 0 to 1


_SHORT = reprlib.Repr(maxstring=80, maxlong=80, maxother=80)


def quoted(value: object) -> str:
    """A received value for a sentence; the middle of a long one is left out."""
    return _SHORT.repr(value)


def instead_of(wrong: str, names: Iterable[str]) -> str:
    """The end of an error message: all known names if they fit a sentence, else the nearest.

    If none is similar, some are listed as examples.
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
    """The similarity of two names; a part of a name, or of a path, counts as the whole."""
    parts = [name, *re.split(r"[ ._-]", name), name.split(".")[-1]]
    return max(difflib.SequenceMatcher(None, wrong, part).ratio() for part in parts)
