"""Decoding what strangers send: in a process of its own, which is killed when it takes too much."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from effnet_viz.images.decode import declared_pixels, decode
from effnet_viz.images.photograph import ImageError, Photograph
from effnet_viz.processes import Content, ForkServer, JobError, LimitError, Limits

Turn = Callable[[int], AbstractContextManager[None]]
"""Waits until a file of so many pixels may be worked on; 0 while its size is not known."""

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

    `turn` is entered once to look at the file's declaration and once to decode it.
    """
    with turn(0):
        told, _ = _run("look", content, 0)
    pixels: int = told["pixels"]
    with turn(pixels):
        told, made = _run("develop", content, pixels)
    height, width = told["size"]
    # (H, W, 3), not writeable, in the memory where the other process has put it
    array = np.frombuffer(made, np.uint8).reshape(height, width, 3)
    return Photograph(array, hashlib.sha256(content).hexdigest(), tuple(told["notes"]))


def _run(job: str, content: bytes, pixels: int) -> tuple[Mapping[str, Any], memoryview]:
    try:
        told, made = _decoders.run(job, {}, content, limits(pixels))
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


# The jobs


def prepare() -> None:
    """Whatever Pillow loads when it is needed first: every job would load it again."""
    Image.init()
    picture = Image.new("RGB", (8, 8))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for form in ("JPEG", "PNG"):
        file = io.BytesIO()
        picture.save(file, form, icc_profile=profile)
        decode(file.getvalue())


def look(_: Mapping[str, Any], content: memoryview) -> tuple[Mapping[str, Any], Content]:
    """How many pixels a file declares."""
    try:
        return {"pixels": declared_pixels(bytes(content))}, b""
    except ImageError as error:
        return {"refused": str(error)}, b""


def develop(_: Mapping[str, Any], content: memoryview) -> tuple[Mapping[str, Any], Content]:
    """The pixels, with their height and width and the notes."""
    try:
        photograph = decode(bytes(content))
    except ImageError as error:
        return {"refused": str(error)}, b""
    pixels = photograph.pixels  # (H, W, 3)
    return {"size": pixels.shape[:2], "notes": photograph.notes}, pixels.data.cast("B")
