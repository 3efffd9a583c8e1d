"""One weight followed through the chain rule, with the numbers of the next mini-batch.

A weight w from an input x to a sum z has, over a mini-batch of B examples, the gradient
dL/dw = 1/B times the sum of x dL/dz over the examples, where L is each example's own loss. All of
this is computed in float64 on a copy of the run, beside a finite difference of the loss.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.measure.explained_step import MOST_EXAMPLES, Explaining, quietly
from engine.measure.float64_copy import Float64Copy, backward_by_layer, relative_error
from engine.measure.model_summary import kind_of
from engine.measure.predictions import read_only
from engine.nn.channels import Channels
from engine.nn.convolution import Conv2D, Flatten, MaxPool2D
from engine.nn.dropout import Dropout
from engine.nn.layers import Activate, Dense, Layer, MaxoutLayer, PReLULayer
from engine.nn.network import Tensor
from engine.registry import Choice
from engine.training.optimizers import Optimizer
from engine.training.training import Diverged, Training
from engine.types import Array

STEP = 1e-5  # of the finite difference: rounding and curvature then matter equally little
LARGEST = 5  # terms of a sum that are shown one by one
MOST_INCOMING = 1024  # weights into a unit that are shown
ELEMENTWISE = (Activate, Dropout, MaxoutLayer, PReLULayer)  # whose gradient has one factor a unit
COMPARED = ("SGD", "momentum", "Adam")
HELD = 100  # steps for which the gradient is imagined to stay the same


@dataclass(frozen=True, slots=True)
class Place:
    """Which weight of which layer; None is the one with the largest gradient."""

    layer: str = ""  # empty: the last one below the scores
    row: int | None = None  # of W: the input
    column: int | None = None  # ... the unit


@dataclass(frozen=True, slots=True)
class Term:
    """A unit above, the weight to it, and the gradient there: their product is one term."""

    unit: int
    weight: float
    gradient: float

    @property
    def product(self) -> float:
        """What this path adds to the gradient."""
        return self.weight * self.gradient


@dataclass(frozen=True, slots=True)
class Link:
    """A layer on the way back from the loss to the weight, and the gradient at its output."""

    layer: str
    kind: str
    output: float  # of the unit on the way, for the followed example
    gradient: float  # of that example's own loss
    factor: float | None  # from the link above to this one; None: the layer between has no factor
    terms: tuple[Term, ...]  # the largest, if the next layer above is dense
    others: float  # the sum of all other terms


@dataclass(frozen=True, slots=True)
class WouldBe:
    """What an optimizer would add to the weight, at the run's learning rate."""

    optimizer: str
    first: float  # as its first step
    held: float  # as its last of `HELD` steps with this same gradient


@dataclass(frozen=True, slots=True, eq=False)
class TracedWeight:
    """A weight's gradient, term by term, and what becomes of it."""

    layer: str
    row: int
    column: int
    step: int  # the number of the step that will be made
    layers: tuple[str, ...]  # those with weights
    shape: tuple[int, ...]  # of W: inputs, units
    window: tuple[int, int, int] | None  # of a filter: channel, row and column of this weight
    side: int  # pixels along a filter; 1 in a dense layer
    places: int  # how often an image uses the weight: 1 in a dense layer
    weight: float
    chosen: int  # the followed example
    spot: tuple[int, int] | None  # of a filter: where in the map the followed term is largest
    inputs: Array  # (M,) x of the first examples; of a filter, at each one's largest term
    upstream: Array  # (M,) dL/dz of each one's own loss, there
    terms: Array  # (M,) x dL/dz, of a filter summed over all places
    rest: float  # the sum of the terms of all other examples
    batch: int
    gradient: float  # 1/B times the sum of all terms, which is dL/dw of the mean loss
    backward: float  # the same by backpropagation in float64
    difference: float  # by finite differences
    error: float  # |gradient - difference| / the larger of the two; 0 if both are tiny
    kink: bool  # the loss has no slope here, so that finite differences mean little
    chain: tuple[Link, ...]  # from the loss down to the sum z
    above: str  # the layer that the first link comes from
    penalty: float  # what L2 and L1 add to the gradient
    learning_rate: float
    optimizer: str
    change: float  # what this step really adds to the weight, in the run's own precision
    would_be: tuple[WouldBe, ...]
    incoming: Array  # (I,) the first weights into the same unit
    steepest: Array  # (I,) their gradients


NO_PLACE = Place()


def trace_weight(training: Training, place: Place = NO_PLACE, chosen: int = 0) -> TracedWeight:
    """Follow one weight through the next step of a run, which is not touched."""
    *_, traced = tracing(training, place, chosen)
    if not isinstance(traced, TracedWeight):
        raise RuntimeError("the trace ended early")
    return traced


