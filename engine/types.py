"""The array type, and the letters that stand for dimensions in all comments on shapes.

| letter | size of                                   |
|--------|-------------------------------------------|
| `N`    | a data set: its examples                  |
| `B`    | a mini-batch: the examples of one step    |
| `I`    | a layer's inputs                          |
| `O`    | a layer's outputs                         |
| `C`    | the classes                               |
| `P`    | all parameters of a network, end to end   |
| `K`    | the bins of a histogram                   |
| `H, W` | an image, or a feature map: rows, columns |

A gradient of the loss is named after its variable, with a `d` before it: `dW`, `dx`, `dz`.
"""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.floating]
type Integers = NDArray[np.integer]
