"""The methods of grad-cam against their formulas, written out."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from pytorch_grad_cam import AblationCAM, ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.arrays import largest_difference
from effnet_viz.attribution import grad_cam_methods
from effnet_viz.attribution.methods import METHODS, Library, MethodRefusedError
from effnet_viz.engines.network import Network
from tests.attribution import small
from tests.choices import one_of_many

KEYS = [key for key, method in METHODS.items() if method.library is Library.GRAD_CAM]
SLOW = ("score-cam", "ablation-cam", "full-grad")


@pytest.mark.parametrize("stage", [1, 2])
def test_grad_cam_plus_plus_is_equation_19(stage: int) -> None:
    network = small.network()
    activation, gradient = small.activation_and_gradient(network, stage)  # (C, h, w)
    expected = np.zeros(activation.shape[1:])
    for k in range(len(activation)):
        weight = 0.0
        for g in gradient[k].ravel():
            alpha = g**2 / (2 * g**2 + activation[k].sum() * g**3 + 1e-6) if g else 0
            weight += alpha * max(g, 0)
        expected += weight * activation[k]
    made = grad_cam_methods.grad_cam_plus_plus(small.task(network, stage=stage))
    assert np.allclose(made, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("stage", [1, 2])
def test_products_of_gradient_and_activation(stage: int) -> None:
    network = small.network()
    activation, gradient = small.activation_and_gradient(network, stage)  # (C, h, w)
    sums = activation.sum((1, 2)) + 1e-7  # (C,)
    weights = (gradient * activation).sum((1, 2)) / sums  # (C,)
    expected = {
        "hires_cam": (gradient * activation).sum(0),
        "layer_cam": (np.maximum(gradient, 0) * activation).sum(0),
        "grad_cam_elementwise": np.maximum(gradient * activation, 0).sum(0),
        "xgrad_cam": np.einsum("k,kij->ij", weights, activation),
    }
    for name, values in expected.items():
        made = getattr(grad_cam_methods, name)(small.task(network, stage=stage))
        assert np.allclose(made, values, rtol=1e-4, atol=1e-6), name


def test_hires_cam_at_the_last_stage_is_the_class_activation_map(cat: Analysis) -> None:
    made = cat.attribute("hires-cam").values  # (h, w)
    assert largest_difference(cat.cam / cat.cam.size, made) < 1e-4
    assert float(made.sum()) == pytest.approx(cat.target.logit, abs=0.2)  # but for the bias


def test_the_principal_component_up_to_its_sign() -> None:
    network = small.network()
    activation, gradient = small.activation_and_gradient(network, 2)  # (C, h, w)
    for name, values in (("eigen_cam", activation), ("eigen_grad_cam", activation * gradient)):
        points = values.reshape(len(values), -1).T  # (h·w, C)
        points = points - points.mean(0)
        _, axes = np.linalg.eigh(points.T @ points)
        expected = (points @ axes[:, -1]).reshape(values.shape[1:])  # (h, w)
        made = getattr(grad_cam_methods, name)(small.task(network))
        same = min(np.abs(made - expected).max(), np.abs(made + expected).max())
        assert same < 1e-4 * np.abs(expected).max(), name


def test_fem_counts_what_is_unusually_strong() -> None:
    network = small.network()
    activation, _ = small.activation_and_gradient(network, 2)  # (C, h, w)
    expected = np.zeros(activation.shape[1:])
    for channel in activation:
        strong = channel > channel.mean() + 2 * channel.std()
        expected += strong.mean() * channel
    assert np.allclose(grad_cam_methods.fem(small.task(network)), expected, rtol=1e-4, atol=1e-6)


def test_without_curvature_shapley_cam_is_grad_cam() -> None:
    network = small.network()
    activation, gradient = small.activation_and_gradient(network, 1)  # (C, h, w)
    expected = np.einsum("k,kij->ij", gradient.mean((1, 2)), activation)  # (h, w)
    made = grad_cam_methods.shapley_cam(small.task(network, stage=1))
    assert np.allclose(made, expected, rtol=1e-4, atol=1e-7)
    bent = small.network(nn.SiLU)
    activation, gradient = small.activation_and_gradient(bent, 1)  # (C, h, w)
    straight = np.einsum("k,kij->ij", gradient.mean((1, 2)), activation)  # (h, w)
    curved = grad_cam_methods.shapley_cam(small.task(bent, stage=1))
    assert largest_difference(straight.astype(np.float32), curved) > 1e-3


def test_finer_cam_is_grad_cam_of_the_weighted_difference() -> None:
    network = small.network()
    leaf = network.forward_intermediates(small.image())[1].detach().requires_grad_()
    logits = network.tail(leaf, 2)[0]  # (classes,)
    probability = torch.softmax(logits, -1)[2]
    (probability * (logits[1] - logits[2]) / (probability + 1e-9)).backward()
    assert leaf.grad is not None
    weights = leaf.grad.mean((2, 3))[0]  # (C,)
    expected = (weights[:, None, None] * leaf.detach()[0]).sum(0).numpy()  # (h, w)
    made = grad_cam_methods.finer_cam(small.task(network))
    assert np.allclose(made, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("method", "name"), [(ScoreCAM, "score_cam"), (AblationCAM, "ablation_cam")]
)
def test_the_slow_ones_are_the_librarys(method: type, name: str) -> None:
    """Ours run in batches through whatever runs fastest; activations here are never negative."""
    network = small.network()
    told: list[float] = []
    made = getattr(grad_cam_methods, name)(small.task(network, progress=told.append))
    assert told[-1] == 1
    cam = method(network, [network.stages[1]])
    x = small.image()
    cam.activations_and_grads(x)
    [activation] = cam.activations_and_grads.activations  # (1, C, h, w)
    target = [ClassifierOutputTarget(1)]
    weights = cam.get_cam_weights(x, network.stages[1], target, activation.numpy(), None)  # (1, C)
    expected = np.einsum("bk,bkij->ij", np.asarray(weights).reshape(1, -1), activation.numpy())
    assert np.allclose(made, expected, rtol=1e-3, atol=1e-5)


def test_full_grad_finds_the_biases_of_every_layer(cat: Analysis, lite0_network: Network) -> None:
    """In timm's own layers the library finds none: the input alone would be left."""
    network = copy.deepcopy(lite0_network)
    x = torch.tensor(cat.image)
    made = grad_cam_methods.full_grad(small.task(network, x))
    leaf = x.clone().requires_grad_()
    network(leaf)[0, 1].backward()
    assert leaf.grad is not None
    products = (leaf.grad * x).abs()[0].numpy()  # (3, R, R)
    low = products.min((1, 2), keepdims=True)
    alone = ((products - low) / (products - low).max((1, 2), keepdims=True)).sum(0)  # (R, R)
    assert made.shape == (224, 224)
    assert (made > 50 * alone.mean()).all()


