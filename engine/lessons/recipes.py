"""The configs of the lessons: small networks on small data, quick to watch."""

from engine.data import lecture_images
from engine.data.lecture import CIFAR, CLOTHES
from engine.registry import Choice
from engine.training.config import RunConfig
from engine.training.config_sections import DataConfig, ModelConfig, OptimizationConfig

RATE = "optimization.learning_rate"
L2 = "optimization.l2"
ACTIVATION = "model.activation"
INITIALIZER = "model.initializer"
OPTIMIZER = "optimization.optimizer"

TRAINED_ON = 4800  # examples of either data set
EPOCH = 240  # steps of 20 examples that make an epoch
# The steps of an epoch at which a rate of 3e-3 diverges after some epochs, not at once: CIFAR-10
# has four times as many inputs, so each step is larger, and larger mini-batches must steady it.
STEADY = {CLOTHES: 240, CIFAR: 80}


def recipe(
    data: DataConfig,
    model: ModelConfig,
    learning_rate: float,
    *,
    optimizer: str = "SGD",
    l2: float = 0.0,
    seed: int = 0,
) -> RunConfig:
    """A run with only the features that are requested."""
    return RunConfig(
        data=data,
        model=model,
        optimization=OptimizationConfig(
            learning_rate=learning_rate, optimizer=Choice(optimizer), l2=l2
        ),
        seed=seed,
    )


def digits(preprocessing: str = "centre") -> DataConfig:
    """The handwritten digits, 8 x 8: a network learns them in a second."""
    return DataConfig(dataset=Choice("digits"), preprocessing=Choice(preprocessing))


def clothes(examples: int | None = None, *, seed: int | None = None) -> DataConfig:
    """Fashion-MNIST, which is harder; all of it or a part."""
    return DataConfig(dataset=Choice(CLOTHES), examples=examples, seed=seed)


def layers(
    *hidden: int, activation: str = "ReLU", initializer: str = "He", normalization: str = "none"
) -> ModelConfig:
    """A stack of dense layers."""
    return ModelConfig(
        hidden=hidden,
        activation=Choice(activation),
        initializer=Choice(initializer),
        normalization=Choice(normalization),
    )


def babysat(
    learning_rate: float, *, l2: float = 0.0, examples: int | None = None, epoch: int = EPOCH
) -> RunConfig:
    """The lecture's babysitting run: 50 hidden units, weights of 0.0001 N(0, 1), plain SGD.

    Pixels are 0 to 255, because the slides' rates are right for that size. `epoch` is the number of
    steps for all examples.
    """
    return RunConfig(
        data=DataConfig(
            dataset=lecture_images(),
            preprocessing=Choice("centre", {"scale": 255.0}),
            examples=examples,
        ),
        model=ModelConfig(hidden=(50,), initializer=Choice("small normal", {"scale": 1e-4})),
        optimization=OptimizationConfig(
            learning_rate=learning_rate,
            optimizer=Choice("SGD"),
            l2=l2,
            batch_size=TRAINED_ON // epoch,
        ),
    )
