"""What the walk says of a network is what autograd and PyTorch's own counter find in it."""

from __future__ import annotations

from functools import cache

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from effnet_viz.engines import network, structure
from effnet_viz.models import architectures, scaling, variants, zoo


@cache
def built(key: str) -> network.Network:
    with torch.device("meta"):
        return architectures.build(variants.find(key), None)


def averaging(key: str) -> network.Network:
    """The network as its convolutions alone, with one channel each and every weight positive.

    Nothing can cancel or saturate, and what remains is where each convolution looks.
    """
    others = (nn.BatchNorm2d, nn.SiLU, nn.ReLU6, torchvision.ops.SqueezeExcitation)
    made = architectures.build(variants.find(key), None)
    for module in list(made.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, others):
                setattr(module, name, nn.Identity())
            elif isinstance(child, nn.Conv2d):
                channels = child.in_channels if child.in_channels == 3 else 1
                weight = torch.ones(1, channels, *child.kernel_size)  # (1, C, k, k)
                child.weight = nn.Parameter(weight / weight.numel())
                child.groups = 1
    return made.double()


def extent(gradient: torch.Tensor) -> tuple[int, ...]:
    """Left, top, right, bottom of what is not zero in a gradient (1, 3, R, R)."""
    rows, columns = gradient[0].sum(0).nonzero(as_tuple=True)  # (n,) each
    ends = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return tuple(int(end) for end in ends)


@pytest.mark.parametrize(
    ("key", "resolution"),
    [("lite0", 224), ("lite0", 201), ("lite0", 131), ("b0", 224), ("b0", 155)],
)
def test_the_receptive_field_is_the_extent_of_the_gradient(key: str, resolution: int) -> None:
    made = averaging(key)
    stages = structure.summarize(made, resolution).stages
    image = torch.ones(1, 3, resolution, resolution).double().requires_grad_()  # (1, 3, R, R)
    outputs = made.forward_intermediates(image)  # nine of (1, 1, h, w)
    for number in network.STAGES:
        stage = stages[number]
        middle, end = stage.side // 2, stage.side - 1
        for row, column in ((middle, middle - 1), (0, end), (1, 0)):
            cell = outputs[number - 1][0, 0, row, column]  # ()
            (gradient,) = torch.autograd.grad(cell, image, retain_graph=True)  # (1, 3, R, R)
            assert stage.field(row, column) == extent(gradient), (number, row, column)


def test_centres_by_hand() -> None:
    """Lite0's stem pads 224 pixels by none before and one after: cell 0 sees pixels 0 to 2.

    225 pixels get one on both sides, as torchvision pads every size: cell 0 sees -1 to 1.
    """
    lite0 = built("lite0")
    assert structure.summarize(lite0, 224).stages[1].start == 1.5
    assert structure.summarize(lite0, 225).stages[1].start == 0.5
    assert structure.summarize(built("b0"), 224).stages[1].start == 0.5
    stage = structure.summarize(lite0, 224).stages[1]
    assert (stage.receptive_side, stage.effective_stride) == (3, 2)
    assert stage.field(0, 0) == (0, 0, 3, 3)
    assert stage.field(2, 5) == (10, 4, 13, 7)
    assert stage.field(111, 111) == (222, 222, 224, 224)


def test_a_cell_outside_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="cells 0 to 6"):
        architectures.structure_of(variants.find("b0")).stages[9].field(0, 7)


def test_squeeze_and_excitation_sees_all() -> None:
    """B0 has it in every block, so from stage 2 on; Lite has none."""
    assert [
        s.has_global_context
        for s in architectures.structure_of(variants.find("b0")).stages.values()
    ] == [False] + [True] * 8
    assert not any(
        s.has_global_context
        for s in architectures.structure_of(variants.find("lite2")).stages.values()
    )


def test_b0_is_table_1() -> None:
    """Operator, input resolution, channels and layers, Tan & Le 2019, Table 1."""
    rows = [
        (s.operator, s.input_side, s.channels, s.layers)
        for s in architectures.structure_of(variants.find("b0")).stages.values()
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


@pytest.mark.parametrize("key", zoo.MODELS)
def test_stages_add_up_to_the_network(key: str) -> None:
    """Parameters as PyTorch holds them; multiply-adds are half of what its counter counts."""
    entry, found = variants.find(key), architectures.structure_of(variants.find(key))
    made = built(key)
    counter = FlopCounterMode(display=False)
    with counter:
        outputs = made.forward_intermediates(
            torch.zeros(1, 3, found.resolution, found.resolution, device="meta")
        )
        made.tail(outputs[-1], 9)
    assert [s.side for s in found.stages.values()] == [x.shape[-1] for x in outputs]
    assert [s.channels for s in found.stages.values()] == [x.shape[1] for x in outputs]
    assert 2 * found.multiply_adds == counter.get_total_flops()
    assert found.parameters == sum(p.numel() for p in made.parameters())
    if entry.library == "torchvision":
        assert found.parameters == entry.published.parameters
        assert found.multiply_adds == pytest.approx(entry.published.multiply_adds, abs=0.5e6)


def test_the_structure_is_walked_once() -> None:
    assert architectures.structure_of(variants.find("b0")) is architectures.structure_of(
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
        architectures.structure_of.__wrapped__(variants.find(key))
    scaling.built.__wrapped__(1.1, 1.2, 224)
