"""The line "Film" of the "Export" dialog: made on request, then there to be saved.

The engine rebuilds the run's steps in the background; the pictures are drawn on a thread of their
own, one film at a time for all visitors.
"""

import threading
from collections.abc import Callable

from panel import ui
from panel.layout import Column, FlexBox
from panel.pane import HTML
from panel.viewable import Viewable

from app import numbers
from app.explanations.explanation import explain
from app.panel_document import document_of_now
from app.sharing.file_button import NamedFile, file_button
from app.sharing.film import KINDS, encode, pictures
from app.stylesheets import css
from app.templates import sentence
from app.weak_callback import weakly
from engine import ExperimentHandle, ExperimentSlot, Film, Filming, RunConfig, Snapshot

DRAWING = threading.Lock()  # one film at a time
EXPLAINED = "The whole run in 20 seconds, as an animated picture."

PATIENCE = 20.0  # seconds to wait for the engine between two steps

type Made = dict[str, NamedFile]  # by kind


class FilmMaker:
    """A button that has a film made, and one for each kind of file that it is saved as."""

    def __init__(
        self,
        handle: ExperimentHandle,
        caption: Callable[[Snapshot], str],
        stem: Callable[[int, int, RunConfig], str],
        later: Callable[[Callable[[Made], None]], Callable[[Made], object]] | None = None,
    ) -> None:
        self._handle, self._caption, self._stem = handle, caption, stem
        self._later = later or (lambda found: document_of_now().locked_callback(found))
        self._run: Snapshot | None = None  # the one that is filmed
        self._files: Made = {}
        self._tell: Callable[[Made], object] = weakly(self._show_files)
        self._begin = ui.Button(
            label="Film", icon="movie", variant="outlined", size="small", width=170, margin=(4, 0)
        )
        self._begin.on_click(lambda event: self._make())
        self._status = HTML(sentence(EXPLAINED), stylesheets=[css("beside_button")])
        self._saves = FlexBox(*(self._save(kind) for kind in KINDS), visible=False)
        self.view: Viewable = Column(
            FlexBox(self._begin, self._status), self._saves, sizing_mode="stretch_width"
        )

    def show(self, snapshot: Snapshot) -> None:
        """Tell how far the film is; when the engine has its frames, draw them."""
        film = snapshot.background.film
        if self._run is None:
            return
        if isinstance(film, Filming):
            self._status.object = sentence(f"Filming … {numbers.percent(film.done)}", role="status")
        elif isinstance(film, Film):
            run, self._run = self._run, None
            self._handle.submit(lambda slot: slot.jobs.clear("film"))
            self._status.object = sentence("Drawing …", role="status")
            threading.Thread(target=self._draw, args=(film, run), daemon=True, name="film").start()

    def _make(self) -> None:
        """Have the engine film the run as it is now."""

        def begin(slot: ExperimentSlot) -> Snapshot:
            slot.jobs.begin("film", slot.experiment.filming())
            return slot.experiment.snapshot()

        self._run = self._handle.submit(begin).result(PATIENCE)
        self._tell = self._later(self._show_files)
        self._begin.disabled, self._saves.visible = True, False

    def _draw(self, film: Film, run: Snapshot) -> None:
        """Draw and encode, on a thread of its own."""
        with DRAWING:
            caption, count = self._caption(run), len(film.frames)
            stem = self._stem(run.run, run.step, run.config)
            made = {
                kind: (f"{stem}.{kind}", encode(pictures(film, run, caption), count, kind))
                for kind in KINDS
            }
        self._tell(made)

    def _show_files(self, files: Made) -> None:
        """The film is made: offer its files."""
        self._files = files
        self._begin.disabled, self._saves.visible = False, True
        sizes = ", ".join(f"{kind.upper()} {len(x) / 1e6:.1f} MB" for kind, (_, x) in files.items())
        self._status.object = sentence(f"There it is: {sizes}.", role="status")

    def _save(self, kind: str) -> Viewable:
        return file_button(
            f"Save {kind.upper()}",
            lambda: self._files[kind],
            margin=(4, 8, 4, 0),
        )


explain(
    ("field Export Film", "field Export Film *"),
    "Film",
    "Makes a film of this run from its first step to now, to be saved as a picture that moves.",
)
