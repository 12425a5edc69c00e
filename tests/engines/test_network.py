"""Stages, pooling and head are the library's model, bit for bit, whatever the library."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import timm
import torch
import torchvision
from torch import nn

from effnet_viz.engines.adapters import UnsupportedModuleError, as_network
from effnet_viz.engines.network import Network
from effnet_viz.engines.optimize import keep_activations
from effnet_viz.models import architectures, checkpoints, variants
from tests.choices import one_of_many
from tests.engines.networks import TIMM, TORCHVISION, branching, calibrated, images, make

EVERY = [("torchvision", *pair) for pair in TORCHVISION.items()] + [
    ("timm", *pair) for pair in TIMM.items()
]


def trained(key: str) -> Network:
    """The network itself, with its packaged weights."""
    entry = variants.find(key)
    return architectures.build(entry, checkpoints.load_state_dict(entry)[0])


@pytest.mark.parametrize("key", one_of_many(["b0", "b7"], ["b0"]))
def test_forward_over_stages_equals_torchvision_bit_for_bit(key: str) -> None:
    entry = variants.find(key)
    torch.manual_seed(1)
    reference = torchvision.models.get_model_builder(entry.architecture)(weights=None).eval()
    ours = architectures.build(entry, reference.state_dict())
    x = images(entry.resolution)  # (1, 3, R, R)
    with torch.no_grad():
        outputs = ours.forward_intermediates(x)
        assert torch.equal(ours(x), reference(x))
        assert torch.equal(ours.tail(outputs[-1], 9), reference(x))
        for output, module in zip(outputs, reference.features, strict=True):
            x = module(x)  # (1, C, h, w)
            assert torch.equal(output, x)


@pytest.mark.parametrize("key", one_of_many(["lite0", "lite1", "lite2"], ["lite0"]))
def test_forward_over_stages_equals_timm_bit_for_bit(key: str) -> None:
    """timm's own model with the packaged weights, and its own forward_intermediates."""
    entry = variants.find(key)
    ours = trained(key)
    reference = timm.create_model(entry.architecture, pretrained=False).eval()
    state, _ = checkpoints.load_state_dict(entry)
    with torch.no_grad():
        for name, tensor in zip(reference.state_dict(), state.values(), strict=True):
            reference.state_dict()[name].copy_(tensor)
        x = images(entry.resolution)  # (1, 3, R, R)
        outputs = ours.forward_intermediates(x)
        assert torch.equal(ours(x), reference(x))
        blocks = reference.forward_intermediates(x, extra_blocks=True, intermediates_only=True)
        features = reference.forward_features(x)
    assert len(blocks) == 8
    for output, block in zip(outputs, [*blocks, features], strict=True):
        assert torch.equal(output, block)


@pytest.mark.parametrize(("library", "name", "stages"), EVERY)
def test_an_adapted_module_is_itself_bit_for_bit(library: str, name: str, stages: int) -> None:
    """From the image and from every stage; only MobileNetV3's heads are more than one layer."""
    x = images(96, 2)  # (2, 3, 96, 96)
    module = calibrated(make(library, name), x)
    ours = as_network(module)
    with torch.no_grad():
        expected = module(x)  # (2, 1000)
        assert expected[0].std() > 1e-3
        outputs = ours.forward_intermediates(x)
        assert torch.equal(ours(x), expected)
        assert len(outputs) == len(ours.stages) == stages
        for stage, output in enumerate(outputs, start=1):
            assert torch.equal(ours.tail(output, stage), expected)
    has_cam = "mobilenet_v3" not in name and "mobilenetv3" not in name and "lcnet" not in name
    assert (ours.linear_head is not None) == has_cam


@pytest.mark.parametrize(("library", "name"), [("torchvision", "resnet18"), ("timm", "resnet26d")])
def test_resnet_stages_are_its_four_layers(library: str, name: str) -> None:
    module = make(library, name)
    x = images(64)
    with torch.no_grad():
        _, *layers = as_network(module).forward_intermediates(x)
        seen = []
        for number in (1, 2, 3, 4):  # a hook, for once: what the library's own forward computes
            module.get_submodule(f"layer{number}").register_forward_hook(
                lambda _module, _inputs, output: seen.append(output)
            )
        module(x)
    for ours, theirs in zip(layers, seen, strict=True):
        assert torch.equal(ours, theirs)


