"""Runs that were left for another way stay as branches, and are taken up again to the bit."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    Begin,
    BranchRecord,
    Choice,
    Experiment,
    FinishEpoch,
    GoTo,
    LookBack,
    Parent,
    Pin,
    Play,
    Recording,
    Restart,
    RunConfig,
    SetKnob,
    Status,
    digest,
    record,
    replay,
)
from engine.runtime import branch_replay, branches
from engine.runtime.branches import MOST
from tests.engine.test_look_back import NETWORKS, RATE, SMALL, few, max_bytes, run, steered
from tests.engine.without_threads import conducted, serve

INITIALIZER = "model.initializer"
ways = st.lists(
    st.tuples(st.sampled_from(["fork", "go to"]), st.integers(0, 10**6), steered),
    min_size=1,
    max_size=5,
)


def turn(experiment: Experiment, turns) -> None:
    for steps, command in turns:
        experiment.train(steps)
        if not isinstance(command, Restart):  # begins another tree
            experiment.apply(command)


def wander(config: RunConfig, turns, steps, **given) -> Experiment:
    """A run that is left for others, some of them again and again."""
    experiment = Experiment(config, **given)
    turn(experiment, turns)
    for way, pick, more in steps:
        if way == "fork":
            experiment.look_back(pick % (experiment.step + 1))
            experiment.train(0)
        elif known := experiment.snapshot().branches:
            experiment.go_to(known[pick % len(known)].run)
        turn(experiment, more)
    return experiment


@few
@given(network=st.sampled_from(sorted(NETWORKS)), turns=steered, steps=ways, max_bytes=max_bytes)
def test_every_branch_is_repeated_by_its_journal(network, turns, steps, max_bytes):
    experiment = wander(NETWORKS[network], turns, steps, max_bytes=max_bytes)
    recording = Recording.from_json(msgspec.json.encode(record(experiment)))
    assert len(recording.branches) == len(experiment.snapshot().branches)
    for branch in recording.branches:
        assert digest(replay(recording.config, branch.turns, branch.steps)) == branch.digest


@few
@given(
    network=st.sampled_from(sorted(NETWORKS)), turns=steered, more=steered, max_bytes=max_bytes,
    data=st.data(),
)  # fmt: skip
def test_a_branch_is_taken_up_as_if_it_had_never_been_left(network, turns, more, max_bytes, data):
    left, alone = (run(NETWORKS[network], turns, max_bytes=max_bytes) for _ in range(2))
    number, told = left.run, left.snapshot()
    left.look_back(data.draw(st.integers(0, left.step)))
    left.train(0)
    turn(left, more)
    if left.run != number:
        left.go_to(number)
    assert (left.run, left.step, left.parent) == (number, alone.step, alone.parent)
    assert left.journal == alone.journal
    assert left.status is Status.DIVERGED or digest(left) == digest(alone)
    assert left.snapshot().curves.to_csv() == told.curves.to_csv()
    assert left.snapshot().markers == told.markers
    for experiment in (left, alone):
        turn(experiment, more)
        experiment.train(30)
    assert digest(left) == digest(alone)
    assert left.snapshot().curves.to_csv() == alone.snapshot().curves.to_csv()
    seen = data.draw(st.integers(0, left.step))
    left.look_back(seen)
    alone.look_back(seen)
    assert record(left).digest == record(alone).digest


def test_a_branch_left_on_the_way_to_the_end_of_an_epoch_still_has_a_row_there(config):
    left, alone = (Experiment(config) for _ in range(2))
    for experiment in (left, alone):
        experiment.train(1000)
        experiment.apply(FinishEpoch())
        experiment.train(2)
    left.look_back(500)
    left.train(1)
    left.go_to(1)
    for experiment in (left, alone):
        experiment.train(40)
    assert left.snapshot().curves.to_csv() == alone.snapshot().curves.to_csv()


def forked(steps: int = 80) -> Experiment:
    """Run 1, and run 2 that left it at step 40 for another rate."""
    experiment = run(SMALL, [(20, SetKnob(RATE, 0.02))], steps)
    experiment.look_back(40)
    experiment.apply(SetKnob(RATE, 0.3))
    experiment.train(25)
    return experiment


def test_the_tree_tells_parents_steps_and_changes():
    experiment = forked()
    experiment.look_back(50)
    experiment.train(5)
    snapshot = experiment.snapshot()
    assert (snapshot.run, snapshot.parent) == (3, Parent(2, 50))
    first, second = snapshot.branches
    assert (first.run, first.parent, first.step) == (1, None, 100)
    assert (second.run, second.parent, second.step) == (2, Parent(1, 40), 65)
    assert second.change == "Learning rate 0.02 → 0.3"
    assert first.past.curves["step"][-1] <= 100
    experiment.go_to(1)
    assert [x.run for x in experiment.snapshot().branches] == [2, 3]
    assert experiment.snapshot().previous.run == 3


def test_a_branch_that_ran_goes_on_and_one_that_waited_waits():
    experiment = forked()
    experiment.apply(GoTo(1))
    experiment.advance(1.0)
    assert experiment.status is Status.PAUSED
    experiment.apply(Play())
    experiment.apply(GoTo(2))
    assert experiment.advance(60.0) == 0
    assert (experiment.run, experiment.status) == (2, Status.RUNNING)


def test_there_is_no_branch_that_there_is_not():
    experiment = forked()
    with pytest.raises(ValueError, match="no branch 7; those beside this run: 1"):
        experiment.apply(GoTo(7))
    experiment.apply(GoTo(2))  # itself
    assert (experiment.run, experiment.rebuilding) == (2, False)
    experiment.apply(Restart())
    assert experiment.snapshot().branches == ()
    with pytest.raises(ValueError, match="none"):
        experiment.apply(GoTo(1))


def test_new_weights_after_a_divergence_are_taken_up_with_the_branch():
    experiment = run(SMALL, [(30, SetKnob(RATE, 1e6))], 20)
    assert experiment.status is Status.DIVERGED
    end = experiment.step
    experiment.look_back(30)
    experiment.train(10)
    experiment.go_to(1)
    assert (experiment.status, experiment.step) == (Status.DIVERGED, end)
    assert f"Diverged at step {end}" in experiment.snapshot().message
    experiment.apply(SetKnob(RATE, 0.02))
    experiment.apply(SetKnob(INITIALIZER, Choice("Xavier")))
    assert experiment.status is Status.PAUSED
    experiment.go_to(2)
    experiment.go_to(1)
    assert experiment.status is Status.PAUSED
    experiment.train(20)
    alone = replay(experiment.first_config, experiment.journal, experiment.step)
    assert digest(experiment) == digest(alone)


def test_branches_keep_to_their_number_and_their_room():
    experiment = run(SMALL, [], 300, max_bytes=60_000)
    for n in range(3 * MOST):
        experiment.look_back(100 + n)
        experiment.train(200)
        assert len(experiment.branches) <= MOST
        assert experiment.branches.nbytes <= 20_000
        assert experiment.branches.nbytes + experiment.checkpoints.nbytes <= 60_000
    runs = [x.run for x in experiment.snapshot().branches]
    assert runs == list(range(3 * MOST + 1 - MOST, 3 * MOST + 1))
    experiment.go_to(runs[0])
    alone = replay(experiment.first_config, experiment.journal, experiment.step)
    assert digest(experiment) == digest(alone)


def test_a_link_brings_all_branches_and_each_is_repeated_when_one_goes_there():
    source = forked()
    source.look_back(50)
    source.train(5)
    recording = Recording.from_json(msgspec.json.encode(record(source)))
    guest = Experiment(SMALL)
    guest.train(3)
    guest.apply(recording.begin)
    guest.advance(60.0)
    first, second = guest.snapshot().branches
    base = first.run
    assert (guest.run, guest.parent) == (base + 2, Parent(base + 1, 50))
    assert (second.parent, second.step, second.past) == (Parent(base, 40), 65, None)
    assert digest(guest) == recording.digest
    guest.go_to(base)
    assert (guest.run, guest.step) == (base, 100)
    assert digest(guest) == recording.branches[0].digest
    assert guest.snapshot().markers == run(SMALL, [(20, SetKnob(RATE, 0.02))]).snapshot().markers
    guest.go_to(base + 2)
    assert digest(guest) == recording.digest
    again = record(guest)
    assert [x.digest for x in again.branches] == [x.digest for x in recording.branches][::-1]


def test_a_link_opens_with_the_numbers_and_the_curves_of_all_branches():
    source = forked()
    source.look_back(50)
    source.train(5)
    recording = record(source)
    shown = source.snapshot()
    guest = Experiment(SMALL)
    guest.apply(recording.begin)
    guest.advance(60.0)
    assert (guest.run, guest.parent) == (source.run, source.parent)
    assert guest.at_work
    for _ in recording.branches:
        guest.advance(60.0)
    assert not guest.at_work
    for mine, its in zip(guest.snapshot().branches, shown.branches, strict=True):
        assert (mine.run, mine.parent, mine.change) == (its.run, its.parent, its.change)
        assert mine.past.curves["loss"].tolist() == its.past.curves["loss"].tolist()
    assert digest(guest) == recording.digest
    guest.go_to(recording.branches[0].run)
    assert digest(guest) == recording.branches[0].digest


def test_the_runs_of_a_link_keep_their_numbers_where_none_was_seen_before():
    begin = Begin(SMALL, (), 10, 1, None, (BranchRecord(4, (), 3),))
    guest, later = Experiment(SMALL), Experiment(SMALL)
    guest.number_after(-1)
    for experiment in (guest, later):
        experiment.apply(begin)
    numbers = [(x.run, [y.run for y in x.snapshot().branches]) for x in (guest, later)]
    assert numbers == [(1, [4]), (2, [3])]


def test_branches_of_a_link_are_repeated_only_while_its_run_waits():
    guest = Experiment(SMALL)
    guest.apply(record(forked()).begin)
    guest.advance(60.0)
    guest.apply(Play())
    step = guest.step
    guest.train(5)
    assert (guest.step, guest.snapshot().branches[0].past) == (step + 5, None)


def test_a_branch_of_a_link_that_takes_too_long_is_not_repeated_until_it_is_taken_up(monkeypatch):
    monkeypatch.setattr(branch_replay, "PATIENCE", 0.0)
    guest = Experiment(SMALL)
    recording = record(forked())
    guest.apply(recording.begin)
    guest.advance(60.0)
    guest.advance(0.001)
    assert not guest.at_work
    assert guest.snapshot().branches[0].past is None
    guest.go_to(1)
    assert digest(guest) == recording.branches[0].digest


def test_a_branch_of_a_link_that_is_left_half_way_is_not_shortened():
    guest = Experiment(SMALL)
    recording = record(forked())
    guest.apply(recording.begin)
    guest.train(5)
    other = guest.snapshot().branches[0].run
    mine = guest.run
    guest.apply(GoTo(other))
    guest.train(5)
    guest.go_to(mine)
    assert digest(guest) == recording.digest
    guest.go_to(other)
    assert digest(guest) == recording.branches[0].digest


def test_a_pinned_branch_is_repeated_to_the_bit():
    experiment = forked()
    experiment.apply(Pin("mine"))
    bits = digest(experiment)
    (pinned,) = experiment.snapshot().pinned
    experiment.apply(pinned.begin)
    experiment.advance(60.0)
    assert (experiment.step, digest(experiment)) == (65, bits)


TURNED = {"type": "set", "path": RATE, "value": 1}


@pytest.mark.parametrize("wrong", [
    {"branches": [{"run": 2, "turns": [], "steps": 5}]},
    {"branches": [{"run": n, "turns": [], "steps": 5} for n in range(3, 13)]},
    {"branches": [{"run": 3, "turns": [], "steps": 5, "parent": [4, 5]}]},
    {"branches": [{"run": 3, "turns": [], "steps": 5, "parent": [1, 6]}]},
    {"branches": [{"run": 3, "turns": [[6, TURNED]], "steps": 5}]},
    {"parent": [2, 1]},
])  # fmt: skip
def test_branches_that_cannot_be_are_refused(wrong):
    plain = msgspec.to_builtins(Recording(SMALL, (), 10, run=2)) | wrong
    with pytest.raises(ValueError, match="branch"):
        Recording.from_json(msgspec.json.encode(plain))


def test_a_parent_that_is_not_in_the_link_is_not_told():
    begin = Begin(SMALL, (), 10, 5, (3, 4), (BranchRecord(4, (), 3),))
    experiment = Experiment(SMALL)
    experiment.apply(begin)
    assert experiment.snapshot().parent is None


def test_others_are_served_while_a_branch_is_rebuilt():
    conductor, clock, handle = conducted(SMALL, checkpoints=0)
    handle.send(Play())
    while conductor.slot(handle).experiment.step < 1500:
        serve(conductor, clock, 0.1)
    handle.send(LookBack(700))
    handle.send(SetKnob(RATE, 0.123))
    while conductor.slot(handle).experiment.run == 1:
        serve(conductor, clock, 0.001)
    end = handle.latest.branches[0].step
    handle.send(GoTo(1))
    handle.send(SetKnob(RATE, 0.044))
    while conductor.slot(handle).experiment.run == 2:
        begun = clock.now
        serve(conductor, clock, 0.001)
        assert clock.now - begun < 0.2  # about a frame's time, not that of all steps
    serve(conductor, clock, 0.5)
    assert conductor.slot(handle).experiment.journal[-1] == (end, SetKnob(RATE, 0.044))


def test_without_room_for_its_curves_a_branch_is_repeated_from_its_first_step(monkeypatch):
    experiment = forked()
    monkeypatch.setattr(branches, "CURVES", 10_000)
    experiment.look_back(50)
    experiment.train(5)
    first, second = experiment.snapshot().branches
    assert (first.past, second.past.step) == (None, 65)
    bits = {x.run: x.digest for x in record(experiment).branches}
    experiment.go_to(1)
    assert (experiment.step, digest(experiment)) == (100, bits[1])
    assert experiment.journal == [(20, SetKnob(RATE, 0.02))]
    assert [x.text for x in experiment.snapshot().markers] == ["Learning rate 0.01 → 0.02"]


def test_to_go_to_a_branch_drops_no_other():
    experiment = run(SMALL, [], 60)
    for n in range(MOST):
        experiment.look_back(20 + n)
        experiment.train(20)
    runs = {experiment.run, *(x.run for x in experiment.snapshot().branches)}
    for number in sorted(runs):
        experiment.go_to(number)
        assert {experiment.run, *(x.run for x in experiment.snapshot().branches)} == runs
