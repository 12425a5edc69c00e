"""Why this class and not that one: identities of the difference of two logits."""

from __future__ import annotations

import numpy as np
import pytest
import timm
from torch import nn

from effnet_viz import Analysis, NoClassActivationMapError, UnknownClassError, analyse, from_module
from effnet_viz.analysis.contrast import contrast
from effnet_viz.models import zoo
from tests.conftest import SAMPLES


@pytest.mark.parametrize(("one", "other"), [(None, None), ("espresso", None), (0, "Egyptian cat")])
def test_places_channels_and_biases_add_up_to_the_difference(
    cat: Analysis, one: int | str | None, other: int | str | None
) -> None:
    found = contrast(cat, one, other)
    difference = found.one.logit - found.other.logit
    assert found.difference == difference
    assert found.values.mean() + found.bias == pytest.approx(difference, abs=1e-4)
    by_channel = found.contributions[0] - found.contributions[1]
    assert by_channel.sum() + found.bias == pytest.approx(difference, abs=1e-4)
    ratio = found.one.probability / found.other.probability
    assert np.exp(difference) == pytest.approx(ratio, rel=1e-4)


def test_it_is_the_difference_of_two_attributions(cat: Analysis) -> None:
    found = contrast(cat, "tiger cat", "espresso")
    one, other = (cat.attribute("cam", target=name) for name in ("tiger cat", "espresso"))
    np.testing.assert_allclose(found.values, one.values - other.values, atol=1e-5)
    assert found.placement == one.placement
    assert one.channels is not None
    assert other.channels is not None
    np.testing.assert_allclose(found.contributions, [one.channels, other.channels], atol=1e-6)
    swapped = contrast(cat, "espresso", "tiger cat")
    assert np.array_equal(swapped.values, -found.values)
    assert swapped.bias == -found.bias


def test_classes_that_are_not_named_are_the_analysis_own_and_the_next(cat: Analysis) -> None:
    found = contrast(cat)
    assert (found.one, found.other) == (cat.predictions[0], cat.predictions[1])
    found = contrast(cat.for_target("espresso"))
    assert (found.one.label, found.other) == ("espresso", cat.predictions[0])


def test_the_strongest_channels_come_first(cat: Analysis) -> None:
    found = contrast(cat)
    strongest = found.strongest(5)
    assert len(strongest) == 5
    differences = found.contributions[0] - found.contributions[1]
    sizes = [abs(channel.difference) for channel in strongest]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(np.abs(differences).max())
    for channel in strongest:
        assert channel.one == found.contributions[0, channel.index]
        assert channel.other == found.contributions[1, channel.index]
        assert channel.difference == pytest.approx(float(differences[channel.index]), abs=1e-6)
    everything = found.strongest(10_000)
    assert sum(one.difference for one in everything) + found.bias == pytest.approx(
        found.difference, abs=1e-4
    )


def test_it_holds_its_own_arrays(cat: Analysis) -> None:
    found = contrast(cat)
    assert found.nbytes == 4 * (7 * 7 + 2 * 1280)
    for array in (found.values, found.contributions):
        assert array.dtype == np.float32
        assert array.base is None or array.base.nbytes <= array.nbytes
        assert not array.flags.writeable


def test_a_class_cannot_be_told_from_itself_or_from_one_that_is_not(cat: Analysis) -> None:
    with pytest.raises(ValueError, match="Choose two classes: `espresso`"):
        contrast(cat, "espresso", "espresso")
    with pytest.raises(UnknownClassError):
        contrast(cat, "espresso", "no such class")


def test_a_network_without_a_linear_head_has_none() -> None:
    module = timm.create_model("mobilenetv3_small_100", num_classes=5).eval()
    assert isinstance(module, nn.Module)
    model = from_module(
        module,
        key="mobile",
        classes="abcde",
        preprocessing=zoo.MODELS["lite0"].preprocessing,
    )
    with pytest.raises(NoClassActivationMapError, match="no class activation map"):
        contrast(analyse(SAMPLES / "cat.jpg", model))
