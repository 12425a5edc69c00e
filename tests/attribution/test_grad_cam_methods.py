"""Every method of grad-cam against its formula written out, an identity or the library itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest
import torch
from pytorch_grad_cam import (
    KPCA_CAM,
    AblationCAM,
    EigenCAM,
    EigenGradCAM,
    FullGrad,
    GradCAMPlusPlus,
    ScoreCAM,
)
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget, FinerWeightedTarget
from sklearn.decomposition import KernelPCA
from torch import Tensor, nn

from effnet_viz import Analysis, analyse
from effnet_viz.arrays import Floats, largest_difference
from effnet_viz.assets import SAMPLES
from effnet_viz.attribution import grad_cam_methods as methods
from effnet_viz.attribution.methods import (
    METHODS,
    Library,
    Method,
    MethodRefusedError,
    Place,
    Task,
)
from effnet_viz.engines.network import Network
from tests.conftest import eager
from tests.engines.networks import calibrated

ENTRIES = [method for method in METHODS.values() if method.library is Library.GRAD_CAM]
SLOW = {"score-cam", "ablation-cam"}
SIDE = 8

every = pytest.mark.parametrize("method", ENTRIES, ids=attrgetter("key"))
every_quick = pytest.mark.parametrize(
    "method", [method for method in ENTRIES if method.key not in SLOW], ids=attrgetter("key")
)


def tiny(
    activation: Callable[[], nn.Module] = nn.ReLU, *, head: nn.Module | None = None
) -> Network:
    """Three stages for images of 8 pixels, 4 classes; its values are of ordinary size."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        stages = [
            nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), activation()),
            nn.Sequential(
                nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6), activation()
            ),
            nn.Sequential(nn.Conv2d(6, 5, 1), activation()),
        ]
        head = head or nn.Linear(5, 4)
        network = Network(stages, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), head)
        for norm in (part for part in network.modules() if isinstance(part, nn.BatchNorm2d)):
            nn.init.uniform_(norm.bias, -0.5, 0.5)
        network = calibrated(network, torch.randn(6, 3, SIDE, SIDE))
    return network.requires_grad_(False)


def wide() -> Network:
    """A head of two layers: no stage has a class activation map."""
    return tiny(head=nn.Sequential(nn.Linear(5, 7), nn.SiLU(), nn.Linear(7, 4)))


def task_of(network: Network, stage: int, target: int = 1, other: int = 2) -> Task:
    def forward(images: Floats) -> Floats:
        with torch.no_grad():
            return network(torch.from_numpy(images)).numpy()

    image = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(8))
    return Task(network, image, target, other, stage, forward, progress=lambda _: None)


def seen(task: Task, score: Callable[[Tensor], Tensor] | None = None) -> tuple[Floats, Floats]:
    """Activation and gradient (C, h, w) of the stage, by the tail alone: no hook, no library."""
    activation = task.network.forward_intermediates(task.image)[task.stage - 1]  # (1, C, h, w)
    leaf = activation.detach().requires_grad_()
    logits = task.network.tail(leaf, task.stage)[0]  # (classes,)
    value = logits[task.target] if score is None else score(logits)
    (gradient,) = torch.autograd.grad(value, leaf)
    return activation[0].numpy(), gradient[0].numpy()


def logits_of(task: Task) -> Floats:
    return task.network(task.image)[0].numpy()


def summed(weights: list[float], activation: Floats) -> Floats:
    """Σ_k w_k A_k, cell by cell."""
    channels, height, width = activation.shape
    values = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            values[i, j] = sum(weights[k] * float(activation[k, i, j]) for k in range(channels))
    return values.astype(np.float32)


