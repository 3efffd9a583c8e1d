"""The last step of a link's run, shown at once from the state that the link carries.

The run itself is repeated behind it, which verifies the state: anybody can write one.
"""

import dataclasses
from collections.abc import Callable

from engine.measure.instruments import InstrumentState
from engine.measure.snapshot import LookingBack
from engine.nn.network import Network
from engine.runtime.curve_recorder import Recorder
from engine.runtime.look_back import Past
from engine.training.checkpoints import Checkpoint, Checkpoints
from engine.training.commands import Begin
from engine.training.history import Curves
from engine.training.packed_state import restored, unpack
from engine.training.training import Diverged, Training

BROKEN = "The state that this link carries diverges before the step that it is for"


class LinkPreview:
    """The last step of a run that is still at its first step."""

    def __init__(
        self,
        begin: Begin,
        start: Training,
        recorder: Recorder,
        later: InstrumentState,
        work: Callable[[], float],
    ) -> None:
        """Begin to rebuild the last step, or refuse a state that is not before it.

        `start` and `recorder` are at the first step.
        """
        packed = unpack(begin.state, start, begin.script)
        if begin.until is None or packed.step >= begin.until:
            raise ValueError("The state that this link carries is not before its last step")
        state = restored(packed, start, begin.script)
        kept = [
            Checkpoint(0, None, 0, recorder.mark()),
            Checkpoint(packed.step, state, packed.turns, recorder.mark()),
        ]
        checkpoints = Checkpoints(start, begin.script, recorder.mark, 0, kept, begin.config)
        self.past = Past(checkpoints, recorder.compact_copy(), later, work, begin.until)

    @property
    def ready(self) -> bool:
        """Whether the step has been rebuilt."""
        return self.past.ready

    def advance(self, seconds: float) -> None:
        """Rebuild for about so many seconds; ValueError if the state diverges before that step."""
        try:
            self.past.advance(seconds)
        except Diverged:
            raise ValueError(BROKEN) from None
        if self.ready:
            self.past.finish_alone()

    def looking_back(self, repeated: int, shown: Curves) -> LookingBack:
        """Its part of a snapshot while so many steps of the run are repeated."""
        end = self.past.step
        looking_back = self.past.looking_back(end, shown)
        return dataclasses.replace(looking_back, verified=repeated / end)

    def is_of(self, network: Network) -> bool:
        """Whether the run, which has been repeated, ended with the same weights."""
        return self.past.training.network.parameters.digest == network.parameters.digest
