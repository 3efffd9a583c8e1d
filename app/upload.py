"""The dialog "Data": a visitor's own CSV or NPZ, looked at before it is learned from.

What a visitor brings is on no menu but his own, and gone when he has left.
"""

import base64
import html
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from panel import ui
from panel.layout import Column, Row
from panel.pane import HTML
from panel.viewable import Viewable

from app import theme
from engine import (
    Choice,
    Examples,
    Seat,
    SetKnob,
    Snapshot,
    Upload,
    keep,
    let_go,
    limits,
    read_upload,
)

type Found = Callable[[Upload | None, str], object]
type Later = Callable[[Found], Found]  # has a function called where the page may be changed

MEGABYTE = 2**20
KEPT = 3  # files of one visitor that stay
ROWS, COLUMNS = 5, 8  # of a table's preview
PICTURES = 12

EXPLAINED = """
<p>A <b>CSV</b> table has an example a row; a column <i>label</i>, <i>class</i>, <i>target</i> or
<i>y</i>, or else the last one, tells the answer. An <b>NPZ</b> file has arrays <i>x</i> and
<i>y</i>. Up to {megabytes:g} MB. Nobody else sees it, and it is gone when you leave.</p>
"""


class Uploads:
    """The files of one visitor."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: list[Upload] = []  # the newest last
        self._over = False

    @property
    def names(self) -> list[str]:
        """The names of their data sets."""
        return [upload.name for upload in self._files]

    def add(self, upload: Upload, in_use: str) -> None:
        """Keep a file; of many the oldest goes that is not in use."""
        with self._lock:
            if self._over or upload.name in self.names:
                return
            keep(upload)
            self._files.append(upload)
            spare = [x for x in self._files[:-1] if x.name != in_use]
            if len(self._files) > KEPT and spare:
                self._files.remove(spare[0])
                let_go(spare[0])

    def close(self) -> None:
        """The visitor has left: nothing of it stays."""
        with self._lock:
            self._over = True
            while self._files:
                let_go(self._files.pop())


class Data:
    """Reads a file, shows what it found, and learns from it when told to."""

    title = "Your own data"
    width = "md"

    def __init__(
        self, seat: Seat, uploads: Uploads, used: Callable[[Upload], None], later: Later
    ) -> None:
        self._seat, self._uploads, self._used = seat, uploads, used
        self._found = later(self._show_found)
        self._upload: Upload | None = None
        self._input = ui.FileInput(
            label="Choose a file, or drop it here",
            accept=".csv,.npz",
            max_file_size=limits().upload,
            variant="outlined",
            width=320,
            margin=(5, 0),
        )
        self._input.param.watch(self._arrived, "value")
        self._use = ui.Button(
            label="Learn from it",
            icon="school",
            variant="contained",
            visible=False,
            margin=(5, 0, 5, 12),
        )
        self._use.on_click(lambda event: self._learn())
        self._progress = ui.LinearProgress(
            variant="indeterminate", visible=False, sizing_mode="stretch_width", margin=(6, 0)
        )
        self._preview = HTML("", stylesheets=[theme.WORDS_CSS, theme.TABLE_CSS, theme.EXAMPLES_CSS])
        explained = EXPLAINED.format(megabytes=limits().upload / MEGABYTE)
        self.view: Viewable = Column(
            HTML(explained, stylesheets=[theme.WORDS_CSS], sizing_mode="stretch_width"),
            Row(self._input, self._use),
            self._progress,
            self._preview,
            sizing_mode="stretch_width",
        )

    def opened(self) -> None:
        """Nothing has changed meanwhile."""

    def show(self, snapshot: Snapshot) -> None:
        """The preview is that of a file, not of a run."""

    def _arrived(self, event: object) -> None:
        raw, file = self._input.value, self._input.filename
        if raw is None:
            return
        self._use.visible = False
        self._progress.visible = True
        self._input.clear()
        self._preview.object = f"<p role='status'>Reading {html.escape(str(file))} ...</p>"
        # Large tables take seconds, and a callback that took so long would hold up the page.
        reading = threading.Thread(target=self._read, args=(bytes(raw), str(file)), daemon=True)
        reading.start()

    def _read(self, raw: bytes, file: str) -> None:
        try:
            upload = read_upload(raw, file)
            self._found(upload, preview(upload))
        except ValueError as error:
            self._found(None, f"<p role='alert'>{html.escape(str(error))}</p>")

    def _show_found(self, upload: Upload | None, words: str) -> None:
        self._upload = upload
        self._preview.object = words
        self._use.visible = upload is not None
        self._progress.visible = False

    def _learn(self) -> None:
        if self._upload is None:
            return
        self._uploads.add(self._upload, self._seat.latest.config.data.dataset.name)
        self._used(self._upload)


def learn_from(seat: Seat, upload: Upload) -> None:
    """Begin a run on a visitor's own data."""
    seat.send(SetKnob("data.dataset", Choice(upload.name)))


