"""Methods of the library grad-cam: a function for each, of its key's name in methods.METHODS.

The library's maps end with a ReLU, are enlarged to the input and divided by their maximum. Here
each is taken before that: of the grid of its stage, raw and signed. Below, A is the output
(C, h, w) of the stage, z_c the logit of the class, g = ∂z_c/∂A, and k a channel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import torch
from pytorch_grad_cam import (
    FEM,
    GradCAM,
    GradCAMElementWise,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ShapleyCAM,
    XGradCAM,
)
from pytorch_grad_cam.activations_and_gradients import ActivationsAndGradients
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget, FinerWeightedTarget
from sklearn.decomposition import KernelPCA  # which grad-cam brings
from torch import Tensor, nn
from torch.nn import functional

from effnet_viz.arrays import Floats
from effnet_viz.attribution.methods import MethodRefusedError, Task

MASKED = 8
"""Masked images that the engine gets at once.

OpenVINO's runs them one by one: for more it compiles itself a second time, to be no faster.
"""
ABLATED = 16
"""Ablated activations that the tail sees at once, at most."""
_ABLATED_VALUES = 2**22
"""And their values, at most: what a tail computes of them is several times as large."""
KERNEL_CELLS = 80 * 80
"""Of a grid whose cells KPCA-CAM compares with one another: 160 MB, and again while solving."""

Score = Callable[[Tensor], Tensor]
"""What is explained, of the logits (classes,) of one image."""


# Channels weighted by gradients


def grad_cam_plus_plus(task: Task) -> Floats:
    """Grad-CAM++: Σ_k w_k A_k(i, j), (h, w), arbitrary unit.

    w_k = Σ_ij α_k(i, j) · max(0, g_k(i, j)), α = g² / (2 g² + ΣA_k · g³): equation 19 of
    Chattopadhay et al. 2018, arXiv 1710.11063, which takes the class's score to be exp(z_c). The
    library adds 10⁻⁶ to the denominator: where gradients are well below 10⁻³, as they are at large
    grids, that is most of it, and w_k nears 10⁶ · Σ max(0, g)³.
    """
    return _weighted(GradCAMPlusPlus, task)


def xgrad_cam(task: Task) -> Floats:
    """XGrad-CAM: Σ_k w_k A_k(i, j), (h, w), in units of the logit where no w_k explodes.

    w_k = Σ_ij A_k · g_k / Σ_ij A_k: Fu et al. 2020, arXiv 2008.02312. The sum of the map is that of
    gradient × activation. Their ReLU networks have no negative A; where positive and negative
    values of a channel cancel out (SiLU, or stages that end without an activation), its weight has
    no bound.
    """
    return _weighted(XGradCAM, task)


def hires_cam(task: Task) -> Floats:
    """HiRes-CAM: Σ_k g_k(i, j) · A_k(i, j), (h, w), in units of the logit.

    Draelos & Carin 2020, arXiv 2011.08891. At the last stage of a network with a linear head its
    sum over positions is the logit less the bias, and it is CAM divided by the number of positions.
    """
    return _weighted(HiResCAM, task)


def layer_cam(task: Task) -> Floats:
    """Layer-CAM: Σ_k max(0, g_k(i, j)) · A_k(i, j), (h, w), arbitrary unit.

    Jiang et al. 2021, doi 10.1109/TIP.2021.3089943, without the last ReLU.
    """
    return _weighted(LayerCAM, task)


def grad_cam_elementwise(task: Task) -> Floats:
    """Σ_k max(0, g_k(i, j) · A_k(i, j)), (h, w), never negative; of grad-cam alone, no paper."""
    return _weighted(GradCAMElementWise, task)


def shapley_cam(task: Task) -> Floats:
    """Shapley-CAM: Σ_k w_k A_k(i, j), (h, w), arbitrary unit.

    w_k = mean over positions of g − ½ H A, where H = ∂²z_c/∂A²: Cai 2025, arXiv 2501.06261. Where
    the tail is piecewise linear (ReLU6: Lite0 to Lite2) or linear (the last stage), H is 0 and it
    is Grad-CAM divided by the number of positions.
    """
    return _weighted(ShapleyCAM, task)


def finer_cam(task: Task) -> Floats:
    """Finer-CAM: Grad-CAM of z_c − z_d, the class against the other, (h, w), arbitrary unit.

    Σ_k w_k A_k(i, j), w_k = mean over positions of ∂(z_c − α z_d)/∂A_k, α = 1: Zhang et al. 2025,
    arXiv 2501.11309.
    """
    difference = FinerWeightedTarget(0, [1], alpha=1)
    pair = [task.target, task.other]

    def score(logits: Tensor) -> Tensor:
        # The library weights each other class by its probability, and divides by the sum plus 1e-9.
        # A single weight cancels out, unless the probability is near 1e-9, as those of classes that
        # have nothing to do with the image are. Among two classes hardly any is.
        compared: Tensor = difference(logits[pair])  # logits[pair]: (2,)
        return compared

    return _weighted(GradCAM, task, score)


def fem(task: Task) -> Floats:
    """FEM, feature explanation method: Σ_k w_k A_k(i, j), (h, w), arbitrary unit; of no class.

    w_k is the fraction of positions where A_k > mean + 2 · standard deviation of A_k: Fuad et al.
    2020, hal-02963298, as the library has it.
    """
    return _weighted(FEM, task)


def _weighted(kind: type[Any], task: Task, score: Score | None = None) -> Floats:
    """The map of one of the library's classes for the stage, before anything is done to it."""
    layer = task.network.stages[task.stage - 1]
    target: Score = score or ClassifierOutputTarget(task.target)
    image = task.image.detach().clone()  # (1, 3, R, R)
    library = kind(task.network, [layer])
    with _released(library.activations_and_grads) as seen:
        _run(seen, image, target if library.uses_gradients else None)
        activation = seen.activations[0]  # (1, C, h, w)
        gradient = seen.gradients[0] if library.uses_gradients else torch.zeros(())  # (1, C, h, w)
        if library.detach:
            activation, gradient = activation.numpy(), gradient.numpy()
        elif not gradient.requires_grad:
            # A gradient that is the same whatever the activation, as that of a linear head, is a
            # constant to PyTorch, which refuses to derive it. This is the same with a derivative.
            gradient = gradient + 0 * activation
        map_ = library.get_cam_image(
            image, layer, [target], activation, gradient, eigen_smooth=False
        )  # (1, h, w)
    values: Floats = np.asarray(map_[0], np.float32)
    return values


