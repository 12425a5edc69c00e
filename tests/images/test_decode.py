"""Decoding is safe and gives the right picture; preprocessing is torchvision's; geometry agrees."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import resource
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, features
from pillow_heif import libheif_info
from torchvision.models import get_weight

from effnet_viz.images.decode import MAX_BYTES, decode
from effnet_viz.images.photograph import ImageError, Photograph
from effnet_viz.images.preprocessing import ResizeAndCrop
from effnet_viz.models.zoo import MODELS
from effnet_viz.records import Crop

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


# Sources --------------------------------------------------------------------------------------


class Trickle(io.BytesIO):
    """A stream that hands out a few bytes at a time and cannot go back."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size, 7) if size and size > 0 else size)

    def seekable(self) -> bool:
        return False


def test_all_kinds_of_source_give_the_same_photograph(tmp_path: Path) -> None:
    content = encode(quarters(), "PNG")
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    used = io.BytesIO(content)
    used.read()
    sources: list[Any] = [
        content, bytearray(content), path, str(path), io.BytesIO(content), used, Trickle(content)
    ]  # fmt: skip
    for source in sources:
        found = decode(source)
        assert np.array_equal(found.pixels, pixels_of(quarters()))
        assert found.digest == hashlib.sha256(content).hexdigest()
    with path.open("rb") as file:
        assert decode(file) == decode(content)
    from_pillow = decode(Image.open(path))
    assert np.array_equal(from_pillow.pixels, pixels_of(quarters()))
    assert from_pillow.digest == decode(quarters()).digest != decode(quarters(50)).digest


def test_pixels_are_contiguous_bytes_that_nobody_can_change() -> None:
    found = decode(encode(quarters(), "JPEG", exif=exif(6)))
    assert found.pixels.dtype == np.uint8
    assert found.pixels.flags.c_contiguous
    assert not found.pixels.flags.writeable
    assert (found.width, found.height, found.notes) == (32, 48, ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.digest = ""  # type: ignore[misc]


def test_digest_of_a_pillow_image_depends_on_all_that_shows() -> None:
    one, other = Image.new("P", (4, 4)), Image.new("P", (4, 4))
    one.putpalette([255, 0, 0])
    other.putpalette([0, 255, 0])
    assert decode(one).digest != decode(other).digest
    assert decode(Image.new("RGB", (4, 2))).digest != decode(Image.new("RGB", (2, 4))).digest


def test_a_pillow_image_is_taken_as_it_stands_and_left_alone() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([*RED, *BLUE])
    picture.putpixel((1, 0), 1)
    picture.info["transparency"] = b"\x00\xff"
    before = (picture.mode, picture.tobytes(), dict(picture.info), picture.im.getpalettemode())
    assert decode(picture).pixels.tolist() == [[list(WHITE), list(BLUE)]]
    after = (picture.mode, picture.tobytes(), dict(picture.info), picture.im.getpalettemode())
    assert after == before
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE)]
    animation = Image.open(
        io.BytesIO(encode(frames[0], "GIF", save_all=True, append_images=[frames[1]]))
    )
    animation.seek(1)
    assert decode(animation).pixels[0, 0].tolist() == list(BLUE)


def test_missing_path_is_the_usual_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "nothing.jpg")
    with pytest.raises(IsADirectoryError):
        decode(tmp_path)


# What is refused ------------------------------------------------------------------------------


def refusal(source: str | Path | bytes | BinaryIO | Image.Image) -> str:
    """The message for a source that must be refused: one sentence with advice, no jargon."""
    with pytest.raises(ImageError) as caught:
        decode(source)
    message = str(caught.value)
    assert message.endswith(".")
    assert message.count(". ") == 0
    assert ";" in message
    return message


class Endless(io.RawIOBase):
    """A stream without end, which counts what was taken from it."""

    taken = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        assert size > 0
        self.taken += size
        return bytes(size)


def test_empty_and_oversized_files_are_refused() -> None:
    assert "empty" in refusal(b"")
    assert "empty" in refusal(io.BytesIO())
    large = encode(quarters(), "BMP") + bytes(MAX_BYTES)
    assert "20 MB" in refusal(large)
    assert "20 MB" in refusal(io.BytesIO(large))
    endless = Endless()
    assert "20 MB" in refusal(endless)  # type: ignore[arg-type]
    assert endless.taken == MAX_BYTES + 1


def test_oversized_path_is_refused_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.bmp"
    with path.open("wb") as file:
        file.truncate(2**40)  # a terabyte that takes no space

    def never(*_: object) -> None:
        raise AssertionError("The file was opened.")

    monkeypatch.setattr(Path, "open", never)
    assert "20 MB" in refusal(path)


def test_the_largest_allowed_file_is_read() -> None:
    content = encode(quarters(), "BMP")
    assert decode(content + bytes(MAX_BYTES - len(content))).width == 48


def test_small_files_that_declare_large_pictures_are_refused() -> None:
    assert "million pixels" in refusal(png((60000, 60000), 8, 2, b"\0"))
    assert "million pixels" in refusal(png((10000, 5001), 8, 2, b"\0"))
    assert "damaged" in refusal(png((10000, 5000), 8, 0, b"\0"))  # small enough, but cut off
    gif = bytearray(encode(Image.new("P", (1, 1)), "GIF"))
    gif[6:10] = struct.pack("<HH", 65000, 65000)
    assert "million pixels" in refusal(bytes(gif))
    webp = bytearray(encode(Image.new("RGB", (9, 9)), "WEBP", lossless=True))
    webp[21:25] = struct.pack("<I", 12999 << 14 | 12999)
    with pytest.warns(Image.DecompressionBombWarning):
        assert "million pixels" in refusal(bytes(webp))
    assert "million pixels" in refusal(Image.new("1", (10000, 5001)))


