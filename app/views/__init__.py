"""The plots of the page. To add one, write its file and import it here.

A view builds its `figure` once, over sources that it names `<view>` or `<view>.<more>`; its
`columns` is a pure function that fills them. No view reads another one, a widget or the experiment.
"""

# isort: off
# The order of these names is the order on the page.
from app.views import loss, accuracy, updates, activations
from app.views import signal, health
from app.views import weights, data
from app.views import functions, network, cost, autopsy
from app.views import wall, trials, parallel, comparison

# isort: on
from app.views.view import VIEWS, View, view_of

PLACES = tuple(dict.fromkeys(view_of(name).tab for name in VIEWS))  # where views can be

__all__ = [
    "PLACES",
    "VIEWS",
    "View",
    "accuracy",
    "activations",
    "autopsy",
    "comparison",
    "cost",
    "data",
    "functions",
    "health",
    "loss",
    "network",
    "parallel",
    "signal",
    "trials",
    "updates",
    "view_of",
    "wall",
    "weights",
]
