"""What a thing on the page is: explained in the file that makes it.

    explain("button step", "Step", "Makes one step of training, and pauses.", shortcut=".")

A key is a kind and a name, as app/static/explanations.js finds them in the page: `setting l2`,
`number loss.train`, `view loss`, `finding overfitting`, `button step`, `field Search Trials`. In a
name, `#` matches any number, and `*` all words from there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from engine import Snapshot

type Reading = Callable[[Snapshot, str], str]  # of the thing of this name


class More(TypedDict, total=False):
    """The optional parts of an explanation."""

    now: Reading
    healthy: str | Reading
    moved_by: str | Reading
    shortcut: str
    lesson: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a thing is in one or two sentences, with its value, its healthy range and its causes."""

    title: str
    what: str
    now: Reading | None = None  # its value; None: what the page shows of it
    healthy: str | Reading = ""  # which values are
    moved_by: str | Reading = ""  # what moves it
    shortcut: str = ""  # the key that does the same
    lesson: str = ""  # the slug of the lesson about it


EXPLANATIONS: dict[str, Explanation] = {}


def explain(keys: str | Sequence[str], title: str, what: str, **more: Unpack[More]) -> None:
    """Say what the things of this key, or of these, are."""
    for key in [keys] if isinstance(keys, str) else keys:
        if key in EXPLANATIONS:
            raise ValueError(f"{key!r} is explained twice")
        EXPLANATIONS[key] = Explanation(title=title, what=what, **more)