@needs_heif_encoder
def test_heif_that_holds_a_larger_picture_than_it_declares_is_refused() -> None:
    for size in ((200, 160), (2000, 1600)):
        content = bytearray(encode(Image.new("RGB", size), "HEIF"))
        declared = content.index(b"ispe") + 8
        assert struct.unpack_from(">II", content, declared) == size
        struct.pack_into(">II", content, declared, 64, 48)
        refusal(bytes(content))


def test_compressed_text_that_expands_is_refused() -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    text = png_chunk(b"zTXt", b"Comment\0\0" + bomb)
    assert len(text) < 300_000
    refusal(png((1, 1), 8, 2, bytes(4), text))


ALL_FORMS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("GIF", {}),
    ("WEBP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("BMP", {}),
    ("PPM", {}),
    pytest.param("AVIF", {}, marks=needs_avif),  # type: ignore[list-item]
    pytest.param("HEIF", {}, marks=needs_heif_encoder),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("form", "options"), ALL_FORMS)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
def test_formats_decode_and_truncated_or_scrambled_ones_are_refused(
    form: str, options: dict[str, Any]
) -> None:
    content = encode(Image.fromarray(scenery(64, 40)), form, **options)
    found = decode(content)
    assert (found.width, found.height, found.notes) == (64, 40, ())
    reference = Image.open(io.BytesIO(content)).convert("RGB")
    assert np.array_equal(found.pixels, np.asarray(reference))
    for length in (1, 16, len(content) // 2, len(content) - len(content) // 8):
        refusal(content[:length])
    generator = np.random.default_rng(0)
    for _ in range(20):  # scrambled files may still show something, but raise nothing else
        scrambled = np.frombuffer(content, np.uint8).copy()
        scrambled[generator.integers(0, len(content), 5)] = generator.integers(0, 256, 5)
        with suppress(ImageError):
            decode(scrambled.tobytes())


def test_what_is_no_photograph_is_refused() -> None:
    generator = np.random.default_rng(0)
    for content in (
        generator.bytes(5000),
        b"Dear model, what do you see?",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>',
        b"%PDF-1.7\n",
        encode(quarters(), "EPS"),
        encode(quarters(), "ICO"),
        encode(quarters(), "TGA"),
    ):
        assert "not a picture" in refusal(content)
    # Pillow itself would open these two: it is the list of formats that keeps them out.
    for form in ("EPS", "ICO"):
        assert Image.open(io.BytesIO(encode(quarters(), form))).format == form


def test_errors_keep_their_cause() -> None:
    with pytest.raises(ImageError) as caught:
        decode(encode(quarters(), "JPEG")[:400])
    assert isinstance(caught.value.__cause__, OSError)
    assert isinstance(caught.value, ValueError)


# Several pictures in one file -----------------------------------------------------------------


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", pytest.param("AVIF", marks=needs_avif)])
def test_first_frame_of_an_animation_with_a_note(form: str) -> None:
    options: dict[str, Any] = {"lossless": True} if form == "WEBP" else {}
    others = [Image.new("RGB", (48, 32), BLACK), Image.new("RGB", (48, 32), WHITE)]
    content = encode(quarters(), form, save_all=True, append_images=others, duration=50, **options)
    found = decode(content)
    assert found.notes == ("This is an animation; only its first frame is used.",)
    assert corners(found.pixels) == [RED, GREEN, YELLOW, BLUE]


def test_first_page_of_a_document_with_a_note() -> None:
    content = encode(quarters(), "TIFF", save_all=True, append_images=[Image.new("L", (9, 9))])
    found = decode(content)
    assert found.notes == ("This file has several pages; only the first one is used.",)
    assert np.array_equal(found.pixels, pixels_of(quarters()))


@needs_heif_encoder
def test_main_picture_of_a_heif_file_with_a_note() -> None:
    content = encode(
        Image.new("RGB", (48, 32), BLACK), "HEIF",
        save_all=True, append_images=[quarters()], primary_index=1,
    )  # fmt: skip
    found = decode(content)
    assert found.notes == ("This file holds several pictures; only the main one is used.",)
    assert corners(found.pixels) == [RED, GREEN, YELLOW, BLUE]


def test_second_picture_of_a_phone_is_no_animation() -> None:
    content = encode(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (48, 32))])
    assert Image.open(io.BytesIO(content)).format == "MPO"
    found = decode(content)
    assert found.notes == ()
    assert corners(found.pixels) == [RED, GREEN, YELLOW, BLUE]


# Orientation ----------------------------------------------------------------------------------

