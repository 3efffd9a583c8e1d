"""The order of turns, merged commands, refusals: on a clock that the test controls, no thread."""

import pytest

from engine import (
    Begin,
    Choice,
    Conductor,
    DataConfig,
    Experiment,
    LookBack,
    ModelConfig,
    Pause,
    Play,
    Restart,
    RunConfig,
    SetKnob,
    Status,
)
from engine.runtime import time_estimate as of_effort
from engine.runtime.command_merging import replaces
from engine.runtime.time_budget import CROWDED, PATIENCE, SAVED, TimeBudget
from engine.training.checkpoints import APART
from tests.engine.without_threads import serve, watch
from tests.waiting import Clock

RATE = "optimization.learning_rate"
PERIOD = 0.1
TRAINED = 0.005  # seconds for a step


class Costly(Experiment):
    """Takes so many seconds of the test's clock to start a run, and records its turns."""

    def __init__(self, config, clock, served, name, begins=0.02, trains=TRAINED):
        self.costs_to_begin, self.costs_to_train = begins, trains
        self._record, self._tests, self._name = served, clock, name
        super().__init__(config, clock=clock, work=clock)

    def apply(self, command):
        run = self.run
        super().apply(command)
        if self.run != run:
            self._tests.now += self.costs_to_begin
            self._record.append(f"{self._name} begins")

    def _update(self):
        super()._update()
        self._tests.now += self.costs_to_train

    def advance(self, *given):
        self._record.append(self._name)
        return super().advance(*given)


@pytest.fixture(autouse=True)
def a_quick_machine(monkeypatch):
    monkeypatch.setattr(of_effort, "speed", lambda: 1e12)


@pytest.fixture
def config() -> RunConfig:
    """A small run: turns, not what is learned, are looked at."""
    return RunConfig(data=DataConfig(examples=100), model=ModelConfig(hidden=(8, 8)))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def conductor(clock):
    return Conductor(1 / PERIOD, clock, work=clock, begin=lambda thread: None)


def added(conductor, config, clock, names, **costs):
    served = []
    handles = {
        name: conductor.add(Costly(config, clock, served, name, **costs), name) for name in names
    }
    for handle in handles.values():
        handle.send(Play())
    serve(conductor, clock, PERIOD)
    served.clear()
    return handles, served


# ---- shares --------------------------------------------------------------------------------------


def test_what_paced_runs_leave_goes_to_whoever_can_use_more(conductor, config, clock):
    handles, _ = added(conductor, config, clock, [f"{n}" for n in range(10)], trains=0.0005)
    first, *paced = handles.values()
    for handle in paced:
        handle.set_pace(10.0)
    watch(first)
    serve(conductor, clock, 10 * PERIOD)
    experiments = [conductor.slot(handle).experiment for handle in handles.values()]
    steps, frames = [x.step for x in experiments], first.version
    serve(conductor, clock, 20 * PERIOD)
    made = [x.step - before for x, before in zip(experiments, steps, strict=True)]
    assert made[0] * 0.0005 / (20 * PERIOD) > 0.4  # of the time; an equal share is 6 %
    assert all(18 <= paced <= 22 for paced in made[1:])
    assert first.version - frames <= 22  # no more frames than others have
    assert conductor.worst.seconds < 0.03  # nobody waits for more than a piece of that


# ---- commands ------------------------------------------------------------------------------------


def test_queued_restarts_are_merged(conductor, config, clock):
    handles, _ = added(conductor, config, clock, "ab")
    for _ in range(500):
        handles["a"].send(Restart())
    serve(conductor, clock, 5 * PERIOD)
    assert conductor.slot(handles["a"]).experiment.run == 2
    assert conductor.slot(handles["a"]).experiment.step > 0  # and goes on


