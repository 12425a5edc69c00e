"""The methods of the library grad-cam (pytorch_grad_cam): its formulas, raw and signed.

The library ends every map with a ReLU, a resize to the input and a division by the maximum, after
which maps cannot be compared and evidence against the class is gone. Here its own classes compute
activations, gradients and weights, and what comes before those three steps is kept. Every function
makes the map of attribution.methods.METHODS with its name, from a private copy of a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytorch_grad_cam as library
import torch
from pytorch_grad_cam.base_cam import BaseCAM
from pytorch_grad_cam.kpca_cam import KPCA_CAM
from pytorch_grad_cam.shapley_cam import ShapleyCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget, FinerWeightedTarget
from torch import Tensor, nn

from effnet_viz.arrays import Floats
from effnet_viz.attribution.methods import MethodRefusedError, Task
from effnet_viz.engines.engine import engine_errors
from effnet_viz.engines.optimize import fold_batch_norms, plain_convolutions

BATCH = 16
"""Images or activations that run at once."""
MOST_PLACES = 56 * 56
"""Places of a stage whose principal component is computed: the library's matrices have as many rows
and columns as there are places."""
_ADVICE = "Choose another method; the cause is in the log."


def grad_cam_plus_plus(task: Task) -> Floats:
    """Σ_k w_k A_k, w_k = Σ_ij α_ij ReLU(∂z/∂A_k), α_ij = g² / (2 g² + ΣA g³): Chattopadhay et al.

    2018 (arXiv 1710.11063), equation 19. (h, w), in a unit of its own.
    """
    return _weighted(library.GradCAMPlusPlus, task)


def xgrad_cam(task: Task) -> Floats:
    """Σ_k w_k A_k, w_k = Σ_ij ∂z/∂A_k A_k / Σ_ij A_k: Fu et al. 2020 (arXiv 2008.02312).

    (h, w), in a unit of its own.
    """
    return _weighted(library.XGradCAM, task)


def hires_cam(task: Task) -> Floats:
    """Σ_k ∂z/∂A_k ⊙ A_k: Draelos & Carin 2020 (arXiv 2011.08891). (h, w), in units of the logit."""
    return _weighted(library.HiResCAM, task)


def layer_cam(task: Task) -> Floats:
    """Σ_k ReLU(∂z/∂A_k) ⊙ A_k: Jiang et al. 2021 (doi 10.1109/TIP.2021.3089943). (h, w)."""
    return _weighted(library.LayerCAM, task)


def grad_cam_elementwise(task: Task) -> Floats:
    """Σ_k ReLU(∂z/∂A_k ⊙ A_k), (h, w): never negative."""
    return _weighted(library.GradCAMElementWise, task)


def eigen_cam(task: Task) -> Floats:
    """Projection of the channels on their first principal component, (h, w): no class, no sign.

    Muhammad & Yeasin 2020 (arXiv 2008.00299).
    """
    _require_few_places(task)
    return _weighted(library.EigenCAM, task, gradients=False)


def eigen_grad_cam(task: Task) -> Floats:
    """The same of gradient times activation, (h, w): its sign is free."""
    _require_few_places(task)
    return _weighted(library.EigenGradCAM, task)


def kpca_cam(task: Task) -> Floats:
    """Eigen-CAM with a sigmoid kernel: Karmani et al. 2024 (arXiv 2410.00267). (h, w), no class."""
    _require_few_places(task)
    return _weighted(KPCA_CAM, task, gradients=False)


def fem(task: Task) -> Floats:
    """Σ_k w_k A_k, w_k the share of places where A_k is above its mean by two deviations.

    Fuad et al. 2020 (doi 10.1109/IPTA50016.2020.9286629). (h, w), no class.
    """
    return _weighted(library.FEM, task, gradients=False)


def finer_cam(task: Task) -> Floats:
    """Grad-CAM of the class's score minus the other class's: Zhang et al. 2025 (arXiv 2501.11309).

    The library weights the other class by its probability and divides by that again, whose gradient
    remains: it is Grad-CAM of z_target - z_other exactly only where that probability is steady.
    (h, w), in a unit of its own.
    """
    target = FinerWeightedTarget(task.target, [task.other], 1.0)
    return _weighted(library.GradCAM, task, target=target)


def shapley_cam(task: Task) -> Floats:
    """Σ_k w_k A_k, w_k = mean of ∂z/∂A_k - ½ H A_k with the curvature H of the score.

    Cai 2025 (arXiv 2501.06261). (h, w), in a unit of its own.
    """
    with _opened(ShapleyCAM, task) as cam, torch.enable_grad():
        image = task.image.clone().requires_grad_()  # (1, 3, R, R)
        score = cam.activations_and_grads(image)[0, task.target]  # ()
        [activation] = cam.activations_and_grads.activations  # (1, C, h, w)
        if not activation.requires_grad:
            raise MethodRefusedError("There is no gradient here. Choose a later stage.")
        (gradient,) = torch.autograd.grad(score, activation, create_graph=True)  # (1, C, h, w)
        if not gradient.requires_grad:
            # Nothing after the stage bends: the curvature is zero, and it is Grad-CAM.
            weights = gradient.mean((2, 3)).numpy()  # (1, C)
        else:
            weights = cam.get_cam_weights(
                image, task.network.stages[task.stage - 1], None, activation, gradient
            )
        values = activation.detach().numpy()  # (1, C, h, w)
    return _float(np.einsum("bk,bkij->ij", weights, values))


def full_grad(task: Task) -> Floats:
    """Σ_c |x ⊙ ∂z/∂x| + Σ_layers Σ_k |b_k ∂z/∂A_k|, every summand scaled to 0..1 by the library.

    Srinivas & Fleuret 2019 (arXiv 1905.00780), equation 8. (R, R), never negative. Batch norms are
    folded into their convolutions first: the library looks for biases in plain layers only, and
    would find none in timm's.
    """
    resolution = task.image.shape[-1]
    fold_batch_norms(task.network, resolution)
    plain_convolutions(task.network, resolution)
    cam = library.FullGrad(task.network, [])
    try:
        with engine_errors("Full-Grad", _ADVICE), torch.enable_grad():
            image = task.image.clone().requires_grad_()  # (1, 3, R, R)
            score = cam.activations_and_grads(image)[0, task.target]  # ()
            score.backward()
            [layers] = cam.compute_cam_per_layer(image, None, eigen_smooth=False)  # (1, 1, R, R)
    finally:
        cam.activations_and_grads.release()
    return _float(layers[0])


def score_cam(task: Task) -> Floats:
    """Σ_k w_k A_k, w the softmax over channels of the score of the photograph seen through each.

    Wang et al. 2020 (arXiv 1910.01279), algorithm 1, as the library does it: each channel is
    enlarged to the input, scaled to 0..1, and multiplied with the photograph. Its passes, one a
    channel, run in the engine and not in the library, which takes four times as long. (h, w).
    """
    activation = _activation(task)  # (1, C, h, w)
    side = task.image.shape[-1]
    scores: list[Floats] = []
    channels = activation.shape[1]
    for first in range(0, channels, BATCH):
        some = activation[0, first : first + BATCH, None]  # (n, 1, h, w)
        large = nn.functional.interpolate(
            some, size=(side, side), mode="bilinear", align_corners=True
        )  # (n, 1, R, R)
        low, high = large.amin((2, 3), keepdim=True), large.amax((2, 3), keepdim=True)
        masks = (large - low) / (high - low + 1e-8)  # (n, 1, R, R)
        seen = (task.image * masks).numpy()  # (n, 3, R, R)
        scores.append(task.forward(seen)[:, task.target])  # (n,)
        task.progress(min(1.0, (first + BATCH) / channels))
    weights = torch.softmax(torch.tensor(np.concatenate(scores)), 0).numpy()  # (C,)
    return _float(np.einsum("k,kij->ij", weights, activation[0].numpy()))


def ablation_cam(task: Task) -> Floats:
    """Σ_k w_k A_k, w_k = (z - z_k) / z with z_k the score while channel k is zero.

    Desai & Ramaswamy 2020 (doi 10.1109/WACV45572.2020.9093360), equation 5. Only the stages after
    this one run again. The library sets a channel to -1e7 where the stage has negative values, as
    with SiLU; here it is zero everywhere, as in the paper. (h, w), in a unit of its own.
    """
    activation = _activation(task)  # (1, C, h, w)
    channels = activation.shape[1]
    with engine_errors("Ablation-CAM", _ADVICE), torch.no_grad():
        whole = float(task.network.tail(activation, task.stage)[0, task.target])
        scores = []
        for first in range(0, channels, BATCH):
            count = min(BATCH, channels - first)
            without = activation.repeat(count, 1, 1, 1)  # (n, C, h, w)
            without[range(count), range(first, first + count)] = 0
            scores.append(task.network.tail(without, task.stage)[:, task.target])  # (n,)
            task.progress(min(1.0, (first + BATCH) / channels))
    if whole == 0:
        raise MethodRefusedError("The class's score is zero, so no part of it can be told.")
    weights = (whole - torch.cat(scores).numpy()) / whole  # (C,)
    return _float(np.einsum("k,kij->ij", weights, activation[0].numpy()))


def _weighted(
    method: Callable[..., BaseCAM],
    task: Task,
    *,
    gradients: bool = True,
    target: Callable[[Tensor], Tensor] | None = None,
) -> Floats:
    """The library's map before its ReLU, its resize and its division, (h, w)."""
    score = target or ClassifierOutputTarget(task.target)
    with _opened(method, task) as cam, engine_errors("the method", _ADVICE), torch.enable_grad():
        image = task.image.clone().requires_grad_()  # (1, 3, R, R)
        logits = cam.activations_and_grads(image)[0]  # (classes,)
        gradient = None
        if gradients:
            score(logits).backward()
            gradient = cam.activations_and_grads.gradients[0].numpy()  # (1, C, h, w)
        activation = cam.activations_and_grads.activations[0].numpy()  # (1, C, h, w)
        layer = task.network.stages[task.stage - 1]
        values = cam.get_cam_image(image, layer, [score], activation, gradient, eigen_smooth=False)
    return _float(values[0])


@contextmanager
def _opened(method: Callable[..., BaseCAM], task: Task) -> Iterator[Any]:
    """The library's object with its hooks on the stage, which are gone afterwards."""
    cam = method(task.network, [task.network.stages[task.stage - 1]])
    try:
        yield cam
    finally:
        cam.activations_and_grads.release()


def _activation(task: Task) -> Tensor:
    """What the stage gives, (1, C, h, w)."""
    with torch.no_grad():
        return task.network.forward_intermediates(task.image)[task.stage - 1]


def _require_few_places(task: Task) -> None:
    height, width = _activation(task).shape[2:]
    if height * width > MOST_PLACES:
        raise MethodRefusedError(
            f"Stage {task.stage} has {width}×{height} places, too many for a principal component "
            "in the memory there is. Choose a later stage."
        )


def _float(values: Any) -> Floats:
    made: Floats = np.ascontiguousarray(np.squeeze(values), np.float32)
    return made
