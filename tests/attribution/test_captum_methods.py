"""Captum's maps against autograd by hand, loops, hand calculations and identities."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from torch import Tensor, nn

from effnet_viz import Analysis, analyse
from effnet_viz.attribution import captum_methods as by
from effnet_viz.attribution.methods import METHODS, Library, MethodRefusedError, Task
from effnet_viz.engines.network import Network
from effnet_viz.engines.optimize import fold_batch_norms
from tests.choices import one_of_many
from tests.conftest import SAMPLES, eager

KEYS = [key for key, method in METHODS.items() if method.library is Library.CAPTUM]
QUICK = [key for key in KEYS if METHODS[key].passes < 10]


class EnoughError(Exception):
    """What a visitor who leaves raises."""


def pooled() -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def task_of(
    network: Network, image: Tensor, target: int = 0, progress: Callable[[float], None] = print
) -> Task:
    frozen = network.eval().requires_grad_(False)
    return Task(
        network=frozen,
        image=image,
        target=target,
        other=1,
        stage=1,
        forward=lambda images: frozen(torch.tensor(images)).numpy(),
        progress=progress,
    )


class Residual(nn.Module):
    """Two convolutions and a sum; one activation for both, as torchvision's ResNets have it."""

    def __init__(self, channels: int, act: nn.Module, bias: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=bias)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=bias)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.act(self.first(x)))
        y += x
        activated: Tensor = self.act(y)
        return activated


def toy(act: Callable[[], nn.Module] = nn.ReLU, bias: bool = True, side: int = 12) -> Task:
    """A network of two stages with large enough numbers for ReLU6 to cut some off."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        stem = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1, bias=bias), act())
        network = Network([stem, Residual(6, act(), bias)], pooled(), nn.Linear(6, 4, bias=bias))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter *= 3
        return task_of(network, 2 * torch.randn(1, 3, side, side), 2)


def logit(task: Task, image: Tensor | None = None) -> float:
    return float(task.network(task.image if image is None else image)[0, task.target])


def difference_from_grey(task: Task) -> float:
    return logit(task) - logit(task, torch.zeros_like(task.image))


def gradient(task: Task, image: Tensor | None = None) -> Tensor:
    x = (task.image if image is None else image).clone().requires_grad_()
    (found,) = torch.autograd.grad(task.network(x)[0, task.target], x)
    return found[0]  # (3, R, R)


def close(found: np.ndarray, expected: Tensor, share: float = 1e-4) -> None:
    np.testing.assert_allclose(
        found, expected.numpy(), atol=share * float(expected.abs().max()) + 1e-12
    )


# Gradients


@pytest.mark.parametrize("act", [nn.ReLU, nn.ReLU6, nn.SiLU])
def test_gradients_by_autograd(act: Callable[[], nn.Module]) -> None:
    task = toy(act)
    found = gradient(task)
    close(by.saliency(task), found.abs().amax(0))
    close(by.input_x_gradient(task), (found * task.image[0]).sum(0))


@pytest.mark.parametrize("act", [nn.SiLU, nn.Softplus])
def test_integrated_gradients_by_a_sum_and_by_completeness(act: Callable[[], nn.Module]) -> None:
    task = toy(act)
    found = by.integrated_gradients(task)
    assert found.sum() == pytest.approx(difference_from_grey(task), rel=1e-2)
    steps = 400
    slow = sum(gradient(task, (k + 0.5) / steps * task.image) for k in range(steps)) / steps
    close(found, (slow * task.image[0]).sum(0), 1e-2)


def test_smooth_grad_by_a_loop_with_the_same_noise() -> None:
    task = toy()
    spread = 0.15 * float(task.image.max() - task.image.min())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        noise = torch.normal(0, torch.full((25, *task.image.shape[1:]), spread))
    slow = sum(gradient(task, task.image + one) for one in noise) / 25
    close(by.smooth_grad(task), slow.abs().amax(0))


class Squares(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x**2).flatten(2).sum(2)[:, :, None, None]


def test_gradient_shap_expects_the_difference_from_its_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of Σ w x² every walk from b expects w (x² - b²), and its starts have the variance σ²."""
    monkeypatch.setattr(by, "WALKS", 20_000)
    head = nn.Linear(3, 2)
    task = task_of(Network([Squares()], pooled(), head), torch.linspace(-1, 1, 12).view(1, 3, 2, 2))
    variance = (0.15 * 2) ** 2
    exact = (head.weight[0].view(3, 1, 1) * (task.image[0] ** 2 - variance)).sum(0)  # (2, 2)
    np.testing.assert_allclose(by.gradient_shap(task), exact.numpy(), atol=0.01)


