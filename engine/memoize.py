"""Caches what is computed from an immutable object, for as long as that object lives."""

import functools
import weakref
from collections.abc import Callable
from typing import Any

_FACTS: dict[int, dict[Any, Any]] = {}  # of each object, all of them, by its address
_THINGS: dict[int, weakref.ref[Any]] = {}
_UNKNOWN: Any = object()


def memoize[T, *Ts, V](fact: Callable[[T, *Ts], V]) -> Callable[[T, *Ts], V]:
    """Cache a function of its first argument, compared by identity, for the argument's lifetime.

    Frames are frequent but rows of a history are rare: what is computed from `Curves` is almost
    always the same as one frame ago.
    """

    @functools.wraps(fact)
    def remember(thing: T, *others: *Ts) -> V:
        facts = _FACTS.get(id(thing))  # a tenth of the time that a dictionary of weak keys takes
        if facts is None:
            facts = _facts_of(thing)
        key = fact, *others
        known: V = facts.get(key, _UNKNOWN)
        if known is _UNKNOWN:
            known = facts[key] = fact(thing, *others)
        return known

    return remember


def _facts_of(thing: object) -> dict[Any, Any]:
    """The facts of a new object, until it is freed: then its address may be that of another."""
    address = id(thing)
    facts, things = _FACTS, _THINGS  # when Python ends, the names may be gone before the thing

    def forget(freed: object) -> None:
        facts.pop(address, None)
        things.pop(address, None)

    things[address] = weakref.ref(thing, forget)
    return facts.setdefault(address, {})
