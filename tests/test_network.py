"""The nine stages and the head are the library's model, bit for bit, and safe to share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import timm
import torch
import torchvision

from effnet_viz import Model, analyse, engine, load, network, weights, zoo
from tests.conftest import SAMPLES


def image(resolution: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 3, resolution, resolution, generator=generator)  # (1, 3, R, R)


@pytest.mark.parametrize("key", ["b0", "b7"])
def test_forward_over_stages_equals_torchvision_bit_for_bit(key: str) -> None:
    entry = zoo.find(key)
    torch.manual_seed(1)
    reference = torchvision.models.get_model_builder(entry.architecture)(weights=None).eval()
    ours = network.build(entry, reference.state_dict())
    x = image(entry.resolution)  # (1, 3, R, R)
    activations = engine.forward(ours, x)
    with torch.no_grad():
        assert np.array_equal(activations.logits, reference(x)[0].numpy())
        for stage, module in zip(zoo.STAGES, reference.features, strict=True):
            x = module(x)  # (1, C, h, w)
            assert np.array_equal(activations.stages[stage], x[0].numpy())


@pytest.mark.parametrize("key", ["lite0", "lite1", "lite2"])
def test_forward_over_stages_equals_timm_bit_for_bit(key: str) -> None:
    """timm's own model with the packaged weights, and its own forward_intermediates."""
    model = load(key)
    entry = model.entry
    reference = timm.create_model(entry.architecture, pretrained=False).eval()
    state, _ = weights.load_state_dict(entry.weights)
    with torch.no_grad():
        for name, tensor in zip(reference.state_dict(), state.values(), strict=True):
            reference.state_dict()[name].copy_(tensor)
        x = image(entry.resolution)  # (1, 3, R, R)
        activations = engine.forward(model.network, x)
        assert np.array_equal(activations.logits, reference(x)[0].numpy())
        blocks = reference.forward_intermediates(x, extra_blocks=True, intermediates_only=True)
        features = reference.forward_features(x)
    for stage, block in zip(zoo.STAGES, blocks, strict=False):
        assert np.array_equal(activations.stages[stage], block[0].numpy())
    assert len(blocks) == 8
    assert np.array_equal(activations.stages[9], features[0].numpy())


def test_a_checkpoint_of_another_model_is_refused() -> None:
    state, _ = weights.load_state_dict(zoo.find("lite1").weights)
    with pytest.raises(ValueError, match="tensors"):
        network.build(zoo.find("lite0"), state)
    with pytest.raises(ValueError, match="do not fit"):
        network.build(zoo.find("b0"), {"weight": torch.zeros(1)})


def test_tail_continues_from_any_stage(lite0: Model) -> None:
    x = image(224)
    with torch.no_grad():
        outputs = lite0.network.activations(x)
        logits = lite0.network(x)  # (1, 1000)
        for stage in zoo.STAGES:
            assert torch.equal(lite0.network.tail(outputs[stage - 1], stage), logits)


def test_eight_threads_share_one_model_and_get_what_one_gets(lite0: Model) -> None:
    """Forward passes and gradients at once, on different images, bitwise as alone."""
    files = sorted(SAMPLES.glob("*.jpg"))
    assert len(files) >= 4

    def work(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        result = analyse(files[number % len(files)], lite0)
        return result.logits, result.cam, result.grad_cam(5)

    alone = [work(number) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, range(32)))
    for number, results in enumerate(together):
        for ours, expected in zip(results, alone[number % 8], strict=True):
            assert np.array_equal(ours, expected)


def test_nothing_is_attached_to_the_network(lite0: Model) -> None:
    analyse(SAMPLES / "cat.jpg", lite0).grad_cam(5)
    for module in lite0.network.modules():
        assert not module._forward_hooks
        assert not module._backward_hooks
    assert all(p.grad is None and not p.requires_grad for p in lite0.network.parameters())
    assert not lite0.network.training


def test_untrained_is_the_same_every_time_and_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one = load("b0", untrained=True)
    assert torch.equal(torch.rand(3), expected)
    two = load("b0", untrained=True)
    for ours, other in zip(one.network.parameters(), two.network.parameters(), strict=True):
        assert torch.equal(ours, other)
    assert not one.trained
    assert "untrained" in one.weights_name
