"""A page's frames, without the page."""

from app.plots.plot_cache import DRAWINGS
from app.server.frame_channel import Ask, Composer, Frame, asked
from engine import Snapshot


class Page(Composer):
    """Composes frames as a channel does: what is asked for has been drawn by then."""

    def compose(self, snapshot: Snapshot, ask: Ask, back=None) -> Frame:
        DRAWINGS.make(asked(ask), snapshot, ask.look)
        return super().compose(snapshot, ask, back)
