"""Maps against written-out loops, hand calculations, identities and independent libraries."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from effnet_viz import Analysis, Model, analyse
from effnet_viz.arrays import Placement, largest_difference, positive_evidence, reduced, resample
from effnet_viz.attribution import cam as formulas
from effnet_viz.attribution.channels import (
    channel_contributions,
    channels,
    gradient_times_activation,
)
from effnet_viz.engines.network import Network
from effnet_viz.images.decode import decode
from tests.conftest import SAMPLES


def private_network(model: Model) -> Network:
    """For libraries that attach hooks."""
    return model.module()


def arrays(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    one, other = generator.normal(size=shape), generator.normal(size=shape)
    return one.astype(np.float32), other.astype(np.float32)


def test_by_hand() -> None:
    """Two channels on a 1x2 grid: every number can be redone in the head."""
    activation = np.array([[[[1, 2]], [[3, 0]]]], dtype=np.float32)  # (1, 2, 1, 2)
    gradient = np.array([[[[1, 3]], [[-2, 0]]]], dtype=np.float32)  # (1, 2, 1, 2)
    weight = np.array([[2, -1]], dtype=np.float32)  # (1, 2)
    assert formulas.class_activation_map(activation, weight).tolist() == [[[-1, 4]]]
    assert formulas.grad_cam(activation, gradient).tolist() == [[[2 * (2 - 3), 2 * 4]]]
    assert channel_contributions(activation, weight).tolist() == [[3, -1.5]]
    assert gradient_times_activation(activation, gradient).tolist() == [[7, -6]]
    positive = positive_evidence(np.array([[-1, 4]], dtype=np.float32))
    assert positive.tolist() == [[0, 4]]


def test_against_written_out_loops() -> None:
    activation, gradient = arrays(2, 5, 3, 4)
    weight = gradient[:, :, 0, 0].copy()
    cam = formulas.class_activation_map(activation, weight)
    grad_cam = formulas.grad_cam(activation, gradient)
    products = gradient_times_activation(activation, gradient)
    for b in range(2):
        for i in range(3):
            for j in range(4):
                cell = [float(a) for a in activation[b, :, i, j]]
                slow = sum(float(w) * a for w, a in zip(weight[b], cell, strict=True))
                assert cam[b, i, j] == pytest.approx(slow, abs=1e-5)
                slow = 12 * sum(float(g.mean()) * a for g, a in zip(gradient[b], cell, strict=True))
                assert grad_cam[b, i, j] == pytest.approx(slow, abs=1e-4)
        for k in range(5):
            slow = sum(
                float(gradient[b, k, i, j] * activation[b, k, i, j])
                for i in range(3)
                for j in range(4)
            )
            assert products[b, k] == pytest.approx(slow, abs=1e-5)


@pytest.mark.parametrize("target", [None, "espresso", 0])
def test_identities_at_the_last_stage(cat: Analysis, target: int | str | None) -> None:
    result = cat.for_target(target)
    engine = result.model.engine
    assert engine.head is not None
    index = result.target.index
    bias = float(engine.head.bias[index])
    assert result.cam.mean() + bias == pytest.approx(result.target.logit, abs=1e-4)
    assert np.array_equal(result.cam, result.grad_cam(9))
    assert np.array_equal(result.cam, result.attribute("cam").values)

    activation = result.activations.stages[9]  # (1, C, h, w)
    gradient = engine.gradient(activation, 9, [index])  # autograd
    assert largest_difference(result.cam, formulas.grad_cam(activation, gradient)[0]) < 1e-5
    channels = result.attribute(stage=9).channels  # (C,)
    assert channels.sum() + bias == pytest.approx(result.target.logit, abs=1e-4)
    np.testing.assert_allclose(
        gradient_times_activation(activation, gradient)[0], channels, atol=1e-5
    )


@pytest.mark.parametrize("stage", range(1, 10))
def test_gradient_of_the_tail_is_the_gradient_of_the_whole(cat: Analysis, stage: int) -> None:
    """The full graph, parameters and all, against the leaf and the tail."""
    network = private_network(cat.model).requires_grad_(True)
    image = torch.from_numpy(cat.model.preprocessing(decode(SAMPLES / "cat.jpg"))[0])
    outputs = network.forward_intermediates(image)
    logits = network.tail(outputs[-1], 9)  # (1, 1000)
    target = cat.target.index
    (full,) = torch.autograd.grad(logits[0, target], outputs[stage - 1])  # (1, C, h, w)
    ours = cat.model.engine.gradient(cat.activations.stages[stage], stage, [target])[0]
    np.testing.assert_allclose(ours, full[0].numpy(), rtol=1e-4, atol=1e-6 * abs(ours).max())


def textbook(grad_cam: np.ndarray) -> np.ndarray:
    """Equation 2 as it is printed: libraries leave the number of cells divided out."""
    return grad_cam / grad_cam.size


@pytest.mark.parametrize("stage", [1, 5, 9])
@pytest.mark.parametrize("target", ["Egyptian cat", "espresso"])
def test_grad_cam_against_captum(cat: Analysis, stage: int, target: str) -> None:
    network = private_network(cat.model)
    image = torch.from_numpy(cat.model.preprocessing(decode(SAMPLES / "cat.jpg"))[0])
    index = cat.model.classes.index(target)
    theirs = LayerGradCam(network, network.stages[stage - 1]).attribute(
        image.requires_grad_(), target=index
    )  # (1, 1, h, w)
    ours = textbook(cat.grad_cam(stage, target))
    assert largest_difference(theirs[0, 0].detach().numpy(), ours) < 1e-4


@pytest.mark.parametrize("stage", [1, 5, 9])
def test_grad_cam_against_pytorch_grad_cam(cat: Analysis, stage: int) -> None:
    """Its map before and after its own post-processing: positive part, enlarged, scaled to 0..1."""
    network = private_network(cat.model)
    layer = network.stages[stage - 1]
    image = torch.from_numpy(cat.model.preprocessing(decode(SAMPLES / "cat.jpg"))[0])
    library = GradCAM(model=network, target_layers=[layer])
    targets = [ClassifierOutputTarget(cat.target.index)]
    finished = library(input_tensor=image.requires_grad_(), targets=targets)[0]  # (R, R)
    seen = library.activations_and_grads
    raw = library.get_cam_image(
        image,
        layer,
        targets,
        seen.activations[0].detach().numpy(),  # (1, C, h, w)
        seen.gradients[0].detach().numpy(),  # (1, C, h, w)
    )[0]  # (h, w)
    ours = textbook(cat.grad_cam(stage))
    assert largest_difference(raw, ours) < 1e-4

    positive = positive_evidence(ours)
    tiling = Placement.even(len(positive))  # they enlarge every map as if its cells tiled the input
    enlarged = resample(positive, tiling, *finished.shape)  # (R, R)
    scaled = (enlarged - enlarged.min()) / (enlarged.max() - enlarged.min())
    assert np.corrcoef(scaled.ravel(), finished.ravel())[0, 1] > 0.999


def test_maps_are_raw_and_signed(cat: Analysis) -> None:
    for evidence in (cat.for_target("espresso").cam, cat.grad_cam(5), cat.grad_cam(9, "espresso")):
        assert evidence.dtype == np.float32
        assert evidence.min() < 0 < evidence.max()
    assert cat.cam.max() > 1  # logit units, not a share of a maximum
    assert cat.grad_cam(5).shape == cat.stages[5].shape[1:]


def test_another_class_needs_no_second_analysis(cat: Analysis) -> None:
    other = cat.for_target("espresso")
    assert other.activations is cat.activations
    fresh = analyse(SAMPLES / "cat.jpg", cat.model, "espresso")
    assert np.array_equal(other.cam, fresh.cam)
    assert np.array_equal(cat.grad_cam(5, "espresso"), fresh.grad_cam(5))
    assert not np.array_equal(cat.cam, other.cam)


def test_largest_difference() -> None:
    one = np.array([[2, -4]], dtype=np.float32)
    assert largest_difference(one, one) == 0
    assert largest_difference(one, one + 1) == 0.25
    assert largest_difference(one * 0, one * 0) == 0
    with pytest.raises(ValueError, match="cannot be compared"):
        largest_difference(one, one.T)


def test_averages_are_means_of_blocks() -> None:
    values = np.arange(2 * 4 * 4, dtype=np.float32).reshape(2, 4, 4)
    at = Placement(0.1, 0.2)
    same, there = reduced(values, at, 5)
    assert same is values
    assert there is at
    blocks, there = reduced(values, at, 3)  # blocks of 2×2, between the centres 0.1 and 0.3
    assert (there.start, there.step) == pytest.approx((0.2, 0.4))
    assert blocks.shape == (2, 2, 2)
    assert blocks[0, 0, 0] == np.mean([0, 1, 4, 5])
    assert blocks[1, 1, 1] == values[1, 2:4, 2:4].mean()


def test_averages_of_a_grid_that_is_no_multiple_of_the_block_lie_where_they_belong() -> None:
    """B4's stage 1: 190 cells of 2 pixels, the first at 0.5, in 28. OpenCV's means; and each is at
    the mean place of what it is the mean of, so that a ramp stays a ramp (a cell that is cut counts
    as what it is at its centre: an eighth of a cell in 190 / 28 of them).
    """
    side, at = 190, Placement(0.5 / 380, 2 / 380)
    values = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    tile, there = reduced(values, at, 28)
    expected = cv2.resize(values, (28, 28), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(tile, expected, atol=1e-5)
    ramp = np.tile(at.centres(side).astype(np.float32), (side, 1))
    nearly = at.step / 8 / (190 / 28)
    np.testing.assert_allclose(reduced(ramp, at, 28)[0][0], there.centres(28), atol=nearly)
    assert there.start == pytest.approx((0.5 + (190 / 28 - 1) / 2 * 2) / 380)


def test_channels_at_a_glance() -> None:
    activation = np.zeros((4, 2, 2), dtype=np.float32)
    activation[2, 0, 1], activation[3, 0, 1], activation[1] = 5, 7, 1
    at = Placement(0.25, 0.5)
    glance = channels(activation, at, 2, 3)
    assert glance.placement is at
    assert glance.largest.tolist() == [0, 1, 5, 7]
    assert glance.strongest[0, 1].tolist() == [3, 2, 1]
    assert glance.strongest[1, 1, 0] == 1
    assert glance.strongest.dtype == np.uint16
