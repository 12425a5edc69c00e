"""Every engine gives what eager PyTorch gives, to as many threads as ask, for any batch."""

from __future__ import annotations

import copy
import importlib.util
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import openvino
import pytest
import torch
from torch import nn

from effnet_viz.arrays import Floats
from effnet_viz.attribution import cam
from effnet_viz.engines import compiled
from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.compiled import BATCH
from effnet_viz.engines.create import create
from effnet_viz.engines.engine import Activations, Engine, EngineError, engine_errors
from effnet_viz.engines.network import Network
from effnet_viz.engines.openvino_engine import OpenVINOEngine
from effnet_viz.engines.optimize import fold_batch_norms
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.images.decode import decode
from effnet_viz.models import architectures, checkpoints, variants, weights
from tests.choices import ARCHITECTURES, one_of_many
from tests.conftest import SAMPLES
from tests.engines.networks import TIMM, TORCHVISION, branching, calibrated, images, make

CLOSE = 1e-3
"""Largest difference, as a share of the values' own range."""

FAMILIES = [
    ("torchvision", "efficientnet_b0"),
    ("torchvision", "mobilenet_v2"),
    ("torchvision", "mobilenet_v3_small"),
    ("torchvision", "resnet18"),
    ("torchvision", "resnet50"),
    ("timm", "mobilenetv3_small_100"),
    ("timm", "resnet26d"),
]
QUICK = [("torchvision", "mobilenet_v3_small"), ("torchvision", "resnet18"), ("timm", "resnet26d")]
"""Whose blocks the others consist of as well."""


def assert_close(ours: np.ndarray, expected: np.ndarray, close: float = CLOSE) -> None:
    assert ours.shape == expected.shape
    extent = float(expected.max() - expected.min())
    assert np.isfinite(extent)
    assert extent > 0
    assert np.abs(ours - expected).max() <= close * extent


def sample(name: str, key: str) -> Floats:
    """A photograph as the input of an entry, (1, 3, R, R)."""
    x, _ = variants.find(key).preprocessing(decode(SAMPLES / name))
    return x


def trained(key: str) -> Network:
    entry = variants.find(key)
    return architectures.build(entry, checkpoints.load_state_dict(entry)[0])


@cache
def lite(key: str = "lite0") -> OpenVINOEngine:
    return OpenVINOEngine(trained(key), variants.find(key).resolution)


@cache
def family(library: str, name: str) -> tuple[TorchEngine, OpenVINOEngine]:
    """One calibrated module of 96 pixels on both engines."""
    module = calibrated(make(library, name), images(96, 2))
    eager = TorchEngine(as_network(copy.deepcopy(module)))
    return eager, OpenVINOEngine(as_network(module), 96)


@pytest.mark.parametrize("key", one_of_many(ARCHITECTURES, ["lite0", "b0"]))
def test_openvino_agrees_with_eager_pytorch(key: str) -> None:
    """Logits, all stages and the maps from them, for every architecture."""
    entry = variants.find(key)
    image = sample("cat-and-espresso.jpg", key)  # (1, 3, R, R)
    if isinstance(entry.weights, weights.PackageFile):
        built = trained(key)
    else:
        built = calibrated(architectures.build(entry, None), torch.tensor(image))
    eager = TorchEngine(built)
    assert eager.head is not None
    weight = eager.head.weight[[7]]
    expected = eager.forward(image)
    last = len(built.stages)
    middle = min(5, last - 1)
    # In float64: a ReLU whose input is zero but for rounding passes a gradient or none.
    exact = TorchEngine(copy.deepcopy(built).double())
    gradient = exact.gradient(expected.stages[middle].astype(np.float64), middle, [7])
    fast = OpenVINOEngine(built, entry.resolution)
    ours = fast.forward(image)
    assert_close(ours.logits, expected.logits)
    assert list(ours.stages) == list(range(1, last + 1))
    for stage in ours.stages:
        assert_close(ours.stages[stage], expected.stages[stage])
    earlier = expected.stages[middle]
    assert_close(
        cam.grad_cam(earlier, fast.gradient(earlier, middle, [7])),
        cam.grad_cam(earlier, gradient),
    )
    assert_close(
        cam.class_activation_map(ours.stages[last], weight),
        cam.class_activation_map(expected.stages[last], weight),
    )


