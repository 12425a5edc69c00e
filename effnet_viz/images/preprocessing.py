"""A photograph to the tensor that a model sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image

from effnet_viz.arrays import Pixels
from effnet_viz.images.photograph import Photograph
from effnet_viz.records import Crop


def as_picture(image: torch.Tensor, preprocessing: Preprocessing) -> Pixels:
    """A network's input (1, 3, R, R) for the eye, (R, R, 3): its normalisation is undone."""
    mean = np.array(preprocessing.mean)[:, None, None]  # (3, 1, 1)
    std = np.array(preprocessing.std)[:, None, None]  # (3, 1, 1)
    values = image[0].numpy() * std + mean  # (3, R, R)
    levels = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)  # (3, R, R)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))  # (R, R, 3)


def crop_of(width: int, height: int, preprocessing: Preprocessing) -> Crop:
    """The crop that this preprocessing takes from a photograph of this size in pixels.

    Raises ValueError for a side below 1 and for a crop larger than the resized picture.
    """
    across, down = _axes(width, height, preprocessing)
    side = preprocessing.crop
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


def preprocess(photograph: Photograph, preprocessing: Preprocessing) -> tuple[torch.Tensor, Crop]:
    """The model's input, float32 (1, 3, R, R), and the crop it shows; (value / 255 - mean) / std.

    Equals torchvision's ImageClassification preset bit by bit up to a ratio of 8 to 1.
    Beyond, only the surroundings of the crop are resized (see tests for the bound), because
    torchvision makes a picture of 2.6 million by 256 pixels out of one of 10000 by 1.
    """
    across, down = _axes(photograph.width, photograph.height, preprocessing)
    side = preprocessing.crop
    # The crop is not resized on its own, although Pillow could: Pillow rounds the box to 32-bit
    # floats and its coefficients to few bits, and chooses by the shapes which axis comes first, so
    # that the result differs from torchvision's, at hard edges by up to 25 levels of 255.
    margin = 4 * preprocessing.resize  # filters reach 2 pixels, of the source if that is more
    x_first, x_last = across.around(side, margin)
    y_first, y_last = down.around(side, margin)
    # Whole source pixels around them: keeps the box small enough for 32-bit floats.
    left, right = math.floor(across.source(x_first)), math.ceil(across.source(x_last))
    top, bottom = math.floor(down.source(y_first)), math.ceil(down.source(y_last))
    resized = Image.fromarray(photograph.pixels[top:bottom, left:right]).resize(  # (h, w, 3)
        (x_last - x_first, y_last - y_first),
        Image.Resampling[preprocessing.interpolation.upper()],
        box=(
            across.source(x_first) - left,
            down.source(y_first) - top,
            across.source(x_last) - left,
            down.source(y_last) - top,
        ),
    )
    x, y = across.start - x_first, down.start - y_first
    cut = torch.from_numpy(np.array(resized.crop((x, y, x + side, y + side))))  # (R, R, 3)
    values = cut.permute(2, 0, 1).contiguous().to(torch.float32) / 255  # (3, R, R)
    mean = torch.tensor(preprocessing.mean).view(3, 1, 1)  # (3, 1, 1)
    std = torch.tensor(preprocessing.std).view(3, 1, 1)  # (3, 1, 1)
    model_input = ((values - mean) / std).unsqueeze(0)  # (1, 3, R, R)
    return model_input, crop_of(photograph.width, photograph.height, preprocessing)


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


def _axes(width: int, height: int, preprocessing: Preprocessing) -> tuple[_Axis, _Axis]:
    if min(width, height) < 1:
        raise ValueError(f"A photograph has at least 1 pixel per side, not {width} × {height}.")
    if preprocessing.crop > preprocessing.resize:
        raise ValueError(f"The crop is larger than the resized picture: {preprocessing}.")

    def axis(length: int) -> _Axis:
        # The truncation and the rounding half to even are torchvision's.
        resized = int(preprocessing.resize * length / min(width, height))
        return _Axis(length, resized, round((resized - preprocessing.crop) / 2))

    return axis(width), axis(height)


@dataclass(frozen=True)
class Preprocessing:
    """How a photograph becomes the network's input. It belongs to the weights.

    The shorter side is resized to `resize` pixels, the central square of `crop` pixels is cut out,
    values are scaled to 0..1, then normalised per channel: (value - mean) / std.
    """

    resize: int
    crop: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
