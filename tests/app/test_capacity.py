"""Who is counted as a visitor, and for whom there is room; a plot that fails is reported."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from bokeh.document import Document

from app.plots import VIEWS, view_of
from app.server.capacity import UNSEEN, Presence, Visits
from app.server.frames import FrameRequest
from app.server.session import Visit
from app.sharing import run_links
from app.sharing.run_links import PageLink
from engine import Experiment, RunConfig, Status, record
from tests.app.composing_page import Page
from tests.waiting import PATIENCE, Clock, wait_until


class Guest:
    def __init__(self, clock: Clock, *, connected: bool = True) -> None:
        self.presence = Presence(clock)
        self.ended = False
        if connected:
            self.presence.connect()

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def clock():
    return Clock()


def test_there_is_room_until_all_places_are_taken(clock):
    visits = Visits(2)
    for name in ("a", "b"):
        assert visits.admit() and not visits.full
        visits[name] = Guest(clock)
    assert not visits.admit() and visits.full
    visits.pop("a")
    assert visits.admit()


def test_a_page_that_nobody_opened_keeps_its_place_for_a_while(clock):
    visits = Visits(1)
    visits["robot"] = Guest(clock, connected=False)
    assert visits.full
    clock.now = UNSEEN
    assert visits.admit() and "robot" in visits


def test_the_visitor_away_longest_makes_room_for_a_new_one(clock):
    visits = Visits(3)
    guests = {name: Guest(clock) for name in "abc"}
    visits.update(guests)
    for clock.now, name in ((1.0, "b"), (2.0, "a")):
        guests[name].presence.disconnect()
    assert visits.admit()
    assert sorted(visits) == ["a", "c"] and guests["b"].ended
    assert not guests["a"].ended
    visits["d"] = Guest(clock)
    guests["a"].presence.connect()  # returned in time
    assert visits.full


def test_all_visitors_can_reload_the_page_at_once(clock):
    visits = Visits(30)
    for round_ in range(3):
        old = list(visits.values())
        for guest in old:
            guest.presence.disconnect()
        for n in range(30):
            assert visits.admit()
            visits[f"{round_}.{n}"] = Guest(clock)
        assert visits.taken == 30
        assert len(visits) == 30  # absent visitors take only what is left over


def test_a_failing_plot_is_reported_and_others_continue(monkeypatch, caplog, config):
    experiment = Experiment(config)
    experiment.train(5)

    def broken(snapshot, since):
        raise ZeroDivisionError("a plot gave up")

    monkeypatch.setattr(view_of("loss"), "columns", staticmethod(broken))
    composer = Page()
    frames = [
        composer.compose(experiment.snapshot(), FrameRequest(-1, ["loss", "accuracy"]))
        for _ in "12"
    ]
    assert "accuracy" in frames[0].reset and "loss" not in frames[0].reset
    assert (
        frames[0].text["health"] == f"The plot “{view_of('loss').title}” failed and stands still."
    )
    assert caplog.text.count("the view loss failed") == 1  # logged once
    assert "loss" in VIEWS


class LockedDocument(Document):
    """A document without a server, whose lock the test has."""

    def locked_callback(self, change, policy=None):
        return change


@pytest.mark.parametrize("released", [False, True])
def test_the_run_of_a_page_that_joins_a_class_at_once_waits(released):
    visit, teacher = Visit(run_links.read({})), Visit(run_links.read({}))
    for each in (visit, teacher):
        each.attach(LockedDocument())
        each.set_up()
    try:
        visit.watch_other(teacher.run)
        if released:  # before its page has asked for a frame of its own run
            visit.watch_other(None)
        visit.start()
        wait_until(lambda: visit.handle.settled)
        assert visit.handle.latest.status is Status.PAUSED
    finally:
        visit.end()
        teacher.end()


def test_what_begins_beside_a_lesson_is_the_own_run():
    visit = Visit(run_links.read({}))
    visit.attach(LockedDocument())
    visit.set_up()
    handle, played = visit.handle, Experiment(RunConfig())
    try:
        handle.submit(lambda slot: slot.show_lesson(played))
        visit.start()  # the page has asked for its first frame late
        handle.submit(lambda slot: slot.own).result(PATIENCE)
        assert played.status is Status.PAUSED
        handle.submit(lambda slot: slot.show_own())
        wait_until(lambda: handle.latest.status is Status.RUNNING)
    finally:
        visit.end()


def test_a_visitor_may_leave_while_the_run_of_the_link_is_set_up():
    recording = record(Experiment(RunConfig().with_seed(7)))
    visit, leave = Visit(PageLink(recording)), threading.Event()
    visit.attach(LockedDocument())
    visit.handle.submit(lambda slot: leave.wait(20))  # the engine is busy
    with ThreadPoolExecutor() as pool:
        done = pool.submit(visit.set_up)
        wait_until(done.running)
        visit.end()
        leave.set()
        assert done.result(PATIENCE) is None
    assert visit.over


def test_an_unwatched_run_waits_for_its_visitor():
    visit = Visit(run_links.read({}))
    visit.attach(LockedDocument())
    visit.set_up()
    handle, frames = visit.handle, []
    try:
        for channel in ("one", "other"):
            assert visit.watch(channel, 0, lambda *frame: frames.append(frame), frozenset())
        visit.start()
        wait_until(lambda: handle.latest.status is Status.RUNNING)
        visit.forget("one")
        assert visit.presence.left is None
        visit.forget("other")
        wait_until(lambda: handle.latest.status is Status.PAUSED)
        assert visit.presence.left is not None
        visit.reconnect(None)
        wait_until(lambda: handle.latest.status is Status.RUNNING)
    finally:
        visit.end()
    assert not visit.watch("late", 0, lambda *frame: frames.append(frame), frozenset())
