"""The tabs of the sidebar. To add one, write its file and import it here."""

# isort: off
# The order of these names is the order on the page.
from app.panels import lessons
from app.panels import checks
from app.panels import lab
from app.panels import search

# isort: on
from app.panels.panel import KNOBS, ROOMS, Room, Staged

__all__ = ["KNOBS", "ROOMS", "Room", "Staged", "checks", "lab", "lessons", "search"]