@pytest.mark.parametrize("key", one_of_many(KEYS, [key for key in KEYS if key not in SLOW]))
def test_every_method_runs_on_lite0_and_leaves_no_hook(
    key: str, cat: Analysis, lite0_network: Network
) -> None:
    stage = 2 if key in ("score-cam", "ablation-cam") else 8  # 16 channels
    found = cat.attribute(key, stage if key not in ("eigen-cam", "kpca-cam") else 8)
    assert np.isfinite(found.values).all()
    assert np.ptp(found.values) > 0
    if key not in SLOW:
        assert np.array_equal(found.values, cat.attribute(key, found.stage).values)
    network = copy.deepcopy(lite0_network)
    METHODS[key].run(small.task(network, torch.tensor(cat.image), stage=stage if stage == 2 else 9))
    assert small.hooks(network) == 0


@pytest.mark.parametrize(
    "key",
    one_of_many([key for key in KEYS if key not in SLOW], ["grad-cam-plus-plus", "shapley-cam"]),
)
def test_every_quick_method_runs_on_the_architecture_of_b0(key: str, b0: Network) -> None:
    network = copy.deepcopy(b0)
    values = METHODS[key].run(small.task(network, small.image(224), stage=8))
    assert values.shape == (7, 7)
    assert np.isfinite(values).all()


class LeftError(Exception):
    """Whoever waited has left."""


@pytest.mark.parametrize("name", ["score_cam", "ablation_cam"])
def test_a_method_ends_with_whoever_waits(name: str) -> None:
    def leave(_: float) -> None:
        raise LeftError

    network = small.network()
    with pytest.raises(LeftError):
        getattr(grad_cam_methods, name)(small.task(network, progress=leave))
    assert small.hooks(network) == 0


def test_too_many_places_for_a_principal_component_are_refused(cat: Analysis) -> None:
    with pytest.raises(MethodRefusedError, match=r"112×112 places.*Choose a later stage"):
        cat.attribute("eigen-cam", 1)
