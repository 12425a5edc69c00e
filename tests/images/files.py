"""Pictures and files of many kinds, some of them written by hand."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, features
from pillow_heif import libheif_info

from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import ImageError, Photograph

Pixels = NDArray[np.uint8]

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
YELLOW, GREY = (255, 255, 0), (128, 128, 128)

needs_heif_encoder = pytest.mark.skipif(
    not libheif_info()["HEIF"], reason="this pillow_heif cannot write HEIF"
)
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")


def quarters(width: int = 48, height: int = 32) -> Image.Image:
    """Red, green / blue, yellow: every orientation of it looks different."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    picture.paste(YELLOW, (width // 2, height // 2, width, height))
    return picture


def pixels_of(picture: Image.Image) -> Pixels:
    return np.asarray(picture.convert("RGB"))  # (H, W, 3)


def noise(width: int, height: int, seed: int = 0) -> Pixels:
    shape = (height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)  # (H, W, 3)


def scenery(width: int, height: int, seed: int = 0) -> Pixels:
    """Smooth colours, like most of a photo, (H, W, 3)."""
    coarse = Image.fromarray(noise(width // 30 + 2, height // 30 + 2, seed))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def photograph(pixels: Pixels) -> Photograph:
    return Photograph(pixels, "digest", ())


def encode(picture: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def assert_close(actual: Pixels, expected: Pixels, levels: int) -> None:
    assert actual.shape == expected.shape
    difference = np.abs(actual.astype(int) - expected)  # (H, W, 3)
    assert difference.max() <= levels, difference.max()


def corners(pixels: Pixels) -> list[tuple[int, ...]]:
    """Colours a little inside the four corners, clockwise from top left, to the nearest 255/2."""
    height, width = pixels.shape[:2]
    places = [(0.2, 0.2), (0.2, 0.8), (0.8, 0.8), (0.8, 0.2)]
    found = [pixels[int(y * height), int(x * width)] for y, x in places]
    return [tuple(int(value > 127) * 255 for value in colour) for colour in found]


# Files written by hand ------------------------------------------------------------------------


def png_chunk(name: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def png(size: tuple[int, int], depth: int, kind: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG file; `rows` holds a filter byte 0 before each row of samples."""
    header = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IEND", b"")


def icc_profile(space: bytes, connection: bytes, kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC version 2 profile (specification ICC.1:2001-04, 6.1 and 6.2)."""
    white = b"XYZ \0\0\0\0" + xyz(0.9642, 1.0, 0.8249)
    tags = {b"desc": b"desc" + bytes(8) + bytes(80), b"wtpt": white, **tags}
    table, content = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(content), len(value))
        content += value + bytes(-len(value) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12s4s4sI4s4s8sI12s48s",
        start + len(content), b"test", 0x02400000, kind, space, connection, bytes(12), b"acsp",
        b"\0" * 4, 0, b"\0" * 4, b"\0" * 4, bytes(8), 0, xyz(0.9642, 1.0, 0.8249), bytes(48),
    )  # fmt: skip
    return header + table + content


def xyz(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """sRGB with the red and green primaries exchanged: what is stored as red means green."""
    profile = srgb_profile()
    assert profile.count(b"rXYZ") == profile.count(b"gXYZ") == 1
    return profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def linear_grey_profile() -> bytes:
    """Grey levels proportional to light: level 128 of it is level 188 of sRGB."""
    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)  # no points: the identity
    return icc_profile(b"GRAY", b"XYZ ", b"mntr", {b"kTRC": curve})


def cmyk_profile() -> bytes:
    """Inks of strange colours: full cyan ink looks green, everything else white.

    So perceptually; by the colorimetric intent all is white. A lut8 (ICC.1:2001-04, 6.5.8) with
    2 grid points per ink into L*a*b*.
    """
    identity = bytes(range(256))
    white, green = bytes((255, 128, 128)), bytes((224, 42, 209))  # L* 88, a* -86, b* 81
    grid = b"".join(
        green if inks == (1, 0, 0, 0) else white
        for inks in itertools.product((0, 1), repeat=4)  # the first ink varies slowest
    )
    matrix = xyz(1, 0, 0, 0, 1, 0, 0, 0, 1)
    start = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + identity * 4
    perceptual, colorimetric = start + grid + identity * 3, start + white * 16 + identity * 3
    tags = {b"A2B0": perceptual, b"A2B1": colorimetric}
    return icc_profile(b"CMYK", b"Lab ", b"prtr", tags)


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[ExifTags.Base.Orientation] = orientation
    return block


def refusal(source: str | Path | bytes | BinaryIO | Image.Image) -> str:
    """The message for a source that must be refused: one sentence with advice, no jargon."""
    with pytest.raises(ImageError) as caught:
        decode(source)
    message = str(caught.value)
    assert message.endswith(".")
    assert message.count(". ") == 0
    assert ";" in message
    return message