def test_commands_that_cannot_be_merged_are_charged_to_their_sender(conductor, config, clock):
    handles, served = added(conductor, config, clock, "abc")
    flood = [command for n in range(20) for command in (Restart(), SetKnob(RATE, 0.1 + n / 100))]
    for command in flood:
        handles["a"].send(command)
    serve(conductor, clock, 10 * PERIOD)
    begun = served.count("a begins")
    assert 1 < begun < 20  # at the rate of its own share
    for other in "bc":
        assert served.count(other) >= 7
    # A command, and a slice for each of the three, each of which may end with one more step.
    assert conductor.worst.seconds < 0.02 + 3 * (0.02 + TRAINED)
    while conductor.slot(handles["a"]).next:
        serve(conductor, clock, PERIOD)
    assert conductor.slot(handles["a"]).experiment.run == 21  # no command is lost
    assert conductor.slot(
        handles["a"]
    ).experiment.config.optimization.learning_rate == pytest.approx(0.29)


def test_several_floods_are_served_in_turn(conductor, config, clock):
    handles, served = added(conductor, config, clock, "abcd")
    for n in range(20):
        for handle in handles.values():
            handle.send(SetKnob(RATE, 0.1 + n / 100))
            handle.send(Restart())
    serve(conductor, clock, 20 * PERIOD)
    counts = [served.count(f"{name} begins") for name in handles]
    assert min(counts) > 5 and max(counts) - min(counts) <= 2


def test_many_who_restart_all_the_time_leave_the_others_their_turns(conductor, config, clock):
    names = [f"{n} floods" for n in range(20)] + ["a", "b"]
    handles, served = added(conductor, config, clock, names, begins=0.03, trains=0.001)
    for _ in range(120):
        for name, handle in handles.items():
            if "floods" in name:
                handle.send(Restart())
        serve(conductor, clock, PERIOD)
        if clock.now < 80 * PERIOD:  # while they spend what they have saved
            served.clear()
            since = clock.now
    begun = sum(turn.endswith("begins") for turn in served)
    assert 5 < begun * 0.03 / (clock.now - since) * 100 < 35  # percent of the time
    turns = (clock.now - since) / PERIOD
    assert min(served.count(name) for name in "ab") > 0.6 * turns


def test_keys_that_many_hold_delay_no_turn_by_a_restart_of_each(conductor, config, clock):
    names = [f"{n}" for n in range(40)]
    handles, served = added(conductor, config, clock, names, begins=0.006, trains=0.0005)
    held = [handles[name] for name in names[:20]]
    worst = 0.0
    for _ in range(80):
        for handle in held:
            handle.send(Restart())
        serve(conductor, clock, PERIOD / 4)
        worst = max(worst, conductor.worst.seconds)
    begun = [served.count(f"{name} begins") for name in names[:20]]
    assert min(begun) > 2 and max(begun) < 3 * min(begun)  # in turn
    assert worst < PERIOD  # twenty restarts in a row, beside slices, take four times as long


def test_who_has_paused_is_obeyed_though_many_hold_a_key(conductor, config, clock):
    names = [f"{n}" for n in range(21)]
    handles, _ = added(conductor, config, clock, names, begins=0.006, trains=0.0005)
    *held, paused = handles.values()
    paused.send(Pause())
    serve(conductor, clock, 2 * PERIOD)
    for n in range(5):
        for handle in held:
            handle.send(Restart())
        serve(conductor, clock, PERIOD / 10)
        paused.send(SetKnob(RATE, 0.1 + n / 100))
        serve(conductor, clock, 8 * PERIOD)  # a restart of each in between
        assert paused.latest.config.optimization.learning_rate == pytest.approx(0.1 + n / 100)
    assert paused.latest.status is Status.PAUSED


