"""The names that students give themselves: cleaned of whatever cannot be shown."""

import unicodedata
from collections.abc import Collection

from app.classroom.refused import Refused

LONGEST = 24  # characters
MARKS = 2  # accents on one letter; more of them would run over other lines


def nickname(proposed: str, taken: Collection[str]) -> str:
    """The name as everybody sees it; a number distinguishes it from the names that are taken."""
    name = _cleaned(proposed[: 4 * LONGEST])
    if not any(letter.isalnum() for letter in name):
        raise Refused("A nickname needs at least one letter or digit.")
    used = {other.casefold() for other in taken}
    if name.casefold() not in used:
        return name
    ways = (f"{name[: LONGEST - 4]} {n}" for n in range(2, len(used) + 3))
    return next(way for way in ways if way.casefold() not in used)


def _cleaned(proposed: str) -> str:
    """Without control characters, invisible ones, changes of direction and piles of accents."""
    shown, marks = [], 0
    for letter in unicodedata.normalize("NFKC", proposed):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind[0] == "M" else 0
        if kind[0] == "Z" or letter in "\t\n\r":
            shown.append(" ")
        elif kind[0] != "C" and marks <= MARKS:
            shown.append(letter)
    return " ".join("".join(shown).split())[:LONGEST].strip()
