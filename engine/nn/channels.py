"""The channels of a layer's output, for layers that treat each channel by itself.

Dense layers pass `(B, O)`: a channel is a column. Convolutional layers pass `(O, H, W, B)`: a
channel is a feature map. The batch comes last, so that a filter touches contiguous memory.
"""

from engine.types import Array


class Channels:
    """The axes to average over for arrays of one shape, and how to broadcast a number a channel."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        maps = len(shape) == 4
        self.axis = 0 if maps else 1
        self.count = shape[self.axis]
        self.others = (1, 2, 3) if maps else (0,)
        self.samples = 1  # numbers per channel in a mini-batch
        for axis in self.others:
            self.samples *= shape[axis]
        self._spread = (-1, 1, 1, 1) if maps else (-1,)

    def spread(self, values: Array) -> Array:  # (O,)
        """`values`, one per channel, in a shape that broadcasts over the array."""
        return values.reshape(self._spread)


def examples_first(out: Array) -> Array:
    """A layer's output with the batch as its first axis."""
    return out.transpose(3, 1, 2, 0) if out.ndim == 4 else out
