"""The list of lessons in order, with the minutes they take and what is done: all, or a playlist."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from app.limits import LIMITS
from app.templates import render
from engine import LESSONS, Item, Playlist, open_lesson, playlists_in, slug_of

RUN, WORDS = "a shared run", "words"  # what a playlist has besides lessons


class Entry(NamedTuple):
    """A place in the list."""

    place: int
    slug: str  # of a lesson
    title: str
    section: str
    length: str  # the minutes of a lesson; what else it is
    done: bool = False  # whether the verdict of the lesson was seen


@dataclass(frozen=True)
class Course:
    """Lessons in an order: the lecture's, or those of a playlist, with shared runs and words.

    A place is a number: a playlist may have the same lesson twice.
    """

    items: tuple[Item, ...]
    playlist: Playlist | None = None  # None: all lessons

    @cached_property
    def places(self) -> dict[str, int]:
        """The first place of each lesson by its slug."""
        found = [(item.lesson, place) for place, item in enumerate(self.items) if item.lesson]
        return dict(reversed(found))

    @cached_property
    def _entries(self) -> list[Entry]:
        """The list before anything is done: each lesson is built for its title."""
        return [_entry(n, item) for n, item in enumerate(self.items)]

    def listed(self, place: int, done: set[str]) -> str:
        """The list as HTML, with `place` marked, and the lessons that are done ticked."""
        entries = [entry._replace(done=entry.slug in done) for entry in self._entries]
        sections = groupby(entries, key=lambda entry: "" if self.playlist else entry.section)
        return render(
            "lessons",
            playlist=self.playlist,
            entry=entries[place],
            count=len(entries),
            done=sum(entry.done for entry in entries),
            sections=[(section, list(group)) for section, group in sections],
        )


def _entry(place: int, item: Item) -> Entry:
    if not item.lesson:
        return Entry(place, "", item.title, "", RUN if item.run else WORDS)
    lesson = open_lesson(name_of(item.lesson))
    length = f"about {lesson.minutes} min"
    return Entry(place, lesson.slug, lesson.title, lesson.section, length)


def name_of(slug: str) -> str:
    """The name of a lesson by what links call it; ValueError if there is none."""
    for name in LESSONS:
        if slug_of(name) == slug:
            return name
    raise ValueError(f"there is no lesson {slug!r}")


def whole_course() -> Course:
    """All lessons: the lecture's, and those that are written in the operator's folder."""
    return Course(tuple(Item(lesson=slug_of(name)) for name in LESSONS))


def course_of(playlist: Playlist) -> Course:
    """What a playlist holds."""
    return Course(playlist.items, playlist)


def playlist_named(slug: str) -> Course | None:
    """The playlist of this name in the operator's folder; a link may name any."""
    found = playlists_in(LIMITS.data)[0] if LIMITS.data else {}
    return course_of(found[slug]) if slug in found else None
