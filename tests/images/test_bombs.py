"""Files that cost far more than their pixels are refused at once; honest ones never are."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageFile

from effnet_viz.images.bombs import refuse_bombs
from effnet_viz.images.decode import MAX_BYTES, decode, opened
from effnet_viz.images.guarded import decode_guarded
from effnet_viz.images.photograph import ImageError
from tests.images.files import encode, exif, needs_avif, noise, png_chunk, quarters, refusal
from tools.fuzz import containers
from tools.fuzz.bombs import BOMBS
from tools.fuzz.containers import LONG
from tools.fuzz.originals import ORIGINALS

# Hostile --------------------------------------------------------------------------------------

MB = 2**20

HOSTILE = [
    ("jpeg_scans", MB // 10, "draws its picture in more than 100 passes"),
    ("jpeg_scans", MB, "draws its picture in more than 100 passes"),
    ("jpeg_fill_before", MB, "64 KB of nothing stand before its picture"),
    ("jpeg_junk_before", MB, "64 KB of nothing stand before its picture"),
    ("jpeg_fill_within", MB, "64 KB of nothing stand within its picture"),
    ("jpeg_comments", MB, "more than 2,000 segments"),
    ("jpeg_exif_pieces", MB, "more than 2,000 segments"),
    ("jpeg_exif_numbers", 19 * MB, "camera data (EXIF) holds more than 200,000 numbers"),
    ("tiff_strips", 18 * MB, "cut into more than 65,536 pieces"),
    ("tiff_tiles", MB, "cut into more than 65,536 pieces"),
    ("tiff_tags", MB, "header has more than 10,000 entries"),
    ("tiff_numbers", 2 * MB, "header holds more than 200,000 numbers"),
    ("png_chunks", 2 * MB, "cut into more than 100,000 pieces"),
    ("png_chunks_behind", 2 * MB, "cut into more than 100,000 pieces"),
    ("png_empty_data", 2 * MB, "cut into more than 100,000 pieces"),
    ("png_exif_numbers", 2 * MB, "camera data (EXIF) holds more than 200,000 numbers"),
    ("png_column", 0, "more than 1,000 times as long as the other"),
    ("png_too_large", 0, "more than 50 million pixels"),
    ("gif_comment", MB, "cut into more than 300,000 pieces"),
    ("gif_data", MB, "cut into more than 300,000 pieces"),
    ("bmp_lines", 0, "old method (RLE) and has more than 10 million pixels"),
    ("ppm_comment", MB, "first lines go on for more than 64 KB"),
    ("ppm_blanks", MB, "first lines go on for more than 64 KB"),
    ("ppm_comments", MB, "more than 1,000 comments"),
    ("avif_items", MB, "many more parts than a photograph has"),
    ("avif_associations", MB, "many more parts than a photograph has"),
    ("avif_samples", MB, "many more parts than a photograph has"),
    ("avif_boxes", MB, "many more parts than a photograph has"),
    ("heic_boxes", MB, "many more parts than a photograph has"),
]


@pytest.mark.parametrize(("name", "size", "sentence"), HOSTILE)
def test_a_bomb_is_refused_at_once(name: str, size: int, sentence: str) -> None:
    if name.startswith("avif"):
        pytest.importorskip("PIL._avif", reason="Pillow without AVIF")
    content = BOMBS[name](size)
    began = time.process_time()
    message = refusal(content)
    assert time.process_time() - began < 0.5
    assert sentence in message


def test_exif_of_a_tiff_is_looked_at_too() -> None:
    start = len(containers.tiff(containers.grey_tags(16, 16, exif=(34665, LONG, 1, 0))))
    tags = containers.grey_tags(16, 16, exif=(34665, LONG, 1, start))
    directory = struct.pack("<HHHIII", 1, 282, containers.RATIONAL, 300_000, 8, 0)
    content = containers.tiff(tags) + directory + bytes(8 * 300_000)
    assert "header holds more than 200,000 numbers" in refusal(content)


def test_what_only_a_limit_of_time_can_stop_is_stopped() -> None:
    with pytest.raises(ImageError, match="takes too long to read"):
        decode_guarded(BOMBS["profile_of_steps"](MB))


# Honest ---------------------------------------------------------------------------------------


def progressive(scans: int) -> bytes:
    jpeg = encode(quarters(64, 48), "JPEG", progressive=True)
    return containers.with_repeated_scan(jpeg, scans - jpeg.count(b"\xff\xda") + 1)


def with_segments(count: int) -> bytes:
    """Extended XMP and a profile in many pieces, as editors write them."""
    pieces = containers.jpeg_segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(60_000))
    return containers.after_soi(encode(quarters(), "JPEG", exif=exif(1)), pieces * count)


def with_video(jpeg: bytes) -> bytes:
    """A photograph that moves: the film behind the picture holds every pair of bytes."""
    return jpeg + noise(1000, 1000).tobytes() + b"\xff" * 100_000


def strips(rows: int) -> bytes:
    """One row a strip, as scanners write it."""
    tags = containers.grey_tags(
        100, rows, rows=(278, LONG, 1, 1),
        strips=(273, LONG, rows, struct.pack("<I", 8) * rows),
        lengths=(279, LONG, rows, struct.pack("<I", 100) * rows),
    )  # fmt: skip
    return containers.tiff(tags)


def png_of_small_chunks() -> bytes:
    rows = b"".join(b"\0" + row.tobytes() for row in noise(640, 480))
    data = zlib.compress(rows, 1)
    pieces = (png_chunk(b"IDAT", data[n : n + 100]) for n in range(0, len(data), 100))
    return containers.png((640, 480), 2, *pieces)


HONEST: dict[str, Callable[[], bytes]] = {
    **ORIGINALS,
    "JPEG of 20 scans": lambda: progressive(20),
    "JPEG of 100 scans": lambda: progressive(100),
    "JPEG with 300 segments": lambda: with_segments(300),
    "JPEG with a film behind it": lambda: with_video(encode(quarters(), "JPEG")),
    "progressive JPEG with a film behind it": lambda: with_video(progressive(10)),
    "TIFF of 8,000 strips": lambda: strips(8000),
    "PNG in chunks of 100 bytes": png_of_small_chunks,
    "PNG with 2 MB behind its end": lambda: encode(quarters(), "PNG") + bytes(2 * MB),
    "panorama of 1,000 to 1": lambda: encode(quarters(20_000, 20), "PNG"),
    "PPM with a long comment": lambda: b"P6\n#" + b"a" * 60_000 + b"\n2 2\n255\n" + bytes(12),
    "PPM with #": lambda: b"P6 100 100 255\n" + b"#" * 30_000,
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_file_is_shown(name: str) -> None:
    if "AVIF" in name:
        pytest.importorskip("PIL._avif", reason="Pillow without AVIF")
    assert decode(HONEST[name]()).pixels.size


@needs_avif
def test_a_photograph_of_48_megapixels_in_cells_is_accepted() -> None:
    cell = encode(quarters(256, 256), "AVIF", speed=10)
    side = 27 * 256
    with opened(containers.avif_grid(cell, 256, 27)) as image:
        assert image.width * image.height == side * side > 47_000_000


def noisy(form: str, **options: Any) -> bytes:
    """Nothing compresses noise."""
    pixels = noise(2500, 2000)
    image = Image.fromarray(pixels[..., 0] if form == "GIF" else pixels)
    content = encode(image, form, **options)
    assert 4 * MB < len(content) < MAX_BYTES
    return content


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"quality": 98, "subsampling": 0}),
        ("JPEG", {"quality": 90, "subsampling": 0, "progressive": True}),
        ("PNG", {"compress_level": 1}),
        ("GIF", {}),
        ("TIFF", {}),
        ("PPM", {}),
    ],
)
def test_an_honest_file_waits_for_milliseconds(
    form: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "MAXBLOCK", MAX_BYTES)  # Pillow writes a scan at once
    content = noisy(form, **options)
    began = time.process_time()
    refuse_bombs(content)
    assert time.process_time() - began < 0.06


# Sides ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1000, 1), (1, 1000), (5000, 5)])
def test_sides_of_1000_to_1_are_shown(size: tuple[int, int]) -> None:
    assert decode(Image.new("RGB", size)).width == size[0]


@pytest.mark.parametrize("size", [(1001, 1), (1, 1001), (50_000, 49)])
def test_longer_ones_are_refused(size: tuple[int, int]) -> None:
    assert "1,000 times as long" in refusal(Image.new("RGB", size))
    assert "1,000 times as long" in refusal(encode(Image.new("L", size), "PNG"))
