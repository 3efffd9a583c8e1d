"""`challenge`: ranks what students have handed in for a challenge, with baselines beside it."""

import argparse
import csv
import io
import math
import sys
import time
from collections.abc import Iterator

from engine.cli.files import STANDARD, check_writable, read, tell, to_json, write
from engine.cli.grade import read_file
from engine.grading.challenge import (
    BASELINES,
    Challenge,
    Score,
    baseline,
    check_entry,
    ranked,
    read_challenge,
)
from engine.grading.grading import MOST_SECONDS, repeated
from engine.grading.hand_in import HandedRun, HandIn
from engine.grading.machine import kind_of_machine
from engine.number_format import counted, in_form
from engine.spreadsheet import as_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The challenge, and what was handed in for it."""
    add = parser.add_argument
    add("challenge", metavar="CHALLENGE", help="the challenge, in JSON")
    add("files", metavar="FILE", nargs="*", help="hand-ins, saved by the page")
    add("--names", action="store_true", help="tell the names; default: anonymous")
    add("--csv", metavar="FILE", help="write the ranking, - to print it")


def run(arguments: argparse.Namespace) -> int:
    """Repeat the runs of a challenge and rank them beside baselines; refuses what is none."""
    try:
        challenge = read_challenge(read(arguments.challenge))
    except ValueError as error:
        raise ValueError(f"{arguments.challenge}: {error}") from None
    check_writable(arguments.csv)
    scores = [_score(name, challenge, arguments.names) for name in arguments.files]
    scores += [baseline(name, challenge) for name in BASELINES]
    ranking = ranked(scores, challenge)
    if arguments.csv:
        write(arguments.csv, _table(ranking))
    if arguments.json:
        sys.stdout.write(to_json({"challenge": challenge.title, "ranking": ranking}))
    elif arguments.csv != STANDARD:
        tell(_lines(ranking, challenge))
    return 0


def _score(name: str, challenge: Challenge, named: bool) -> Score:
    """The best of a student's runs that keep to the challenge."""
    made = read_file(name)
    if not isinstance(made, HandIn):
        return Score(name, math.nan, made)
    who = made.student if named else f"student {made.content[:6]}"
    if not made.intact:
        return Score(who, math.nan, "the file was changed after it was handed in")
    tried = [_one(run, made, challenge, who) for run in made.runs]
    return ranked(tried, challenge)[0] if tried else Score(who, math.nan, "no run was pinned")


def _one(run: HandedRun, made: HandIn, challenge: Challenge, who: str) -> Score:
    try:
        check_entry(run, challenge)
    except ValueError as error:
        return Score(who, math.nan, f"run {run.name!r}: {error}")
    same_machine = made.machine == kind_of_machine()
    again, remark = repeated(run, time.monotonic() + MOST_SECONDS, same_machine, time.monotonic)
    if again is None or not again.agrees:
        return Score(who, math.nan, remark)
    value = float(getattr(again.end.metrics, challenge.score))
    changes = len(run.recording.turns)
    steps = counted(run.recording.steps, "steps")
    return Score(who, value, f"{run.name!r}: {steps}, settings turned: {changes}. {remark}".strip())


def _table(ranking: list[Score]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["place", "who", "score", "remarks"])
    for place, one in enumerate(ranking, start=1):
        value = "" if math.isnan(one.value) else f"{one.value:.6g}"
        writer.writerow([place, as_text(one.who), value, as_text(one.note)])
    return file.getvalue()


def _lines(ranking: list[Score], challenge: Challenge) -> Iterator[str]:
    yield challenge.invitation
    form = ".2%" if challenge.score == "validation_accuracy" else ".4g"
    for place, one in enumerate(ranking, start=1):
        value = "–" if math.isnan(one.value) else in_form(one.value, form)
        yield f"{place:3}. {value:>8}  {one.who:<24} {' '.join(one.note.split())}"
