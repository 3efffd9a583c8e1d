"""The last step of a link's run, shown at once from the state that the link carries.

The run itself is repeated behind it, which verifies the state: anybody can write one.
"""

from collections.abc import Callable

from engine.measure.instruments import Heritage
from engine.runtime.curve_recorder import Recorder
from engine.runtime.look_back import Past
from engine.training.checkpoints import Checkpoint, Checkpoints
from engine.training.commands import Begin
from engine.training.packed_state import restored, unpack
from engine.training.training import Training


def ahead(
    begin: Begin, start: Training, recorder: Recorder, later: Heritage, work: Callable[[], float]
) -> Past:
    """The last step of a run whose first one `start` and `recorder` stand at, to be rebuilt."""
    packed = unpack(begin.state, start, begin.script)
    if begin.until is None or packed.step >= begin.until:
        raise ValueError("The state that this link carries is not before its last step")
    config = begin.config
    for _, turn in begin.script[: packed.turns]:
        config = config.replace(turn.path, turn.value)
    state = restored(packed, start, config)
    kept = [
        Checkpoint(0, None, 0, recorder.mark()),
        Checkpoint(packed.step, state, packed.turns, recorder.mark()),
    ]
    trail = Checkpoints(start, begin.script, recorder.mark, 0, kept, begin.config)
    return Past(trail, recorder.left(), later, work, begin.until)
