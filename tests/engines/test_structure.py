"""What the walk says of a network is what autograd and PyTorch's own counter find in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from effnet_viz.arrays import Placement
from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.network import Network
from effnet_viz.engines.summarize import summarize
from effnet_viz.images.decode import decode
from effnet_viz.models import architectures, scaling, structures, variants
from tests.choices import ARCHITECTURES, one_of_many
from tests.conftest import SAMPLES, eager
from tests.engines.networks import TIMM, TORCHVISION, branching, make


@cache
def built(key: str) -> Network:
    with torch.device("meta"):
        return architectures.build(variants.find(key), None)


def averaging(made: Network) -> Network:
    """The network as its convolutions and pools alone, every weight positive.

    Nothing can cancel or saturate, and what remains is where each of them looks.
    """
    others = (
        *(nn.BatchNorm2d, nn.SiLU, nn.ReLU, nn.ReLU6, nn.Hardswish),
        *(torchvision.ops.SqueezeExcitation, timm.layers.SqueezeExcite),
    )
    for module in list(made.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, others):
                setattr(module, name, nn.Identity())
            elif isinstance(child, nn.MaxPool2d):
                pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding)
                setattr(module, name, pool)
            elif isinstance(child, nn.Conv2d):
                nn.init.constant_(child.weight, 1 / child.weight[0].numel())
    return made.double()


def extent(gradient: torch.Tensor) -> tuple[int, ...]:
    """Left, top, right, bottom of what is not zero in a gradient (1, 3, R, R)."""
    rows, columns = gradient[0].sum(0).nonzero(as_tuple=True)  # (n,) each
    ends = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return tuple(int(end) for end in ends)


def entry(key: str) -> Network:
    return architectures.build(variants.find(key), None)


@pytest.mark.parametrize(
    ("build", "resolution"),
    [
        *((partial(entry, "lite0"), resolution) for resolution in (224, 131)),
        (partial(entry, "b0"), 155),
        *(
            pytest.param(partial(entry, key), resolution, marks=pytest.mark.exhaustive)
            for key, resolution in (("lite0", 201), ("b0", 224))
        ),
        *(
            (lambda library=library, name=name: as_network(make(library, name)), resolution)
            for library, name in (
                ("torchvision", "resnet18"),
                ("torchvision", "resnet50"),
                ("torchvision", "mobilenet_v2"),
                ("torchvision", "mobilenet_v3_small"),
                ("timm", "resnet18"),
                ("timm", "resnet26d"),
            )
            for resolution in (96, 137)
        ),
        (branching, 64),
    ],
)
def test_the_receptive_field_is_the_extent_of_the_gradient(
    build: Callable[[], Network], resolution: int
) -> None:
    stages = summarize(build(), resolution).stages
    made = averaging(build())
    image = torch.ones(1, 3, resolution, resolution).double().requires_grad_()  # (1, 3, R, R)
    outputs = made.forward_intermediates(image)  # n of (1, C, h, w)
    assert len(outputs) == len(stages)
    for stage, output in zip(stages.values(), outputs, strict=True):
        middle, end = stage.side // 2, stage.side - 1
        for row, column in ((middle, middle - 1), (0, end), (2, 0)):
            cell = output[0, :, row, column].sum()  # ()
            (gradient,) = torch.autograd.grad(cell, image, retain_graph=True)  # (1, 3, R, R)
            assert stage.field(row, column) == extent(gradient), (stage.number, row, column)


def linear(*, same: bool) -> Network:
    """Three stages of stride 2, kernels of 3 and 5, padded as torchvision or TensorFlow do."""
    conv = timm.layers.Conv2dSame if same else nn.Conv2d
    stages = [
        nn.Sequential(conv(before, after, kernel, 2, 0 if same else kernel // 2))
        for before, after, kernel in ((3, 4, 3), (4, 4, 5), (4, 4, 3))
    ]
    return Network(stages, nn.AdaptiveAvgPool2d(1), nn.Linear(4, 2)).eval()


@pytest.mark.parametrize(
    ("build", "resolution", "several"),
    [
        *((partial(linear, same=same), side, 3) for same in (False, True) for side in (64, 75)),
        (partial(entry, "lite0"), 224, 5),
        (partial(entry, "lite0"), 260, 5),
        (partial(entry, "b0"), 224, 5),
        (lambda: as_network(make("timm", "resnet26d")), 160, 2),
        (branching, 64, 2),
    ],
)
def test_a_field_lies_around_its_centre(
    build: Callable[[], Network], resolution: int, several: int
) -> None:
    """The centre of the gradient's support, of cells that see no padding, in double precision."""
    stages = summarize(build(), resolution).stages
    made = averaging(build())
    image = torch.ones(1, 3, resolution, resolution).double().requires_grad_()  # (1, 3, R, R)
    found = 0
    for stage, output in zip(stages.values(), made.forward_intermediates(image), strict=True):
        centres = stage.start + stage.effective_stride * np.arange(stage.side)  # (side,)
        half = stage.receptive_side / 2
        inside = [i for i, at in enumerate(centres) if half <= at <= resolution - half]
        for row, column in zip(inside[:2], inside[-2:], strict=True):
            cell = output[0, :, row, column].sum()  # ()
            (gradient,) = torch.autograd.grad(cell, image, retain_graph=True)  # (1, 3, R, R)
            left, top, right, bottom = extent(gradient)
            middle = (left + right) / 2, (top + bottom) / 2
            assert middle == pytest.approx((centres[column], centres[row])), stage.number
        found += bool(inside)
    assert found >= several