# Corners clockwise from top left when the stored picture is `quarters` (EXIF 2.3, tag 0112: where
# the stored row 0 and column 0 are seen), worked out by hand.
SEEN_UPRIGHT = {
    1: [RED, GREEN, YELLOW, BLUE],  # row 0 at the top, column 0 at the left
    2: [GREEN, RED, BLUE, YELLOW],  # top, right
    3: [YELLOW, BLUE, RED, GREEN],  # bottom, right
    4: [BLUE, YELLOW, GREEN, RED],  # bottom, left
    5: [RED, BLUE, YELLOW, GREEN],  # left, top
    6: [BLUE, RED, GREEN, YELLOW],  # right, top
    7: [YELLOW, GREEN, RED, BLUE],  # right, bottom
    8: [GREEN, YELLOW, BLUE, RED],  # left, bottom
}


@pytest.mark.parametrize("orientation", SEEN_UPRIGHT)
@pytest.mark.parametrize(
    "form",
    [
        "JPEG",
        "PNG",
        "WEBP",
        "TIFF",
        pytest.param("AVIF", marks=needs_avif),
        pytest.param("HEIF", marks=needs_heif_encoder),
    ],
)
def test_orientation_is_applied_once(form: str, orientation: int) -> None:
    block = exif(orientation)
    content = encode(quarters(), form, exif=block.tobytes() if form == "HEIF" else block)
    size = (48, 32) if orientation < 5 else (32, 48)
    for source in (content, Image.open(io.BytesIO(content))):
        found = decode(source)
        assert (found.width, found.height) == size
        assert corners(found.pixels) == SEEN_UPRIGHT[orientation]
        assert found.notes == ()


def test_orientation_after_the_pixels() -> None:
    content = encode(quarters(), "PNG")
    end = png_chunk(b"IEND", b"")
    assert content.endswith(end)
    block = png_chunk(b"eXIf", exif(6).tobytes().removeprefix(b"Exif\0\0"))
    assert corners(decode(content.removesuffix(end) + block + end).pixels) == SEEN_UPRIGHT[6]


@pytest.mark.parametrize(
    "block",
    [b"Exif\0\0nonsense", b"Exif\0\0", exif(0).tobytes(), exif(9).tobytes(), exif(77).tobytes()],
)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
def test_senseless_orientation_is_ignored(block: bytes) -> None:
    found = decode(encode(quarters(), "JPEG", exif=block))
    assert corners(found.pixels) == SEEN_UPRIGHT[1]


# Kinds of pixels ------------------------------------------------------------------------------


def test_grey_and_two_level_pictures() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)  # (16, 16)
    found = decode(encode(Image.fromarray(levels), "PNG"))
    assert np.array_equal(found.pixels, np.repeat(levels[..., None], 3, axis=2))
    two = Image.new("1", (2, 1))
    two.putpixel((1, 0), 1)
    assert decode(encode(two, "PNG")).pixels.tolist() == [[list(BLACK), list(WHITE)]]
    two.info["transparency"] = 0
    found = decode(two)
    assert found.pixels.tolist() == [[list(WHITE), list(WHITE)]]
    assert len(found.notes) == 1


SIXTEEN_BITS = np.array([[0, 128, 129, 257, 32896, 65278, 65407, 65535]], np.uint16)  # (1, 8)
EIGHT_BITS = [0, 0, 1, 1, 128, 254, 255, 255]  # value / 257, rounded


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L", "I"])
def test_deep_grey_is_scaled_and_not_clipped(mode: str) -> None:
    kind = {"I;16B": ">u2", "I": "<i4"}.get(mode, "<u2")
    picture = Image.frombytes(mode, (8, 1), SIXTEEN_BITS.astype(kind).tobytes())
    assert decode(picture).pixels[0, :, 1].tolist() == EIGHT_BITS
    found = decode(encode(picture, "TIFF" if mode != "I" else "PPM"))
    assert found.pixels[0].tolist() == [[level] * 3 for level in EIGHT_BITS]
    assert found.notes == ()


def test_deep_grey_png_with_a_transparent_level() -> None:
    rows = b"\0" + SIXTEEN_BITS.astype(">u2").tobytes()
    assert decode(png((8, 1), 16, 0, rows)).pixels[0, :, 0].tolist() == EIGHT_BITS
    found = decode(png((8, 1), 16, 0, rows, png_chunk(b"tRNS", struct.pack(">H", 257))))
    assert found.pixels[0, :, 0].tolist() == [0, 0, 1, 255, 128, 254, 255, 255]
    assert len(found.notes) == 1


def test_deep_colour_png() -> None:
    values = np.array([[65535, 0, 0], [257 * 10, 257 * 20, 257 * 30], [0, 32896, 65278]], ">u2")
    found = decode(png((3, 1), 16, 2, b"\0" + values.tobytes()))
    assert found.pixels[0].tolist() == [[255, 0, 0], [10, 20, 30], [0, 128, 254]]
    grey = np.array([[257 * 40, 65535], [257 * 40, 0]], ">u2")  # level and opacity
    found = decode(png((2, 1), 16, 4, b"\0" + grey.tobytes()))
    assert found.pixels[0].tolist() == [[40] * 3, [255] * 3]


def test_brightness_beyond_16_bits_is_refused() -> None:
    for mode, value in (("F", 0.5), ("I", -1), ("I", 65536)):
        picture = Image.new(mode, (2, 2), value)
        assert "16-bit" in refusal(picture)
        assert "16-bit" in refusal(encode(picture, "TIFF"))
    assert decode(Image.new("I", (2, 2), 65535)).pixels.min() == 255


