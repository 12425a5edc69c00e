"""The models that all visitors share, loaded once and dropped where memory is short."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from effnet_viz import Model, analyse
from effnet_viz.engines.engine import Activations, Head, StageEvidence
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.models import architectures, model, variants, weights
from effnet_viz.models.model import of_entry
from effnet_viz.models.structures import structure_of
from effnet_viz.models.variants import ModelRef
from effnet_viz.serving import models, settings
from effnet_viz.serving.cache import SharedCache
from effnet_viz.serving.queue import CapacityLimiter, notifying
from tests.conftest import SAMPLES, loaded
from tests.serving.threads import PATIENCE, hold, in_thread


def test_a_shared_model_gives_the_same_results_and_survives_being_dropped() -> None:
    shared = models.get_model(ModelRef("lite0"))
    assert models.get_model(ModelRef("lite0")) is shared
    result = analyse(SAMPLES / "cat.jpg", shared)
    expected = analyse(SAMPLES / "cat.jpg", loaded("lite0"))
    assert np.array_equal(result.logits, expected.logits)
    models._models.clear()
    assert models._models.nbytes == 0
    assert np.array_equal(result.grad_cam(5), expected.grad_cam(5))  # loaded again
    assert result.provenance == expected.provenance


@pytest.mark.usefixtures("on_torch_alone")
def test_many_first_visitors_load_a_model_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    load = model.load

    def counting_load(key: str, *, untrained: bool) -> object:
        loads.append(key)
        return load(key, untrained=untrained)

    monkeypatch.setattr(model, "load", counting_load)
    monkeypatch.setattr(models, "_models", SharedCache(settings.MODEL_BYTES))
    monkeypatch.setattr(models, "_shared", SharedCache(settings.MODEL_BYTES))
    with ThreadPoolExecutor(8) as pool:
        futures = [
            pool.submit(models.get_model, ModelRef("lite0", untrained=True)) for _ in range(8)
        ]
        assert len({id(future.result(60)) for future in futures}) == 1
    assert loads == ["lite0"]


class _Stub:
    """An engine that gives the image back as logits."""

    name = "stub"
    head = Head(np.zeros((2, 3), np.float32), np.zeros(2, np.float32))

    def forward(self, images: np.ndarray) -> Activations:
        return Activations(images, {}, 0.0)

    def explain(self, *_: object) -> dict[int, StageEvidence]:
        return {}

    def gradient(self, activation: np.ndarray, stage: int, targets: Sequence[int]) -> np.ndarray:
        return activation * np.float32(stage + targets[0])


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A server of stubs; the keys of the models that it loads."""
    found: list[str] = []

    def load(key: str, *, untrained: bool) -> Model:
        assert untrained
        found.append(key)
        return of_entry(variants.find(key), _Stub(), None)

    monkeypatch.setattr(model, "load", load)
    monkeypatch.setattr(models, "_models", SharedCache(settings.MODEL_BYTES))
    monkeypatch.setattr(models, "_shared", SharedCache(settings.MODEL_BYTES))
    monkeypatch.setattr(models, "_limiter", CapacityLimiter(slots=1, timeout=PATIENCE))
    return found


def test_a_model_can_be_dropped_while_visitors_queue_for_it(loads: list[str]) -> None:
    engine = models.get_model(ModelRef("lite0", untrained=True)).engine
    begun, end = threading.Event(), threading.Event()
    first = in_thread(lambda: hold(models._limiter, begun, end))
    assert begun.wait(PATIENCE)
    told = [threading.Event() for _ in range(3)]

    def ask(event: threading.Event) -> object:
        with notifying(lambda _: event.set()):
            return engine.forward(np.ones(2, np.float32)).logits.tolist()

    asked = [in_thread(lambda event=event: ask(event)) for event in told]
    assert all(event.wait(PATIENCE) for event in told)  # all of them queue
    models._models.clear()
    assert models._models.nbytes == 0
    assert not any(future.done() for future in asked)
    end.set()
    first.result(PATIENCE)
    assert [future.result(PATIENCE) for future in asked] == [[1, 1]] * 3
    assert loads == ["lite0", "lite0"]  # again, but once for all three


