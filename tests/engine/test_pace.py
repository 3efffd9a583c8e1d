"""The pace of a run, on a clock that the test controls; it never changes a bit."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    AUTO,
    FULL,
    PACES,
    Begin,
    Choice,
    Conductor,
    DataConfig,
    Experiment,
    FinishEpoch,
    ModelConfig,
    Pause,
    Play,
    Restart,
    RunConfig,
    SetKnob,
    Status,
    Step,
    digest,
    next_pace,
    replay,
)
from engine.runtime.curve_recorder import MOST
from engine.runtime.pace import EACH, FIXED, GROWTH, SLOWEST, StepsDue
from tests.engine.without_threads import serve, watch
from tests.waiting import Clock

RATE = "optimization.learning_rate"
PERIOD = 0.1  # seconds between two frames
TRAINED = 0.001  # ... for a step
BRIEF = 1e-9


class Costly(Experiment):
    """Takes so many seconds of the test's clock per step, and records when each was made."""

    def __init__(self, config, clock, trained=TRAINED):
        self._tests, self.trained = clock, trained
        self.times = []
        self.pauses_at = None
        super().__init__(config, clock=clock, work=clock)

    def _update(self):
        self.times.append(self._tests.now)
        super()._update()
        self._tests.now += self.trained
        if self.step == self.pauses_at:
            self.apply(Pause())


@pytest.fixture
def config():
    """A small network: only times matter here."""
    few = DataConfig(dataset=Choice("moons", {"examples": 200}))
    return RunConfig(data=few, model=ModelConfig(hidden=(4,)))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def conductor(clock):
    return Conductor(1 / PERIOD, clock, work=clock, begin=lambda thread: None)


def playing(conductor, clock, config, pace, trained=TRAINED):
    """A run that is watched and plays."""
    handle = conductor.add(Costly(config, clock, trained), pace=pace)
    watch(handle)
    handle.send(Play())
    return handle


def until(conductor, clock, step, handle):
    while conductor.slot(handle).experiment.step < step:
        serve(conductor, clock, PERIOD)


@pytest.mark.parametrize("pace", [x for x in FIXED if x <= 300])
def test_the_measured_rate_is_the_pace(conductor, clock, config, pace):
    handle = playing(conductor, clock, config, pace)
    serve(conductor, clock, 3)
    begun = conductor.slot(handle).experiment.step
    serve(conductor, clock, 6)
    assert conductor.slot(handle).experiment.step - begun == pytest.approx(
        6 * pace, rel=0.03, abs=1.5
    )
    assert handle.latest.steps_per_second == pytest.approx(pace, rel=0.15)  # as the page shows it


@pytest.mark.parametrize("pace", [1.0, 3.0, 10.0])
def test_slow_steps_are_evenly_spaced_and_each_is_shown(conductor, clock, config, pace):
    handle = conductor.add(Costly(config, clock), pace=pace)
    seen = []

    def look(snapshot, version):
        seen.append(snapshot.step)
        handle.wait("page", version, look)

    handle.wait("page", 0, look)
    handle.send(Play())
    serve(conductor, clock, 8)
    gaps = np.diff(conductor.slot(handle).experiment.times[2:])
    np.testing.assert_allclose(gaps, 1 / pace, atol=0.01)
    shown = [step for step, _ in itertools.groupby(seen)]
    assert shown == list(range(shown[-1] + 1))
    assert len(seen) < 2 * len(shown) + 3  # nothing is sent in between


def test_at_full_speed_nothing_holds_it(conductor, clock, config):
    held, free = (playing(conductor, clock, config, pace) for pace in (1000.0, FULL))
    serve(conductor, clock, 5)
    assert conductor.slot(free).experiment.step >= conductor.slot(held).experiment.step > 100


def test_a_slow_machine_lags_and_does_not_catch_up(conductor, clock, config):
    handle = playing(conductor, clock, config, 300.0, trained=0.01)  # at most 85 a second
    serve(conductor, clock, 10)
    assert 500 < conductor.slot(handle).experiment.step < 900
    conductor.slot(handle).experiment.trained = TRAINED
    begun = conductor.slot(handle).experiment.step
    serve(conductor, clock, 10)
    assert conductor.slot(handle).experiment.step - begun <= 300 * (10 + 2 * PERIOD) + 1


