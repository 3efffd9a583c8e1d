"""Caches what is computed from an immutable object, for as long as that object lives."""

import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

_FACTS: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()  # of each object, all of them


def memoize[T, *Ts, V](fact: Callable[[T, *Ts], V]) -> Callable[[T, *Ts], V]:
    """Cache a function of its first argument, compared by identity, for the argument's lifetime.

    Frames are frequent but rows of a history are rare: what is computed from `Curves` is almost
    always the same as one frame ago.
    """

    @functools.wraps(fact)
    def remember(thing: T, *others: *Ts) -> V:
        facts = _FACTS.get(thing)
        if facts is None:
            facts = _FACTS.setdefault(thing, {})
        key = fact, *others
        if key not in facts:
            facts[key] = fact(thing, *others)
        known: V = facts[key]
        return known

    return remember
