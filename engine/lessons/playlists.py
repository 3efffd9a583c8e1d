"""Playlists: lessons, shared runs and a teacher's own words, in the order of a lecture.

A playlist is one JSON object; engine/README.md has an example. The page makes, opens and follows
one, and `python -m engine lessons --playlist FILE` plays all of it.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from engine.data.uploads import files_named
from engine.json_reader import from_json
from engine.lessons.lesson import LESSONS, slug_of
from engine.lessons.written import MOST_BYTES, Sentence
from engine.runtime.experiment import replay
from engine.runtime.recording import Recording, digest
from engine.suggestions import instead_of, quoted
from engine.training.config import SETTINGS
from engine.training.setting import Effect

PLAYLIST_FILES = "*.playlist.json"
MOST_TITLE, MOST_ITEM_WORDS, MOST_ITEMS = 120, 600, 100

type Title = Annotated[str, msgspec.Meta(max_length=MOST_TITLE)]
type Words = Annotated[str, msgspec.Meta(max_length=MOST_ITEM_WORDS)]


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One place in a playlist: a lesson, a shared run, or words alone."""

    lesson: str = ""  # as links call it
    run: Recording | None = None
    title: Title = ""  # of a run, or of words alone
    words: Words = ""  # a teacher's own, before the lesson or beside the run

    def __post_init__(self) -> None:
        if self.lesson and (self.run or self.title):
            raise ValueError(
                "an item with a lesson needs no title and no run: those are the lesson's"
            )
        if not self.lesson and not self.title.strip():
            raise ValueError("an item without a lesson needs a title")
        if self.run:
            _check_run(self.run)


class Playlist(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lessons, shared runs and words in a teacher's order."""

    title: Sentence
    items: Annotated[tuple[Item, ...], msgspec.Meta(min_length=1, max_length=MOST_ITEMS)]

    def __post_init__(self) -> None:
        if not self.slug:
            raise ValueError("the title of a playlist needs a letter or a digit")
        _ = self.lessons

    @property
    def slug(self) -> str:
        """What a link calls it: `?playlist=week-3`."""
        return slug_of(self.title)

    @property
    def lessons(self) -> list[str]:
        """The names of its lessons, each once; ValueError names one that there is none of."""
        known = {slug_of(name): name for name in LESSONS}
        slugs = dict.fromkeys(item.lesson for item in self.items if item.lesson)
        for slug in slugs:
            if slug not in known:
                raise ValueError(f"unknown lesson {quoted(slug)}; {instead_of(slug, known)}")
        return [known[slug] for slug in slugs]


def _check_run(run: Recording) -> None:
    """Refuse a run that a playlist cannot repeat."""
    config = run.config
    for step, turn in run.turns:
        config = config.replace(turn.path, turn.value)
        if SETTINGS[turn.path].effect is Effect.NEW_RUN:
            raise ValueError(f"step {step:,} changes {turn.path}, which begins another run")
    for file, _ in files_named(run.config.to_json()):
        raise ValueError(f"a run learns from {file}, which no playlist contains")


# ---- files ------------------------------------------------------------------------------------


def read_playlist(raw: bytes) -> Playlist:
    """The playlist in JSON text; ValueError says in one sentence what is wrong with it."""
    if len(raw) > MOST_BYTES:
        raise ValueError(f"is larger than a playlist: {len(raw):,} bytes")
    return from_json(raw, Playlist)


def write_playlist(playlist: Playlist) -> bytes:
    """The playlist as a small JSON file."""
    return msgspec.json.format(msgspec.json.encode(playlist), indent=1) + b"\n"


def playlists_in(folder: Path) -> tuple[dict[str, Playlist], list[str]]:
    """The playlists of a folder by the names that links call them, and why some are left out."""
    found, refused = dict[str, Playlist](), []
    for path in sorted(folder.glob(PLAYLIST_FILES)):
        try:
            playlist = read_playlist(path.read_bytes())
            if playlist.slug in found:
                raise ValueError(f"there is a playlist {quoted(playlist.title)} already")
            found[playlist.slug] = playlist
        except (ValueError, OSError) as error:
            refused.append(f"{path.name}: {error}")
    return found, refused


# ---- shared runs ------------------------------------------------------------------------------


@dataclass(frozen=True)
class RepeatedItem:
    """A shared run of a playlist, repeated without a page."""

    title: str
    data: str
    steps: int
    same: bool | None  # whether its weights have the same bits; None: those are not known
    seconds: float


def repeat_item(item: Item) -> RepeatedItem:
    """Repeat a shared run to its last step, and compare its weights; refuses a lesson."""
    if item.run is None:
        raise ValueError(f"{quoted(item.title)} is no shared run")
    start = time.perf_counter()
    experiment = replay(item.run.config, item.run.turns, item.run.steps)
    same = None if item.run.digest is None else digest(experiment) == item.run.digest
    data = item.run.config.data.dataset.name
    seconds = time.perf_counter() - start
    return RepeatedItem(item.title, data, experiment.step, same, seconds)
