"""A run of another process: its snapshots come over an exchange, and are watched like any run's.

They come as pickles, of which only the engine's own plain values and arrays are read.
"""

import dataclasses
import enum
import functools
import io
import math
import pickle
import time
import types
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec

from app.server.shown_run import WatchedRun
from engine import Curves, RunTransfer, Snapshot, SnapshotFeed

SNAPSHOT, TRANSFER = b"S", b"C"  # the first byte of a message about a run
AGAIN = 2.0  # seconds until an unanswered request is sent again
ARRAYS = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("msgspec._utils", "rebuild"),
    ("builtins", "dict"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("collections", "deque"),
}
HOLDERS = {  # classes of the engine that hold the curves of a run on its way, and nothing else
    ("engine.measure.activation_history", "ActivationRecorder"),
    ("engine.measure.histogram", "HistogramScale"),
    ("engine.measure.smoothing", "Smoothed"),
    ("engine.measure.loss_range", "LossRange"),
    ("engine.runtime.curve_recorder", "Recorder"),
    ("engine.training.history", "History"),
}


def _is_plain(found: Any) -> bool:
    """Whether a class only holds values, so that making one does nothing."""
    plain = (msgspec.Struct, enum.Enum, Curves)
    return isinstance(found, type) and (dataclasses.is_dataclass(found) or issubclass(found, plain))


class _Pickler(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        """Read-only views of dicts go as dicts."""
        return (
            (dict, (dict(thing),)) if isinstance(thing, types.MappingProxyType) else NotImplemented
        )


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Only plain values of the engine, and what arrays are made of."""
        found = super().find_class(module, name) if module.partition(".")[0] == "engine" else None
        if _is_plain(found):
            return found
        if (module, name) in ARRAYS | HOLDERS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a snapshot")


def packed(snapshot: Snapshot) -> bytes:
    """A snapshot as bytes for another process."""
    buffer = io.BytesIO()
    buffer.write(SNAPSHOT)
    _Pickler(buffer, 5).dump(snapshot)
    return buffer.getvalue()


def packed_run(transfer: RunTransfer) -> bytes:
    """A run transfer as bytes for another process."""
    buffer = io.BytesIO()
    buffer.write(TRANSFER)
    _Pickler(buffer, 5).dump(transfer.light)
    return buffer.getvalue()


def unpacked(message: bytes) -> Snapshot | RunTransfer:
    """What `packed` or `packed_run` wrote; ValueError for anything else."""
    try:
        found = _Unpickler(io.BytesIO(message[1:])).load()
    except Exception as error:  # unpickling damaged bytes may raise anything
        raise ValueError(f"this is no snapshot: {error}") from None
    if isinstance(found, RunTransfer if message[:1] == TRANSFER else Snapshot):
        return found
    raise ValueError("this is no snapshot")


@functools.lru_cache(maxsize=4)
def run_in(message: bytes) -> RunTransfer:
    """The run transfer in the bytes of `packed_run`, one object for all who request it."""
    found = unpacked(message)
    if not isinstance(found, RunTransfer):
        raise ValueError("this is no run")
    return found


def _besides_numbers(snapshot: Snapshot) -> tuple[object, ...]:
    """What a page shows of another's run besides plots: settings and the line of the diagnosis."""
    rules = tuple((finding.rule, finding.where) for finding in snapshot.visible_findings)
    lesson = snapshot.background.lesson
    said = lesson and (lesson.lesson, lesson.playing, lesson.verdict, lesson.asks)
    return snapshot.run, snapshot.status, snapshot.message, snapshot.config, rules, said


class MirroredRun(WatchedRun):
    """A copy of another process's run from its snapshots; it cannot be steered."""

    def __init__(
        self, ask: Callable[[], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._clock = clock
        self._ask = ask  # requests the run as plain values
        self._known: SnapshotFeed | None = None
        self._wanted: list[Future[RunTransfer]] = []
        self._asked = -math.inf  # the time of the last request
        self._over = False

    @property
    def over(self) -> bool:
        """Whether the other process has ended it."""
        return self._over

    def end(self) -> None:
        """The other process has ended the run."""
        self._over = True

    @property
    def known(self) -> bool:
        """Whether a snapshot has been received."""
        return self._known is not None

    @property
    def handle(self) -> SnapshotFeed:
        """Where watchers wait; RuntimeError before the first snapshot."""
        if self._known is None:
            raise RuntimeError("nothing is known of this run yet")
        return self._known

    def receive(self, message: bytes) -> None:
        """Handle a message of the other process."""
        try:
            found = unpacked(message)
        except ValueError:
            return
        if isinstance(found, RunTransfer):
            wanted, self._wanted = self._wanted, []
            for future in wanted:
                future.set_result(found)
        elif self._known is None:
            self._known = SnapshotFeed(found)
        else:
            changed = _besides_numbers(found) != _besides_numbers(self._known.latest)
            self._known.publish(found)
            if changed:
                self._notify(found)

    def transfer(self) -> Future[RunTransfer]:
        """The run as plain values, which the other process sends."""
        future: Future[RunTransfer] = Future()
        if not self._wanted or self._clock() - self._asked > AGAIN:
            self._asked = self._clock()
            self._ask()
        self._wanted.append(future)
        return future
