"""Any step of a run can be looked at again, to the bit, and another run can go on from there."""

import dataclasses
import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine import (
    Choice,
    Conductor,
    Experiment,
    FinishEpoch,
    LookAhead,
    LookBack,
    Parent,
    Pause,
    Play,
    Recording,
    Restart,
    RunConfig,
    SetKnob,
    Status,
    Step,
    digest,
    record,
    replay,
)
from engine.runtime.checkpoint_pool import CheckpointPool
from engine.training import checkpoints
from engine.training.checkpoints import APART, Checkpoints
from engine.training.config_sections import ModelConfig
from engine.training.training import Training
from tests.engine.without_threads import conducted, serve
from tests.waiting import Clock

RATE = "optimization.learning_rate"
LOOKS = frozenset(
    {"weight_images", "predictions", "preactivations", "model_summary", "signal_theory"}
)
SMALL = RunConfig().replace("model.hidden", (8, 6)).replace("data.dataset", Choice("moons"))
NETWORKS = {
    "plain": SMALL,
    "batch norm, dropout, Adam": SMALL.replace(
        "model.normalization", Choice("batch norm")
    ).replace("model.dropout", 0.3).replace("optimization.optimizer", Choice("Adam")),
    "clipped, scheduled": SMALL.replace("optimization.clip", 0.5).replace(
        "optimization.schedule", Choice("cosine")
    ),
}  # fmt: skip
TURNS = [
    SetKnob(RATE, 0.02),
    SetKnob(RATE, 0.3),
    SetKnob("optimization.batch_size", 7),
    SetKnob("optimization.batch_size", 30),
    SetKnob("optimization.optimizer", Choice("SGD")),
    SetKnob("optimization.optimizer", Choice("Adam")),
    SetKnob("optimization.l2", 0.1),
    SetKnob("optimization.loss", Choice("multiclass hinge")),
    SetKnob("model.dropout", 0.5),
    SetKnob("model.dropout", 0.0),
    SetKnob("model.activation", Choice("tanh")),
    SetKnob("model.initializer", Choice("Xavier")),
    SetKnob("model.initializer", Choice("small normal")),
    Restart(),
    Restart(3),
    Play(),
    Pause(),
    Step(),
    FinishEpoch(),
]
max_bytes = st.sampled_from([0, 3_000, 20_000, 2**20])  # bytes: of no state, of some, of all
# To make a failure smaller takes minutes, and its steps are few as it is.
few = settings(
    max_examples=settings().max_examples // 20, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
steered = st.lists(st.tuples(st.integers(0, 90), st.sampled_from(TURNS)), max_size=8)


def run(config: RunConfig, turns, last: int = 40, **given) -> Experiment:
    """A run that is steered so many steps after the turn before, and goes on to the end."""
    experiment = Experiment(config, **given)
    for steps, turn in turns:
        experiment.train(steps)
        experiment.apply(turn)
    experiment.train(last)
    return experiment


def stopped(experiment: Experiment, step: int) -> Experiment:
    """The same run, had it been stopped after a step."""
    journal = [entry for entry in experiment.journal if entry[0] < step]
    return replay(experiment.first_config, journal, step)


def described(snapshot) -> dict[str, object]:
    """What a snapshot tells of the network and its run at that step, as plain values."""
    metrics = msgspec.structs.asdict(snapshot.metrics)
    # What depends on when it was measured before, or on the clock.
    del metrics["noise_scale"], metrics["cost"]
    layers = [(x.name, x.mean, x.std, x.zero, x.dead, x.backward) for x in snapshot.layers]
    on_demand = snapshot.on_demand
    return {
        "step": (snapshot.step, snapshot.epoch, snapshot.config, snapshot.message),
        "metrics": metrics,
        "layers": layers,
        "tensors": [dataclasses.astuple(x) for x in snapshot.tensors],
        "rows": snapshot.so_far.to_csv(),
        "changes": [x for x in snapshot.markers if x.step < snapshot.step],
        "answers": on_demand.predictions and on_demand.predictions.confusion.tolist(),
        "findings": [x.rule for x in snapshot.findings],
    }


def agree(mine: dict[str, object], its: dict[str, object]) -> None:
    for what, value in its.items():
        assert repr(mine[what]) == repr(value), what


@few
@given(
    network=st.sampled_from(sorted(NETWORKS)), turns=steered, max_bytes=max_bytes, data=st.data()
)
def test_a_step_is_shown_as_a_run_that_was_stopped_there(network, turns, max_bytes, data):
    experiment = run(NETWORKS[network], turns, max_bytes=max_bytes)
    before = digest(experiment), list(experiment.journal), experiment.run
    for _ in range(3):
        step = data.draw(st.integers(0, experiment.step))
        experiment.look_back(step)
        shown, alone = experiment.snapshot(LOOKS), stopped(experiment, step)
        agree(described(shown), described(alone.snapshot(LOOKS)))
        assert record(experiment).digest == digest(alone)
        assert shown.curves.to_csv().startswith(shown.so_far.to_csv())
    assert (digest(experiment), experiment.journal, experiment.run) == before


@pytest.mark.parametrize("apart", [0, 7])
def test_the_row_before_a_change_is_shown_again_from_wherever_a_replay_starts(apart):
    at = 12 * APART + apart  # a checkpoint, or a step after it
    experiment = Experiment(SMALL, max_bytes=2**20)
    experiment.train(at)
    rows = experiment.snapshot().curves.rows
    experiment.apply(SetKnob(RATE, 0.3))
    experiment.train(3 * APART)
    curves = experiment.snapshot().curves
    assert curves["step"][rows] == at
    assert (at in experiment.checkpoints.steps) == (apart == 0)
    for step in (at - 1, at + 1, at + 90):
        experiment.look_back(step)
        shown = experiment.snapshot().so_far
        np.testing.assert_array_equal(shown["step"], curves["step"][curves["step"] <= step])
        for name in curves:
            np.testing.assert_array_equal(shown[name], curves[name][: shown.rows])


@few
@given(
    network=st.sampled_from(sorted(NETWORKS)), turns=steered, max_bytes=max_bytes, data=st.data()
)
def test_a_run_that_was_looked_back_at_goes_on_to_the_same_bits(network, turns, max_bytes, data):
    watched, alone = (run(NETWORKS[network], turns, max_bytes=max_bytes) for _ in range(2))
    watched.look_back(data.draw(st.integers(0, watched.step)))
    watched.look_ahead()
    for experiment in (watched, alone):
        experiment.train(60)
    assert digest(watched) == digest(alone)
    assert watched.snapshot().curves.to_csv() == alone.snapshot().curves.to_csv()


@few
@given(
    network=st.sampled_from(sorted(NETWORKS)), turns=steered, max_bytes=max_bytes, data=st.data()
)
def test_a_run_that_goes_on_from_a_step_is_repeated_by_its_journal(network, turns, max_bytes, data):
    experiment = run(NETWORKS[network], turns, max_bytes=max_bytes)
    parent, end = experiment.run, experiment.step
    step = data.draw(st.integers(0, end))
    experiment.look_back(step)
    experiment.train(0)
    if experiment.status is Status.DIVERGED:
        return
    assert experiment.run == parent + 1
    assert experiment.snapshot().parent == Parent(parent, step)
    assert experiment.snapshot().previous.step == end
    experiment.apply(SetKnob(RATE, 0.07))
    experiment.train(50)
    experiment.look_back(data.draw(st.integers(0, experiment.step)))
    seen = record(experiment)
    assert digest(replay(seen.config, seen.journal, seen.steps)) == seen.digest
    experiment.look_ahead()
    experiment.train(30)
    recording = Recording.from_json(msgspec.json.encode(record(experiment)))
    again = replay(recording.config, recording.journal, recording.steps)
    assert digest(again) == recording.digest
    assert again.snapshot().curves.to_csv() == experiment.snapshot().curves.to_csv()


def test_training_waits_while_somebody_looks_back_and_then_goes_on():
    experiment = run(SMALL, [(0, Play())], 200)
    experiment.look_back(50)
    assert experiment.snapshot().status is Status.PAUSED
    assert experiment.advance(1.0) == 0
    assert (experiment.snapshot().step, experiment.snapshot().end) == (50, 200)
    experiment.apply(LookAhead())
    assert experiment.snapshot().status is Status.RUNNING
    assert experiment.snapshot().looking_back is None
    assert experiment.advance(0.01) > 0


@pytest.mark.parametrize("command", [Play(), Step(), FinishEpoch(), SetKnob(RATE, 0.123)])
def test_whatever_goes_on_while_looking_back_goes_on_from_there(command):
    experiment = run(SMALL, [(100, SetKnob(RATE, 0.02))], 100)
    experiment.look_back(60)
    experiment.apply(command)
    assert experiment.run == 2
    assert experiment.step == (61 if command == Step() else 60)
    assert experiment.journal == [(60, command)]
    assert experiment.snapshot().looking_back is None
    assert [x.text for x in experiment.snapshot().markers if x.step < 60] == []


def test_a_setting_that_stays_as_it_is_or_cannot_be_leaves_the_look_as_it_is():
    experiment = run(SMALL, [(50, SetKnob(RATE, 0.02))], 50)
    experiment.look_back(20)
    first = experiment.first_config.value(RATE)
    experiment.apply(SetKnob(RATE, first))
    with pytest.raises(ValueError, match="learning rate"):
        experiment.apply(SetKnob(RATE, -1.0))
    assert experiment.run == 1
    assert experiment.snapshot().looking_back.step == 20


def test_a_new_network_chosen_while_looking_back_has_the_settings_that_are_shown():
    experiment = run(SMALL, [(50, SetKnob(RATE, 0.02))], 50)
    experiment.look_back(20)
    experiment.apply(SetKnob("model.hidden", "5"))
    snapshot = experiment.snapshot()
    assert (snapshot.run, snapshot.step, snapshot.looking_back) == (2, 0, None)
    assert snapshot.config.value(RATE) == experiment.first_config.value(RATE) != 0.02
    assert snapshot.previous.step == 100


def test_a_step_that_there_is_not_is_refused_in_words():
    experiment = run(SMALL, [], 10)
    with pytest.raises(ValueError, match="steps 0 to 10, got 11"):
        experiment.apply(LookBack(11))
    with pytest.raises(ValueError, match="got -1"):
        experiment.apply(LookBack(-1))


def test_before_a_divergence_a_lower_rate_goes_on():
    experiment = run(SMALL, [(80, SetKnob(RATE, 1e6))], 100)
    assert experiment.status is Status.DIVERGED
    experiment.look_back(80)
    shown = experiment.snapshot()
    assert (shown.status, shown.message, shown.autopsy) == (Status.PAUSED, "", None)
    experiment.apply(SetKnob(RATE, 0.02))
    assert experiment.status is Status.RUNNING
    experiment.train(100)
    assert experiment.step == 180


def test_the_step_of_a_divergence_that_new_weights_overcame_says_so():
    turns = [(60, SetKnob(RATE, 1e6)), (30, SetKnob(RATE, 0.01))]
    experiment = run(SMALL, [*turns, (0, SetKnob("model.initializer", Choice("Xavier")))], 60)
    (end,) = (x.step for x in experiment.snapshot().markers if x.text == "diverged")
    experiment.look_back(end)
    shown = experiment.snapshot()
    assert shown.status is Status.DIVERGED
    assert f"Diverged at step {end}" in shown.message
    with pytest.raises(ValueError, match="diverged"):
        experiment.apply(Play())
    experiment.apply(SetKnob("model.initializer", Choice("small normal")))
    assert experiment.status is not Status.DIVERGED
    assert (experiment.run, experiment.step) == (2, end)


def test_a_rebuild_is_told_and_another_look_takes_its_place(monkeypatch):
    clock = iter(range(10**9))
    experiment = Experiment(SMALL, work=lambda: float(next(clock)), max_bytes=0)
    experiment.train(900)
    experiment.apply(LookBack(500))
    experiment.advance(3)
    looking = experiment.snapshot().looking_back
    assert experiment.rebuilding
    assert 0 < looking.done < 1 and (looking.step, looking.end) == (500, 900)
    experiment.apply(LookBack(20))
    experiment.advance(1e6)
    assert not experiment.rebuilding
    assert experiment.snapshot().step == 20
    assert experiment.snapshot().looking_back.done == 1


def test_others_are_served_while_a_step_is_rebuilt_and_what_is_meant_for_it_waits():
    conductor, clock, handle = conducted(SMALL, checkpoints=0)
    told = []

    def see(snapshot, version):
        told.append(snapshot)
        handle.wait("page", version, see)

    handle.wait("page", 0, see)
    handle.send(Play())
    while conductor.slot(handle).experiment.step < 1500:
        serve(conductor, clock, 0.1)
    end = conductor.slot(handle).experiment.step
    for command in (LookBack(5), LookBack(1400), SetKnob(RATE, 0.123)):
        handle.send(command)
    while conductor.slot(handle).experiment.run == 1:
        begun = clock.now
        serve(conductor, clock, 0.001)
        assert clock.now - begun < 0.2  # about a frame's time, not that of all 1,400 steps
    assert handle.latest.parent == Parent(1, 1400)
    assert conductor.slot(handle).experiment.journal[-1] == (1400, SetKnob(RATE, 0.123))
    looks = [(x.looking_back.step, x.looking_back.done) for x in told if x.looking_back]
    assert {step for step, _ in looks} == {1400}  # the one before was replaced
    assert 0 < min(done for _, done in looks if done) < 1
    assert all(x.end == end for x in told if x.looking_back)


def test_the_states_of_a_run_lie_evenly_and_keep_to_their_room(monkeypatch):
    training = Training(SMALL, np.float32)
    trail = Checkpoints(training, [], lambda: None, max_bytes=60_000)
    for step in range(1, 300_001):
        training.step = step
        if step >= trail.due:
            trail.save()
            assert trail.nbytes <= 60_000
    *starts, last = (*trail.steps, training.step)
    gaps = np.diff([*starts, last])
    assert len(gaps) >= 8
    assert gaps.max() < 2.5 * training.step / len(gaps)


def test_the_states_of_a_run_lie_closer_where_its_steps_take_longer():
    config = SMALL.replace("model.hidden", (64, 64)).replace("optimization.batch_size", 8)
    training = Training(config, np.float32)
    trail = Checkpoints(training, [], lambda: None, max_bytes=2**20)
    for step in range(1, 40_001):
        training.step = step
        if step == 20_000:
            training.follow(config.replace("optimization.batch_size", 512))
        if step >= trail.due:
            trail.save()
    early = sum(step < 20_000 for step in trail.steps)
    assert early > 1
    assert len(trail.steps) - early > 3 * early  # on 64 times as many examples
    assert trail.nbytes <= 2**20


@few
@given(turns=steered, shares=st.lists(max_bytes, min_size=1, max_size=4), data=st.data())
def test_however_the_room_for_checkpoints_changes_steps_are_the_same(turns, shares, data):
    experiment = run(SMALL, turns, 150)
    for share in shares:
        experiment.look_back(data.draw(st.integers(0, experiment.step)))
        experiment.allow_checkpoints(share)
        assert experiment.checkpoints.nbytes <= share or experiment.checkpoints.steps == (0,)
        step = data.draw(st.integers(0, experiment.step))
        experiment.look_back(step)
        assert record(experiment).digest == digest(stopped(experiment, step))
        experiment.look_ahead()
        experiment.train(60)


def test_without_room_for_checkpoints_one_can_look_on_from_the_first_step():
    experiment = run(SMALL, [], 260)
    experiment.allow_checkpoints(0)
    experiment.look_back(0)
    experiment.look_back(140)
    assert record(experiment).digest == digest(stopped(experiment, 140))


def test_no_step_takes_longer_to_replay_than_is_wanted_if_there_is_room(monkeypatch):
    monkeypatch.setattr(checkpoints, "CALLS", 0)
    training = Training(SMALL, np.float32)
    trail = Checkpoints(training, [], lambda: None)
    monkeypatch.setattr(checkpoints, "SECOND", 1000 * trail.work)  # 1 ms a step
    monkeypatch.setattr(checkpoints, "SOON", 0.2)
    for step in range(1, 30_001):
        training.step = step
        if step >= trail.due:
            trail.allow(trail.wanted)
            trail.save()
    gaps = np.diff([*trail.steps, training.step])
    assert 150 < gaps.max() <= 300  # steps: not many more checkpoints than that takes


def test_all_have_the_same_part_of_what_they_want_if_that_is_more_than_there_is():
    pool = CheckpointPool(100)
    assert pool.grant("short", 20) == 20
    assert pool.grant("long", 80) == 80
    assert not pool.shrank()
    assert pool.grant("costly", 100) == 50
    assert pool.shrank() and not pool.shrank()
    assert (pool.grant("short", 20), pool.grant("long", 80)) == (10, 40)
    pool.leave("costly")
    assert pool.grant("long", 80) == 80


def test_a_run_that_waits_keeps_fewer_checkpoints_when_others_want_some_too():
    first = run(SMALL, [], 3_000)
    wanted = first.wants_checkpoints
    clock = Clock()
    conductor = Conductor(10, clock, work=clock, begin=lambda thread: None, checkpoints=2 * wanted)
    handle = conductor.add(first)
    serve(conductor, clock, 0.1)
    assert 0.7 * wanted < first.checkpoints.nbytes <= wanted
    others = [conductor.add(run(SMALL, [], 3_000)) for _ in range(3)]
    serve(conductor, clock, 0.1)  # the first is paused all the time
    assert 0.3 * wanted < first.checkpoints.nbytes <= wanted / 2
    for other in others:
        conductor.remove(other)
    handle.send(Play())
    while first.step < 9_000:
        first.train(500)
    serve(conductor, clock, 0.1)
    assert first.checkpoints.nbytes > 0.5 * wanted


def test_a_lesson_shares_the_checkpoints_of_its_visitor():
    clock = Clock()
    conductor = Conductor(10, clock, work=clock, begin=lambda thread: None, checkpoints=60_000)
    own, played = (run(SMALL, [], 3_000) for _ in range(2))
    handle = conductor.add(own)
    handle.submit(lambda slot: slot.show_lesson(played))
    serve(conductor, clock, 0.1)
    serve(conductor, clock, 0.1)
    assert handle.waits_at == 3_000
    assert all(0 < x.checkpoints.nbytes <= 30_000 for x in (own, played))


def test_a_second_look_between_the_same_checkpoints_repeats_few_steps(monkeypatch):
    experiment = Experiment(SMALL, max_bytes=30_000)
    experiment.train(9_000)
    starts = (*experiment.checkpoints.steps, experiment.step)
    gap, end = max((later - x, later) for x, later in itertools.pairwise(starts))
    made = []
    update = Training.update
    monkeypatch.setattr(Training, "update", lambda self: (made.append(self.step), update(self))[1])
    experiment.look_back(end - 1)
    first = len(made)
    made.clear()
    experiment.look_back(end - gap // 2)
    assert gap > 1_000 and first == gap - 1
    assert len(made) <= gap / 3 + 100  # there is room for two states between
    shown = digest(experiment), record(experiment).digest
    experiment.look_ahead()
    assert shown == (digest(experiment), digest(stopped(experiment, end - gap // 2)))


@pytest.mark.parametrize(("hidden", "apart"), [((8,), 2 * APART), ((1500,), APART)])
def test_quick_steps_are_saved_half_as_often(hidden, apart):
    experiment = Experiment(RunConfig(model=ModelConfig(hidden=hidden)))
    experiment.train(apart)
    assert experiment.checkpoints.steps[-1] == apart == experiment.checkpoints.due - apart


def test_states_before_new_weights_count_what_they_keep_of_those(monkeypatch):
    monkeypatch.setattr(checkpoints, "APART", 5)
    experiment = Experiment(SMALL, max_bytes=40_000)
    for name in ["Xavier", "He"] * 30:
        experiment.train(7)
        experiment.apply(SetKnob("model.initializer", Choice(name)))
        assert experiment.checkpoints.nbytes <= 40_000


def test_an_order_of_examples_is_saved_in_as_few_bytes_as_it_takes():
    training = Training(RunConfig(), np.float32)
    order = training.save().batches[0]
    assert order.nbytes == 2 * len(training.data.train)
