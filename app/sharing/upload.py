"""The "Data" dialog: a preview of a visitor's own file, before a run is started on it.

An uploaded file is only in its visitor's menu, and is freed when the visitor has left.
"""

import threading
from collections.abc import Callable

from panel import ui
from panel.layout import Column, FlexBox
from panel.pane import HTML
from panel.viewable import Viewable

from app.explanations.explanation import explain
from app.sharing.file_arrivals import tell_refusals
from app.sharing.upload_preview import preview
from app.stylesheets import css
from app.templates import sentence
from engine import (
    AS_FOUND,
    Begin,
    Choice,
    DataDescription,
    ExperimentHandle,
    FileReader,
    Reading,
    SetKnob,
    Snapshot,
    Upload,
    limits,
    read_upload,
    register_upload,
    suit_data,
    unregister_upload,
)

type Found = Callable[[Upload | None, str, DataDescription | None], object]
type Later = Callable[[Found], Found]  # schedules a function where the page may be changed

MEGABYTE = 2**20
KEPT = 3  # files of one visitor that are kept
AS_IT_IS = "choose …"
TASKS = {"classes": "classes", "values": "values to predict"}
GAPS = {"drop": "leave out their rows", "median": "fill in the median"}

EXPLAINED = """
<p>A <b>table</b> (.csv, .tsv, .txt, .data, also with .gz, or .xlsx) has one example per row, and in
one column the target. <b>NumPy</b>'s .npz has arrays <i>x</i> and <i>y</i>, its .npy a table. Up to
{megabytes:g} MB. Nobody else sees it, and it is gone when you leave.</p>
"""


class Uploads:
    """The uploaded files of one visitor."""

    def __init__(self, reader: FileReader) -> None:
        self._lock = threading.Lock()
        self._reader = reader
        self._read: Upload | None = None  # the last one
        self._files: list[Upload] = []  # the newest last
        self._over = False

    @property
    def names(self) -> list[str]:
        """The names of their data sets."""
        return [upload.name for upload in self._files]

    def read(self, raw: bytes, file: str) -> Upload:
        """Read a file in place of the one before, whose reading is stopped."""
        upload = read_upload(raw, file, self._reader)
        with self._lock:
            if self._over:
                raise ValueError(f"{upload.file}: its visitor has left")
            before, self._read = self._read, upload
        if before:
            before.stop()
        return upload

    def add(self, upload: Upload, in_use: str) -> None:
        """Keep a file; if there are too many, drop the oldest one that is not in use."""
        with self._lock:
            if self._over or upload.name in self.names:
                return
            register_upload(upload)
            self._files.append(upload)
            spare = [x for x in self._files[:-1] if x.name != in_use]
            if len(self._files) > KEPT and spare:
                self._files.remove(spare[0])
                unregister_upload(spare[0])

    def close(self) -> None:
        """The visitor has left: free all files."""
        with self._lock:
            self._over = True
            if self._read:
                self._read.stop()
            self._read = None
            while self._files:
                unregister_upload(self._files.pop())


