"""Branches: runs with the same first step, kept when another run was forked from them.

A branch is determined to the bit by the first config of its tree, its journal, and its number of
steps. Its curves are kept to be compared with, and some checkpoints to take it up again soon.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.measure.instruments import InstrumentState
from engine.measure.snapshot import BranchInfo, Marker, Parent
from engine.number_format import written
from engine.registry import Choice
from engine.runtime.curve_recorder import Recorder
from engine.runtime.look_back import Past
from engine.training.checkpoints import Checkpoint, Checkpoints, bytes_of
from engine.training.commands import BranchRecord, Command, SetKnob, turns_of
from engine.training.config import SETTINGS, RunConfig
from engine.training.training import Training

MOST = 8  # branches beside the run itself; the oldest is dropped
CURVES = 2**20  # bytes of the curves of all branches except the newest
PART = 3  # they get one part of so many of a visitor's memory for checkpoints


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What a branch is rebuilt from, instead of repeating it from its first step."""

    recorder: Recorder
    checkpoints: list[Checkpoint[Recorder]]
    later: InstrumentState


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A run at the step at which another one took its place."""

    info: BranchInfo
    first: RunConfig
    journal: tuple[tuple[int, Command], ...]
    markers: tuple[Marker, ...]
    digest: str | None
    kept: Kept | None  # None: it came with a link, and is repeated when it is taken up

    @property
    def turns(self) -> tuple[tuple[int, SetKnob], ...]:
        """The changes of settings in its journal."""
        return turns_of(self.journal)

    @property
    def bare(self) -> "Branch":
        """This branch without what repeating it restores: curves, markers and checkpoints."""
        info = dataclasses.replace(self.info, past=None)
        return dataclasses.replace(self, info=info, markers=(), kept=None)

    def up_to(self, step: int, digest: str) -> "Branch":
        """This branch cut off at an earlier step, before any change made at it."""
        if self.kept is None:
            raise ValueError(f"run {self.info.run} has no checkpoints")
        journal = tuple(entry for entry in self.journal if entry[0] < step)
        states = [x for x in self.kept.checkpoints if x.step <= step and x.applied <= len(journal)]
        return dataclasses.replace(
            self,
            info=dataclasses.replace(self.info, step=step),
            journal=journal,
            markers=tuple(marker for marker in self.markers if marker.step < step),
            digest=digest,
            kept=dataclasses.replace(self.kept, checkpoints=states),
        )

    @property
    def branch_record(self) -> BranchRecord:
        """This branch as plain values."""
        parent = self.info.parent
        left = (parent.run, parent.step) if parent else None
        return BranchRecord(self.info.run, self.turns, self.info.step, left, self.digest)

    def rebuilt(self, host: Training, work: Callable[[], float]) -> Past:
        """Begin to rebuild its last step; `host` is any run over the same data."""
        if self.kept is None:
            raise ValueError(f"run {self.info.run} has no checkpoints")
        recorder, states, later = self.kept.recorder, self.kept.checkpoints, self.kept.later
        checkpoints = Checkpoints(host, self.journal, recorder.mark, 0, states, self.first)
        return Past(checkpoints, recorder, later, work, self.info.step)


class Branches:
    """The branches beside a run, the oldest first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes // PART
        self._branches: dict[int, Branch] = {}

    def allow(self, max_bytes: int) -> None:
        """Thin their checkpoints to their part of so many bytes."""
        self._max_bytes = max_bytes // PART
        self._thin()

    def __len__(self) -> int:
        return len(self._branches)

    def __iter__(self) -> Iterator[Branch]:
        return iter(self._branches.values())

    @property
    def infos(self) -> tuple[BranchInfo, ...]:
        """Their descriptions in a snapshot."""
        return tuple(x.info for x in self._branches.values())

    @property
    def nbytes(self) -> int:
        """Bytes of their checkpoints, each counted once."""
        points = [x for branch in self._branches.values() for x in _states(branch)]
        drawn = {id(x.state.drawn): x.state.drawn.nbytes for x in points if x.state}
        return sum(map(bytes_of, {id(x): x for x in points}.values())) + sum(drawn.values())

    @property
    def unknown(self) -> Iterator[Branch]:
        """Those that can only be repeated from their first step, that left last first."""
        return (x for x in reversed(self._branches.values()) if x.kept is None)

    def find(self, run: int) -> Branch:
        """The branch of this number."""
        if run not in self._branches:
            known = ", ".join(map(str, self._branches)) or "none"
            raise ValueError(f"There is no branch {run:,}; those beside this run: {known}.")
        return self._branches[run]

    def add(self, branch: Branch) -> None:
        """Add a branch; of the others keep only what fits."""
        self._branches[branch.info.run] = branch
        while len(self._branches) > MOST:
            del self._branches[next(iter(self._branches))]
        self._keep_curves()
        self._thin()

    def _thin(self) -> None:
        for thinned in (_middle, _last):
            for old in self._branches.values():
                while self.nbytes > self._max_bytes and (place := thinned(_states(old))):
                    del _states(old)[place]

    def _keep_curves(self) -> None:
        """Drop the curves of the oldest branches if all exceed the limit."""
        total = 0
        for number, branch in reversed(self._branches.items()):
            total += branch.info.past.curves.nbytes if branch.info.past else 0
            if total > CURVES and branch.info.run != next(reversed(self._branches)):
                self._branches[number] = branch.bare

    def drop(self, run: int) -> None:
        """Remove a branch."""
        self._branches.pop(run, None)

    def adopt(
        self, branch_records: Sequence[BranchRecord], first: RunConfig, numbers: Mapping[int, int]
    ) -> None:
        """Add the branches of a link under new numbers; each is repeated when it is taken up."""
        for known in branch_records[-MOST:]:
            self.add(from_link(known, first, numbers))


def parent_of(left: tuple[int, int] | None, numbers: Mapping[int, int]) -> Parent | None:
    """The parent under its new number; None if it is not known any more."""
    return Parent(numbers[left[0]], left[1]) if left and left[0] in numbers else None


def from_link(known: BranchRecord, first: RunConfig, numbers: Mapping[int, int]) -> Branch:
    """A branch of which only the changes are known."""
    parent, run = parent_of(known.parent, numbers), numbers[known.run]
    since = known.parent[1] if known.parent else 0
    own = next((_in_words(x) for step, x in known.turns if step >= since), "")
    info = BranchInfo(run, parent, known.steps, own, None)
    return Branch(info, first, known.turns, (), known.digest, None)


def _in_words(turn: SetKnob) -> str:
    value = turn.value.name if isinstance(turn.value, Choice) else turn.value
    value = value if isinstance(value, str) else written(value)
    return f"{SETTINGS[turn.path].label} → {value}"


def _states(branch: Branch) -> list[Checkpoint[Recorder]]:
    return branch.kept.checkpoints if branch.kept else []


def _middle(states: Sequence[Checkpoint[Recorder]]) -> int:
    """The place of that between two others which leaves the smallest gap; 0 if there is none."""
    gaps = {n: states[n + 1].cost - states[n - 1].cost for n in range(1, len(states) - 1)}
    return min(gaps, key=gaps.__getitem__, default=0)


def _last(states: Sequence[Checkpoint[Recorder]]) -> int:
    """The place of the last; 0 if that is the first step, which takes no memory."""
    return len(states) - 1 if states else 0
