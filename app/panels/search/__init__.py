"""The Search panel: its form, controller, table and plots."""

# isort: off
# The order of these names is the order on the page.
from app.panels.search import wall
from app.panels.search import trials
from app.panels.search import parallel
from app.panels.search import comparison

# isort: on
from app.panels.search import panel

__all__ = ["comparison", "panel", "parallel", "trials", "wall"]
