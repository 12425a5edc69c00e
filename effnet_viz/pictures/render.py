"""Arrays to pictures: colour, overlay, stamp. Ranges are passed in, never guessed.

Pictures are uint8 (H, W, 3). Boxes are left, top, right, bottom in pixels of the picture.
"""

from __future__ import annotations

import base64
import io
from functools import cache
from pathlib import Path
from typing import Literal

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]
Range = tuple[float, float]

SEQUENTIAL = ("magma", "viridis", "inferno", "cividis", "jet")
"""Colour maps from low to high: perceptually uniform ones first, then jet, which is not."""
DIVERGING = ("RdBu_r", "PuOr_r", "coolwarm")
"""Colour maps for signed values, neutral at zero."""


def positive_range(*maps: Floats) -> Range:
    """0 to the largest value of all maps; (0, 1) when none is positive."""
    highest = max(float(values.max()) for values in maps)
    return (0.0, highest if highest > 0 else 1.0)


def signed_range(*maps: Floats) -> Range:
    """-m to m with m the largest absolute value of all maps; (-1, 1) when all are zero."""
    largest = max(float(np.abs(values).max()) for values in maps)
    return (-largest, largest) if largest > 0 else (-1.0, 1.0)


def full_range(values: Floats) -> Range:
    """From the smallest to the largest value; one step wide for a flat map, which is all low."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1)


@cache
def colours(colour_map: str) -> Picture:
    """The 256 colours of a colour map from low to high, (256, 3)."""
    table = mpl.colormaps[colour_map](np.arange(256), bytes=True)  # (256, 4)
    return np.ascontiguousarray(table[:, :3])  # (256, 3)


def colourise(values: Floats, limits: Range, colour_map: str) -> Picture:
    """Colours (h, w, 3) of values (h, w): the map's ends at the limits, clipped beyond them."""
    low, high = limits
    level = (values - low) / (high - low)  # (h, w)
    index = np.clip(np.rint(level * 255), 0, 255).astype(np.uint8)  # (h, w)
    picture: Picture = colours(colour_map)[index]  # (h, w, 3)
    return picture


def resize_map(values: Floats, width: int, height: int) -> Floats:
    """Values (h, w) enlarged bilinearly to (height, width), cell centres kept in place."""
    image = Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image)  # (height, width)


def enlarge_cells(picture: Picture, side: int) -> Picture:
    """The picture enlarged to at most `side` pixels, every pixel a block; a larger one as it is."""
    factor = side // max(picture.shape[:2])
    if factor <= 1:
        return picture
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)  # (H·factor, W·factor, 3)


def _pixels(box: Box, picture: Picture) -> tuple[slice, slice]:
    """Rows and columns of the box, at least one pixel each, inside the picture."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box
    first_column = min(round(left), width - 1)
    first_row = min(round(top), height - 1)
    columns = slice(first_column, min(max(round(right), first_column + 1), width))
    rows = slice(first_row, min(max(round(bottom), first_row + 1), height))
    return rows, columns


def cut(picture: Picture, box: Box) -> Picture:
    """The part of the picture inside the box."""
    rows, columns = _pixels(box, picture)
    return picture[rows, columns]  # (h, w, 3)


def hide_unseen(picture: Picture, box: Box) -> Picture:
    """The picture with everything outside the box dimmed and hatched: the model did not see it."""
    height, width = picture.shape[:2]
    rows, columns = _pixels(box, picture)
    y, x = np.ogrid[:height, :width]
    # A quarter of the picture and three quarters of two greys, in whole numbers: this runs often.
    stripe = np.where((x + y) // 6 % 2 == 0, np.uint8(105), np.uint8(73))  # (H, W)
    result: Picture = np.add(picture >> 2, stripe[..., None], dtype=np.uint8)  # (H, W, 3)
    result[rows, columns] = picture[rows, columns]
    return result


def overlay(
    picture: Picture,
    values: Floats,
    box: Box,
    limits: Range,
    colour_map: str,
    opacity: float,
    stamped: str | None = None,
) -> Picture:
    """The map (h, w) in colour over the box of the picture, the unseen rest hatched.

    `opacity` 0 shows the photograph alone, 1 the map alone. Where the box is the whole picture,
    nothing is hatched. `stamped` is a text on the picture itself, such as that it is untrained.
    """
    result = hide_unseen(picture, box)  # (H, W, 3)
    rows, columns = _pixels(box, picture)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    heat = colourise(resize_map(values, width, height), limits, colour_map)  # (h', w', 3)
    seen = Image.fromarray(picture[rows, columns])
    result[rows, columns] = np.asarray(Image.blend(seen, Image.fromarray(heat), opacity))
    return stamp(result, stamped) if stamped else result


def number(value: float) -> str:
    """A value in at most three significant digits, as it stands beside a colour bar."""
    return f"{value:.3g}".replace("-", "−")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # matplotlib ships DejaVu, which has ×, − and accents; Pillow's own font has not.
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def stamp(picture: Picture, text: str) -> Picture:
    """The picture with a text on a dark band along its lower edge."""
    image = Image.fromarray(picture)
    width, height = image.size
    size = max(9, width // 22)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height - 2 * size, width, height), fill="#8a1c1c")
    draw.text((width / 2, height - size), text, "white", _font(size), anchor="mm")
    return np.asarray(image)  # (H, W, 3)


def encode(picture: Picture, file_format: Literal["png", "jpeg", "webp"]) -> bytes:
    """The picture as a file: exact as PNG or the smaller WebP, JPEG for photographs."""
    buffer = io.BytesIO()
    # Without loss, WebP's quality is the time spent on a tenth fewer bytes.
    how = (
        {"lossless": True, "quality": 0, "method": 0} if file_format == "webp" else {"quality": 88}
    )
    Image.fromarray(picture).save(buffer, file_format, **how)
    return buffer.getvalue()


def data_url(picture: Picture, file_format: Literal["png", "jpeg", "webp"]) -> str:
    """The picture as a data: URL."""
    content = base64.b64encode(encode(picture, file_format)).decode()
    return f"data:image/{file_format};base64,{content}"
