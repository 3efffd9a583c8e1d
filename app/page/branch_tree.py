"""The tree of a run's branches, as app/static/branches.js draws it beside the timeline."""

from collections.abc import Mapping, Sequence

import msgspec

from engine import Parent, Snapshot

HERE = "you are here"
BESIDE = "trains beside it, as B"
REPEATED = "will be repeated from its first step"


class Twig(msgspec.Struct, frozen=True):
    """A branch: a line of the tree, from where it leaves its parent to its last step."""

    run: int
    parent: int  # 0: it began at its first step, or its parent is not kept any more
    since: int  # the step at which it left its parent
    step: int | None  # its last; None: that of the page, with which it goes on
    change: str
    status: str  # how it stands


def tree(snapshot: Snapshot) -> list[Twig]:
    """All branches, each below its parent; empty if there is only the run itself."""
    other = snapshot.other
    if not (snapshot.branches or other):
        return []
    known = {snapshot.run, *(branch.run for branch in snapshot.branches)}

    def twig(run: int, parent: Parent | None, step: int | None, change: str, status: str) -> Twig:
        left = parent.run if parent and parent.run in known else 0
        return Twig(run, left, parent.step if parent else 0, step, change, status)

    twigs = [
        twig(x.run, x.parent, x.step, x.change, "" if x.past else REPEATED)
        for x in snapshot.branches
    ]
    twigs.append(twig(snapshot.run, snapshot.parent, None, snapshot.change, HERE))
    if other:
        parent = Parent(snapshot.run, other.since)
        twigs.append(twig(other.run, parent, None, other.change, BESIDE))
    return _below(0, {x.run: x for x in twigs})


def _below(parent: int, twigs: Mapping[int, Twig]) -> list[Twig]:
    """The branches that left a parent, each followed by those that left it."""
    children: Sequence[Twig] = sorted(
        (twig for twig in twigs.values() if twig.parent == parent), key=lambda twig: twig.run
    )
    return [twig for child in children for twig in (child, *_below(child.run, twigs))]
