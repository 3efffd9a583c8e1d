"""Make the frozen numbers that the engine is compared with, in PyTorch; run by hand.

    python tests/reference/torch_reference.py        (needs PyTorch and NumPy, nothing of ours)

Everything is float64. A number's key says what it is: `what|name|knobs|array`, where the name and
the knobs are the engine's, and `activation|leaky ReLU|slope_below=0.1|value` is an example. Arrays
of images are PyTorch's, `(B, C, H, W)`; those that go into a whole network are `(B, H, W, C)`.
`tests/engine/test_torch.py` compares, and where PyTorch is installed makes these numbers again.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional, init
from torch.optim import lr_scheduler

FROZEN = Path(__file__).parent / "torch_2_13.npz"
GRID = np.concatenate(
    [[-1e4, -1e3, -100, -30, -10], np.linspace(-6, 6, 49), [1e-3, 10, 30, 100, 1e3, 1e4]]
)

Cases = Iterator[tuple[str, object]]  # keys and numbers


def parameters_of(*tensors: Tensor) -> list[Tensor]:
    """The same numbers as leaves, whose gradients PyTorch keeps."""
    return [x.detach().clone().requires_grad_() for x in tensors]


def normal(rng: np.random.Generator, *shape: int) -> Tensor:
    """Standard normal numbers, drawn by NumPy, so that no version of PyTorch changes them."""
    return torch.from_numpy(rng.standard_normal(shape))


def gradients(prefix: str, y: Tensor, dy: Tensor, **of: Tensor) -> Cases:
    """The output, the gradient it is given, and those it returns, next to what they belong to."""
    y.backward(dy)
    yield f"{prefix}|y", y
    yield f"{prefix}|dy", dy
    for name, tensor in of.items():
        yield f"{prefix}|{name}", tensor
        yield f"{prefix}|d{name}", tensor.grad


# ---- activations ----------------------------------------------------------------------------

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU|": nn.ReLU(),
    "tanh|": nn.Tanh(),
    "sigmoid|": nn.Sigmoid(),
    "leaky ReLU|": nn.LeakyReLU(0.01),
    "leaky ReLU|slope_below=0.1": nn.LeakyReLU(0.1),
    "leaky ReLU|slope_below=0.0": nn.LeakyReLU(0.0),
    "PReLU|": nn.PReLU(init=0.25, dtype=torch.float64),
    "PReLU|start=0.1": nn.PReLU(init=0.1, dtype=torch.float64),
    "ELU|": nn.ELU(),
    "ELU|alpha=0.3": nn.ELU(0.3),
    "ELU|alpha=2.0": nn.ELU(2.0),
    "SELU|": nn.SELU(),
    "GELU|": nn.GELU(approximate="tanh"),
    "SiLU|": nn.SiLU(),
    "softplus|": nn.Softplus(threshold=500),  # beyond it PyTorch answers x; 20 by default
    "identity|": nn.Identity(),
}


def activations() -> Cases:
    """Values and slopes on the grid."""
    yield "grid", GRID
    for name, function in ACTIVATIONS.items():
        (z,) = parameters_of(torch.from_numpy(GRID))
        a = function(z)
        a.sum().backward()
        yield f"activation|{name}|value", a
        yield f"activation|{name}|slope", z.grad


# ---- layers ---------------------------------------------------------------------------------

CONVOLUTIONS = [(c, s, p) for c in (1, 3) for s in (1, 2) for p in (0, 1, 2)]
POOLS = [(2, (4, 6)), (2, (5, 7)), (3, (7, 8))]  # size, and (H, W); the latter two leave an edge
NORMALIZED = {"flat": (6, 3), "maps": (4, 3, 2, 3)}


def dense(rng: np.random.Generator) -> Cases:
    """x W + b; PyTorch keeps W the other way round."""
    x, W, b = parameters_of(normal(rng, 5, 4), normal(rng, 4, 3), normal(rng, 3))
    y = functional.linear(x, W.T, b)
    yield from gradients("layer|dense|", y, normal(rng, *y.shape), x=x, W=W, b=b)


def convolutions(rng: np.random.Generator) -> Cases:
    """3x3 filters with every stride, padding and number of colours, over images not square."""
    for channels, stride, padding in CONVOLUTIONS:
        x, W, b = parameters_of(
            normal(rng, 2, channels, 7, 6), normal(rng, 2, channels, 3, 3), normal(rng, 2)
        )
        y = functional.conv2d(x, W, b, stride=stride, padding=padding)
        prefix = f"layer|convolution|channels={channels},stride={stride},padding={padding}"
        yield from gradients(prefix, y, normal(rng, *y.shape), x=x, W=W, b=b)


def pooling(rng: np.random.Generator) -> Cases:
    """Of distinct numbers, and of whole ones, where several are the largest."""
    for size, (height, width) in POOLS:
        for ties in (0, 1):
            x = normal(rng, 2, 2, height, width)
            (x,) = parameters_of(x.round() if ties else x)
            y = functional.max_pool2d(x, size)
            prefix = f"layer|pooling|size={size},ties={ties},height={height}"
            yield from gradients(prefix, y, normal(rng, *y.shape), x=x)


def normalizations(rng: np.random.Generator) -> Cases:
    """Four batches of training, the last one's gradients, then a batch that is only looked at."""
    for layout, shape in NORMALIZED.items():
        for momentum in (0.1, 0.4):
            kind = nn.BatchNorm1d if layout == "flat" else nn.BatchNorm2d
            layer = kind(shape[1], momentum=momentum, dtype=torch.float64)
            layer.weight, layer.bias = map(nn.Parameter, (normal(rng, 3), normal(rng, 3)))
            prefix = f"layer|batch norm, {layout}|momentum={momentum}"
            batches = 3 * normal(rng, 4, *shape) + 2
            outputs = [layer(x) for x in batches[:-1]]
            (x,) = parameters_of(batches[-1])
            yield f"{prefix}|batches", batches
            yield f"{prefix}|trained", torch.stack([*outputs, layer(x)])
            yield f"{prefix}|mean", layer.running_mean.clone()
            yield f"{prefix}|variance", layer.running_var.clone()
            fresh = normal(rng, *shape)
            layer.eval()
            yield f"{prefix}|fresh", fresh
            yield f"{prefix}|looked", layer(fresh)
            layer.train()
            of = {"x": x, "gamma": layer.weight, "beta": layer.bias}
            yield from gradients(prefix, layer(x), normal(rng, *shape), **of)


