"""Arrays to pictures: colour, overlay, stamp. Ranges are passed in, never guessed.

Pictures are uint8 (H, W, 3). Boxes are left, top, right, bottom in pixels of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from effnet_viz.arrays import Box, Floats, Pixels, Placement, Range, resample

SEQUENTIAL = ("magma", "viridis", "inferno", "cividis", "jet")
"""Colour maps from low to high: perceptually uniform ones first, then jet, which is not."""
DIVERGING = ("RdBu_r", "PuOr_r", "coolwarm")
"""Colour maps for signed values, neutral at zero."""


@cache
def colours(colour_map: str) -> Pixels:
    """The 256 colours of a colour map from low to high, (256, 3)."""
    table = mpl.colormaps[colour_map](np.arange(256), bytes=True)  # (256, 4)
    return np.ascontiguousarray(table[:, :3])  # (256, 3)


def apply_colormap(values: Floats, limits: Range, colour_map: str) -> Pixels:
    """Colours (h, w, 3) of values (h, w): the map's ends at the limits, clipped beyond them."""
    low, high = limits
    level = (values - low) / (high - low)  # (h, w)
    index = np.clip(np.rint(level * 255), 0, 255).astype(np.uint8)  # (h, w)
    picture: Pixels = colours(colour_map)[index]  # (h, w, 3)
    return picture


def enlarge_cells(picture: Pixels, side: int) -> Pixels:
    """The picture enlarged to at most `side` pixels, every pixel a block; a larger one as it is."""
    factor = side // max(picture.shape[:2])
    if factor <= 1:
        return picture
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)  # (H·factor, W·factor, 3)


def _pixels(box: Box, picture: Pixels) -> tuple[slice, slice]:
    """Rows and columns of the box, at least one pixel each, inside the picture."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box
    first_column = min(round(left), width - 1)
    first_row = min(round(top), height - 1)
    columns = slice(first_column, min(max(round(right), first_column + 1), width))
    rows = slice(first_row, min(max(round(bottom), first_row + 1), height))
    return rows, columns


def crop(picture: Pixels, box: Box) -> Pixels:
    """The part of the picture inside the box."""
    rows, columns = _pixels(box, picture)
    return picture[rows, columns]  # (h, w, 3)


def hide_unseen(picture: Pixels, box: Box) -> Pixels:
    """The picture with everything outside the box dimmed and hatched: the model did not see it."""
    height, width = picture.shape[:2]
    rows, columns = _pixels(box, picture)
    y, x = np.ogrid[:height, :width]
    # A quarter of the picture and three quarters of two greys, in whole numbers: this runs often.
    stripe = np.where((x + y) // 6 % 2 == 0, np.uint8(105), np.uint8(73))  # (H, W)
    result: Pixels = np.add(picture >> 2, stripe[..., None], dtype=np.uint8)  # (H, W, 3)
    result[rows, columns] = picture[rows, columns]
    return result


def overlay(
    picture: Pixels,
    values: Floats,
    placement: Placement,
    box: Box,
    limits: Range,
    colour_map: str,
    opacity: float,
    stamped: str | None = None,
) -> Pixels:
    """The map (h, w) in colour over the box of the picture, the unseen rest hatched.

    `placement` says where its cells lie in the box; see arrays.resample for what is between them.
    `opacity` 0 shows the photograph alone, 1 the map alone. Where the box is the whole picture,
    nothing is hatched. `stamped` is a text on the picture itself, such as that it is untrained.
    """
    result = hide_unseen(picture, box)  # (H, W, 3)
    rows, columns = _pixels(box, picture)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    heat = apply_colormap(resample(values, placement, width, height), limits, colour_map)
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


def stamp(picture: Pixels, text: str) -> Pixels:
    """The picture with a text on a dark band along its lower edge."""
    image = Image.fromarray(picture)
    width, height = image.size
    size = max(9, width // 22)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height - 2 * size, width, height), fill="#8a1c1c")
    draw.text((width / 2, height - size), text, "white", _font(size), anchor="mm")
    return np.asarray(image)  # (H, W, 3)


NARROWEST_SHEET = 640
"""Pixels: a caption on a narrower sheet would take too many lines."""


def sheet(picture: Pixels, limits: Range, colour_map: str, caption: Sequence[str]) -> Pixels:
    """The picture over a white strip with colour bar, its ends and the caption, (H + h, W', 3).

    For a map that leaves the page: without model, class and scale nobody can read it. As the viewer
    saves it, but for a narrow picture, which stays as it is, in the middle.
    """
    height, width = picture.shape[:2]
    across = max(width, NARROWEST_SHEET)
    size = across // 46
    step = size * 8 // 5
    font = _font(size)
    lines = [part for line in caption for part in _wrap(line, font, across - 2 * size)]
    result = Image.new("RGB", (across, height + step * (len(lines) + 2)), "white")
    result.paste(Image.fromarray(picture), ((across - width) // 2, 0))
    bar = Image.fromarray(colours(colour_map)[None])  # (1, 256, 3)
    y = height + step
    result.paste(
        bar.resize((across // 2, size), Image.Resampling.NEAREST), (across // 4, y - size // 2)
    )
    draw = ImageDraw.Draw(result)
    draw.text((across // 4 - size, y), number(limits[0]), "black", font, "rm")
    draw.text((across * 3 // 4 + size, y), number(limits[1]), "black", font, "lm")
    for line in lines:
        y += step
        draw.text((size, y), line, "black", font, "lm")
    return np.asarray(result)  # (H + h, W', 3)


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """The text in lines of at most so many pixels, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
