"""The table of models agrees with the paper and with what the libraries build."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import get_model_builder, get_weight
from torchvision.ops.misc import Conv2dNormActivation

from effnet_viz import build, load
from effnet_viz.models import architectures, checkpoints, variants, weights, zoo
from effnet_viz.models.classes import imagenet
from tests.choices import one_of_many

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
        variants.find("b9")
    assert "'b9'" in str(caught.value)
    assert all(key in str(caught.value) for key in zoo.MODELS)
    with pytest.raises(zoo.UnknownModelError):
        load("b9")


def test_duplicate_key_raises() -> None:
    entry = variants.find("b0")
    twin = dataclasses.replace(entry, title="Another B0")
    with pytest.raises(ValueError, match="'b0'"):
        zoo.index((entry, twin))


@pytest.mark.parametrize("key", PAPER)
def test_multipliers_and_parameters_are_those_of_the_paper(key: str) -> None:
    width, depth, parameters = PAPER[key]
    entry = variants.find(key)
    assert (entry.width, entry.depth) == (width, depth)
    assert entry.published is not None
    assert entry.published.parameters == pytest.approx(parameters, rel=0.03)


@pytest.mark.parametrize("key", [key for key in zoo.MODELS if key.startswith("b")])
def test_preprocessing_is_the_one_of_the_weights(key: str) -> None:
    number, recipe = key[1], "V2" if key.endswith("v2") else "V1"
    weight = get_weight(f"EfficientNet_B{number}_Weights.IMAGENET1K_{recipe}")
    transforms = weight.transforms()
    entry = variants.find(key)
    assert [entry.preprocessing.resize] == transforms.resize_size
    assert [entry.resolution] == transforms.crop_size
    assert entry.preprocessing.interpolation == transforms.interpolation.value
    assert list(entry.preprocessing.mean) == transforms.mean
    assert entry.weights.filename == weight.url.rsplit("/", 1)[1]


def test_recipes_are_told_apart() -> None:
    assert variants.find("b1").recipe == variants.find("b0").recipe
    assert variants.find("b1-v2").recipe != variants.find("b1").recipe
    assert variants.find("b1-v2").weights.filename != variants.find("b1").weights.filename


@pytest.mark.parametrize(
    "key", one_of_many(["b0", "b2", "b7", "lite0", "lite1", "lite2"], ["b2", "lite0"])
)
def test_parameters_and_multiply_adds_recomputed(key: str) -> None:
    """Count both on the built network: every convolution and the linear head, nothing else."""
    entry = variants.find(key)
    assert entry.published is not None
    with torch.device("meta"):
        built = architectures.build(entry, None)
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
        built = architectures.build(variants.find("b0"), None)
    outputs = built.forward_intermediates(torch.zeros(1, 3, 224, 224, device="meta"))
    channels = [output.shape[1] for output in outputs]
    assert channels == [32, 16, 24, 40, 80, 112, 192, 320, 1280]
    assert [output.shape[-1] for output in outputs] == [112, 112, 56, 28, 14, 14, 7, 7, 7]
    layers = [len(list(stage.children())) for stage in list(built.stages)[1:-1]]
    assert layers == [1, 2, 2, 3, 3, 4, 1]
    assert isinstance(built.stages[0], Conv2dNormActivation)


def test_labels_are_imagenets() -> None:
    names = imagenet()
    assert len(names) == len(set(names)) == 1000
    assert names[285] == "Egyptian cat"
    assert names[967] == "espresso"
    for number in range(8):
        weight = get_weight(f"EfficientNet_B{number}_Weights.IMAGENET1K_V1")
        assert tuple(weight.meta["categories"]) == tuple(names)
        assert get_model_builder(f"efficientnet_b{number}") is not None


# Variants


@pytest.mark.parametrize(
    ("base", "scale", "key"),
    [
        ("b0", {"resolution": 448}, "b0-r448"),
        ("lite0", {"resolution": 448}, "lite0-r448"),
        ("b1-v2", {"resolution": 288}, "b1-v2-r288"),
        ("b3", {"resolution": 292}, "b3-r292"),
        ("b0", {"depth": 4}, "b0-d4"),
        ("lite0", {"width": 2.0}, "lite0-w2"),
        ("b0", {"width": 1.4, "depth": 1.2, "resolution": 288}, "b0-w1.4-d1.2-r288"),
        ("b0", {"depth": 1.2**1.5}, "b0-d1.31"),
    ],
)
def test_a_variant_is_found_by_its_key(base: str, scale: dict[str, float], key: str) -> None:
    entry = variants.variant(base, **scale)  # type: ignore[arg-type]
    assert entry.key == key
    assert variants.find(key) == entry
    assert key not in zoo.MODELS
    assert entry.published is None
    assert entry.base == base
    for name, value in scale.items():
        assert getattr(entry, name) == pytest.approx(value, abs=0.005)


def test_resolution_keeps_the_weights_and_the_ratio_of_the_crop() -> None:
    base, larger = variants.find("b0"), variants.find("b0-r448")
    assert larger.weights == base.weights
    assert larger.recipe == base.recipe
    assert (larger.preprocessing.resize, larger.preprocessing.resolution) == (512, 448)
    assert larger.preprocessing.mean == base.preprocessing.mean
    assert larger.native_resolution == base.native_resolution == base.resolution == 224
    assert variants.variant("b0", width=1, depth=1, resolution=224) is base
    assert (
        variants.variant("b3", width=1.2, depth=1.4, resolution=320).weights
        == variants.find("b3").weights
    )


def test_width_and_depth_take_a_checkpoint_of_the_users_whatever_the_resolution() -> None:
    expected = weights.UserCheckpoint("efficientnet_b0-w2")
    assert variants.find("b0-w2").weights == variants.find("b0-w2-r320").weights == expected
    assert variants.find("b0-w2").recipe != variants.find("b0").recipe
    assert variants.find("b0-w2").native_resolution is None
    assert expected.filenames == ("efficientnet_b0-w2.safetensors", "efficientnet_b0-w2.pth")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("b9-r448", "b0-r448, b0-d4"),  # examples of what there is
        ("b0-r448-d4", "such as"),
        ("b0-d4.0", "It is written b0-d4."),
        ("b0-r224", "It is written b0."),
        ("b0-d1.234", "It is written b0-d1.23."),
        ("b0-r0448", "It is written b0-r448."),
        ("b0-r450", "Choose 448 or 452"),
        ("b0-r32", "from 64 to 1344"),
        ("b0-r4096", "from 64 to 1344"),
        ("b0-r" + "9" * 5000, "such as"),
        ("b0-w5", "from 0.25 to 4"),
        ("b0-w0", "from 0.25 to 4"),
        ("b0-d7", "from 0.25 to 6"),
        ("b0-w4", "times the parameters of B7"),
        ("b0-w2-r1344", "times the multiply-adds of B7"),
        ("b0-d6-r672", "times the activations of B7"),
        ("b7-r672", "times the multiply-adds of B7"),
        ("b3-d2", "Choose b0 or lite0"),
    ],
)
def test_a_variant_that_cannot_be_had_says_what_can(key: str, reason: str) -> None:
    with pytest.raises(zoo.UnknownModelError) as caught:
        variants.find(key)
    assert reason in str(caught.value)


def test_every_entry_of_the_table_is_within_the_limits() -> None:
    for entry in zoo.MODELS.values():
        variants.check_limits(entry.width, entry.depth, entry.resolution)
    with pytest.raises(variants.VariantError):
        variants.variant("b0", resolution=230)
    with pytest.raises(zoo.UnknownModelError):
        variants.variant("b0-r448", depth=4)


def counted(entry: zoo.ModelEntry) -> tuple[int, float]:
    """Parameters and multiply-adds, the latter by torch's own counter of operations."""
    with torch.device("meta"):
        built = architectures.build(entry, None)
        with FlopCounterMode(display=False) as counter:
            built(torch.empty(1, 3, entry.resolution, entry.resolution))
    return sum(p.numel() for p in built.parameters()), counter.get_total_flops() / 2


