"""The images on which the lecture's runs are made."""

from engine.data.examples import DATASETS
from engine.registry import Choice

CIFAR, CLOTHES = "CIFAR-10", "Fashion-MNIST"


def lecture_images() -> Choice:
    """Of CIFAR-10 where the user has it as many as there are bundled clothes; else those."""
    return Choice(CIFAR, {"per_class": 600}) if CIFAR in DATASETS else Choice(CLOTHES)
