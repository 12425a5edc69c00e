"""Where a method does not do on a network what its paper says."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from effnet_viz.attribution.methods import Method

if TYPE_CHECKING:
    from effnet_viz.engines.network import Network

RECTIFIERS = frozenset({"ReLU", "ReLU6"})
"""What can be guided; one with a ceiling is taken apart (captum_methods)."""
_WITH_A_RULE = RECTIFIERS | {"ELU", "LeakyReLU", "Sigmoid", "Tanh", "Softplus"}
"""Activations for which captum's DeepLIFT has a rule."""
_BENT = frozenset({"SiLU", "GELU", "Hardswish", "Mish", "Swish", "Hardsigmoid", "Sigmoid"})
"""Activations that are not piecewise linear, or can be negative."""
_GUIDED = frozenset({"guided-backprop", "deconvolution", "guided-grad-cam"})


def activation_types(network: Network) -> frozenset[str]:
    """The kinds of activation functions in a network, by the names of their modules."""
    known = _WITH_A_RULE | _BENT
    found = {type(module).__name__ for module in network.modules()}
    return frozenset(found & known)


def doubts(method: Method, activations: Collection[str]) -> tuple[str, ...]:
    """What to know before one believes the method's map of a network with these activations.

    One sentence for each; none is no proof that it is right.
    """
    kinds = set(activations)
    found = []
    if method.key in _GUIDED and not kinds & RECTIFIERS:
        found.append(
            f"This network has {_listed(kinds)} and no ReLU: there is nothing to guide, and the "
            "map is a plain gradient."
        )
    if method.key == "deep-lift" and kinds - _WITH_A_RULE:
        found.append(
            f"captum has no rule of DeepLIFT for {_listed(kinds - _WITH_A_RULE)}: there it hands "
            "back the plain gradient, and the parts need not add up."
        )
    if method.key == "shapley-cam" and not kinds & _BENT:
        found.append(
            f"With {_listed(kinds)} the network has no curvature, so this is Grad-CAM in another "
            "unit."
        )
    if method.key == "xgrad-cam" and kinds & _BENT:
        found.append(
            "Channels of this network can be negative: where their values nearly cancel out, the "
            "weights are arbitrary."
        )
    if method.key in ("eigen-cam", "eigen-grad-cam", "kpca-cam"):
        found.append("The sign is free: for and against can be swapped.")
    return tuple(found)


def _listed(kinds: Collection[str]) -> str:
    return " and ".join(sorted(kinds)) or "none that is known"
