"""A photograph to the tensor that a model sees, and back for the eye."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self

import numpy as np
from PIL import Image

from effnet_viz.arrays import Floats, Pixels
from effnet_viz.images.photograph import Photograph
from effnet_viz.records import Crop


class Preprocessing(Protocol):
    """How a photograph becomes a network's input. It belongs to the weights; a frozen dataclass."""

    @property
    def resolution(self) -> int:
        """Side of the square input in pixels."""
        ...

    def crop(self, width: int, height: int) -> Crop:
        """The part that is taken from a photograph of this size in pixels."""
        ...

    def __call__(self, photograph: Photograph) -> tuple[Floats, Crop]:
        """The model's input (1, 3, R, R), and the part of the photograph that it shows."""
        ...

    def picture(self, x: Floats) -> Pixels:
        """An input (1, 3, R, R) for the eye, (R, R, 3)."""
        ...

    def at(self, resolution: int) -> Self:
        """The same for another input size, with the same part of the photograph."""
        ...


@dataclass(frozen=True)
class ResizeAndCrop:
    """What torchvision and timm do: resize the shorter side, cut out the middle, normalise.

    The shorter side is resized to `resize` pixels, the central square of `resolution` pixels is cut
    out, values are scaled to 0..1, then normalised per channel: (value - mean) / std.
    """

    resize: int
    resolution: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def at(self, resolution: int) -> ResizeAndCrop:
        """See Preprocessing; the ratio of resize to resolution stays."""
        resize = round(self.resize * resolution / self.resolution)
        return replace(self, resize=resize, resolution=resolution)

    def crop(self, width: int, height: int) -> Crop:
        """See Preprocessing.

        Raises ValueError for a side below 1 and for a crop larger than the resized picture.
        """
        across, down = self._axes(width, height)
        side = self.resolution
        return Crop(
            photograph=(width, height),
            box=(
                across.source(across.start),
                down.source(down.start),
                across.source(across.start + side),
                down.source(down.start + side),
            ),
            resolution=side,
        )

    def __call__(self, photograph: Photograph) -> tuple[Floats, Crop]:
        """See Preprocessing.

        Equals torchvision's ImageClassification preset bit by bit up to a ratio of 8 to 1.
        Beyond, only the surroundings of the crop are resized (see tests for the bound), because
        torchvision makes a picture of 2.6 million by 256 pixels out of one of 10000 by 1.
        """
        across, down = self._axes(photograph.width, photograph.height)
        side = self.resolution
        # The crop is not resized on its own, although Pillow could: Pillow rounds the box to 32-bit
        # floats and its coefficients to few bits, and chooses by the shapes which axis comes first,
        # so that the result differs from torchvision's, at hard edges by up to 25 levels of 255.
        margin = 4 * self.resize  # filters reach 2 pixels, of the source if that is more
        x_first, x_last = across.around(side, margin)
        y_first, y_last = down.around(side, margin)
        # Whole source pixels around them: keeps the box small enough for 32-bit floats.
        left, right = math.floor(across.source(x_first)), math.ceil(across.source(x_last))
        top, bottom = math.floor(down.source(y_first)), math.ceil(down.source(y_last))
        resized = Image.fromarray(photograph.pixels[top:bottom, left:right]).resize(  # (h, w, 3)
            (x_last - x_first, y_last - y_first),
            Image.Resampling[self.interpolation.upper()],
            box=(
                across.source(x_first) - left,
                down.source(y_first) - top,
                across.source(x_last) - left,
                down.source(y_last) - top,
            ),
        )
        x, y = across.start - x_first, down.start - y_first
        pixels = np.asarray(resized.crop((x, y, x + side, y + side)))  # (R, R, 3)
        # A channel at a time: arithmetic over three neighbours takes many times as long.
        values: Floats = np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32)
        mean, std = (np.array(of, np.float32)[:, None, None] for of in (self.mean, self.std))
        values /= np.float32(255)
        values -= mean
        values /= std
        return values[None], self.crop(photograph.width, photograph.height)

    def picture(self, x: Floats) -> Pixels:
        """See Preprocessing: the normalisation is undone."""
        mean, std = (np.array(of)[:, None, None] for of in (self.mean, self.std))  # (3, 1, 1)
        levels = np.clip(np.rint((x[0] * std + mean) * 255), 0, 255)  # (3, R, R)
        return np.ascontiguousarray(levels.transpose(1, 2, 0), np.uint8)  # (R, R, 3)

    def _axes(self, width: int, height: int) -> tuple[_Axis, _Axis]:
        if min(width, height) < 1:
            raise ValueError(f"A photograph has at least 1 pixel per side, not {width} × {height}.")
        if self.resolution > self.resize:
            raise ValueError(f"The crop is larger than the resized picture: {self}.")

        def axis(length: int) -> _Axis:
            # The truncation and the rounding half to even are torchvision's.
            resized = int(self.resize * length / min(width, height))
            return _Axis(length, resized, round((resized - self.resolution) / 2))

        return axis(width), axis(height)


@dataclass(frozen=True)
class _Axis:
    """One side of the photograph under torchvision's resize and centre crop, in whole pixels."""

    length: int
    resized: int
    start: int

    def source(self, position: int) -> float:
        """Position on the resized axis to photograph pixels; never rounds to beyond `length`."""
        return position * self.length / self.resized

    def around(self, side: int, margin: int) -> tuple[int, int]:
        """First and last position on the resized axis of the crop with a margin on both sides."""
        return max(0, self.start - margin), min(self.resized, self.start + side + margin)