def test_gradient_shap_takes_walks_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many images at once as fit: 20 walks in turns of 3."""
    task, sizes = toy(), []
    monkeypatch.setattr(by, "_GRADIENT_PIXELS", 3 * 12 * 12)
    handle = task.network.register_forward_pre_hook(lambda _, x: sizes.append(len(x[0])))
    by.gradient_shap(task)
    handle.remove()
    assert sizes == [3] * 6 + [2]


def linear_then(act: nn.Module, x: list[float]) -> Task:
    """One pixel: z = (x₁ + x₂, x₂ - x₁, x₃), f = 2 a(z₁) - a(z₂) + 5 a(z₃)."""
    layer, head = nn.Conv2d(3, 3, 1, bias=False), nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        weight = torch.tensor([[1.0, 1, 0], [-1, 1, 0], [0, 0, 1]])
        layer.weight.copy_(weight[:, :, None, None])
        head.weight.copy_(torch.tensor([[2.0, -1, 5], [0, 0, 0]]))
    network = Network([layer, act], nn.Flatten(), head)
    return task_of(network, torch.tensor(x, dtype=torch.float32).view(1, 3, 1, 1))


def test_guided_backprop_and_deconvolution_by_hand() -> None:
    """z = (3, 1, -1): plain (2, -1, 0), guided (2, 0, 0), deconvolution (2, 0, 5), times W."""
    task = linear_then(nn.ReLU(), [1, 2, -1])
    assert by.saliency(task).tolist() == [[3]]  # of (3, 1, 0)
    assert by.guided_backprop(task).tolist() == [[2]]  # of (2, 2, 0)
    assert by.deconvolution(task).tolist() == [[5]]  # of (2, 2, 5)


def test_guided_backprop_and_deconvolution_of_a_relu6_by_hand() -> None:
    """z = (9, 1, -1): the first is beyond 6, where nothing is handed back."""
    task = linear_then(nn.ReLU6(), [4, 5, -1])
    assert by.saliency(task).tolist() == [[1]]  # of (1, -1, 0)
    assert by.guided_backprop(task).tolist() == [[0]]
    assert by.deconvolution(task).tolist() == [[5]]  # of (0, 0, 5)
    shared = linear_then(nn.ReLU(), [4, 5, -1])
    assert by.guided_backprop(shared).tolist() == [[2]]


def test_without_a_relu_guided_backprop_is_the_gradient() -> None:
    task = toy(nn.SiLU)
    assert np.array_equal(by.guided_backprop(task), by.saliency(task))
    assert np.array_equal(by.deconvolution(task), by.saliency(task))
    assert not np.array_equal(by.guided_backprop(toy()), by.saliency(toy()))


class Guided(torch.autograd.Function):
    """max(0, z), which hands back what is positive where z is."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, z: Tensor) -> Tensor:
        ctx.save_for_backward(z)
        return z.clamp(min=0)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, g: Tensor) -> Tensor:
        (z,) = ctx.saved_tensors
        return g.clamp(min=0) * (z > 0)


class WithoutCaptum(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, z: Tensor) -> Tensor:
        return self.function(z)


def with_activation(task: Task, function: Callable[[Tensor], Tensor]) -> Task:
    for parent in task.network.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.ReLU | nn.ReLU6):
                setattr(parent, name, WithoutCaptum(function))
    return task


def test_guided_grad_cam_is_a_product() -> None:
    task = toy(side=16)
    found = by.guided_grad_cam(task)
    activation = task.network.stages[0](task.image).requires_grad_()  # (1, 6, 8, 8)
    score = task.network.tail(activation, 1)[0, task.target]
    (weights,) = torch.autograd.grad(score, activation)
    cam = (weights.mean((2, 3), keepdim=True) * activation).sum(1, keepdim=True).clamp(min=0)
    enlarged = nn.functional.interpolate(cam.detach(), (16, 16), mode="bilinear")[0, 0]  # (R, R)
    guided = gradient(with_activation(task, Guided.apply))
    assert float(enlarged.max()) > 0
    close(found, guided.sum(0) * enlarged)


# DeepLIFT


