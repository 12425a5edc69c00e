"""Screenshots from before and after a change, side by side in one picture."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from effnet_viz.ui.layout.theme import LIGHT
from tools.screenshots.views import SCREENS, file_name

LARGEST = 600_000
"""Bytes that the sheet may have."""
HEIGHT = 340
"""Of every screenshot, in pixels."""
GAP, MARGIN, LINE = 16, 24, 32
ROWS = {
    "Explain an image": ("main", "light"),
    "Explain an image, dark": ("main", "dark"),
    "Compare scaling": ("compare", "light"),
    "Scaling lab": ("lab", "light"),
    "Scaling rules": ("rules", "light"),
    "Models": ("models", "light"),
}
"""What stands in each row: a view in a colour scheme, on a desk and on a phone."""
SIDE_BY_SIDE = ("1440", "phone")


def _shown(file: Path, screen: str) -> Image.Image:
    """The screenshot at the height of the sheet; an empty one where there is none."""
    size = SCREENS[screen]
    width = round(HEIGHT * size.width / size.height)
    if not file.exists():
        return Image.new("RGB", (width, HEIGHT), LIGHT["recess"])
    with Image.open(file) as picture:
        return picture.convert("RGB").resize((width, HEIGHT), Image.Resampling.LANCZOS)


def compose(before: Path, after: Path) -> Image.Image:
    """The sheet: a row for each of ROWS, before on the left, after on the right."""
    cell = sum(round(HEIGHT * SCREENS[s].width / SCREENS[s].height) for s in SIDE_BY_SIDE) + GAP
    width = 2 * cell + 3 * MARGIN
    height = LINE + len(ROWS) * (LINE + HEIGHT) + 2 * MARGIN
    sheet = Image.new("RGB", (width, height), LIGHT["ground"])
    draw = ImageDraw.Draw(sheet)
    head, text = (ImageFont.load_default(size) for size in (20, 16))
    for column, (said, folder) in enumerate((("Before", before), ("After", after))):
        left = MARGIN + column * (cell + MARGIN)
        draw.text((left, MARGIN), said, LIGHT["ink"], head)
        for row, (title, (view, scheme)) in enumerate(ROWS.items()):
            x, y = left, MARGIN + LINE + row * (LINE + HEIGHT)
            draw.text((x, y + 6), title, LIGHT["quiet"], text)
            for screen in SIDE_BY_SIDE:
                shown = _shown(folder / file_name(view, screen, scheme), screen)
                sheet.paste(shown, (x, y + LINE))
                box = (x, y + LINE, x + shown.width - 1, y + LINE + HEIGHT - 1)
                draw.rectangle(box, outline=LIGHT["line"])
                x += shown.width + GAP
    return sheet


def save(sheet: Image.Image, file: Path) -> None:
    """As WebP, as good as it can be within LARGEST. Raises ValueError if it cannot."""
    for quality in range(90, 20, -5):
        content = io.BytesIO()
        sheet.save(content, "WEBP", quality=quality, method=6)
        if content.tell() <= LARGEST:
            file.write_bytes(content.getvalue())
            return
    raise ValueError(f"The sheet does not fit into {LARGEST:,} bytes.")
