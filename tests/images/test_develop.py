"""Every kind of pixels, orientation and colour profile gives the right picture."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from effnet_viz.images.decode import decode
from tests.images.files import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    assert_close,
    cmyk_profile,
    corners,
    encode,
    exif,
    linear_grey_profile,
    needs_avif,
    needs_heif_encoder,
    noise,
    pixels_of,
    png,
    png_chunk,
    quarters,
    refusal,
    srgb_profile,
    swapped_profile,
)

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
