"""Small files that ask for much: time, memory, or a patience that no decoder has by itself."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

from tools.fuzz.containers import (
    LONG,
    RATIONAL,
    SHORT,
    after_soi,
    avif_grid,
    box,
    full_box,
    grey_tags,
    icc_of_steps,
    idat,
    jpeg_segment,
    png,
    png_chunk,
    replace_boxes,
    riff,
    tiff,
    with_repeated_scan,
)
from tools.fuzz.originals import encode, original, picture

Bomb = Callable[[int], bytes]
"""About so many bytes of it."""


@cache
def _zeros(length: int) -> bytes:
    """So many zeros, deflated to a thousandth."""
    return zlib.compress(bytes(length))


@cache
def _blank_progressive(side: int) -> bytes:
    return encode(Image.new("RGB", (side, side), "teal"), "JPEG", progressive=True, quality=30)


def jpeg_scans(size: int) -> bytes:
    jpeg = _blank_progressive(1000)
    scan = len(jpeg) - jpeg.rindex(b"\xff\xda")
    return with_repeated_scan(jpeg, max(200, size // scan))


def jpeg_fill_before(size: int) -> bytes:
    return after_soi(original("JPEG"), b"\xff" * size)


def jpeg_junk_before(size: int) -> bytes:
    jpeg = original("JPEG")
    table = jpeg.index(b"\xff\xdb")
    return jpeg[:table] + b"\1" * size + jpeg[table:]


def jpeg_fill_within(size: int) -> bytes:
    jpeg = original("JPEG")
    return jpeg[:-40] + b"\xff" * size + jpeg[-40:]


def jpeg_comments(size: int) -> bytes:
    return after_soi(original("JPEG"), jpeg_segment(0xFE, b"") * (size // 4))


def jpeg_exif_pieces(size: int) -> bytes:
    return after_soi(original("JPEG"), jpeg_segment(0xE1, b"Exif\0\0a") * (size // 11))


def jpeg_exif_numbers(size: int) -> bytes:
    """One EXIF block in pieces of 64 KB: the orientation is millions of fractions."""
    block, step = _exif_numbers(size), 60_000
    pieces = (block[n : n + step] for n in range(0, len(block), step))
    segments = b"".join(jpeg_segment(0xE1, b"Exif\0\0" + piece) for piece in pieces)
    return after_soi(encode(picture(), "JPEG"), segments)


def _exif_numbers(size: int) -> bytes:
    return tiff([(274, RATIONAL, size // 8, struct.pack("<II", 3, 7) * (size // 8))])


def tiff_strips(size: int) -> bytes:
    count = size // 4
    offsets = (273, LONG, count, struct.pack("<I", 8) * count)
    return tiff(grey_tags(1000, count, strips=offsets, rows=(278, LONG, 1, 1)))


def tiff_tiles(size: int) -> bytes:
    count = size // 8
    pairs = {"widths": (322, SHORT, 1, 16), "heights": (323, SHORT, 1, 16)}
    places = (324, LONG, count, struct.pack("<I", 8) * count)
    sizes = (325, LONG, count, struct.pack("<I", 256) * count)
    tags = grey_tags(7000, 7000, **pairs, places=places, sizes=sizes)
    return tiff([tag for tag in tags if tag[0] not in (273, 278, 279)])


def tiff_tags(size: int) -> bytes:
    filler = [(40_000 + n % 100, 200, 1, 5) for n in range(size // 20)]
    return tiff(grey_tags(16, 16) + filler, big=True)  # type: ignore[operator]


def tiff_numbers(size: int) -> bytes:
    fractions = (282, RATIONAL, size // 8, struct.pack("<II", 3, 7) * (size // 8))
    return tiff(grey_tags(16, 16, resolution=fractions))


def tiff_directories(size: int) -> bytes:
    """A chain of empty directories, each pointing to the next."""
    first = tiff(grey_tags(16, 16))
    chain = b"".join(
        struct.pack("<HI", 0, len(first) + 6 * (n + 1)) for n in range(max(1, size // 6))
    )
    return tiff(grey_tags(16, 16), following=len(first)) + chain + bytes(6)


def tiff_of_huge_tiles(_: int) -> bytes:
    tags = grey_tags(
        16, 16, packing=(259, SHORT, 1, 5), widths=(322, LONG, 1, 60_000),
        heights=(323, LONG, 1, 60_000), places=(324, LONG, 1, 8), sizes=(325, LONG, 1, 200),
    )  # fmt: skip
    return tiff([tag for tag in tags if tag[0] not in (273, 278, 279)]) + bytes(300)


def tiff_jpeg_scans(size: int) -> bytes:
    """libtiff has a limit of its own for these."""
    jpeg = jpeg_scans(size)
    tags = grey_tags(
        1000, 1000, bits=(258, SHORT, 3, struct.pack("<HHH", 8, 8, 8)), samples=(277, SHORT, 1, 3),
        packing=(259, SHORT, 1, 7), colours=(262, SHORT, 1, 6), lengths=(279, LONG, 1, len(jpeg)),
    )  # fmt: skip
    start = len(tiff(tags))
    tags = [(273, LONG, 1, start) if tag[0] == 273 else tag for tag in tags]
    return tiff(tags) + jpeg


def png_chunks(size: int) -> bytes:
    return png((1, 1), 2, png_chunk(b"prVt") * (size // 12), idat(bytes(4)))


def png_chunks_behind(size: int) -> bytes:
    return png((1, 1), 2, idat(bytes(4)), png_chunk(b"prVt") * (size // 12))


def png_empty_data(size: int) -> bytes:
    return png((1, 1), 2, png_chunk(b"IDAT") * (size // 12), idat(bytes(4)))


def png_texts(size: int) -> bytes:
    text = _zeros(2**20)
    count = min(70, size // len(text))
    names = (b"name %d\0\0" % n for n in range(count))
    return png((1, 1), 2, *(png_chunk(b"zTXt", name + text) for name in names), idat(bytes(4)))


def png_text(_: int) -> bytes:
    text = png_chunk(b"zTXt", b"Comment\0\0" + _zeros(100_000_000))
    return png((1, 1), 2, text, idat(bytes(4)))


def png_data_behind(_: int) -> bytes:
    return png((1, 1), 2, png_chunk(b"IDAT", _zeros(100_000_000)))


def png_exif_numbers(size: int) -> bytes:
    return png((1, 1), 2, png_chunk(b"eXIf", _exif_numbers(size)), idat(bytes(4)))


def png_column(_: int) -> bytes:
    return png((1, 50_000_000), 0, png_chunk(b"IDAT", _zeros(100_000_000)))


def png_too_large(_: int) -> bytes:
    return png((60_000, 60_000), 2, idat(bytes(1000)))


def png_largest(_: int) -> bytes:
    """The largest picture that is shown, in 50 KB."""
    return png((10_000, 5000), 0, png_chunk(b"IDAT", _zeros(10_001 * 5000)))


def profile_of_steps(size: int) -> bytes:
    return encode(picture(), "PNG", icc_profile=icc_of_steps(min(size, 800_000) // 8))


def gif_comment(size: int) -> bytes:
    gif = original("GIF")
    frame = gif.index(b",", 13)
    return gif[:frame] + b"!\xfe" + b"\1a" * (size // 2) + b"\0" + gif[frame:]


def gif_data(size: int) -> bytes:
    return original("GIF")[:-2] + b"\1a" * (size // 2) + b"\0;"


def gif_frames(size: int) -> bytes:
    gif = encode(Image.new("P", (2, 2)), "GIF")
    frame = gif[gif.index(b",") : -1]
    return gif[:-1] + frame * (size // len(frame)) + b";"


def bmp_lines(_: int) -> bytes:
    """Every line one pixel and its end: 28 KB for 49 megapixels."""
    side = 7000
    rows = b"\1\1\0\0" * side
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(rows), 0, 0, 256, 0)
    file = struct.pack("<2sIII", b"BM", 1078 + len(rows), 0, 1078)
    return file + header + b"\1\2\3\0" * 256 + rows


def ppm_comment(size: int) -> bytes:
    return b"P6\n#" + b"a" * size + b"\n2 2 255\n" + bytes(12)


def ppm_blanks(size: int) -> bytes:
    return b"P6\n" + b" " * size + b"2 2 255\n" + bytes(12)


def ppm_comments(size: int) -> bytes:
    return b"P3 2 2 255\n" + b"#\n" * (size // 2) + b"9 " * 12


def ppm_maxval(size: int) -> bytes:
    side = int((size // 3) ** 0.5)
    return b"P6 %d %d 254\n" % (side, side) + bytes(3 * side * side)


def ppm_numbers(size: int) -> bytes:
    side = int((size // 12) ** 0.5)
    return b"P3 %d %d 255\n" % (side, side) + b"251 " * (3 * side * side)


def webp_chunks(size: int) -> bytes:
    webp = encode(picture(), "WEBP")
    canvas = struct.pack("<I", 0) + bytes((63, 0, 0, 39, 0, 0))
    unknown = b"abcd\0\0\0\0" * (size // 8)
    return riff((b"VP8X", canvas), (webp[12:16], webp[20:]), behind=unknown)


def webp_frames(size: int) -> bytes:
    frame = bytes(16) + encode(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    canvas = struct.pack("<I", 2) + bytes((63, 0, 0, 39, 0, 0))
    frames = [(b"ANMF", frame)] * (size // (8 + len(frame)))
    return riff((b"VP8X", canvas), (b"ANIM", bytes(6)), *frames)


def avif_items(size: int) -> bytes:
    """Places of items that do not exist; quadratic time in libavif, and hours for 20 MB."""
    count = size // 10
    places = b"".join(struct.pack(">IHHH", n + 1, 0, 0, 0) for n in range(count))
    table = full_box(b"iloc", struct.pack(">HI", 0, count) + places, version=2)
    handler = full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
    primary = full_box(b"pitm", struct.pack(">H", 1))
    meta = full_box(b"meta", handler + primary + table)
    return box(b"ftyp", b"avif" + bytes(4) + b"mif1avif") + meta


def avif_associations(size: int) -> bytes:
    count = size // 5
    entries = b"".join(struct.pack(">IB", n + 1, 0) for n in range(count))
    table = struct.pack(">II", 1 << 24, count) + entries
    return replace_boxes(original("AVIF"), {b"ipma": lambda _: table})


def avif_samples(size: int) -> bytes:
    """An animation whose tables of chunks are multiplied with each other."""
    runs, chunks = size // 24, size // 8
    of_runs = b"".join(struct.pack(">III", n + 1, 1, 1) for n in range(runs))
    changes = {
        b"stsc": lambda _: struct.pack(">II", 0, runs) + of_runs,
        b"stco": lambda _: struct.pack(">II", 0, chunks) + struct.pack(">I", 100) * chunks,
    }
    return replace_boxes(original("AVIF animated"), changes)


def avif_boxes(size: int) -> bytes:
    return original("AVIF") + box(b"free", b"") * (size // 8)


def heic_boxes(size: int) -> bytes:
    return original("HEIC") + box(b"free", b"") * (size // 8)


def heic_nested(size: int) -> bytes:
    boxes = b""
    for _ in range(min(size // 8, 5000)):
        boxes = box(b"dinf", boxes)
    return box(b"ftyp", b"heic" + bytes(4) + b"mif1heic") + full_box(b"meta", boxes)


def avif_cells(_: int) -> bytes:
    """Thousands of cells that are all the same bytes."""
    cell = encode(Image.fromarray(np.asarray(picture().resize((64, 64)))), "AVIF", speed=10)
    return avif_grid(cell, 64, 48)


BOMBS: dict[str, Bomb] = {
    builder.__name__: builder
    for builder in (
        jpeg_scans, jpeg_fill_before, jpeg_junk_before, jpeg_fill_within, jpeg_comments,
        jpeg_exif_pieces, jpeg_exif_numbers,
        tiff_strips, tiff_tiles, tiff_tags, tiff_numbers, tiff_directories, tiff_of_huge_tiles,
        tiff_jpeg_scans,
        png_chunks, png_chunks_behind, png_empty_data, png_texts, png_text, png_data_behind,
        png_exif_numbers, png_column, png_too_large, png_largest, profile_of_steps,
        gif_comment, gif_data, gif_frames, bmp_lines,
        ppm_comment, ppm_blanks, ppm_comments, ppm_maxval, ppm_numbers,
        webp_chunks, webp_frames,
        avif_items, avif_associations, avif_samples, avif_boxes, avif_cells,
        heic_boxes, heic_nested,
    )
}  # fmt: skip
"""By name."""
