"""Regularization: what L2, L1, gradient clipping and max norm do to the loss and to a step."""

import math

import numpy as np

from engine.nn.network import Parameters
from engine.training.config_sections import OptimizationConfig
from engine.training.optimizers import BLOCK, PIECE, blocks
from engine.types import Array


class Regularization:
    """The penalties on the weights and the limits on a step; it follows its `config` live."""

    def __init__(self, config: OptimizationConfig, parameters: Parameters) -> None:
        self.config = config
        self.clipped = 1.0  # the factor by which clipping scaled the last gradient
        self._parameters = parameters
        self._weights = parameters.theta[: parameters.regularized]
        buffer = np.empty_like(self._weights[:BLOCK])
        self._blocks = []  # weights (the last blocks have none), their gradient, and a buffer
        for piece in blocks(parameters.size):
            weights = self._weights[piece]
            grad = parameters.grad[: parameters.regularized][piece]
            self._blocks.append((weights, grad, buffer[: len(weights)]))

    @property
    def penalty(self) -> float:
        """What L2 and L1 add to the loss: l2/2 Σ w² + l1 Σ |w|."""
        l2, l1, weights = self.config.l2, self.config.l1, self._weights
        penalty = 0.5 * l2 * float(np.vdot(weights, weights))
        return penalty + (l1 * float(np.abs(weights).sum()) if l1 else 0)

    def penalize(self, block: int) -> None:
        """Add the gradient of the penalties to that of the loss, for one block of parameters."""
        weights, grad, buffer = self._blocks[block]
        if self.config.l2:
            np.multiply(weights, self.config.l2, out=buffer)
            np.add(grad, buffer, out=grad)
        if self.config.l1:
            np.sign(weights, out=buffer)
            buffer *= self.config.l1
            grad += buffer

    def clip(self) -> None:
        """Scale the whole gradient, penalties included, down to the largest norm allowed.

        This is norm clipping (Pascanu et al. 2013, Alg. 1).
        """
        for block in range(len(self._blocks)):
            self.penalize(block)
        grad = self._parameters.grad
        length = math.sqrt(np.vdot(grad, grad))
        self.clipped = self.config.clip / length if length > self.config.clip else 1.0
        if self.clipped < 1:
            grad *= self.clipped

    def limit_weights(
        self,
        update: Array,  # (P,) what the step subtracted; what is taken away here is added to it
    ) -> None:
        """Scale the weights into each unit to at most `max_norm` (Srivastava et al. 2014, 5.1)."""
        for tensor in self._parameters.weights:
            W = self._parameters.theta[tensor.span].reshape(tensor.shape)
            taken = update[tensor.span].reshape(tensor.shape)
            lengths = np.sqrt(np.einsum("io,io->o", W, W))
            factor = np.minimum(1, self.config.max_norm / np.maximum(lengths, 1e-12))
            rows = max(1, PIECE // W.shape[1])
            for start in range(0, len(W), rows):  # in pieces, to need no buffer as large as W
                piece = W[start : start + rows]
                shorter = piece * factor
                taken[start : start + rows] += piece - shorter
                piece[...] = shorter
