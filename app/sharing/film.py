"""A film of a run as an animated picture: its curves as they grow, and what the network becomes.

Each frame is drawn twice as large and then reduced, which smooths its lines.
"""

import functools
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import panel_material_ui
from PIL import Image, ImageDraw, ImageFont

from app import numbers, palette
from app.plots.activations import axis_ticks
from app.plots.plane import shades_of, surface_bytes
from app.plots.plot_data import score_name
from engine import DecisionSurface, Film, FilmFrame, Snapshot

WIDTH, HEIGHT = 720, 420
TWICE = 2
LASTS, ENDS = 20_000, 3_000  # milliseconds of the film, and of its last frame
BEND = 100  # steps: about so many are evenly spaced on the axis
PAPER, TEXT = "#ffffff", "#202124"
MOST_CHANGES = 4  # that are named
LETTERS = 128  # of the caption on one line
COLOURS = 96  # of a GIF
FONT = "roboto-latin-400-normal-*.woff"  # that of the page
BEYOND_LATIN = "−–—…“”"  # what it has besides latin-1
APART = 52  # pixels between two numbers below an axis
KINDS = ("webp", "gif")

type Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

LOSS: Box = (48, 56, 350, 196)
SCORE: Box = (48, 226, 350, 356)
POINT = 2 * TWICE  # half the size of an example
RIGHT = (384, 56, 708, 356)


@dataclass(frozen=True, eq=False)
class _Curve:
    """A curve in pixels, and how many of its points belong to each step."""

    steps: np.ndarray
    points: list[tuple[float, float]]
    colour: str

    def up_to(self, step: int) -> list[tuple[float, float]]:
        """The points up to a step."""
        return self.points[: int(np.searchsorted(self.steps, step, side="right"))]


def pictures(film: Film, run: Snapshot, caption: str) -> Iterator[Image.Image]:
    """The frames of a film as pictures."""
    drawing = _Drawing(film, run, caption)
    for frame in film.frames:
        yield drawing.picture(frame)


