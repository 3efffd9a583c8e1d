"""A run as the text of a link: `packed` writes it, `unpacked` reads it and refuses all else."""

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

import msgspec

from app.sharing import packing
from engine import SETTINGS, Effect, Recording, files_named

MAX_LINK = 12_000  # characters; servers and proxies refuse much longer addresses


class FileNeeded(ValueError):
    """A run was trained on a file, which no link contains."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"The run of this link learns from {file}, which no link contains: upload the file with"
            " Data, and the run is repeated."
        )


# ---- writing --------------------------------------------------------------------------------


def packed(recording: Recording) -> str:
    """A run in URL-safe characters, with as many of its branches as there is space for."""
    for held in range(len(recording.branches), -1, -1):
        if len(text := _written(_fitting(recording, held))) <= MAX_LINK:
            return text
    raise ValueError(
        f"This run was steered {len(recording.turns):,} times, which is more than a link can hold:"
        " export it as JSON."
    )


def branches_held(recording: Recording) -> int:
    """How many branches of a run its link has space for."""
    counts = range(len(recording.branches), 0, -1)
    fit = (held for held in counts if len(_written(_fitting(recording, held))) <= MAX_LINK)
    return next(fit, 0)


def _written(lean: Recording) -> str:
    return packing.packed(msgspec.json.encode(lean))


def _fitting(recording: Recording, held: int) -> Recording:
    """The content of a link to a run, with so many of the branches that were left last."""
    branches = recording.branches[len(recording.branches) - held :]
    known = {branch.run for branch in branches}
    parent = recording.parent if recording.parent and recording.parent[0] in known else None
    return Recording(
        recording.config, recording.turns, recording.steps, recording.digest,
        recording.run if branches else 1, parent, branches,
    )  # fmt: skip


# ---- reading --------------------------------------------------------------------------------


def run_in(link: str) -> str:
    """The run in a link that was pasted; ValueError if it holds none."""
    found = parse_qs(urlsplit(link.strip()).query).get("run")
    if not found:
        raise ValueError("This is no link to a run: Share makes one, with “run=” in it.")
    return found[0]


def unpacked(text: str, own: Iterable[str] = ()) -> Recording:
    """The run that `packed` wrote; for any other text ValueError says what is wrong.

    `own` are the names of the visitor's own data sets.
    """
    raw = _decompressed(text)
    _check_files(raw, own)
    try:
        recording = Recording.from_json(raw)
        _check_turns(recording)
    except (ValueError, RecursionError) as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"The run of this link is not possible here: {reason}.") from None
    _check_files(msgspec.json.encode(recording), own)  # whatever JSON escapes the link uses
    return recording


def _check_files(raw: bytes, own: Iterable[str]) -> None:
    for file, name in files_named(raw.decode(errors="replace")):
        if name not in set(own):
            raise FileNeeded(file)


def _decompressed(text: str) -> bytes:
    if len(text) > MAX_LINK:
        raise ValueError(f"This link is longer than a link to a run: {len(text):,} characters.")
    try:
        return packing.unpacked(text)
    except ValueError:
        raise ValueError("This link is damaged: it does not hold a run that can be read.") from None


def _check_turns(recording: Recording) -> None:
    """Refuse changes that would begin another run, and illegal values."""
    for turns in (recording.turns, *(branch.turns for branch in recording.branches)):
        config = recording.config
        for step, turn in turns:
            config = config.replace(turn.path, turn.value)
            if SETTINGS[turn.path].effect is Effect.NEW_RUN:
                raise ValueError(f"step {step:,} changes {turn.path}, which begins another run")