def tracing(
    training: Training, place: Place = NO_PLACE, chosen: int = 0
) -> Iterator[TracedWeight | Explaining]:
    """Trace a weight through the next step, in pieces."""
    state = training.save()
    real = training.fork(state)
    _go_forward(real)
    yield Explaining(0.2)
    copy = Float64Copy(real, state.dropout)
    copy.loss()
    trace = _Trace(real, copy, place, chosen)
    yield Explaining(0.4)
    trace.backward()
    yield Explaining(0.6)
    difference, kink = copy.slope(trace.position, STEP)
    yield Explaining(0.8)
    change = _change_by(real, trace.position)
    yield trace.finish(difference, kink, change)


@quietly
def _go_forward(training: Training) -> None:
    try:
        training.go_forward()
    except Diverged as diverged:
        raise ValueError(f"This step diverges, {diverged}: no gradient comes back.") from None


@quietly
def _change_by(training: Training, position: int) -> float:
    """What the step, whose forward pass is done, adds to one parameter."""
    theta = training.network.parameters.theta
    before = float(theta[position])
    training.network.backward(training.dscores)
    training.move()
    return float(theta[position]) - before


class _Trace:
    """A weight, and its gradient by the backward pass in float64."""

    def __init__(self, training: Training, copy: Float64Copy, place: Place, chosen: int) -> None:
        self._training, self._copy = training, copy
        self._layers = copy.network.layers
        self._batch = copy.network.batch
        self._shown = min(self._batch, MOST_EXAMPLES)
        self._chosen = min(max(0, chosen), self._shown - 1)
        self._tensor = _tensor_of(copy.parameters.weights, place.layer)
        self._wanted = place
        self._at = [x.name for x in self._layers].index(self._tensor.layer)
        self._gradients: dict[str, Array] = {}  # of each example's own loss, by layer

    @property
    def position(self) -> int:
        """The place of the weight among all parameters."""
        start: int = self._tensor.span.start
        return start + self.row * self._tensor.shape[1] + self.column

    def backward(self) -> None:
        copy = self._copy
        for layer, dy in backward_by_layer(copy.network, copy.dscores):
            self._gradients[layer.name] = self._batch * dy
        grad = copy.parameters.grad[self._tensor.span].reshape(self._tensor.shape)
        self._dW = grad.copy()
        self.row, self.column = _steepest(np.abs(self._dW), self._wanted)

    def finish(self, difference: float, kink: bool, change: float) -> TracedWeight:
        config, tensor = self._training.config, self._tensor
        layer = self._layers[self._at]
        inputs, upstream, terms, spot = self._terms()
        weight = float(self._copy.parameters.theta[self.position])
        gradient, backward = (
            float(terms.sum()) / self._batch,
            float(self._dW[self.row, self.column]),
        )
        penalty = config.optimization.l2 * weight + config.optimization.l1 * float(np.sign(weight))
        rate, shown = self._training.learning_rate, slice(self._shown)
        return TracedWeight(
            layer=tensor.layer,
            row=self.row,
            column=self.column,
            step=self._training.step,
            layers=tuple(x.layer for x in self._copy.parameters.weights),
            shape=tensor.shape,
            window=self._window if isinstance(layer, Conv2D) else None,
            side=self._side if isinstance(layer, Conv2D) else 1,
            places=Channels(layer.out.shape).samples // self._batch,
            weight=weight,
            chosen=self._chosen,
            spot=spot,
            inputs=read_only(inputs[shown].copy()),
            upstream=read_only(upstream[shown].copy()),
            terms=read_only(terms[shown].copy()),
            rest=float(terms[self._shown :].sum()),
            batch=self._batch,
            gradient=gradient,
            backward=backward,
            difference=difference,
            error=relative_error(gradient, difference),
            kink=kink,
            chain=tuple(self._chain((self.column, *(spot or ())))),
            above=self._above.name if self._above else "loss",
            penalty=penalty,
            learning_rate=rate,
            optimizer=config.optimization.optimizer.name,
            change=change,
            would_be=tuple(_would_be(name, gradient + penalty, rate) for name in COMPARED),
            incoming=read_only(layer.params["W"][:MOST_INCOMING, self.column].copy()),
            steepest=read_only(self._dW[:MOST_INCOMING, self.column].copy()),
        )

    # ---- the terms of the sum over the mini-batch ---------------------------------------------

    @property
    def _side(self) -> int:
        """Pixels along a filter."""
        return math.isqrt(self._tensor.shape[0] // len(self._layers[self._at].x))

    @property
    def _window(self) -> tuple[int, int, int]:
        """Channel, row and column of the weight within its filter."""
        channel, within = divmod(self.row, self._side**2)
        return channel, *divmod(within, self._side)

    def _terms(self) -> tuple[Array, Array, Array, tuple[int, int] | None]:
        """By example: the input, the gradient above, their product; where, in feature maps."""
        layer, dy = self._layers[self._at], self._gradients[self._tensor.layer]
        if not isinstance(layer, Conv2D):
            inputs, upstream = layer.x[:, self.row], dy[:, self.column]
            return inputs, upstream, inputs * upstream, None
        seen, above = self._seen_by(layer), dy[self.column].reshape(-1, self._batch)
        products = seen * above
        largest, examples = np.abs(products).argmax(axis=0), np.arange(self._batch)
        spot = divmod(int(largest[self._chosen]), layer.out.shape[2])
        return seen[largest, examples], above[largest, examples], products.sum(axis=0), spot

    def _seen_by(self, layer: Conv2D) -> Array:  # (H' W', B)
        """The pixels that the weight is multiplied with, place by place."""
        channel, down, right = self._window
        _, rows, columns, _ = layer.out.shape
        edge, stride = layer.padding, layer.stride
        padded = np.pad(layer.x[channel], ((edge, edge), (edge, edge), (0, 0)))
        seen = padded[down::stride, right::stride][:rows, :columns]
        return seen.reshape(-1, self._batch)

    # ---- the chain of layers above ----------------------------------------------------------

    @property
    def _above(self) -> Layer | None:
        """The next layer with weights; None above the scores."""
        return next((x for x in self._layers[self._at + 1 :] if "W" in x.shapes), None)

    def _chain(self, index: tuple[int, ...]) -> Iterator[Link]:
        """From the next weights down to the sum, for one unit of the followed example."""
        before: tuple[Layer, float] | None = None  # the link above
        for layer, at in reversed(list(self._path(index))):
            gradient = self._of(self._gradients[layer.name], at)
            terms = [] if before else self._terms_above(at)
            yield Link(
                layer.name,
                kind_of(layer, self._training),
                self._of(layer.out, at),
                gradient,
                _factor(before, gradient),
                tuple(terms[:LARGEST]),
                sum(term.product for term in terms[LARGEST:]),
            )
            before = layer, gradient

    def _path(self, index: tuple[int, ...]) -> Iterator[tuple[Layer, tuple[int, ...]]]:
        """The layers from the weight's on, each with the place of the unit in its output."""
        yield self._layers[self._at], index
        for layer in self._layers[self._at + 1 :]:
            moved = None if layer is self._above else _through(layer, index)
            if moved is None:
                return
            index = moved
            yield layer, index

    def _of(self, values: Array, index: tuple[int, ...]) -> float:
        """The number at a place, for the followed example."""
        if values.ndim == 4:
            return float(values[(*index, self._chosen)])
        return float(values[self._chosen, index[0]])

    def _terms_above(self, index: tuple[int, ...]) -> list[Term]:
        """What comes back from each unit of the next dense layer, the largest first."""
        above = self._above
        if not isinstance(above, Dense):
            return []
        weights, gradients = above.params["W"][index[0]], self._gradients[above.name][self._chosen]
        terms = [
            Term(unit, float(w), float(dy))
            for unit, (w, dy) in enumerate(zip(weights, gradients, strict=True))
        ]
        return sorted(terms, key=lambda term: -abs(term.product))


def _tensor_of(weights: Sequence[Tensor], layer: str) -> Tensor:
    """The weights of this layer, or of the last one below the scores."""
    known = {tensor.layer: tensor for tensor in weights}
    return known.get(layer) or weights[max(0, len(weights) - 2)]


def _steepest(
    sizes: Array,  # (I, O) of the gradients
    wanted: Place,
) -> tuple[int, int]:
    """The requested row and column; where one is missing, that of the largest gradient."""
    inputs, units = sizes.shape
    column = wanted.column
    if column is None:
        rows = slice(None) if wanted.row is None else min(max(0, wanted.row), inputs - 1)
        column = int(np.atleast_2d(sizes[rows]).max(axis=0).argmax())
    column = min(max(0, column), units - 1)
    row = int(sizes[:, column].argmax()) if wanted.row is None else wanted.row
    return min(max(0, row), inputs - 1), column


def _factor(above: tuple[Layer, float] | None, gradient: float) -> float | None:
    """What the layer above multiplies a gradient by on its way down, if that is one number."""
    if above is None or not isinstance(above[0], ELEMENTWISE):
        return None
    return gradient / above[1] if above[1] else 0.0


def _through(layer: Layer, index: tuple[int, ...]) -> tuple[int, ...] | None:
    """Where in a layer's output a number of its input goes; None if it is dropped."""
    match layer:
        case MaxoutLayer():
            units = layer.out.shape[0 if layer.out.ndim == 4 else 1]
            return (index[0] % units, *index[1:])
        case MaxPool2D():
            moved = (index[0], index[1] // layer.size, index[2] // layer.size)
            inside = all(at < size for at, size in zip(moved, layer.out.shape[:3], strict=True))
            return moved if inside else None
        case Flatten():
            return (int(np.ravel_multi_index(index, layer.x.shape[:3])),)
    return index


def _would_be(name: str, gradient: float, rate: float) -> WouldBe:
    """One parameter under an optimizer that starts from rest, with the same gradient each time."""
    optimizer = Optimizer(Choice(name), np.zeros(1))
    changes = []
    for _ in range(HELD):
        optimizer.update(np.array([gradient]), rate)
        changes.append(-float(optimizer.last_update[0]))
    return WouldBe(name, changes[0], changes[-1])