def test_a_model_loads_while_another_one_runs(loads: list[str]) -> None:
    engine = models.get_model(ModelRef("lite0", untrained=True)).engine
    models._models.clear()
    begun, end, told = threading.Event(), threading.Event(), threading.Event()
    first = in_thread(lambda: hold(models._limiter, begun, end))
    assert begun.wait(PATIENCE)

    def ask() -> object:
        with notifying(lambda _: told.set()):
            return engine.gradient(np.ones(2, np.float32), 5, [7]).tolist()

    asked = in_thread(ask)
    assert told.wait(PATIENCE)  # it queues, and has loaded before
    assert loads == ["lite0", "lite0"]
    end.set()
    first.result(PATIENCE)
    assert asked.result(PATIENCE) == [12, 12]
    assert loads == ["lite0", "lite0"]


@pytest.fixture
def own_checkpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, Path]:
    """A server without models, and the key and the file of a network with a checkpoint."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(models, "_models", SharedCache(settings.MODEL_BYTES))
    monkeypatch.setattr(models, "_shared", SharedCache(settings.MODEL_BYTES))
    # Converting a network for another engine takes seconds, and its files are the same.
    monkeypatch.setattr(model, "create_cached", lambda recipe: TorchEngine(recipe.network()))
    entry = variants.variant("lite0", width=0.5)
    assert isinstance(entry.weights, weights.UserCheckpoint)
    path = weights.folder() / entry.weights.filenames[1]
    path.parent.mkdir(parents=True)
    torch.save(architectures.module_of(entry, None).state_dict(), path)
    return entry.key, path


def test_a_deleted_checkpoint_leaves_the_loaded_model_and_is_missed_when_loading_anew(
    own_checkpoint: tuple[str, Path],
) -> None:
    key, path = own_checkpoint
    shared = models.get_model(ModelRef(key))
    before = analyse(SAMPLES / "cat.jpg", shared)
    path.unlink()
    after = analyse(SAMPLES / "cat.jpg", shared)
    assert np.array_equal(before.logits, after.logits)
    assert np.array_equal(before.grad_cam(5), after.grad_cam(5))
    models._models.clear()
    said = f"No weights were ever published .* `{path.name}`"
    for ask in (
        lambda: models.get_model(ModelRef(key)),
        lambda: analyse(SAMPLES / "palace.jpg", shared),
        shared.module,
    ):
        with pytest.raises(weights.WeightsError, match=said):
            ask()


def test_a_replaced_checkpoint_is_used_and_never_mixed_with_the_old_one(
    own_checkpoint: tuple[str, Path],
) -> None:
    key, path = own_checkpoint
    state = torch.load(path, weights_only=True)

    def put(bias: float) -> None:
        state["classifier.bias"].fill_(bias)
        torch.save(state, path)

    put(1.0)
    old = analyse(SAMPLES / "cat.jpg", models.get_model(ModelRef(key)))
    put(2.0)
    new = analyse(SAMPLES / "cat.jpg", models.get_model(ModelRef(key)))
    assert old.provenance.weights_sha256 != new.provenance.weights_sha256
    np.testing.assert_allclose(new.logits - old.logits, 1, atol=1e-4)
    models._models.clear()
    with pytest.raises(weights.WeightsError, match="was replaced while it was in use"):
        old.grad_cam(5)


def test_the_memory_of_a_model_is_counted() -> None:
    """By hand, from Table 1 of the paper: channels times grid of every stage at 224 pixels."""
    table = [(32, 112), (16, 112), (24, 56), (40, 28), (80, 14), (112, 14), (192, 7), (320, 7)]
    outputs = sum(channels * side**2 for channels, side in [*table, (1280, 7)])
    parameters = 5_288_548
    kept = models._KEPT_PER_OUTPUT
    assert models._nbytes(structure_of(variants.find("b0"))) == 4 * (
        2 * parameters + kept * outputs
    )
    # Twice the resolution: the same parameters, four times the outputs.
    assert models._nbytes(structure_of(variants.find("b0-r448"))) == 4 * (
        2 * parameters + kept * 4 * outputs
    )
