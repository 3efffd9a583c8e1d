"""The plots of the page. To add one, write its file and import it here.

A view builds its `figure` once, over sources that it names `<view>` or `<view>.<more>`; its
`columns` is a pure function that fills them. No view reads another one, a widget or the experiment.
"""

# isort: off
# The order of these names is the order on the page.
from app.views import loss, accuracy, updates, activations

# isort: on
from app.views.view import VIEWS, View

__all__ = ["VIEWS", "View", "accuracy", "activations", "loss", "updates"]