# ---- the preview ----------------------------------------------------------------------------


def preview(upload: Upload) -> str:
    """What was found in a file: how much, of what kind, and the first of it."""
    examples = upload.examples
    kinds = (
        f"{len(examples.classes)} classes: {_listed(examples.classes)}"
        if examples.classes
        else f"{examples.outputs} to predict"
    )
    inputs = " x ".join(f"{length:,}" for length in examples.shape)
    told = (
        f"<p role='status'><b>{html.escape(upload.file)}</b>: {len(examples):,} examples of"
        f" {inputs} {'pixels' if len(examples.shape) > 1 else 'inputs'};"
        f" {html.escape(kinds)}.</p>"
    )
    return told + (_pictures(examples) if len(examples.shape) > 1 else _rows(examples))


def _listed(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _answer(examples: Examples, row: int) -> str:
    if examples.classes:
        return examples.classes[int(examples.y[row])]
    return ", ".join(theme.number(float(value)) for value in examples.y[row][:3])


def _rows(examples: Examples) -> str:
    inputs = min(COLUMNS, examples.x.shape[1])
    more = "<td>…</td>" if inputs < examples.x.shape[1] else ""
    head = "".join(f'<th scope="col">{n + 1}</th>' for n in range(inputs))
    body = "".join(
        f"<tr>{_cells(f'{x:.4g}' for x in examples.x[row, :inputs])}{more}"
        f"{_cells([_answer(examples, row)])}</tr>"
        for row in range(min(ROWS, len(examples)))
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="The first rows"><table>'
        f'<thead><tr>{head}{more}<th scope="col">answer</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(words: Iterable[str]) -> str:
    return "".join(f"<td>{html.escape(word)}</td>" for word in words)


def _pictures(examples: Examples) -> str:
    shown = []
    for row in range(min(PICTURES, len(examples))):
        answer = html.escape(_answer(examples, row))
        url = base64.b64encode(png(_pixels(examples, row))).decode()
        shown.append(
            f'<figure class="example"><img alt="{answer}" src="data:image/png;base64,{url}">'
            f"<figcaption>{answer}</figcaption></figure>"
        )
    return f'<div class="examples">{"".join(shown)}</div>'


def _pixels(examples: Examples, row: int) -> np.ndarray:
    """A picture `(rows, columns, 3)` of bytes, from its darkest number to its brightest."""
    x = examples.x[row].reshape(examples.shape)
    low, high = float(x.min()), float(x.max())
    scaled = (x - low) / ((high - low) or 1) * 255
    scaled = scaled.reshape(*examples.shape[:2], -1)
    return np.broadcast_to(scaled, (*examples.shape[:2], 3)).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:  # (rows, columns, 3) of uint8
    """A picture as PNG."""
    rows, columns, _ = pixels.shape
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), pixels.reshape(rows, -1)], axis=1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
