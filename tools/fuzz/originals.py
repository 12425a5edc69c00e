"""Honest small files of every format that is read, with all the metadata that each can hold."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from tools.fuzz.containers import LONG, SHORT, Tag, grey_tags, tiff

pillow_heif.register_heif_opener()

WIDTH, HEIGHT = 64, 40


def picture(seed: int = 0) -> Image.Image:
    """Smooth colours with a little noise: every coefficient of every codec is used."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (4, 5, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    noise = random.integers(-8, 9, smooth.shape)
    return Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8))  # (H, W, 3)


def encode(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def metadata() -> dict[str, bytes]:
    """What cameras write: orientation and resolution, sRGB."""
    exif = tiff(
        [
            (274, SHORT, 1, 6),
            (282, 5, 1, bytes((72, 0, 0, 0, 1, 0, 0, 0))),
            (34665, LONG, 1, 8),
        ]
    )
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)  # when it was made: files are the same every time
    return {"exif": b"Exif\0\0" + exif, "icc_profile": bytes(profile)}


def several(form: str, **options: Any) -> bytes:
    """Three frames or pages."""
    others = [picture(1), picture(2)]
    return encode(picture(), form, save_all=True, append_images=others, **options)


def tiled_tiff() -> bytes:
    """Tiles of 16 × 16, as scanners' software writes them."""
    pixels = np.asarray(picture().convert("L").resize((48, 32)))  # (32, 48)
    tiles = pixels.reshape(2, 16, 3, 16).swapaxes(1, 2).tobytes()  # tile by tile
    places = b"".join((8 + 256 * n).to_bytes(4, "little") for n in range(6))
    tags = [tag for tag in grey_tags(48, 32) if tag[0] not in (273, 278, 279)]
    of_tiles: list[Tag] = [
        (322, SHORT, 1, 16),
        (323, SHORT, 1, 16),
        (324, LONG, 6, places),
        (325, LONG, 6, (256).to_bytes(4, "little") * 6),
    ]
    return _with_pixels_first(tiff([*tags, *of_tiles]), tiles)


def _with_pixels_first(directory: bytes, pixels: bytes) -> bytes:
    """Puts pixels between the header and the directory, whose places of values move behind them."""
    header, rest = directory[:8], bytearray(directory[8:])
    for entry in range(2, 2 + 12 * int.from_bytes(rest[:2], "little"), 12):
        kind = int.from_bytes(rest[entry + 2 : entry + 4], "little")
        count = int.from_bytes(rest[entry + 4 : entry + 8], "little")
        if count * {SHORT: 2, LONG: 4}[kind] > 4:
            place = int.from_bytes(rest[entry + 8 : entry + 12], "little") + len(pixels)
            rest[entry + 8 : entry + 12] = place.to_bytes(4, "little")
    return header[:4] + (8 + len(pixels)).to_bytes(4, "little") + pixels + bytes(rest)


def run_length_bmp() -> bytes:
    """Runs of 8 pixels; no library writes these."""
    pixels = np.asarray(picture().convert("L"))[:, ::8]  # (H, W / 8)
    rows = b"".join(
        b"".join(bytes((8, int(level))) for level in row) + b"\0\0" for row in pixels[::-1]
    )
    sizes = (40, WIDTH, HEIGHT), (8, 1, len(rows) + 2, 0, 0, 256, 0)
    header = b"".join(number.to_bytes(4, "little") for number in sizes[0])
    header += (1).to_bytes(2, "little") + sizes[1][0].to_bytes(2, "little")
    header += b"".join(number.to_bytes(4, "little") for number in sizes[1][1:])
    palette = b"".join(bytes((level, 255 - level, level, 0)) for level in range(256))
    start = 14 + len(header) + len(palette)
    file = b"BM" + (start + len(rows) + 2).to_bytes(4, "little") + bytes(4)
    return file + start.to_bytes(4, "little") + header + palette + rows + b"\0\1"


def plain_ppm() -> bytes:
    numbers = " ".join(str(value) for value in np.asarray(picture()).ravel())
    return f"P3\n# three numbers a pixel\n{WIDTH} {HEIGHT}\n255\n{numbers}\n".encode()


def deep_ppm() -> bytes:
    values = np.asarray(picture()).astype(">u2") * 257  # (H, W, 3)
    return f"P6 {WIDTH} {HEIGHT} 65535\n".encode() + values.astype(">u2").tobytes()


def _deep_grey() -> Image.Image:
    return Image.fromarray(np.asarray(picture().convert("L")).astype(np.uint16) * 257)


def _packed_tiff(compression: str, mode: str = "RGB", **options: Any) -> bytes:
    profile = metadata()["icc_profile"]
    image = picture().convert(mode)
    return encode(image, "TIFF", compression=compression, icc_profile=profile, **options)


ORIGINALS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encode(picture(), "JPEG", **metadata()),
    "JPEG progressive": lambda: encode(picture(), "JPEG", progressive=True, **metadata()),
    "JPEG CMYK": lambda: encode(picture().convert("CMYK"), "JPEG"),
    "JPEG with restarts": lambda: encode(picture(), "JPEG", restart_marker_rows=1),
    "MPO": lambda: several("MPO"),
    "PNG": lambda: encode(picture(), "PNG", **metadata()),
    "PNG with palette": lambda: encode(picture().quantize(16), "PNG", transparency=3),
    "PNG of 16 bits": lambda: encode(_deep_grey(), "PNG"),
    "APNG": lambda: several("PNG"),
    "GIF": lambda: encode(picture(), "GIF"),
    "GIF animated": lambda: several("GIF"),
    "WebP": lambda: encode(picture(), "WEBP", **metadata()),
    "WebP lossless": lambda: encode(picture().convert("RGBA"), "WEBP", lossless=True),
    "WebP animated": lambda: several("WEBP"),
    "TIFF": lambda: encode(picture(), "TIFF", **metadata()),
    "TIFF of 16 bits": lambda: encode(_deep_grey(), "TIFF"),
    "TIFF tiled": tiled_tiff,
    "TIFF of pages": lambda: several("TIFF"),
    "TIFF LZW": lambda: _packed_tiff("tiff_lzw"),
    "TIFF deflate": lambda: _packed_tiff("tiff_adobe_deflate"),
    "TIFF JPEG": lambda: _packed_tiff("jpeg"),
    "TIFF PackBits": lambda: _packed_tiff("packbits"),
    "TIFF Group 4": lambda: _packed_tiff("group4", "1"),
    "BigTIFF": lambda: _packed_tiff("tiff_lzw", big_tiff=True),
    "BMP": lambda: encode(picture(), "BMP"),
    "BMP run-length": run_length_bmp,
    "PPM": lambda: encode(picture(), "PPM"),
    "PPM of 16 bits": deep_ppm,
    "PPM plain": plain_ppm,
    "PGM": lambda: encode(picture().convert("L"), "PPM"),
    "PBM": lambda: encode(picture().convert("1"), "PPM"),
    "AVIF": lambda: encode(picture(), "AVIF", speed=10, **metadata()),
    "AVIF animated": lambda: several("AVIF", speed=10),
    "HEIC": lambda: encode(picture(), "HEIF", **metadata()),
    "HEIC of several": lambda: several("HEIF"),
}
"""By name; each is written once a process (see `original`)."""


@cache
def original(name: str) -> bytes:
    return ORIGINALS[name]()
