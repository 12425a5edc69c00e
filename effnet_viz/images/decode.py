"""From bytes that nobody vouches for to a photograph: upright, opaque, sRGB, 8 bits."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from effnet_viz.images import netpbm
from effnet_viz.images.bombs import refuse_bombs, refuse_metadata
from effnet_viz.images.develop import develop
from effnet_viz.images.photograph import ImageError, Photograph, frozen_pixels

MAX_BYTES = 20 * 1024 * 1024
"""Largest file that is read."""
TOO_LARGE = (
    f"This file is larger than {MAX_BYTES // 2**20} MB; save a smaller copy of the picture and "
    "choose that one."
)

MAX_PIXELS = 50_000_000
"""Largest width times height that is decoded."""

MAX_RATIO = 1000
"""Largest ratio of the sides that is decoded: every row costs memory of its own."""

netpbm.register()

# Only formats that photographs come in: every other decoder of Pillow is more surface for hostile
# files (EPS even starts a program). JPEG includes MPO. AVIF stands before HEIF because both claim
# files of the brand mif1 and only Pillow's AVIF decoder hands back those it cannot read.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF", "HEIF")

_SEVERAL = {
    "TIFF": "This file has several pages; only the first one is used.",
    "HEIF": "This file holds several pictures; only the main one is used.",
}

_ANIMATION = "This is an animation; only its first frame is used."


def decode(
    source: str | os.PathLike[str] | bytes | bytearray | BinaryIO | Image.Image,
) -> Photograph:
    """The photograph in a file, given as path, bytes or file object (read from its beginning).

    A PIL image is taken as it stands (current frame) and left unchanged. Raises ImageError when
    the picture cannot be used, and OSError as usual when a path cannot be read.
    """
    if isinstance(source, Image.Image):
        with _decoder_errors_as_image_errors():
            _refuse_size(source)
            picture, notes = develop(source.copy())
        pixels = frozen_pixels(picture)  # (H, W, 3)
        digest = hashlib.sha256(f"RGB {pixels.shape} ".encode())
        digest.update(pixels.data)
        return Photograph(pixels, digest.hexdigest(), notes)

    content = _read(source)
    with opened(content) as image:
        picture, notes = develop_file(image)
        pixels = frozen_pixels(picture)  # (H, W, 3)
    return Photograph(pixels, hashlib.sha256(content).hexdigest(), notes)


def develop_file(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """The first picture of an opened file, developed, and the notes on what that took."""
    several: tuple[str, ...] = ()
    # Phones append a depth map or a second exposure to a JPEG (MPO); that is no animation.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        several = (_SEVERAL.get(str(image.format), _ANIMATION),)
    picture, notes = develop(image)
    return picture, several + notes


@contextmanager
def opened(content: bytes) -> Iterator[Image.Image]:
    """The file, its size known and its pixels not read yet. What fails inside is an ImageError."""
    if not content:
        raise ImageError("This file is empty; choose another picture.")
    if len(content) > MAX_BYTES:
        raise ImageError(TOO_LARGE)
    refuse_bombs(content)
    with (
        _decoder_errors_as_image_errors(),
        Image.open(io.BytesIO(content), formats=_FORMATS) as image,
    ):
        _refuse_size(image)
        refuse_metadata(image)
        yield image


def _read(source: str | os.PathLike[str] | bytes | bytearray | BinaryIO) -> bytes:
    """All bytes of the source, or one more than MAX_BYTES of them if there are too many."""
    if isinstance(source, bytes | bytearray):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(TOO_LARGE)
        with path.open("rb") as file:
            return _read(file)
    if source.seekable():  # an upload that was read before stands at its end
        source.seek(0)
    content = bytearray()
    # A stream may hand out less than it was asked for.
    while len(content) <= MAX_BYTES and (piece := source.read(MAX_BYTES + 1 - len(content))):
        content += piece
    return bytes(content)


def _too_many_pixels() -> ImageError:
    return ImageError(
        f"This picture has more than {MAX_PIXELS // 10**6} million pixels; save a smaller copy of "
        "it and choose that one."
    )


def _refuse_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _too_many_pixels()
    if max(image.size) > MAX_RATIO * min(image.size):
        raise ImageError(
            f"One side of this picture is more than {MAX_RATIO:,} times as long as the other; cut "
            "out the part that matters, save it, and choose that file."
        )


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
    except MemoryError as error:
        raise ImageError(
            "This picture takes more memory to open than there is for it; save a smaller copy as "
            "JPEG or PNG and choose that one."
        ) from error
    except Exception as error:
        # The one place that catches everything: decoders raise OSError, SyntaxError, ValueError,
        # struct.error, zlib.error and more, and no list of them is ever complete.
        raise ImageError(
            "This picture cannot be read and may be damaged; open it in another program, save it "
            "again as JPEG or PNG, and choose that file."
        ) from error