@pytest.mark.parametrize("pace", [1.0, 10.0, 300.0])
def test_a_pause_is_not_caught_up(conductor, clock, config, pace):
    handle = playing(conductor, clock, config, pace)
    serve(conductor, clock, 3)
    handle.send(Pause())
    serve(conductor, clock, 20)
    begun = conductor.slot(handle).experiment.step
    handle.send(Play())
    serve(conductor, clock, 1)
    assert conductor.slot(handle).experiment.step - begun <= pace * (1 + 2 * PERIOD) + 1


@pytest.mark.parametrize("jump", [1e6, -3600.0])
@pytest.mark.parametrize("pace", [1.0, 100.0, FULL])
def test_a_jump_of_the_clock_is_not_caught_up(conductor, clock, config, pace, jump):
    handle = playing(conductor, clock, config, pace, trained=0.01)
    serve(conductor, clock, 3)
    begun = conductor.slot(handle).experiment.step
    clock.now += jump
    serve(conductor, clock, 3)
    assert 0 < conductor.slot(handle).experiment.step - begun <= min(pace, 100) * 3.4 + 1


@given(
    rate=st.floats(0.5, 1e5),
    passing=st.lists(st.floats(0, 100), max_size=50),
    quick=st.floats(0, 1),
)
def test_due_steps_never_exceed_elapsed_time(rate, passing, quick):
    due, now, made = StepsDue(), 0.0, 0
    for seconds in passing:
        now += seconds
        steps = due.count(rate, now, PERIOD)
        assert 0 <= steps <= max(1, 2 * rate * PERIOD) + BRIEF
        taken = int(quick * steps)
        due.made(taken)
        made += taken
        assert 0 <= due.wait(rate) <= 1 / rate
    assert made <= 1 + rate * now + 1e-3


def test_a_change_of_pace_takes_effect_at_once(conductor, clock, config):
    handle = playing(conductor, clock, config, 1.0)
    serve(conductor, clock, 3.3)
    handle.set_pace(1000.0)
    before = conductor.slot(handle).experiment.step
    serve(conductor, clock, 2 * PERIOD)
    assert conductor.slot(handle).experiment.step > before + 10
    assert handle.latest.pace == 1000.0


@pytest.mark.parametrize(("before", "pace"), [(1.0, 1000.0), (1000.0, AUTO), (3.0, FULL)])
def test_of_a_new_pace_no_rate_is_told_that_was_measured_at_the_one_before(
    conductor, clock, config, before, pace
):
    handle = playing(conductor, clock, config, before)
    watch(handle)
    serve(conductor, clock, 3)
    assert handle.latest.steps_per_second == pytest.approx(before, rel=0.2)
    handle.set_pace(pace)
    rates = rates_told(conductor, clock, handle)
    assert set(rates[:3]) == {0}
    assert all(rate == 0 or rate > before or pace == AUTO for rate in rates)


def test_after_a_change_at_auto_no_rate_is_told_that_was_measured_before_it(
    conductor, clock, config
):
    handle = playing(conductor, clock, config, AUTO)
    watch(handle)
    until(conductor, clock, 1000, handle)
    assert handle.latest.steps_per_second > 50
    handle.send(SetKnob(RATE, 0.02))
    rates = rates_told(conductor, clock, handle)
    assert max(rates) < 2 * SLOWEST and rates[-1] > 0


def rates_told(conductor, clock, handle):
    """The steps per second of the frames of two seconds."""
    rates = []
    for _ in range(round(2 / PERIOD)):
        serve(conductor, clock, PERIOD)
        rates.append(handle.latest.steps_per_second)
    return rates


@pytest.mark.parametrize("pace", [AUTO, 1.0])
def test_a_change_is_shown_at_the_next_frame(conductor, clock, config, pace):
    handle = playing(conductor, clock, config, pace)
    serve(conductor, clock, 3)
    begun = conductor.slot(handle).experiment.step
    while (
        conductor.slot(handle).experiment.step == begun
    ):  # a step was just made: the next is far off
        serve(conductor, clock, TRAINED)
    handle.send(SetKnob(RATE, 0.02))
    serve(conductor, clock, PERIOD)
    assert conductor.slot(handle).experiment.step == begun + 2
    assert handle.latest.step == begun + 2
    assert handle.latest.curves["step"][-1] == begun + 2
    serve(conductor, clock, 0.9 / SLOWEST)  # and no second step soon after
    assert conductor.slot(handle).experiment.step <= begun + 3