def test_a_command_that_took_long_in_an_empty_room_is_forgiven_as_soon_when_that_has_filled(
    config, clock
):
    # The command waits for other threads, and does no work, so that no other one has to serve it.
    conductor = Conductor(1 / PERIOD, clock, work=Clock(), begin=lambda thread: None)
    handles, _ = added(conductor, config, clock, [f"{n}" for n in range(40)], trains=0.0005)
    first, *others = handles.values()
    for handle in handles.values():
        handle.send(Pause())
    serve(conductor, clock, 2 * PERIOD)
    conductor.slot(first).experiment.costs_to_begin = 0.5
    first.send(Restart())
    serve(conductor, clock, PERIOD)
    for handle in others:
        handle.send(Play())  # its share is now a fortieth of what it was
    serve(conductor, clock, 2 * PERIOD)
    first.send(SetKnob(RATE, 0.2))
    serve(conductor, clock, CROWDED + 5 * PERIOD)
    assert first.latest.config.optimization.learning_rate == 0.2


def test_an_overdrawn_experiment_is_published_only_with_its_slice(
    conductor, config, clock, monkeypatch
):
    handles, _ = added(conductor, config, clock, "ab", begins=0.3)
    flooding = conductor.slot(handles["a"]).experiment
    shown = []

    def snapshot(*looks):
        shown.append(clock.now)
        return Experiment.snapshot(flooding, *looks)

    monkeypatch.setattr(flooding, "snapshot", snapshot)
    handles["a"].send(Restart())
    serve(conductor, clock, PERIOD)
    assert flooding.run == 2
    assert not shown  # a full snapshot is expensive, and its slice publishes one anyway
    assert not conductor.slot(handles["a"]).budget.solvent
    handles["a"].send(Restart())
    while conductor.main.serve():  # no turn is due for the command
        assert flooding.run == 2
    serve(conductor, clock, 3.0)  # but it will have one
    assert flooding.run == 3


def test_a_past_step_is_rebuilt_at_once_though_the_look_has_spent_the_budget(
    conductor, config, clock, monkeypatch
):
    handles, _ = added(conductor, config, clock, [f"{n}" for n in range(20)])
    handle = handles["7"]
    slot = conductor.slot(handle)
    experiment = slot.experiment
    experiment.train(APART)
    apply = experiment.apply

    def apply_for_long(command):
        apply(command)
        clock.now += SAVED / 4

    serve(conductor, clock, 10 * PERIOD)
    monkeypatch.setattr(experiment, "apply", apply_for_long)
    slot.budget.pay(SAVED, 1.0)  # in other commands
    handle.send(LookBack(APART - 1))
    serve(conductor, clock, 3 * PERIOD)
    assert not slot.budget.solvent
    assert not experiment.rebuilding
    assert handle.latest.step == APART - 1


def looker(conductor, config, clock, replays):
    """One whose run has come some way, beside many who train; a step costs so many seconds."""
    added(conductor, config, clock, [f"{n}" for n in range(20)])

    worked = []

    def work():
        clock.now += replays
        worked.append(replays)
        return clock.now

    experiment = Experiment(config, clock=clock, work=work)
    experiment.train(3 * APART)
    handle = conductor.add(experiment, "looks back")
    serve(conductor, clock, 10 * PERIOD)
    worked.clear()
    return handle, worked


def until_it_is_shown(conductor, clock, handle, step):
    """Look at a step; how many periods it takes until that is shown."""
    begun = clock.now
    handle.send(LookBack(step))
    for _ in range(100):
        serve(conductor, clock, PERIOD / 10)
        looking = handle.latest.looking_back
        if looking and (looking.step, looking.done) == (step, 1):
            break
    return (clock.now - begun) / PERIOD


def test_who_looks_back_waits_for_some_three_times_the_work_beside_many_who_train(
    conductor, config, clock
):
    handle, worked = looker(conductor, config, clock, replays=0.004)
    waited = until_it_is_shown(conductor, clock, handle, 2 * APART)
    assert sum(worked) > APART * 0.004
    assert waited * PERIOD < 3 * sum(worked)