class Data:
    """Reads a file, shows a preview, and starts a run on it on request."""

    title = "Your own data"
    width = "md"

    def __init__(
        self,
        handle: ExperimentHandle,
        uploads: Uploads,
        used: Callable[[Upload, Reading], None],
        later: Later,
    ) -> None:
        self._handle, self._uploads, self._used = handle, uploads, used
        self._found = later(self._show_found)
        self._upload: Upload | None = None
        self._requests = 0  # so far; results of earlier ones are ignored
        self._quiet = False  # while the menus are filled
        self._input = ui.FileInput(
            label="Choose a file, or drop it here",
            max_file_size=limits().upload,
            variant="outlined",
            sizing_mode="stretch_width",
            max_width=320,
            margin=(5, 12, 5, 0),
        )
        self._input.param.watch(self._arrived, "value")
        tell_refusals(self._input, self._refuse)
        self._use = ui.Button(
            label="Learn from it",
            icon="school",
            variant="contained",
            visible=False,
            margin=(5, 0),
        )
        self._use.on_click(lambda event: self._learn())
        self._reading = AS_FOUND
        self._target = self._select("Target", 200)
        self._task = self._select("It holds", 190)
        self._gaps = self._select("Missing values", 210)
        self._choices = FlexBox(self._target, self._task, self._gaps, visible=False)
        self._progress = ui.LinearProgress(
            variant="indeterminate", visible=False, sizing_mode="stretch_width", margin=(6, 0)
        )
        self._preview = HTML("", stylesheets=[css("words"), css("table"), css("examples")])
        explained = EXPLAINED.format(megabytes=limits().upload / MEGABYTE)
        self.view: Viewable = Column(
            HTML(explained, stylesheets=[css("words")], sizing_mode="stretch_width"),
            FlexBox(self._input, self._use),
            self._progress,
            self._choices,
            self._preview,
            sizing_mode="stretch_width",
        )

    def _select(self, label: str, width: int) -> ui.Select:
        select = ui.Select(label=label, options=[], size="small", width=width, margin=(5, 12, 5, 0))
        select.param.watch(lambda event: self._choose(), "value")
        return select

    def opened(self) -> None:
        """Nothing to update."""

    def show(self, snapshot: Snapshot) -> None:
        """Nothing to follow: the preview is about a file, not a run."""

    def _arrived(self, event: object) -> None:
        raw, file = self._input.value, self._input.filename
        if raw is None:
            return
        self._input.clear()
        self._upload, self._reading = None, AS_FOUND
        content, name = bytes(raw), str(file)
        self._work(f"Reading {name} ...", lambda: self._uploads.read(content, name))

    def _refuse(self, reason: str) -> None:
        """Show why there is no file, in place of the one before."""
        self._requests += 1
        self._show_found(None, sentence(reason, role="alert"), None)

    def _work(self, text: str, read: Callable[[], Upload]) -> None:
        """Read on a background thread: large tables take seconds, and the page must not wait."""
        self._use.visible = self._choices.visible = False
        self._progress.visible = True
        self._preview.object = sentence(text, role="status")
        self._requests += 1
        arguments = read, self._reading, self._requests
        threading.Thread(target=self._read, args=arguments, daemon=True).start()

    def _read(self, read: Callable[[], Upload], reading: Reading, request: int) -> None:
        # Illegal choices can be corrected in the menus; an unreadable file cannot.
        upload, found = self._upload, None
        try:
            looked_at = read()
            text, found = preview(looked_at, reading), looked_at.source.describe(reading)
            upload = looked_at
        except ValueError as error:
            text = sentence(str(error), role="alert")
        if request == self._requests:
            self._found(upload, text, found)

    def _show_found(self, upload: Upload | None, text: str, found: DataDescription | None) -> None:
        self._upload = upload
        self._preview.object = text
        if upload is not None and found is not None:
            self._offer(found)
        reading = self._reading
        asked = found is None or (found.asks and not reading.task) or found.missing
        self._use.visible = upload is not None and not asked
        self._choices.visible = upload is not None
        self._progress.visible = False

    def _offer(self, found: DataDescription) -> None:
        """Fill the menus for this file, with its current choices."""
        reading = self._reading
        self._quiet = True
        self._target.options = [column.name for column in found.columns]
        self._target.value = found.target
        self._target.disabled = not found.first  # in arrays the target is known
        taken = "values" if found.classes is None else "classes"
        open_ = found.asks and reading.task is None
        self._task.options = {**({AS_IT_IS: ""} if open_ else {}), **_turned(TASKS)}
        self._task.value = "" if open_ else taken
        gaps = bool(found.missing) or reading.missing is not None
        self._gaps.options = {**({} if reading.missing else {AS_IT_IS: ""}), **_turned(GAPS)}
        self._gaps.value = reading.missing or ""
        self._gaps.visible = gaps
        self._quiet = False

    def _choose(self) -> None:
        """The user has chosen: read the file again with the new choices."""
        upload, before = self._upload, self._reading
        if self._quiet or upload is None:
            return
        moved = self._target.value != (before.target or upload.source.describe(before).target)
        self._reading = Reading(
            self._target.value if moved else before.target,
            None if moved else self._task.value or None,  # another target's task is unknown
            self._gaps.value or None,
        )
        if self._reading != before:
            self._work("Looking at it again ...", lambda: upload)

    def _learn(self) -> None:
        if self._upload is None:
            return
        self._uploads.add(self._upload, self._handle.latest.config.data.dataset.name)
        self._used(self._upload, self._reading)


def _turned(names: dict[str, str]) -> dict[str, str]:
    """Labels for a menu, by value."""
    return {label: value for value, label in names.items()}


def learn_from(handle: ExperimentHandle, upload: Upload, reading: Reading = AS_FOUND) -> None:
    """Start a run on a visitor's own data."""
    if reading == AS_FOUND:
        handle.send(SetKnob("data.dataset", Choice(upload.name)))
        return
    now = handle.latest.config
    had_classes = bool(handle.latest.data.classes)
    config = now.replace("data.dataset", Choice(upload.name)).with_reading(reading)
    handle.send(Begin(suit_data(config, had_classes)))


explain(
    ("button dialog Data", "dialog Your own data"),
    "Data",
    "Learn from data of your own: a table, or arrays of NumPy. Nobody else sees it.",
)
explain(
    "field Your own data *",
    "Your own data",
    "Which file is read and how: what to predict, as classes or values, and what to do where values"
    " are missing.",
)
explain(
    "field Your own data Learn from it",
    "Learn from it",
    "Begins a run on this data, with the settings as they are otherwise.",
)
explain(
    "field Your own data Choose *",
    "A file",
    "A table, or arrays of NumPy. What is read of it is shown before anything learns from it.",
)
