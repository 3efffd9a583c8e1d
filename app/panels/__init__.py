"""The tabs of the sidebar. To add one, write its file and import it here."""

# isort: off
# The order of these names is the order on the page.
from app.panels import lessons
from app.panels import checks
from app.panels import lab
from app.panels import search

# isort: on
from app.panels.panel import KNOBS, PANELS, PanelWithRun, SidebarPanel

__all__ = ["KNOBS", "PANELS", "PanelWithRun", "SidebarPanel", "checks", "lab", "lessons", "search"]
