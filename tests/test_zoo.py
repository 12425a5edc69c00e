"""The table of models agrees with the paper and with what the libraries build."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torchvision.models import get_model_builder, get_weight
from torchvision.ops.misc import Conv2dNormActivation

from effnet_viz import load, network, zoo

# Tan & Le 2019, Table 2, and the multipliers of the released code.
PAPER = {
    "b0": (1.0, 1.0, 5.3e6), "b1": (1.0, 1.1, 7.8e6), "b2": (1.1, 1.2, 9.2e6),
    "b3": (1.2, 1.4, 12e6), "b4": (1.4, 1.8, 19e6), "b5": (1.6, 2.2, 30e6),
    "b6": (1.8, 2.6, 43e6), "b7": (2.0, 3.1, 66e6),
}  # fmt: skip


def test_the_zoo_has_the_family_and_the_lite_models() -> None:
    expected = {f"b{n}" for n in range(8)} | {"b1-v2"} | {f"lite{n}" for n in range(3)}
    assert set(zoo.MODELS) == expected
    assert zoo.DEFAULT in zoo.MODELS


def test_unknown_key_lists_the_choices() -> None:
    with pytest.raises(zoo.UnknownModelError) as caught:
        zoo.find("b9")
    assert "'b9'" in str(caught.value)
    assert all(key in str(caught.value) for key in zoo.MODELS)
    with pytest.raises(zoo.UnknownModelError):
        load("b9")


def test_duplicate_key_raises() -> None:
    entry = zoo.find("b0")
    twin = dataclasses.replace(entry, title="Another B0")
    with pytest.raises(ValueError, match="'b0'"):
        zoo.index((entry, twin))


@pytest.mark.parametrize("key", PAPER)
def test_multipliers_and_parameters_are_those_of_the_paper(key: str) -> None:
    width, depth, parameters = PAPER[key]
    entry = zoo.find(key)
    assert (entry.width, entry.depth) == (width, depth)
    assert entry.published.parameters == pytest.approx(parameters, rel=0.03)


@pytest.mark.parametrize("key", [key for key in zoo.MODELS if key.startswith("b")])
def test_preprocessing_is_the_one_of_the_weights(key: str) -> None:
    number, recipe = key[1], "V2" if key.endswith("v2") else "V1"
    weight = get_weight(f"EfficientNet_B{number}_Weights.IMAGENET1K_{recipe}")
    transforms = weight.transforms()
    entry = zoo.find(key)
    assert [entry.preprocessing.resize] == transforms.resize_size
    assert [entry.resolution] == transforms.crop_size
    assert entry.preprocessing.interpolation == transforms.interpolation.value
    assert list(entry.preprocessing.mean) == transforms.mean
    assert entry.weights.filename == weight.url.rsplit("/", 1)[1]


def test_recipes_are_told_apart() -> None:
    assert zoo.find("b1").recipe == zoo.find("b0").recipe
    assert zoo.find("b1-v2").recipe != zoo.find("b1").recipe
    assert zoo.find("b1-v2").weights.filename != zoo.find("b1").weights.filename


@pytest.mark.parametrize("key", ["b0", "b2", "b7", "lite0", "lite1", "lite2"])
def test_parameters_and_multiply_adds_recomputed(key: str) -> None:
    """Count both on the built network: every convolution and the linear head, nothing else."""
    entry = zoo.find(key)
    with torch.device("meta"):
        built = network.build(entry, None)
    parameters = sum(p.numel() for p in built.parameters())
    # The README of EfficientNet-Lite rounds to 0.1 M; torchvision's count is exact.
    tolerance = 0.05e6 if entry.library == "timm" else 0
    assert abs(parameters - entry.published.parameters) <= tolerance

    multiply_adds = 0

    def count(module: torch.nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal multiply_adds
        if isinstance(module, torch.nn.Conv2d):
            per_output = module.weight[0].numel()
            multiply_adds += per_output * output.numel()
        elif isinstance(module, torch.nn.Linear):
            multiply_adds += module.weight.numel()

    for module in built.modules():  # a private network, built for this test
        module.register_forward_hook(count)
    built(torch.zeros(1, 3, entry.resolution, entry.resolution, device="meta"))
    assert multiply_adds == pytest.approx(entry.published.multiply_adds, rel=0.06)


def test_b0_is_table_1() -> None:
    """Channels and grids of the nine stages at 224 pixels, Tan & Le 2019, Table 1."""
    with torch.device("meta"):
        built = network.build(zoo.find("b0"), None)
    outputs = built.activations(torch.zeros(1, 3, 224, 224, device="meta"))
    channels = [output.shape[1] for output in outputs]
    assert channels == [32, 16, 24, 40, 80, 112, 192, 320, 1280]
    assert [output.shape[-1] for output in outputs] == [112, 112, 56, 28, 14, 14, 7, 7, 7]
    layers = [len(list(stage.children())) for stage in list(built.stages)[1:-1]]
    assert layers == [1, 2, 2, 3, 3, 4, 1]
    assert isinstance(built.stages[0], Conv2dNormActivation)


def test_labels_are_imagenets() -> None:
    labels = zoo.labels()
    assert len(labels) == len(set(labels)) == 1000
    assert labels[285] == "Egyptian cat"
    assert labels[967] == "espresso"
    for number in range(8):
        weight = get_weight(f"EfficientNet_B{number}_Weights.IMAGENET1K_V1")
        assert tuple(weight.meta["categories"]) == labels
        assert get_model_builder(f"efficientnet_b{number}") is not None
