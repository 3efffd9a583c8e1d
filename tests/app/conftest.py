"""Frames of a page, without the page."""

from app.plots.plot_cache import DRAWINGS
from app.server.frames import Ask, Composer, Frame, asked
from engine import Snapshot


class Page(Composer):
    """Composes frames as a channel does, with all requested plots drawn."""

    def compose(self, snapshot: Snapshot, ask: Ask, back=None) -> Frame:
        DRAWINGS.make(asked(ask), snapshot, ask.style)
        return super().compose(snapshot, ask, back)
