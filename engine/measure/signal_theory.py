"""What mean-field theory predicts for the signal in a network with its initial weights."""

import math
from dataclasses import dataclass

import numpy as np

from engine.measure.propagation import predict_signal
from engine.nn.network import Tensor
from engine.training.training import Training
from engine.types import Array

EXAMPLES = 512  # training examples whose mean square enters
_FAR = 8.0  # standard deviations from 0 that the mean of random weights never reaches


@dataclass(frozen=True, slots=True)
class SignalTheory:
    """The predicted size of the signal, layer by layer, for a wide network."""

    inputs: float  # standard deviation of the inputs, measured
    forward: tuple[float, ...]  # std of each shown output; empty if the theory does not apply
    backward: tuple[float, ...]  # of the gradient there, relative to that at the scores
    why_not: str  # why the theory does not apply; else empty


def signal_theory(training: Training) -> SignalTheory:
    """Predict the size of the signal in each layer, from the training data and initial weights."""
    x = training.data.train.x[:EXAMPLES]
    inputs = float(x.std(dtype=np.float64))
    if why_not := _why_not(training):
        return SignalTheory(inputs, (), (), why_not)
    parameters = training.network.parameters
    weights = parameters.weights
    variance_gains = [_variance_gain(t, parameters.drawn) for t in weights]
    mean_square = float(np.mean(np.square(x, dtype=np.float64)))
    moments = predict_signal(training.config.model.activation, variance_gains[:-1], mean_square)
    if moments:
        mean_square = moments[-1].std ** 2 + moments[-1].mean ** 2
    forward = [m.std for m in moments] + [math.sqrt(variance_gains[-1] * mean_square)]
    # Backward, the gradient is summed over a layer's outputs, not over its inputs.
    wider = [math.sqrt(t.shape[1] / t.shape[0]) for t in weights]
    backward, size = [1.0], math.sqrt(variance_gains[-1]) * wider[-1]
    for moment, factor in zip(reversed(moments), reversed(wider[:-1]), strict=True):
        backward.append(size)
        size *= moment.backward * factor
    return SignalTheory(inputs, tuple(forward), tuple(reversed(backward)), "")


def _variance_gain(tensor: Tensor, drawn: Array) -> float:
    W = drawn[tensor.span]
    return tensor.shape[0] * float(np.vdot(W, W)) / W.size


def _why_not(training: Training) -> str:
    model, parameters = training.config.model, training.network.parameters
    biases = [t for t in parameters.tensors if t.name == "b"]
    reasons = {
        "none for convolutions: their sums share weights": bool(model.convolutions),
        "none for Maxout: it is no function of one sum": model.activation.name == "Maxout",
        "none with normalization: it sets the size itself": model.normalization.name != "none",
        "none: the first weights were learned, not drawn": training.config.start is not None,
        "none: the weights were not drawn around 0": not all(
            _is_random(parameters.drawn[t.span]) for t in parameters.weights
        ),
        "none: the first biases depend on the data": any(
            parameters.drawn[t.span].any() for t in biases
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _is_random(W: Array) -> bool:
    """Whether the weights differ, and their mean is as close to 0 as random weights' would be."""
    return bool(np.ptp(W)) and abs(float(W.sum())) < _FAR * math.sqrt(float(np.vdot(W, W)))