def learned_slopes(rng: np.random.Generator) -> Cases:
    """PReLU with a slope for each unit, and for each map."""
    for layout, shape in NORMALIZED.items():
        x, slope = parameters_of(normal(rng, *shape), normal(rng, 3).abs())
        y = functional.prelu(x, slope)
        prefix = f"layer|learned slope, {layout}|"
        yield from gradients(prefix, y, normal(rng, *shape), x=x, slope=slope)


def maxout(rng: np.random.Generator) -> Cases:
    """The larger of the first and the second half of the channels."""
    for layout, (batch, channels, *rest) in NORMALIZED.items():
        (x,) = parameters_of(normal(rng, batch, 2 * channels, *rest))
        y = torch.maximum(*x.chunk(2, dim=1))
        yield from gradients(f"layer|maxout, {layout}|", y, normal(rng, *y.shape), x=x)


def flatten(rng: np.random.Generator) -> Cases:
    """The order in which the pixels of maps become the inputs of a dense layer."""
    (x,) = parameters_of(normal(rng, 2, 3, 2, 4))
    y = torch.flatten(x, 1)
    yield from gradients("layer|flatten|", y, normal(rng, *y.shape), x=x)


def whole(rng: np.random.Generator) -> Cases:
    """Everything at once: two convolutions, batch norm, pooling and dense layers."""
    x, labels = normal(rng, 4, 9, 8, 2), torch.from_numpy(rng.integers(3, size=4))
    network = nn.Sequential(
        *(nn.Conv2d(2, 3, 3, stride=1, padding=1), nn.BatchNorm2d(3), nn.Tanh(), nn.MaxPool2d(2)),
        *(nn.Conv2d(3, 2, 2, stride=2, padding=0), nn.BatchNorm2d(2), nn.Tanh()),
        *(nn.Flatten(), nn.Linear(8, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3)),
    ).double()
    for tensor in network.parameters():
        tensor.data = normal(rng, *tensor.shape)
    scores = network(x.permute(0, 3, 1, 2))
    loss = functional.cross_entropy(scores, labels)
    loss.backward()
    yield from {"x": x, "labels": labels, "scores": scores, "loss": loss}.items()
    for name, tensor in network.named_parameters():
        yield name, tensor
        yield f"d{name}", tensor.grad


# ---- losses ---------------------------------------------------------------------------------


def hinge(z: Tensor, labels: Tensor) -> Tensor:
    """CS231n's sum over the classes, where PyTorch takes their mean."""
    return z.shape[1] * functional.multi_margin_loss(z, labels)


LOSSES = {
    "softmax cross-entropy": functional.cross_entropy,
    "multiclass hinge": hinge,
    "mean squared error": functional.mse_loss,
}


