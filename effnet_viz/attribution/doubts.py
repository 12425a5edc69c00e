"""Where a method does not do what its paper says, on one network: what a visitor should know.

Read off the modules that are in the network, not off its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from timm.layers.drop import DropPath
from timm.layers.squeeze_excite import SEModule
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import nn
from torchvision.ops import StochasticDepth
from torchvision.ops.misc import SqueezeExcitation

from effnet_viz.attribution.methods import Method
from effnet_viz.engines.network import Network

RECTIFYING = (nn.ReLU, nn.ReLU6)
_WITH_RESCALE_RULE = (
    *RECTIFYING, nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.MaxPool2d,
)  # fmt: skip
"""What captum's DeepLIFT has a rule for, ReLU6 by way of two ReLUs."""
_STRAIGHT = (
    nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.MaxPool2d,
    nn.Flatten, nn.ZeroPad2d, nn.Identity, nn.Dropout, nn.Dropout2d, StochasticDepth, DropPath,
    nn.Sequential, nn.ModuleList,
)  # fmt: skip
"""What no curve is in, empty containers among it."""
_GATES = (nn.Sigmoid, nn.Hardsigmoid)


def doubts(method: Method, network: Network) -> tuple[str, ...]:
    """Sentences for a visitor, none where the method does what its paper says."""
    match method.key:
        case "deep-lift":
            return _deep_lift(network)
        case "guided-backprop" | "deconvolution" | "guided-grad-cam":
            return _guided(method, network)
        case "lrp":
            return _lrp(network)
        case "shapley-cam":
            return _shapley_cam(network)
    return _ALWAYS.get(method.key, ())


def activations(network: nn.Module, but: Sequence[type[nn.Module]]) -> list[str]:
    """Names of the activations in a network, but for some, which count as exactly those types.

    So libraries tell them: a subclass of a ReLU is none to captum.
    """
    return sorted(
        {
            type(layer).__name__
            for layer in network.modules()
            if next(layer.children(), None) is None
            and not isinstance(layer, _STRAIGHT)
            and type(layer) not in but
        }
    )


def listed(names: Sequence[str]) -> str:
    """One, two and three."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


_FREE_SIGN = (
    "Its sign is free: red and blue could just as well be swapped, so compare places, not signs."
)
_ALWAYS = {
    "eigen-cam": (_FREE_SIGN,),
    "eigen-grad-cam": (_FREE_SIGN,),
    "kpca-cam": (_FREE_SIGN,),
    "grad-cam-elementwise": (
        "What speaks against the class is dropped before anything is added up: that a place is "
        "empty does not say that nothing there speaks against the class.",
    ),
}


def _deep_lift(network: Network) -> tuple[str, ...]:
    found = []
    without = activations(network, but=_WITH_RESCALE_RULE)
    if without:
        found.append(
            f"This network has {listed(without)} activations, for which captum's DeepLIFT has no "
            "rule: there it hands back the plain gradient, and the map no longer adds up to the "
            "difference from a grey picture's score."
        )
    if _multiplies(network):
        found.append(
            "This network multiplies signals with each other (squeeze-and-excitation). DeepLIFT "
            "has no rule for products: each factor gets its plain gradient."
        )
    return tuple(found)


def _guided(method: Method, network: Network) -> tuple[str, ...]:
    others = activations(network, but=RECTIFYING)
    if not _has(network, RECTIFYING):
        rest = (
            "what is left is the plain gradient times Grad-CAM"
            if method.key == "guided-grad-cam"
            else "the map is the plain gradient's"
        )
        return (f"{method.title} changes what ReLUs hand back. This network has none: {rest}.",)
    if others:
        return (
            f"{method.title} changes what ReLUs hand back. This network also has "
            f"{listed(others)} activations, which hand back their plain gradient.",
        )
    return ()


def _lrp(network: Network) -> tuple[str, ...]:
    strange = activations(network, but=RECTIFYING)
    if strange:
        return (
            f"LRP cannot be run on this network: it has no rule for {listed(strange)} "
            "activations, which are not zero or positive as a ReLU's are.",
        )
    if _has_biases(network):
        return (
            "Biases keep their share of the score, and in a network with batch norms that can be "
            "most of it: the map does not add up to the logit.",
        )
    return ()


def _shapley_cam(network: Network) -> tuple[str, ...]:
    if activations(network, but=RECTIFYING) or _multiplies(network):
        return ()
    return (
        "This network is made of straight pieces (its activations are ReLUs), so its score has no "
        "curvature: the map is Grad-CAM's.",
    )


def _has(network: Network, kinds: tuple[type[nn.Module], ...]) -> bool:
    return any(isinstance(layer, kinds) for layer in network.modules())


def _multiplies(network: Network) -> bool:
    """Whether a signal opens and closes another one."""
    return _has(network, (SqueezeExcitation, SqueezeExcite, SEModule, *_GATES))


def _has_biases(network: Network) -> bool:
    return any(getattr(layer, "bias", None) is not None for layer in network.modules())
