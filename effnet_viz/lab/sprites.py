"""The drawings that scenes are made of: the same things, drawn by several vendors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from effnet_viz.assets import LAB


@dataclass(frozen=True)
class DrawingSet:
    """One openly licensed set of drawings, as an npm package of SVG files."""

    key: str
    title: str
    vendor: str
    """Sets of one vendor look alike: they are held out of training together."""
    version: str
    licence: str
    licence_url: str
    source: str
    names: Mapping[str, str | None]
    """The set's own name of a drawing, where it differs; None leaves a drawing out."""

    @property
    def package(self) -> str:
        return f"@iconify-json/{self.key}"


_APACHE = ("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0")
_ATTRIBUTION = ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/")
_MIT = ("MIT", "https://github.com/microsoft/fluentui-emoji/blob/main/LICENSE")
_NOTO_SOURCE = "https://github.com/googlefonts/noto-emoji"
_FLUENT_SOURCE = "https://github.com/microsoft/fluentui-emoji"
_FIREFOX_NAMES = MappingProxyType(
    {
        "dog-face": "dog", "cat-face": "cat", "fox": "foxsmiling", "tiger-face": "tiger",
        "rabbit-face": "bunny", "lady-beetle": "ladybeetle", "fire-engine": "fireengine",
        "pig-face": "pig", "cow-face": "cow", "horse-face": "horse", "monkey-face": "monkey",
        "mouse-face": "mouse", "camel": "dromedarycamel", "locomotive": "steamlocomotive",
        "musical-keyboard": "musicalkeyboard", "red-apple": "redapple", "maple-leaf": "mapleleaf",
        "telephone": "blacktelephone", "gem-stone": "gem",
        # Whole pictures with a sky, no outlines of a thing:
        "sailboat": None, "tent": None,
    }
)  # fmt: skip
_STREAMLINE_NAMES = MappingProxyType(
    {
        "fox": "fox-face-1", "penguin": "penguin-1", "strawberry": "strawberry-1",
        "bear": "bear-face", "whale": "spouting-whale", "watermelon": "watermelon-1",
        "cactus": "cactus-1", "sunflower": "sunflower-1", "hamburger": "hamburger-1",
        "doughnut": "doughnut-1", "cloud": "cloud-1", "tent": None,
    }
)  # fmt: skip
_SAME: Mapping[str, str | None] = MappingProxyType({})

SETS = (
    DrawingSet("noto", "Noto Emoji", "Google", "1.2.9", *_APACHE, _NOTO_SOURCE, _SAME),
    DrawingSet("noto-v1", "Noto Emoji (v1)", "Google", "1.2.5", *_APACHE, _NOTO_SOURCE, _SAME),
    DrawingSet("fluent-emoji", "Fluent Emoji", "Microsoft", "1.2.7", *_MIT, _FLUENT_SOURCE, _SAME),
    DrawingSet(
        "fluent-emoji-flat", "Fluent Emoji Flat", "Microsoft", "1.2.6", *_MIT, _FLUENT_SOURCE, _SAME
    ),
    DrawingSet(
        "fxemoji", "Firefox OS Emoji", "Mozilla", "1.2.2", *_APACHE,
        "https://github.com/mozilla/fxemoji", _FIREFOX_NAMES,
    ),
    DrawingSet(
        "streamline-emojis", "Streamline Emojis", "Streamline", "1.2.4", *_ATTRIBUTION,
        "https://github.com/webalys-hq/streamline-vectors", _STREAMLINE_NAMES,
    ),
    DrawingSet(
        "emojione", "Emoji One (Colored)", "EmojiOne", "1.2.3", *_ATTRIBUTION,
        "https://github.com/EmojiTwo/emojitwo", _SAME,
    ),
    DrawingSet(
        "twemoji", "Twitter Emoji", "Twitter", "1.2.5", *_ATTRIBUTION,
        "https://github.com/jdecked/twemoji", _SAME,
    ),
)  # fmt: skip
"""Rows of the sheets, in order. Sets under a share-alike licence are left out."""

