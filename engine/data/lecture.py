"""The images for the lecture's runs."""

from engine.data.examples import DATASETS
from engine.registry import Choice

CIFAR, CLOTHES = "CIFAR-10", "Fashion-MNIST"


def lecture_images() -> Choice:
    """CIFAR-10 if the user has it, with as many images as Fashion-MNIST; else Fashion-MNIST."""
    return Choice(CIFAR, {"per_class": 600}) if CIFAR in DATASETS else Choice(CLOTHES)
