"""A checkpoint as bytes that a link can carry: what cannot be its run's is refused.

It holds no config and no data: those follow from the first config of the run and its changes.
"""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np

from engine.training.checkpoints import Checkpoint
from engine.training.commands import SetKnob
from engine.training.config import SETTINGS
from engine.training.optimizers import Optimizer
from engine.training.setting import Effect
from engine.training.training import State, Training
from engine.types import Array

MOST = 2**22  # bytes of a state, unpacked
MOST_REDRAWS = 10  # times that a run with a state may draw its weights anew: each is done again

type Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Generator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of a PCG64 generator; its numbers have 128 bits."""

    state: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    inc: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    has_uint32: Annotated[int, msgspec.Meta(ge=0, le=1)]
    uinteger: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class PackedState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state in plain values."""

    step: Count
    turns: Count  # changes of the run that had been made
    scheduled_at: Count
    first_loss: float
    theta: bytes
    statistics: bytes
    memory: dict[str, bytes]  # of the optimizer
    updates: Count  # ... that it has made
    order: bytes  # of the examples in this epoch
    next: Count  # of them
    seen: Count
    batches: Generator
    dropout: Generator
    weights: Generator


def pack(checkpoint: Checkpoint[Any], turns: int) -> bytes:
    """A checkpoint before which so many changes were made, as bytes; none at the first step."""
    state = checkpoint.state
    if state is None:
        return b""
    order, following, seen, batches = state.batches
    packed = PackedState(
        state.step, turns, state.scheduled_at, state.first_loss, state.theta.tobytes(),
        state.statistics.tobytes(),
        {name: memory.tobytes() for name, memory in state.optimizer[0].items()},
        state.optimizer[1], order.tobytes(), following, seen,
        _generator(batches), _generator(state.dropout), _generator(state.weights),
    )  # fmt: skip
    return zlib.compress(msgspec.msgpack.encode(packed), 9)


def unpack(raw: bytes, start: Training, turns: Sequence[tuple[int, SetKnob]]) -> PackedState:
    """The state in these bytes, if it can be one of the run that begins like `start`."""
    inflate = zlib.decompressobj()
    try:
        packed = msgspec.msgpack.decode(inflate.decompress(raw, MOST), type=PackedState)
    except (zlib.error, ValueError, RecursionError):
        raise _damaged() from None
    examples = len(start.data.train)
    order = np.frombuffer(packed.order, np.min_scalar_type(examples))
    theta = start.network.parameters.theta
    fits = (
        len(packed.theta) == theta.nbytes
        and len(packed.statistics) == start.network.parameters.statistics.nbytes
        and np.array_equal(np.sort(order), np.arange(examples))
        and packed.next <= examples
        and _before(packed, turns)
        and np.isfinite(np.frombuffer(packed.theta, theta.dtype)).all()
        and np.isfinite(packed.first_loss)
    )
    if not fits or times_drawn(turns[: packed.turns]) > MOST_REDRAWS:
        raise _damaged()
    return packed


def restored(packed: PackedState, start: Training, turns: Sequence[tuple[int, SetKnob]]) -> State:
    """The state of the run that begins like `start` and makes these changes."""
    config = start.config
    for _, turn in turns[: packed.turns]:
        if SETTINGS[turn.path].effect is Effect.NEW_RUN:
            raise _damaged()
        config = config.replace(turn.path, turn.value)
    parameters = start.network.parameters
    kind, rule = parameters.theta.dtype, config.optimization.optimizer
    known = Optimizer(rule, parameters.theta, parameters.regularized).save()[0]
    sizes = {name: memory.nbytes for name, memory in known.items()}
    if {name: len(memory) for name, memory in packed.memory.items()} != sizes:
        raise _damaged()
    memory = {
        name: np.frombuffer(x, kind).reshape(known[name].shape) for name, x in packed.memory.items()
    }
    order = np.frombuffer(packed.order, np.min_scalar_type(len(start.data.train)))
    return State(
        packed.step, config, packed.scheduled_at, packed.first_loss,
        np.frombuffer(packed.theta, kind), _drawn(start, turns[: packed.turns]),
        np.frombuffer(packed.statistics, kind), (memory, packed.updates),
        (order, packed.next, packed.seen, _restored(packed.batches)),
        _restored(packed.dropout), _restored(packed.weights),
    )  # fmt: skip


def times_drawn(turns: Iterable[tuple[int, SetKnob]]) -> int:
    """How many times these changes draw weights anew."""
    return sum(_draws(turn) for _, turn in turns)


def _draws(turn: SetKnob) -> bool:
    return SETTINGS[turn.path].effect is Effect.REDRAW


def _drawn(start: Training, turns: Sequence[tuple[int, SetKnob]]) -> Array:
    """The weights as they were last drawn, which do not depend on what was learned before."""
    last = max((n for n, (_, turn) in enumerate(turns) if _draws(turn)), default=None)
    if last is None:
        return start.network.parameters.drawn
    training = start.restarted(start.config)
    for _, turn in turns[: last + 1]:
        config = training.config.replace(turn.path, turn.value)
        if not training.can_follow(config):
            raise _damaged()
        training.follow(config)
        if _draws(turn):
            training.draw_weights()
    return training.network.parameters.drawn


def _before(packed: PackedState, turns: Sequence[tuple[int, SetKnob]]) -> bool:
    """Whether its number of changes fits its step."""
    steps = [step for step, _ in turns]
    least, most = bisect_left(steps, packed.step), bisect_right(steps, packed.step)
    return least <= packed.turns <= most


def _damaged() -> ValueError:
    return ValueError("The state that this link carries is damaged, or of another run")


def _generator(state: Mapping[str, Any]) -> Generator:
    number, inc = (state["state"][name].to_bytes(16) for name in ("state", "inc"))
    return Generator(number, inc, state["has_uint32"], state["uinteger"])


def _restored(generator: Generator) -> Mapping[str, Any]:
    numbers = {name: int.from_bytes(getattr(generator, name)) for name in ("state", "inc")}
    rest = {name: getattr(generator, name) for name in ("has_uint32", "uinteger")}
    return {"bit_generator": "PCG64", "state": numbers, **rest}
