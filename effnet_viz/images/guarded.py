"""Decoding what strangers send: in a process of its own, which is killed when it takes too much."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from effnet_viz import processes
from effnet_viz.arrays import Pixels
from effnet_viz.images.decode import decode, develop_file, opened
from effnet_viz.images.develop import develop_layers as layers_of
from effnet_viz.images.photograph import ImageError, Photograph
from effnet_viz.processes import ForkServer, JobError, LimitError, Limits

LARGE = 15_000_000
"""Pixels above which a photograph may take more than two seconds."""

Turn = Callable[[bool], AbstractContextManager[None]]
"""Waits until one more photograph may be decoded; True for a large one."""

_decoders = ForkServer(__name__)


def limits(pixels: int) -> Limits:
    """What decoding so many pixels may take: several times what any honest file does.

    On the clock it is more, since the machine has other things to do.
    """
    processor = 1 + 0.1 * pixels / 10**6
    return Limits(processor, 9 * pixels + 150 * 10**6, 4 * processor + 5)


def start() -> None:
    """Starts what decodes, so that the first visitor does not wait for it."""
    _decoders.start()


def decode_guarded(content: bytes, turn: Turn = lambda _: nullcontext()) -> Photograph:
    """The same as `decode` for the content of a file, within `limits`. Raises ImageError.

    A file that turns out to be large is put back and takes another `turn`.
    """
    told, made = _decoded("develop", content, turn)
    width, height = told["size"]
    # (H, W, 3), not writeable, in the memory where the other process has put it
    pixels = np.frombuffer(made, np.uint8, offset=len(made) - 3 * width * height)
    digest = hashlib.sha256(content).hexdigest()
    return Photograph(pixels.reshape(height, width, 3), digest, tuple(told["notes"]))


def layers_guarded(
    content: bytes, turn: Turn = lambda _: nullcontext()
) -> tuple[Pixels, NDArray[np.uint8] | None]:
    """Colours (H, W, 3), mixed with no ground, and opacity (H, W), None for an opaque picture.

    Otherwise as decode_guarded.
    """
    told, made = _decoded("develop_layers", content, turn)
    width, height = told["size"]
    count = width * height
    values = np.frombuffer(made, np.uint8)
    opacity = values[-count:].reshape(height, width) if told["transparent"] else None
    colours = values[-4 * count : -count] if told["transparent"] else values[-3 * count :]
    return colours.reshape(height, width, 3), opacity


def _decoded(job: str, content: bytes, turn: Turn) -> tuple[Mapping[str, Any], memoryview]:
    """What a job tells and makes; a large file waits for a turn of its own."""
    with turn(False):
        told, made = _run(job, content, LARGE)
    if "pixels" in told:
        with turn(True):
            told, made = _run(job, content, told["pixels"])
    return told, made


def _run(job: str, content: bytes, most: int) -> tuple[Mapping[str, Any], memoryview]:
    try:
        told, made = _decoders.run(job, {"most": most}, content, limits(most))
    except LimitError as error:
        raise ImageError(
            "This file takes too long to read; open it in another program, save it again as JPEG "
            "or PNG, and choose that file."
        ) from error
    except JobError as error:
        raise ImageError(
            "Reading this picture failed, and it may be damaged; open it in another program, save "
            "it again as JPEG or PNG, and choose that file."
        ) from error
    if "refused" in told:
        raise ImageError(told["refused"])
    return told, made


# In the other process


def prepare() -> None:
    """Whatever Pillow loads when it is needed first: every job would load it again."""
    Image.init()
    picture = Image.new("RGB", (8, 8))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for form in ("JPEG", "PNG"):
        file = io.BytesIO()
        picture.save(file, form, icc_profile=profile)
        decode(file.getvalue())


def develop(request: Mapping[str, Any], content: memoryview, output: BinaryIO) -> Mapping[str, Any]:
    """Writes the picture as PPM, whose end are its pixels; only counts them where they are more."""

    def write(image: Image.Image) -> Mapping[str, Any]:
        picture, notes = develop_file(image)
        # Pillow writes rows as it packs them, without a copy of the whole.
        picture.save(output, "PPM")
        return {"size": picture.size, "notes": notes}

    return _open(request, content, write)


def develop_layers(
    request: Mapping[str, Any], content: memoryview, output: BinaryIO
) -> Mapping[str, Any]:
    """Writes the colours as PPM; where it is not opaque, the bytes of the opacity after them."""

    def write(image: Image.Image) -> Mapping[str, Any]:
        picture, opacity = layers_of(image)
        picture.save(output, "PPM")
        if opacity is not None:
            output.write(opacity.tobytes())
        return {"size": picture.size, "transparent": opacity is not None}

    return _open(request, content, write)


def _open(
    request: Mapping[str, Any],
    content: memoryview,
    write: Callable[[Image.Image], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Its limits become those of the size that the file declares."""
    try:
        with opened(bytes(content)) as image:
            pixels = image.width * image.height
            if pixels > request["most"]:
                return {"pixels": pixels}
            processes.limit(limits(pixels))
            return write(image)
    except ImageError as error:
        return {"refused": str(error)}
