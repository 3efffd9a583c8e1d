"""The plots of a run. To add one, write its file and import it here.

A view builds its `figure` once, over sources that it names `<view>` or `<view>.<more>`; its
`columns` is a pure function that fills them. No view reads another one, a widget or the experiment.
"""

# isort: off
# The order of these names is the order on the page.
from app.plots import loss
from app.plots import accuracy
from app.plots import updates
from app.plots import activations
from app.plots import signal
from app.plots import health
from app.plots import weights
from app.plots import data
from app.plots import functions
from app.plots import network
from app.plots import cost
from app.plots import divergence
from app.plots import between

# isort: on
from app.plots.view import VIEWS, View, places, view_of

__all__ = [
    "VIEWS",
    "View",
    "accuracy",
    "activations",
    "between",
    "cost",
    "data",
    "divergence",
    "functions",
    "health",
    "loss",
    "network",
    "places",
    "signal",
    "updates",
    "view_of",
    "weights",
]
