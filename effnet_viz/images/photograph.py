"""A decoded picture: upright, opaque, sRGB; what is shown of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from effnet_viz.records import Crop

# Thumbnails, depth maps and the like are never shown, so they are never parsed.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


class ImageError(ValueError):
    """An image that cannot be shown.

    The message is one sentence (what happened, what to do now) for the person who chose it.
    """


@dataclass(frozen=True)
class Photograph:
    """A decoded picture: upright, opaque, sRGB. Equality goes by digest and notes."""

    pixels: NDArray[np.uint8] = field(repr=False, compare=False)  # (H, W, 3), not writeable
    digest: str
    """SHA-256 (hex) of the original bytes; of the decoded pixels for a PIL image; where a part is
    covered, of the original's digest and what was covered."""
    notes: tuple[str, ...]
    """What was done to the picture that a person should know."""

    @property
    def id(self) -> str:
        """What results that depend on the picture are kept by."""
        return self.digest

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    def reduced(self, longest: int) -> NDArray[np.uint8]:
        """The picture for display, (h, w, 3): longer side at most `longest` pixels, never enlarged.

        Raises ValueError for `longest` below 1.
        """
        if longest < 1:
            raise ValueError(f"The longer side must be at least 1 pixel, not {longest}.")
        longer = max(self.width, self.height)
        if longer <= longest:
            return self.pixels  # (H, W, 3)
        width, height = (max(1, round(s * longest / longer)) for s in (self.width, self.height))
        return resized(self.pixels, width, height)  # (h, w, 3)

    def covered(self, box: tuple[float, float, float, float], *, keep: bool) -> Photograph:
        """The photograph with the inside of a box blurred; with `keep`, everything but the inside.

        `box` is left, top, right, bottom in fractions of the photograph. The blur is Gaussian with
        a standard deviation of 1/12 of the shorter side: colours stay, shapes go. Raises
        ValueError for an empty box.
        """
        left, top, right, bottom = box
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError(f"The box {box} is not left, top, right, bottom between 0 and 1.")
        columns = slice(
            int(left * self.width), max(int(left * self.width) + 1, round(right * self.width))
        )
        rows = slice(
            int(top * self.height), max(int(top * self.height) + 1, round(bottom * self.height))
        )
        # A blur this wide leaves nothing finer than a small copy can hold.
        small = Image.fromarray(self.reduced(256))
        blurred = small.filter(ImageFilter.GaussianBlur(min(small.size) / 12))
        blurred = blurred.resize((self.width, self.height), Image.Resampling.BILINEAR)
        inside, outside = np.asarray(blurred), self.pixels  # (H, W, 3)
        if keep:
            inside, outside = outside, inside
        pixels = outside.copy()  # (H, W, 3)
        pixels[rows, columns] = inside[rows, columns]
        pixels.flags.writeable = False
        made_of = f"{self.digest} {'all but ' if keep else ''}{columns} {rows} blurred"
        return Photograph(pixels, hashlib.sha256(made_of.encode()).hexdigest(), self.notes)

    def cropped(self, crop: Crop, side: int) -> NDArray[np.uint8]:
        """What the model saw, for display: the crop resized to (side, side, 3)."""
        picture = Image.fromarray(self.pixels).resize(
            (side, side), Image.Resampling.LANCZOS, box=crop.box, reducing_gap=3.0
        )
        return frozen_pixels(picture)  # (side, side, 3)


def resized(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) resampled for display to (height, width, 3): means over areas when smaller.

    Many times as fast as Pillow's filters, which the model's input needs.
    """
    smaller = width * height <= pixels.shape[0] * pixels.shape[1]
    picture: NDArray[np.uint8] = np.asarray(
        cv2.resize(
            pixels, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        ),
        np.uint8,
    )
    picture.setflags(write=False)
    return picture  # (height, width, 3)


def frozen_pixels(picture: Image.Image) -> NDArray[np.uint8]:
    """The pixels of an RGB picture, (H, W, 3), contiguous and not writeable."""
    pixels: NDArray[np.uint8] = np.asarray(picture)  # (H, W, 3)
    pixels.setflags(write=False)
    return pixels
