"""Compound scaling against hand calculations, the paper's figures and torchvision's models."""

from __future__ import annotations

import pytest
import torch
from torchvision.models._utils import _make_divisible
from torchvision.models.efficientnet import MBConvConfig

from effnet_viz.models import published, scaling, structures, variants
from effnet_viz.models.scaling import Rule, Scale


def test_the_rule_by_hand() -> None:
    rule = Rule()
    assert rule.growth == pytest.approx(1.2 * 1.21 * 1.3225)  # 1.92: near 2
    two = rule.scale(2)
    assert (two.depth, two.width) == pytest.approx((1.44, 1.21))
    assert two.resolution == pytest.approx(224 * 1.3225)
    assert Rule(2, 1, 1).growth == 2
    assert Rule(1, 2, 1).growth == Rule(1, 1, 2).growth == 4
    assert rule.scale(0) == Scale(1, 1, 224)


def test_phi_is_the_inverse_of_growth() -> None:
    rule = Rule(2, 1, 1)
    b0 = scaling.baseline().multiply_adds
    assert rule.phi(b0) == 0
    assert rule.phi(8 * b0) == pytest.approx(3)
    with pytest.raises(ValueError, match="nothing grows"):
        Rule(1, 1, 1).phi(b0)


@pytest.mark.parametrize(("asked", "given"), [(224, 224), (239, 224), (240, 256), (1, 32)])
def test_the_usable_resolution_is_a_multiple_of_the_stride(asked: float, given: int) -> None:
    assert Scale(1.1, 1.2, asked).usable() == (1.1, 1.2, given)


@pytest.mark.parametrize("number", range(8))
def test_built_from_published_multipliers_is_torchvisions_model(number: int) -> None:
    member, entry = published.FAMILY[number], variants.find(f"b{number}")
    assert (member.width, member.depth) == (entry.width, entry.depth)
    ours = scaling.built(member.width, member.depth, entry.resolution)
    assert ours == structures.structure_of(entry)


def test_the_papers_figures_are_those_of_its_networks() -> None:
    """Table 2 rounds; a mistyped figure would be further off."""
    for member, made in scaling.family().items():
        given = member.figure
        assert given.parameters == pytest.approx(made.parameters, rel=0.03)
        assert given.multiply_adds == pytest.approx(made.multiply_adds, rel=0.05)
    for scaled in published.TABLE_7:
        scale = Scale(scaled.width, scaled.depth, scaled.resolution * 224)
        made = scaling.built(*scale.usable())
        assert scaled.multiply_adds == pytest.approx(made.multiply_adds, rel=0.25)


def test_rounding_is_torchvisions() -> None:
    width, depth = 1.1**3, 1.2**3
    for stage in scaling.stages(width, depth):
        assert stage.exact_channels == pytest.approx(stage.baseline_channels * width)
        if stage.number < 9:  # stage 9 has four times the rounded channels of stage 8
            assert stage.channels == _make_divisible(stage.exact_channels, 8)
        if 2 <= stage.number <= 8:
            assert stage.layers == MBConvConfig.adjust_depth(stage.baseline_layers, depth)
        else:
            assert stage.layers == stage.exact_layers == 1


def test_rounding_by_hand() -> None:
    """16 · 1.1 = 17.6 → 16 (9 % less); 40 · 1.1 = 44 → 48; 2 · 1.2 = 2.4 layers → 3."""
    stages = scaling.stages(1.1, 1.2)
    assert [stage.channels for stage in stages] == [32, 16, 24, 48, 88, 120, 208, 352, 1408]
    assert [stage.layers for stage in stages] == [1, 2, 3, 3, 4, 4, 5, 2, 1]


def test_closest_is_by_factor() -> None:
    assert scaling.closest(1).name == "B0"
    assert scaling.closest(1e15).name == "B7"
    b1, b2 = (
        scaling.built(*Scale(w, d, r).usable()) for w, d, r in ((1, 1.1, 240), (1.1, 1.2, 260))
    )
    assert scaling.closest(b1.multiply_adds).name == "B1"
    assert scaling.closest(b2.multiply_adds * 1.1).name == "B2"


def test_too_deep_is_refused() -> None:
    with pytest.raises(ValueError, match="limit is 16"):
        scaling.built(1.0, 17.0, 224)


def test_figures_name_their_sources() -> None:
    series = scaling.figures()
    assert {len(found) for found in series.values()} == {8, 3, 1, 5, 16}
    everything = [figure for found in series.values() for figure in found]
    assert all(figure.source for figure in everything)
    assert all(len({figure.source[:11] for figure in found}) == 1 for found in series.values())
    by_name = {figure.name: figure for figure in series["B0 scaled, Table 7"]}
    assert by_name["4 times as deep"].parameters == pytest.approx(20.09e6, rel=1e-3)
    assert by_name["2 times as wide"].parameters == pytest.approx(18.12e6, rel=1e-3)


def test_building_leaves_the_global_generator_alone() -> None:
    """Another visitor's untrained network may be drawn from it at this moment."""
    before = torch.get_rng_state()
    scaling.built(1.37, 1.21, 224)
    assert torch.equal(torch.get_rng_state(), before)
