"""Arrays as small PNG pictures within a page: one pixel a number, enlarged by the browser."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from app import palette
from app.plots.pictures import diverging, stretched


def picture(pixels: np.ndarray) -> str:  # (H, W) grey or (H, W, 3) coloured
    """A data URL of a picture."""
    levels = np.nan_to_num(255 * stretched(pixels), nan=128.0)
    return _address(Image.fromarray(np.rint(np.clip(levels, 0, 255)).astype(np.uint8)))


def numbers(values: np.ndarray, most: float) -> str:  # (H, W)
    """A data URL of a picture of numbers: blue from -most, clear at 0, red to +most."""
    image = Image.fromarray(diverging(values, most))
    image.putpalette(_bytes(palette.DIVERGING), "RGBA")
    return _address(image)


def _bytes(colours: Sequence[str]) -> bytes:
    return b"".join(bytes.fromhex(colour[1:]) for colour in colours)


def _address(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