@pytest.mark.parametrize("key", one_of_many(["lite0", "lite1", "lite2"], ["lite0"]))
@pytest.mark.parametrize(
    "name", one_of_many(sorted(path.name for path in SAMPLES.glob("*.jpg")), ["cat.jpg"])
)
def test_same_top_five_and_maps_on_the_samples(key: str, name: str) -> None:
    ours, eager = lite(key), TorchEngine(trained(key))
    image = sample(name, key)
    one, other = ours.forward(image), eager.forward(image)
    order = np.argsort(-other.logits[0])[:5]
    assert np.argsort(-one.logits[0])[:5].tolist() == order.tolist()
    for stage in one.stages:
        maps = []
        for run, seen in ((ours, one), (eager, other)):
            activation = seen.stages[stage]  # (1, C, h, w)
            gradient = run.gradient(activation, stage, order[:1])  # (1, C, h, w)
            maps.append(cam.grad_cam(activation, gradient))
        # At early stages the gradients of thousands of positions nearly cancel, and a ReLU6 that is
        # passed at 1e-7 from its kink weighs in: 0.007 of the range was seen at stage 1, 0.0011
        # at stage 5.
        close = 0.02 if stage < 5 else 0.002 if stage < 9 else CLOSE
        assert_close(*maps, close)


@pytest.mark.parametrize(("library", "name"), one_of_many(FAMILIES, QUICK))
@pytest.mark.parametrize("number", [1, 3, BATCH, BATCH + 1])
def test_a_batch_is_its_images_one_by_one(library: str, name: str, number: int) -> None:
    """Every stage of every family: eager PyTorch, OpenVINO and single calls agree."""
    eager, fast = family(library, name)
    x = images(96, number, seed=3).numpy()  # (B, 3, 96, 96)
    expected, ours = eager.forward(x), fast.forward(x)
    assert ours.logits.shape == (number, 1000)
    assert not ours.logits.flags.writeable
    for stage in expected.stages:
        assert_close(ours.stages[stage], expected.stages[stage])
        assert not ours.stages[stage].flags.writeable
    assert_close(ours.logits, expected.logits)
    for position in {0, number - 1}:
        for engine, batch in ((eager, expected), (fast, ours)):
            alone, chosen = engine.forward(x[position : position + 1]), batch.select(position)
            assert_close(chosen.logits, alone.logits, 1e-4)
            for stage in alone.stages:
                assert_close(chosen.stages[stage], alone.stages[stage], 1e-4)


def assert_near(ours: np.ndarray, expected: np.ndarray) -> None:
    """By length: a ReLU passed at 1e-7 from its kink may count in one of them only.

    0.02 was seen, in a random ResNet-50; the gradient of another image or class is more than 1 off.
    """
    assert ours.shape == expected.shape
    length = float(np.linalg.norm(expected))
    assert length > 0
    assert np.linalg.norm(ours - expected) <= 0.1 * length


@pytest.mark.parametrize(("library", "name"), one_of_many(FAMILIES, QUICK))
def test_gradients_of_a_batch_are_those_of_the_module(library: str, name: str) -> None:
    """Against autograd through the library's own module from the image on, for each image alone."""
    eager, fast = family(library, name)
    x = images(96, 3, seed=4)  # (3, 3, 96, 96)
    targets = [7, 7, 900]
    seen = eager.forward(x.numpy())
    for stage in seen.stages:
        ours = eager.gradient(seen.stages[stage], stage, targets)
        assert not ours.flags.writeable
        for number, target in enumerate(targets):
            outputs = [x[number : number + 1].clone().requires_grad_()]
            for module in eager.network.stages:
                outputs.append(module(outputs[-1]))  # (1, C, h, w)
            logits = eager.network.head(eager.network.pool(outputs[-1]))  # (1, 1000)
            (expected,) = torch.autograd.grad(logits[0, target], outputs[stage])
            assert_near(ours[number], expected[0].numpy())
        for one, other in zip(ours, fast.gradient(seen.stages[stage], stage, targets), strict=True):
            assert_near(other, one)


def test_after_the_last_stage_the_gradient_is_known() -> None:
    engine, _ = family("torchvision", "resnet18")
    last = engine.forward(images(96, 2).numpy()).stages[5]  # (2, 512, 3, 3)
    assert engine.head is not None
    known = engine.head.gradient(last, [3, 5])
    np.testing.assert_allclose(known, engine.gradient(last, 5, [3, 5]), rtol=1e-6)
    assert known[1, 2, 0, 1] == engine.head.weight[5, 2] / np.float32(9)


@pytest.mark.parametrize(("library", "name"), one_of_many(FAMILIES, QUICK))
def test_only_a_linear_head_after_an_average_is_a_head(library: str, name: str) -> None:
    for engine in family(library, name):
        assert (engine.head is None) == ("mobilenet_v3" in name or "mobilenetv3" in name)


def test_a_head_without_bias_has_one_of_zeros() -> None:
    head = nn.Linear(4, 3, bias=False)
    engine = TorchEngine(Network([nn.Conv2d(3, 4, 1)], nn.AdaptiveAvgPool2d(1), head))
    assert engine.head is not None
    assert engine.head.bias.tolist() == [0, 0, 0]


