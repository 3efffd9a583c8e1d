"""A | B: two runs from one step at equal steps; each has the bits that it would have alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    Choice,
    EndLockstep,
    Experiment,
    GoTo,
    Lockstep,
    Parent,
    Pause,
    Play,
    Restart,
    SetKnob,
    StartLockstep,
    Status,
    Step,
    Turn,
    digest,
    read_upload,
    record,
    register_upload,
    replay,
    unregister_upload,
)
from engine.runtime import companion
from tests.engine.test_branches import turn, wander, ways
from tests.engine.test_look_back import (
    NETWORKS,
    RATE,
    SMALL,
    TURNS,
    few,
    max_bytes,
    run,
    steered,
    stopped,
)
from tests.engine.without_threads import conducted, serve, watch

TABLE = "left,right,kind\n" + "".join(f"{n % 7},{n % 5},{'ab'[n % 2]}\n" for n in range(120))
KNOBS = [x for x in TURNS if isinstance(x, SetKnob)]
changes = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(KNOBS), st.sampled_from(["A", "B", "both"])),
    max_size=6,
)


@few
@given(
    network=st.sampled_from(sorted(NETWORKS)), turns=steered, changes=changes, max_bytes=max_bytes,
    data=st.data(),
)  # fmt: skip
def test_each_of_both_is_repeated_by_its_own_journal(network, turns, changes, max_bytes, data):
    experiment = Experiment(NETWORKS[network], max_bytes=max_bytes)
    turn(experiment, turns)
    experiment.look_back(data.draw(st.integers(0, experiment.step)))
    experiment.train(0)
    if experiment.status is Status.DIVERGED:
        return
    pair = Lockstep(experiment)
    for steps, knob, of in changes:
        pair.train(steps)
        pair.apply(knob, of)
    pair.train(30)
    mine = digest(experiment)
    b = pair.b
    pair.end()
    recording = record(experiment)
    assert (mine, recording.digest) == (digest(experiment),) * 2
    assert digest(replay(recording.config, recording.journal, recording.steps)) == mine
    other = recording.branches[-1]
    assert other.run == b.run
    alone = replay(recording.config, other.turns, other.steps)
    assert digest(alone) == other.digest
    experiment.go_to(b.run)
    assert experiment.snapshot().curves.to_csv() == b.curves.to_csv()
    assert experiment.status is Status.DIVERGED or digest(experiment) == other.digest
    if experiment.status is not Status.DIVERGED:
        experiment.train(20)
        alone = replay(experiment.first_config, experiment.journal, experiment.step)
        assert digest(alone) == digest(experiment)


@pytest.fixture(scope="module")
def upload():
    upload = read_upload(TABLE.encode(), "pairs.csv")
    register_upload(upload)
    yield upload
    unregister_upload(upload)


@few
@given(
    network=st.sampled_from(sorted(NETWORKS)), turns=steered, steps=ways, changes=changes,
    uploaded=st.booleans(), max_bytes=max_bytes, data=st.data(),
)  # fmt: skip
def test_any_step_of_any_way_is_shown_as_a_run_that_was_stopped_there(
    network, turns, steps, changes, uploaded, max_bytes, data, upload
):
    config = NETWORKS[network]
    if uploaded:
        config = config.replace("data.dataset", Choice(upload.name))
    experiment = wander(config, turns, steps, max_bytes=max_bytes)
    experiment.train(30)
    if experiment.status is not Status.DIVERGED:
        pair = Lockstep(experiment)
        for between, knob, of in changes:
            pair.train(between)
            pair.apply(knob, of)
        pair.train(30)
    for _ in range(3):
        step = data.draw(st.integers(0, experiment.step))
        experiment.look_back(step)
        alone = stopped(experiment, step)
        assert (experiment.snapshot().step, record(experiment).digest) == (step, digest(alone))
        assert experiment.snapshot().config == alone.config
    experiment.look_ahead()


def test_two_runs_with_the_same_settings_stay_the_same():
    pair = Lockstep(run(NETWORKS["batch norm, dropout, Adam"], [], 50))
    pair.train(60)
    assert pair.b.distance == 0
    assert set(pair.difference.values()) == {0.0}
    assert pair.b.curves.to_csv() == pair.a.snapshot().curves.to_csv()
    line = pair.straight_line()
    np.testing.assert_allclose(line.train, line.train[0], rtol=1e-5)
    assert line.barrier == pytest.approx(0, abs=1e-5)


def test_a_change_applies_to_a_to_b_or_to_both():
    pair = Lockstep(run(SMALL, [], 20))
    for number, of in enumerate(["A", "B", "both"], start=2):
        pair.apply(SetKnob(RATE, number / 100), of)
        pair.train(5)
    a = [command.value for _, command in pair.a.journal]
    pair.end()
    b = [command.value for _, command in record(pair.a).branches[-1].turns]
    assert (a, b) == ([0.02, 0.04], [0.03, 0.04])
    (branch,) = pair.a.snapshot().branches
    assert branch.parent == Parent(1, 20)
    assert branch.change == "Learning rate 0.01 → 0.03"


def test_the_difference_is_that_of_the_last_figures():
    pair = Lockstep(run(SMALL, [], 20))
    pair.apply(SetKnob(RATE, 0.3), "B")
    pair.train(200)
    snapshot, b = pair.a.snapshot(), pair.b
    for name, difference in pair.difference.items():
        assert difference == b.curves.last(name) - snapshot.curves.last(name)
    assert pair.difference["loss_average"] < 0 < b.distance


def test_the_line_goes_through_both_and_is_the_loss_of_what_lies_between():
    pair = Lockstep(run(SMALL, [], 20))
    pair.apply(SetKnob(RATE, 0.5), "B")
    pair.train(150)
    line = pair.straight_line()
    a = pair.a.snapshot().metrics
    at = {place: n for n, place in enumerate(line.places.tolist())}
    assert line.train[at[0.0]] == pytest.approx(a.train_loss, rel=1e-6)
    assert line.validation[at[0.0]] == pytest.approx(a.validation_loss, rel=1e-6)
    mine = pair.a.network.parameters.theta.copy()
    pair.end()
    pair.a.go_to(2)
    b = pair.a.snapshot().metrics
    assert line.train[at[1.0]] == pytest.approx(b.train_loss, rel=1e-6)
    theta = pair.a.network.parameters.theta
    theta[...] = (mine + theta) / 2
    (halfway, _) = pair.a.training.evaluators[0].evaluate()
    assert line.train[at[0.5]] == pytest.approx(halfway, rel=1e-5)


def test_there_is_no_line_between_networks_of_other_functions():
    pair = Lockstep(run(SMALL, [], 20))
    pair.apply(SetKnob("model.activation", Choice("tanh")), "B")
    pair.train(20)
    assert "more than their weights" in pair.straight_line().refusal
    pair.apply(SetKnob(RATE, 1e6), "B")
    pair.train(50)
    with pytest.raises(ValueError, match="diverged"):
        pair.straight_line()


def test_while_b_has_diverged_a_goes_on_and_new_weights_bring_b_back():
    pair = Lockstep(run(SMALL, [], 20))
    pair.apply(SetKnob(RATE, 1e6), "B")
    pair.train(60)
    assert pair.b.diverged and pair.a.status is not Status.DIVERGED
    end = pair.b.curves["step"][-1]
    assert end < pair.a.step == 80
    pair.end()
    pair.a.go_to(2)
    assert (pair.a.status, pair.a.step) == (Status.DIVERGED, end)


def test_what_cannot_be_is_refused_in_words():
    experiment = run(SMALL, [], 20)
    with pytest.raises(ValueError, match="no run B"):
        experiment.apply(Turn(SetKnob(RATE, 0.3), "B"))
    pair = Lockstep(experiment)
    with pytest.raises(ValueError, match="unknown setting 'nonsense'"):
        pair.apply(SetKnob("nonsense", 1.0), "B")
    for of in ("B", "both"):
        with pytest.raises(ValueError, match="begins another run"):
            pair.apply(SetKnob("model.hidden", "5"), of)
        with pytest.raises(ValueError, match="earning rate"):
            pair.apply(SetKnob(RATE, -1.0), of)
    assert pair.b.run == 2
    assert experiment.journal == []
    experiment.look_back(10)
    with pytest.raises(ValueError, match="go back to now"):
        pair.apply(SetKnob(RATE, 0.3), "B")
    experiment.look_ahead()
    experiment.apply(SetKnob(RATE, 1e6))
    experiment.train(60)
    experiment.apply(EndLockstep())
    with pytest.raises(ValueError, match="diverged"):
        experiment.apply(StartLockstep())
    with pytest.raises(ValueError, match="not in lockstep"):
        _ = pair.b


def test_another_way_from_before_and_another_branch_end_it():
    for leave in (lambda x: (x.look_back(10), x.train(1)), lambda x: x.go_to(2)):
        pair = Lockstep(run(SMALL, [], 20))
        pair.apply(SetKnob(RATE, 0.3), "B")
        pair.train(10)
        leave(pair.a)
        assert pair.a.snapshot().other is None
        known = {pair.a.run, *(x.run for x in pair.a.snapshot().branches)}
        assert {1, 2} <= known
    pair = Lockstep(run(SMALL, [], 20))
    pair.a.apply(Restart())
    assert (pair.a.snapshot().other, pair.a.snapshot().branches) == (None, ())


def test_from_a_step_that_is_looked_at_both_leave_the_run():
    experiment = run(SMALL, [], 60)
    experiment.look_back(25)
    pair = Lockstep(experiment)
    snapshot = experiment.snapshot()
    assert (snapshot.run, snapshot.step, snapshot.parent) == (2, 25, Parent(1, 25))
    assert (snapshot.other.run, snapshot.other.since) == (3, 25)
    pair.apply(SetKnob(RATE, 0.3), "B")
    pair.train(10)
    experiment.apply(StartLockstep())  # a second press
    assert experiment.snapshot().other.run == 3
    experiment.apply(GoTo(1))
    experiment.advance(60.0)
    assert [x.run for x in experiment.snapshot().branches] == [3, 2]


def test_at_a_pace_both_have_a_row_for_each_step_and_the_line_comes_while_they_wait():
    conductor, clock, handle = conducted(SMALL, pace=10.0)
    watch(handle)
    for command in (StartLockstep(), Turn(SetKnob(RATE, 0.3), "B"), Play()):
        handle.send(command)
    while conductor.slot(handle).experiment.step < 30:
        serve(conductor, clock, 0.1)
    handle.send(Step())
    handle.send(Pause())
    serve(conductor, clock, 2.0)
    other = handle.latest.other
    assert other.curves["step"].tolist() == list(range(int(other.curves["step"][-1]) + 1))
    assert other.curves["step"][-1] == handle.latest.step
    assert len(other.line.places) == 25
    assert not conductor.slot(handle).busy
    handle.send(Play())
    serve(conductor, clock, 0.5)
    assert handle.latest.other.line is None


def test_two_networks_that_take_too_much_memory_are_refused(monkeypatch):
    monkeypatch.setattr(companion, "MOST", 50)
    experiment = run(SMALL, [], 5)
    with pytest.raises(ValueError, match="at most 50 parameters each"):
        experiment.apply(StartLockstep())
    assert experiment.snapshot().other is None
    experiment.look_back(2)
    experiment.train(1)
    assert experiment.run == 2


def test_both_are_compared_where_both_are_judged(config):
    pair = Lockstep(Experiment(config))
    pair.train(100)
    pair.apply(SetKnob(RATE, 0.03), "B")
    for _ in range(70):
        pair.train(1)
        a, b = pair.a.snapshot().curves, pair.b.curves
        for name in ("validation_loss", "validation_accuracy", "train_accuracy"):
            step, figure = a.last_known(name)
            (row,) = np.flatnonzero(b["step"] == step)
            assert pair.difference[name] == b[name][row] - figure