@pytest.mark.parametrize(
    ("key", "parameters", "multiply_adds"),
    [
        # Table 7 of Tan & Le 2019 says 0.4, 1.8, 1.8, 1.9 and 1.8 billion multiply-adds.
        ("b0", 5.29e6, 0.386e9),
        ("b0-d4", 20.09e6, 1.575e9),
        ("b0-w2", 18.12e6, 1.450e9),
        ("b0-r448", 5.29e6, 1.538e9),
        ("b3-r292", 12.23e6, 1.800e9),
    ],
)
def test_the_networks_of_table_7(key: str, parameters: float, multiply_adds: float) -> None:
    found_parameters, found_multiply_adds = counted(variants.find(key))
    assert found_parameters == pytest.approx(parameters, abs=0.005e6)
    assert found_multiply_adds == pytest.approx(multiply_adds, rel=0.01)


def test_table_7_in_the_order_of_figure_7() -> None:
    assert [e.key for e in variants.table_7("b0")] == ["b0", "b0-d4", "b0-w2", "b0-r448", "b3"]
    lite = [e.key for e in variants.table_7("lite0")]
    assert lite == ["lite0", "lite0-d4", "lite0-w2", "lite0-r448", "lite2"]


def test_multipliers_of_a_published_network_build_it() -> None:
    """B3 and Lite2 scaled from their baselines have the tensors of the published networks."""
    for base, published in (("b0", "b3"), ("b0", "b6"), ("lite0", "lite2"), ("lite0", "lite1")):
        entry = variants.find(published)
        with torch.device("meta"):
            theirs = architectures.build(entry, None).state_dict()
            scaled = variants.variant(base, width=entry.width, depth=entry.depth, resolution=320)
            ours = architectures.build(scaled, None).state_dict()
        assert [(n, t.shape) for n, t in ours.items()] == [(n, t.shape) for n, t in theirs.items()]