def test_a_drag_along_the_timeline_goes_on_beside_many_who_train(
    conductor, config, clock, monkeypatch
):
    handle, _ = looker(conductor, config, clock, replays=0.0001)
    experiment = conductor.slot(handle).experiment
    apply = experiment.apply

    def apply_for_some_time(command):
        apply(command)
        clock.now += SAVED / 4

    monkeypatch.setattr(experiment, "apply", apply_for_some_time)
    waits = [until_it_is_shown(conductor, clock, handle, step) for step in range(APART, APART + 20)]
    assert max(waits) < 5


def test_a_flood_without_competitors_is_not_throttled(conductor, config, clock):
    handles, _ = added(conductor, config, clock, "a")
    for n in range(20):
        handles["a"].send(SetKnob(RATE, 0.1 + n / 100))
        handles["a"].send(Restart())
    begun = clock.now
    while conductor.slot(handles["a"]).next:
        serve(conductor, clock, 0.001)
    assert clock.now - begun < 21 * (0.02 + PERIOD)


def test_commands_and_queries_keep_their_order(conductor, config, clock):
    handles, _ = added(conductor, config, clock, "a")
    handle = handles["a"]
    handle.send(Restart(seed=5))
    seen = handle.query(lambda experiment: (experiment.config.seed, experiment.status))
    handle.send(Pause())
    handle.send(Restart(seed=6))
    then = handle.query(lambda experiment: (experiment.config.seed, experiment.status))
    serve(conductor, clock, 2.0)
    assert seen.result(0) == (5, Status.RUNNING)
    assert then.result(0) == (6, Status.PAUSED)


def test_a_full_queue_refuses_commands(conductor, config, clock, monkeypatch):
    monkeypatch.setattr("engine.runtime.experiment_handle.MOST_PENDING", 10)
    handles, _ = added(conductor, config, clock, "a")
    for _ in range(20):
        handles["a"].send(SetKnob(RATE, 0.5))
    assert "More than 10 commands wait" in conductor.slot(handles["a"]).refusal
    assert handles["a"].query(lambda experiment: 1).cancelled()


@pytest.mark.parametrize(
    ("earlier", "later", "replaced"),
    [
        (Restart(), Restart(), True),
        (Restart(3), Restart(4), True),
        (Restart(), Restart(4), True),
        (Restart(4), Restart(), False),  # keeps the seed before
        (SetKnob("model.hidden", "8"), SetKnob("model.hidden", "9"), True),
        (SetKnob("model.hidden", "8"), SetKnob("model.hidden", "8, 8"), False),  # as before
        (SetKnob("model.hidden", "8"), SetKnob("model.hidden", "-1"), False),
        (SetKnob("model.hidden", "8"), SetKnob("data.held_out", 0.5), False),
        (
            SetKnob("data.dataset", Choice("iris")),
            SetKnob("data.dataset", Choice("wine")),
            False,  # the first may have changed the loss
        ),
        (SetKnob(RATE, 0.1), SetKnob(RATE, 0.2), False),  # each has its marker in the curves
        (SetKnob(RATE, 0.1), Restart(), False),
        (Play(), Pause(), False),
        (Restart(), Pause(), False),
    ],
)
def test_a_command_is_dropped_only_if_the_next_replaces_all_its_effects(
    config, earlier, later, replaced
):
    assert replaces(later, earlier, config) is replaced
    if replaced:  # then it must leave no trace
        both, one = Experiment(config), Experiment(config)
        for experiment in (both, one):
            experiment.train(3)
            if experiment is both:
                experiment.apply(earlier)
            experiment.apply(later)
            experiment.train(3)
        assert both.first_config == one.first_config and both.journal == one.journal
        assert (both.network.parameters.theta == one.network.parameters.theta).all()
        before = [experiment.snapshot().previous for experiment in (both, one)]
        assert before[0].config == before[1].config and before[0].step == before[1].step


