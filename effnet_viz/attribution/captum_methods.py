"""The methods of the library captum, from a private copy of a network.

Every function makes the map of attribution.methods.METHODS with its name: (R, R), one value for
each pixel that the network sees, raw and signed. Where a method compares with a picture without
information, that is grey: the mean colour, 0 in a network's input. What is drawn at random is
seeded, so the same task gives the same bits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from captum.attr import (
    LRP,
    Deconvolution,
    DeepLift,
    FeatureAblation,
    GradientShap,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    KernelShap,
    Lime,
    NoiseTunnel,
    Occlusion,
    Saliency,
)
from captum.attr._utils.lrp_rules import EpsilonRule, IdentityRule
from torch import Tensor, nn

from effnet_viz.arrays import Floats
from effnet_viz.attribution.methods import (
    NOISY,
    SAMPLES,
    SEGMENTS,
    STEPS,
    WALKS,
    MethodRefusedError,
    Task,
)
from effnet_viz.attribution.superpixels import superpixels, tiles
from effnet_viz.engines.engine import engine_errors
from effnet_viz.engines.optimize import fold_batch_norms, plain_convolutions

SEED = 0
TOGETHER = 5
"""Images whose gradients are computed at once."""
BATCH = 16
"""Images that run forward at once."""
NOISE = 0.15
"""Standard deviation of SmoothGrad's noise, in shares of the input's range (section 3)."""
LARGEST_GAP = 0.5
"""Share of the score by which relevance may miss it, as what biases add is lost on the way."""

_ADVICE = "Choose another method; the cause is in the log."


def saliency(task: Task) -> Floats:
    """max over colours of |∂z/∂x|: Simonyan et al. 2013 (arXiv 1312.6034), section 3.1."""
    with _running(task):
        found = Saliency(task.network).attribute(task.image, task.target, abs=True)
    return _largest(found)


def input_x_gradient(task: Task) -> Floats:
    """Σ over colours of x ⊙ ∂z/∂x, in units of the logit."""
    with _running(task):
        found = InputXGradient(task.network).attribute(task.image.clone(), task.target)
    return _sum(found)


def integrated_gradients(task: Task) -> Floats:
    """Σ over colours of x ⊙ mean of ∂z/∂x on the way from grey: Sundararajan et al. 2017 (arXiv

    1703.01365), equation 1. All pixels together are z(x) - z(grey), up to the steps' error.
    """
    forward = _counted(task, STEPS)
    with _running(task):
        found = IntegratedGradients(forward).attribute(
            task.image, 0, task.target, n_steps=STEPS, internal_batch_size=TOGETHER
        )
    return _sum(found)


def smooth_grad(task: Task) -> Floats:
    """max over colours of |mean of ∂z/∂x over noisy copies|: Smilkov et al. 2017 (1706.03825)."""
    forward = _counted(task, NOISY)
    spread = NOISE * float(task.image.max() - task.image.min())
    with _running(task):
        found = NoiseTunnel(Saliency(forward)).attribute(
            task.image,
            nt_type="smoothgrad",
            nt_samples=NOISY,
            nt_samples_batch_size=TOGETHER,
            stdevs=spread,
            target=task.target,
            abs=False,
        )
    return _largest(found)


def gradient_shap(task: Task) -> Floats:
    """Mean over random walks of (x - x') ⊙ ∂z/∂x at a random point of each, summed over colours.

    Lundberg & Lee 2017 (arXiv 1705.07874) as captum does it: each walk leads from a picture of
    noise x' of standard deviation 1 to the photograph. In units of the logit.
    """
    forward = _counted(task, WALKS)
    with _running(task):
        starts = torch.randn(WALKS, *task.image.shape[1:])  # (WALKS, 3, R, R)
        parts = [
            GradientShap(forward).attribute(
                task.image, starts[first : first + TOGETHER], n_samples=TOGETHER, target=task.target
            )
            for first in range(0, WALKS, TOGETHER)
        ]
    return _sum(torch.stack(parts).mean(0))


def guided_backprop(task: Task) -> Floats:
    """max over colours of |guided gradient|: Springenberg et al. 2014 (arXiv 1412.6806).

    Only a ReLU can be guided: one with a ceiling is taken apart into a ReLU and the ceiling.
    """
    _take_apart(task.network, _Ceiling)
    with _running(task):
        found = GuidedBackprop(task.network).attribute(task.image.clone(), task.target)
    return _largest(found)


def deconvolution(task: Task) -> Floats:
    """max over colours of |deconvolved gradient|: Zeiler & Fergus 2013 (arXiv 1311.2901)."""
    _take_apart(task.network, _Ceiling)
    with _running(task):
        found = Deconvolution(task.network).attribute(task.image.clone(), task.target)
    return _largest(found)


def guided_grad_cam(task: Task) -> Floats:
    """Σ over colours of guided gradient ⊙ the positive Grad-CAM of the stage, enlarged.

    Selvaraju et al. 2017 (arXiv 1610.02391), section 3.3.
    """
    _take_apart(task.network, _Ceiling)
    layer = task.network.stages[task.stage - 1]
    with _running(task):
        found = GuidedGradCam(task.network, layer).attribute(
            task.image.clone(), task.target, interpolate_mode="bilinear"
        )
    return _sum(found)


def deep_lift(task: Task) -> Floats:
    """Σ over colours of the contributions to z(x) - z(grey): Shrikumar et al. 2017 (1704.02685).

    The rescale rule, at ReLUs, sigmoids and what else captum knows; a ReLU with a ceiling is two
    ReLUs here. Anything else (SiLU, products) gets its plain gradient.
    """
    _take_apart(task.network, _TwoReLUs)
    with _running(task):
        image = task.image.clone()
        found = DeepLift(task.network).attribute(image, torch.zeros_like(image), task.target)
    return _sum(found)


def lrp(task: Task) -> Floats:
    """Σ over colours of the relevance: Bach et al. 2015 (doi 10.1371/journal.pone.0130140), rule ε.

    Batch norms are folded into their convolutions. Activations hand relevance on as it is, which
    holds for ReLUs alone: with others this raises MethodRefusedError, and likewise where more than
    LARGEST_GAP of the score is lost to biases, or won at shortcuts, whose sums captum does not see.
    """
    others = {
        type(module).__name__
        for module in task.network.modules()
        if isinstance(module, nn.SiLU | nn.Sigmoid | nn.Hardswish | nn.GELU)
    }
    if others:
        raise MethodRefusedError(
            f"This network has {' and '.join(sorted(others))} activations, whose negative values "
            "no rule of LRP shares out. Choose integrated gradients, which asks for no rules."
        )
    resolution = task.image.shape[-1]
    with torch.no_grad():
        score = float(task.network(task.image)[0, task.target])
    fold_batch_norms(task.network, resolution)
    plain_convolutions(task.network, resolution)
    for module in task.network.modules():
        if next(module.children(), None) is None:
            bends = isinstance(module, nn.ReLU | nn.ReLU6)
            module.rule = IdentityRule() if bends else EpsilonRule()
    try:
        with _running(task):
            found = LRP(task.network).attribute(task.image.clone(), task.target)
    except (AssertionError, TypeError) as error:
        raise MethodRefusedError(
            "captum's LRP cannot follow the layers of this network. Choose integrated gradients, "
            "which asks for no rules."
        ) from error
    values = _sum(found)
    total = float(values.sum())
    if not abs(score - total) <= LARGEST_GAP * abs(score):
        raise MethodRefusedError(
            f"On this network, relevance adds up to {total:.2g} and not to the score, {score:.2g}: "
            "captum hands all of it down both branches of every shortcut, so the map would be no "
            "account of the score. Choose integrated gradients, whose parts add up."
        )
    return values


def occlusion(task: Task) -> Floats:
    """How much the logit falls while a grey square covers the pixel, the mean over 13 × 13 places.

    Zeiler & Fergus 2013 (arXiv 1311.2901), section 4.2. The square's side is a seventh of the
    picture's, and it moves by half of that.
    """
    stride = task.image.shape[-1] // 14
    with _running(task):
        found = Occlusion(_by_engine(task, 169)).attribute(
            task.image,
            (3, 2 * stride, 2 * stride),
            strides=(3, stride, stride),
            baselines=0,
            target=task.target,
            perturbations_per_eval=BATCH,
        )
    return _one_plane(found)


def feature_ablation(task: Task) -> Floats:
    """How much the logit falls while the pixel's tile is grey, one of 7 × 7."""
    mask = _mask(tiles(task.image.shape[-1], SEGMENTS))
    with _running(task):
        found = FeatureAblation(_by_engine(task, SEGMENTS + 1)).attribute(
            task.image, 0, task.target, feature_mask=mask, perturbations_per_eval=BATCH
        )
    return _one_plane(found)


def kernel_shap(task: Task) -> Floats:
    """The Shapley value of the pixel's superpixel, estimated: Lundberg & Lee 2017 (1705.07874).

    A weighted linear regression over SAMPLES random coverings, in units of the logit.
    """
    with _running(task):
        found = KernelShap(_by_engine(task, SAMPLES)).attribute(
            task.image,
            0,
            task.target,
            feature_mask=_mask(superpixels(task.image[0].numpy(), SEGMENTS, SEED)),
            n_samples=SAMPLES,
            perturbations_per_eval=BATCH,
        )
    return _one_plane(found)


def lime(task: Task) -> Floats:
    """The coefficient of the pixel's superpixel in a sparse linear model: Ribeiro et al. 2016.

    (arXiv 1602.04938), fitted to the logits of SAMPLES random coverings.
    """
    with _running(task):
        found = Lime(_by_engine(task, SAMPLES)).attribute(
            task.image,
            0,
            task.target,
            feature_mask=_mask(superpixels(task.image[0].numpy(), SEGMENTS, SEED)),
            n_samples=SAMPLES,
            perturbations_per_eval=BATCH,
        )
    return _one_plane(found)


# What they share


@contextmanager
def _running(task: Task) -> Iterator[None]:
    """Seeded, with the library's failures told as an engine's, and without its hooks afterwards."""
    with (
        torch.random.fork_rng(devices=[]),
        warnings.catch_warnings(),
        engine_errors("the method", _ADVICE),
        torch.enable_grad(),
    ):
        warnings.simplefilter("ignore")  # captum tells that it sets requires_grad
        state = np.random.get_state()  # noqa: NPY002 - captum's own draws
        torch.manual_seed(SEED)
        np.random.seed(SEED)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002
            for module in task.network.modules():
                for hooks in (
                    *(module._forward_hooks, module._forward_pre_hooks),
                    *(module._backward_hooks, module._backward_pre_hooks),
                ):
                    hooks.clear()


def _counted(task: Task, images: int) -> Callable[[Tensor], Tensor]:
    """The network, telling how many of so many images are done."""
    done = 0

    def forward(x: Tensor) -> Tensor:
        nonlocal done
        task.progress(min(1.0, done / images))
        done += len(x)
        logits: Tensor = task.network(x)  # (B, classes)
        return logits

    return forward


def _by_engine(task: Task, images: int) -> Callable[[Tensor], Tensor]:
    """The engine instead of the network, which only runs forward; likewise."""
    done = 0

    def forward(x: Tensor) -> Tensor:
        nonlocal done
        task.progress(min(1.0, done / images))
        done += len(x)
        with torch.no_grad():
            return torch.tensor(task.forward(x.numpy()))  # (B, classes)

    return forward


class _Ceiling(nn.Module):
    """min(ReLU(x), limit): the ReLU can be guided."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.limit = limit

    def forward(self, x: Tensor) -> Tensor:
        rectified: Tensor = self.relu(x)
        return rectified.clamp(max=self.limit)


class _TwoReLUs(nn.Module):
    """The same as limit - ReLU(limit - ReLU(x)): both have a rule."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.first, self.second = nn.ReLU(), nn.ReLU()
        self.limit = limit

    def forward(self, x: Tensor) -> Tensor:
        below: Tensor = self.second(self.limit - self.first(x))
        return self.limit - below


def _take_apart(network: nn.Module, by: Callable[[float], nn.Module]) -> None:
    """Replace every ReLU6, in place; results change by rounding only."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU6):
                setattr(module, name, by(float(child.max_val)))


def _mask(labels: np.ndarray) -> Tensor:
    return torch.tensor(labels, dtype=torch.int64)[None, None]  # (1, 1, R, R)


def _sum(found: Tensor) -> Floats:
    return _array(found.sum(1))  # (1, R, R)


def _largest(found: Tensor) -> Floats:
    return _array(found.abs().amax(1))  # (1, R, R)


def _one_plane(found: Tensor) -> Floats:
    return _array(found[:, 0])  # (1, R, R): all colours are covered together


def _array(values: Tensor) -> Floats:
    made: Floats = np.ascontiguousarray(values[0].detach().numpy(), np.float32)
    return made  # (R, R)
