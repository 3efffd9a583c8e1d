"""The way through a course: which part is open, by key, list, address, or playlist."""

from collections.abc import Callable

from app.explanations.explanation import explain
from app.page.buttons import Presses
from app.panels.lesson_list import Course, course_of, playlist_named, whole_course
from app.sharing import playlist_links
from app.templates import refusal, render
from engine import Item, Playlist

NEXT_LESSON, PREVIOUS_LESSON = "next lesson", "previous lesson"  # buttons


class CourseNavigation:
    """Goes from part to part of a course; `opened` shows the part, `refuse` says why there is none.

    A part is known by its place, because a playlist may have the same lesson twice.
    """

    def __init__(
        self, presses: Presses, opened: Callable[[], None], refuse: Callable[[str], None]
    ) -> None:
        self._presses, self._opened, self._refuse = presses, opened, refuse
        self.course = whole_course()
        self.place = 0
        self.elsewhere = False  # whether the page shows something else just now
        on = presses.on_value
        on("lesson", self._go_to)
        on("place", self._go_to_place)
        on("playlist", self._follow_named)
        on("playlist packed", self._follow_packed)
        presses.on("whole course", self._follow_whole)
        presses.on("again", lambda: self.open(self.place))
        presses.on(NEXT_LESSON, lambda: self._step(1))
        presses.on(PREVIOUS_LESSON, lambda: self._step(-1))

    @property
    def item(self) -> Item:
        """The part that is open."""
        return self.course.items[self.place]

    @property
    def last(self) -> bool:
        """Whether there is no part after it."""
        return self.place + 1 == len(self.course.items)

    def open(self, place: int) -> None:
        """Open the part at a place from its beginning."""
        self.place, self.elsewhere = place, False
        self._opened()

    def follow_made(self, playlist: Playlist) -> None:
        """Go through what was made on this page; the address holds it, if it is not too long."""
        try:
            self._presses.do("show_playlist", playlist_links.packed(playlist))
        except ValueError:
            self._presses.do("show_playlist", "")
        self._follow(course_of(playlist))

    # ---- requests of the browser -----------------------------------------------------------------

    def _follow(self, course: Course) -> None:
        self.course = course
        self.open(0)

    def _follow_named(self, slug: str) -> None:
        """Go through a playlist of the operator's; a link may name any."""
        course = playlist_named(slug)
        if course is None:
            self._refuse(render("no_lesson", kind="playlist", slug=slug))
        else:
            self._follow(course)

    def _follow_packed(self, packed: str) -> None:
        """Go through the playlist that the address holds."""
        try:
            self._follow(course_of(playlist_links.unpacked(packed)))
        except ValueError as error:
            self._refuse(refusal(error))

    def _follow_whole(self) -> None:
        if self.course.playlist:
            self._presses.do("show_playlist", "")
            self._follow(whole_course())

    def _go_to(self, slug: str) -> None:
        """Open a lesson by its slug; a link may name any, also in capitals."""
        slug, places = slug.lower(), self.course.places
        if slug not in places and slug in whole_course().places:
            self._follow_whole()  # the playlist does not have it
            self.open(self.course.places[slug])
            self._show_address()
        elif slug not in places:
            self._refuse(render("no_lesson", kind="lesson", slug=slug))
        elif slug != self.item.lesson or self.elsewhere:
            self.open(places[slug])

    def _go_to_place(self, number: str) -> None:
        """Open a part by its place, counted from 0; a link may name any."""
        places = {str(place): place for place in range(len(self.course.items))}
        if number in places and (places[number] != self.place or self.elsewhere):
            self.open(places[number])
            self._show_address()

    def _step(self, by: int) -> None:
        """Go on to the next part, or back to the one before."""
        place = self.place + by
        if 0 <= place < len(self.course.items):
            self._presses.do("name_place", *self._named)  # so that the way back leads there, too
            self.open(place)
            self._show_address()

    def _show_address(self) -> None:
        self._presses.do("show_address", *self._named)

    @property
    def _named(self) -> tuple[str, str]:
        """The part that is open, as a parameter of the address and its value."""
        if self.course.playlist:
            return "item", str(self.place + 1)
        return "lesson", self.item.lesson


explain(f"button {NEXT_LESSON}", "Next lesson", "Opens the next one of the lecture.", shortcut="n")
explain(f"button {PREVIOUS_LESSON}", "Previous lesson", "Opens the one before.", shortcut="b")