def test_deep_lift_by_hand() -> None:
    """ReLU6 of 10, grey's being 0: each step of the input counts 6 / 10."""
    task = linear_then(nn.ReLU6(), [4, 6, 1])  # z = (10, 2, 1): f = 12 - 2 + 5
    multipliers = [2 * 0.6 + 1, 2 * 0.6 - 1, 5]  # of (2 * 0.6, -1, 5) times W
    expected = np.dot(multipliers, [4, 6, 1])
    assert by.deep_lift(task)[0, 0] == pytest.approx(expected) == pytest.approx(15)


@pytest.mark.parametrize("act", [nn.ReLU, nn.ReLU6, nn.Sigmoid])
def test_deep_lift_adds_up_to_the_difference_from_grey(act: Callable[[], nn.Module]) -> None:
    task = toy(act)
    found = by.deep_lift(task)
    assert found.sum() == pytest.approx(difference_from_grey(task), rel=1e-4)
    plain = (gradient(task) * task.image[0]).sum(0)
    assert float(plain.sum()) != pytest.approx(difference_from_grey(task), rel=0.05)


def test_deep_lift_hands_back_the_gradient_where_it_has_no_rule() -> None:
    task = toy(nn.SiLU)
    close(by.deep_lift(task), (gradient(task) * task.image[0]).sum(0))


# LRP


@pytest.mark.parametrize("act", [nn.ReLU, nn.ReLU6])
def test_lrp_conserves_relevance_without_biases(act: Callable[[], nn.Module]) -> None:
    task = toy(act, bias=False)
    assert by.lrp(task).sum() == pytest.approx(logit(task), rel=1e-3)


def shared_out(relevance: Tensor, a: Tensor, z: Callable[[Tensor], Tensor]) -> Tensor:
    """a_i Σ_j w_ij R_j / z_j of a layer's outputs z, linear in a."""
    a = a.clone().requires_grad_()
    outputs = z(a)
    (back,) = torch.autograd.grad(outputs, a, relevance / outputs.detach())
    return (a * back).detach()


@pytest.mark.parametrize("limit", [math.inf, 6])
def test_lrp_layer_by_layer(limit: float) -> None:
    """Equations of Montavon et al. 2019: γ between two ReLUs, ε elsewhere, biases keep theirs."""
    act = nn.ReLU6 if limit == 6 else nn.ReLU
    torch.manual_seed(4)
    first, second, head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3, 2), nn.Linear(5, 2)
    network = Network([first, nn.Sequential(act(), second, act())], pooled(), head)
    task = task_of(network, 8 * torch.randn(1, 3, 9, 9), 1)
    x = task.image
    z1 = first(x)
    a1 = z1.clamp(0, limit)
    z2 = second(a1)
    a2 = z2.clamp(0, limit)
    if limit == 6:
        assert z1.max() > 6
    pool = a2.mean((2, 3))  # (1, 5)
    score = head(pool)[:, 1:]
    r3 = shared_out(score, pool, lambda a: head(a)[:, 1:])  # (1, 5)
    r2 = shared_out(r3, a2, lambda a: a.mean((2, 3)) + 1e-9)  # (1, 5, 4, 4)
    more = second.weight + 0.25 * second.weight.clamp(min=0)
    r1 = shared_out(r2, a1, lambda a: nn.functional.conv2d(a, more, second.bias, 2))  # (1, 4, 7, 7)
    r0 = shared_out(r1, x, first)  # (1, 3, 9, 9)
    close(by.lrp(task), r0[0].sum(0), 1e-3)


class HandsOnAll(torch.autograd.Function):
    """ReLU6 whose gradient is a / z, so that input × gradient is relevance by the ε-rule."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, z: Tensor) -> Tensor:
        ctx.save_for_backward(z)
        return z.clamp(0, 6)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, g: Tensor) -> Tensor:
        (z,) = ctx.saved_tensors
        return torch.where(z > 0, g * z.clamp(0, 6) / z, 0)


def test_lrp_on_lite0_loses_what_biases_keep(
    cat: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the ε-rule alone, where another way leads there: autograd on the folded network."""
    monkeypatch.setattr(by, "GammaRule", by.EpsilonRule)
    task = task_on(cat)
    found = by.lrp(task)
    network = with_activation(task, HandsOnAll.apply).network
    fold_batch_norms(network, 224)
    biases = [
        layer.bias.requires_grad_()
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None
    ]
    x = task.image.clone().requires_grad_()
    score = network(x)[0, task.target]
    of_x, *of_biases = torch.autograd.grad(score, [x, *biases])
    close(found, (of_x * x)[0].sum(0).detach())
    kept = sum(float((g * b.detach()).sum()) for g, b in zip(of_biases, biases, strict=True))
    assert found.sum() + kept == pytest.approx(float(score.detach()), rel=1e-3)


