"""Draw the two sheets of drawings again from the npm packages: python -m tools.sprite_sheets

Needs npm and the Python package resvg_py, which turns SVG into pixels.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from effnet_viz.lab import sprites
from effnet_viz.lab.sprites import Drawing, DrawingSet

_MARGIN = 2
_ALIAS_STEPS = 5
_SUPERSAMPLING = 4


def rebuild(target_sheet: Path, distractor_sheet: Path) -> None:
    """Fetch every set in its pinned version and write both sheets as lossless WebP."""
    with TemporaryDirectory() as folder:
        icons = [_icons(drawing_set, Path(folder)) for drawing_set in sprites.SETS]
    for path, names, side in (
        (target_sheet, sprites.CLASSES, sprites.TARGET_SIDE),
        (distractor_sheet, sprites.DISTRACTORS, sprites.DISTRACTOR_SIDE),
    ):
        rows = [
            np.concatenate([_drawing(icon, drawing_set, name, side) for name in names], axis=1)
            for icon, drawing_set in zip(icons, sprites.SETS, strict=True)
        ]  # each (side, columns · side, 4)
        Image.fromarray(np.concatenate(rows)).save(path, lossless=True, quality=100, method=6)


def _icons(drawing_set: DrawingSet, folder: Path) -> dict[str, Any]:
    """The set's drawings as its package has them; checks that the licence is the one we know."""
    packed = subprocess.run(
        ["npm", "pack", "--json", f"{drawing_set.package}@{drawing_set.version}"],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    with tarfile.open(folder / json.loads(packed.stdout)[0]["filename"]) as archive:

        def read(name: str) -> dict[str, Any]:
            member = archive.extractfile(f"package/{name}")
            assert member is not None
            content: dict[str, Any] = json.load(member)
            return content

        licence = read("info.json")["license"]["spdx"]
        if licence != drawing_set.licence:
            raise ValueError(
                f"{drawing_set.package} {drawing_set.version} is under {licence}, not under "
                f"{drawing_set.licence}. Check whether it may be shipped before using it."
            )
        return read("icons.json")


def _drawing(icons: dict[str, Any], drawing_set: DrawingSet, name: str, side: int) -> Drawing:
    """One drawing, cut to its outline and fitted into a square; empty where the set has none."""
    svg = _svg(icons, drawing_set.names.get(name, name))
    cell = np.zeros((side, side, 4), np.uint8)
    if svg is None:
        return cell
    import resvg_py  # only needed here

    png = resvg_py.svg_to_bytes(svg_string=svg, width=side * _SUPERSAMPLING)
    with Image.open(io.BytesIO(bytes(png))) as image:
        picture = image.convert("RGBA")
    box = picture.getchannel("A").point(lambda opacity: 255 * (opacity > 16)).getbbox()
    if box is None:
        return cell
    picture = picture.crop(box)
    factor = (side - 2 * _MARGIN) / max(picture.size)
    width, height = (max(1, round(length * factor)) for length in picture.size)
    fitted = _resized(np.asarray(picture), width, height)  # (height, width, 4)
    top, left = (side - height) // 2, (side - width) // 2
    cell[top : top + height, left : left + width] = fitted
    return cell


def _resized(picture: Drawing, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 4). The colours are averaged by opacity, so no dark rim appears."""
    opacity = picture[..., 3:] / np.float32(255)  # (h, w, 1)
    premultiplied = np.concatenate([picture[..., :3] * opacity, picture[..., 3:]], axis=2)
    channels = [
        np.asarray(
            Image.fromarray(premultiplied[..., channel].astype(np.float32)).resize(
                (width, height), Image.Resampling.BOX
            )
        )
        for channel in range(4)
    ]  # four of (height, width)
    resized = np.stack(channels, axis=2)  # (height, width, 4)
    resized[..., :3] /= np.maximum(resized[..., 3:] / 255, 1 / 255)
    visible = resized[..., 3:] >= 0.5
    return np.where(visible, resized.round().clip(0, 255), 0).astype(np.uint8)


def _svg(icons: dict[str, Any], name: str | None) -> str | None:
    for _ in range(_ALIAS_STEPS):
        if name is None or name in icons["icons"]:
            break
        alias = icons.get("aliases", {}).get(name)
        if alias is None or set(alias) - {"parent", "hidden"}:  # missing, or turned or mirrored
            return None
        name = alias["parent"]
    if name not in icons["icons"]:
        return None
    icon = icons["icons"][name]
    left, top = icon.get("left", 0), icon.get("top", 0)
    width = icon.get("width", icons.get("width", 16))
    height = icon.get("height", icons.get("height", 16))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}" height="{height}" viewBox="{left} {top} {width} {height}">'
        f"{icon['body']}</svg>"
    )


if __name__ == "__main__":
    rebuild(sprites.TARGET_SHEET, sprites.DISTRACTOR_SHEET)
