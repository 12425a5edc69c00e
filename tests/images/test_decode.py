"""Decoding is safe: what is read, what is refused, and which of several pictures it is."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from effnet_viz.images.decode import MAX_BYTES, decode
from effnet_viz.images.photograph import ImageError
from tests.images.files import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    corners,
    encode,
    exif,
    needs_avif,
    needs_heif_encoder,
    pixels_of,
    png,
    png_chunk,
    quarters,
    refusal,
    scenery,
)

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
