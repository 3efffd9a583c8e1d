"""The tree of a run's branches, as app/static/branches.js draws it beside the timeline."""

from collections.abc import Mapping, Sequence

import msgspec

from engine import Parent, Snapshot


class Twig(msgspec.Struct, frozen=True):
    """A branch: a line of the tree, from where it leaves its parent to its last step."""

    run: int
    parent: int  # 0: it began at its first step, or its parent is not kept any more
    since: int  # the step at which it left its parent
    step: int | None  # its last; None: it is the run itself, which goes on
    change: str
    kept: bool  # False: it is repeated from its first step when somebody goes there


def tree(snapshot: Snapshot) -> list[Twig]:
    """All branches, each below its parent; empty if there is only the run itself."""
    if not snapshot.branches:
        return []
    known = {snapshot.run, *(branch.run for branch in snapshot.branches)}
    twigs = {
        x.run: _twig(x.run, x.parent, x.step, x.change, known, x.past is not None)
        for x in snapshot.branches
    }
    now = _twig(snapshot.run, snapshot.parent, None, snapshot.change, known, True)
    return _below(0, twigs | {snapshot.run: now})


def _twig(
    run: int, parent: Parent | None, step: int | None, change: str, known: set[int], kept: bool
) -> Twig:
    left = parent.run if parent and parent.run in known else 0
    return Twig(run, left, parent.step if parent else 0, step, change, kept)


def _below(parent: int, twigs: Mapping[int, Twig]) -> list[Twig]:
    """The branches that left a parent, each followed by those that left it."""
    children: Sequence[Twig] = sorted(
        (twig for twig in twigs.values() if twig.parent == parent), key=lambda twig: twig.run
    )
    return [twig for child in children for twig in (child, *_below(child.run, twigs))]