def test_scaled_lite_computes_what_the_published_lite_computes() -> None:
    """Padding and the batch norms' epsilon are those of the registered builder, too."""
    entry = variants.find("lite1")
    state, _ = checkpoints.load_state_dict(entry)
    published = architectures.build(entry, state)
    scaled = architectures.build(variants.find("lite0-d1.1"), None)
    scaled.load_state_dict(published.state_dict())
    x = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))  # (1, 3, R, R)
    with torch.no_grad():
        assert torch.equal(scaled(x), published(x))


def test_lite_never_scales_its_stem_and_head() -> None:
    with torch.device("meta"):
        built = architectures.build(variants.find("lite0-w2-d3"), None)
        outputs = built.forward_intermediates(torch.empty(1, 3, 224, 224))
    assert [output.shape[1] for output in outputs] == [32, 32, 48, 80, 160, 224, 384, 640, 1280]
    layers = [len(list(stage.children())) for stage in list(built.stages)[1:-1]]
    assert layers == [1, 6, 6, 9, 9, 12, 1]


def test_build_and_load_at_another_scale() -> None:
    narrow = build(width=0.25, depth=0.25, resolution=64)
    assert narrow.card == variants.find("b0-w0.25-d0.25-r64").card
    assert not narrow.trained
    assert "untrained" in narrow.weights_name
    logits = narrow.engine.forward(np.zeros((1, 3, 64, 64), np.float32)).logits
    assert logits.shape == (1, 1000)

    small = load("lite0", resolution=96)
    assert small.card == variants.find("lite0-r96").card
    assert small.trained
    assert small.weights_name == variants.find("lite0").weights.filename
    with pytest.raises(variants.VariantError):
        load("lite0", resolution=97)
