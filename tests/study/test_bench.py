"""What a network makes of a scene of photographed objects."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from effnet_viz.analysis.analysis import Analysis, analyse
from effnet_viz.analysis.localized import localization
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.models.classes import Classes
from effnet_viz.scenes import Scene, make, objects
from effnet_viz.scenes.editor import by_chance, compose
from effnet_viz.study import bench
from tests.conftest import eager


@pytest.fixture(scope="module")
def scene() -> Scene:
    return compose(by_chance(3, "frog", "hen"), 256)


@pytest.fixture(scope="module")
def seen(scene: Scene) -> Analysis:
    return analyse(scene.photograph, eager("lite0"))


def answering(seen: Analysis, logits: dict[str, float]) -> Analysis:
    """The same analysis with other logits: 0, but for these labels."""
    classes = seen.model.classes
    values = np.zeros((1, len(classes)), np.float32)
    for label, value in logits.items():
        values[0, classes.index(label)] = value
    activations = dataclasses.replace(seen.activations, logits=values)
    predictions = Predictions(values[0], classes)
    return dataclasses.replace(seen, activations=activations, predictions=predictions)


def with_classes(seen: Analysis, labels: list[str]) -> Analysis:
    """The same network with other names of its classes."""
    named = [*labels, *(f"class {number}" for number in range(len(labels), 1000))]
    model = dataclasses.replace(seen.model, classes=Classes(named))
    return dataclasses.replace(
        seen, model=model, predictions=Predictions(seen.logits, model.classes)
    )


def test_the_accepted_label_of_the_highest_logit_is_explained(seen: Analysis, scene: Scene) -> None:
    assert scene.objects[0].labels == ("bullfrog", "tree frog", "tailed frog")
    frogs = answering(seen, {"espresso": 9, "bullfrog": 1, "tailed frog": 3, "hen": 5})
    assert bench.for_object(frogs, scene, 0).target.label == "tailed frog"
    assert bench.for_object(frogs, scene, 1).target.label == "hen"


def test_an_answer_is_right_that_names_either_object(seen: Analysis, scene: Scene) -> None:
    for label, right in (("tree frog", True), ("hen", True), ("espresso", False)):
        found = bench.answer_to(answering(seen, {label: 5}), scene, 0)
        assert (found.answer.label, found.right, found.knows_target) == (label, right, True)


def test_a_network_without_such_classes_is_explained_for_its_own_answer(
    seen: Analysis, scene: Scene
) -> None:
    other = with_classes(seen, ["disc", "stripe"])
    assert bench.for_object(other, scene, 0).target == other.predictions[0]
    found = bench.answer_to(other, scene, 0)
    assert (found.right, found.knows_target) == (None, False)


def test_a_network_may_know_one_of_the_two(seen: Analysis, scene: Scene) -> None:
    farm = with_classes(seen, ["hen", "stripe"])
    assert bench.for_object(farm, scene, 1).target.label == "hen"
    assert not bench.answer_to(farm, scene, 0).knows_target
    assert bench.answer_to(farm, scene, 1).right == (farm.predictions[0].label == "hen")


@pytest.mark.parametrize("target", [0, 1])
def test_shares_are_what_localization_says(seen: Analysis, scene: Scene, target: int) -> None:
    attribution = bench.for_object(seen, scene, target).attribute("cam")
    found = bench.shares(attribution, scene.masks, target)
    own = localization(attribution, scene.masks[target])
    other = localization(attribution, scene.masks[1 - target])
    assert found.on_target == own.energy > 0
    assert found.upper_bound == own.upper_bound
    assert found.hit == (own.hit > 0.5)
    assert found.on_other == other.energy


def test_of_one_object_there_is_no_other() -> None:
    scene = make("zebra", seed=2, side=256)
    attribution = analyse(scene.photograph, eager("lite0")).attribute("cam")
    assert bench.shares(attribution, scene.masks, 0).on_other is None


def test_a_scene_by_chance_is_the_same_again() -> None:
    for seed in range(30):
        assert bench.spec_by_chance(seed, 1) == by_chance(seed)
        spec = bench.spec_by_chance(seed, 2)
        assert spec == bench.spec_by_chance(seed, 2)
        labels = {thing.name: set(thing.labels) for thing in objects()}
        first, second = (labels[placed.name] for placed in spec.objects)
        assert not first & second
