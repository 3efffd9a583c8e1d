"""`grade`: repeats all that students have handed in, and writes their points as a table."""

import argparse
import csv
import io
import multiprocessing
import sys
import textwrap
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tqdm import tqdm

from engine.cli.files import STANDARD, check_writable, decode, read, tell, to_json, write
from engine.cli.lessons import processes
from engine.grading.grading import (
    MOST_SECONDS,
    Grade,
    LessonKey,
    Outcomes,
    grade,
    lessons_in,
    play_again,
)
from engine.grading.hand_in import HandIn, read_archive, read_hand_in
from engine.grading.rubric import Rubric
from engine.lessons.play import prepare_process
from engine.spreadsheet import as_text

LONGEST = 200  # characters of a reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What was handed in, what is asked for, and where the table goes."""
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", help="hand-ins, or a ZIP archive of them")
    add("--rubric", metavar="FILE", required=True, help="what is asked for, in JSON")
    add("--csv", metavar="FILE", help="write a row for each student, - to print it")
    add(
        "--processes",
        type=processes,
        default=2,
        metavar="N",
        help="processes that repeat runs at once; default: %(default)s",
    )
    add(
        "--seconds",
        type=float,
        default=MOST_SECONDS,
        metavar="S",
        help="most seconds for the runs of one student; default: %(default)s",
    )


def run(arguments: argparse.Namespace) -> int:
    """Repeat and grade hand-ins: exit status 1 if one is refused, or is not what it says."""
    rubric = decode(arguments.rubric, Rubric)
    check_writable(arguments.csv)
    made = {name: one for file in arguments.files for name, one in read_files(file).items()}
    grades = dict(_graded(made, rubric, arguments))
    table = _table(grades, rubric)
    if arguments.csv:
        write(arguments.csv, table)
    if arguments.json:
        sys.stdout.write(to_json({"rubric": rubric.title, "grades": grades}))
    elif arguments.csv != STANDARD:
        tell(_lines(grades, rubric))
    return 1 if any(given.remarks for given in grades.values()) else 0


def read_files(name: str) -> dict[str, HandIn | str]:
    """The hand-ins of a file, which may be an archive of a whole class."""
    if not zipfile.is_zipfile(name):
        return {name: read_file(name)}
    try:
        files = read_archive(read(name))
    except ValueError as error:
        return {name: f"refused: it {error}"}
    return {f"{name}/{part}": _decoded(raw) for part, raw in files.items()}


def read_file(name: str) -> HandIn | str:
    """A hand-in, or in one sentence why it is refused."""
    try:
        return _decoded(read(name))
    except OSError as error:
        return f"refused: {error.strerror or error}"


def _decoded(raw: bytes) -> HandIn | str:
    try:
        return read_hand_in(raw)
    except (ValueError, RecursionError) as error:
        reason = textwrap.shorten(str(error), LONGEST, placeholder=" …")
        return f"refused: it {reason}" if reason.startswith("is ") else f"refused: {reason}"


def _graded(
    made: Mapping[str, HandIn | str], rubric: Rubric, arguments: argparse.Namespace
) -> Iterator[tuple[str, Grade]]:
    """The grades by file, in the order of the files."""
    sound = {name: one for name, one in made.items() if isinstance(one, HandIn)}
    # Not forked: a fork would inherit locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        arguments.processes, context, prepare_process, (arguments.data,)
    ) as pool:
        keys = lessons_in(sound.values())
        played: dict[LessonKey, Outcomes] = dict(
            zip(keys, _shown(pool.map(play_again, keys), len(keys), "lessons"), strict=True)
        )
        each = partial(grade, rubric=rubric, played=played, seconds=arguments.seconds)
        given = _shown(pool.map(each, sound.values()), len(sound), "students")
        grades = dict(zip(sound, given, strict=True))
    for name, one in made.items():
        yield name, grades[name] if isinstance(one, HandIn) else Grade("", {}, (one,))


def _shown[T](results: Iterator[T], count: int, unit: str) -> Iterator[T]:
    hidden = not sys.stderr.isatty()
    return iter(tqdm(results, total=count, unit=f" {unit}", leave=False, disable=hidden))


def _table(grades: Mapping[str, Grade], rubric: Rubric) -> str:
    names = [criterion.name for criterion in rubric.criteria]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(as_text, ["file", "student", "points", "of", *names, "remarks"]))
    for name, given in grades.items():
        points = [given.points.get(criterion, 0.0) for criterion in names]
        remarks = "; ".join(given.remarks)
        row = [as_text(name), as_text(given.student), given.total, rubric.points]
        writer.writerow([*row, *points, as_text(remarks)])
    return file.getvalue()


def _lines(grades: Mapping[str, Grade], rubric: Rubric) -> Iterator[str]:
    for name, given in grades.items():
        yield f"{given.total:6g} of {rubric.points:g}  {given.student or '–'}  ({name})"
        for remark in given.remarks:
            yield f"         ! {' '.join(remark.split())}"
