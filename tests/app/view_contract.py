"""What every view keeps to: its columns fill exactly what its figures draw, and in words."""

import msgspec

from app import theme
from app.plots import view_of
from app.server.frames import FrameRequest
from engine import Snapshot
from tests.app.composing_page import Page


def part(name: str, snapshot: Snapshot):
    """What a view adds to the first frame of this snapshot."""
    return view_of(name).columns(snapshot, -1)


def check_view(name: str, snapshot: Snapshot) -> None:
    """Each source is filled, each number told, each figure named, and the frame can be sent."""
    view = view_of(name)(snapshot, theme.PROJECTOR)
    filled = part(name, snapshot).set
    models = [model for figure in view.figures for model in figure.references()]
    drawn = {m.name: set(m.data) for m in models if hasattr(m, "data") and m.name}
    assert {source: set(columns) for source, columns in filled.items()} == drawn
    for columns in filled.values():
        assert len({len(column) for column in columns.values()}) == 1
        if "image" in columns:  # the browser needs it to know the array type
            assert columns["image"]
    told = set(part(name, snapshot).text)
    assert told == {text for text, _, _ in view.keys if text}
    assert part(name, snapshot).alternative()
    assert [figure.name for figure in view.figures] == [f"view:{name}"] + [None] * (
        len(view.figures) - 1
    )
    msgspec.json.encode(Page().compose(snapshot, FrameRequest(-1, [name])))
