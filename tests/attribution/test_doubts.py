"""What visitors are told, by the modules that are in a network."""

from __future__ import annotations

import pytest
from timm.layers.activations import Sigmoid
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import nn

from effnet_viz import Model
from effnet_viz.attribution.doubts import doubts
from effnet_viz.attribution.methods import METHODS
from effnet_viz.engines.network import Network
from tests.conftest import eager


def network(*layers: nn.Module) -> Network:
    stage = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), *layers, nn.Sequential(), nn.Identity())
    return Network([stage], nn.AdaptiveAvgPool2d(1), nn.Linear(8, 2, bias=False))


def said(key: str, *layers: nn.Module) -> str:
    return " ".join(doubts(METHODS[key], network(*layers)))


GUIDED = ["guided-backprop", "deconvolution", "guided-grad-cam"]


@pytest.mark.parametrize("key", [*GUIDED, "deep-lift", "lrp"])
def test_no_doubt_about_relus(key: str) -> None:
    assert said(key, nn.ReLU(), nn.MaxPool2d(2), nn.ReLU6(), nn.Dropout()) == ""


@pytest.mark.parametrize("key", GUIDED)
def test_guided_backprop_needs_relus(key: str) -> None:
    assert "This network has none: " in said(key, nn.SiLU())
    assert "also has Hardswish and SiLU activations" in said(
        key, nn.ReLU(), nn.SiLU(), nn.Hardswish(), nn.SiLU()
    )


def test_deep_lift_needs_rules() -> None:
    assert "has SiLU activations" in said("deep-lift", nn.SiLU())
    assert "multiplies" not in said("deep-lift", nn.SiLU())
    assert "rule for products" in said("deep-lift", SqueezeExcite(8, act_layer=nn.ReLU))
    # captum knows exactly PyTorch's own
    assert "has Sigmoid activations" in said("deep-lift", Sigmoid())
    assert "activations" not in said("deep-lift", nn.Sigmoid(), nn.Tanh())


def test_lrp_refuses_and_loses() -> None:
    assert "cannot be run" in said("lrp", nn.SiLU())
    assert "Biases keep" in said("lrp", nn.BatchNorm2d(8), nn.ReLU())


def test_curvature() -> None:
    assert "no curvature" in said("shapley-cam", nn.ReLU6())
    assert said("shapley-cam", nn.SiLU()) == ""


@pytest.mark.parametrize("key", ["eigen-cam", "eigen-grad-cam", "kpca-cam"])
def test_free_signs(key: str) -> None:
    assert "sign is free" in said(key, nn.SiLU())


def test_dropped_negatives() -> None:
    assert "against the class" in said("grad-cam-elementwise", nn.ReLU())


def test_of_the_networks_of_the_zoo(lite0: Model) -> None:
    about = {key for key, method in METHODS.items() if doubts(method, lite0.module())}
    assert about & {*GUIDED, "deep-lift", "lrp"} == {"lrp"}
    b0 = eager("b0", untrained=True).module()
    doubted = {key for key, method in METHODS.items() if doubts(method, b0)}
    assert doubted >= {*GUIDED, "deep-lift", "lrp"}
    assert doubts(METHODS["saliency"], b0) == ()
    assert len(doubts(METHODS["deep-lift"], b0)) == 2
