"""The file that a student hands in: answers to lessons, and pinned runs that can be repeated."""

import hashlib
import io
import math
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

import msgspec

from engine.data.uploads import files_named
from engine.grading.machine import kind_of_machine
from engine.json_reader import from_json
from engine.lessons.answers import LessonAnswer, Text
from engine.measure.pinned_runs import PastRun
from engine.measure.run_metrics import RunMetrics
from engine.runtime.recording import Recording

MOST_BYTES = 4_000_000
MOST_FILES = 1000  # in an archive
MOST_UNPACKED = 400_000_000  # bytes of all of them
MOST_NAME = 100  # characters of a student's name
FIGURES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")

type Student = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_NAME)]
type Answers = Annotated[tuple[LessonAnswer, ...], msgspec.Meta(max_length=200)]


class HandedRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pinned run: what repeats it, its figures at the end, and a note."""

    name: Text
    note: Text = ""
    recording: Recording
    figures: dict[str, float | None]  # None: infinite, or not a number


type Runs = Annotated[tuple[HandedRun, ...], msgspec.Meta(max_length=20)]


class HandIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a student hands in, with a hash of its content."""

    format: Literal["babysit hand-in 1"] = "babysit hand-in 1"
    student: Student
    machine: Text
    answers: Answers = ()
    runs: Runs = ()
    content: str = ""

    @property
    def intact(self) -> bool:
        """Whether nothing was changed after it was handed in."""
        return self.content == content_of(self)


def hand_in(student: str, answers: Iterable[LessonAnswer], pinned: Iterable[PastRun]) -> HandIn:
    """The file of a student; ValueError says what is wrong with the name."""
    name = " ".join(student.split())
    if not 1 <= len(name) <= MOST_NAME or not name.isprintable():
        raise ValueError(f"Write your name or number, of 1 to {MOST_NAME} characters.")
    runs = tuple(handed(past) for past in pinned if past.digest and not own_file(past))
    made = HandIn(student=name, machine=kind_of_machine(), answers=tuple(answers), runs=runs)
    return msgspec.structs.replace(made, content=content_of(made))


def own_file(past: PastRun) -> str:
    """The student's own file that a run learns from; no hand-in has it, so none has the run."""
    return _file_in(past.begin.config.to_json())


def _file_in(text: str) -> str:
    return next((file for file, _ in files_named(text)), "")


def handed(past: PastRun) -> HandedRun:
    """A pinned run as it is handed in."""
    recording = Recording(past.begin.config, past.begin.script, past.step, past.digest)
    return HandedRun(
        name=past.name, note=past.note, recording=recording, figures=figures_at_end(past.metrics)
    )


def figures_at_end(metrics: RunMetrics) -> dict[str, float | None]:
    """The figures of a run that are compared."""
    values = {name: float(getattr(metrics, name)) for name in FIGURES}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def to_bytes(made: HandIn) -> bytes:
    """The file's content."""
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def read_hand_in(raw: bytes) -> HandIn:
    """The hand-in in a file; ValueError says in one sentence what is wrong with it."""
    if len(raw) > MOST_BYTES:
        raise ValueError(f"is larger than a hand-in: {len(raw):,} bytes")
    try:
        return from_json(raw, HandIn)
    except ValueError:
        if file := _file_in(raw.decode(errors="replace")):
            raise ValueError(f"a run in it learns from {file}, which no hand-in contains") from None
        raise


def archive(made: Mapping[str, HandIn]) -> bytes:
    """The files of a class by the names of its students, as one ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, (name, one) in enumerate(made.items(), 1):
            plain = "".join(x if x.isalnum() else "-" for x in name).strip("-")
            packed.writestr(f"{number:03d}-{plain}.json", to_bytes(one))
    return buffer.getvalue()


def read_archive(raw: bytes) -> dict[str, bytes]:
    """The files in such an archive by name; ValueError says what is wrong with it."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            files = [one for one in packed.infolist() if not one.is_dir()]
            if len(files) > MOST_FILES:
                raise ValueError(f"holds {len(files):,} files; at most {MOST_FILES:,} are possible")
            return dict(_parts(packed, files))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError) as error:
        raise ValueError(f"is no archive that can be read: {error}") from None


def _parts(
    packed: zipfile.ZipFile, files: Iterable[zipfile.ZipInfo]
) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, each read only as far as a hand-in may be long."""
    total = 0
    for one in files:
        with packed.open(one) as file:
            raw = file.read(MOST_BYTES + 1)
        total += len(raw)
        if total > MOST_UNPACKED:
            raise ValueError(f"unpacks to more than {MOST_UNPACKED:,} bytes")
        yield one.filename, raw


def content_of(made: HandIn) -> str:
    """The hash of all that is handed in, apart from the hash itself."""
    whole = msgspec.structs.replace(made, content="")
    return hashlib.sha256(msgspec.json.encode(whole, order="sorted")).hexdigest()