def test_palette() -> None:
    picture = quarters().quantize(4)
    assert picture.mode == "P"
    for form in ("PNG", "GIF", "BMP", "TIFF"):
        found = decode(encode(picture, form))
        assert np.array_equal(found.pixels, pixels_of(quarters()))
        assert found.notes == ()


NOTE_ON_WHITE = ("Parts of this picture are transparent; they are filled with white.",)


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_palette_with_one_transparent_colour(form: str) -> None:
    picture = quarters().quantize(4)
    red = picture.getpixel((0, 0))
    found = decode(encode(picture, form, transparency=red))
    assert corners(found.pixels) == [WHITE, GREEN, YELLOW, BLUE]
    assert found.notes == NOTE_ON_WHITE


def test_palette_with_an_opacity_per_colour() -> None:
    picture = Image.new("P", (3, 1))
    picture.putpalette([*RED, *GREEN, *BLUE])
    picture.putdata([0, 1, 2])
    content = encode(picture, "PNG", transparency=bytes((255, 0, 51)))
    assert isinstance(Image.open(io.BytesIO(content)).info["transparency"], bytes)
    found = decode(content)
    assert found.pixels[0].tolist() == [list(RED), list(WHITE), [204, 204, 255]]
    assert found.notes == NOTE_ON_WHITE
    opaque = decode(encode(picture, "PNG", transparency=bytes((255, 255, 255))))
    assert opaque.pixels[0].tolist() == [list(RED), list(GREEN), list(BLUE)]
    assert opaque.notes == ()


def test_one_transparent_colour_without_palette() -> None:
    found = decode(encode(quarters(), "PNG", transparency=GREEN))
    assert corners(found.pixels) == [RED, WHITE, YELLOW, BLUE]
    assert found.notes == NOTE_ON_WHITE
    grey = Image.new("L", (2, 1), 80)
    grey.putpixel((1, 0), 90)
    found = decode(encode(grey, "PNG", transparency=80))
    assert found.pixels[0].tolist() == [list(WHITE), [90] * 3]


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_filled_with_white(form: str) -> None:
    picture = Image.new("RGBA", (3, 1))
    picture.putdata([(255, 0, 0, 255), (0, 0, 255, 51), (0, 0, 0, 0)])
    options: dict[str, Any] = {"lossless": True} if form == "WEBP" else {}
    found = decode(encode(picture, form, **options))
    assert found.pixels[0].tolist() == [list(RED), [204, 204, 255], list(WHITE)]
    assert found.notes == NOTE_ON_WHITE
    picture.putalpha(255)
    assert decode(encode(picture, form, **options)).notes == ()


def test_modes_with_opacity() -> None:
    colour = Image.new("RGBA", (1, 1), (0, 100, 200, 51))
    grey = Image.new("LA", (1, 1), (100, 51))
    indexed = Image.new("PA", (1, 1), (1, 51))
    indexed.putpalette([0, 0, 0, 0, 100, 200])
    for picture, expected in (
        (colour, [204, 224, 244]),
        (colour.convert("RGBa"), [204, 224, 244]),
        (grey, [224] * 3),
        (grey.convert("La"), [224] * 3),
        (indexed, [204, 224, 244]),
    ):
        found = decode(picture)
        assert_close(found.pixels, np.array([[expected]], np.uint8), levels=1)
        assert found.notes == NOTE_ON_WHITE, picture.mode


@needs_heif_encoder
def test_heif_with_opacity() -> None:
    picture = quarters().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 24, 16))
    found = decode(encode(picture, "HEIF", quality=90))
    assert corners(found.pixels) == [WHITE, GREEN, YELLOW, BLUE]
    assert found.notes == NOTE_ON_WHITE


@needs_heif_encoder
def test_heif_under_the_brand_that_avif_uses_too() -> None:
    content = encode(quarters(), "HEIF")
    assert content[8:12] == b"heic"
    assert corners(decode(content[:8] + b"mif1" + content[12:]).pixels) == SEEN_UPRIGHT[1]


@needs_avif
def test_avif_under_the_brand_that_heif_uses_too() -> None:
    content = encode(quarters(), "AVIF")
    assert content[8:12] == b"avif"
    assert corners(decode(content[:8] + b"mif1" + content[12:]).pixels) == SEEN_UPRIGHT[1]


def test_other_colour_spaces() -> None:
    for mode, form in (("YCbCr", "TIFF"), ("CMYK", "TIFF"), ("HSV", None), ("RGBX", None)):
        picture = quarters().convert(mode)
        for source in (picture, encode(picture, form)) if form else (picture,):
            assert_close(decode(source).pixels, pixels_of(quarters()), levels=3)
    # L* 0..100 is stored as 0..255, a* and b* as signed bytes (TIFF 6.0, section 23): red is
    # L*a*b* (54, 81, 70), the grey of level 119 is (50, 0, 0).
    picture = Image.frombytes("LAB", (2, 1), bytes((138, 81, 70, 128, 0, 0)))
    for source in (picture, encode(picture, "TIFF")):
        assert_close(decode(source).pixels, np.array([[RED, [119] * 3]], np.uint8), levels=5)


def test_cmyk_jpeg() -> None:
    inks = Image.new("CMYK", (48, 32), (0, 255, 255, 0))  # red
    inks.paste((0, 0, 0, 255), (24, 0, 48, 32))  # black
    content = encode(inks, "JPEG", quality=95)
    assert Image.open(io.BytesIO(content)).mode == "CMYK"
    assert corners(decode(content).pixels) == [RED, BLACK, BLACK, RED]


