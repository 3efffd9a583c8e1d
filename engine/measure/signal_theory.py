"""What theory says of the signal in a network as its weights were drawn."""

import math
from dataclasses import dataclass

import numpy as np

from engine.measure.propagation import predict_signal
from engine.nn.network import Tensor
from engine.training.training import Training
from engine.types import Array

EXAMPLES = 512  # training examples whose size goes in
_FAR = 8.0  # standard deviations of a mean from 0 that no random drawing reaches


@dataclass(frozen=True, slots=True)
class Expected:
    """The size of the signal, layer by layer; the theory is that of wide networks."""

    inputs: float  # standard deviation of the inputs, measured
    forward: tuple[float, ...]  # ... of each shown layer's output; empty where theory is silent
    backward: tuple[float, ...]  # of the gradient there, where that at the scores is 1
    silence: str  # why there is no theory; else empty


def expect(training: Training) -> Expected:
    """The size of the signal in each layer on the training data, by the weights as drawn."""
    x = training.data.train.x[:EXAMPLES]
    inputs = float(x.std(dtype=np.float64))
    if silence := _silence(training):
        return Expected(inputs, (), (), silence)
    parameters = training.network.parameters
    weights = parameters.weights
    stretches = [_stretch(t, parameters.drawn) for t in weights]
    mean_square = float(np.mean(np.square(x, dtype=np.float64)))
    moments = predict_signal(training.config.model.activation, stretches[:-1], mean_square)
    if moments:
        mean_square = moments[-1].std ** 2 + moments[-1].mean ** 2
    forward = [m.std for m in moments] + [math.sqrt(stretches[-1] * mean_square)]
    # On its way back a gradient is summed over a layer's outputs, not its inputs.
    wider = [math.sqrt(t.shape[1] / t.shape[0]) for t in weights]
    backward, size = [1.0], math.sqrt(stretches[-1]) * wider[-1]
    for moment, factor in zip(reversed(moments), reversed(wider[:-1]), strict=True):
        backward.append(size)
        size *= moment.backward * factor
    return Expected(inputs, tuple(forward), tuple(reversed(backward)), "")


def _stretch(tensor: Tensor, drawn: Array) -> float:
    W = drawn[tensor.span]
    return tensor.shape[0] * float(np.vdot(W, W)) / W.size


def _silence(training: Training) -> str:
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
    """Whether they differ, and their mean is as near to 0 as that of so many random numbers."""
    return bool(np.ptp(W)) and abs(float(W.sum())) < _FAR * math.sqrt(float(np.vdot(W, W)))