def hooks(network: nn.Module) -> list[str]:
    """Modules that anything is attached to."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [name for name, part in network.named_modules() for kind in kinds if getattr(part, kind)]


NETWORKS = [tiny, lambda: tiny(nn.SiLU), wide]
over_networks = pytest.mark.parametrize("make", NETWORKS, ids=["relu", "silu", "no CAM"])
over_stages = pytest.mark.parametrize("stage", [1, 2, 3])


# Channels weighted by gradients


@over_networks
@over_stages
def test_grad_cam_plus_plus_is_equation_19(make: Callable[[], Network], stage: int) -> None:
    task = task_of(make(), stage)
    activation, gradient = seen(task)
    weights = []
    for a, g in zip(activation.astype(float), gradient.astype(float), strict=True):
        weight = 0.0
        for slope in g.ravel():
            below = 2 * slope**2 + a.sum() * slope**3 + 1e-6
            weight += max(slope, 0) * slope**2 / below
        weights.append(weight)
    expected = summed(weights, activation)
    assert largest_difference(methods.grad_cam_plus_plus(task), expected) < 1e-3


@over_networks
@over_stages
def test_xgrad_cam_by_its_formula(make: Callable[[], Network], stage: int) -> None:
    task = task_of(make(), stage)
    activation, gradient = seen(task)
    weights = [
        float((g * a).sum(dtype=float) / (a.sum(dtype=float) + 1e-7))
        for a, g in zip(activation, gradient, strict=True)
    ]
    values = methods.xgrad_cam(task)
    assert largest_difference(values, summed(weights, activation)) < 1e-3
    assert values.sum() == pytest.approx((gradient * activation).sum(), rel=1e-3, abs=1e-4)


@over_networks
@over_stages
def test_products_cell_by_cell(make: Callable[[], Network], stage: int) -> None:
    task = task_of(make(), stage)
    activation, gradient = seen(task)
    channels, height, width = activation.shape
    hires, layer, elementwise = (np.zeros((height, width), np.float32) for _ in range(3))
    for i in range(height):
        for j in range(width):
            for k in range(channels):
                a, g = activation[k, i, j], gradient[k, i, j]
                hires[i, j] += g * a
                layer[i, j] += max(g, 0) * a
                elementwise[i, j] += max(g * a, 0)
    assert largest_difference(methods.hires_cam(task), hires) < 1e-5
    assert largest_difference(methods.layer_cam(task), layer) < 1e-5
    assert largest_difference(methods.grad_cam_elementwise(task), elementwise) < 1e-5


def test_hires_cam_at_the_last_stage_is_cam(cat: Analysis) -> None:
    """And so are, where no channel cancels out, XGrad-CAM and Shapley-CAM."""
    values = cat.attribute("hires-cam").values
    assert largest_difference(values * values.size, cat.cam) < 1e-5
    assert cat.model.engine.head is not None
    bias = cat.model.engine.head.bias[cat.target.index]
    assert values.sum() + bias == pytest.approx(cat.target.logit, abs=1e-4)
    assert largest_difference(cat.attribute("xgrad-cam").values, values) < 1e-4
    assert largest_difference(cat.attribute("shapley-cam").values, values) < 1e-5


def test_hires_cam_is_gradient_times_activation(cat: Analysis) -> None:
    ours = cat.attribute("gradient-x-activation", 5)
    assert largest_difference(cat.attribute("hires-cam", 5).values, ours.values) < 1e-4
    assert METHODS["hires-cam"].unit is ours.unit


@over_stages
def test_shapley_cam_of_a_piecewise_linear_network_is_grad_cam(stage: int) -> None:
    task = task_of(tiny(nn.ReLU6), stage)
    activation, gradient = seen(task)
    expected = summed([float(g.mean()) for g in gradient], activation)
    assert largest_difference(methods.shapley_cam(task), expected) < 1e-5


@pytest.mark.parametrize("make", NETWORKS[1:], ids=["silu", "no CAM"])
@over_stages
def test_shapley_cam_by_its_formula(make: Callable[[], Network], stage: int) -> None:
    """Curvature times activation, by a difference of gradients along the activation."""
    task = task_of(make().double(), stage)
    task = replace(task, image=task.image.double())
    activation = task.network.forward_intermediates(task.image)[stage - 1]  # (1, C, h, w)

    def gradient(scale: float) -> Tensor:
        leaf = (activation * scale).requires_grad_()
        logit = task.network.tail(leaf, stage)[0, task.target]
        return torch.autograd.grad(logit, leaf)[0][0]  # (C, h, w)

    curvature = (gradient(1 + 1e-5) - gradient(1 - 1e-5)) / 2e-5  # (C, h, w)
    weights = (gradient(1) - curvature / 2).mean((1, 2))  # (C,)
    expected = summed(weights.tolist(), activation[0].numpy())
    assert largest_difference(methods.shapley_cam(task), expected) < 1e-4


@over_networks
@over_stages
def test_finer_cam_is_grad_cam_of_a_difference(make: Callable[[], Network], stage: int) -> None:
    task = task_of(make(), stage)
    activation, gradient = seen(task, lambda logits: logits[task.target] - logits[task.other])
    expected = summed([float(g.mean()) for g in gradient], activation)
    values = methods.finer_cam(task)
    assert largest_difference(values, expected) < 1e-5
    swapped = methods.finer_cam(replace(task, target=task.other, other=task.target))
    assert largest_difference(swapped, -values) < 1e-5

    library = FinerWeightedTarget(task.target, [task.other], alpha=1)
    _, gradient = seen(task, library)
    theirs = summed([float(g.mean()) for g in gradient], activation)
    assert largest_difference(values, theirs) < 1e-5


def test_finer_cam_from_a_class_out_of_the_question() -> None:
    """Where the library's own target has nothing left of it."""
    network = tiny()
    assert network.linear_head is not None
    network.linear_head.bias[0] = 40  # all others have a probability of 1e-17
    task = task_of(network, 2)
    activation, gradient = seen(task, lambda logits: logits[task.target] - logits[task.other])
    expected = summed([float(g.mean()) for g in gradient], activation)
    assert largest_difference(methods.finer_cam(task), expected) < 1e-5
    _, theirs = seen(task, FinerWeightedTarget(task.target, [task.other], alpha=1))
    assert abs(theirs).max() < 1e-6 * abs(gradient).max()


