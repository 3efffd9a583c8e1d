"""`replay`: repeats a saved run and checks that the result has the same bits."""

import argparse
import sys

import msgspec

from engine.cli.figures import Figures, figures, lines
from engine.cli.files import decoded, read, to_json
from engine.data import find_files
from engine.runtime.experiment import replay
from engine.runtime.recording import Recording


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
    told = figures(replay(recording.config, recording.journal, recording.steps))
    agrees = None if recording.digest is None else recording.digest == told.digest
    if arguments.json:
        sys.stdout.write(to_json({**_fields(told), "saved": recording.digest, "agrees": agrees}))
    else:
        sys.stdout.writelines(f"{line}\n" for line in [*lines(told), *_verdict(recording, told)])
    return 1 if agrees is False else 0


def _fields(told: Figures) -> dict[str, object]:
    return {name: getattr(told, name) for name in told.__struct_fields__}


def _verdict(recording: Recording, told: Figures) -> list[str]:
    if recording.digest is None:
        return []
    if recording.digest == told.digest:
        return ["The weights are the same as when it was saved, to the bit."]
    return [
        f"The weights are NOT the same: {recording.digest} was saved. Data, program or processor",
        "have changed since, or the file has.",
    ]
