"""From bytes that nobody vouches for to what a model sees.

`decode` makes a photograph: upright, opaque, sRGB, 8 bits. `preprocess` makes the model's input of
it. `Crop` says which part of the photograph that input shows, so that maps can be drawn back on it.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import pillow_heif
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageFilter, UnidentifiedImageError

from effnet_viz.models.zoo import Preprocessing

MAX_BYTES = 20 * 1024 * 1024
"""Largest file that is read."""

MAX_PIXELS = 50_000_000
"""Largest width times height that is decoded."""

# Only formats that photographs come in: every other decoder of Pillow is more surface for hostile
# files (EPS even starts a program). JPEG includes MPO. AVIF stands before HEIF because both claim
# files of the brand mif1 and only Pillow's AVIF decoder hands back those it cannot read.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF", "HEIF")

# Thumbnails, depth maps and the like are never shown, so they are never parsed.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

# What has to be done to the stored picture to see it upright, by EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_SEVERAL = {
    "TIFF": "This file has several pages; only the first one is used.",
    "HEIF": "This file holds several pictures; only the main one is used.",
}
_ANIMATION = "This is an animation; only its first frame is used."
_TRANSPARENT = "Parts of this picture are transparent; they are filled with white."
_PROFILE_IGNORED = (
    "The colour profile in this file cannot be used and is ignored; "
    "if the colours look wrong, save the picture as sRGB and open it again."
)


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
        return _pixels(picture)  # (side, side, 3)


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


def decode(
    source: str | os.PathLike[str] | bytes | bytearray | BinaryIO | Image.Image,
) -> Photograph:
    """The photograph in a file, given as path, bytes or file object (read from its beginning).

    A PIL image is taken as it stands (current frame) and left unchanged. Raises ImageError when
    the picture cannot be used, and OSError as usual when a path cannot be read.
    """
    if isinstance(source, Image.Image):
        with _decoder_errors_as_image_errors():
            _refuse_too_many_pixels(source)
            pixels, notes = _develop(source.copy())  # (H, W, 3)
        digest = hashlib.sha256(f"RGB {pixels.shape} ".encode())
        digest.update(pixels.data)
        return Photograph(pixels, digest.hexdigest(), notes)

    content = _read(source)
    if not content:
        raise ImageError("This file is empty; choose another picture.")
    if len(content) > MAX_BYTES:
        raise _too_large()
    with (
        _decoder_errors_as_image_errors(),
        Image.open(io.BytesIO(content), formats=_FORMATS) as image,
    ):
        _refuse_too_many_pixels(image)
        several: tuple[str, ...] = ()
        # Phones append a depth map or a second exposure to a JPEG (MPO); that is no animation.
        if getattr(image, "is_animated", False) and image.format != "MPO":
            several = (_SEVERAL.get(str(image.format), _ANIMATION),)
        pixels, notes = _develop(image)  # (H, W, 3)
    return Photograph(pixels, hashlib.sha256(content).hexdigest(), several + notes)


@dataclass(frozen=True)
class Crop:
    """What the model saw. Coordinates are continuous: pixel i covers i to i + 1."""

    photograph: tuple[int, int]
    """Width and height of the upright photograph in pixels."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in photograph pixels; always inside the photograph."""
    resolution: int
    """Side of the model's square input in pixels."""

    def to_photograph(self, x: float, y: float) -> tuple[float, float]:
        """Model coordinates (0 to resolution) to photograph coordinates."""
        left, top, right, bottom = self.box
        return (
            left + x * (right - left) / self.resolution,
            top + y * (bottom - top) / self.resolution,
        )

    def to_model(self, x: float, y: float) -> tuple[float, float]:
        """Photograph coordinates to model coordinates; outside 0 to resolution if not seen."""
        left, top, right, bottom = self.box
        return (
            (x - left) * self.resolution / (right - left),
            (y - top) * self.resolution / (bottom - top),
        )

    @property
    def seen(self) -> float:
        """Fraction of the photograph's area that the model saw, 0 to 1."""
        left, top, right, bottom = self.box
        width, height = self.photograph
        return (right - left) * (bottom - top) / (width * height)

    def box_in(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The box in pixels of the photograph resized to this width and height."""
        left, top, right, bottom = self.box
        x, y = width / self.photograph[0], height / self.photograph[1]
        return (left * x, top * y, right * x, bottom * y)


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


def _read(source: str | os.PathLike[str] | bytes | bytearray | BinaryIO) -> bytes:
    """All bytes of the source, or one more than MAX_BYTES of them if there are too many."""
    if isinstance(source, bytes | bytearray):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if path.stat().st_size > MAX_BYTES:
            raise _too_large()
        with path.open("rb") as file:
            return _read(file)
    if source.seekable():  # an upload that was read before stands at its end
        source.seek(0)
    content = bytearray()
    # A stream may hand out less than it was asked for.
    while len(content) <= MAX_BYTES and (piece := source.read(MAX_BYTES + 1 - len(content))):
        content += piece
    return bytes(content)


def _too_large() -> ImageError:
    return ImageError(
        f"This file is larger than {MAX_BYTES // 2**20} MB; save a smaller copy of the picture and "
        "choose that one."
    )


def _too_many_pixels() -> ImageError:
    return ImageError(
        f"This picture has more than {MAX_PIXELS // 10**6} million pixels; save a smaller copy of "
        "it and choose that one."
    )


def _refuse_too_many_pixels(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _too_many_pixels()


@contextmanager
def _decoder_errors_as_image_errors() -> Iterator[None]:
    """Whatever a decoder raises on hostile bytes, the caller sees an ImageError."""
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise ImageError(
            "This is not a picture that can be opened here; choose a JPEG, PNG, WebP, GIF, TIFF, "
            "BMP, AVIF or HEIC file."
        ) from error
    except Exception as error:
        # The one place that catches everything: decoders raise OSError, SyntaxError, ValueError,
        # struct.error, zlib.error, MemoryError and more, and no list of them is ever complete.
        raise ImageError(
            "This picture cannot be read and may be damaged; open it in another program, save it "
            "again as JPEG or PNG, and choose that file."
        ) from error


def _develop(image: Image.Image) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The pixels upright, opaque, in sRGB, (H, W, 3), and the notes on what that took."""
    notes: list[str] = []
    image.load()  # first, for a PNG may tell its orientation after its pixels
    # Not ImageOps.exif_transpose: it writes the whole EXIF block anew, which can fail.
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    picture, opacity = _separate(image)
    # The profile speaks of the stored colours: it comes before white is mixed in.
    picture = _to_srgb(picture, image.info, notes)
    if opacity is not None and opacity.getextrema() != (255, 255):
        page = Image.new("RGB", picture.size, "white")
        page.paste(picture, mask=opacity)
        picture = page
        notes.append(_TRANSPARENT)
    if orientation in _UPRIGHT:
        picture = picture.transpose(_UPRIGHT[orientation])
    return _pixels(picture), tuple(notes)  # (H, W, 3)


def _separate(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The stored colours in mode L, RGB or CMYK, and the opacity in mode L if there is one."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _separate_deep_grey(image)
    if image.has_transparency_data:
        grey = image.mode in ("1", "L", "LA", "La")
        with_opacity = "LA" if grey else "RGBA"
        both = image if image.mode == with_opacity else image.convert(with_opacity)
        return both.convert("L" if grey else "RGB"), both.getchannel("A")
    if image.mode in ("L", "RGB", "CMYK"):
        return image, None
    return image.convert("L" if image.mode == "1" else "RGB"), None


def _separate_deep_grey(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Grey levels 0 to 65535 scaled to 0 to 255; Pillow's own conversion would clip them."""
    values = np.asarray(image)  # (H, W) int32, float32 or uint16
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ImageError(
            "This picture stores its brightness with more than 16 bits; save it as an 8-bit or "
            "16-bit picture, for example as PNG, and choose that file."
        )
    levels = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)  # (H, W), rounded
    transparent = image.info.get("transparency")
    if transparent is None:
        return Image.fromarray(levels), None
    opaque = np.where(values == transparent, 0, 255).astype(np.uint8)  # (H, W)
    return Image.fromarray(levels), Image.fromarray(opaque)


def _to_srgb(
    colours: Image.Image, info: dict[str | tuple[int, int], Any], notes: list[str]
) -> Image.Image:
    """Mode L, RGB or CMYK to RGB by the embedded profile, perceptually, or plainly without one."""
    transform = None
    if "icc_profile" in info:
        try:
            # A profile that Pillow could not unpack is None here: no bytes, hence an OSError.
            profile = ImageCms.ImageCmsProfile(io.BytesIO(info["icc_profile"]))
            if colours.mode == "L" and profile.profile.xcolor_space == "RGB ":
                colours = colours.convert("RGB")  # a photo made grey often keeps its RGB profile
            transform = ImageCms.buildTransform(
                profile,
                ImageCms.createProfile("sRGB"),
                colours.mode,
                "RGB",
                ImageCms.Intent.PERCEPTUAL,
            )
        except (OSError, ImageCms.PyCMSError):  # unreadable, or made for other colours than these
            notes.append(_PROFILE_IGNORED)
    if transform is not None and not (colours.mode == "RGB" and _changes_nothing(transform)):
        return transform.apply(colours)
    # convert() would copy a picture that is RGB already, 200 MB for the largest.
    return colours if colours.mode == "RGB" else colours.convert("RGB")


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether an RGB to RGB transform is the identity but for rounding: the profile is sRGB.

    Asked of colours instead of the profile's name, since sRGB has many names and anyone may use it.
    """
    levels = np.arange(0, 256, 17, dtype=np.uint8)  # (16,)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)  # (64, 64, 3)
    after = np.asarray(transform.apply(Image.fromarray(grid)))  # (64, 64, 3)
    return bool(np.abs(after.astype(np.int16) - grid).max() <= 1)


def _pixels(picture: Image.Image) -> NDArray[np.uint8]:
    """The pixels of an RGB picture, (H, W, 3), contiguous and not writeable."""
    pixels: NDArray[np.uint8] = np.asarray(picture)  # (H, W, 3)
    pixels.setflags(write=False)
    return pixels
