"""A network's predictions on the whole validation set, and their score."""

import numpy as np

from engine.nn.losses import accuracy, explained
from engine.training.build_network import build_network
from engine.training.training import Training
from engine.types import Array

PIECE = 128  # examples in a forward pass


def predictions(training: Training) -> Array:  # (N, O)
    """The probabilities of the classes on the validation set; for other losses, the scores."""
    x = training.data.validation.x
    pieces = [_scores(training, x[start : start + PIECE]) for start in range(0, len(x), PIECE)]
    scores = np.concatenate(pieces)
    if training.config.optimization.loss.name != "softmax cross-entropy":
        return scores
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores


def _scores(training: Training, x: Array) -> Array:
    data = training.data.validation
    network = build_network(
        training.config.model, data.shape, data.outputs, len(x),
        parameters=training.network.parameters, dtype=training.dtype,
    )  # fmt: skip
    return network.forward(x, train=False).copy()


def score(
    training: Training,
    predicted: Array,  # (N, O) scores
) -> float:
    """The accuracy of predictions on the validation set; in regression R²."""
    data = training.data.validation
    return accuracy(predicted, data.y) if data.classes else explained(predicted, data.target)