def losses(rng: np.random.Generator) -> Cases:
    """Values and gradients, at ordinary scores and at absurd ones."""
    for name, loss in LOSSES.items():
        for size in (1, 1000):
            (z,) = parameters_of(size * normal(rng, 7, 4))
            labels = torch.from_numpy(rng.integers(4, size=7))
            target = functional.one_hot(labels, 4).double()
            if name == "mean squared error":
                labels = target = normal(rng, 7, 4)
            value = loss(z, labels)
            value.backward()
            of = {"z": z, "target": target, "value": value, "dz": z.grad}
            for key, array in of.items():
                yield f"loss|{name}|size={size}|{key}", array


# ---- training -------------------------------------------------------------------------------

STEPS = 20
SIZES = (4, 5, 3)  # of the data, the hidden layer and the scores; tanh, cross-entropy
BATCH = 6
RATE = 0.1


def weights_alone(theta: list[Tensor]) -> list[dict[str, object]]:
    """Two groups of parameters, W1 b1 W2 b2: the biases' has no decay."""
    return [{"params": theta[::2]}, {"params": theta[1::2], "weight_decay": 0.0}]


# `optimizer|its knobs|the rest of the config` and the PyTorch optimizer.
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "SGD||": lambda p: torch.optim.SGD(p, RATE),
    "SGD||l2=0.03": lambda p: torch.optim.SGD(p, RATE),
    "SGD||l1=0.03": lambda p: torch.optim.SGD(p, RATE),
    "SGD||clip=0.2": lambda p: torch.optim.SGD(p, RATE),
    "SGD||max_norm=0.9": lambda p: torch.optim.SGD(p, RATE),
    "momentum||": lambda p: torch.optim.SGD(p, RATE, momentum=0.9),
    "momentum|mu=0.5|l2=0.03": lambda p: torch.optim.SGD(p, RATE, momentum=0.5),
    "Nesterov||": lambda p: torch.optim.SGD(p, RATE, momentum=0.9, nesterov=True),
    "Nesterov|mu=0.5|l2=0.03,l1=0.01,clip=0.3": lambda p: torch.optim.SGD(
        p, RATE, momentum=0.5, nesterov=True
    ),
    "Adagrad||": lambda p: torch.optim.Adagrad(p, RATE),
    "Adagrad|epsilon=0.01|l2=0.03": lambda p: torch.optim.Adagrad(p, RATE, eps=0.01),
    "RMSprop||": lambda p: torch.optim.RMSprop(p, RATE),
    "RMSprop|decay=0.9,epsilon=0.001|": lambda p: torch.optim.RMSprop(
        p, RATE, alpha=0.9, eps=0.001
    ),
    "Adam||": lambda p: torch.optim.Adam(p, RATE),
    "Adam|beta1=0.5,beta2=0.9,epsilon=0.001|l2=0.03": lambda p: torch.optim.Adam(
        p, RATE, betas=(0.5, 0.9), eps=0.001
    ),
    "AdamW||": lambda p: torch.optim.AdamW(weights_alone(p), RATE, weight_decay=0.01),
    "AdamW|beta1=0.5,beta2=0.9,decay=0.3|": lambda p: torch.optim.AdamW(
        weights_alone(p), RATE, betas=(0.5, 0.9), weight_decay=0.3
    ),
}


