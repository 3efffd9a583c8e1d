"""Messages between the processes of a server about a room: read back, and hostile."""

import asyncio
import os
import pickle
import random
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from app.classroom import messages as m
from app.classroom.question import Phase
from app.classroom.relayed import JoinRequest, RelayedMessage, StoredRun, StudentMessage, ToRoom
from app.classroom.room import Room
from app.panels.classroom.live_room import LiveRoom
from app.panels.classroom.remote_room import RemoteRoom
from app.panels.classroom.shared_room import SharedRoom, channel
from app.plots import VIEWS, view_of
from app.server import class_cluster
from app.server.mirrored_run import MirroredRun, packed, packed_run, run_in, unpacked
from app.server.shown_run import ShownRun
from engine import Conductor, Experiment, Play, RunConfig, SetKnob, Snapshot, digest, transfer_of
from tests.app.test_classroom import LESSONS, OPTIONS, hostile, joined, teach
from tests.engine.without_threads import watch
from tests.waiting import Clock

CODE = "BCDFG"


class Wire:
    """An exchange within this process, which delivers at once, unless it is lost."""

    def __init__(self) -> None:
        self.lost = False
        self.receivers: dict[str, list[Callable[[bytes], object]]] = {}
        self.kept_last: dict[tuple[str, str], bytes] = {}

    async def claim(self, code: str) -> bool:
        return True

    async def store(self, code: str, what: str, value: bytes, seconds: int) -> None:
        self.kept_last[code, what] = value

    async def stored(self, code: str, what: str) -> bytes | None:
        return self.kept_last.get((code, what))

    async def forget(self, code: str) -> None:
        self.kept_last.clear()

    def publish(self, channel: str, message: bytes) -> None:
        for receive in [] if self.lost else self.receivers.get(channel, []):
            receive(message)

    def subscribe(self, channel: str, receive: Callable[[bytes], object]) -> None:
        self.receivers.setdefault(channel, []).append(receive)

    def unsubscribe(self, channel: str) -> None:
        self.receivers.pop(channel, None)


@pytest.fixture
def conductor():
    made = Conductor(10)
    yield made
    made.close()


def both(
    conductor: Conductor, clock: Clock | None = None
) -> tuple[Wire, LiveRoom, RemoteRoom, SharedRoom]:
    """A room, and its copy in what stands for another process."""
    wire, clock = Wire(), clock or Clock()
    run = ShownRun(conductor, conductor.add(Experiment(RunConfig()), "teacher"))
    live = LiveRoom(Room(CODE, 40, LESSONS, clock), run)
    shared = SharedRoom(live, wire, clock)
    live.changed = shared.publish
    remote = RemoteRoom(Room(CODE, 40, LESSONS, clock), wire, clock)
    shared.publish()
    return wire, live, remote, shared


def test_a_message_from_elsewhere_counts_once_and_in_time_even_if_it_comes_late(conductor):
    async def play() -> None:
        wire, live, remote, _ = both(conductor)
        joining = await remote.join("Anna")
        anna = live.room.student(joining.key)
        assert anna and anna.name == "Anna" and remote.room.student(anna.key)
        teach(live.room, m.Ask("What?", OPTIONS))
        live.update()
        remote.receive(anna.key, m.Choose(0))
        assert live.room.question.answer_of(anna.number, Phase.PREDICT) == 0
        assert not remote.unacknowledged
        wire.lost = True
        remote.receive(anna.key, m.Choose(2))
        remote.receive(anna.key, m.Hand(True))
        assert remote.room.question.answer_of(anna.number, Phase.PREDICT) == 2
        assert remote.student_sees(remote.room.student(anna.key)).lost
        teach(live.room, m.CloseQuestion())
        live.update()
        assert live.room.question.tally(Phase.PREDICT) == (1, 0, 0)
        wire.lost = False
        remote.rest()
        remote.rest()  # sent again: it counts once
        assert live.room.question.tally(Phase.PREDICT) == (0, 0, 1)
        assert anna.hand is not None and not remote.unacknowledged
        assert remote.room.question.tally(Phase.PREDICT) == (0, 0, 1)

    asyncio.run(play())


def test_ten_thousand_hostile_messages_change_nothing(conductor):
    async def play() -> None:
        wire, live, remote, shared = both(conductor)
        anna, ben = joined(live.room, "Anna", "Ben")
        teach(live.room, m.Ask("Well?", OPTIONS))
        live.room.receive(ben.key, m.Choose(1))
        names, before = [anna.name, ben.name], live.room.question.answers
        before = {phase: dict(given) for phase, given in before.items()}
        dice = random.Random(3)
        for number in range(10_000):
            raw = hostile(dice)
            wire.publish(channel(CODE, "to"), raw)
            wire.publish(channel(CODE, "of"), raw)
            key = dice.choice(["", "x", CODE, anna.number, live.room.teacher_key[:-1]])
            message = StudentMessage(
                dice.choice([m.Choose(1), m.Leave(), m.TakeWheel()]), 1, Phase.PREDICT
            )
            relayed = ToRoom(relayed=RelayedMessage("stranger", number + 1, key, message))
            if number % 100 == 0:
                wire.publish(channel(CODE, "to"), msgspec.json.encode(relayed))
        assert [student.name for student in live.room.students.values()] == names
        assert live.room.question.answers == before
        assert len(remote.room.students) == 2
        assert len(shared.refused["stranger"]) <= 50

    asyncio.run(play())


