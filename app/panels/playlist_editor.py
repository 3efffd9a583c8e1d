"""Makes a playlist in the page: lessons, shared runs and own words are put in order and saved."""

from collections.abc import Callable
from typing import Any

import msgspec
from panel import ui
from panel.layout import Column, FlexBox
from panel.pane import HTML

from app.explanations.explanation import explain
from app.page.buttons import Presses
from app.panel_document import address_of_page
from app.panels.lesson_list import name_of, whole_course
from app.sharing import packed_runs, playlist_drafts, playlist_links
from app.sharing.file_arrivals import tell_refusals
from app.sharing.file_button import NamedFile, file_button
from app.sharing.playlist_drafts import Draft
from app.stylesheets import css
from app.templates import render
from engine import (
    LESSONS,
    MOST_ITEM_WORDS,
    MOST_ITEMS,
    MOST_TITLE,
    ExperimentHandle,
    Item,
    Playlist,
    Recording,
    counted,
    open_lesson,
    read_playlist,
    record,
    write_playlist,
)

PATIENCE = 20.0  # seconds to wait for the engine
MOST_BYTES = 1_000_000  # of a file that is opened
SOON = '<p class="quiet" role="status">A moment …</p>'
LATER = 10_000  # steps: what a run should not exceed that a class waits for