def test_a_fine_tuned_head_is_kept_whole() -> None:
    module = make("torchvision", "efficientnet_b0")
    module.classifier = nn.Sequential(nn.Linear(1280, 9), nn.Tanh(), nn.Linear(9, 4)).eval()
    x = images(64)
    ours = as_network(module)
    with torch.no_grad():
        assert torch.equal(ours(x), module(x))
    assert ours.linear_head is None


def test_an_unknown_module_is_told_how_to_come() -> None:
    with pytest.raises(UnsupportedModuleError, match=r"AlexNet.*ResNet.*pass stages=lambda"):
        as_network(torchvision.models.alexnet(weights=None))


def test_a_subclass_with_its_own_forward_is_not_guessed() -> None:
    class Sigmoid(torchvision.models.ResNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x).sigmoid()

    module = Sigmoid(torchvision.models.resnet.BasicBlock, [1, 1, 1, 1])
    with pytest.raises(UnsupportedModuleError, match="Sigmoid"):
        as_network(module)


@pytest.mark.parametrize(
    ("pool", "head", "linear"),
    [
        (nn.AdaptiveAvgPool2d(1), nn.Linear(4, 3), True),
        (timm.layers.SelectAdaptivePool2d(pool_type="avg", flatten=True), nn.Linear(4, 3), True),
        (nn.AdaptiveAvgPool2d(1), nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(4, 3)), True),
        (nn.AdaptiveMaxPool2d(1), nn.Linear(4, 3), False),
        (timm.layers.SelectAdaptivePool2d(pool_type="avgmax"), nn.Linear(4, 3), False),
        (nn.AdaptiveAvgPool2d(2), nn.Linear(16, 3), False),
        (nn.AvgPool2d(9), nn.Linear(4, 3), False),
        (nn.AdaptiveAvgPool2d(1), nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU()), False),
        (nn.AdaptiveAvgPool2d(1), nn.Identity(), False),
    ],
)
def test_a_linear_head_follows_a_global_average(
    pool: nn.Module, head: nn.Module, linear: bool
) -> None:
    """Decided by what the pooling does."""
    made = Network([nn.Conv2d(3, 4, 1)], pool, head).eval()
    found = made.linear_head
    assert (found is not None) == linear
    if found is not None:  # what CAM rests on: logits = weight · mean + bias
        x = images(9, 2)
        activation = made.forward_intermediates(x)[-1]  # (2, 4, 9, 9)
        torch.testing.assert_close(made(x), found(activation.mean((2, 3))))


def test_a_network_without_stages_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one stage"):
        Network([], nn.AdaptiveAvgPool2d(1), nn.Linear(3, 2))


def test_a_stage_that_overwrites_the_one_before_it_is_noticed() -> None:
    made, x = branching(), images(32)
    with torch.no_grad():
        with pytest.raises(ValueError, match="Stage 2 overwrites the output of stage 1"):
            made.forward_intermediates(x)
        logits = made(x)
        keep_activations(made)
        first, _ = made.forward_intermediates(x)
        assert torch.equal(first, made.stages[0](x))
        assert first.min() < 0
        assert torch.equal(made(x), logits)


def test_the_librarys_own_module_of_an_entry() -> None:
    """For libraries with hooks: equal to the network, and new every time."""
    entry = variants.find("lite0")
    state, _ = checkpoints.load_state_dict(entry)
    one, other = (architectures.module_of(entry, state) for _ in range(2))
    assert isinstance(one, timm.models.EfficientNet)
    assert one.conv_stem.weight.data_ptr() != other.conv_stem.weight.data_ptr()
    x = images(224)
    with torch.no_grad():
        assert torch.equal(one(x), architectures.build(entry, state)(x))


def test_untrained_is_the_same_every_time_and_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one = architectures.build(variants.find("b0"), None)
    assert torch.equal(torch.rand(3), expected)
    two = architectures.build(variants.find("b0"), None)
    for ours, other in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(ours, other)
    assert not one.training
    assert all(p.grad is None and not p.requires_grad for p in one.parameters())


def test_untrained_networks_built_at_once_are_the_same() -> None:
    def checksum(_: int) -> float:
        built = architectures.build(variants.find("lite0"), None)
        return float(sum(p.double().sum() for p in built.parameters()))

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(checksum, range(4)))) == 1