def test_ycck_jpeg() -> None:
    # Photoshop's form: luma and chroma of the inverted inks, told by the last byte of the Adobe
    # marker. Pillow writes CMYK inverted, so it is given inverted luma and chroma as inks.
    luma, blue, red = Image.new("RGB", (48, 32), (0, 255, 255)).convert("YCbCr").split()
    black = Image.new("L", (48, 32), 0)
    black.paste(255, (24, 0, 48, 32))
    inverted = [band.point(lambda value: 255 - value) for band in (luma, blue, red)]
    content = bytearray(encode(Image.merge("CMYK", [*inverted, black]), "JPEG", quality=95))
    transform = content.index(b"Adobe") + 11
    assert content[transform] == 0
    content[transform] = 2
    # Cyan, magenta, yellow inks 0, 255, 255 are red; where black ink is full, black.
    assert corners(decode(bytes(content)).pixels) == [RED, BLACK, BLACK, RED]


# Colour profiles ------------------------------------------------------------------------------

NOTE_ON_PROFILE = "The colour profile in this file cannot be used and is ignored"


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        pytest.param("AVIF", {}, marks=needs_avif),
        pytest.param("HEIF", {}, marks=needs_heif_encoder),
    ],
)
def test_embedded_profile_is_converted(form: str, options: dict[str, Any]) -> None:
    found = decode(encode(quarters(), form, icc_profile=swapped_profile(), **options))
    assert corners(found.pixels) == [GREEN, RED, YELLOW, BLUE]
    assert found.notes == ()


def test_profile_is_converted_before_white_is_mixed_in() -> None:
    picture = Image.new("RGBA", (2, 1), (255, 0, 0, 51))
    picture.putpixel((1, 0), (255, 0, 0, 0))
    found = decode(encode(picture, "PNG", icc_profile=swapped_profile()))
    assert_close(found.pixels, np.array([[[204, 255, 204], WHITE]], np.uint8), levels=1)
    indexed = Image.new("P", (2, 1))
    indexed.putpalette([*RED, *BLUE])
    indexed.putpixel((1, 0), 1)
    content = encode(indexed, "PNG", icc_profile=swapped_profile(), transparency=b"\x33\xff")
    assert_close(decode(content).pixels, np.array([[[204, 255, 204], BLUE]], np.uint8), levels=1)


def test_profile_and_orientation_together() -> None:
    content = encode(quarters(), "PNG", icc_profile=swapped_profile(), exif=exif(6))
    assert corners(decode(content).pixels) == [BLUE, GREEN, RED, YELLOW]


def test_srgb_profile_changes_no_pixel() -> None:
    # The second one as other makers round it: converting would shift some levels by 1.
    rounded = bytearray(srgb_profile())
    entry = rounded.index(b"rXYZ")
    red = struct.unpack_from(">I", rounded, entry + 4)[0] + 8
    struct.pack_into(">i", rounded, red, struct.unpack_from(">i", rounded, red)[0] - 20)
    picture = Image.fromarray(noise(64, 48))
    for profile in (srgb_profile(), bytes(rounded)):
        found = decode(encode(picture, "PNG", icc_profile=profile))
        assert np.array_equal(found.pixels, np.asarray(picture))
        assert found.notes == ()


def test_grey_profiles() -> None:
    picture = Image.new("L", (1, 1), 128)
    for source in (picture, picture.convert("LA")):
        found = decode(encode(source, "PNG", icc_profile=linear_grey_profile()))
        assert_close(found.pixels, np.full((1, 1, 3), 188, np.uint8), levels=1)
        assert found.notes == ()
    deep = Image.fromarray(np.full((1, 1), 128 * 257, np.uint16))
    found = decode(encode(deep, "PNG", icc_profile=linear_grey_profile()))
    assert_close(found.pixels, np.full((1, 1, 3), 188, np.uint8), levels=1)
    # A colour photo made grey keeps its profile; grey is the same in this one.
    found = decode(encode(picture, "PNG", icc_profile=swapped_profile()))
    assert_close(found.pixels, np.full((1, 1, 3), 128, np.uint8), levels=1)
    assert found.notes == ()


def test_cmyk_profile() -> None:
    inks = Image.new("CMYK", (48, 32), (255, 0, 0, 0))
    inks.paste((0, 0, 255, 0), (24, 0, 48, 32))
    assert corners(decode(encode(inks, "JPEG", quality=95)).pixels)[0] == (0, 255, 255)
    found = decode(encode(inks, "JPEG", quality=95, icc_profile=cmyk_profile()))
    assert corners(found.pixels) == [GREEN, WHITE, WHITE, GREEN]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("profile", "mode"),
    [
        (b"no profile at all", "RGB"),
        (srgb_profile()[:200], "RGB"),
        (cmyk_profile(), "RGB"),
        (linear_grey_profile(), "RGB"),
        (cmyk_profile(), "L"),
        (swapped_profile(), "CMYK"),
    ],
)
def test_unusable_profile_is_ignored_with_a_note(profile: bytes, mode: str) -> None:
    picture = quarters().convert(mode)
    plain = decode(encode(picture, "TIFF"))
    found = decode(encode(picture, "TIFF", icc_profile=profile))
    assert np.array_equal(found.pixels, plain.pixels)
    assert plain.notes == ()
    assert len(found.notes) == 1
    assert found.notes[0].startswith(NOTE_ON_PROFILE)