class PlaylistEditor:
    """The main area while a playlist is made; the browser keeps it until it is saved."""

    def __init__(
        self, handle: ExperimentHandle, presses: Presses, follow: Callable[[Playlist], None]
    ) -> None:
        self._handle, self._presses, self._follow = handle, presses, follow
        self._title = ""
        self._items: list[Item] = []
        self._saved = Draft()  # the last saved version
        self._other = Draft()  # the playlist that the editor offers to open instead
        self._run_title = self._run_link = ""  # what is written in the fields of a shared run
        self._section = ""  # of the lesson that was added last
        self._too_long = ""  # why the browser cannot store it
        self._board = HTML(
            "",
            stylesheets=[css("buttons"), css("panel", "course", "playlist")],
            sizing_mode="stretch_width",
        )
        self._save = file_button("Save (JSON)", self._file)
        self._file_input = ui.FileInput(
            label="Open a playlist",
            max_file_size=MOST_BYTES,
            variant="outlined",
            size="small",
            width=220,
            margin=(4, 12),
        )
        self._file_input.param.watch(lambda event: self._open_file(), "value")
        tell_refusals(self._file_input, self._draw)
        self.view = Column(
            # Above the board: below it they would lie over its end on a phone.
            FlexBox(self._file_input, self._save, margin=(0, 12), sizing_mode="stretch_width"),
            self._board,
            stylesheets=[css("playlist")],
            sizing_mode="stretch_width",
        )
        self._add_handlers()

    def _add_handlers(self) -> None:
        on = self._presses.on_value
        on("playlist title", self._name)
        on("item title", lambda text: self._write(text, "title", MOST_TITLE))
        on("item words", lambda text: self._write(text, "words", MOST_ITEM_WORDS))
        on("run title", lambda text: setattr(self, "_run_title", text[:MOST_TITLE]))
        on("run link", lambda text: setattr(self, "_run_link", text))
        on("add lesson", self._add_lesson)
        on("earlier", lambda number: self._move(number, -1))
        on("later", lambda number: self._move(number, 1))
        on("remove", self._remove)
        self._presses.on("add words", lambda: self._add(Item(title="Words of your own")))
        self._presses.on("add run", self._add_run)
        self._presses.on("follow playlist", self._play)
        self._presses.on("copy playlist", self._copy)
        self._presses.on("new playlist", lambda: self._begin(Draft()))
        self._presses.on("change other playlist", lambda: self._begin(self._other))
        on("draft kept", self._recall)

    def edit(self, playlist: Playlist | None) -> None:
        """Show this playlist to change it, or what is being made as long as that is not saved."""
        self._other = Draft(playlist.title, playlist.items) if playlist else Draft()
        if self._draft == Draft():
            self._ask_browser()
        else:
            self._change_other_unless_unsaved()

    def _change_other_unless_unsaved(self, refusal: str = "") -> None:
        if self._other != Draft() and self._draft in (Draft(), self._saved):
            self._title, self._items = self._other.title, list(self._other.items)
        if self._other == self._draft:
            self._other = Draft()
        self._draw(refusal)

    # ---- what the browser keeps ------------------------------------------------------------------

    @property
    def _draft(self) -> Draft:
        return Draft(self._title, tuple(self._items))

    def _begin(self, draft: Draft) -> None:
        """Edit another playlist; unsaved changes are lost."""
        self._title, self._items = draft.title, list(draft.items)
        if draft == self._other:
            self._other = Draft()
        self._keep()
        self._draw()

    def _ask_browser(self) -> None:
        """Ask the browser for its draft before any field is shown: it would replace typed text."""
        self._board.object = SOON
        self._save.visible = False
        self._presses.do("recall_draft")

    def _keep(self) -> None:
        """Have the browser store the draft, so that a reload loses nothing."""
        try:
            kept, self._too_long = playlist_drafts.packed(self._draft), ""
        except ValueError as error:
            kept, self._too_long = "", str(error)
        self._presses.do("store_draft", kept)

    def _recall(self, kept: str) -> None:
        """The browser sends the draft of an earlier visit, or nothing; it may send anything."""
        if self._draft != Draft():
            return
        if not kept:
            self._change_other_unless_unsaved()
            return
        known = {"", *whole_course().places}  # a lesson of the operator's may be gone
        try:
            draft = playlist_drafts.unpacked(kept)
            items = tuple(item for item in draft.items if item.lesson in known)
            self._begin(Draft(draft.title, items))
        except ValueError as error:
            self._change_other_unless_unsaved(str(error))

    # ---- the file ------------------------------------------------------------------------------

    @property
    def _made(self) -> Playlist:
        """The playlist; ValueError says what is missing."""
        if not self._items:
            raise ValueError("Add a lesson, a run or words first.")
        if len(self._title.strip()) < 3:
            raise ValueError("Give the playlist a title, of three letters at least.")
        return Playlist(self._title.strip(), tuple(self._items))

    def _file(self) -> NamedFile:
        playlist = self._made
        raw = write_playlist(playlist)
        self._presses.do("store_draft", "")
        self._saved = self._draft
        return f"{playlist.slug}.playlist.json", raw

    def _open_file(self) -> None:
        raw = self._file_input.value
        if raw is None:
            return
        name = str(self._file_input.filename)
        self._file_input.clear()
        try:
            opened = read_playlist(bytes(raw))
            self._begin(Draft(opened.title, opened.items))
        except ValueError as error:
            self._draw(f"{name}: {error}")

    def _play(self) -> None:
        """Go through it from its first item."""
        try:
            self._follow(self._made)
        except ValueError as error:
            self._draw(str(error))

    def _copy(self) -> None:
        try:
            self._presses.do("copy", self._link)
        except ValueError as error:
            self._draw(str(error))

    @property
    def _link(self) -> str:
        return f"{address_of_page()}#playlist={playlist_links.packed(self._made)}"

    # ---- what it holds -------------------------------------------------------------------------

    def _name(self, text: str) -> None:
        """Set the title; the browser already shows it."""
        before, self._title = self._title, text[:MOST_TITLE]
        if (len(before.strip()) < 3) != (len(self._title.strip()) < 3):
            self._allow()
        self._keep()

    def _write(self, text: str, field: str, most: int) -> None:
        number, _, value = text.partition(" ")
        if (place := self._place(number)) is not None:
            changes: dict[str, Any] = {field: value[:most]}
            item = self._items[place]
            if item.lesson and field == "title":
                return
            if field == "title" and not value.strip():
                changes[field] = "?"  # each item has a title
            self._items[place] = msgspec.structs.replace(item, **changes)
            self._keep()

    def _place(self, number: str) -> int | None:
        """The place that a browser names, which may be any."""
        places = {str(place): place for place in range(len(self._items))}
        return places.get(number)

    def _add(self, item: Item) -> None:
        if len(self._items) >= MOST_ITEMS:
            self._draw(f"A playlist holds {MOST_ITEMS} items at most.")
            return
        self._items.append(item)
        self._keep()
        self._draw()

    def _add_lesson(self, slug: str) -> None:
        if slug in whole_course().places:
            self._section = open_lesson(name_of(slug)).section
            self._add(Item(lesson=slug))

    def _add_run(self) -> None:
        """Add the run of the pasted link, or else the visitor's own as it is now."""
        try:
            run = self._linked() if self._run_link.strip() else self._own()
            title = self._run_title.strip() or f"A run of {counted(run.steps, 'steps')}"
            self._add(Item(run=run, title=title))
        except ValueError as error:
            self._draw(str(error))
            return
        self._run_title = self._run_link = ""
        self._draw()

    def _own(self) -> Recording:
        recorded = self._handle.submit(lambda slot: record(slot.own))
        return _alone(recorded.result(PATIENCE))

    @property
    def _own_step(self) -> int:
        waits_at = self._handle.waits_at
        return self._handle.latest.step if waits_at is None else waits_at

    def _linked(self) -> Recording:
        return _alone(packed_runs.unpacked(packed_runs.run_in(self._run_link)))

    def _move(self, number: str, by: int) -> None:
        place = self._place(number)
        if place is not None and 0 <= place + by < len(self._items):
            items = self._items
            items[place], items[place + by] = items[place + by], items[place]
            self._keep()
            self._draw()

    def _remove(self, number: str) -> None:
        if (place := self._place(number)) is not None:
            del self._items[place]
            self._keep()
            self._draw()

    # ---- what is seen --------------------------------------------------------------------------

    def _allow(self) -> None:
        """Offer to save what is complete.

        The button is hidden, not disabled: Panel 1.10 loses what is changed of a component's own
        properties while React draws it for the first time.
        """
        try:
            self._save.visible = bool(self._made)
        except ValueError:
            self._save.visible = False

    def _draw(self, refusal: str = "") -> None:
        self._allow()
        lessons = {lesson.slug: lesson for lesson in map(open_lesson, LESSONS)}
        sections: dict[str, list[tuple[str, str]]] = {}
        for slug, lesson in lessons.items():
            sections.setdefault(lesson.section, []).append((slug, lesson.title))
        self._board.object = render(
            "playlist_editor",
            title=self._title,
            items=[(item, lessons.get(item.lesson)) for item in self._items],
            sections=sections,
            open=self._section,
            refusal=refusal or self._too_long,
            run_title=self._run_title,
            run_link=self._run_link,
            own=self._own_step,
            late=LATER,
            other=self._other.title,
            most_title=MOST_TITLE,
            most_words=MOST_ITEM_WORDS,
        )


