"""The Search panel: its form, controller, table and plots."""

# isort: off
# The order of these names is the order on the page.
from app.panels.search import losses
from app.panels.search import trials
from app.panels.search import parallel
from app.panels.search import comparison

# isort: on
from app.panels.search import panel

__all__ = ["comparison", "losses", "panel", "parallel", "trials"]
