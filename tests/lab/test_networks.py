"""The five networks: what they cost, and that they are B0's stages scaled."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from effnet_viz.engines.adapters import as_network
from effnet_viz.images.photograph import Photograph
from effnet_viz.lab import networks
from effnet_viz.lab.scalings import SCALINGS, ScenePreprocessing


def counted_by_hand(key: str) -> int:
    """Multiply-adds from the sizes of convolutions and products of matrices, layer by layer."""
    scaling = SCALINGS[key]
    module = networks.build(scaling).eval()
    total = 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            kernel = layer.kernel_size[0] * layer.kernel_size[1]
            total += output.numel() * kernel * layer.in_channels // layer.groups
        elif isinstance(layer, nn.Linear):
            total += inputs[0].numel() * layer.out_features

    for layer in module.modules():
        layer.register_forward_hook(count)
    with torch.no_grad():
        module(torch.zeros(1, 3, scaling.resolution, scaling.resolution))
    return total


@pytest.mark.parametrize("key", SCALINGS)
def test_multiply_adds_are_those_counted_layer_by_layer(key: str) -> None:
    assert networks.multiply_adds(SCALINGS[key]) == counted_by_hand(key)


def test_scaled_networks_cost_about_four_times_the_baseline() -> None:
    costs = {key: networks.multiply_adds(scaling) for key, scaling in SCALINGS.items()}
    baseline = costs.pop("baseline")
    assert all(3.5 <= cost / baseline <= 4.5 for cost in costs.values()), costs


def test_weights_fit_four_megabytes_in_half_precision() -> None:
    assert all(2 * networks.parameters(scaling) < 4e6 for scaling in SCALINGS.values())


def test_each_scaling_changes_what_it_says() -> None:
    def layers(key: str) -> list[int]:
        return [len(stage) for stage in networks.build(SCALINGS[key]).features[1:-1]]

    def channels(key: str) -> list[int]:
        return [block[-1].out_channels for block in networks.build(SCALINGS[key]).features[1:-1]]

    assert layers("baseline") == [1, 2, 2, 3, 3, 4, 1]  # Table 1 of the paper
    assert layers("depth") == [4 * count for count in layers("baseline")]
    assert channels("depth") == channels("resolution") == channels("baseline")
    assert channels("width") == [2 * count for count in channels("baseline")]
    assert layers("width") == layers("resolution") == layers("baseline")
    assert SCALINGS["resolution"].resolution == 2 * SCALINGS["baseline"].resolution
    # depth 1.4, width 1.2 and resolution 1.3 by hand, to whole layers, even channels and pixels
    assert layers("compound") == [1, 3, 3, 4, 4, 6, 1]
    assert channels("compound") == [10, 14, 24, 34, 44, 62, 96]
    assert SCALINGS["compound"].resolution == 84


@pytest.mark.parametrize("key", SCALINGS)
def test_nine_stages_give_the_library_modules_logits(key: str) -> None:
    module = networks.build(SCALINGS[key]).eval()
    image = torch.randn(2, 3, SCALINGS[key].resolution, SCALINGS[key].resolution)  # (B, 3, R, R)
    with torch.no_grad():
        expected = module(image)
        network = as_network(module)
        assert len(network.stages) == 9
        assert torch.equal(network(image), expected)


def test_residual_blocks_start_as_the_identity() -> None:
    stage = networks.build(SCALINGS["baseline"]).eval().features[5]
    blocks = list(stage)
    x = torch.randn(1, blocks[1].block[0][0].in_channels, 4, 4)  # (1, C, h, w)
    for one, other in pairwise([x, *(block(x) for block in blocks[1:])]):
        assert torch.equal(one, other)


def test_a_scene_at_its_own_size_is_only_normalised() -> None:
    images = torch.tensor([0, 127, 191, 255], dtype=torch.uint8).reshape(1, 2, 2, 1)
    x = networks.preprocess(images.expand(1, 2, 2, 3), 2)  # (1, 3, 2, 2)
    expected = torch.tensor([-127.5, -0.5, 63.5, 127.5]).reshape(2, 2) / 64
    assert torch.equal(x, expected.expand(1, 3, 2, 2))


def test_half_the_size_averages_under_a_triangle() -> None:
    # Antialiased bilinear, factor 2: weights 1/8, 3/8, 3/8, 1/8 around the centre, cut at the edge.
    row = torch.tensor([0, 80, 160, 240], dtype=torch.uint8)
    images = row.reshape(1, 1, 4, 1).expand(1, 4, 4, 3)
    x = networks.preprocess(images, 2) * 64 + 127.5  # (1, 3, 2, 2)
    first = (3 * 0 + 3 * 80 + 1 * 160) / 7
    torch.testing.assert_close(x[0, 0, 0], torch.tensor([first, 240 - first]))


@pytest.mark.parametrize("side", [64, 92, 128, 130])
@pytest.mark.parametrize("scene_side", [128, 97])
def test_scenes_are_resized_without_torch_as_the_networks_were_trained(
    side: int, scene_side: int
) -> None:
    pixels = np.random.default_rng(side).integers(0, 256, (scene_side, scene_side, 3), np.uint8)
    x, crop = ScenePreprocessing(side)(Photograph(pixels, "", ()))
    expected = networks.preprocess(torch.from_numpy(pixels[None]), side)  # (1, 3, R, R)
    assert x.dtype == np.float32
    assert np.abs(x - expected.numpy()).max() < 1e-5
    assert crop.box == (0, 0, scene_side, scene_side)
