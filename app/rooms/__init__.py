"""The tabs of the sidebar. To add one, write its file and import it here."""

# isort: off
# The order of these names is the order on the page.
from app.rooms import lessons, checks, laboratory, search

# isort: on
from app.rooms.room import KNOBS, ROOMS, Room

__all__ = ["KNOBS", "ROOMS", "Room", "checks", "laboratory", "lessons", "search"]
