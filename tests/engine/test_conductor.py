"""One thread serves all experiments fairly, survives their failures, and ends."""

import gc
import itertools
import math
import threading
import weakref

import pytest

from engine import (
    Conductor,
    Experiment,
    LookBack,
    Pause,
    Play,
    Restart,
    RunConfig,
    SetKnob,
    StartLockstep,
    Status,
    Step,
    play_live,
)
from engine.lessons.lesson import open_lesson
from engine.runtime.run_queue import LESS, MORE
from tests.engine.without_threads import conducted, serve
from tests.waiting import PATIENCE, Clock, wait_until


def next_frame(handle, version=0):
    arrived = threading.Event()
    frame = []

    def deliver(snapshot, version):
        frame.extend([snapshot, version])
        arrived.set()

    handle.wait("a page", version, deliver)
    assert arrived.wait(PATIENCE)
    return frame


@pytest.fixture
def conductor():
    conductor = Conductor(frame_rate=50)
    yield conductor
    conductor.close()
    assert not [t for t in threading.enumerate() if t.name == "conductor"]


class Broken(Experiment):
    """Raises at its hundredth step."""

    def _update(self):
        super()._update()
        if self.step == 100:
            raise ArithmeticError("a layer gave up")


class Timed(Experiment):
    """Takes exactly the time that it is given, on the test's clock, for two steps."""

    def __init__(self, config, clock, all_slices=None):
        super().__init__(config)
        self.slices = []
        self.slowness = 1.0  # factor on all times of this machine
        self._passing, self._all = clock, [] if all_slices is None else all_slices

    def advance(self, seconds, steps=math.inf, apart=math.inf):
        self.slices.append(seconds)
        self._all.append((self, seconds))
        self._passing.now += self.slowness * seconds
        self.train(2)
        return 2


class Waiting(threading.Condition):
    """A waiting thread advances the clock at once."""

    def __init__(self, clock, lock):
        super().__init__(lock)
        self._passing = clock

    def wait(self, timeout=None):
        if timeout is None:
            return super().wait()
        self._passing.now += timeout
        return super().wait(1e-4)  # lets commands arrive


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timed(clock):
    """A conductor on the test's clock."""
    conductor = Conductor(frame_rate=50, clock=clock, work=lambda: 0.0)
    conductor.main.changed = Waiting(clock, conductor.lock)
    yield conductor
    conductor.close()


def playing(conductor, config, clock):
    handle = conductor.add(Timed(config, clock))
    handle.send(Play())
    return handle


def rounds(conductor, rival, count):
    """Wait until a running experiment has had so many more slices."""
    goal = len(conductor.slot(rival).experiment.slices) + count
    wait_until(lambda: len(conductor.slot(rival).experiment.slices) >= goal)


def test_twenty_experiments_are_served_fairly(timed, clock, config):
    slices = []
    handles = [timed.add(Timed(config.with_seed(seed), clock, slices)) for seed in range(20)]
    for handle in handles:
        handle.send(Play())
    wait_until(lambda: len({experiment for experiment, _ in slices}) == 20)
    begun = len(slices)
    wait_until(lambda: len(slices) >= begun + 200)
    order, seconds = zip(*slices[begun : begun + 200], strict=True)
    assert all(len(set(order[n : n + 20])) == 20 for n in range(180))  # in turn
    changes = [after / before for before, after in itertools.pairwise(seconds)]
    assert LESS - 1e-9 < min(changes) <= max(changes) < MORE + 1e-9  # none gets more
    assert len([t for t in threading.enumerate() if t.name == "conductor"]) == 1