def test_an_activation_in_place_does_not_reach_the_stage_before() -> None:
    x = images(32, 2)
    made = branching()
    with torch.no_grad():
        first = made.stages[0](x).numpy()  # (2, 8, 16, 16)
    assert first.min() < 0
    for engine in (TorchEngine(copy.deepcopy(made)), OpenVINOEngine(copy.deepcopy(made), 32)):
        assert_close(engine.forward(x.numpy()).stages[1], first, 1e-5)


# Batch norms


@pytest.mark.parametrize(
    ("library", "name"),
    [("torchvision", name) for name in TORCHVISION] + [("timm", name) for name in TIMM],
)
def test_folded_batch_norms_change_rounding_only(library: str, name: str) -> None:
    x = images(96, 2)
    made = as_network(calibrated(make(library, name), x))
    with torch.no_grad():
        expected = [*made.forward_intermediates(x), made(x)]
        fold_batch_norms(made, 96)
        assert not any(isinstance(module, nn.BatchNorm2d) for module in made.modules())
        for ours, theirs in zip([*made.forward_intermediates(x), made(x)], expected, strict=True):
            assert_close(ours.numpy(), theirs.numpy(), 5e-4)  # 2.1e-4 was seen


class _Crossed(nn.Module):
    """Defined in another order than it runs; one convolution is read twice, one runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
        self.after_one, self.after_two = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.read_twice, self.norm = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)
        self.runs_twice, self.shared = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.after_two(self.two(self.after_one(self.one(x)).relu()))
        y = self.read_twice(x)
        x = self.norm(y) + y
        return self.shared(self.runs_twice(self.runs_twice(x)))


def test_only_what_follows_each_other_is_folded() -> None:
    x = images(8, 4)
    stages = [_Crossed(), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)]
    made = calibrated(Network(stages, nn.AdaptiveAvgPool2d(1), nn.Linear(4, 2)), x)
    with torch.no_grad():
        expected = [*made.forward_intermediates(x), made(x)]
        fold_batch_norms(made, 8)
        ours = [*made.forward_intermediates(x), made(x)]
    kept = {name for name, module in made.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert kept == {"stages.0.norm", "stages.0.shared", "stages.2"}
    for one, other in zip(ours, expected, strict=True):
        assert_close(one.numpy(), other.numpy(), 1e-5)


# Threads


def test_eight_threads_share_one_engine_and_get_what_one_gets() -> None:
    """Forward passes and gradients at once, on different images, bitwise as alone."""
    engine = lite()
    inputs = [sample(path.name, "lite0") for path in sorted(SAMPLES.glob("*.jpg"))[:4]]
    assert len(inputs) == 4

    def work(number: int) -> tuple[Floats, ...]:
        seen = engine.forward(inputs[number % 4])
        return seen.logits, seen.stages[9], engine.gradient(seen.stages[5], 5, [number % 4])

    alone = [work(number) for number in range(4)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, range(32)))
    for number, results in enumerate(together):
        for ours, expected in zip(results, alone[number % 4], strict=True):
            assert np.array_equal(ours, expected)


def test_the_graph_for_batches_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many threads bring the first batch; none is compiled for single images."""
    made: list[int] = []
    original = compiled._Graph.__init__

    def counting(self: object, graph: object, number: int) -> None:
        made.append(number)
        original(self, graph, number)  # type: ignore[arg-type]

    monkeypatch.setattr(compiled._Graph, "__init__", counting)
    module = calibrated(make("torchvision", "resnet18"), images(64, 2))
    engine = OpenVINOEngine(as_network(module), 64)
    x = images(64, BATCH + 2).numpy()
    engine.forward(x[:3])
    assert made == [1]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(engine.forward, [x] * 4))
    assert made == [1, BATCH]
    for result in results[1:]:
        assert np.array_equal(result.logits, results[0].logits)


def test_visitors_of_different_models_can_arrive_together() -> None:
    keys = ("lite0", "lite1", "lite2", "lite0")
    with ThreadPoolExecutor(len(keys)) as threads:
        together = list(threads.map(lite.__wrapped__, keys))
    for key, engine in zip(keys, together, strict=True):
        image = sample("cat.jpg", key)
        assert_close(engine.forward(image).logits, lite(key).forward(image).logits)


def test_results_do_not_change_when_the_next_image_runs() -> None:
    """The engine's buffers are its own."""
    first = lite().forward(sample("cat.jpg", "lite0"))
    before = {stage: array.copy() for stage, array in first.stages.items()}
    lite().forward(sample("palace.jpg", "lite0"))
    for stage, array in first.stages.items():
        assert np.array_equal(array, before[stage])


def test_nothing_is_attached_to_the_network() -> None:
    seen = lite().forward(sample("cat.jpg", "lite0"))
    lite().gradient(seen.stages[5], 5, [1])
    for module in lite().network.modules():
        assert not module._forward_hooks
        assert not module._backward_hooks


