"""The nine stages and the head are the library's model, bit for bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import timm
import torch
import torchvision

from effnet_viz.engines import network
from effnet_viz.engines.optimize import fold_batch_norms
from effnet_viz.models import architectures, checkpoints, variants


def image(resolution: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 3, resolution, resolution, generator=generator)  # (1, 3, R, R)


def trained(key: str) -> network.Network:
    """The network itself, with its packaged weights."""
    entry = variants.find(key)
    return architectures.build(entry, checkpoints.load_state_dict(entry.weights)[0])


@pytest.mark.parametrize("key", ["b0", "b7"])
def test_forward_over_stages_equals_torchvision_bit_for_bit(key: str) -> None:
    entry = variants.find(key)
    torch.manual_seed(1)
    reference = torchvision.models.get_model_builder(entry.architecture)(weights=None).eval()
    ours = architectures.build(entry, reference.state_dict())
    x = image(entry.resolution)  # (1, 3, R, R)
    with torch.no_grad():
        outputs = ours.activations(x)
        assert torch.equal(ours(x), reference(x))
        assert torch.equal(ours.tail(outputs[-1], 9), reference(x))
        for output, module in zip(outputs, reference.features, strict=True):
            x = module(x)  # (1, C, h, w)
            assert torch.equal(output, x)


@pytest.mark.parametrize("key", ["lite0", "lite1", "lite2"])
def test_forward_over_stages_equals_timm_bit_for_bit(key: str) -> None:
    """timm's own model with the packaged weights, and its own forward_intermediates."""
    entry = variants.find(key)
    ours = trained(key)
    reference = timm.create_model(entry.architecture, pretrained=False).eval()
    state, _ = checkpoints.load_state_dict(entry.weights)
    with torch.no_grad():
        for name, tensor in zip(reference.state_dict(), state.values(), strict=True):
            reference.state_dict()[name].copy_(tensor)
        x = image(entry.resolution)  # (1, 3, R, R)
        outputs = ours.activations(x)
        assert torch.equal(ours(x), reference(x))
        blocks = reference.forward_intermediates(x, extra_blocks=True, intermediates_only=True)
        features = reference.forward_features(x)
    assert len(blocks) == 8
    for output, block in zip(outputs, [*blocks, features], strict=True):
        assert torch.equal(output, block)


def test_a_checkpoint_of_another_model_is_refused() -> None:
    state, _ = checkpoints.load_state_dict(variants.find("lite1").weights)
    with pytest.raises(ValueError, match="tensors"):
        architectures.build(variants.find("lite0"), state)
    with pytest.raises(ValueError, match="do not fit"):
        architectures.build(variants.find("b0"), {"weight": torch.zeros(1)})


def test_tail_continues_from_any_stage() -> None:
    lite0 = trained("lite0")
    x = image(224)
    with torch.no_grad():
        outputs = lite0.activations(x)
        logits = lite0(x)  # (1, 1000)
        for stage in network.STAGES:
            assert torch.equal(lite0.tail(outputs[stage - 1], stage), logits)


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


def test_folded_batch_norms_change_rounding_only() -> None:
    lite0 = trained("lite0")
    x = image(224)
    with torch.no_grad():
        expected = lite0(x)
        fold_batch_norms(lite0)
        assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in lite0.modules())
        torch.testing.assert_close(lite0(x), expected, rtol=1e-4, atol=1e-4)
