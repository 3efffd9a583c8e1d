"""The figures that the lecture's slides print for ten layers of 500 units."""

from collections.abc import Mapping

DEPTH, WIDTH = 10, 500

# By activation and initializer: the standard deviation of the activations, layer by layer.
STDS: Mapping[tuple[str, str], tuple[float, ...]] = {
    ("tanh", "small normal"): (
        *(0.213081, 0.047551, 0.010630, 0.002378, 0.000532),
        *(0.000119, 0.000026, 0.000006, 0.000001, 0.000000),
    ),
    ("tanh", "unit normal"): (
        *(0.981879, 0.981649, 0.981601, 0.981755, 0.981614),
        *(0.981560, 0.981520, 0.981913, 0.981728, 0.981736),
    ),
    ("tanh", "Xavier"): (
        *(0.627953, 0.486051, 0.407723, 0.357108, 0.320917),
        *(0.292116, 0.273387, 0.254935, 0.239266, 0.228008),
    ),
    ("ReLU", "Xavier"): (
        *(0.582273, 0.403795, 0.276912, 0.198685, 0.140299),
        *(0.103280, 0.072748, 0.051572, 0.038583, 0.026076),
    ),
    ("ReLU", "He"): (
        *(0.825232, 0.827835, 0.813855, 0.826902, 0.834092),
        *(0.860035, 0.870610, 0.889348, 0.845357, 0.844523),
    ),
}
# Relative differences between seeds, in the first and in the last layer.
SPREADS: Mapping[tuple[str, str], tuple[float, float]] = {
    ("tanh", "small normal"): (0.004, 0.01),
    ("tanh", "unit normal"): (0.001, 0.001),
    ("tanh", "Xavier"): (0.004, 0.01),
    ("ReLU", "Xavier"): (0.003, 0.10),
    ("ReLU", "He"): (0.002, 0.12),
}
MEANS: Mapping[tuple[str, str], tuple[float, ...]] = {
    ("ReLU", "He"): (
        *(0.562488, 0.553614, 0.545867, 0.565396, 0.547678),
        *(0.587103, 0.596867, 0.623214, 0.567498, 0.552531),
    ),
}
