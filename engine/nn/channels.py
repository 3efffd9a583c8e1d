"""Where the channels of a layer's output lie.

Dense layers pass `(B, O)`: a channel is a column. Convolutional ones pass `(O, H, W, B)`, batch
last: whatever a filter touches is then one long run of memory. A channel is one of their maps.
"""

from engine.types import Array


class Channels:
    """The channels of arrays of one shape: what to average over, how to spread one number each."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        maps = len(shape) == 4
        self.axis = 0 if maps else 1
        self.count = shape[self.axis]
        self.others = (1, 2, 3) if maps else (0,)
        self.samples = 1  # numbers per channel and batch
        for axis in self.others:
            self.samples *= shape[axis]
        self._spread = (-1, 1, 1, 1) if maps else (-1,)

    def spread(self, values: Array) -> Array:  # (O,)
        """`values`, one a channel, as they are to be broadcast over the array."""
        return values.reshape(self._spread)


def examples_first(out: Array) -> Array:
    """A layer's output with the batch as its first axis, whatever its layout."""
    return out.transpose(3, 1, 2, 0) if out.ndim == 4 else out