@contextmanager
def _released(seen: Any) -> Iterator[Any]:
    """The library's hooks, taken off the network afterwards, whatever happens.

    Its own context managers print an IndexError and swallow it.
    """
    try:
        yield seen
    finally:
        # Let go before they are released: the library would detach them in place, which PyTorch
        # refuses for a view.
        seen.activations, seen.gradients = [], []
        seen.release()


def _run(seen: Any, image: Tensor, score: Score | None) -> Tensor | None:
    """Fill the library's lists of activations, and with a score those of its gradients.

    Returns the score's gradient by the image (1, 3, R, R). The parameters are frozen, so it is the
    image that must ask for gradients, or there are none. Nothing is added to any .grad.
    """
    if score is None:
        with torch.no_grad():
            seen(image)
        return None
    logits = seen(image.requires_grad_())  # (1, classes)
    (gradient,) = torch.autograd.grad(score(logits[0]), image, create_graph=not seen.detach)
    return gradient


# Principal components


def eigen_cam(task: Task) -> Floats:
    """Eigen-CAM: the projection on the first principal component of A, (h, w); of no class.

    With the positions as samples and the channels as features, centred: Muhammad & Yeasin 2020,
    arXiv 2008.00299. In units of the activation; its sign is whatever the decomposition gives.
    """
    return _principal(_activation(task))


def eigen_grad_cam(task: Task) -> Floats:
    """The projection on the first principal component of g · A, (h, w), of grad-cam alone.

    As Eigen-CAM; in units of the logit, with the sign that the decomposition gives.
    """
    layer = task.network.stages[task.stage - 1]
    image = task.image.detach().clone()  # (1, 3, R, R)
    with _released(ActivationsAndGradients(task.network, [layer], None)) as seen:
        _run(seen, image, ClassifierOutputTarget(task.target))
        products: Floats = (seen.gradients[0] * seen.activations[0])[0].numpy()  # (C, h, w)
    return _principal(products)


