"""The numbers that describe a run as a whole, at one step."""

import msgspec


class RunMetrics(msgspec.Struct, frozen=True):
    """Numbers that describe the run as a whole; NaN where one is not defined or not yet known."""

    first_loss: float  # before the first step
    chance_loss: float  # when all scores are equal: ln C for softmax
    constant_loss: float  # when all examples get the same scores, the best for it
    train_loss: float  # on fixed training examples
    validation_loss: float
    train_accuracy: float  # from 0 to 1; in regression R², the share of variance explained
    validation_accuracy: float
    learning_rate: float  # of the last step, schedule and warm-up included
    gradient_cosine: float  # between the gradients of two consecutive steps
    overshoot: float  # of the last step: -1 far too short, 0 at the minimum, above 1 uphill
    noise_scale: float  # batch size beyond which larger batches stop helping (McCandlish 2018)
    cost: float  # share of the run's time spent on measuring