def test_the_run_is_kept_every_few_seconds_for_a_process_that_has_to_go_on_with_it(conductor):
    async def play() -> None:
        clock = Clock()
        wire, live, _, shared = both(conductor, clock)
        handle = live.run.handle
        watch(handle)
        handle.send(Play())

        async def kept(tick: float) -> StoredRun:
            clock.now += tick
            before = wire.kept_last.get((CODE, "run"))
            while wire.kept_last.get((CODE, "run")) == before:
                shared.tick(60)
                await asyncio.sleep(0.01)
            return msgspec.msgpack.decode(wire.kept_last[CODE, "run"], type=StoredRun)

        first = await kept(0)
        raw = wire.kept_last[CODE, "run"]
        while run_in(first.run).begin.until == handle.latest.step:
            await asyncio.sleep(0.01)
        clock.now += 1
        shared.tick(60)
        await asyncio.sleep(0.1)
        assert wire.kept_last[CODE, "run"] == raw  # not yet again
        second = await kept(5)
        assert second.plays
        assert run_in(second.run).begin.until > run_in(first.run).begin.until
        teach(live.room, m.Ask("What?", OPTIONS))
        live.update()
        assert live.plays  # it goes on once the question is closed
        await shared.end()
        assert not wire.kept_last

    asyncio.run(play())


@pytest.mark.parametrize("alive", [True, False])
def test_a_room_is_inherited_only_from_a_process_that_has_ended(conductor, monkeypatch, alive):
    async def play() -> None:
        clock, refusals = Clock(), iter([True] * 4)
        wire, _, remote, shared = both(conductor, clock)

        async def claim(code: str) -> bool:  # until its process has not claimed it for long enough
            return not next(refusals, False)

        async def sleep(seconds: float) -> None:
            clock.now += seconds
            if alive:
                shared.publish()

        wire.claim = claim
        monkeypatch.setattr(class_cluster.asyncio, "sleep", sleep)
        assert await class_cluster.Cluster(wire).inherit(remote) is not alive

    asyncio.run(play())


def test_a_teacher_is_nobody_who_writes_letters(conductor):
    async def play() -> None:
        _, live, remote, _ = both(conductor)
        (anna,) = joined(live.room, "Anna")
        with pytest.raises(ValueError, match="Only the teacher"):
            remote.receive(anna.key, m.CloseRoom())
        assert isinstance(JoinRequest("x"), JoinRequest) and not live.room.closed

    asyncio.run(play())


# ---- runs ---------------------------------------------------------------------------------------


def test_a_snapshot_is_the_same_in_another_process():
    experiment = Experiment(RunConfig())
    experiment.train(40)
    snapshot = experiment.snapshot()
    shown = what_views_show(snapshot)  # keeps results
    assert what_views_show(unpacked(packed(snapshot))) == shown


def what_views_show(snapshot: Snapshot) -> dict[str, str]:
    """The columns and the text alternative of each view."""
    parts = {name: view_of(name).columns(snapshot, -1).described(name) for name in VIEWS}
    return {name: repr(replace(part, alternative=None)) for name, part in parts.items()}


def test_a_run_goes_on_in_another_process_to_the_bit():
    source = Experiment(RunConfig())
    source.train(300)
    source.apply(SetKnob("optimization.learning_rate", 0.02))
    source.train(200)
    raw = packed_run(transfer_of(source))
    guest = Experiment(RunConfig())
    guest.take_up(run_in(raw))
    for experiment in (source, guest):
        experiment.advance(1e9)
        experiment.train(100)
    assert (guest.step, guest.message, digest(guest)) == (600, "", digest(source))
    assert guest.snapshot().curves.to_csv() == source.snapshot().curves.to_csv()
    guest.look_back(40)  # also before the only checkpoint that has come along
    assert guest.snapshot().step == 40


def test_a_run_is_asked_for_once_for_all_who_want_it_and_again_if_it_does_not_come():
    source, clock, asked = Experiment(RunConfig()), Clock(), []
    run = MirroredRun(lambda: asked.append(1), clock)
    first = [run.transfer() for _ in range(40)]
    assert len(asked) == 1
    clock.now += 3
    last = run.transfer()
    assert len(asked) == 2
    run.receive(packed_run(transfer_of(source)))
    assert len({id(future.result()) for future in (*first, last)}) == 1
    assert not run.transfer().done() and len(asked) == 3


class Evil:
    def __reduce__(self):
        return os.getcwd, ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"S",
        b"Sx",
        b"C{}",
        *(kind + pickle.dumps(x) for kind in (b"S", b"C") for x in (Evil(), 5)),
    ],
)
def test_nothing_but_a_snapshot_or_a_run_is_read(raw):
    with pytest.raises(ValueError):
        unpacked(raw)
    with pytest.raises(ValueError):
        run_in(raw)
    run = MirroredRun(lambda: None)
    run.receive(raw)
    assert not run.known
