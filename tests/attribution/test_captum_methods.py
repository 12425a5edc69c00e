"""The methods of captum against identities, against each other, and by hand."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.attribution import captum_methods
from effnet_viz.attribution.methods import METHODS, Library, MethodRefusedError, Task
from effnet_viz.attribution.superpixels import superpixels, tiles
from effnet_viz.engines.network import Network
from tests.attribution import small

KEYS = [key for key, method in METHODS.items() if method.library is Library.CAPTUM]
TELLING = ("integrated-gradients", "smooth-grad", "gradient-shap", "occlusion", "feature-ablation")


def gradient(network: Network, x: torch.Tensor) -> torch.Tensor:
    """∂z/∂x with nothing but autograd, (3, R, R)."""
    leaf = x.clone().requires_grad_()
    network(leaf)[0, 1].backward()
    assert leaf.grad is not None
    return leaf.grad[0]


def test_saliency_and_input_times_gradient() -> None:
    network, x = small.network(), small.image()
    found = gradient(network, x)  # (3, R, R)
    made = captum_methods.saliency(small.task(network))
    assert np.allclose(made, found.abs().amax(0), atol=1e-6)
    made = captum_methods.input_x_gradient(small.task(network))
    assert np.allclose(made, (found * x[0]).sum(0), atol=1e-6)


def test_integrated_gradients_add_up_to_the_difference_from_grey() -> None:
    network, x = small.network(nn.SiLU), small.image()
    made = captum_methods.integrated_gradients(small.task(network))
    difference = small.logit(network, x) - small.logit(network, torch.zeros_like(x))
    assert float(made.sum()) == pytest.approx(difference, abs=1e-3)
    steps = [gradient(network, x * (step + 0.5) / 400) for step in range(400)]
    slow = (torch.stack(steps).mean(0) * x[0]).sum(0)
    assert np.allclose(made, slow, atol=1e-3)


def test_gradient_shap_adds_up_to_the_mean_difference_from_noise() -> None:
    """On a linear network every walk's gradient is the same, so the parts are known."""
    network = small.network(nn.Identity)
    x = small.image()
    made = captum_methods.gradient_shap(small.task(network))
    exact = (gradient(network, x) * x[0]).sum(0).numpy()  # from grey, the mean of the noise
    assert np.corrcoef(made.ravel(), exact.ravel())[0, 1] > 0.9


def test_smooth_grad_is_the_saliency_of_a_linear_network() -> None:
    network = small.network(nn.Identity)
    made = captum_methods.smooth_grad(small.task(network))
    assert np.allclose(made, gradient(network, small.image()).abs().amax(0), atol=1e-6)


def one_weight(activation: Callable[[], nn.Module]) -> Network:
    """z = 3 · a(2 x) of the first colour's mean, and z = -3 · a(2 x) for class 1."""
    first = nn.Conv2d(3, 1, 1, bias=False)
    first.weight = nn.Parameter(torch.tensor([[[[2.0]], [[0.0]], [[0.0]]]]))
    head = nn.Linear(1, 2, bias=False)
    head.weight = nn.Parameter(torch.tensor([[3.0], [-3.0]]))
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    stages = [nn.Sequential(first, activation())]
    return Network(stages, pool, head).eval().requires_grad_(False)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6])
def test_guided_backprop_and_deconvolution_by_hand(activation: Callable[[], nn.Module]) -> None:
    """Pixels 1, -1, 5 (beyond a ceiling of 6 at 10) and 2 of one colour, R = 2."""
    x = torch.zeros(1, 3, 2, 2)
    x[0, 0] = torch.tensor([[1.0, -1.0], [5.0, 2.0]])
    beyond = 6 / 4 if activation is nn.ReLU else 0.0

    def made(name: str, target: int) -> list[list[float]]:
        task = small.task(one_weight(activation), x, stage=1)
        task = Task(**(vars(task) | {"target": target}))
        values: list[list[float]] = getattr(captum_methods, name)(task).tolist()
        return values

    assert made("guided_backprop", 0) == [[1.5, 0.0], [beyond, 1.5]]
    assert made("guided_backprop", 1) == [[0.0, 0.0], [0.0, 0.0]]  # all against: nothing is left
    assert made("deconvolution", 0) == [[1.5, 1.5], [beyond, 1.5]]