def test_profile_with_missing_parts_is_ignored_with_a_note() -> None:
    content = encode(quarters(), "JPEG", icc_profile=swapped_profile())
    start = content.index(b"ICC_PROFILE\0") + 12
    assert content[start : start + 2] == b"\x01\x01"
    found = decode(content[:start] + b"\x01\x02" + content[start + 2 :])  # part 1 of 2
    assert corners(found.pixels) == SEEN_UPRIGHT[1]
    assert found.notes[0].startswith(NOTE_ON_PROFILE)


# Shapes and display ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (10000, 20), (20, 10000), (1, 7)])
def test_any_shape_is_decoded_preprocessed_and_reduced(size: tuple[int, int]) -> None:
    found = decode(encode(Image.new("RGB", size, (10, 200, 30)), "PNG"))
    assert (found.width, found.height) == size
    tensor, crop = MODELS["b0"].preprocessing(found)  # (1, 3, 224, 224)
    assert tensor.shape == (1, 3, 224, 224)
    assert_close(
        shown_by(tensor, MODELS["b0"].preprocessing)[::223, ::223],
        np.full((2, 2, 3), (10, 200, 30), np.uint8),
        levels=0,
    )
    assert 0 < crop.seen <= 1
    small = found.reduced(100)  # (h, w, 3)
    assert max(small.shape[:2]) == min(100, max(size))
    assert min(small.shape[:2]) >= 1
    assert (small == (10, 200, 30)).all()


def test_reduced_keeps_the_picture_and_never_enlarges() -> None:
    found = decode(quarters(480, 320))
    small = found.reduced(48)  # (32, 48, 3)
    assert small.shape == (32, 48, 3)
    assert corners(small) == [RED, GREEN, YELLOW, BLUE]
    assert not small.flags.writeable
    assert found.reduced(480) is found.pixels
    assert found.reduced(10**9) is found.pixels
    assert found.reduced(1).shape == (1, 1, 3)
    with pytest.raises(ValueError, match="at least 1 pixel"):
        found.reduced(0)


# Preprocessing --------------------------------------------------------------------------------

REAL = {
    "b0": "EfficientNet_B0_Weights.IMAGENET1K_V1",  # 256 to 224, bicubic
    "b1-v2": "EfficientNet_B1_Weights.IMAGENET1K_V2",  # 255 to 240, bilinear
    "b2": "EfficientNet_B2_Weights.IMAGENET1K_V1",  # 288 to 288, bicubic: nothing cut off
    "b3": "EfficientNet_B3_Weights.IMAGENET1K_V1",  # 320 to 300, bicubic
}
SHAPES = [
    (640, 480), (480, 640), (333, 333), (501, 377), (300, 601), (377, 1001), (1601, 1203),
    (97, 61), (50, 50), (256, 256), (255, 300), (320, 288), (240, 30), (31, 250), (1, 1), (3, 2),
]  # fmt: skip


def shown_by(tensor: torch.Tensor, preprocessing: ResizeAndCrop) -> Pixels:
    """Levels 0 to 255 behind a model input, (R, R, 3)."""
    mean = torch.tensor(preprocessing.mean).view(3, 1, 1)  # (3, 1, 1)
    std = torch.tensor(preprocessing.std).view(3, 1, 1)  # (3, 1, 1)
    levels = ((tensor[0] * std + mean) * 255).round()  # (3, R, R)
    return levels.to(torch.uint8).permute(1, 2, 0).numpy()


@pytest.mark.parametrize("key", REAL)
@pytest.mark.parametrize("make", [noise, scenery])
def test_preprocessing_equals_torchvision_bit_by_bit(
    key: str, make: Callable[[int, int], Pixels]
) -> None:
    transforms = get_weight(REAL[key]).transforms()
    for width, height in SHAPES:
        pixels = make(width, height)
        tensor, _ = MODELS[key].preprocessing(photograph(pixels))  # (1, 3, R, R)
        assert tensor.dtype == torch.float32
        assert tensor.is_contiguous()
        assert torch.equal(tensor[0], transforms(Image.fromarray(pixels))), (width, height)


@pytest.mark.parametrize("key", REAL)
@pytest.mark.parametrize("size", [(300, 20), (20, 300), (2, 200), (200, 1), (1000, 40)])
def test_preprocessing_of_strips_equals_torchvision_but_for_rounding(
    key: str, size: tuple[int, int]
) -> None:
    # Beyond 8 to 1 only the surroundings of the crop are resized. Pillow rounds their edges to
    # 32-bit floats and the filter's coefficients to integers, which can tip a level either way.
    # Measured: equal for the bicubic presets, and for the bilinear one (255 divides badly) 1 level
    # in at most 1.8 % of the values.
    preprocessing = MODELS[key].preprocessing
    pixels = noise(*size)
    tensor, _ = preprocessing(photograph(pixels))  # (1, 3, R, R)
    expected = get_weight(REAL[key]).transforms()(Image.fromarray(pixels))[None]  # (1, 3, R, R)
    actual_levels = shown_by(tensor, preprocessing).astype(int)  # (R, R, 3)
    difference = np.abs(actual_levels - shown_by(expected, preprocessing))  # (R, R, 3)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.03


