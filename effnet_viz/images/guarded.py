"""Decoding what strangers send: in a process of its own, which is killed when it takes too much."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms

from effnet_viz import processes
from effnet_viz.images.decode import decode, develop_file, opened
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
    with turn(False):
        told, made = _run(content, LARGE)
    if "pixels" in told:
        with turn(True):
            told, made = _run(content, told["pixels"])
    width, height = told["size"]
    # (H, W, 3), not writeable, in the memory where the other process has put it
    pixels = np.frombuffer(made, np.uint8, offset=len(made) - 3 * width * height)
    digest = hashlib.sha256(content).hexdigest()
    return Photograph(pixels.reshape(height, width, 3), digest, tuple(told["notes"]))


def _run(content: bytes, most: int) -> tuple[Mapping[str, Any], memoryview]:
    try:
        told, made = _decoders.run("develop", {"most": most}, content, limits(most))
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
    """Writes the picture as PPM, whose end are its pixels; only counts them where they are more.

    Its limits become those of the size that the file declares.
    """
    try:
        with opened(bytes(content)) as image:
            pixels = image.width * image.height
            if pixels > request["most"]:
                return {"pixels": pixels}
            processes.limit(limits(pixels))
            picture, notes = develop_file(image)
            # Pillow writes rows as it packs them, without a copy of the whole.
            picture.save(output, "PPM")
    except ImageError as error:
        return {"refused": str(error)}
    return {"size": picture.size, "notes": notes}