def test_guided_grad_cam_is_the_product_of_its_two() -> None:
    network = small.network()
    made = captum_methods.guided_grad_cam(small.task(network))
    activation, of_stage = small.activation_and_gradient(network, 2)  # (C, h, w)
    cam = np.maximum(np.einsum("k,kij->ij", of_stage.mean((1, 2)), activation), 0)  # (h, w)
    dark = np.kron(cam, np.ones((2, 2))) == 0  # (R, R): where no neighbour is lit either
    dark[1:-1, 1:-1] &= np.lib.stride_tricks.sliding_window_view(dark, (3, 3)).all((2, 3))
    assert np.abs(made).max() > 0
    assert not np.abs(made[2:-2, 2:-2][dark[2:-2, 2:-2]]).max(initial=0) > np.abs(made).max() / 2


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, nn.Sigmoid])
def test_deep_lift_adds_up_to_the_difference_from_grey(activation: Callable[[], nn.Module]) -> None:
    network, x = small.network(activation), 3 * small.image()
    difference = small.logit(network, x) - small.logit(network, torch.zeros_like(x))
    made = captum_methods.deep_lift(small.task(network, x))
    assert float(made.sum()) == pytest.approx(difference, abs=1e-4)


def test_relevance_is_conserved_where_nothing_is_added() -> None:
    network, x = small.network(bias=False), small.image()
    made = captum_methods.lrp(small.task(network))
    assert float(made.sum()) == pytest.approx(small.logit(network, x), rel=1e-3)


def test_lrp_says_why_it_cannot(cat: Analysis, b0: Network) -> None:
    with pytest.raises(MethodRefusedError, match=r"adds up to .* shortcut.*Choose integrated"):
        cat.attribute("lrp")
    with pytest.raises(MethodRefusedError, match="SiLU and Sigmoid activations"):
        captum_methods.lrp(small.task(b0, small.image(224)))


def three_cells() -> Network:
    """z = mean of the first colour plus twice that of the lower right quarter: linear."""
    weight = torch.zeros(1, 3, 28, 28)
    weight[0, 0] = 1 / 28**2
    weight[0, 0, 14:, 14:] += 2 / 14**2
    first = nn.Conv2d(3, 1, 28, bias=False)
    first.weight = nn.Parameter(weight)
    head = nn.Linear(1, 2, bias=False)
    head.weight = nn.Parameter(torch.ones(2, 1))
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Network([first], pool, head).eval().requires_grad_(False)


def test_occlusion_and_ablation_by_hand() -> None:
    """Every pixel is 1, so what a cover takes is the sum of the weights under it."""
    network, x = three_cells(), torch.ones(1, 3, 28, 28)
    weight = network.stages[0].weight[0].sum(0).numpy()  # (R, R)
    made = captum_methods.feature_ablation(small.task(network, x, stage=1))
    parts = tiles(28, 49)
    expected = np.array([weight[parts == tile].sum() for tile in range(49)])[parts]
    assert np.allclose(made, expected, atol=1e-4)
    expected, covers = np.zeros((28, 28)), np.zeros((28, 28))
    for top in range(0, 25, 2):
        for left in range(0, 25, 2):
            inside = slice(top, top + 4), slice(left, left + 4)
            expected[inside] += weight[inside].sum()
            covers[inside] += 1
    made = captum_methods.occlusion(small.task(network, x, stage=1))
    assert np.allclose(made, expected / covers, atol=1e-4)