@over_networks
@over_stages
def test_fem_by_its_rule(make: Callable[[], Network], stage: int) -> None:
    task = task_of(make(), stage)
    activation, _ = seen(task)
    weights = []
    for a in activation:
        threshold = a.mean() + 2 * a.std()
        weights.append(sum(bool(value > threshold) for value in a.ravel()) / a.size)
    assert largest_difference(methods.fem(task), summed(weights, activation)) < 1e-5
    assert np.array_equal(methods.fem(task), methods.fem(replace(task, target=3)))


# Principal components


def library_map(kind: type, task: Task) -> Floats:
    """The library's own map of the stage, before anything is done to it."""
    activation, gradient = seen(task)
    library = kind(task.network, [task.network.stages[task.stage - 1]])
    values: Floats = library.get_cam_image(
        task.image, library.target_layers[0], [], activation[None], gradient[None], False
    )[0]
    library.activations_and_grads.release()
    return values


@over_networks
@over_stages
def test_principal_components(make: Callable[[], Network], stage: int) -> None:
    """The eigenvector of the covariance, up to sign; and the library with all of its vectors."""
    task = task_of(make(), stage)
    activation, gradient = seen(task)
    for run, kind, channels in (
        (methods.eigen_cam, EigenCAM, activation),
        (methods.eigen_grad_cam, EigenGradCAM, activation * gradient),
    ):
        rows = channels.reshape(len(channels), -1).astype(float)  # (C, h·w)
        rows -= rows.mean(axis=1, keepdims=True)
        first = np.linalg.eigh(rows @ rows.T)[1][:, -1]  # (C,)
        expected = (first @ rows).reshape(channels.shape[1:]).astype(np.float32)
        values = run(task)
        sign = np.sign((values * expected).sum())
        assert largest_difference(values, sign * expected) < 1e-4
        theirs = library_map(kind, task)
        assert largest_difference(values, np.sign((values * theirs).sum()) * theirs) < 1e-4