def scores_of(x: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
    """The small network that every optimizer trains."""
    return torch.tanh(x @ W1 + b1) @ W2 + b2


def penalty(weights: list[Tensor], l2: float = 0, l1: float = 0) -> Tensor:
    """What is added to the loss: biases go free."""
    return sum(l2 / 2 * W.square().sum() + l1 * W.abs().sum() for W in weights)


def training(rng: np.random.Generator) -> Cases:
    """Twenty steps of the small network, all from the same weights over the same batches."""
    inputs, hidden, classes = SIZES
    shapes = (inputs, hidden), (hidden,), (hidden, classes), (classes,)
    start = [normal(rng, *shape) for shape in shapes]
    x = normal(rng, STEPS, BATCH, inputs)
    labels = torch.from_numpy(rng.integers(classes, size=(STEPS, BATCH)))
    yield from (("start|x", x), ("start|target", functional.one_hot(labels, classes).double()))
    yield from zip(("start|W1", "start|b1", "start|W2", "start|b2"), start, strict=True)
    for case, make in OPTIMIZERS.items():
        knobs = case.rpartition("|")[2]
        extra = {k: float(v) for k, _, v in (knob.partition("=") for knob in knobs.split(",")) if v}
        theta = parameters_of(*start)
        weights = theta[::2]
        optimizer = make(theta)
        clip, longest = extra.pop("clip", None), extra.pop("max_norm", None)
        for batch, answers in zip(x, labels, strict=True):
            optimizer.zero_grad()
            loss = functional.cross_entropy(scores_of(batch, *theta), answers)
            (loss + penalty(weights, **extra)).backward()
            if clip:
                nn.utils.clip_grad_norm_(theta, clip)
            optimizer.step()
            if longest:
                for W in weights:
                    W.data = torch.renorm(W.data, p=2, dim=1, maxnorm=longest)
        for name, tensor in zip(("W1", "b1", "W2", "b2"), theta, strict=True):
            yield f"training|{case}|{name}", tensor
        yield f"training|{case}|loss", loss


SCHEDULES: dict[str, Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]] = {
    "constant|": lambda o: lr_scheduler.ConstantLR(o, factor=1.0),
    "step|every=10,factor=0.3": lambda o: lr_scheduler.StepLR(o, 10, gamma=0.3),
    "exponential|half_life=16": lambda o: lr_scheduler.ExponentialLR(o, 0.5 ** (1 / 16)),
    "1/t|half_life=10": lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t / 10)),
    "cosine|length=40": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=40),
    "warm-up|length=10": lambda o: lr_scheduler.LinearLR(o, 1 / 10, 1.0, total_iters=9),
}


def schedules() -> Cases:
    """The factor on a rate of 1 before each of 41 steps; after 40 PyTorch's cosine rises again."""
    for name, make in SCHEDULES.items():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
        schedule = make(optimizer)
        factors = []
        for _ in range(41):
            factors.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        yield f"schedule|{name}|factors", factors


# ---- initializers ---------------------------------------------------------------------------

SHAPES = {"dense": (200, 300), "convolution": (40, 12, 5, 5)}  # PyTorch's: outputs first
INITIALIZERS: dict[str, Callable[[Tensor], object]] = {
    "He|": lambda W: init.kaiming_normal_(W, nonlinearity="relu"),
    "Xavier|": lambda W: init.kaiming_normal_(W, nonlinearity="linear"),  # N(0, 1 / inputs)
    "Xavier uniform|": lambda W: init.kaiming_uniform_(W, nonlinearity="linear"),
    "Glorot|": init.xavier_normal_,
    "Glorot|scale=0.5": lambda W: init.xavier_normal_(W, gain=0.5),
    "Glorot uniform|": init.xavier_uniform_,
    "LeCun|": lambda W: init.kaiming_normal_(W, nonlinearity="linear"),
    "orthogonal|": lambda W: init.orthogonal_(W, gain=init.calculate_gain("relu")),
    "small normal|": lambda W: init.normal_(W, 0.0, 0.01),
    "unit normal|": init.normal_,
    "constant|": lambda W: init.constant_(W, 0.01),
    "zeros|": init.zeros_,
}


def initializers() -> Cases:
    """The fans, and of one large draw the deviation, the largest number and singular values."""
    torch.manual_seed(0)
    for kind, shape in SHAPES.items():
        W = torch.empty(shape, dtype=torch.float64)
        yield f"fans|{kind}", np.array(init._calculate_fan_in_and_fan_out(W))
        for name, draw in INITIALIZERS.items():
            draw(W)
            stretch = torch.linalg.svdvals(W.flatten(1))
            numbers = [W.std(correction=0), W.abs().max(), stretch.min(), stretch.max()]
            yield f"initializer|{name}|{kind}", torch.stack(numbers)


def everything() -> dict[str, np.ndarray]:
    """All reference numbers by their keys."""
    torch.set_num_threads(1)  # sums in one order
    rng = np.random.default_rng(2_13)
    drawn = (dense, convolutions, pooling, normalizations, learned_slopes, maxout, flatten)
    cases = [*activations(), *schedules(), *initializers()]
    for layer in (*drawn, losses, training):
        cases += layer(rng)
    cases += ((f"whole|{name}", value) for name, value in whole(rng))
    found = {
        key: value.detach().numpy().copy() if isinstance(value, Tensor) else np.array(value)
        for key, value in cases
    }
    if not all(np.isfinite(array).all() for array in found.values()):
        raise SystemExit("some numbers are not finite")
    return found | {"torch": np.array(torch.__version__)}


if __name__ == "__main__":
    numbers = everything()
    np.savez_compressed(FROZEN, **numbers)
    print(f"{FROZEN.name}: {len(numbers)} arrays, {FROZEN.stat().st_size:,} B, {numbers['torch']}")