def kpca_cam(task: Task) -> Floats:
    """KPCA-CAM: the projection on the first kernel principal component of A, (h, w); of no class.

    With the kernel tanh(x·y / C + 1) of centred positions x, y: Karmani et al. 2024,
    arXiv 2410.00267, with the library's kernel. Arbitrary unit. Raises MethodRefusedError for large
    grids, since the kernel compares every position with every other.
    """
    activation = _activation(task)  # (C, h, w)
    height, width = activation.shape[1:]
    if height * width > KERNEL_CELLS:
        raise MethodRefusedError(
            f"KPCA-CAM compares every cell with every other, and stage {task.stage} has "
            f"{height} × {width}: too many. Choose a later stage."
        )
    # The library's own call leaves the solver's start to numpy's global random numbers: the same
    # call would give other bits, and take numbers from other threads.
    pca = KernelPCA(n_components=1, kernel="sigmoid", random_state=0)
    values: Floats = pca.fit_transform(_centred(activation)).astype(np.float32)  # (h·w, 1)
    return values.reshape(height, width)


def _activation(task: Task) -> Floats:
    """A, (C, h, w)."""
    with torch.no_grad():
        outputs = task.network.forward_intermediates(task.image)
    activation: Floats = outputs[task.stage - 1][0].numpy()  # (C, h, w)
    return activation


def _centred(channels: Floats) -> Floats:
    """Positions as rows and channels (C, h, w) as columns, each of mean 0: (h·w, C)."""
    rows = channels.reshape(len(channels), -1).T  # (h·w, C)
    centred: Floats = rows - rows.mean(axis=0)
    return centred


def _principal(channels: Floats) -> Floats:
    """Projections (h, w) of the positions of (C, h, w) on their first principal component."""
    centred = _centred(channels)  # (h·w, C)
    # The library asks for all h·w left vectors, which takes (h·w)² values: 31 GB at B7's stage 1.
    # The first right one is the same without.
    first = np.linalg.svd(centred, full_matrices=False)[2][0]  # (C,)
    projection: Floats = (centred @ first).astype(np.float32)  # (h·w,)
    return projection.reshape(channels.shape[1:])


# Channels weighted by the score of what they leave


def score_cam(task: Task) -> Floats:
    """Score-CAM: Σ_k w_k A_k(i, j), (h, w), arbitrary unit. C runs of the network.

    w = softmax over the channels of z_c(image · M_k), where M_k is A_k enlarged to the image and
    scaled to 0 … 1: Wang et al. 2020, arXiv 1910.01279 (the baseline's score, which they take off
    every other, does not change a softmax). As in the library, the image is masked after its
    normalisation, so it fades to the normalisation's mean, a grey. The softmax is over logits as
    they are: where masks change them by less than 1, as at early stages, all channels weigh alike.
    """
    activation = torch.from_numpy(_activation(task))  # (C, h, w)
    image = task.image  # (1, 3, R, R)
    channels = len(activation)
    scores = torch.empty(channels)  # (C,)
    for begin in range(0, channels, MASKED):
        part = slice(begin, min(begin + MASKED, channels))
        # As the library: corners on corners, and 1e-8 for channels that are the same everywhere.
        mask = functional.interpolate(
            activation[None, part], image.shape[2:], mode="bilinear", align_corners=True
        )[0]  # (B, R, R)
        least, most = mask.amin((1, 2), keepdim=True), mask.amax((1, 2), keepdim=True)  # (B, 1, 1)
        mask = (mask - least) / (most - least + 1e-8)
        logits = task.forward((image * mask[:, None]).numpy())  # (B, classes)
        scores[part] = torch.tensor(logits[:, task.target])
        task.progress(part.stop / channels)
    weights = scores.softmax(0)  # (C,)
    return _sum(weights, activation)