@over_networks
@over_stages
def test_kernel_principal_component(make: Callable[[], Network], stage: int) -> None:
    """The eigenvector of the centred kernel matrix, up to sign; and the library."""
    task = task_of(make(), stage)
    activation, _ = seen(task)
    rows = activation.reshape(len(activation), -1).T.astype(float)  # (h·w, C)
    rows -= rows.mean(axis=0)
    cells = len(rows)
    kernel = np.tanh(rows @ rows.T / rows.shape[1] + 1)  # (h·w, h·w)
    centring = np.eye(cells) - 1 / cells
    values, vectors = np.linalg.eigh(centring @ kernel @ centring)
    expected = (vectors[:, -1] * np.sqrt(values[-1])).reshape(activation.shape[1:])
    found = methods.kpca_cam(task)
    sign = np.sign((found * expected).sum())
    assert largest_difference(found, (sign * expected).astype(np.float32)) < 1e-3
    assert largest_difference(found, library_map(KPCA_CAM, task)) < 1e-4


def test_kpca_cam_refuses_large_grids(cat: Analysis) -> None:
    with pytest.raises(MethodRefusedError, match="stage 1 has 112 × 112"):
        cat.attribute("kpca-cam", 1)


def test_kpca_cam_leaves_random_numbers_alone(cat: Analysis) -> None:
    """Stage 4 has more cells than the solver takes without a random start."""
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    first = cat.attribute("kpca-cam", 4).values
    assert np.random.random() == expected  # noqa: NPY002
    assert np.array_equal(cat.attribute("kpca-cam", 4).values, first)
    rows = methods._centred(cat.stages[4])
    assert len(rows) > 200
    whole = KernelPCA(1, kernel="sigmoid", eigen_solver="dense").fit_transform(rows)[:, 0]
    sign = np.sign((whole * first.ravel()).sum())
    assert largest_difference(first.ravel(), (sign * whole).astype(np.float32)) < 1e-3


# Channels weighted by the score of what they leave


@over_networks
@over_stages
def test_score_cam_against_the_library(
    make: Callable[[], Network], stage: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "MASKED", 3)  # no divisor of any number of channels here but 6
    task = task_of(make(), stage)
    activation, _ = seen(task)
    layer = task.network.stages[stage - 1]
    with ScoreCAM(task.network, [layer]) as library:
        weights = library.get_cam_weights(
            task.image, layer, [ClassifierOutputTarget(task.target)], activation[None], None
        )[0]  # (C,)
    assert weights.sum() == pytest.approx(1)
    expected = summed(weights.tolist(), activation)
    assert largest_difference(methods.score_cam(task), expected) < 1e-5


def test_score_cam_of_a_channel_that_is_the_same_everywhere() -> None:
    network = tiny()
    network.stages[0][0].weight[2] = 0
    assert np.isfinite(methods.score_cam(task_of(network, 1))).all()


@pytest.mark.parametrize("make", [tiny, wide], ids=["relu", "no CAM"])
@over_stages
def test_ablation_cam_against_the_library(make: Callable[[], Network], stage: int) -> None:
    """Where a least activation is exactly 0, the library sets channels to the paper's zero."""
    task = task_of(make(), stage)
    activation, _ = seen(task)
    assert activation.min() == 0
    layer = task.network.stages[stage - 1]
    with AblationCAM(task.network, [layer]) as library:
        weights = library.get_cam_weights(
            task.image, layer, [ClassifierOutputTarget(task.target)], activation[None], None
        )[0]  # (C,)
    logit = logits_of(task)[task.target]  # which they divide by
    expected = summed((weights * logit).tolist(), activation)
    assert largest_difference(methods.ablation_cam(task), expected) < 1e-4