class Product(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Conv2d(6, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


def test_lrp_refuses_what_it_has_no_rule_for() -> None:
    with pytest.raises(MethodRefusedError, match=r"no rule for SiLU.*Choose"):
        by.lrp(toy(nn.SiLU))
    task = toy()
    network = Network([task.network.stages[0], Product()], pooled(), nn.Linear(6, 2))
    with pytest.raises(MethodRefusedError, match=r"no rule for the operation.*mul.*Choose"):
        by.lrp(task_of(network, task.image))


# Parts covered


class Keep(nn.Module):
    """A linear score: what each pixel adds is its value times its weight."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)  # (R, R)

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, :1] * self.weight).sum((2, 3), keepdim=True)  # (B, 1, 1, 1)


def linear_task(weight: Tensor, stage: nn.Module | None = None) -> Task:
    """An image of ones: f is 3 + the sum of the weights of the pixels that are seen."""
    head = nn.Linear(1, 1)
    with torch.no_grad():
        head.weight.fill_(1)
        head.bias.fill_(3)
    network = Network([stage or Keep(weight)], nn.Flatten(), head)
    return task_of(network, torch.ones(1, 3, *weight.shape))


def test_occlusion_of_three_by_three_pixels_by_hand() -> None:
    """Squares of 2 × 2: the four of them cover 1+2+4+5, 2+3+5+6, 4+5+7+8 and 5+6+8+9."""
    found = by.occlusion(linear_task(torch.arange(1.0, 10).view(3, 3)))
    assert found.tolist() == [[12, 14, 16], [18, 20, 22], [24, 26, 28]]


@pytest.mark.parametrize("resolution", [224, 240, 260, 280, 300, 380, 456, 528, 600])
def test_squares_have_thirteen_places_along_a_side(resolution: int) -> None:
    stride, side = by._window(resolution)
    assert (resolution - side) / stride + 1 == 13
    assert 2 * stride <= side <= resolution / 5


def quadrants(side: int) -> Tensor:
    half = torch.arange(side) * 2 // side
    return (half[:, None] * 2 + half)[None, None]  # (1, 1, R, R)


def test_feature_ablation_by_hand() -> None:
    weight = torch.tensor([[1.0, 2], [3, -4]]).repeat_interleave(2, 0).repeat_interleave(2, 1)
    task = linear_task(weight)
    assert by._feature_ablation(task, quadrants(4)).tolist() == (4 * weight).tolist()
    assert by.feature_ablation(task).tolist() == weight.tolist()  # tiles of one pixel


def test_tiles() -> None:
    tiles = by._tiles(14)
    assert tiles.shape == (1, 1, 14, 14)
    assert tiles[0, 0, ::2, ::2].tolist() == np.arange(49).reshape(7, 7).tolist()
    assert torch.unique(by._tiles(3)).tolist() == list(range(9))


class Together(nn.Module):
    """A score that is more than the sum of its quadrants."""

    def forward(self, x: Tensor) -> Tensor:
        q = nn.functional.avg_pool2d(x[:, :1], 4).flatten(1)  # (B, 4)
        score = q[:, 0] + 2 * q[:, 1] * q[:, 2] - 3 * q[:, 0] * q[:, 2] * q[:, 3]
        return score[:, None, None, None]


def test_kernel_shap_against_all_orders() -> None:
    task = linear_task(torch.ones(8, 8), Together())
    parts = quadrants(8)

    def value(seen: frozenset[int]) -> float:
        mask = torch.isin(parts, torch.tensor(sorted(seen)))  # (1, 1, R, R)
        return logit(task, task.image * mask)

    shapley = np.zeros(4)
    orders = list(itertools.permutations(range(4)))
    for order in orders:
        for place, part in enumerate(order):
            before = frozenset(order[:place])
            shapley[part] += (value(before | {part}) - value(before)) / len(orders)
    found = by._kernel_shap(task, parts, 4000)
    of_parts = [found[0, 0], found[0, 7], found[7, 0], found[7, 7]]
    np.testing.assert_allclose(of_parts, shapley, atol=0.1)  # 4000 draws
    assert sum(of_parts) == pytest.approx(difference_from_grey(task), abs=1e-3)


def test_lime_finds_the_coefficients_of_a_linear_score() -> None:
    weight = torch.tensor([[1.0, 2], [3, -4]]).repeat_interleave(2, 0).repeat_interleave(2, 1)
    found = by._lime(linear_task(weight), quadrants(4), 400)
    np.testing.assert_allclose(found, 4 * weight.numpy(), rtol=0.05)


def test_superpixels_end_where_colours_do() -> None:
    image = torch.ones(1, 3, 28, 28)
    image[..., 14:] = -1  # in the middle of a tile
    parts = by.superpixels(image)
    assert parts.shape == (1, 1, 28, 28)
    assert torch.unique(parts).tolist() == list(range(int(parts.max()) + 1))
    assert 30 <= int(parts.max()) + 1 <= 49
    for part in torch.unique(parts):
        assert len(torch.unique(image[:, :1][parts == part])) == 1
    plain = by.superpixels(torch.zeros(1, 3, 28, 28))
    assert np.array_equal(plain, by._tiles(28))  # with nothing to see it is the grid


# All of them


def hooks(network: nn.Module) -> Iterator[object]:
    for part in network.modules():
        for kept in (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks):
            yield from kept.values()


@pytest.mark.parametrize("key", KEYS)
def test_same_call_same_bits(key: str) -> None:
    run, torch_state, state = METHODS[key].run, torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    first = run(toy())
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002
    np.random.rand()  # noqa: NPY002
    torch.rand(1)
    task = toy()
    assert np.array_equal(run(task), first)
    assert np.array_equal(run(task), first)  # the network is as it was
    assert not task.image.requires_grad


def task_on(analysis: Analysis, progress: Callable[[float], None] = print) -> Task:
    return Task(
        network=analysis.model.module(),
        image=torch.tensor(analysis.image),
        target=analysis.target.index,
        other=0,
        stage=analysis.model.last_stage,
        forward=lambda images: analysis.model.engine.forward(images).logits,
        progress=progress,
    )


@pytest.mark.parametrize("key", one_of_many(KEYS, QUICK))
def test_on_lite0(key: str, cat: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A map, told as it goes; and what is told can end it, with nothing left on the network."""
    ran = []
    told = by._told
    monkeypatch.setattr(
        by, "_told",
        lambda task, images, network=None: ran.append(network or task.network)
        or told(task, images, network),
    )  # fmt: skip
    heard: list[float] = []
    task = task_on(cat, heard.append)
    found = METHODS[key].run(task)
    assert found.shape == (224, 224)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.max() > 0
    assert heard == sorted(heard)
    assert heard[0] == 0
    assert heard[-1] == 1
    assert len(heard) >= 5 or METHODS[key].passes < 10

    for times in (1, 2):
        calls = itertools.count(1)

        def leave(_: float, times: int = times, calls: Iterator[int] = calls) -> None:
            if next(calls) == times:
                raise EnoughError

        with pytest.raises(EnoughError):
            METHODS[key].run(task_on(cat, leave))
        assert next(calls) == times + 1  # it ended at once
    for network in (task.network, *ran):
        assert list(hooks(network)) == []
        assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("key", one_of_many(KEYS, ["deep-lift", "guided-backprop", "lrp"]))
def test_on_b0(key: str) -> None:
    """A small one, whose weights nobody trained."""
    analysis = analyse(SAMPLES / "cat.jpg", eager("b0-r64", untrained=True))
    if key == "lrp":
        with pytest.raises(MethodRefusedError, match=r"SiLU and Sigmoid"):
            analysis.attribute(key)
        return
    found = analysis.attribute(key)
    assert found.values.shape == (64, 64)
    assert np.isfinite(found.values).all()


def test_identities_on_lite0(cat: Analysis) -> None:
    task = task_on(cat)
    assert by.deep_lift(task).sum() == pytest.approx(difference_from_grey(task), rel=1e-3)
    plain = (gradient(task) * task.image[0]).sum(0)
    close(by.input_x_gradient(task), plain)


def test_the_fast_engine_gives_captum_what_the_network_would(
    cat: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by, "_POSITIONS", 2)
    task = task_on(cat)
    found = by.occlusion(task)
    stride, side = by._window(224)
    expected = Occlusion(task.network).attribute(
        task.image, (3, side, side), (3, stride, stride), target=task.target
    )
    np.testing.assert_allclose(found, expected[0, 0].numpy(), atol=1e-4)
