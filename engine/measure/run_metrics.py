"""The numbers about a run as a whole, at one instant."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """Numbers about the run as a whole; NaN where one cannot be had."""

    first_loss: float  # before the first step
    chance_loss: float  # what it is when all scores are equal: ln C for softmax
    train_loss: float  # on fixed training examples
    validation_loss: float
    train_accuracy: float  # from 0 to 1; of values the share of their variance explained
    validation_accuracy: float
    learning_rate: float  # of the last step, schedule and warm-up included
    gradient_cosine: float  # cosine between the gradients of two steps in a row
    overshoot: float  # along the last step: -1 far too short, 0 at the bottom, above 1 uphill
    noise_scale: float  # batch size beyond which larger batches stop helping (McCandlish 2018)
    cost: float  # share of its time that the run spends on measuring
