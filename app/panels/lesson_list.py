"""The list of all lessons in the lecture's order, with the minutes they take and what is done."""

from itertools import groupby
from typing import NamedTuple

from app.templates import render
from engine import LESSONS, open_lesson, slug_of

PLACES = {slug_of(name): place for place, name in enumerate(LESSONS)}  # in the lecture's order


class Entry(NamedTuple):
    """A lesson in the list of all."""

    place: int
    slug: str
    title: str
    section: str
    minutes: int
    done: bool  # whether its verdict was seen


def listed(place: int, done: set[str]) -> str:
    """The list as HTML, with the lesson at `place` marked, and those that are done ticked."""
    lessons = map(open_lesson, LESSONS)
    entries = [
        Entry(n, lesson.slug, lesson.title, lesson.section, lesson.minutes, lesson.slug in done)
        for n, lesson in enumerate(lessons)
    ]
    sections = groupby(entries, key=lambda entry: entry.section)
    return render(
        "lessons",
        place=place,
        count=len(entries),
        done=len(done),
        minutes=entries[place].minutes,
        sections=[(section, list(group)) for section, group in sections],
    )