def test_a_paused_run_shows_a_new_pace(conductor, clock, config):
    handle = conductor.add(Costly(config, clock), pace=AUTO)
    serve(conductor, clock, 1)
    watch(handle)
    handle.set_pace(3.0)
    serve(conductor, clock, 1)
    assert (handle.latest.pace, handle.latest.step) == (3.0, 0)


def test_a_paused_run_shows_a_pace_that_was_set_between_two_requests_for_frames(
    conductor, clock, config
):
    handle = conductor.add(Costly(config, clock), pace=AUTO)
    serve(conductor, clock, 1)
    handle.set_pace(3.0)
    serve(conductor, clock, 1)
    watch(handle)
    serve(conductor, clock, 1)
    assert (handle.latest.pace, handle.latest.step) == (3.0, 0)


# ---- auto ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "least", "most"),
    [(112, 15, 30), (8, 2, 6), (1060, 30, 45)],
    ids=["default to 90 %", "iris", "bumps"],  # as many steps as each needs
)
def test_at_auto_whoever_watches_sees_it_learn(conductor, clock, config, steps, least, most):
    handle = playing(conductor, clock, config, AUTO)
    until(conductor, clock, steps, handle)
    assert least < clock.now < most


def test_auto_starts_slowly_and_each_doubling_takes_equally_long(conductor, clock, config):
    handle = playing(conductor, clock, config, AUTO)
    serve(conductor, clock, 8)
    assert conductor.slot(handle).experiment.step == pytest.approx(8 * SLOWEST, abs=2)
    reached = []
    for goal in (80, 160, 320, 640):
        until(conductor, clock, goal, handle)
        reached.append(clock.now)
    np.testing.assert_allclose(np.diff(reached), math.log(2) / GROWTH, rtol=0.06)


@pytest.mark.parametrize(
    "change", [SetKnob(RATE, 0.02), SetKnob("optimization.batch_size", 16), Restart(), Restart(3)]
)
def test_auto_is_slow_again_after_a_change(conductor, clock, config, change):
    handle = playing(conductor, clock, config, AUTO)
    until(conductor, clock, 600, handle)
    handle.send(change)
    serve(conductor, clock, PERIOD)
    begun = conductor.slot(handle).experiment.step
    serve(conductor, clock, 5)
    assert conductor.slot(handle).experiment.step - begun == pytest.approx(5 * SLOWEST, abs=3)


def test_auto_is_as_slow_after_a_pause_as_before_it(conductor, clock, config):
    handle = playing(conductor, clock, config, AUTO)
    until(conductor, clock, 300, handle)
    for command in (Pause(), Play()):
        handle.send(command)
        serve(conductor, clock, PERIOD)
    begun = conductor.slot(handle).experiment.step
    serve(conductor, clock, 1)
    assert conductor.slot(handle).experiment.step - begun == pytest.approx(GROWTH * begun, rel=0.2)


def test_replayed_steps_are_fast_and_the_next_ones_slow(conductor, clock, config):
    handle = conductor.add(Costly(config, clock), pace=AUTO)
    watch(handle)
    handle.send(Begin(config, ((100, SetKnob(RATE, 0.02)),), until=2000))
    serve(conductor, clock, PERIOD)
    assert handle.latest.pace == FULL
    while conductor.slot(handle).experiment.status is Status.RUNNING:
        serve(conductor, clock, PERIOD)
    assert conductor.slot(handle).experiment.step == 2000
    assert conductor.slot(handle).experiment.times[-1] < 4  # seconds
    handle.send(Play())
    serve(conductor, clock, 5)
    assert handle.latest.pace == AUTO
    assert conductor.slot(handle).experiment.step == pytest.approx(2000 + 5 * SLOWEST, abs=3)


