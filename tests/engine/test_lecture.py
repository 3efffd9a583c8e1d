"""The lecture's babysitting runs on real images, and the accuracy on real data."""

import itertools
import math

import numpy as np
import pytest

from engine import (
    Choice,
    Convolution,
    DataConfig,
    Experiment,
    ModelConfig,
    OptimizationConfig,
    RunConfig,
    Status,
)
from engine.data import register_folder
from engine.training.build_network import build_network

# As in LECTURE, section 6: one hidden layer of 50, weights 0.0001 N(0, 1), and images of 0 to 255,
# centred but not scaled: for this size of pixels the slides' learning rates are right.
PIXELS = {"scale": 255.0}
TINY = Choice("small normal", {"scale": 1e-4})


def lecture(
    learning_rate: float,
    *,
    l2: float = 0.0,
    batch_size: int = 20,
    examples: int | None = None,
    dataset: str = "Fashion-MNIST",
) -> RunConfig:
    return RunConfig(
        data=DataConfig(
            dataset=Choice(dataset), preprocessing=Choice("centre", PIXELS), examples=examples
        ),
        model=ModelConfig(hidden=(50,), initializer=TINY),
        optimization=OptimizationConfig(
            learning_rate=learning_rate,
            optimizer=Choice("SGD"),
            l2=l2,
            batch_size=batch_size,
        ),
    )


def epochs(config: RunConfig, count: float) -> Experiment:
    experiment = Experiment(config)
    size = min(config.optimization.batch_size, len(experiment.data.train))
    experiment.train(round(count * (len(experiment.data.train) // size)))
    return experiment


def first_cost(config: RunConfig) -> float:
    curves = Experiment(config).snapshot().curves
    return float(curves["loss"][0] + curves["penalty"][0])


def test_the_first_loss_is_ln_10():
    assert first_cost(lecture(1e-3)) == pytest.approx(math.log(10), abs=1e-4)


def test_a_huge_l2_raises_the_first_loss_by_its_penalty(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (400, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "thumbnails.npz", x=noise, y=np.arange(400) % 10)
    register_folder(tmp_path)
    config = lecture(1e-3, l2=1e3, dataset="thumbnails.npz")
    assert first_cost(config) == pytest.approx(3.0686, abs=0.01)  # on the slide, for 32x32x3


def test_twenty_examples_are_overfitted():
    metrics = epochs(lecture(1e-3, examples=20), 200).snapshot().metrics
    assert metrics.train_accuracy == 1.0
    assert metrics.train_loss < 0.05
    assert metrics.validation_accuracy < 0.8


def test_at_too_low_a_rate_accuracy_rises_although_the_loss_stays():
    experiment = epochs(lecture(1e-6, l2=1e-6), 10)
    metrics = experiment.snapshot().metrics
    assert 2.3020 < metrics.train_loss < 2.3026  # 2.302420 on the slide
    assert metrics.train_accuracy > 0.19
    assert metrics.validation_accuracy > 0.19


def test_at_a_rate_of_a_million_it_diverges_at_once():
    experiment = epochs(lecture(1e6, l2=1e-6), 1)
    assert experiment.status is Status.DIVERGED
    assert experiment.step < 10


def test_at_3e_3_the_loss_falls_and_diverges_some_epochs_later():
    experiment = epochs(lecture(3e-3, l2=1e-6), 10)
    losses = experiment.snapshot().curves["loss"]
    assert experiment.status is Status.DIVERGED
    assert experiment.step > 240  # more than an epoch
    assert np.nanmin(losses) < 0.5


DIGITS = RunConfig(
    model=ModelConfig(hidden=(100,)),
    optimization=OptimizationConfig(learning_rate=0.05, l2=1e-3),
)
DENSE = RunConfig(
    data=DataConfig(dataset=Choice("Fashion-MNIST"), held_out=1 / 6),
    model=ModelConfig(hidden=(200,), dropout=0.3),
    optimization=OptimizationConfig(
        learning_rate=0.02, l2=1e-3, schedule=Choice("cosine", {"length": 15 * 156})
    ),
)


def convolutional(passes: int) -> RunConfig:
    """A network whose learning rate ends at 0 after so many passes over the images."""
    return RunConfig(
        data=DataConfig(dataset=Choice("Fashion-MNIST"), held_out=1 / 6),
        model=ModelConfig(
            convolutions=(
                Convolution(filters=16, size=3, padding=1),
                Convolution(filters=32, size=3),
            ),
            hidden=(64,),
            normalization=Choice("batch norm"),
            dropout=0.3,
        ),
        optimization=OptimizationConfig(
            optimizer=Choice("Adam"),
            learning_rate=3e-3,
            batch_size=64,
            schedule=Choice("cosine", {"length": passes * 78}),
        ),
    )


def validation_accuracy(config: RunConfig, count: float, seed: int) -> float:
    """On the whole validation set."""
    experiment = epochs(config.with_seed(seed), count)
    validation = experiment.data.validation
    parameters = experiment.network.parameters
    network = build_network(
        config.model, validation.shape, 10, len(validation), parameters=parameters
    )
    scores = network.forward(validation.x, train=False)
    return float(np.mean(scores.argmax(axis=1) == validation.y))


REAL = {  # a config, its epochs, and the accuracy that is reached at least
    "digits": (DIGITS, 40, 0.97),
    "Fashion, dense": (DENSE, 15, 0.83),
    "Fashion, convolutional": (convolutional(2), 2, 0.81),
    "Fashion, convolutional for longer": (convolutional(7), 7, 0.86),
}
QUICK = [(name, 0) for name in REAL if "longer" not in name]  # the last takes 20 s


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(*run, marks=() if run in QUICK else pytest.mark.slow)
        for run in itertools.product(REAL, range(3))
    ],
)
def test_real_data_is_learned(name, seed):
    config, count, floor = REAL[name]
    assert validation_accuracy(config, count, seed) >= floor
