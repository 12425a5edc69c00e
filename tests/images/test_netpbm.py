"""PPM, PGM and PBM files give the levels that Pillow's own decoders give."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, PpmImagePlugin

from effnet_viz.images.decode import decode
from tests.images.files import noise, refusal


def pillows_own(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Image.Image:
    with monkeypatch.context() as patch:
        patch.setitem(Image.DECODERS, "ppm", PpmImagePlugin.PpmDecoder)
        patch.setitem(Image.DECODERS, "ppm_plain", PpmImagePlugin.PpmPlainDecoder)
        image = Image.open(io.BytesIO(content))
        image.load()
    return image


def here(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def words(values: np.ndarray, separator: str = " ") -> bytes:
    return separator.join(str(value) for value in values.ravel()).encode()


SAMPLES = noise(12, 7)  # (7, 12, 3)
GREY = SAMPLES[..., 0]

FILES = {
    **{f"P6 to {m}": b"P6 12 7 %d\n" % m + SAMPLES.tobytes() for m in (1, 7, 100, 254)},
    **{
        f"P6 to {m}": b"P6 12 7 %d\n" % m + (SAMPLES.astype(">u2") * 257).tobytes()
        for m in (256, 1023, 4095, 65535)
    },
    "P5 to 100": b"P5 12 7 100\n" + GREY.tobytes(),
    "P5 to 4095": b"P5 12 7 4095\n" + (GREY.astype(">u2") * 16).tobytes(),
    "P1": b"P1 12 7\n" + words(GREY % 2, ""),
    "P1 with comments": b"P1 12 7\n# bits\n" + words(GREY % 2) + b"# end",
    "P2 to 255": b"P2 12 7 255\n" + words(GREY),
    "P2 to 1000": b"P2 12 7 1000 # levels\n" + words(GREY * 3.9 // 1).replace(b".0", b""),
    "P3 to 255": b"P3\n12 7\n255\n" + words(SAMPLES, "\n") + b"\n7 8 9 ",
    "P3 to 300": b"P3 12 7 300\n" + words(SAMPLES) + b"\n",
    "P3 with comments": b"P3 12 7 255\n" + words(SAMPLES[:3]) + b" # red\n" + words(SAMPLES[3:]),
}


@pytest.mark.parametrize("name", FILES)
def test_levels_are_those_of_pillow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, expected = here(FILES[name]), pillows_own(FILES[name], monkeypatch)
    assert found.mode == expected.mode
    assert np.array_equal(np.asarray(found), np.asarray(expected))
    assert np.asarray(found).std() > 0


def test_a_megapixel_of_16_bits_takes_no_second() -> None:
    values = noise(1000, 1000).astype(">u2") * 257
    found = decode(b"P6 1000 1000 65535\n" + values.tobytes())
    assert np.array_equal(found.pixels, noise(1000, 1000))


@pytest.mark.parametrize(
    "content",
    [
        b"P6 4 4 100\n" + bytes(47),
        b"P6 4 4 65535\n" + bytes(95),
        b"P5 4 4 0\n" + bytes(16),
        b"P5 4 4 65536\n" + bytes(32),
        b"P2 2 2 9\n1 2 3",
        b"P2 2 2 9\n1 2 3 10",
        b"P2 2 2 9\n1 2 3 -1",
        b"P2 2 2 9\n1 2 3 99999999999999999999999",
        b"P2 2 2 9\n1 2 x 4",
        b"P2 2 2 9\n1 2.5 3 4",
        b"P2 2 2 9\n",
        b"P1 2 2\n0 1 0",
        b"P1 2 2\n0 1 2 1",
    ],
)
def test_too_little_or_too_much_is_refused(content: bytes) -> None:
    assert "damaged" in refusal(content)
