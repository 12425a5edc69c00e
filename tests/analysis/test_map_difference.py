"""Why two maps differ, in numbers and in words."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.analysis.map_difference import CLASSLESS, map_difference, sentences
from effnet_viz.attribution.methods import METHODS


def test_a_map_and_itself(cat: Analysis) -> None:
    found = map_difference(cat.attribute("cam"), cat.attribute("hires-cam"))
    assert np.abs(found.values).max() < 1e-3
    assert found.rank_correlation == pytest.approx(1, abs=1e-6)
    said = sentences(found)
    assert METHODS["cam"].formula in said
    assert "correlate with 1.00" in said
    assert said.endswith("They tell the same here.")


def test_a_map_and_its_opposite(cat: Analysis) -> None:
    one = cat.attribute("cam")
    other = dataclasses.replace(one, values=-one.values)
    found = map_difference(one, other)
    assert found.rank_correlation == pytest.approx(-1)
    assert found.values.max() == pytest.approx(1, abs=0.01)  # equal cells share a rank
    assert found.values.min() == pytest.approx(-1, abs=0.01)
    assert found.shared == 0
    assert "share 0\xa0%" in sentences(found)


def test_what_sets_two_formulas_apart(cat: Analysis) -> None:
    said = sentences(map_difference(cat.attribute("grad-cam", 6), cat.attribute("saliency")))
    assert "Saliency has a value for every pixel, Grad-CAM one for each of 14×14 cells" in said
    said = sentences(map_difference(cat.attribute("grad-cam", 6), cat.attribute("grad-cam", 8)))
    assert "They look at stage 6 and stage 8." in said
    said = sentences(map_difference(cat.attribute("fem", 8), cat.attribute("layer-cam", 8)))
    assert "FEM does not know the class." in said
    said = sentences(map_difference(cat.attribute("feature-ablation"), cat.attribute("saliency")))
    assert "Feature ablation watches what the network does with parts gone" in said
    assert "Feature ablation also has evidence against the class, Saliency none here." in said


def test_who_does_not_know_the_class(cat: Analysis) -> None:
    for key in CLASSLESS:
        one, other = (cat.attribute(key, 8, target) for target in (None, "espresso"))
        assert np.array_equal(one.values, other.values)


def test_a_flat_map_and_maps_of_two_classes(cat: Analysis) -> None:
    one = cat.attribute("cam")
    flat = dataclasses.replace(one, values=np.zeros_like(one.values))
    assert "One of the two maps is flat" in sentences(map_difference(one, flat))
    with pytest.raises(ValueError, match="one photograph, one network and one class"):
        map_difference(one, cat.attribute("cam", None, "espresso"))
