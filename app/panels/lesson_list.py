"""The list of lessons in order, with the minutes they take and what is done: all, or a playlist."""

from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from app.limits import LIMITS
from app.templates import render
from engine import LESSONS, Playlist, open_lesson, playlists_in, slug_of


class Entry(NamedTuple):
    """A lesson in the list of all."""

    place: int
    slug: str
    title: str
    section: str
    minutes: int
    done: bool  # whether its verdict was seen


@dataclass(frozen=True)
class Course:
    """Lessons in an order: the lecture's, or that of a playlist with a teacher's words."""

    names: tuple[str, ...]
    title: str = ""  # of a playlist
    words: dict[str, str] = field(default_factory=dict)  # before a lesson, by its slug

    @property
    def places(self) -> dict[str, int]:
        """The place of each lesson by its slug."""
        return {slug_of(name): place for place, name in enumerate(self.names)}

    def listed(self, place: int, done: set[str]) -> str:
        """The list as HTML, with the lesson at `place` marked, and those that are done ticked."""
        entries = [
            Entry(n, lesson.slug, lesson.title, lesson.section, lesson.minutes, lesson.slug in done)
            for n, lesson in enumerate(map(open_lesson, self.names))
        ]
        sections = groupby(entries, key=lambda entry: entry.section)
        return render(
            "lessons",
            title=self.title,
            place=place,
            count=len(entries),
            done=sum(entry.done for entry in entries),
            minutes=entries[place].minutes,
            sections=[(section, list(group)) for section, group in sections],
        )


def whole_course() -> Course:
    """All lessons: the lecture's, and those that are written in the operator's folder."""
    return Course(tuple(LESSONS))


def course_of(playlist: Playlist) -> Course:
    """The lessons of a playlist."""
    words = {item.lesson: item.words for item in playlist.items if item.words}
    return Course(tuple(playlist.names), playlist.title, words)


def playlist_named(slug: str) -> Course | None:
    """The playlist of this name in the operator's folder; a link may name any."""
    found = playlists_in(LIMITS.data)[0] if LIMITS.data else {}
    return course_of(found[slug]) if slug in found else None