@pytest.mark.parametrize("key", one_of_many(["lite0", "lite1"], ["lite0"]))
def test_trained_cells_look_at_their_places(key: str) -> None:
    """The centre of mass of the squared gradient of cells in the middle, on the cat.

    The window follows the centre, so that it begins at no guess but half a stride off any of them.
    """
    model = eager(key)
    resolution = model.card.resolution
    image = torch.from_numpy(model.preprocessing(decode(SAMPLES / "cat.jpg"))[0]).requires_grad_()
    outputs = model.module().forward_intermediates(image)  # 9 of (1, C, h, w)
    generator = torch.Generator().manual_seed(0)
    pixels = np.arange(resolution) + 0.5
    for number in (5, 6, 7, 9):
        stage, output = model.structure.stages[number], outputs[number - 1]
        stride, middle = stage.effective_stride, stage.side // 2
        off: list[float] = []  # in cells
        for index in [*np.ndindex(2, 2)] * 3:
            row, column = (middle - i for i in index)
            weights = torch.randn(stage.channels, generator=generator)  # (C,)
            seen = (output[0, :, row, column] * weights).sum()  # ()
            (gradient,) = torch.autograd.grad(seen, image, retain_graph=True)  # (1, 3, R, R)
            power = (gradient[0] ** 2).sum(0).numpy()  # (R, R)
            for axis, cell in ((0, column), (1, row)):
                along, at = power.sum(axis), (cell + 0.5) * stride
                for _ in range(20):
                    near = along * (np.abs(pixels - at) < 1.25 * stride)
                    at = float(near @ pixels / near.sum())
                off.append(at / stride - stage.placement.start * resolution / stride - cell)
        found = float(np.median(off))
        of_field = stage.start / stride - stage.placement.start * resolution / stride
        assert abs(found) < min(1 / 3, abs(found - of_field)), number


def test_cells_lie_a_stride_apart_in_the_middle() -> None:
    """Lite2 at 260 pixels has 9 cells of 32: from 2 to 258. B0 at 224 has 7 that tile it."""
    lite2, b0 = (structures.structure_of(variants.find(key)).stages[9] for key in ("lite2", "b0"))
    np.testing.assert_allclose(260 * lite2.placement.centres(9), np.arange(2, 259, 32))
    assert b0.placement == Placement.even(7)


def test_cells_without_a_place_are_taken_to_tile_the_image() -> None:
    stages = [nn.Conv2d(3, 4, 3, 2, 1), Transposed()]
    made = Network(stages, nn.AdaptiveAvgPool2d(1), nn.Linear(4, 2)).eval()
    known, unknown = summarize(made, 33).stages.values()
    assert known.placement == Placement(0.5 / 33, 2 / 33)
    assert unknown.placement == Placement.even(17)


def test_branches_by_hand() -> None:
    """Stage 1 joins a convolution of 3 (stride 2, padding 1), then one of 3 with dilation 2, with
    means of 2 pixels: cell 0 sees from -1 - 2·2 to 2 + 2·2; the means 0 to 2 lie inside.

    Stage 2 pools 3 cells, then adds a convolution of 5: 1 + 2 cells of stride 4 to both sides.
    """
    one, two = summarize(branching(), 64).stages.values()
    assert (one.effective_stride, one.receptive_side, one.start) == (2, 11, 0.5)
    assert (two.effective_stride, two.receptive_side, two.start) == (4, 11 + 4 + 16, 0.5)
    assert (one.channels, one.side, two.channels, two.side) == (8, 32, 8, 16)
    assert one.multiply_adds == 32 * 32 * (3 * 8 * 9 + 8 * 8 * 9 + 3 * 8 + 16 * 8)
    assert two.multiply_adds == 16 * 16 * 8 * 25 + 8 * 5
    assert two.parameters == 8 * 25 + 8 + 8 * 5 + 5
    assert not one.has_global_context


