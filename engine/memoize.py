"""Caches what is computed from an immutable object, for as long as that object lives."""

import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary


def memoize[T, *Ts, V](fact: Callable[[T, *Ts], V]) -> Callable[[T, *Ts], V]:
    """Cache a function of its first argument, compared by identity, for the argument's lifetime.

    Frames are frequent but rows of a history are rare: what is computed from `Curves` is almost
    always the same as one frame ago.
    """
    known: WeakKeyDictionary[Any, dict[tuple[*Ts], V]] = WeakKeyDictionary()

    @functools.wraps(fact)
    def remember(thing: T, *others: *Ts) -> V:
        facts = known.get(thing)
        if facts is None:
            facts = known.setdefault(thing, {})
        if others not in facts:
            facts[others] = fact(thing, *others)
        return facts[others]

    return remember