def test_if_the_last_command_is_refused_the_previous_one_applies(conductor, config, clock):
    handles, _ = added(conductor, config, clock, "a")
    good, bad = config.with_seed(8), config.replace("model.hidden", (9000, 9000))
    handles["a"].send(Begin(good))
    handles["a"].send(Begin(bad))
    serve(conductor, clock, 2 * PERIOD)
    assert conductor.slot(handles["a"]).experiment.config == good
    assert "parameters" in handles["a"].latest.message


# ---- threads -------------------------------------------------------------------------------------


def queue_of(conductor, handle):
    slot = conductor.slot(handle)
    (queue,) = [queue for queue in (conductor.main, *conductor.slow) if slot in queue]
    return queue


def test_a_run_of_unknown_cost_is_set_up_on_a_background_thread(
    conductor, config, clock, monkeypatch
):
    handles, _ = added(conductor, config, clock, "ab")
    monkeypatch.setattr(of_effort, "speed", lambda: 1.0)
    handles["a"].send(Restart())
    conductor.main.serve()
    assert queue_of(conductor, handles["a"]) in conductor.slow
    assert (
        conductor.slot(handles["a"]).experiment.run == 1
    )  # the conductor's thread only passed it on
    monkeypatch.setattr(of_effort, "speed", lambda: 1e12)
    serve(conductor, clock, 10 * PERIOD)
    assert conductor.slot(handles["a"]).experiment.run == 2
    assert queue_of(conductor, handles["a"]) is conductor.main


@pytest.mark.parametrize(
    ("path", "value"), [("data.dataset", Choice("wine")), ("data.held_out", 0.5)]
)
def test_other_data_are_always_prepared_on_a_background_thread(
    conductor, config, clock, path, value
):
    handles, served = added(conductor, config, clock, "ab")
    handles["a"].send(SetKnob(path, value))
    conductor.main.serve()
    assert queue_of(conductor, handles["a"]) in conductor.slow and served == []


def test_a_slow_run_takes_no_larger_share_than_the_frames_of_the_others_leave(
    conductor, config, clock
):
    handles, _ = added(conductor, config, clock, "abc")
    conductor.slot(handles["a"]).experiment.costs_to_train = 0.2
    serve(conductor, clock, 3 * PERIOD)
    (slow,) = [queue for queue in conductor.slow if len(queue)]
    for late in (True, False):
        for _ in range(200):
            conductor.main.adapt_load(PERIOD if late else 0.0)
        assert (
            slow.share(conductor.slot(handles["a"]), alone=False)[0] <= conductor.main.load * PERIOD
        )
    conductor.remove(handles["b"])
    conductor.remove(handles["c"])
    for _ in range(200):
        conductor.main.adapt_load(PERIOD)
    assert conductor.load > 0.5  # nobody's frames can be late


def test_a_slow_run_takes_a_few_even_shares_at_most(conductor, config, clock):
    names = "abcdefghijklmnopqrst"
    handles, _ = added(conductor, config, clock, names, begins=0.0, trains=0.001)
    serve(conductor, clock, 10 * PERIOD)
    conductor.slot(handles["a"]).experiment.costs_to_train = 0.2
    while not any(map(len, conductor.slow)):
        serve(conductor, clock, PERIOD)
    (slow,) = [queue for queue in conductor.slow if len(queue)]
    even = conductor.load * PERIOD / len(names)
    turn, part = slow.share(conductor.slot(handles["a"]), alone=False)
    assert even < turn / part < 5 * even
    turn, part = conductor.main.share(conductor.slot(handles["b"]), alone=False)
    assert turn / part == pytest.approx(even, rel=0.2)


def test_an_experiment_that_took_too_long_is_served_on_a_background_thread(
    conductor, config, clock
):
    handles, served = added(conductor, config, clock, "abc")
    conductor.slot(handles["a"]).experiment.costs_to_train = 0.2
    serve(conductor, clock, 3 * PERIOD)
    assert queue_of(conductor, handles["a"]) in conductor.slow
    served.clear()
    conductor.slot(handles["a"]).experiment.costs_to_train = TRAINED
    serve(conductor, clock, 20 * PERIOD)
    assert queue_of(conductor, handles["a"]) is conductor.main