def test_resizing_the_crop_alone_would_differ_from_torchvision() -> None:
    # Why preprocessing does not simply pass the crop's box to Pillow.
    preprocessing = MODELS["b3"].preprocessing
    pixels = noise(280, 601)
    picture = Image.fromarray(pixels)
    box = preprocessing.crop(280, 601).box
    alone = np.asarray(picture.resize((300, 300), Image.Resampling.BICUBIC, box=box)).astype(int)
    tensor, _ = preprocessing(photograph(pixels))  # (1, 3, 300, 300)
    assert np.abs(alone - shown_by(tensor, preprocessing)).max() > 1


def slow_bilinear(pixels: Pixels, preprocessing: ResizeAndCrop) -> NDArray[np.float64]:
    """Resize, crop and scale to 0..1 by the definition of the filter, (R, R, 3)."""
    height, width = pixels.shape[:2]
    side, resize = preprocessing.resolution, preprocessing.resize

    def weights(length: int) -> NDArray[np.float64]:  # (R, length)
        resized = int(resize * length / min(width, height))
        start = round((resized - side) / 2)
        scale = length / resized
        reach = max(scale, 1)
        centres = (np.arange(start, start + side) + 0.5) * scale  # (R,)
        distance = np.abs(np.arange(length) + 0.5 - centres[:, None]) / reach  # (R, length)
        triangle = np.maximum(0, 1 - distance)  # (R, length)
        return triangle / triangle.sum(axis=1, keepdims=True)

    return np.einsum("yh,hwc,xw->yxc", weights(height), pixels / 255, weights(width), optimize=True)


@pytest.mark.parametrize("size", [(37, 23), (300, 411), (523, 260), (4000, 1)])
def test_preprocessing_equals_a_slow_bilinear_filter(size: tuple[int, int]) -> None:
    preprocessing = dataclasses.replace(MODELS["b1-v2"].preprocessing, resize=48, resolution=40)
    pixels = scenery(*size)
    tensor, _ = preprocessing(photograph(pixels))  # (1, 3, 40, 40)
    expected = slow_bilinear(pixels, preprocessing) * 255  # (40, 40, 3)
    difference = np.abs(shown_by(tensor, preprocessing) - expected)  # (40, 40, 3)
    assert difference.max() < 1.1  # Pillow rounds after each of the two axes


@pytest.mark.parametrize("upright", [True, False])
def test_a_line_of_pixels_takes_little_memory(upright: bool) -> None:
    # torchvision would make 2.6 million by 256 pixels of it first, 2.6 GB.
    line = np.zeros((1, 10000, 3), np.uint8)  # (1, 10000, 3)
    line[:, 5000:] = 200  # the crop, 0.875 pixels wide, is centred on this edge
    pixels = np.ascontiguousarray(line.transpose(1, 0, 2)) if upright else line
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tensor, crop = MODELS["b0"].preprocessing(photograph(pixels))  # (1, 3, 224, 224)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB
    levels = shown_by(tensor, MODELS["b0"].preprocessing)  # (224, 224, 3)
    across = levels[:, 100] if upright else levels[100]  # (224, 3)
    assert across[0].max() < 20
    assert across[-1].min() > 180
    assert (np.diff(across[:, 0].astype(int)) >= 0).all()
    assert abs(int(across[111, 0]) + int(across[112, 0]) - 200) <= 2
    edges = crop.box[1::2] if upright else crop.box[::2]
    assert edges == (4999.5625, 5000.4375)


# Geometry -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((256, 256), (16, 16, 240, 240)),
        ((512, 1024), (32, 288, 480, 736)),  # halved
        ((128, 64), (36, 4, 92, 60)),  # times four
        ((256, 259), (16, 18, 240, 242)),  # 17.5 rounds to even
        ((256, 257), (16, 16, 240, 240)),  # 16.5 rounds to even
        ((512, 515), (32, 16 * 515 / 257, 480, 240 * 515 / 257)),  # 257.5 rows are truncated
    ],
)
def test_crop_by_hand(size: tuple[int, int], box: tuple[float, float, float, float]) -> None:
    found = MODELS["b0"].preprocessing.crop(*size)
    assert found.box == pytest.approx(box)
    assert found.photograph == size
    assert found.resolution == 224


def test_part_seen() -> None:
    nothing_cut = MODELS["b2"].preprocessing
    assert nothing_cut.crop(288, 288).seen == 1
    assert nothing_cut.crop(600, 300).seen == pytest.approx(0.5)
    assert Crop((10, 20), (0, 5, 10, 10), 224).seen == 0.25
    assert MODELS["b0"].preprocessing.crop(512, 512).seen == pytest.approx((224 / 256) ** 2)


def test_crop_for_display() -> None:
    crop = MODELS["b2"].preprocessing.crop(480, 320)
    assert crop.box == pytest.approx((80, 0, 400, 320))
    assert crop.box_in(48, 16) == pytest.approx((8, 0, 40, 16))
    picture = decode(quarters(480, 320)).cropped(crop, 40)  # (40, 40, 3)
    assert picture.shape == (40, 40, 3)
    assert corners(picture) == [RED, GREEN, YELLOW, BLUE]


def test_box_lies_inside_the_photograph() -> None:
    generator = np.random.default_rng(0)
    sizes = [(w, h) for w in range(1, 40) for h in range(1, 40)]
    sizes += [tuple(int(s) for s in generator.integers(1, 9000, 2)) for _ in range(3000)]
    sizes += [(50_000_000, 1), (1, 50_000_000), (49_999_991, 1)]
    for preprocessing in {entry.preprocessing for entry in MODELS.values()}:
        for width, height in sizes:
            left, top, right, bottom = preprocessing.crop(width, height).box
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height


