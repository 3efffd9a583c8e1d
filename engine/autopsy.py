"""What to say of a run that diverged."""

import math

import numpy as np

from engine.training import Training


def autopsy(training: Training, loss: float) -> str:
    """One sentence each on what happened, where, why, and what to do."""
    optimization = training.config.optimization
    rate, l2 = optimization.learning_rate, optimization.l2
    what = f"rose to {loss:.3g}" if math.isfinite(loss) else "is no longer a finite number"
    where = _first_broken(training)
    if rate * l2 > 2 and rate <= 1:
        why = f"Learning rate × L2 = {rate * l2:.3g}: beyond 2 the decay itself overshoots."
        remedy = "Lower one of them"
    else:
        why = f"A learning rate of {rate:g} is too high here."
        remedy = "Lower it"
    return (
        f"Diverged at step {training.step:,}: the loss {what}{where}. {why} {remedy}, then restart."
    )


def _first_broken(training: Training) -> str:
    for layer in training.network.layers:
        for name, values in layer.params.items():
            if not np.isfinite(values).all():
                return f", first seen in the parameter {name} of layer “{layer.name}”"
        if not np.isfinite(layer.out).all():
            return f", first seen in the output of layer “{layer.name}”"
    return ""
