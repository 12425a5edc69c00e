"""The table of models agrees with the paper and with what the libraries build."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from timm.models import get_pretrained_cfg, list_pretrained
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import get_model_builder, get_weight
from torchvision.ops.misc import Conv2dNormActivation

from effnet_viz import build, load
from effnet_viz.models import (
    architectures,
    checkpoints,
    structures,
    torchvision_table,
    variants,
    weights,
    zoo,
)
from effnet_viz.models.classes import imagenet
from effnet_viz.models.published import OTHER_FIGURES, Family
from effnet_viz.models.timm_table import ROWS
from tests.choices import ARCHITECTURES, one_of_many

# Tan & Le 2019, Table 2, and the multipliers of the released code.
PAPER = {
    "b0": (1.0, 1.0, 5.3e6), "b1": (1.0, 1.1, 7.8e6), "b2": (1.1, 1.2, 9.2e6),
    "b3": (1.2, 1.4, 12e6), "b4": (1.4, 1.8, 19e6), "b5": (1.6, 2.2, 30e6),
    "b6": (1.8, 2.6, 43e6), "b7": (2.0, 3.1, 66e6),
}  # fmt: skip


TIMM = [row.key for row in ROWS]


def test_the_paper_s_families_come_first() -> None:
    first = ["lite0", "lite1", "lite2", "b0", "b1", "b1-v2", *(f"b{n}" for n in range(2, 8))]
    assert list(zoo.MODELS)[: len(first)] == first
    assert first[0] == zoo.DEFAULT
    families = [entry.family for entry in zoo.MODELS.values()]
    assert families == sorted(families, key=list(Family).index)
    assert set(families) == set(Family)
    assert len(zoo.MODELS) == 96


def test_titles_and_keys_are_of_one_model_each() -> None:
    assert len({entry.title for entry in zoo.MODELS.values()}) == len(zoo.MODELS)
    for key in zoo.MODELS:
        matched = variants._VARIANT.fullmatch(key)
        assert matched is not None
        assert matched[1] == key  # no key reads as a variant of another one
        assert len(key) <= 20


def test_timm_is_not_imported_for_a_list() -> None:
    code = "import sys, effnet_viz.models.zoo; sys.exit('timm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("key", TIMM)
def test_the_table_is_timm_s_own_configuration(key: str) -> None:
    row = next(row for row in ROWS if row.key == key)
    entry, config = variants.find(key), get_pretrained_cfg(row.name)
    assert config is not None
    sizes = {config.input_size[-1]: config.crop_pct}
    if config.test_input_size is not None:
        sizes[config.test_input_size[-1]] = config.test_crop_pct or config.crop_pct
    assert sizes[entry.resolution] == row.crop
    if key not in ("timm-b2", "timm-b3"):
        assert entry.resolution == max(sizes)
    assert entry.preprocessing.resize == math.floor(entry.resolution / row.crop)
    assert entry.preprocessing.interpolation == config.interpolation
    assert (entry.preprocessing.mean, entry.preprocessing.std) == (config.mean, config.std)
    assert config.crop_mode == "center"
    assert config.num_classes == 1000
    assert config.license == "apache-2.0"  # as docs/licences.md says
    if isinstance(entry.weights, weights.RemoteFile):
        assert entry.weights.url == config.url
    else:
        assert not config.url
        assert entry.weights.published_as == config.hf_hub_id


def test_nothing_that_fits_here_is_left_out() -> None:
    """Every EfficientNet of timm with ImageNet's classes, but what the table gives reasons for.

    A new version of timm with more of them fails here.
    """
    listed = {row.name for row in ROWS} | {f"tf_efficientnet_lite{n}.in1k" for n in range(3)}
    left_out = []
    for name in list_pretrained("*efficientnet*"):
        config = get_pretrained_cfg(name)
        if name in listed or config.num_classes != 1000 or config.crop_mode == "squash":
            continue
        left_out.append(name)
    assert {name.partition(".")[0] for name in left_out} == {
        "gc_efficientnetv2_rw_t",
        "test_efficientnet", "test_efficientnet_evos", "test_efficientnet_gn",
        "test_efficientnet_ln",
        "tf_efficientnet_cc_b0_4e", "tf_efficientnet_cc_b0_8e", "tf_efficientnet_cc_b1_8e",
        "tf_efficientnet_l2",
    }  # fmt: skip


@pytest.mark.parametrize(
    "key",
    one_of_many(
        [key for key in ARCHITECTURES if key in TIMM],
        ["es", "v2-b0", "mobilenetv1-100", "mobilenetv2-050"],
    ),
)
def test_sizes_in_the_table_are_counted(key: str) -> None:
    entry, row = variants.find(key), next(row for row in ROWS if row.key == key)
    with torch.device("meta"):
        state = architectures.module_of(entry, None).state_dict()
    size = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    assert row.megabytes == pytest.approx(size / 1024**2, abs=0.051)
    assert counted(entry) == (row.parameters, row.multiply_adds)


def test_rows_of_one_architecture_agree() -> None:
    """Parameters and size of the file are the same, multiply-adds at one resolution, too."""
    for row in ROWS:
        for other in ROWS:
            if row.name.partition(".")[0] == other.name.partition(".")[0]:
                assert row.parameters == other.parameters
                assert row.megabytes == other.megabytes
                if row.resolution == other.resolution:
                    assert row.multiply_adds == other.multiply_adds


def test_b2a_and_b3a_are_the_weights_of_b2_and_b3_at_a_larger_size() -> None:
    for number, side in ((2, 288), (3, 320)):
        small, large = variants.find(f"timm-b{number}"), variants.find(f"timm-b{number}a")
        assert small.weights == large.weights
        assert small.recipe == large.recipe
        assert (large.preprocessing.resize, large.resolution) == (side, side)
        assert small.published is not None
        assert large.published is not None
        assert math.isnan(small.published.top1)
        assert large.published.top1 > 80


def test_what_documents_say_otherwise_is_of_entries_here() -> None:
    for other in OTHER_FIGURES:
        published = zoo.MODELS[other.key].published
        assert published is not None
        same_size = other.resolution == zoo.MODELS[other.key].resolution
        assert not same_size or abs(other.top1 - published.top1) < 0.4


@pytest.mark.parametrize("key", ["lite0", "lite3", "timm-lite0", "es", "em", "tf-el"])
def test_lite_and_edge_have_no_squeeze_and_excitation(key: str) -> None:
    """Whatever timm's older page says; B0 has it."""
    found = structures.structure_of(variants.find(key))
    assert not any(stage.has_global_context for stage in found.stages.values())
    b0 = structures.structure_of(variants.find("timm-b0"))
    assert any(stage.has_global_context for stage in b0.stages.values())