def test_without_openvino_pytorch_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    chosen = create(trained("lite0"), 224)
    assert type(chosen) is TorchEngine
    assert int(chosen.forward(sample("cat.jpg", "lite0")).logits[0].argmax()) == 282  # tiger cat
    assert "torch" in chosen.name


# Batches and errors


def test_an_image_of_a_batch_keeps_no_other_in_memory() -> None:
    logits = np.arange(6, dtype=np.float32).reshape(3, 2)
    stage = np.arange(24, dtype=np.float32).reshape(3, 2, 2, 2)
    batch = Activations(logits, {1: stage}, seconds=3.0)
    one = batch.select(1)
    assert one.logits.tolist() == [[2, 3]]
    assert np.array_equal(one.stages[1], stage[1:2])
    assert one.stages[1].base is None
    assert not one.stages[1].flags.writeable
    assert (one.seconds, one.nbytes, batch.nbytes) == (1.0, 4 * (2 + 8), 4 * (6 + 24))
    assert one.select(0) is one
    with pytest.raises(IndexError, match="images 0 to 2, not 3"):
        batch.select(3)


def both() -> tuple[Engine, Engine]:
    return family("torchvision", "resnet18")


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((3, 96, 96), np.float32),
        np.zeros((1, 1, 96, 96), np.float32),
        np.zeros((1, 3, 96, 64), np.float32),
        np.zeros((0, 3, 96, 96), np.float32),
        np.zeros((1, 3, 96, 96), np.float64),
    ],
)
def test_what_is_no_batch_of_images_is_a_programming_error(wrong: np.ndarray) -> None:
    for engine in both():
        with pytest.raises(ValueError, match="float32"):
            engine.forward(wrong)


def test_wrong_stages_targets_and_sizes_are_programming_errors() -> None:
    for engine in both():
        last = engine.forward(images(96, 2).numpy()).stages[5]
        for stage in (0, 6):
            with pytest.raises(ValueError, match=f"no stage {stage}"):
                engine.gradient(last, stage, [1, 1])
        with pytest.raises(ValueError, match="2 images have 1 target"):
            engine.gradient(last, 5, [1])
        for target in (-1, 1000):
            with pytest.raises(IndexError, match=f"no class {target}"):
                engine.gradient(last, 5, [1, target])
    with pytest.raises(ValueError, match="for 96 pixels"):
        family("torchvision", "resnet18")[1].forward(images(64).numpy())


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), MemoryError),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), MemoryError),
        (RuntimeError("Exception from src/core.cpp: std::bad_alloc"), MemoryError),
        (MemoryError("std::bad_alloc"), MemoryError),
        (RuntimeError("Check failed\nat some line"), EngineError),
        (TypeError("no"), TypeError),
        (IndexError("no"), IndexError),
        (ValueError("no"), ValueError),
    ],
)
def test_only_the_librarys_own_errors_become_the_engines(
    raised: Exception, expected: type[Exception]
) -> None:
    with pytest.raises(expected) as caught, engine_errors("the run", "Do this."):
        raise raised
    assert type(caught.value) is expected
    if isinstance(raised, RuntimeError):
        assert caught.value.__cause__ is raised
        assert "the run" in str(caught.value)
    if expected is EngineError:
        assert str(caught.value) == "Failed at the run: Check failed Do this."


@pytest.mark.parametrize("make_engine", [TorchEngine, lambda network: OpenVINOEngine(network, 8)])
def test_what_a_stage_raises(make_engine: Callable[[Network], Engine]) -> None:
    """The library's refusal is an EngineError, a mistake in the module's own code is not."""

    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.no_such_method()

    pool, head = nn.AdaptiveAvgPool2d(1), nn.Linear(4, 2)
    with pytest.raises(AttributeError):
        make_engine(Network([Broken()], pool, head)).forward(images(8).numpy())


def test_a_run_that_openvino_refuses_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _, engine = family("torchvision", "resnet18")
    single = engine._forward._single
    graph = single._compiled
    monkeypatch.setattr(single, "_idle", compiled.SimpleQueue())

    class Refusing:
        def create_infer_request(self) -> openvino.InferRequest:
            return graph.missing  # what follows is pybind's

    monkeypatch.setattr(single, "_compiled", Refusing())
    with pytest.raises(AttributeError):
        engine.forward(images(96).numpy())
    monkeypatch.setattr(single, "_compiled", graph)
    monkeypatch.setattr(single, "shapes", [(1,), *single.shapes[1:]])
    with pytest.raises(EngineError, match="Failed at the forward pass") as caught:
        engine.forward(images(96).numpy())
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_openvino_reports_to_nobody() -> None:
    from openvino.tools.ovc import convert_impl, telemetry_stub, telemetry_utils

    assert telemetry_utils.tm is telemetry_stub
    assert convert_impl.tm is telemetry_stub