def test_kernel_shap_finds_the_shapley_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four parts, by enumeration of every coalition; the score is their product, plus one."""
    quarters = tiles(16, 4)
    monkeypatch.setattr(captum_methods, "superpixels", lambda *_: quarters)

    def forward(images: np.ndarray) -> np.ndarray:
        lit = np.stack([images[:, 0][:, quarters == q].mean(1) for q in range(4)], 1)  # (B, 4)
        score = lit[:, 0] + 2 * lit[:, 1] * lit[:, 2] - lit[:, 3] * lit[:, 0]  # (B,)
        return np.stack([np.zeros_like(score), score], 1).astype(np.float32)

    def value(coalition: tuple[int, ...]) -> float:
        x = np.isin(quarters, coalition).astype(np.float32)[None, None].repeat(3, 1)
        return float(forward(x)[0, 1])

    exact = np.zeros(4)
    for part in range(4):
        others = [one for one in range(4) if one != part]
        for size in range(4):
            weight = math.factorial(size) * math.factorial(3 - size) / math.factorial(4)
            for coalition in combinations(others, size):
                exact[part] += weight * (value((*coalition, part)) - value(coalition))
    base = small.task(small.network(), torch.ones(1, 3, 16, 16))
    made = captum_methods.kernel_shap(Task(**(vars(base) | {"forward": forward})))
    found = [made[quarters == part].mean() for part in range(4)]
    assert np.allclose(found, exact, atol=0.15)  # 200 coverings, drawn with replacement
    fitted = captum_methods.lime(Task(**(vars(base) | {"forward": forward})))
    assert np.argmax([fitted[quarters == part].mean() for part in range(4)]) in (1, 2)


def test_the_engine_makes_the_passes_of_what_only_runs_forward() -> None:
    for name in ("occlusion", "feature_ablation", "kernel_shap", "lime"):
        network = small.network()
        asked: list[int] = []
        base = small.task(network)

        def forward(images: np.ndarray, base: Task = base, asked: list[int] = asked) -> np.ndarray:
            asked.append(len(images))
            return base.forward(images)

        getattr(captum_methods, name)(Task(**(vars(base) | {"forward": forward})))
        assert max(asked) == captum_methods.BATCH, name


@pytest.mark.parametrize("key", KEYS)
def test_every_method_on_lite0(key: str, cat: Analysis, lite0_network: Network) -> None:
    network = copy.deepcopy(lite0_network)
    base = small.task(network, torch.tensor(cat.image), stage=8)
    task = Task(**(vars(base) | {"forward": lambda x: cat.model.engine.forward(x).logits}))
    if key == "lrp":
        with pytest.raises(MethodRefusedError):
            METHODS[key].run(task)
    else:
        values = METHODS[key].run(task)
        assert values.shape == (224, 224)
        assert np.isfinite(values).all()
        assert np.ptp(values) > 0
    assert small.hooks(network) == 0


@pytest.mark.parametrize("key", ["smooth-grad", "gradient-shap", "kernel-shap", "lime"])
def test_what_is_drawn_at_random_is_the_same_again(key: str) -> None:
    network = small.network(nn.SiLU)
    state, of_numpy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    one, two = (METHODS[key].run(small.task(network)) for _ in range(2))
    assert np.array_equal(one, two)
    # What others draw is as it would have been.
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], of_numpy)  # noqa: NPY002


@pytest.mark.parametrize("key", [key for key in KEYS if METHODS[key].passes < 10 and key != "lrp"])
def test_every_quick_method_on_the_architecture_of_b0(key: str, b0: Network) -> None:
    network = copy.deepcopy(b0)
    values = METHODS[key].run(small.task(network, small.image(224), stage=8))
    assert values.shape == (224, 224)
    assert np.isfinite(values).all()


class LeftError(Exception):
    """Whoever waited has left."""


@pytest.mark.parametrize("key", TELLING)
def test_a_method_ends_with_whoever_waits(key: str) -> None:
    def leave(_: float) -> None:
        raise LeftError

    network = small.network()
    with pytest.raises(LeftError):
        METHODS[key].run(small.task(network, progress=leave))
    assert small.hooks(network) == 0


def test_superpixels_are_patches_of_like_colour() -> None:
    image = np.zeros((3, 64, 64), np.float32)
    image[:, :, 32:] = 1  # two halves
    parts = superpixels(image, 16, 0)
    assert set(parts.ravel().tolist()) == set(range(len(set(parts.ravel().tolist()))))
    for part in set(parts.ravel().tolist()):
        assert len(set(image[0][parts == part].tolist())) == 1
    assert np.array_equal(parts, superpixels(image, 16, 0))
    with pytest.raises(ValueError, match="do not make a square"):
        tiles(16, 5)
