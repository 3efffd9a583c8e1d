"""Facts about things that never change: worked out once, and forgotten with the thing."""

import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary


def memoize[T, *Ts, V](fact: Callable[[T, *Ts], V]) -> Callable[[T, *Ts], V]:
    """Work a fact about its first argument out once for each such object.

    Rows of a history are rare, frames are not: what is made of `Curves` alone is nearly always what
    it was a frame ago. The objects are told apart by which they are, not by what is in them.
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
