"""A run goes on in another experiment at once where it stood, to the bit."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    Conductor,
    Experiment,
    GoTo,
    LookBack,
    Pause,
    Pin,
    Play,
    SetKnob,
    Status,
    digest,
    record,
    transfer_of,
)
from engine.training.training import Training
from tests.engine.test_branches import turn
from tests.engine.test_look_back import (
    LOOKS,
    NETWORKS,
    RATE,
    SMALL,
    agree,
    described,
    few,
    max_bytes,
    run,
    steered,
)
from tests.engine.test_packed_state import link
from tests.engine.without_threads import conducted, serve, watch
from tests.waiting import Clock


def taken_up(transfer, **given) -> Experiment:
    guest = Experiment(SMALL, **given)
    guest.take_up(transfer)
    guest.advance(1e9)
    return guest


@few
@given(
    network=st.sampled_from(sorted(NETWORKS)), turns=steered, max_bytes=max_bytes, data=st.data()
)
def test_it_is_the_same_run_and_goes_on_to_the_same_bits(network, turns, max_bytes, data):
    source = Experiment(NETWORKS[network], max_bytes=max_bytes)
    turn(source, turns)
    source.train(60)
    past = data.draw(st.none() | st.integers(0, source.step))
    if past is not None:
        source.look_back(past)
    guest = taken_up(transfer_of(source))
    assert guest.status is not Status.RUNNING
    assert (guest.step, guest.message) == (source.shown_step, source.snapshot().message)
    assert record(guest).digest == record(source).digest
    assert record(guest).turns == record(source).turns
    agree(described(guest.snapshot(LOOKS)), described(source.snapshot(LOOKS)))
    if guest.status is Status.DIVERGED:
        return
    for experiment in (source, guest):  # from a past step it is a fork here as there
        experiment.train(80)
    assert digest(guest) == digest(source)
    assert guest.snapshot().curves.to_csv() == source.snapshot().curves.to_csv()
    step = data.draw(st.integers(0, guest.step))
    for experiment in (source, guest):
        experiment.look_back(step)
    agree(described(guest.snapshot()), described(source.snapshot()))


def test_few_steps_are_made_again_of_a_long_run_and_what_goes_on_meanwhile_changes_nothing(
    monkeypatch,
):
    source = run(SMALL, [(20, SetKnob(RATE, 0.02))], 5000)
    transfer, bits, curves = transfer_of(source), digest(source), source.snapshot().curves.to_csv()
    source.apply(SetKnob(RATE, 0.5))
    source.train(300)
    guest = Experiment(SMALL)
    guest.take_up(transfer)
    begun = guest.snapshot()
    assert (begun.step, begun.looking_back.step) == (0, 5020)  # not there yet
    made, update = [], Training.update
    monkeypatch.setattr(Training, "update", lambda self: (made.append(self.step), update(self))[1])
    guest.advance(1e9)
    assert 0 < len(made) <= 100
    assert (guest.step, digest(guest)) == (5020, bits)
    assert guest.snapshot().curves.to_csv() == curves
    guest.apply(SetKnob(RATE, 0.1))  # steered at once: nothing is still to be verified
    guest.train(1)
    assert (guest.step, guest.config.optimization.learning_rate) == (5021, 0.1)


def test_what_was_found_and_the_branches_come_along_and_ones_own_pins_stay():
    source = run(SMALL, [(60, SetKnob(RATE, 0.02))], 60)
    source.look_back(90)
    source.train(40)  # a fork
    source.snapshot()
    guest = run(SMALL, [], 30)
    guest.apply(Pin("mine"))
    guest.take_up(transfer_of(source))
    guest.advance(1e9)
    now, then = guest.snapshot(), source.snapshot()
    assert now.noticed == then.noticed and [x.name for x in now.pinned] == ["mine"]
    assert now.previous is then.previous is not None
    assert len(now.branches) == len(then.branches) == 1
    assert now.parent.step == then.parent.step == 90
    guest.go_to(now.branches[0].run)
    assert guest.step == 120


def test_other_bits_than_it_had_are_told():
    transfer = transfer_of(run(SMALL, [], 200))
    branch = dataclasses.replace(transfer.branch, digest="another")
    guest = taken_up(dataclasses.replace(transfer, branch=branch))
    assert guest.step == 200
    assert guest.message.startswith("At step 200 this run had other weights")


def test_while_only_the_state_of_a_link_is_known_the_run_is_repeated():
    begin = link(run(SMALL, [], 300))
    source = Experiment(SMALL)
    source.apply(begin)
    source.advance(1e9)
    assert (source.step, source.shown_step) == (0, 300)
    transfer = transfer_of(source)
    assert transfer.branch is None
    guest = taken_up(transfer)
    while guest.status is Status.RUNNING:
        guest.advance(1.0)
    assert (guest.step, digest(guest)) == (300, record(source).digest)


def test_until_it_is_there_nothing_else_can_be_looked_at_and_whoever_forks_it_has_it_too():
    transfer = transfer_of(run(SMALL, [], 200))
    guest = Experiment(SMALL)
    guest.take_up(transfer)
    for command in (LookBack(0), GoTo(1)):
        with pytest.raises(ValueError, match="still being rebuilt"):
            guest.apply(command)
    assert taken_up(transfer_of(guest)).step == 200
    guest.apply(SetKnob(RATE, 0.5))  # meant for the step that is to be there
    assert (guest.step, guest.journal[-1]) == (200, (200, SetKnob(RATE, 0.5)))


def test_a_conductor_serves_it_between_the_others_and_then_what_was_sent_after_it():
    source = run(SMALL, [], 3000)
    conductor, clock, handle = conducted(SMALL)
    watch(handle)
    handle.send(Play())
    serve(conductor, clock, 0.3)
    for sent in (Pause(), transfer_of(source), SetKnob(RATE, 0.3)):
        handle.send(sent)
    serve(conductor, clock, 0.5)
    assert (handle.latest.step, handle.latest.status) == (3000, Status.PAUSED)
    assert handle.latest.config.optimization.learning_rate == 0.3
    assert handle.settled


def test_from_within_a_lesson_it_becomes_the_visitors_own_run():
    clock, source, played = Clock(), run(SMALL, [], 300), run(SMALL, [], 20)
    conductor = Conductor(10, clock, begin=lambda thread: None)
    handle = conductor.add(Experiment(SMALL, clock=clock))
    watch(handle)
    handle.submit(lambda slot: slot.show_lesson(played))
    serve(conductor, clock, 0.3)
    assert handle.latest.step == 20
    handle.send(transfer_of(source))
    serve(conductor, clock, 0.5)
    slot = conductor.slot(handle)
    assert (slot.shows_lesson, handle.latest.step, slot.own.step) == (False, 300, 300)
    assert handle.latest.run > played.run  # a page tells runs by their numbers
    handle.submit(lambda slot: slot.return_to_lesson())
    serve(conductor, clock, 0.3)
    assert (slot.experiment, handle.latest.step) == (played, 20)