class Attention(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.flatten(2)  # (B, C, h·w)
        return x + (rows @ (rows.mT @ rows).softmax(-1)).view_as(x)


class Transposed(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.transpose(2, 3)


@pytest.mark.parametrize(("beside", "placed"), [(Attention(), True), (Transposed(), False)])
def test_what_moves_positions_is_not_taken_for_a_convolution(
    beside: nn.Module, placed: bool
) -> None:
    """Beside a path that keeps places it is global context; alone it leaves the whole image."""
    stages = [nn.Conv2d(3, 4, 3, 2, 1), beside]
    made = Network(stages, nn.AdaptiveAvgPool2d(1), nn.Linear(4, 2)).eval()
    before, after = summarize(made, 32).stages.values()
    assert not before.has_global_context
    assert after.has_global_context
    assert (after.side, after.effective_stride) == (16, 2)
    assert before.field(3, 5) == (9, 5, 12, 8)
    assert after.field(3, 5) == ((9, 5, 12, 8) if placed else (0, 0, 32, 32))


def test_kernels_that_are_not_square_are_refused() -> None:
    made = Network([nn.Conv2d(3, 4, (1, 3))], nn.AdaptiveAvgPool2d(1), nn.Linear(4, 2))
    with pytest.raises(ValueError, match=r"\(1, 3\) is not square"):
        summarize(made, 32)


def test_a_stage_without_a_grid_is_refused() -> None:
    made = Network([nn.Flatten(2)], nn.Identity(), nn.Linear(32 * 32, 2))
    with pytest.raises(ValueError, match=r"Stage 1 returns .* not a square grid"):
        summarize(made, 32)


@pytest.mark.parametrize(
    ("library", "name", "rows"),
    [
        ("torchvision", "resnet18", [("Conv 7x7 & max pooling", 1), *[("BasicBlock, k3x3", 2)] * 3,
                                     ("BasicBlock, k3x3 & pooling & FC", 2)]),
        ("torchvision", "resnet50", [("Conv 7x7 & max pooling", 1), ("Bottleneck, k3x3", 3),
                                     ("Bottleneck, k3x3", 4), ("Bottleneck, k3x3", 6),
                                     ("Bottleneck, k3x3 & pooling & FC", 3)]),
        ("timm", "resnet26d", [("Conv 3x3 & max pooling", 3), *[("Bottleneck, k3x3", 2)] * 3,
                               ("Bottleneck, k3x3 & pooling & FC", 2)]),
        ("torchvision", "mobilenet_v2", [("Conv 3x3", 1), ("MBConv1, k3x3", 1),
                                         ("MBConv6, k3x3", 2), ("MBConv6, k3x3", 3),
                                         ("MBConv6, k3x3", 4), ("MBConv6, k3x3", 3),
                                         ("MBConv6, k3x3", 3), ("MBConv6, k3x3", 1),
                                         ("Conv 1x1 & pooling & FC", 1)]),
    ],
)  # fmt: skip
def test_operators_and_layers(library: str, name: str, rows: list[tuple[str, int]]) -> None:
    """He et al. 2016, Table 1; Sandler et al. 2018, Table 2."""
    stages = summarize(as_network(make(library, name)), 224).stages.values()
    assert [(stage.operator, stage.layers) for stage in stages] == rows


@pytest.mark.parametrize("resolution", [96, 75])
@pytest.mark.parametrize(
    ("library", "name"),
    [("torchvision", name) for name in TORCHVISION] + [("timm", name) for name in TIMM],
)
def test_shapes_and_multiply_adds_of_every_family(library: str, name: str, resolution: int) -> None:
    """As the module really runs; PyTorch's counter counts two operations for a multiply-add."""
    made = as_network(make(library, name))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        outputs = made.forward_intermediates(torch.zeros(1, 3, resolution, resolution))
        made.tail(outputs[-1], len(outputs))
    found = summarize(made, resolution)
    assert [s.side for s in found.stages.values()] == [x.shape[-1] for x in outputs]
    assert [s.channels for s in found.stages.values()] == [x.shape[1] for x in outputs]
    assert 2 * found.multiply_adds == counter.get_total_flops()
    assert found.parameters == sum(p.numel() for p in made.parameters())


def test_centres_by_hand() -> None:
    """Lite0's stem pads 224 pixels by none before and one after: cell 0 sees pixels 0 to 2.

    225 pixels get one on both sides, as torchvision pads every size: cell 0 sees -1 to 1.
    """
    lite0 = built("lite0")
    assert summarize(lite0, 224).stages[1].start == 1.5
    assert summarize(lite0, 225).stages[1].start == 0.5
    assert summarize(built("b0"), 224).stages[1].start == 0.5
    stage = summarize(lite0, 224).stages[1]
    assert (stage.receptive_side, stage.effective_stride) == (3, 2)
    assert stage.field(0, 0) == (0, 0, 3, 3)
    assert stage.field(2, 5) == (10, 4, 13, 7)
    assert stage.field(111, 111) == (222, 222, 224, 224)


def test_a_cell_outside_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="cells 0 to 6"):
        structures.structure_of(variants.find("b0")).stages[9].field(0, 7)


def test_squeeze_and_excitation_sees_all() -> None:
    """B0 has it in every block, so from stage 2 on; Lite has none."""
    assert [
        s.has_global_context for s in structures.structure_of(variants.find("b0")).stages.values()
    ] == [False] + [True] * 8
    assert not any(
        s.has_global_context
        for s in structures.structure_of(variants.find("lite2")).stages.values()
    )


def test_b0_is_table_1() -> None:
    """Operator, input resolution, channels and layers, Tan & Le 2019, Table 1."""
    rows = [
        (s.operator, s.input_side, s.channels, s.layers)
        for s in structures.structure_of(variants.find("b0")).stages.values()
    ]
    assert rows == [
        ("Conv 3x3", 224, 32, 1),
        ("MBConv1, k3x3", 112, 16, 1),
        ("MBConv6, k3x3", 112, 24, 2),
        ("MBConv6, k5x5", 56, 40, 2),
        ("MBConv6, k3x3", 28, 80, 3),
        ("MBConv6, k5x5", 14, 112, 3),
        ("MBConv6, k5x5", 14, 192, 4),
        ("MBConv6, k3x3", 7, 320, 1),
        ("Conv 1x1 & pooling & FC", 7, 1280, 1),
    ]


@pytest.mark.parametrize(
    "key", one_of_many(ARCHITECTURES, ["lite0", "b0", "b4", "es", "v2-b0", "resnet50"])
)
def test_stages_add_up_to_the_network(key: str) -> None:
    """Parameters as PyTorch holds them; multiply-adds are half of what its counter counts."""
    entry, found = variants.find(key), structures.structure_of(variants.find(key))
    made = built(key)
    counter = FlopCounterMode(display=False)
    with counter:
        outputs = made.forward_intermediates(
            torch.zeros(1, 3, found.resolution, found.resolution, device="meta")
        )
        made.tail(outputs[-1], found.last)
    assert [s.side for s in found.stages.values()] == [x.shape[-1] for x in outputs]
    assert [s.channels for s in found.stages.values()] == [x.shape[1] for x in outputs]
    assert 2 * found.multiply_adds == counter.get_total_flops()
    assert found.parameters == sum(p.numel() for p in made.parameters())
    if entry.library == "torchvision":
        assert found.parameters == entry.published.parameters
        assert found.multiply_adds == pytest.approx(entry.published.multiply_adds, abs=0.5e6)


def test_the_structure_is_walked_once() -> None:
    assert structures.structure_of(variants.find("b0")) is structures.structure_of(
        variants.find("b0")
    )


def test_networks_are_built_while_another_thread_converts_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PyTorch's export holds global state that others' calls must not reach (KeyError 'custom')."""

    def fail(_: object) -> None:
        raise KeyError("custom")

    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    monkeypatch.setattr(torch.fx.traceback, "annotate", fail)
    with pytest.raises(KeyError):
        torch.manual_seed(0)  # so the test would see it
    for key in ("b0", "lite0"):
        architectures.build(variants.find(key), None)
        module = architectures._without_values.__wrapped__(variants.find(key))
        summarize(as_network(module), 224)
    scaling.built.__wrapped__(1.1, 1.2, 224)