def test_coordinates_go_back_and_forth() -> None:
    generator = np.random.default_rng(0)
    for width, height in ((640, 480), (377, 1001), (3, 2), (10000, 20)):
        crop = MODELS["b3"].preprocessing.crop(width, height)
        left, top, right, bottom = crop.box
        assert crop.to_photograph(0, 0) == pytest.approx((left, top))
        assert crop.to_photograph(300, 300) == pytest.approx((right, bottom))
        for x, y in generator.uniform(-50, 350, (20, 2)):
            assert crop.to_model(*crop.to_photograph(x, y)) == pytest.approx((x, y), abs=1e-6)


def test_impossible_crops_raise() -> None:
    preprocessing = MODELS["b0"].preprocessing
    with pytest.raises(ValueError, match="at least 1 pixel"):
        preprocessing.crop(0, 10)
    with pytest.raises(ValueError, match="larger than"):
        dataclasses.replace(preprocessing, resolution=300).crop(10, 10)


def centre_of_light(tensor: torch.Tensor) -> tuple[float, float]:
    """Where the light of a model input lies on average, in model coordinates (x, y)."""
    light = tensor[0].sum(dim=0)  # (R, R)
    light = light - light.min()  # the background is 0
    middle = torch.arange(light.shape[0]) + 0.5  # (R,)
    across, down = light.sum(dim=0), light.sum(dim=1)  # (R,), (R,)
    total = light.sum()
    return float((across * middle).sum() / total), float((down * middle).sum() / total)


def assert_dot_is_found(found: Photograph, x: int, y: int, key: str) -> None:
    """The bright pixel in column x and row y of the photograph is where the crop says."""
    tensor, crop = MODELS[key].preprocessing(found)  # (1, 3, R, R)
    expected = crop.to_model(x + 0.5, y + 0.5)
    assert centre_of_light(tensor) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("key", ["b1-v2", "b1", "lite0"])
@pytest.mark.parametrize(
    ("size", "dot"),
    [
        ((300, 200), (110, 60)),
        ((200, 300), (60, 190)),
        ((211, 211), (30, 180)),
        ((90, 70), (20, 50)),
        ((1000, 40), (510, 12)),
    ],
)
def test_a_dot_appears_where_the_crop_says(
    key: str, size: tuple[int, int], dot: tuple[int, int]
) -> None:
    picture = Image.new("RGB", size)
    picture.putpixel(dot, WHITE)
    assert_dot_is_found(decode(encode(picture, "PNG")), *dot, key)


@pytest.mark.parametrize(
    ("orientation", "dot"),
    # Stored: 300 x 200 with a dot in column 110, row 60.
    [
        (2, (189, 60)), (3, (189, 139)), (4, (110, 139)),
        (5, (60, 110)), (6, (139, 110)), (7, (139, 189)), (8, (60, 189)),
    ],
)  # fmt: skip
def test_a_dot_appears_where_the_crop_says_after_turning(
    orientation: int, dot: tuple[int, int]
) -> None:
    picture = Image.new("RGB", (300, 200))
    picture.putpixel((110, 60), WHITE)
    found = decode(encode(picture, "PNG", exif=exif(orientation)))
    assert found.pixels[dot[1], dot[0]].tolist() == list(WHITE)
    assert_dot_is_found(found, *dot, "b1-v2")


def test_crop_of_preprocessing_is_the_crop_of_the_size() -> None:
    found = photograph(scenery(301, 200))
    _, crop = MODELS["b3"].preprocessing(found)
    assert crop == MODELS["b3"].preprocessing.crop(301, 200)
    assert isinstance(crop, Crop)


def noisy_photograph(width: int, height: int) -> Photograph:
    return decode(Image.fromarray(noise(width, height)))


def test_a_covered_box_loses_its_detail_and_nothing_else_changes() -> None:
    photograph = noisy_photograph(200, 100)
    hidden = photograph.covered((0.25, 0.5, 0.5, 1.0), keep=False).pixels
    inside = np.zeros((100, 200), dtype=bool)
    inside[50:, 50:100] = True
    assert (hidden[~inside] == photograph.pixels[~inside]).all()
    assert hidden[inside].std() < 0.1 * photograph.pixels[inside].std()
    kept = photograph.covered((0.25, 0.5, 0.5, 1.0), keep=True).pixels
    assert (kept[inside] == photograph.pixels[inside]).all()
    assert kept[~inside].std() < 0.1 * photograph.pixels[~inside].std()


def test_what_is_covered_is_part_of_the_identity() -> None:
    photograph = noisy_photograph(40, 30)
    boxes = ((0.0, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, 0.6))
    made = [photograph.covered(box, keep=keep) for box in boxes for keep in (False, True)]
    assert len({photograph.digest, *(p.digest for p in made)}) == 5


@pytest.mark.parametrize("box", [(0.5, 0, 0.5, 1), (0, 0.9, 1, 0.1), (-0.1, 0, 1, 1), (0, 0, 1, 2)])
def test_an_impossible_box_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="is not left, top, right, bottom"):
        noisy_photograph(10, 10).covered(box, keep=False)
