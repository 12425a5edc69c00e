"""Forward and backward as one graph: every stage's evidence equals eager autograd's."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import openvino
import pytest
import torch
from torch import nn
from torch.nn import functional

from effnet_viz.attribution import cam
from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.gradient_graph import as_openvino, explained, peak_bytes, trace_gradients
from effnet_viz.engines.network import Network
from effnet_viz.engines.optimize import fold_batch_norms, keep_activations
from effnet_viz.models import architectures, checkpoints, variants
from tests.choices import ARCHITECTURES, one_of_many
from tests.engines.networks import TIMM, TORCHVISION, branching, calibrated, images, make

AVERAGING = ("resnet18d", "resnet26d", "seresnet50")
"""They average between stages, for whose gradient OpenVINO has nothing: theirs are eager."""
FAMILIES = [
    *(("torchvision", name) for name in TORCHVISION),
    *(("timm", name) for name in TIMM if name not in AVERAGING),
]
QUICK = [("torchvision", "mobilenet_v3_small"), ("torchvision", "resnet18"), ("timm", "lcnet_050")]
TARGET = 7


def folded(network: Network, resolution: int) -> Network:
    made = network.eval().requires_grad_(False)
    keep_activations(made)
    fold_batch_norms(made, resolution)
    return made


@cache
def family(library: str, name: str) -> Network:
    return folded(as_network(calibrated(make(library, name), images(96, 2))), 96)


def compiled(network: Network, x: torch.Tensor, rows: torch.Tensor, first: int) -> list[np.ndarray]:
    """What OpenVINO makes of the traced graph."""
    traced = trace_gradients(network, tuple(x.shape), first)
    model = as_openvino(traced)
    assert not model.is_dynamic()  # unknown shapes are slow
    run = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return [np.array(output) for output in run([x.numpy(), rows.numpy()]).values()]


def one(classes: int, target: int = TARGET) -> torch.Tensor:
    rows = torch.zeros(1, classes)
    rows[0, target] = 1
    return rows


def assert_near(ours: np.ndarray, expected: np.ndarray, near: float) -> None:
    """By length. A ReLU that is passed at 1e-7 from its kink counts in one of them only: float32
    and float64 differ by 0.01 at the early stages of a random ResNet-50."""
    assert ours.shape == expected.shape
    length = float(np.linalg.norm(expected))
    assert length > 0
    assert np.linalg.norm(ours - expected) <= near * length


def check(network: Network, x: torch.Tensor, first: int, near: float) -> None:
    rows = one(network(x).shape[1])
    before = network.forward_intermediates(x)[first - 2] if first > 1 else x
    expected = [value.detach().numpy() for value in explained(network, before, rows, first)]
    ours = compiled(network, before.detach(), rows, first)
    assert len(ours) == len(expected) == 1 + 4 * (len(network.stages) - first + 1)
    for value, theirs in zip(ours, expected, strict=True):
        assert_near(value, theirs, near)


@pytest.mark.parametrize(("library", "name"), one_of_many(FAMILIES, QUICK))
def test_every_stage_of_every_family(library: str, name: str) -> None:
    check(family(library, name), images(96, 1, seed=5), 1, 0.1)


@pytest.mark.parametrize("key", one_of_many(ARCHITECTURES, ["b0", "lite0"]))
def test_every_stage_of_every_architecture(key: str) -> None:
    """On real weights where they are here, else on calibrated batch norms: 1e-5, 0.007 at ReLU6."""
    entry = variants.find(key)
    x = images(entry.resolution, 1, seed=6)
    try:
        state, _ = checkpoints.load_state_dict(entry)
        network = architectures.build(entry, state)
    except checkpoints.WeightsError:
        network = calibrated(architectures.build(entry, None), images(entry.resolution, 2))
    check(folded(network, entry.resolution), x, 1, 0.02)


def test_a_graph_that_begins_later_gives_the_stages_from_there_on() -> None:
    check(family("torchvision", "efficientnet_b0"), images(96, 1, seed=7), 5, 1e-3)


def test_what_is_explained_is_what_the_formulas_say() -> None:
    network = folded(branching(), 32)
    x, rows = images(32, 1), one(5, 3)
    logits, *outputs = explained(network, x, rows, 1)
    for stage, activation in enumerate(network.forward_intermediates(x)):
        leaf = activation.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(network.tail(leaf, stage + 1)[0, 3], leaf)
        a, g = leaf.detach().numpy(), gradient.numpy()  # (1, C, h, w)
        found = [output.detach().numpy() for output in outputs[4 * stage : 4 * stage + 4]]
        for ours, expected in zip(
            found,
            [cam.grad_cam(a, g), g.mean((2, 3)), (a * g).sum((2, 3)), (a * g).sum(1)],
            strict=True,
        ):
            np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(logits, network(x))


def test_several_images_have_each_their_class() -> None:
    network = family("torchvision", "resnet18")
    x = images(96, 2, seed=8)
    rows = torch.cat([one(1000, 3), one(1000, 900)])
    both = compiled(network, x, rows, 1)
    for number, target in enumerate((3, 900)):
        alone = compiled(network, x[number : number + 1], one(1000, target), 1)
        for value, theirs in zip(both, alone, strict=True):
            assert_near(value[number : number + 1], theirs, 0.02)


def test_the_network_stays_as_it_was() -> None:
    network = family("torchvision", "mobilenet_v3_small")
    before = copy.deepcopy(network.state_dict())
    trace_gradients(network, (1, 3, 96, 96), 1)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_peak_is_what_is_alive_at_once() -> None:
    """Twice the side is four times as much; at least the image and the output of the stage."""
    network = Network([nn.Conv2d(3, 8, 1)], nn.AdaptiveAvgPool2d(1), nn.Linear(8, 2))
    small = peak_bytes(trace_gradients(folded(network, 16), (1, 3, 16, 16), 1))
    large = peak_bytes(trace_gradients(network, (1, 3, 32, 32), 1))
    assert 3.5 < large / small < 4.1
    assert large > 4 * 32 * 32 * (3 + 8)


class BackAndForth(nn.Module):
    """A convolution, and the transposed one that is its gradient."""

    def __init__(self, channels: int, kernel: int, stride: int, shared: bool) -> None:
        super().__init__()
        self.padding, self.stride = kernel // 2, stride
        generator = torch.Generator().manual_seed(channels)
        weight = torch.randn(channels, channels, kernel, kernel, generator=generator)
        self.weight = nn.Parameter(weight)
        self.back = self.weight if shared else nn.Parameter(weight.clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = functional.conv2d(x, self.weight, None, self.stride, self.padding)  # (1, C, h, w)
        more = self.stride - 1
        return functional.conv_transpose2d(
            seen, self.back, None, self.stride, self.padding, more
        )  # (1, C, H, W)


@pytest.mark.parametrize(("channels", "kernel", "stride"), [(8, 3, 2), (16, 3, 1)])
def test_openvino_mistakes_kernels_that_two_convolutions_share(
    channels: int, kernel: int, stride: int
) -> None:
    """With as many channels in as out, it takes those it has rearranged for the other one.

    This is why every gradient has kernels of its own. Should this test fail, OpenVINO is mended:
    they may then share them, and take half the memory.
    """
    x = images(16, 1)[:, :1].expand(1, channels, 16, 16).contiguous()
    differences = []
    for shared in (False, True):
        module = BackAndForth(channels, kernel, stride, shared).eval()
        with torch.no_grad():
            expected = module(x).numpy()
            model = openvino.convert_model(torch.export.export(module, (x,)))
        model.reshape(list(x.shape))
        run = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found = np.array(run([x.numpy()])[0])
        differences.append(np.linalg.norm(found - expected) / np.linalg.norm(expected))
    own, shared_one = differences
    assert own < 1e-5
    assert shared_one > 0.1
