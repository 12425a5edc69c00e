"""Opened checkpoints: one for each visitor, within a size for all, gone when nobody has them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch

from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import Question
from effnet_viz.models import architectures, checkpoints, held, recognition
from effnet_viz.models.held import Checkpoint
from effnet_viz.models.model import run_here
from effnet_viz.models.variants import ModelRef, find
from effnet_viz.models.weights import WeightsError
from effnet_viz.serving import models, settings, slow_methods, uploads
from effnet_viz.serving.slow_methods import run_in_worker

pytestmark = pytest.mark.usefixtures("on_torch_alone")


@cache
def _file(seed: int) -> bytes:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = architectures.scaled("efficientnet_b0", 0.25, 0.25, 3)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    return file.getvalue()


def checkpoint(seed: int, name: str = "birds.pth") -> Checkpoint:
    return Checkpoint(recognition.read_checkpoint(name, _file(seed)), _file(seed))


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "CHECKPOINT_MEGABYTES", 2)
    yield
    for visitor in list(uploads._opened):
        uploads.release(visitor)


def test_a_visitor_has_one_and_the_oldest_in_use_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three, four = (checkpoint(1, f"{name}.pth") for name in "abcd")
    size = len(one.data)
    monkeypatch.setattr(settings, "all_checkpoint_bytes", lambda: 3 * size)
    assert uploads.hold("first", one) == set()
    assert uploads.hold("first", two) == {one.entry.key}
    assert not held.is_held(one.entry.key)
    uploads.hold("second", one)
    uploads.hold("third", three)
    assert uploads.use("first") == two  # from now on the second is the oldest
    assert uploads.hold("fourth", four) == {one.entry.key}
    assert uploads.use("second") is None
    assert [uploads.use(visitor) for visitor in ("first", "third", "fourth")] == [two, three, four]
    assert uploads.release("first") == {two.entry.key}
    with pytest.raises(WeightsError, match="is not open any more"):
        find(two.entry.key)
    with pytest.raises(WeightsError, match=r"`b\.pth` is not open any more"):
        checkpoints.load_state_dict(two.entry)


def test_two_who_have_the_same_one_lose_it_with_the_last() -> None:
    one = checkpoint(1)
    uploads.hold("first", one)
    uploads.hold("second", checkpoint(1))
    assert uploads.release("first") == set()
    assert held.find(one.entry.key) == one
    assert uploads.release("second") == {one.entry.key}
    assert uploads.release("second") == set()


def test_its_key_says_all_that_it_is() -> None:
    keys = {
        checkpoint(1).entry.key,
        checkpoint(2).entry.key,
        checkpoint(1, "other.pth").entry.key,
        recognition.labelled(checkpoint(1).entry, ("a", "b", "c")).key,
    }
    assert len(keys) == 4
    assert checkpoint(1).entry == checkpoint(1).entry


def test_the_networks_made_of_it_go_with_it() -> None:
    one = checkpoint(1)
    uploads.hold("first", one)
    before = len(models._models), len(models._shared)
    for key in (one.entry.key, f"{one.entry.key}-r{2 * one.entry.resolution}"):
        models.get_model(ModelRef(key))
    assert (len(models._models), len(models._shared)) == (before[0] + 2, before[1] + 2)
    uploads.release("first")
    assert (len(models._models), len(models._shared)) == before
    with pytest.raises(WeightsError):
        models.get_model(ModelRef(one.entry.key))


def test_the_process_for_slow_methods_gets_it_and_gives_it_back() -> None:
    image = np.random.default_rng(0).random((1, 3, 224, 224), np.float32)
    question = Question(stage=5, target=1, other=2)
    method = methods.find("hires-cam")
    try:
        for seed, visitor in ((1, "first"), (2, "second"), (1, "first")):
            one = checkpoint(seed)
            uploads.hold(visitor, one)
            found = models.get_model(ModelRef(one.entry.key))
            here = run_here(found, method, image, question, progress=lambda _: None)
            there = run_in_worker(found, method, image, question, progress=lambda _: None)
            np.testing.assert_allclose(there, here, atol=1e-4 * np.abs(here).max())
        assert slow_methods._handed_over
        for visitor in ("first", "second"):
            uploads.release(visitor)
        with pytest.raises(WeightsError):
            run_in_worker(found, method, image, question, progress=lambda _: None)
    finally:
        slow_methods.close()