def test_training_yields_while_frames_are_late(timed, clock, config):
    handles = [timed.add(Timed(config.with_seed(seed), clock)) for seed in range(2)]
    slow = threading.Event()
    slow.set()

    def watch(handle):
        def deliver(snapshot, version):
            if slow.is_set():
                clock.now += 0.03  # of the 0.02 s between two frames
            watch(handle)

        handle.wait("a page", handle.version, deliver)

    for handle in handles:
        watch(handle)
        handle.send(Play())
    rounds(timed, handles[1], 1)
    rounds(timed, handles[0], 1)
    slices = timed.slot(handles[0]).experiment.slices
    usual = slices[-1]  # beside the other: alone, it had more
    wait_until(lambda: slices[-1] < 0.2 * usual)
    assert timed.slot(handles[0]).experiment.step > 0
    slow.clear()
    wait_until(lambda: slices[-1] > 0.6 * usual)


def test_a_single_experiment_yields_on_a_busy_machine(timed, clock, config):
    handle = timed.add(Timed(config, clock))
    timed.slot(handle).experiment.slowness = 4.0
    handle.send(Play())
    slices = timed.slot(handle).experiment.slices
    wait_until(lambda: slices and slices[-1] < 0.6 * max(slices))
    timed.slot(handle).experiment.slowness = 1.0
    wait_until(lambda: slices[-1] > 0.9 * max(slices))


def test_a_failure_ends_only_that_experiment(conductor, config, caplog):
    broken, sound = conductor.add(Broken(config)), conductor.add(Experiment(config))
    news = []
    broken.on_change = news.append
    for handle in (broken, sound):
        handle.send(Play())
    wait_until(lambda: broken.latest.status is Status.FAILED)
    assert "ArithmeticError: a layer gave up" in broken.latest.message
    assert news[-1].status is Status.FAILED
    assert "a layer gave up" in caplog.text
    step = conductor.slot(sound).experiment.step
    wait_until(lambda: conductor.slot(sound).experiment.step > step + 50)
    broken.send(Restart())
    wait_until(lambda: broken.latest.status is Status.RUNNING and broken.latest.run == 2)


def test_a_refused_command_gives_a_message_and_changes_nothing(conductor, config):
    handle = conductor.add(Experiment(config))
    handle.send(SetKnob("optimization.learning_rate", -1.0))
    wait_until(lambda: handle.latest.message != "")
    assert "learning rate must be" in handle.latest.message
    assert handle.latest.status is Status.PAUSED
    assert handle.latest.config == config


def test_an_answer_without_a_change_is_published(conductor, config):
    handle = conductor.add(Experiment(config))
    told = []
    handle.on_change = lambda snapshot: told.append(handle.settled)
    for _ in range(2):  # the second refusal has the same text
        before = len(told)
        handle.send(SetKnob("optimization.learning_rate", -1.0))
        assert not handle.settled or len(told) > before
        wait_until(lambda: handle.settled)
        wait_until(lambda before=before: told[before:] and told[-1])


def test_commands_are_obeyed_in_order_and_none_is_lost(conductor, config):
    handle = conductor.add(Experiment(config))
    handle.send(Play())
    rates = [10.0**-n for n in range(1, 6)] * 20
    for rate in rates:
        handle.send(SetKnob("optimization.learning_rate", rate))
    wait_until(lambda: len(conductor.slot(handle).experiment.journal) == 1 + len(rates))
    commands = [command for _, command in conductor.slot(handle).experiment.journal]
    assert [c.value for c in commands if isinstance(c, SetKnob)] == rates


def test_a_frame_is_delivered_once_and_only_when_there_is_a_newer_one(timed, clock, config):
    handle = timed.add(Experiment(config))
    snapshot, version = next_frame(handle)
    assert snapshot.status is Status.PAUSED
    deliveries = []
    rival = playing(timed, config, clock)
    handle.wait("a page", version, lambda *frame: deliveries.append(frame))
    rounds(timed, rival, 5)  # without a new snapshot
    assert deliveries == []
    handle.send(Play())
    wait_until(lambda: deliveries)
    rounds(timed, rival, 5)
    assert len(deliveries) == 1


