"""Small drawn pictures of two classes, discs and stripes, that no colour tells apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 72


def drawn(label: str, number: int) -> Image.Image:
    """A disc or stripes of random colours on a random ground, with noise: no two are the same."""
    random = np.random.default_rng((label == "discs", number))
    ground, ink = (tuple(map(int, random.integers(0, 256, 3))) for _ in range(2))
    picture = Image.new("RGB", (SIDE, SIDE + 12), ground)
    draw = ImageDraw.Draw(picture)
    x, y = (int(v) for v in random.integers(24, 48, 2))
    if label == "discs":
        draw.ellipse((x - 20, y - 20, x + 20, y + 20), ink)
    else:
        for left in range(x % 12, SIDE, 12):
            draw.rectangle((left, 0, left + 5, SIDE + 12), ink)
    noisy = np.asarray(picture) + random.integers(-8, 9, (SIDE + 12, SIDE, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def class_folders(folder: Path, count: int, labels: tuple[str, ...] = ("discs", "stripes")) -> Path:
    """A folder of so many pictures for each class; the folder itself."""
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(count):
            drawn(label, number).save(folder / label / f"{number:02}.png")
    return folder