def test_resnet_scaled_by_one_dimension_costs_about_the_same() -> None:
    found = variants.scaled_resnets()
    assert [entry.key for entry in found.values()] == [
        "resnet50", "resnet152", "wide-resnet50-2", "resnet50-r374",
    ]  # fmt: skip
    assert {entry.recipe for entry in found.values()} == {"torchvision IMAGENET1K_V1"}
    costs = [structures.structure_of(entry).multiply_adds for entry in found.values()]
    assert costs == pytest.approx([4.09e9, 11.5e9, 11.4e9, 11.8e9], rel=0.005)
    finer = found["resolution"]
    assert finer.weights == found["baseline"].weights
    assert finer.native_resolution == 224
    assert finer.card.width is None


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


@pytest.mark.parametrize("row", torchvision_table.ROWS, ids=lambda row: f"{row.name}-{row.weights}")
def test_what_is_recorded_of_torchvision_is_what_torchvision_says(
    row: torchvision_table.Row,
) -> None:
    weight = get_weight(f"{row.name}_Weights.{row.weights}")
    transforms, metrics = weight.transforms(), weight.meta["_metrics"]["ImageNet-1K"]
    mean, std = row.normalisation
    assert f"{torchvision_table.FILES}/{row.file}" == weight.url
    assert row.megabytes == weight.meta["_file_size"]
    assert [row.resize] == transforms.resize_size
    assert [row.resolution] == transforms.crop_size
    assert row.interpolation == transforms.interpolation.value
    assert (list(mean), list(std)) == (transforms.mean, transforms.std)
    assert row.parameters == weight.meta["num_params"]
    assert row.giga_multiply_adds == weight.meta["_ops"]
    assert (row.top1, row.top5) == (metrics["acc@1"], metrics["acc@5"])
    assert weight.meta["categories"] == list(imagenet())


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
        ("b0-r451", "Choose 450 or 452"),
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
        ("resnet50-w2", "Choose b0 or lite0"),
        ("resnet50-r1344", "3.9 times the multiply-adds of B7"),
        ("tf-b8-ap-r704", "times the multiply-adds of B7"),
    ],
)
def test_a_variant_that_cannot_be_had_says_what_can(key: str, reason: str) -> None:
    with pytest.raises(zoo.UnknownModelError) as caught:
        variants.find(key)
    assert reason in str(caught.value)


def test_the_paper_s_networks_are_within_the_limits() -> None:
    for entry in zoo.MODELS.values():
        assert entry.resolution % variants.RESOLUTION_STEP == 0
        if entry.family in (Family.LITE, Family.B):
            assert entry.width is not None
            assert entry.depth is not None
            variants.check_limits(entry.width, entry.depth, entry.resolution)
            variants._check_cost(entry, entry.resolution)
    with pytest.raises(variants.VariantError):
        variants.variant("b0", resolution=231)
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


@pytest.mark.usefixtures("on_torch_alone")
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
