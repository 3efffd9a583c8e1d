"""What training makes small: each function returns a batch's mean loss and writes its gradient."""

from typing import Protocol

import numpy as np

from engine.registry import Registry
from engine.types import Array, Integers


class Loss(Protocol):
    """The mean loss over a batch, its gradient written into `dz`."""

    def __call__(self, z: Array, target: Array, dz: Array) -> float: ...


LOSSES: Registry[Loss] = Registry("loss")


@LOSSES.register("softmax cross-entropy")
def softmax_cross_entropy(
    z: Array,  # (B, C) scores
    target: Array,  # (B, C) one-hot
    dz: Array,  # (B, C) overwritten with the gradient of the mean loss
) -> float:  # nats per example
    """Mean of -log softmax(z)[right class]: ln C when the network knows nothing of C classes."""
    np.subtract(z, z.max(axis=1, keepdims=True), out=dz)  # exp of at most 0 cannot overflow
    right = np.vdot(target, dz)
    np.exp(dz, out=dz)
    total = dz.sum(axis=1, keepdims=True)
    loss = (np.log(total).sum() - right) / len(z)
    dz /= total
    dz -= target
    dz *= 1 / len(z)
    return float(loss)


def accuracy(
    z: Array,  # (B, C) scores
    labels: Integers | Array,  # (B,)
) -> float:  # 0 to 1
    """Share of examples whose highest score is the right class."""
    return float(np.mean(z.argmax(axis=1) == labels))
