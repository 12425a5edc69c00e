"""Decoding in a process of its own gives the same photographs and sentences, and has an end."""

from __future__ import annotations

import os
import signal
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from effnet_viz import processes
from effnet_viz.assets import SAMPLES
from effnet_viz.images import guarded
from effnet_viz.images.decode import decode
from effnet_viz.images.guarded import decode_guarded, layers_guarded
from effnet_viz.images.photograph import ImageError
from effnet_viz.images.samples import samples
from effnet_viz.processes import JobError, Limit, LimitError, Limits
from tests.images.files import encode, exif, quarters


@pytest.mark.parametrize("sample", samples())
def test_the_photograph_is_the_same(sample: str) -> None:
    content = samples()[sample].path.read_bytes()
    there, here = decode_guarded(content), decode(content)
    assert np.array_equal(there.pixels, here.pixels)
    assert (there.digest, there.notes) == (here.digest, here.notes)
    assert not there.pixels.flags.writeable


def test_notes_come_along() -> None:
    content = encode(
        quarters().convert("RGBA"), "GIF", save_all=True, append_images=[quarters().rotate(180)]
    )
    assert decode_guarded(content).notes == decode(content).notes != ()


@pytest.mark.parametrize("content", [b"", b"no picture", encode(quarters(), "PNG")[:60]])
def test_a_refusal_is_the_same_sentence(content: bytes) -> None:
    with pytest.raises(ImageError) as here:
        decode(content)
    with pytest.raises(ImageError) as there:
        decode_guarded(content)
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize("limits", [Limits(9, 2**28, clock=1e-3), Limits(1e-3, 2**28, 60)])
def test_a_file_that_takes_too_long_is_named(
    limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    if limits.clock > 1 and not processes.FORKS:
        pytest.skip("Only Linux bounds the processor time of a job.")
    monkeypatch.setattr(guarded, "limits", lambda _: limits)
    with pytest.raises(ImageError, match=r"takes too long to read; .* choose that file"):
        decode_guarded(encode(quarters(1200, 1200), "PNG"))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (LimitError(Limit.PROCESSOR), "takes too long to read"),
        (JobError("the path of a file"), "Reading this picture failed"),
    ],
)
def test_what_ended_it_is_told_in_plain_words(
    error: JobError, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> None:
        raise error

    monkeypatch.setattr(guarded._decoders, "run", run)
    with pytest.raises(ImageError, match=sentence) as raised:
        decode_guarded(b"a picture")
    assert str(error) not in str(raised.value)


def test_limits_grow_with_the_declared_size() -> None:
    megapixel = 10**6
    small, large = guarded.limits(0), guarded.limits(48 * megapixel)
    assert small.processor == 1
    assert large.processor == pytest.approx(1 + 4.8)
    assert large.nbytes - small.nbytes == 9 * 48 * megapixel


def test_large_files_take_another_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def turn(large: bool) -> AbstractContextManager[None]:
        asked.append(large)
        return nullcontext()

    small = encode(quarters(), "BMP")
    decode_guarded(small, turn)
    assert asked == [False]
    monkeypatch.setattr(guarded, "LARGE", 10)
    assert np.array_equal(decode_guarded(small, turn).pixels, decode(small).pixels)
    assert asked == [False, False, True]


@pytest.mark.skipif(not processes.FORKS, reason="Elsewhere there is no helper.")
def test_a_decoder_that_was_killed_is_replaced() -> None:
    content = (SAMPLES / "cat.jpg").read_bytes()
    decode_guarded(content)
    helper = guarded._decoders._helper
    assert helper is not None
    os.kill(helper.pid, signal.SIGKILL)
    assert decode_guarded(content).width == decode(content).width


def test_nothing_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    decode_guarded((SAMPLES / "cat.jpg").read_bytes())
    assert list(tmp_path.iterdir()) == []


def cut_out_file(form: str, **options: object) -> tuple[Image.Image, bytes]:
    """Quarters of which the left half is see-through, and as a file."""
    picture = quarters().convert("RGBA")
    opacity = Image.new("L", picture.size, 255)
    opacity.paste(0, (0, 0, picture.width // 2, picture.height))
    picture.putalpha(opacity)
    return picture, encode(picture, form, **options)


def test_layers_are_colours_that_are_not_mixed_and_opacity() -> None:
    picture, content = cut_out_file("PNG")
    colours, opacity = layers_guarded(content)
    assert opacity is not None
    assert np.array_equal(np.dstack([colours, opacity]), np.asarray(picture))
    assert not colours.flags.writeable


def test_layers_are_upright() -> None:
    turned = exif(6)
    _, content = cut_out_file("PNG", exif=turned)
    colours, opacity = layers_guarded(content)
    assert opacity is not None
    assert not opacity[: len(opacity) // 2].any()  # what was left is above
    assert (opacity[len(opacity) // 2 :] == 255).all()
    expected = decode(encode(quarters(), "PNG", exif=turned)).pixels
    assert np.array_equal(colours, expected)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_an_opaque_picture_has_no_opacity(form: str) -> None:
    picture = quarters() if form == "JPEG" else quarters().convert("RGBA")
    content = encode(picture, form)
    colours, opacity = layers_guarded(content)
    assert opacity is None
    assert np.array_equal(colours, decode(content).pixels)


def test_layers_have_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (b"", b"no picture", encode(quarters(), "PNG")[:60]):
        with pytest.raises(ImageError) as here:
            decode(content)
        with pytest.raises(ImageError) as there:
            layers_guarded(content)
        assert str(there.value) == str(here.value)
    turns: list[bool] = []

    def turn(large: bool) -> AbstractContextManager[None]:
        turns.append(large)
        return nullcontext()

    monkeypatch.setattr(guarded, "LARGE", 1000)
    _, content = cut_out_file("PNG")
    assert layers_guarded(content, turn)[0].shape == (32, 48, 3)
    assert turns == [False, True]
