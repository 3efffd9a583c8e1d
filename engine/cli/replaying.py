"""`replay`: repeats a saved run and its branches, and checks that they have the same bits."""

import argparse
import sys
from collections.abc import Mapping

import msgspec

from engine.cli.figures import Figures, figures, lines
from engine.cli.files import decoded, read, tell, to_json
from engine.data import find_files
from engine.runtime.experiment import replay
from engine.runtime.recording import Recording, digest
from engine.training.commands import BranchRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run."""
    parser.add_argument(
        "file", metavar="FILE", help="a run saved by `train --save`; - for standard input"
    )


def run(arguments: argparse.Namespace) -> int:
    """Repeat a saved run and compare the weights: exit status 1 if they differ."""
    raw = read(arguments.file)
    # Decoded as plain values first: data files are then found whatever the JSON escapes in names.
    find_files(msgspec.json.encode(decoded(raw, arguments.file, object)).decode())
    recording = decoded(raw, arguments.file, Recording)
    repeated = figures(replay(recording.config, recording.journal, recording.steps))
    agrees = None if recording.digest is None else recording.digest == repeated.digest
    branches = {branch.run: _repeats(recording, branch) for branch in recording.branches}
    if arguments.json:
        verdict: dict[str, object] = {"saved": recording.digest, "agrees": agrees}
        if branches:
            verdict["branches"] = branches
        sys.stdout.write(to_json({**_fields(repeated), **verdict}))
    else:
        report = [*lines(repeated), *_verdict(recording, repeated), *_of_branches(branches)]
        tell(report)
    return 1 if False in (agrees, *branches.values()) else 0


def _repeats(recording: Recording, branch: BranchRecord) -> bool | None:
    """Whether a branch has the same bits again; None if those are not known."""
    again = replay(recording.config, branch.turns, branch.steps)
    return None if branch.digest is None else digest(again) == branch.digest


def _of_branches(branches: Mapping[int, bool | None]) -> list[str]:
    verdicts = {True: "the same, to the bit", False: "NOT the same", None: "not known"}
    return [f"Branch {run}: the weights are {verdicts[same]}." for run, same in branches.items()]


def _fields(repeated: Figures) -> dict[str, object]:
    return {name: getattr(repeated, name) for name in repeated.__struct_fields__}


def _verdict(recording: Recording, repeated: Figures) -> list[str]:
    if recording.digest is None:
        return []
    if recording.digest == repeated.digest:
        return ["The weights are the same as when it was saved, to the bit."]
    return [
        f"The weights are NOT the same: {recording.digest} was saved. Data, program or processor",
        "have changed since, or the file has.",
    ]
