"""`python -m tools.gallery`: the pictures of the gallery's scenes, made again."""

from __future__ import annotations

import io
import sys

import numpy as np
from PIL import Image

from effnet_viz.assets import SCENES
from effnet_viz.scenes.gallery import gallery, scene_of

QUALITY = 90


def main() -> int:
    """Write every picture of the table, and print whom it must name.

    The credits belong into the table: they are not computed when a page opens.
    """
    for key in gallery():
        scene = scene_of(key)
        (SCENES / f"{key}.webp").write_bytes(encoded(scene.image))
        lines = "\n".join(f"    {line!r}," for line in scene.credits)
        sys.stdout.write(f"{key}: credits = [\n{lines}\n]\n")
    return 0


def encoded(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """(h, w, 3) as WebP."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "webp", quality=QUALITY, method=6)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