def encode(images: Iterator[Image.Image], count: int, kind: str) -> bytes:
    """So many pictures as one animated file."""
    file, first = io.BytesIO(), next(images)
    times = [LASTS // count] * (count - 1) + [ENDS]
    if kind == "gif":
        flat = (image.quantize(COLOURS, Image.Quantize.FASTOCTREE) for image in images)
        first.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(
            file, "GIF", save_all=True, append_images=flat, duration=times, loop=0
        )
    else:
        first.save(
            file, "WEBP", save_all=True, append_images=images, duration=times, loop=0, quality=70,
            method=2,
        )  # fmt: skip
    return file.getvalue()


class _Drawing:
    """What all frames of a film share, and how each is drawn over it."""

    def __init__(self, film: Film, run: Snapshot, caption: str) -> None:
        self._film, self._run = film, run
        self._end = film.frames[-1].step
        self._small, self._plain, self._large = (_font(TWICE * size) for size in (11, 13, 19))
        self._limit = max(float(frame.edges[-1]) for frame in film.frames)
        self._densest = [
            max(1e-9, max(float(_density(frame, n).max()) for frame in film.frames))
            for n in range(len(film.layers))
        ]
        self._plane = film.frames[0].surface
        self._under = Image.new("RGB", (TWICE * WIDTH, TWICE * HEIGHT), PAPER)
        self._draw = ImageDraw.Draw(self._under)
        self._curves = [*self._losses(), *self._scores()]
        self._name_changes()
        self._number_steps()
        self._write_caption(caption)

    def picture(self, frame: FilmFrame) -> Image.Image:
        """One frame."""
        image = self._under.copy()
        self._draw = ImageDraw.Draw(image)
        self._write((12, 12), f"Step {frame.step:,}", self._large, TEXT)
        x = TWICE * self._x(frame.step)
        for box in (LOSS, SCORE):
            top, bottom = TWICE * box[1], TWICE * box[3]
            self._draw.line([(x, top), (x, bottom)], palette.QUIET, TWICE)
        for curve in self._curves:
            if len(points := curve.up_to(frame.step)) > 1:
                self._draw.line(points, curve.colour, 2 * TWICE, joint="curve")
        if frame.surface and self._plane:
            self._put_plane(image, frame)
        else:
            self._put_histograms(frame)
        return image.reduce(TWICE)

    # ---- the curves -----------------------------------------------------------------------------

    def _x(self, step: float) -> float:
        """Where a step lies: the first ones evenly, later ones by their logarithm."""
        whole = math.log1p(self._end / BEND) or 1.0
        return LOSS[0] + (LOSS[2] - LOSS[0]) * min(1.0, math.log1p(step / BEND) / whole)

    def _number_steps(self) -> None:
        """The last step, and below the axis all powers of ten for which there is space."""
        last = f"step {self._end:,}"
        free = SCORE[2] - self._wide(last)  # the numbers before end left of it
        self._write((free, SCORE[3] + 2), last, self._small, palette.TICKS)
        after = SCORE[0]
        for step in (0, *(10**power for power in range(2, 9))):
            x, text = self._x(step), f"{step:,}"
            if step < self._end and x >= after and x + self._wide(text) < free - 8:
                self._write((x, SCORE[3] + 2), text, self._small, palette.TICKS)
                self._line((x, SCORE[3]), (x, SCORE[3] + 4), palette.QUIET, 1)
                after = x + APART

    def _wide(self, text: str) -> float:
        return self._small.getlength(_drawable(text)) / TWICE

    def _losses(self) -> Iterator[_Curve]:
        columns = "loss", "validation_loss"
        known = np.concatenate([self._column(name)[1] for name in columns])
        known = known[known > 0]
        low, high = np.quantile(known, (0.0, 0.99)) if known.size else (0.1, 1.0)
        high = max(float(high), 1.05 * float(low))

        def up(value: np.ndarray) -> np.ndarray:
            share = np.log(np.maximum(value, low) / low) / math.log(high / low)
            return np.asarray(LOSS[3] - (LOSS[3] - LOSS[1]) * np.clip(share, 0, 1))

        ticks = [(numbers.tick(float(x)), y) for x, y in ((low, LOSS[3]), (high, LOSS[1]))]
        self._frame(LOSS, "Loss, log scale", ticks)
        yield from self._drawn(columns, up)

    def _scores(self) -> Iterator[_Curve]:
        columns = "train_accuracy", "validation_accuracy"

        def up(value: np.ndarray) -> np.ndarray:
            return np.asarray(SCORE[3] - (SCORE[3] - SCORE[1]) * np.clip(value, 0, 1))

        title, classes = score_name(self._run), self._run.data.classes
        low, high = ("0 %", "100 %") if classes else ("0", "1")
        self._frame(SCORE, title[0].upper() + title[1:], [(low, SCORE[3]), (high, SCORE[1])])
        yield from self._drawn(columns, up)

    def _column(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        steps, values = self._run.curves["step"], self._run.curves[name]
        known = np.isfinite(values) & (steps <= self._end)
        return steps[known], values[known]

    def _drawn(
        self, columns: Sequence[str], up: Callable[[np.ndarray], np.ndarray]
    ) -> Iterator[_Curve]:
        for name, colour in zip(columns, (palette.TRAIN, palette.VALIDATION), strict=True):
            steps, values = self._column(name)
            across = [TWICE * self._x(float(step)) for step in steps]
            points = list(zip(across, (TWICE * up(values)).tolist(), strict=True))
            yield _Curve(steps, points, colour)

    def _frame(self, box: Box, title: str, ticks: Sequence[tuple[str, float]]) -> None:
        """The frame of a plot of curves: its title, its lines' names, two ticks, changes."""
        left, top, right, bottom = box
        self._write((left, top - 20), title, self._plain, TEXT)
        self._write((right - 128, top - 19), "training", self._small, palette.TRAIN)
        self._write((right - 62, top - 19), "validation", self._small, palette.VALIDATION)
        for text, y in ticks:
            self._line((left, y), (right, y), palette.QUIET, 1)
            self._write((4, y - 7), text, self._small, palette.TICKS)
        for marker in self._run.markers:
            if marker.step <= self._end:
                x = self._x(marker.step)
                self._line((x, top), (x, bottom), palette.ACCENT, 1)

    def _name_changes(self) -> None:
        """What was changed, beside its line, where curves seldom are: the first ones."""
        known = [marker for marker in self._run.markers if marker.step <= self._end]
        for number, marker in enumerate(known[:MOST_CHANGES]):
            text = marker.text.replace("→", "to")
            wide = self._wide(text)
            x = min(self._x(marker.step) + 4, SCORE[2] - wide)
            self._write((x, SCORE[3] - 17 - 13 * number), text, self._small, palette.ACCENT)

    # ---- what the network is --------------------------------------------------------------------

    def _put_plane(self, image: Image.Image, frame: FilmFrame) -> None:
        """The decision surface, and the examples on it."""
        if frame.surface is None or self._plane is None:
            return
        classes, seen, (left, top, right, bottom) = len(self._run.data.classes), self._plane, RIGHT
        shades = Image.fromarray(surface_bytes(frame.surface, classes)[::-1].copy())
        shades.putpalette(b"".join(bytes.fromhex(x[1:]) for x in shades_of(classes)), "RGBA")
        # Of the grid, which is twice as wide as high, its middle, as wide as the examples reach.
        reach = np.abs(seen.training.x[:, 0] - (seen.left + seen.right) / 2).max()
        least = 2.2 * float(reach) / (seen.right - seen.left) * shades.width
        across = min(shades.width, max(least, shades.height * (right - left) / (bottom - top)))
        edge = (shades.width - across) / 2
        scale = TWICE * (right - left) / across  # pixels of a place of the grid
        size = round(across * scale), round(shades.height * scale)
        box = edge, 0.0, edge + across, float(shades.height)
        plane = shades.convert("RGBA").resize(size, Image.Resampling.BILINEAR, box)
        x, y = TWICE * left, round(TWICE * (top + bottom) / 2 - size[1] / 2)
        image.paste(plane, (x, y), plane)
        self._write((left, y / TWICE - 20), "What it predicts", self._plain, TEXT)
        self._put_examples(seen, (x - edge * scale, y + size[1]), scale * shades.width)

    def _put_examples(
        self, seen: DecisionSurface, corner: tuple[float, float], wide: float
    ) -> None:
        """The training examples on a plane so many pixels wide, from its lower left corner."""
        classes = len(self._run.data.classes)
        colours = palette.points(classes) if classes else [palette.INK]
        right, up = wide / (seen.right - seen.left), wide / 2 / (seen.top - seen.bottom)
        for (x, y), label in zip(seen.training.x, seen.training.right, strict=True):
            across, down = corner[0] + right * (x - seen.left), corner[1] - up * (y - seen.bottom)
            colour = colours[int(label)] if classes else colours[0]
            spot = (across - POINT, down - POINT, across + POINT, down + POINT)
            self._draw.ellipse(spot, colour, PAPER)

    def _put_histograms(self, frame: FilmFrame) -> None:
        """The activations of each layer, one below the other."""
        left, top, right, bottom = RIGHT
        self._write((left, top - 20), "Activations of each layer", self._plain, TEXT)
        each = (bottom - top) / len(frame.counts)
        middle, half = (left + right) / 2, (right - left) / 2
        places = middle + half * np.arcsinh(frame.edges) / math.asinh(self._limit)
        for number in range(len(frame.counts)):
            base = top + each * (number + 1)
            height = each - 18 if each > 30 else each - 3
            colour = palette.colour(number)
            # By the root, small bars stay visible.
            tall = height * np.sqrt(_density(frame, number) / self._densest[number])
            for x, to, height in zip(places, places[1:], tall, strict=False):
                if height:
                    bar = (x, base - height, max(x, to - 0.5), base)
                    self._draw.rectangle([TWICE * side for side in bar], colour)
            self._line((left, base), (right, base), palette.QUIET, 1)
            if each > 30:
                name = self._film.layers[number]
                self._write((left, base - each + 2), name, self._small, colour)
        self._number_activations(len(frame.counts[0]))

    def _number_activations(self, bins: int) -> None:
        """Round values below the histograms, which are linear around 0 and logarithmic beyond."""
        left, _, right, bottom = RIGHT
        for place, text in axis_ticks(bins, self._limit):
            x = left + (right - left) * place / bins
            self._line((x, bottom), (x, bottom + 4), palette.QUIET, 1)
            self._write((x - self._wide(text) / 2, bottom + 4), text, self._small, palette.TICKS)

    # ---- words and lines ----------------------------------------------------------------------

    def _write_caption(self, caption: str) -> None:
        lines, line = [], ""
        for word in caption.split():
            if len(line) + len(word) >= LETTERS:
                lines.append(line)
                line = ""
            line = f"{line} {word}".strip()
        for number, text in enumerate([*lines, line][:3]):
            self._write((12, HEIGHT - 44 + 14 * number), text, self._small, palette.INK)

    def _write(
        self,
        place: tuple[float, float],
        text: str,
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
        colour: str,
    ) -> None:
        self._draw.text((TWICE * place[0], TWICE * place[1]), _drawable(text), colour, font)

    def _line(
        self, start: tuple[float, float], end: tuple[float, float], colour: str, width: int
    ) -> None:
        ends = [(TWICE * x, TWICE * y) for x, y in (start, end)]
        self._draw.line(ends, colour, TWICE * width)


def _density(frame: FilmFrame, layer: int) -> np.ndarray:
    """Activations of a layer for each unit of the axis: bins of another frame may be wider."""
    return np.asarray(frame.counts[layer] / np.diff(np.arcsinh(frame.edges)))


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The page's font, of so many pixels; Pillow's own where the package names it otherwise."""
    for file in Path(panel_material_ui.__file__).parent.glob(f"dist/{FONT}"):
        return ImageFont.truetype(file, size)
    return ImageFont.load_default(size)


def _drawable(text: str) -> str:
    """Words as the font can write them."""
    return "".join(x if x < "\u0100" or x in BEYOND_LATIN else "?" for x in text)