def test_a_later_request_takes_the_place_of_the_one_before(timed, config):
    handle = timed.add(Experiment(config))
    _, version = next_frame(handle)
    answered = []
    handle.wait("a page", version, lambda *frame: answered.append("the first"))
    handle.wait("a page", 0, lambda *frame: answered.append("the second"))
    assert answered == ["the second"]  # there is a snapshot newer than that
    handle.send(Step())
    wait_until(lambda: handle.latest.step == 1)
    assert answered == ["the second"]


def test_all_waiting_watchers_are_served_except_those_who_left(conductor, config):
    handle = conductor.add(Experiment(config))
    served = []
    for who in ("one", "other", "gone"):
        handle.wait(who, 1, lambda snapshot, version, who=who: served.append(who))
    handle.forget("gone")
    handle.send(Play())
    wait_until(lambda: len(served) >= 2)
    assert sorted(served) == ["one", "other"]


def test_a_paused_experiment_costs_nothing(timed, clock, config):
    handle, rival = playing(timed, config, clock), playing(timed, config, clock)
    wait_until(lambda: timed.slot(handle).experiment.step > 10)
    handle.send(Pause())
    wait_until(lambda: handle.latest.status is Status.PAUSED)
    rounds(timed, rival, 2)
    had = len(timed.slot(handle).experiment.slices)
    rounds(timed, rival, 5)
    assert len(timed.slot(handle).experiment.slices) == had


def test_the_thread_ends_with_the_last_experiment_and_begins_again(conductor, config):
    handle = conductor.add(Experiment(config))
    conductor.remove(handle)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "conductor"])
    again = conductor.add(Experiment(config))
    again.send(Play())
    wait_until(lambda: conductor.slot(again).experiment.step > 5)


class Counted(Experiment):
    """Counts its turns: one that has begun goes on, on a thread of its own if turns are long."""

    turns = 0

    def advance(self, *given):
        self.turns += 1
        return super().advance(*given)


def test_a_removed_experiment_is_not_trained(conductor):
    stays, leaves = (Counted(RunConfig(seed=seed)) for seed in range(2))
    handles = [conductor.add(experiment) for experiment in (stays, leaves)]
    for handle in handles:
        handle.send(Play())
    wait_until(lambda: leaves.step > 5)
    conductor.remove(handles[1])
    turns = stays.turns
    wait_until(lambda: stays.turns > turns + 2)
    left = leaves.turns
    wait_until(lambda: stays.turns > turns + 6)
    assert leaves.turns == left
    assert len(conductor) == 1


def test_a_refusal_is_shown_until_the_next_command(conductor, config):
    handle = conductor.add(Experiment(config))
    handle.send(Play())
    handle.send(SetKnob("optimization.learning_rate", -1.0))
    wait_until(lambda: "must be" in handle.latest.message)
    _, version = next_frame(handle)
    for _ in range(3):
        snapshot, version = next_frame(handle, version)
        assert "must be" in snapshot.message
    handle.send(Pause())
    wait_until(lambda: handle.latest.message == "")


def test_a_query_runs_between_two_steps(conductor, config):
    handle = conductor.add(Experiment(config))
    handle.send(Play())
    thread, step = handle.query(lambda e: (threading.current_thread().name, e.step)).result(
        PATIENCE
    )
    assert thread.startswith(("conductor", "slow"))  # slow, if its set-up took long
    assert handle.query(lambda e: e.step).result(PATIENCE) >= step
    with pytest.raises(ZeroDivisionError):
        handle.query(lambda e: 1 / 0).result(PATIENCE)
    assert handle.latest.status is Status.RUNNING  # only the caller sees the error


def test_a_query_of_a_removed_experiment_is_cancelled(conductor, config):
    handle = conductor.add(Experiment(config))
    conductor.remove(handle)
    assert handle.query(lambda e: e.step).cancelled()