def _alone(run: Recording) -> Recording:
    """The run without the branches beside it."""
    return Recording(run.config, run.turns, run.steps, run.digest)


explain(
    "button edit playlist",
    "A playlist",
    "Puts lessons, shared runs and words of your own in an order, for a class to go through.",
)
explain(
    "button new playlist",
    "A new playlist",
    "Begins with an empty one. What was not saved as a file is gone.",
)
explain(
    "button change other playlist",
    "Change the other playlist",
    "Opens the playlist that you were going through. What is shown here and not saved is gone.",
)
explain(
    ("button follow playlist", "button copy playlist"),
    "Use the playlist",
    "Goes through the playlist as a class would, or takes a link that opens it for others.",
)
explain(
    ("button add lesson", "button add words", "button add run"),
    "Add a part",
    "Puts this at the end of the playlist: a lesson, words of your own, or a run by its link.",
)
explain(
    ("button earlier", "button later", "button remove"),
    "Order of the parts",
    "Moves this part of the playlist up or down, or takes it out.",
)
explain(
    ("field playlist title", "field item title", "field item words"),
    "Titles and words",
    "What the playlist or one of its parts is called, and what you want to say there.",
)
explain(
    ("field run title", "field run link"),
    "A shared run",
    "What to look at in a run, and its link. An empty link is your own run as it is now.",
)
explain(
    "field Lessons *",
    "A playlist's file",
    "Opens a playlist that was saved as a file, or saves this one.",
)
