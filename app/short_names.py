"""Names where there is little space: cut so that those that differ still differ."""

from collections.abc import Collection
from functools import lru_cache

from engine import DataInfo

CUT = "…"


@lru_cache(maxsize=100)
def short_names(names: tuple[str, ...], most: int) -> tuple[str, ...]:
    """The names in so many letters: without their ends, or cut elsewhere, so that none are alike.

    Where no cut tells names apart, their numbers do.
    """
    short = {name: _without_end(name, most) for name in names}
    for cut in (_with_last_word, _without_middle):
        for alike in _groups(short):
            short |= {name: cut(name, most) for name in alike}
    for alike in _groups(short):
        short |= {name: _from(_common(alike), name, most) for name in alike}
    numbers = {name: str(n) for n, name in enumerate(short, 1)}
    for alike in _groups(short):
        short |= {
            name: f"{name[: most - len(numbers[name]) - 1]}{CUT}{numbers[name]}" for name in alike
        }
    return tuple(short[name] for name in names)


def short_input(data: DataInfo, number: int, most: int) -> str:
    """The name of an input, counted from 0, in so many letters."""
    return short_names(data.columns, most)[number] if data.columns else data.input_name(number)


def _groups(short: dict[str, str]) -> list[list[str]]:
    """The names that are cut alike."""
    groups: dict[str, list[str]] = {}
    for name, cut in short.items():
        groups.setdefault(cut, []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _without_end(name: str, most: int) -> str:
    """The first words, or letters where not even one word fits."""
    if len(name) <= most:
        return name
    text = name[:most].rpartition(" ")[0].rstrip(" ,:")
    return f"{text or name[: most - 1].rstrip()}{CUT}"


def _with_last_word(name: str, most: int) -> str:
    """The beginning and the last word, if that is short."""
    last = name.rpartition(" ")[2]
    if len(name) <= most or len(last) > most // 2:
        return _without_middle(name, most)
    return f"{_without_end(name, most - len(last))}{last}"


def _without_middle(name: str, most: int) -> str:
    """The beginning and the end."""
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return f"{name[: most - 1 - end].rstrip()}{CUT}{name[len(name) - end :].lstrip()}"


def _common(names: Collection[str]) -> int:
    """How many letters all of them begin with."""
    columns = enumerate(zip(*names, strict=False))
    return next((n for n, column in columns if len(set(column)) > 1), min(map(len, names)))


def _from(begin: int, name: str, most: int) -> str:
    """What follows the beginning that names have in common."""
    return f"{CUT}{_without_end(name[begin:], most - 1)}"