def test_requested_statistics_are_measured_in_a_paused_run(conductor, config, monkeypatch):
    monkeypatch.setattr(
        "engine.measure.on_demand.STATISTICS", {"preactivations": lambda training: training.step}
    )
    handle = conductor.add(Experiment(config))
    frame, version = next_frame(handle)
    assert frame.on_demand.preactivations is None
    arrived = threading.Event()
    seen = []

    def deliver(snapshot, version):
        seen.append(snapshot.on_demand.preactivations)
        arrived.set()

    handle.wait("a page", version, deliver, frozenset({"preactivations"}))
    assert arrived.wait(PATIENCE)
    assert seen == [0]


def test_background_work_is_done_in_slices_and_shown(conductor, config):
    busy, other = conductor.add(Experiment(config)), conductor.add(Experiment(config))
    other.send(Play())
    wait_until(lambda: conductor.slot(other).experiment.step > 0)
    seen = threading.Event()

    def count():
        begun = conductor.slot(other).experiment.step  # on the conductor's thread
        for n in itertools.count(1):
            yield n
            if (
                seen.is_set() and conductor.slot(other).experiment.step > begun
            ):  # training was not delayed
                break
        yield "done"

    busy.submit(lambda slot: slot.jobs.begin("search", count()))
    version, shown = 0, None
    while shown is None:
        frame, version = next_frame(busy, version)
        shown = frame.background.search
    assert shown >= 1
    seen.set()
    wait_until(lambda: busy.latest.background.search == "done")
    assert busy.latest.step == 0  # it stays paused


def test_background_work_can_be_paused_and_ended(conductor, config):
    handle = conductor.add(Experiment(config))
    handle.submit(lambda slot: slot.jobs.begin("search", itertools.count()))
    handle.submit(lambda slot: slot.jobs.pause("search")).result(PATIENCE)
    held = conductor.slot(handle).jobs.shown.search
    assert not conductor.slot(handle).jobs.busy
    handle.submit(lambda slot: slot.jobs.resume("search")).result(PATIENCE)
    wait_until(lambda: conductor.slot(handle).jobs.shown.search != held)
    handle.submit(lambda slot: slot.jobs.clear("search")).result(PATIENCE)
    assert not conductor.slot(handle).jobs.busy
    wait_until(lambda: handle.latest.background.search is None)


def test_failing_background_work_leaves_the_experiment_alone(conductor, config, caplog):
    def fail():
        yield 1
        raise ArithmeticError("nothing works")

    handle = conductor.add(Experiment(config))
    handle.send(Play())
    handle.submit(lambda slot: slot.jobs.begin("checks", fail()))
    version, message = 0, ""
    while not message:
        frame, version = next_frame(handle, version)
        message = frame.message
    assert message == "The checks failed: nothing works"
    assert handle.latest.status is Status.RUNNING
    assert "the checks failed" in caplog.text


@pytest.mark.parametrize("busy", ["trains", "looks back", "in lockstep", "in a lesson", "explains"])
def test_who_leaves_leaves_no_network_to_a_search_for_garbage(config, busy):
    conductor, clock, handle = conducted(config)
    slot = conductor.slot(handle)
    slot.experiment.train(60)
    match busy:
        case "looks back":
            handle.send(LookBack(10))
        case "in lockstep":
            handle.send(StartLockstep())
        case "in a lesson":
            slot.show_lesson(played := Experiment(config))
            lesson = open_lesson("batch norm rescues")
            slot.jobs.begin("lesson", play_live(played, lesson, slot.lesson_pace.set))
            del played
        case "explains":
            slot.jobs.begin("explained", slot.experiment.explaining())
    handle.send(Play())
    serve(conductor, clock, 0.3)
    left = [weakref.ref(x.network.parameters) for x in (slot.own, slot.experiment)]
    del slot
    gc.disable()
    try:
        conductor.remove(handle)
        assert [x() for x in left] == [None, None]
    finally:
        gc.enable()
    assert handle.latest.status  # who still has the handle reads what was published
