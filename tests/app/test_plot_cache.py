"""Cached drawings: equal for all pages that share them, and made on demand."""

import json
import re

import msgspec
import pytest

from app.plots import VIEWS, view_of
from app.plots.plot_cache import DRAWINGS, Drawings, Key, draw, key_of
from app.server.frames import Composer, FrameRequest
from app.theme import STYLES
from engine import Choice, Experiment, ModelConfig, RunConfig, Snapshot
from tests.app.composing_page import Page


def snapshot_of(dataset: str = "digits", steps: int = 0, **model: object) -> Snapshot:
    config = RunConfig(model=ModelConfig(**model)).replace("data.dataset", Choice(dataset))
    if dataset == "plane":
        config = config.replace("optimization.loss", Choice("mean squared error"))
    experiment = Experiment(config)
    experiment.train(steps)
    return experiment.snapshot()


@pytest.fixture(scope="module")
def snapshots() -> list[Snapshot]:
    return [
        snapshot_of(),
        snapshot_of(steps=70, hidden=(20, 30)),
        snapshot_of(hidden=(20, 30), activation=Choice("tanh"), normalization=Choice("batch norm")),
        snapshot_of("breast cancer", hidden=(8, 8)),
        snapshot_of("spiral", hidden=(8, 8)),
        snapshot_of("plane", hidden=(8, 8), steps=20),
        snapshot_of(hidden=(10,) * 5),
    ]


def content(name: str, snapshot: Snapshot) -> str:
    """The content of a drawing without Bokeh's model ids."""
    drawn = draw(view_of(name)(snapshot, STYLES["desk"]))
    names: dict[str, str] = {}
    text = json.dumps(msgspec.to_builtins(drawn), sort_keys=True)
    return re.sub(r"\bp\d+\b", lambda found: names.setdefault(found[0], f"m{len(names)}"), text)


@pytest.mark.parametrize("name", VIEWS)
def test_equal_keys_give_equal_drawings(name, snapshots):
    alike: dict[Key, list[Snapshot]] = {}
    for snapshot in snapshots:
        alike.setdefault(key_of(name, snapshot, "desk"), []).append(snapshot)
    for group in alike.values():
        if len(group) > 1:  # nothing is equal to a single one
            assert len({content(name, snapshot) for snapshot in group}) == 1


def test_another_depth_needs_no_new_drawing_of_loss_and_accuracy(snapshots):
    first, *others = [snapshot for snapshot in snapshots if snapshot.data.classes]
    drawings, views = Drawings(), ["loss", "accuracy"]
    drawings.make(views, first, "desk")
    assert not any(drawings.lack(views, snapshot, "desk") for snapshot in others)
    assert drawings.lack(["updates"], others[-1], "desk")  # which has a line for each layer


def test_drawings_are_cached_and_old_ones_are_dropped(monkeypatch):
    monkeypatch.setattr("app.plots.plot_cache.MOST", 2)
    drawings, snapshot = Drawings(), snapshot_of()
    keys = [key_of(name, snapshot, "desk") for name in ("loss", "accuracy", "updates")]
    drawings.make(["loss", "accuracy"], snapshot, "desk")
    loss = drawings.made(keys[0])
    drawings.make(["loss"], snapshot, "desk")
    assert drawings.made(keys[0]) is loss
    drawings.make(["updates"], snapshot, "desk")
    assert drawings.made(keys[0]) is loss  # used since
    assert drawings.made(keys[1]) is None


def test_a_view_without_a_drawing_gets_no_data():
    snapshot = snapshot_of(hidden=(3, 4, 5, 6, 7, 8))
    composer = Composer()
    frame = composer.compose(snapshot, FrameRequest(-1, ["updates"]))
    assert not frame.draw and not frame.reset and not any("updates" in id for id in frame.text)
    DRAWINGS.make(["updates"], snapshot, "desk")
    frame = composer.compose(snapshot, FrameRequest(frame.row, ["updates"]))
    assert set(frame.draw) == {"updates"}
    assert frame.reset["updates"]["step"][0] == 0


def test_a_plot_of_another_network_gives_way_until_that_of_this_one_is_drawn():
    shallow, deep = snapshot_of(hidden=(3, 4)), snapshot_of(hidden=(3, 4, 5, 6, 7))
    page = Page()
    row = page.compose(shallow, FrameRequest(-1, ["loss", "updates"])).row
    assert not page.lacks(["loss", "updates"])
    for known in ("being drawn", ""):  # told once
        frame = Composer.compose(page, deep, FrameRequest(row, ["loss", "updates"]))
        assert [name for name in frame.draw if known] == ["updates"] * bool(known)
        assert known in msgspec.json.encode(frame.draw).decode()
        assert page.lacks(["loss", "updates"]) and not page.lacks(["loss"])


def test_another_style_sends_a_new_drawing_and_all_data():
    snapshot, page = snapshot_of(steps=30), Page()
    row = page.compose(snapshot, FrameRequest(-1, ["loss"])).row
    assert not page.compose(snapshot, FrameRequest(row, ["loss"])).draw
    frame = page.compose(snapshot, FrameRequest(row, ["loss"], style="projector"))
    assert set(frame.draw) == {"loss"}
    assert len(frame.reset["loss"]["step"]) == row + 1
    assert "loss.ends" in frame.set and "loss.train" in frame.text


def test_a_view_that_fails_to_draw_does_not_block_others(monkeypatch, caplog):
    def fail(self, snapshot, style):
        raise RuntimeError("no ink")

    monkeypatch.setattr(view_of("loss"), "__init__", fail)
    drawings, snapshot = Drawings(), snapshot_of()
    drawings.make(["loss", "accuracy"], snapshot, "desk")
    assert b"cannot be drawn" in bytes(drawings.made(key_of("loss", snapshot, "desk")))
    assert b"view:accuracy" in bytes(drawings.made(key_of("accuracy", snapshot, "desk")))
    assert "no ink" in caplog.text