VENDORS = tuple(dict.fromkeys(drawing_set.vendor for drawing_set in SETS))

CLASSES = (
    "dog-face", "cat-face", "fox", "tiger-face", "rabbit-face", "penguin", "elephant", "turtle",
    "fish", "dolphin", "octopus", "snail", "honeybee", "lady-beetle", "butterfly", "bus",
    "tractor", "helicopter", "sailboat", "guitar", "trumpet", "strawberry", "pineapple", "mushroom",
)  # fmt: skip
"""What the networks tell apart, in the order of the logits; columns of the sheet of targets."""

DISTRACTORS = (
    "pig-face", "cow-face", "horse-face", "monkey-face", "koala", "bear", "mouse-face", "camel",
    "rooster", "whale", "blowfish", "snake", "spider", "bug", "ant", "crocodile", "ambulance",
    "fire-engine", "taxi", "locomotive", "motorcycle", "bicycle", "rocket", "speedboat", "violin",
    "saxophone", "musical-keyboard", "microphone", "red-apple", "tomato", "cherries", "grapes",
    "lemon", "banana", "watermelon", "pear", "peach", "cactus", "sunflower", "tulip", "rose",
    "maple-leaf", "balloon", "umbrella", "key", "hammer", "wrench", "crown", "bell", "telephone",
    "camera", "television", "basketball", "hamburger", "doughnut", "cookie", "lollipop", "candle",
    "tent", "star", "cloud", "fire", "snowman", "ghost", "alien", "skull", "trophy", "gem-stone",
)  # fmt: skip
"""What else lies in a scene; never a target. Columns of the sheet of distractors."""

TARGET_SIDE = 112
DISTRACTOR_SIDE = 48
TARGET_SHEET = LAB / "targets.webp"
DISTRACTOR_SHEET = LAB / "distractors.webp"

Drawing = NDArray[np.uint8]
"""(side, side, 4): red, green, blue, opacity, the colours not multiplied by the opacity."""


@dataclass(frozen=True, eq=False)
class Drawings:
    """The drawings of some sets."""

    targets: Mapping[str, tuple[Drawing, ...]]
    """Class to its drawings, one per set that has it."""
    distractors: tuple[Drawing, ...]


@cache
def of_vendors(*vendors: str) -> Drawings:
    """All drawings of these vendors. Raises ValueError for a vendor that is not in VENDORS."""
    unknown = set(vendors) - set(VENDORS)
    if unknown:
        raise ValueError(f"There is no vendor {min(unknown)!r}. Choose of: {', '.join(VENDORS)}.")
    rows = [row for row, drawing_set in enumerate(SETS) if drawing_set.vendor in vendors]
    targets, distractors = (
        _sheet(TARGET_SHEET, TARGET_SIDE),
        _sheet(DISTRACTOR_SHEET, DISTRACTOR_SIDE),
    )
    return Drawings(
        MappingProxyType(
            {name: _present(targets[rows, column]) for column, name in enumerate(CLASSES)}
        ),
        tuple(drawing for row in rows for drawing in _present(distractors[row])),
    )


def all_but(vendor: str) -> tuple[str, ...]:
    """The other vendors: those to train on when this one is held out."""
    return tuple(other for other in VENDORS if other != vendor)


def _present(cells: NDArray[np.uint8]) -> tuple[Drawing, ...]:
    """The cells (n, side, side, 4) that are not empty."""
    return tuple(cell for cell in cells if cell[..., 3].any())


@cache
def _sheet(path: Path, side: int) -> NDArray[np.uint8]:
    """The cells of a sheet, (sets, columns, side, side, 4), not writeable."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGBA"))  # (sets · side, columns · side, 4)
    rows, columns = pixels.shape[0] // side, pixels.shape[1] // side
    cells = pixels.reshape(rows, side, columns, side, 4).swapaxes(1, 2).copy()
    cells.flags.writeable = False
    return cells  # (sets, columns, side, side, 4)
