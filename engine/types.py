"""The array type, and the letters that stand for dimensions in all comments on shapes.

| letter | size of                                   |
|--------|-------------------------------------------|
| `N`    | a data set: its examples                  |
| `B`    | a mini-batch: the examples of one step    |
| `I`    | a layer's inputs                          |
| `O`    | a layer's outputs                         |
| `C`    | the classes; the channels of an image     |
| `P`    | all parameters of a network, end to end   |
| `K`    | the bins of a histogram, or a curve       |
| `H, W` | an image, or a feature map: rows, columns |
| `L`    | a network: its layers                     |
| `S`    | some steps of a run                       |
| `M`    | some of a larger number, as its name says |

All else is written out: `(trials, axes)`.

A gradient of the loss is named after its variable, with a `d` before it: `dW`, `dx`, `dz`.
"""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.floating]
type Integers = NDArray[np.integer]
