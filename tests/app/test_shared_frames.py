"""Frames for many who watch one run: composed once, and right for each of them."""

import json
import random

import msgspec
import pytest

from app.plots import VIEWS
from app.plots.plot_cache import DRAWINGS
from app.server.frames import Composer, FrameRequest, requested_views
from app.server.shared_frames import SharedFrames
from app.server.shown_run import ShownRun
from engine import Conductor, Experiment, RunConfig, SetKnob
from tests.waiting import Clock

ALL = ["loss", "accuracy", "updates", "activations"]


class Follower:
    """What a browser makes of frames: app/static/frames.js."""

    def __init__(self, shared: SharedFrames, views=ALL) -> None:
        self.shared, self.views = shared, list(views)
        self.page, self.row = shared.blank, -1
        self.data: dict[str, dict[str, list]] = {}
        self.text: dict[str, str] = {}
        self.frames: list[str] = []

    def look_at(self, views) -> None:
        self.views, self.row = list(views), -1

    def take(self, snapshot, version: int) -> None:
        ask = FrameRequest(self.row, self.views)
        DRAWINGS.make(requested_views(ask), snapshot, ask.style)

        def compose(page: Composer) -> str:
            return msgspec.json.encode(page.compose(snapshot, ask)).decode()

        views = tuple(requested_views(ask))
        self.page, text = self.shared.frame(self.page, version, self.row, views, compose)
        self.frames.append(text)
        frame = json.loads(text)
        for view in frame.get("draw", {}):
            self.data |= {name: {} for name in self.data if name.partition(".")[0] == view}
        for name, columns in {**frame.get("reset", {}), **frame.get("set", {})}.items():
            self.data[name] = self.data.get(name, {}) | columns
        for name, columns in frame.get("stream", {}).items():
            for column, values in columns.items():
                self.data[name][column] = self.data[name][column] + values
        self.text |= frame.get("text", {})
        self.row = frame["row"]

    def seen(self) -> dict:
        """The data of the views in sight."""
        return {k: v for k, v in self.data.items() if k.partition(".")[0] in self.views}


@pytest.fixture
def clock():
    return Clock()


def test_forty_followers_take_one_frame(clock):
    experiment, shared = Experiment(RunConfig()), SharedFrames(Composer(clock))
    crowd = [Follower(shared) for _ in range(40)]
    for version in range(1, 11):
        experiment.train(20)
        snapshot = experiment.snapshot()
        for follower in crowd:
            follower.take(snapshot, version)
        clock.now += 0.1
    assert len({follower.page for follower in crowd}) == 1
    assert shared.composed == 10
    assert len({follower.frames[-1] for follower in crowd}) == 1


def test_every_follower_sees_what_a_page_of_its_own_would(clock):
    """Late ones, those who skip frames, and those who look elsewhere included."""
    dice = random.Random(3)
    experiment, shared = Experiment(RunConfig()), SharedFrames(Composer(clock))
    crowd = [Follower(shared) for _ in range(8)]
    version = 0
    for turn in range(25):
        experiment.train(dice.choice([1, 7, 30]))
        if turn == 12:
            experiment.apply(SetKnob("optimization.learning_rate", 0.03))
        if turn == 18:
            experiment.apply(SetKnob("model.hidden", "32"))  # another run
        version += 1
        snapshot = experiment.snapshot()
        for follower in crowd:
            if dice.random() < 0.2:
                follower.look_at(dice.sample(list(VIEWS), 3))
            if dice.random() < 0.6:
                follower.take(snapshot, version)
        clock.now = float(int(turn / 4))
    clock.now += 1
    experiment.train(3)
    snapshot = experiment.snapshot()
    for follower in crowd:
        follower.take(snapshot, version + 1)
        own = Follower(SharedFrames(Composer(clock)), follower.views)
        own.take(snapshot, 1)
        assert follower.seen() == own.seen()
        alike = follower.text.keys() & own.text.keys()
        assert {k: follower.text[k] for k in alike} == {k: own.text[k] for k in alike}
        assert own.text.keys() <= follower.text.keys()


def test_a_run_lives_as_long_as_somebody_needs_it():
    conductor = Conductor()
    try:
        run = ShownRun(conductor, conductor.add(Experiment(RunConfig())))
        run.own("laptop")
        run.host(True)
        run.disown("laptop")
        assert not run.over and len(conductor) == 1  # the class goes on watching
        run.own("another laptop")
        run.host(False)
        assert not run.over
        run.disown("another laptop")
        assert run.over and len(conductor) == 0
    finally:
        conductor.close()


def test_changes_go_to_all_subscribers():
    conductor = Conductor()
    try:
        run = ShownRun(conductor, conductor.add(Experiment(RunConfig())))
        notified: list[str] = []
        run.subscribe("a", lambda snapshot: notified.append("a"))
        run.subscribe("b", lambda snapshot: notified.append("b"))
        run.handle.on_change(run.handle.latest)
        run.unsubscribe("a")
        run.handle.on_change(run.handle.latest)
        assert notified == ["a", "b", "b"]
    finally:
        conductor.close()