def ablation_cam(task: Task) -> Floats:
    """Ablation-CAM: Σ_k w_k A_k(i, j), (h, w), arbitrary unit. C runs of the stages after.

    w_k = z_c − z_c with A_k set to zero: Desai & Ramaswamy 2020,
    doi 10.1109/WACV45572.2020.9093360. Theirs is divided by z_c: that changes the size of the map
    alone, which here is raw, but where the logit is negative it would swap for and against, and at
    0 there would be none. At the last stage of a network with a linear head,
    w_k = weight of k for the class · mean of A_k, which takes no run.
    """
    network, stage = task.network, task.stage
    activation = torch.from_numpy(_activation(task))  # (C, h, w)
    head = network.linear_head
    if stage == len(network.stages) and head is not None:
        weights = head.weight[task.target].detach() * activation.mean((1, 2))  # (C,)
        return _sum(weights, activation)
    channels = len(activation)
    step = max(1, min(ABLATED, _ABLATED_VALUES // activation.numel()))
    scores = torch.empty(channels)  # (C,)
    with torch.no_grad():
        whole = network.tail(activation[None], stage)[0, task.target]  # ()
        for begin in range(0, channels, step):
            part = slice(begin, min(begin + step, channels))
            ablated = activation.repeat(part.stop - begin, 1, 1, 1)  # (B, C, h, w)
            # The paper's zero. The library's AblationLayer sets 10⁷ less than the least value
            # wherever there are negative ones (SiLU, stages that end without an activation), which
            # is not absence but an input like no other.
            ablated[torch.arange(part.stop - begin), torch.arange(begin, part.stop)] = 0
            scores[part] = network.tail(ablated, stage)[:, task.target]
            task.progress(part.stop / channels)
    return _sum(whole - scores, activation)


def _sum(weights: Tensor, activation: Tensor) -> Floats:
    """Σ_k w_k A_k(i, j), (h, w), of weights (C,) and an activation (C, h, w)."""
    values: Floats = torch.einsum("k,kij->ij", weights, activation).numpy()
    return values


# Biases


def full_grad(task: Task) -> Floats:
    """Full-Grad: ψ(gradient · image) + Σ over layers and channels ψ(b_k · ∂z_c/∂f_k), (R, R).

    f_k is what bias b_k is added to, and ψ takes the magnitude, scales it to 0 … 1 and enlarges it
    to the image: Srinivas & Fleuret 2019, arXiv 1905.00780. Never negative, arbitrary
    unit. The head's bias, which has no place, is not in it, nor is that of 1 × 1 grids (squeeze and
    excitation), since nothing is left of one value that is scaled to its range.
    """
    side = task.image.shape[2]
    total = np.zeros((side, side), np.float32)
    for products in full_gradients(task):  # (C, h, w)
        # The library enlarges every channel and adds them up; enlarging is linear, so the sum is
        # enlarged here: once a layer, and in the memory of one channel.
        scaled: Floats = scale_cam_image(np.abs(products)).sum(axis=0)  # (h, w)
        total += cv2.resize(scaled, (side, side))
    return total


def full_gradients(task: Task) -> list[Floats]:
    """gradient · image (3, R, R), then b · ∂z_c/∂f (C, h, w) of every biased layer; signed.

    Together with the head's bias they are the logit, where the network is piecewise linear through
    the origin but for its biases (ReLU): arXiv 1905.00780.
    """
    biased = [layer for layer in task.network.modules() if _has_bias(layer)]
    image = task.image.detach().clone()  # (1, 3, R, R)
    places = [_before_activation(layer) for layer in biased]
    with _released(ActivationsAndGradients(task.network, places, None)) as seen:
        gradient = _run(seen, image, ClassifierOutputTarget(task.target))  # (1, 3, R, R)
        assert gradient is not None
        products = [(gradient * image.detach())[0].numpy()]  # (3, R, R)
        for layer, below in zip(biased, seen.gradients, strict=True):  # below: (1, C, h, w)
            products.append((_bias(layer)[:, None, None] * below[0]).numpy())  # (C, h, w)
    return products


def _has_bias(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d | nn.BatchNorm2d) and layer.bias is not None


def _before_activation(layer: nn.Module) -> nn.Module:
    """Whose output the bias is last added to.

    The library knows torch's own layers alone. timm's batch norm, in which all biases of Lite0 to
    Lite2 are, does the dropout and the activation that follow, too: the former's output is where
    the bias has been added.
    """
    dropout = getattr(layer, "drop", None)
    return dropout if isinstance(dropout, nn.Module) else layer


def _bias(layer: nn.Module) -> Tensor:
    """(C,); of a batch norm what is left of its output for an input of zeros."""
    if isinstance(layer, nn.BatchNorm2d):
        assert layer.running_mean is not None
        assert layer.running_var is not None
        scale = layer.weight / torch.sqrt(layer.running_var + layer.eps)  # (C,)
        return (layer.bias - layer.running_mean * scale).detach()
    assert isinstance(layer, nn.Conv2d)
    assert layer.bias is not None
    return layer.bias.detach()
