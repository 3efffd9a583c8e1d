"""Frames of a page, without the page."""

from app.plots.plot_cache import DRAWINGS
from app.server.frames import Composer, Frame, FrameRequest, requested_views
from engine import Snapshot


class Page(Composer):
    """Composes frames as a channel does, with all requested plots drawn."""

    def compose(self, snapshot: Snapshot, ask: FrameRequest, back=None) -> Frame:
        DRAWINGS.make(requested_views(ask), snapshot, ask.style)
        return super().compose(snapshot, ask, back)
