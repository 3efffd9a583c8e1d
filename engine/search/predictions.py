"""What a network makes of all validation examples, and how good that is."""

import numpy as np

from engine.nn.losses import accuracy, explained
from engine.training.build_network import build_network
from engine.training.training import Training
from engine.types import Array

PIECE = 128  # examples that a network is given at a time


def predictions(training: Training) -> Array:  # (N, O)
    """For all validation examples the probability of each class; of other losses, the scores."""
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


def score(training: Training, predicted: Array) -> float:
    """The accuracy of predictions for the validation examples; of values, the share explained."""
    data = training.data.validation
    return accuracy(predicted, data.y) if data.classes else explained(predicted, data.target)
