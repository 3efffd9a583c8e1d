"""A link's state shows its last step at once; the run is repeated behind it and verifies it."""

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine import (
    Begin,
    Choice,
    Experiment,
    LookAhead,
    Pause,
    Play,
    Restart,
    SetKnob,
    Status,
    Step,
    digest,
    record,
)
from engine.training import packed_state
from tests.engine.test_branches import turn
from tests.engine.test_look_back import NETWORKS, RATE, SMALL, described, few, run, steered
from tests.engine.without_threads import conducted, serve, watch

INITIALIZER = "model.initializer"


def link(source: Experiment) -> Begin:
    recording = record(source)
    return msgspec.structs.replace(recording.begin, state=source.packed_state())


def shown(experiment: Experiment):
    """A snapshot once the state is there, before the run has been repeated."""
    experiment.advance(1e9)
    return experiment.snapshot()


@few
@given(network=st.sampled_from(sorted(NETWORKS)), turns=steered, data=st.data())
def test_what_is_shown_is_the_last_step_and_the_run_behind_it_agrees(network, turns, data):
    source = Experiment(NETWORKS[network])
    turn(source, turns)
    source.train(60)
    if source.status is Status.DIVERGED:
        return
    source.look_back(data.draw(st.integers(60, source.step)))
    begin, bits = link(source), record(source).digest
    assume(begin.state)  # on a slow machine the nearest checkpoint may be the first step
    guest = Experiment(SMALL)
    guest.apply(begin)
    before = guest.snapshot()
    assert (before.run, before.step, before.looking_back.verified) == (2, 0, 0)
    now, then = shown(guest), source.snapshot()
    assert guest.step == 0
    assert (record(guest).digest, record(guest).steps) == (bits, begin.until)
    mine, its = described(now), described(then)
    for what in ("step", "tensors", "answers"):
        assert repr(mine[what]) == repr(its[what]), what
    assert now.metrics.validation_loss == then.metrics.validation_loss
    assert now.so_far.last("validation_loss") == then.metrics.validation_loss
    assert now.looking_back.verified == 0
    while guest.status is Status.RUNNING:
        guest.advance(0.01)
    assert (guest.step, guest.message, digest(guest)) == (begin.until, "", bits)
    assert guest.snapshot().looking_back is None


def changed(begin: Begin, **fields) -> Begin:
    """The same link with another state."""
    raw = packed_state.zlib.decompress(begin.state)
    packed = msgspec.msgpack.decode(raw, type=packed_state.PackedState)
    other = msgspec.msgpack.encode(msgspec.structs.replace(packed, **fields))
    return msgspec.structs.replace(begin, state=packed_state.zlib.compress(other))


@pytest.fixture(scope="module")
def begin() -> Begin:
    return link(run(SMALL, [(20, SetKnob(RATE, 0.02)), (50, SetKnob(RATE, 0.03))], 60))


@pytest.mark.parametrize("fields", [
    {"theta": b""},
    {"theta": b"\xff" * 4},
    {"statistics": b"1234"},
    {"order": b""},
    {"memory": {}},
    {"memory": {"x": b""}},
    {"next": 10**6},
    {"turns": 0},
    {"turns": 5},
    {"step": 5},
    {"step": 500},
    {"first_loss": float("nan")},
])  # fmt: skip
def test_a_state_that_cannot_be_is_told_and_the_run_is_repeated(begin, fields):
    guest = Experiment(SMALL)
    guest.apply(changed(begin, **fields))
    assert "The state that this link carries" in guest.message
    assert guest.snapshot().looking_back is None
    guest.advance(60.0)
    assert guest.step == begin.until


@pytest.mark.parametrize("raw", [b"x", b"\x00" * 99, packed_state.zlib.compress(b"\xc1" * 2**23)])
def test_bytes_that_are_no_state_are_told(begin, raw):
    guest = Experiment(SMALL)
    guest.apply(msgspec.structs.replace(begin, state=raw))
    assert "damaged" in guest.message