def test_a_lesson_sets_the_pace_while_it_lasts(conductor, clock, config):
    handle = playing(conductor, clock, config, 1.0)
    conductor.slot(handle).lesson_pace.set(50.0)
    conductor.slot(handle).show_lesson(Costly(config, clock))
    handle.send(Play())
    serve(conductor, clock, 4)
    assert conductor.slot(handle).experiment.step == pytest.approx(200, abs=20)
    assert handle.latest.pace == 50.0
    conductor.slot(handle).lesson_pace.set(None)
    begun = conductor.slot(handle).experiment.step
    serve(conductor, clock, 4)
    assert conductor.slot(handle).experiment.step - begun <= 6
    conductor.slot(handle).lesson_pace.set(50.0)
    conductor.slot(handle).show_own()
    begun = conductor.slot(handle).experiment.step
    serve(conductor, clock, 4)
    assert conductor.slot(handle).experiment.step - begun <= 6  # the visitor's own run


# ---- slower and faster ---------------------------------------------------------------------------


def test_slower_and_faster_go_through_all_fixed_paces():
    up, down = [1.0], [FULL]
    for _ in range(len(PACES)):
        up.append(next_pace(up[-1], 0, 1))
        down.append(next_pace(down[-1], 0, -1))
    assert up[: len(FIXED) + 2] == [*FIXED, FULL, FULL]
    assert down[: len(FIXED) + 2] == [FULL, *FIXED[::-1], FIXED[0]]


@pytest.mark.parametrize(
    ("made", "slower", "faster"), [(48, 30, 100), (0, 1, 3), (8000, 1000, FULL), (30, 10, 100)]
)
def test_from_auto_slower_and_faster_start_at_the_measured_rate(made, slower, faster):
    assert next_pace(AUTO, made, -1) == slower
    assert next_pace(AUTO, made, 1) == faster


# ---- the same bits -------------------------------------------------------------------------------

CHANGES = {
    20: SetKnob(RATE, 0.02),
    60: SetKnob("model.activation", Choice("tanh")),
    90: SetKnob("optimization.optimizer", Choice("Adam")),
}


@pytest.mark.parametrize("pace", [*PACES, "mixed"])
def test_a_pace_changes_no_bit(conductor, clock, config, pace):
    """Whatever is changed in between, and however often the pace is changed."""
    mixed = itertools.cycle(PACES)
    handle = conductor.add(Costly(config, clock), pace=FULL)
    conductor.slot(handle).show_lesson(Costly(config, clock))
    watch(handle)
    journal = []
    for step in (20, 60, 90, 150):
        handle.set_pace(next(mixed) if pace == "mixed" else pace)
        conductor.slot(handle).experiment.pauses_at = step
        conductor.slot(handle).lesson_pace.set(handle.pace)
        handle.send(Play())
        until(conductor, clock, step, handle)
        if change := CHANGES.get(step):
            handle.send(change)
            journal.append((step, change))
            serve(conductor, clock, PERIOD)
    assert conductor.slot(handle).experiment.step == 150
    assert digest(conductor.slot(handle).experiment) == digest(replay(config, journal, 150))


def test_the_pace_is_in_no_journal(conductor, clock, config):
    handle = playing(conductor, clock, config, 10.0)
    serve(conductor, clock, 1)
    handle.set_pace(AUTO)
    serve(conductor, clock, 1)
    assert conductor.slot(handle).experiment.journal == [(0, Play())]


# ---- measurements at a low pace ---------------------------------------------------------------


@pytest.mark.parametrize("pace", [x for x in FIXED if x <= EACH])
def test_at_a_low_pace_each_step_has_its_row(conductor, clock, config, pace):
    handle = conductor.add(Costly(config, clock), pace=pace)
    conductor.slot(handle).experiment.train(5000)
    watch(handle)
    handle.send(Play())
    serve(conductor, clock, 5)
    steps = handle.latest.curves["step"]
    after = steps[steps > 5000]
    assert len(after) >= 5 * pace - 2
    np.testing.assert_array_equal(np.diff(after), 1)


def test_a_run_that_is_watched_slowly_is_judged_at_each_step(conductor, clock, config):
    handle = playing(conductor, clock, config, 30.0)
    watch(handle)
    serve(conductor, clock, 4)
    curves = handle.latest.curves
    assert curves.rows > 100 and np.isfinite(curves["validation_loss"]).all()


