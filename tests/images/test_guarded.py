"""Decoding in a process of its own gives the same photographs and sentences, and has an end."""

from __future__ import annotations

import os
import signal
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import pytest

from effnet_viz import processes
from effnet_viz.assets import SAMPLES
from effnet_viz.images import guarded
from effnet_viz.images.decode import decode
from effnet_viz.images.guarded import decode_guarded
from effnet_viz.images.photograph import ImageError
from effnet_viz.images.samples import samples
from effnet_viz.processes import Limits
from tests.images.files import encode, quarters


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


@pytest.mark.skipif(not processes.FORKS, reason="Only Linux bounds a forked job.")
@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(1e-3, 2**28, 60), "takes too long to read"),
        (Limits(9, 2**28, 1e-3), "takes too long to read"),
        (Limits(9, 2**10, 60), "more memory|Reading this picture failed"),
    ],
)
def test_a_file_that_takes_too_much_is_named(
    limits: Limits, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = guarded.limits
    monkeypatch.setattr(guarded, "limits", lambda pixels: limits if pixels else declared(0))
    with pytest.raises(ImageError, match=sentence):
        decode_guarded(encode(quarters(1200, 1200), "PNG"))


def test_limits_grow_with_the_declared_size() -> None:
    megapixel = 10**6
    small, large = guarded.limits(0), guarded.limits(48 * megapixel)
    assert small.processor == 1
    assert large.processor == pytest.approx(1 + 4.8)
    assert large.nbytes - small.nbytes == 9 * 48 * megapixel


def test_it_waits_for_its_turn_with_the_declared_size() -> None:
    asked: list[int] = []

    def turn(pixels: int) -> AbstractContextManager[None]:
        asked.append(pixels)
        return nullcontext()

    photograph = decode_guarded((SAMPLES / "cat.jpg").read_bytes(), turn)
    assert asked == [0, photograph.width * photograph.height]


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