def test_weights_that_are_not_the_runs_are_told_when_it_has_been_repeated(begin):
    guest = Experiment(SMALL)
    packed = msgspec.msgpack.decode(
        packed_state.zlib.decompress(begin.state), type=packed_state.PackedState
    )
    theta = bytearray(packed.theta)
    theta[2] ^= 1
    guest.apply(changed(begin, theta=bytes(theta)))
    assert shown(guest).looking_back.verified == 0
    guest.advance(60.0)
    assert "was not this run's" in guest.snapshot().message
    assert guest.snapshot().step == guest.step == begin.until


def test_a_state_that_diverges_on_the_way_is_told(begin):
    guest = Experiment(SMALL)
    packed = msgspec.msgpack.decode(
        packed_state.zlib.decompress(begin.state), type=packed_state.PackedState
    )
    huge = np.full(len(packed.theta) // 4, 1e30, np.float32)
    guest.apply(changed(begin, theta=huge.tobytes()))
    assert shown(guest).looking_back is None
    assert "diverges before" in guest.message
    guest.advance(60.0)
    assert guest.step == begin.until


def test_the_state_of_a_run_that_diverged_shows_its_end():
    source = run(SMALL, [(160, SetKnob(RATE, 1e6))], 40)
    assert source.status is Status.DIVERGED
    guest = Experiment(SMALL)
    guest.apply(link(source))
    now = shown(guest)
    assert (now.step, now.status) == (source.step, Status.RUNNING)
    assert f"Diverged at step {source.step}" in now.message
    while guest.status is Status.RUNNING:
        guest.advance(0.01)
    assert (guest.status, guest.step) == (Status.DIVERGED, source.step)


def test_while_it_is_verified_the_run_can_be_paused_but_not_changed(begin):
    guest = Experiment(SMALL)
    guest.apply(begin)
    shown(guest)
    for command in (SetKnob(RATE, 0.5), Step()):
        with pytest.raises(ValueError, match="still being repeated"):
            guest.apply(command)
    guest.apply(Pause())
    assert guest.advance(1.0) == 0
    guest.apply(Play())
    guest.train(5)
    assert guest.snapshot().looking_back.verified == 5 / begin.until
    guest.apply(LookAhead())  # whoever wants to see it being repeated
    assert (guest.snapshot().step, guest.snapshot().looking_back) == (5, None)
    guest.apply(Restart())
    assert guest.snapshot().step == 0


def test_there_is_no_state_before_the_first_checkpoint_or_after_many_redraws():
    assert run(SMALL, [], 10).packed_state() == b""
    names = ["Xavier", "He"] * 6
    turns = [(60, SetKnob(INITIALIZER, Choice(name))) for name in names]
    assert run(SMALL, turns[:10], 60).packed_state() != b""
    assert run(SMALL, turns[:11], 60).packed_state() == b""


@pytest.mark.parametrize("network", NETWORKS)
def test_after_new_weights_the_state_knows_how_they_were_drawn(network):
    turns = [("small normal", 30), ("LSUV", 70), ("Xavier", 60)]
    steered = [(60, SetKnob(RATE, 0.02)), *((s, SetKnob(INITIALIZER, Choice(n))) for n, s in turns)]
    source = run(NETWORKS[network], steered, 130)
    guest = Experiment(SMALL)
    guest.apply(link(source))
    shown(guest)
    assert guest.shown_network is not guest.network
    mine, its = guest.shown_network.parameters, source.network.parameters
    assert (mine.digest, mine.drawn.tobytes()) == (its.digest, its.drawn.tobytes())


def test_changes_that_lead_to_another_network_are_told(begin):
    guest = Experiment(SMALL)
    script = ((5, SetKnob("model.hidden", "3")), (9, SetKnob(INITIALIZER, Choice("Xavier"))))
    guest.apply(msgspec.structs.replace(changed(begin, turns=2), script=script))
    assert "damaged" in guest.message
    assert guest.snapshot().looking_back is None


def test_the_state_is_there_before_the_run_has_been_repeated():
    source = run(SMALL, [], 3000)
    conductor, clock, handle = conducted(SMALL)
    watch(handle)
    handle.send(link(source))
    handle.send(Pause())
    serve(conductor, clock, 0.5)
    assert handle.latest.step == 3000
    assert conductor.slot(handle).experiment.step < 100
    handle.send(Play())
    while conductor.slot(handle).experiment.catches_up:
        serve(conductor, clock, 0.1)
    assert digest(conductor.slot(handle).experiment) == digest(source)