@over_networks
@over_stages
@pytest.mark.parametrize("target", [0, 1, 2, 3])
def test_ablation_cam_sets_channels_to_zero(
    make: Callable[[], Network], stage: int, target: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With negative activations and negative logits, too; in batches that do not come out even."""
    monkeypatch.setattr(methods, "ABLATED", 4)
    task = task_of(make(), stage, target)
    activation, _ = seen(task)
    weights = []
    for k in range(len(activation)):
        without = activation.copy()
        without[k] = 0
        logits = task.network.tail(torch.from_numpy(without)[None], stage)[0]  # (classes,)
        weights.append(float(logits_of(task)[target] - logits[target]))
    expected = summed(weights, activation)
    assert largest_difference(methods.ablation_cam(task), expected) < 1e-4


@pytest.mark.parametrize("run", [methods.score_cam, methods.ablation_cam])
def test_progress_goes_up_to_one(run: Callable[[Task], Floats]) -> None:
    heard: list[float] = []
    run(replace(task_of(wide(), 2), progress=heard.append))
    assert heard == sorted(heard)
    assert heard[-1] == 1


@pytest.mark.parametrize("run", [methods.score_cam, methods.ablation_cam])
def test_progress_ends_a_method_at_once(
    run: Callable[[Task], Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "MASKED", 1)
    monkeypatch.setattr(methods, "ABLATED", 1)
    heard: list[float] = []

    def progress(done: float) -> None:
        heard.append(done)
        raise InterruptedError

    task = replace(task_of(tiny(), 2), progress=progress)
    with pytest.raises(InterruptedError):
        run(task)
    assert heard == [pytest.approx(1 / 6)]
    assert hooks(task.network) == []


# Biases


def test_gradients_of_all_biases_are_complete() -> None:
    """With the head's bias they add up to the logit of a ReLU network."""
    task = task_of(tiny(), 1)
    found = methods.full_gradients(task)
    assert [len(products) for products in found] == [3, 4, 6, 5]
    assert task.network.linear_head is not None
    bias = float(task.network.linear_head.bias[task.target])
    total = sum(float(products.sum()) for products in found) + bias
    assert total == pytest.approx(float(logits_of(task)[task.target]), abs=1e-5)


@pytest.mark.parametrize("make", NETWORKS, ids=["relu", "silu", "no CAM"])
def test_full_grad_against_the_library(make: Callable[[], Network]) -> None:
    task = task_of(make(), 1)
    assert largest_difference(methods.full_grad(task), library_full_grad(task)) < 1e-5


def library_full_grad(task: Task) -> Floats:
    """Before the sum of its layers is scaled to 0 … 1."""
    image = task.image.clone().requires_grad_()
    with FullGrad(task.network, []) as library:
        library.activations_and_grads(image)[0, task.target].backward()
        values: Floats = library.compute_cam_per_layer(image, [], False)[0, 0]
    return values


def test_full_grad_finds_the_biases_of_timms_batch_norms(cat: Analysis) -> None:
    """The library sees none of Lite0's. Here by a pass without its activations' modules."""
    network = cat.model.module()
    image = torch.tensor(cat.image).requires_grad_()
    kept: dict[nn.Module, Tensor] = {}
    handles = []
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:

        def keep(_: nn.Module, given: tuple[Tensor], norm: nn.Module = norm) -> None:
            kept[norm] = given[0]  # what its activation gets

        handles.append(norm.act.register_forward_pre_hook(keep))
    logit = network(image)[0, cat.target.index]
    gradients = torch.autograd.grad(logit, [kept[norm] for norm in norms])  # (1, C, h, w) each
    for handle in handles:
        handle.remove()
    task = Task(network, image, cat.target.index, 0, 1, lambda x: x, lambda _: None)
    found = methods.full_gradients(task)[1:]
    assert len(found) == 49
    for norm, gradient, products in zip(norms, gradients, found, strict=True):
        zeros = torch.zeros(1, norm.num_features, 1, 1)
        bias = torch.nn.functional.batch_norm(
            zeros, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )[0]  # (C, 1, 1)
        np.testing.assert_allclose(products, bias * gradient[0], rtol=1e-4, atol=1e-5)


# All of them


@every
def test_every_method_on_a_cat(cat: Analysis, method: Method) -> None:
    """Shape, type, the same bits again; at a stage of few channels where each takes a run."""
    stage = 2 if method.key in SLOW else 5
    found = cat.attribute(method, stage)
    side = cat.model.card.resolution if method.place is Place.PIXELS else len(cat.stages[stage][0])
    assert found.values.shape == (side, side)
    assert found.values.dtype == np.float32
    assert np.isfinite(found.values).all()
    assert found.values.min() < found.values.max()
    assert np.array_equal(cat.attribute(method, stage).values, found.values)


@every
@pytest.mark.parametrize("stage", [1, 3])
def test_the_task_is_left_as_it_was(method: Method, stage: int) -> None:
    task = task_of(tiny(nn.SiLU), stage)
    image = task.image.clone()
    first = method.run(task)
    assert hooks(task.network) == []
    assert torch.equal(task.image, image)
    assert not task.image.requires_grad
    assert task.image.grad is None
    assert all(part.grad is None for part in task.network.parameters())
    assert np.array_equal(method.run(task), first)


@pytest.mark.parametrize(
    "method", [m for m in ENTRIES if m.key not in SLOW], ids=lambda method: method.key
)
@pytest.mark.parametrize("error", [InterruptedError, IndexError])
def test_no_hook_stays_after_an_error(method: Method, error: type[Exception]) -> None:
    """Not even an IndexError, which the library's own context manager swallows."""

    class Failing(nn.Module):
        def forward(self, _: Tensor) -> Tensor:
            raise error

    task = task_of(tiny(), 2)
    task.network.head = Failing()
    if method.key in ("eigen-cam", "kpca-cam"):  # which run no head
        task.network.stages[1] = Failing()
    with pytest.raises(error):
        method.run(task)
    assert hooks(task.network) == []


@pytest.mark.parametrize("key", ["grad-cam-plus-plus", "full-grad", "score-cam", "ablation-cam"])
def test_nothing_is_printed(key: str, capfd: pytest.CaptureFixture[str]) -> None:
    METHODS[key].run(task_of(wide(), 2))
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def untrained_b0() -> Analysis:
    return analyse(SAMPLES / "cat.jpg", eager("b0", untrained=True))


@pytest.mark.parametrize(
    "method", [m for m in ENTRIES if m.key not in SLOW], ids=lambda method: method.key
)
def test_every_quick_method_on_b0(untrained_b0: Analysis, method: Method) -> None:
    values = untrained_b0.attribute(method, 6).values
    side = 224 if method.place is Place.PIXELS else 14
    assert values.shape == (side, side)
    assert np.isfinite(values).all()


def test_full_grad_of_b0_against_the_library(untrained_b0: Analysis) -> None:
    """On a part of the photograph, which the network takes as well."""
    image = torch.tensor(untrained_b0.image)[:, :, 80:144, 80:144]
    network = untrained_b0.model.module()
    task = Task(network, image, 5, 0, 1, lambda x: x, lambda _: None)
    assert largest_difference(methods.full_grad(task), library_full_grad(task)) < 1e-4


def test_what_small_gradients_make_of_grad_cam_plus_plus() -> None:
    """What the docstring of grad_cam_plus_plus warns of: the 10⁻⁶ in its denominator."""
    activation, gradient = np.ones((1, 1, 8, 8), np.float32), np.full((1, 1, 8, 8), 1e-4)
    weights = GradCAMPlusPlus.get_cam_weights(None, None, None, None, activation, gradient)
    assert weights[0, 0] == pytest.approx(64 * 1e6 * 1e-4**3, rel=0.05)