def test_work_of_unknown_cost_starts_on_a_background_thread(conductor, config, clock):
    handles, _ = added(conductor, config, clock, "ab")

    def search():
        clock.now += 1.0
        yield 1

    handle = handles["a"]
    handle.submit(lambda slot: slot.jobs.begin("search", search()))
    now = clock.now
    conductor.main.serve()  # the task
    while queue_of(conductor, handle) is conductor.main:
        conductor.main.serve()
    assert clock.now - now < 1.0
    serve(conductor, clock, 2.0)
    assert conductor.slot(handle).jobs.shown.search == 1


def test_a_moved_experiment_loses_no_command_and_a_removed_one_stays_removed(
    conductor, config, clock
):
    handles, _ = added(conductor, config, clock, "ab")
    handles["a"].send(SetKnob("data.held_out", 0.5))
    handles["a"].send(Pause())
    handles["b"].send(SetKnob("data.held_out", 0.5))
    conductor.remove(handles["b"])
    serve(conductor, clock, 5 * PERIOD)
    assert conductor.slot(handles["a"]).experiment.config.data.held_out == 0.5
    assert handles["a"].latest.status is Status.PAUSED
    assert len(conductor) == 1 and sum(map(len, (conductor.main, *conductor.slow))) == 1


# ---- what is too much for a server ---------------------------------------------------------------


def test_a_network_with_too_long_steps_is_refused_beside_others(
    conductor, config, clock, monkeypatch
):
    monkeypatch.setattr(of_effort, "speed", lambda: 1e6)
    handles, _ = added(conductor, config, clock, "ab")
    handles["a"].send(SetKnob("model.hidden", "600, 600"))
    serve(conductor, clock, 5 * PERIOD)
    said = handles["a"].latest.message
    assert said.startswith("A step of this network takes ") and "0.1 s is allowed" in said
    assert conductor.slot(handles["a"]).experiment.config == config
    handles["b"].send(Pause())
    serve(conductor, clock, 2 * PERIOD)
    handles["a"].send(SetKnob("model.hidden", "600, 600"))  # allowed when alone
    serve(conductor, clock, 2 * PERIOD)
    assert conductor.slot(handles["a"]).experiment.config.model.hidden == (600, 600)


def test_an_experiment_with_too_long_steps_is_paused_with_a_message(conductor, config, clock):
    handles, _ = added(conductor, config, clock, "ab", trains=0.2)
    for handle in handles.values():
        watch(handle)
    serve(conductor, clock, 20 * PERIOD)
    assert {handle.latest.status for handle in handles.values()} == {Status.PAUSED, Status.RUNNING}
    (stopped,) = [handle for handle in handles.values() if handle.latest.status is Status.PAUSED]
    assert "takes 0.2 s here" in stopped.latest.message
    assert isinstance(
        conductor.slot(stopped).experiment.journal[-1][1], Pause
    )  # so that a replay pauses too


# ---- the budget ----------------------------------------------------------------------------------


def test_a_time_budget_accrues_pays_and_forgives():
    budget = TimeBudget()
    budget.pay(SAVED)
    assert budget.solvent and budget.wait(0.1) == 0
    budget.pay(0.05)
    assert not budget.solvent and budget.wait(0.1) == pytest.approx(0.5)
    budget.fill(0.5, 0.1)
    assert budget.solvent
    budget.pay(100.0)
    assert budget.wait(0.1) == pytest.approx(PATIENCE)
    budget.fill(0.5, 0.01)
    assert budget.wait(0.01) == pytest.approx(PATIENCE)  # also at the rate that its share has now
    budget.fill(1e6, 0.1)
    budget.pay(SAVED)
    assert budget.solvent  # savings are limited
    budget.pay(0.001)
    assert not budget.solvent