@pytest.mark.parametrize("pace", [100.0, 1000.0, AUTO])
def test_at_any_kept_pace_each_frame_has_a_row(conductor, clock, config, pace):
    handle = conductor.add(Costly(config, clock, 0.0001), pace=pace)
    conductor.slot(handle).experiment.train(1000)
    conductor.slot(handle).experiment.apply(SetKnob(RATE, 0.02))
    conductor.slot(handle).experiment.train(1000)
    watch(handle)
    handle.send(Play())
    serve(conductor, clock, 1)
    begun = handle.latest.curves.rows
    serve(conductor, clock, 3)
    assert handle.latest.curves.rows - begun >= 25


def test_rows_of_a_slow_run_are_limited(conductor, clock, config, monkeypatch):
    monkeypatch.setattr("engine.runtime.curve_recorder.MOST", 300)
    assert MOST > 300
    handle = conductor.add(Costly(config, clock), pace=30.0)
    conductor.slot(handle).experiment.train(5000)
    handle.send(Play())
    serve(conductor, clock, 20)
    assert conductor.slot(handle).experiment.step > 5500
    spaced = Experiment(config)
    spaced.train(conductor.slot(handle).experiment.step)
    rows = conductor.slot(handle).experiment.snapshot().curves.rows
    assert rows <= max(300, spaced.snapshot().curves.rows) + 20


def test_a_slow_run_is_measured_at_each_step(conductor, clock, config):
    """The time in which it must not train is used to measure."""
    handle = conductor.add(Costly(config, clock), pace=1.0)
    measured = []
    instruments = conductor.slot(handle).experiment.instruments.by_name
    for name, instrument in instruments.items():

        def measure(name=name, measure=instrument.measure):
            clock.now += 0.002
            measured.append((conductor.slot(handle).experiment.step, name))
            measure()

        instrument.measure = measure
    watch(handle)
    handle.send(Play())
    serve(conductor, clock, 10)
    last = conductor.slot(handle).experiment.step
    for name in instruments:
        steps = {step for step, measured_name in measured if measured_name == name}
        assert set(range(4, last + 1)) <= steps, name
    assert handle.latest.metrics.cost < 0.25  # of the time that it was given


# ---- to the end of the epoch --------------------------------------------------------------------


@pytest.mark.parametrize("begun", [0, 1, 4, 5, 8])
def test_an_epoch_is_trained_to_its_end_at_once(conductor, clock, config, begun):
    handle = conductor.add(Costly(config, clock), pace=1.0)
    watch(handle)
    conductor.slot(handle).experiment.train(begun)
    each = len(conductor.slot(handle).experiment.data.train.x) // config.optimization.batch_size
    handle.send(FinishEpoch())
    serve(conductor, clock, 3)
    now = handle.latest
    assert (now.step, now.status, now.pace) == (each * (begun // each + 1), Status.PAUSED, 1.0)
    assert now.curves["step"][-1] == now.step
    assert conductor.slot(handle).experiment.journal == [(begun, FinishEpoch())]
    again = replay(config, conductor.slot(handle).experiment.journal, now.step)
    assert digest(again) == digest(conductor.slot(handle).experiment)


def test_an_epoch_does_not_cut_a_script_short(config):
    experiment = Experiment(config)
    experiment.apply(Begin(config, ((70, SetKnob(RATE, 0.02)),), until=100))
    experiment.apply(FinishEpoch())
    experiment.advance(math.inf, 200)
    assert (experiment.step, experiment.status) == (100, Status.PAUSED)


def test_a_diverged_run_has_no_epoch_to_finish(config):
    experiment = Experiment(config.replace(RATE, 100.0))
    experiment.train(200)
    assert experiment.status is Status.DIVERGED
    with pytest.raises(ValueError, match="has diverged"):
        experiment.apply(FinishEpoch())


def test_a_step_by_hand_needs_no_pace(conductor, clock, config):
    handle = conductor.add(Costly(config, clock), pace=1.0)
    for _ in range(10):
        handle.send(Step())
    serve(conductor, clock, 2 * PERIOD)
    assert conductor.slot(handle).experiment.step == 10
