"""The map of a stage: the one way from activations to evidence for a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from effnet_viz.arrays import Floats
from effnet_viz.attribution import methods
from effnet_viz.attribution.cam import class_activation_map, grad_cam
from effnet_viz.attribution.channels import channel_contributions, gradient_times_activation
from effnet_viz.attribution.methods import Method
from effnet_viz.engines.engine import Activations, Engine, StageEvidence


@dataclass(frozen=True, eq=False)
class StageMaps:
    """Evidence for one class each of B images at one stage, in units of the logit."""

    values: Floats
    """(B, h, w), raw and signed."""
    channels: Floats
    """(B, C): exact contributions before a linear head, elsewhere gradient × activation."""


def engine_maps(
    method: Method, engine: Engine, activations: Activations, stage: int, targets: Sequence[int]
) -> StageMaps:
    """Maps of a stage by one of the engine's own methods; see the functions below."""
    by = gradient_map if method is methods.GRADIENT_X_ACTIVATION else attribute_stage
    return by(engine, activations, stage, targets)


def is_exact(method: Method, engine: Engine, activations: Activations, stage: int) -> bool:
    """Whether the map of a stage is the class activation map, for which no network runs."""
    last = engine.head is not None and stage == max(activations.stages)
    return last and method is not methods.GRADIENT_X_ACTIVATION


def maps_of(method: Method, evidence: StageEvidence) -> StageMaps:
    """The same as engine_maps from what an engine gives for all stages at once."""
    if method is methods.GRADIENT_X_ACTIVATION:
        return StageMaps(evidence.product_map, evidence.products)
    return StageMaps(evidence.grad_cam, evidence.products)


def attribute_stage(
    engine: Engine, activations: Activations, stage: int, targets: Sequence[int]
) -> StageMaps:
    """Maps of a stage for one class (its place among the logits) of each image.

    Where the stage is pooled into a linear head, this is the class activation map and takes no run
    of the network; elsewhere Grad-CAM, from one run back through the stages after it. See
    attribution.cam for both formulas. Raises ValueError for a stage that there is not.
    """
    require_stage(activations, stage)
    activation = activations.stages[stage]  # (B, C, h, w)
    if engine.head is not None and stage == max(activations.stages):
        weight = engine.head.weight[list(targets)]  # (B, C)
        return StageMaps(
            class_activation_map(activation, weight), channel_contributions(activation, weight)
        )
    gradient = engine.gradient(activation, stage, targets)  # (B, C, h, w)
    return StageMaps(
        grad_cam(activation, gradient), gradient_times_activation(activation, gradient)
    )


def gradient_map(
    engine: Engine, activations: Activations, stage: int, targets: Sequence[int]
) -> StageMaps:
    """Σ_k ∂z_c/∂A_k(i, j) · A_k(i, j) of a stage for one class of each image.

    Gradient × activation (Shrikumar et al. 2016, arXiv 1605.01713), cell by cell: a first-order
    account of what the logit owes to a place. Raises ValueError for a stage that there is not.
    """
    require_stage(activations, stage)
    activation = activations.stages[stage]  # (B, C, h, w)
    products = engine.gradient(activation, stage, targets) * activation  # (B, C, h, w)
    return StageMaps(products.sum(axis=1), products.sum(axis=(2, 3)))


def require_stage(activations: Activations, stage: int) -> None:
    """Raises ValueError for a stage that there is not."""
    if stage not in activations.stages:
        last = max(activations.stages)
        raise ValueError(f"There is no stage {stage}. Stages are numbered 1 to {last}.")
