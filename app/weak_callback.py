"""A callback that does not keep alive the object it calls, so that they form no reference cycle.

Objects in a cycle are freed only by a search of all memory, during which nothing else runs.
"""

from collections.abc import Callable
from weakref import WeakMethod


def weakly[**P](method: Callable[P, None]) -> Callable[P, None]:
    """Call this method of an object for as long as somebody else holds the object."""
    held = WeakMethod(method)

    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        if alive := held():
            alive(*args, **kwargs)

    return call
