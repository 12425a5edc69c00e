"""Two experiments with one scene, against what one can see to by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from effnet_viz.analysis.explanation import explain
from effnet_viz.analysis.localized import localization
from effnet_viz.analysis.words import percent
from effnet_viz.models.model import Model
from effnet_viz.scenes.editor import SIDE, by_chance, compose
from effnet_viz.scenes.objects import CutOut, named
from effnet_viz.study import experiments
from effnet_viz.study.experiments import (
    BACKGROUNDS,
    HIDDEN,
    Backgrounds,
    Hiding,
    compared,
    held_longest,
    hide_slowly,
    other_backgrounds,
    ten_backgrounds,
)

TIGER = named("tiger-walking").labels[0]
SPEC = replace(by_chance(3, "tiger-walking"), distractors=2)


@pytest.fixture(scope="module")
def models(lite0: Model) -> Mapping[str, Model]:
    return {"lite0": lite0}


@pytest.fixture(scope="module")
def backgrounds(models: Mapping[str, Model]) -> Backgrounds:
    return ten_backgrounds(SPEC, models)["lite0"]


@pytest.fixture(scope="module")
def hiding(models: Mapping[str, Model]) -> Hiding:
    return hide_slowly(SPEC, models)["lite0"]


def test_only_the_background_is_another() -> None:
    specs = other_backgrounds(SPEC)
    assert len(specs) == BACKGROUNDS
    scenes = [compose(spec, 112) for spec in (SPEC, *specs)]
    assert len({scene.photograph.id for scene in scenes}) == 1 + BACKGROUNDS
    for scene in scenes[1:]:
        np.testing.assert_array_equal(scene.masks, scenes[0].masks)
        np.testing.assert_array_equal(scene.others, scenes[0].others)


def test_the_first_scene_is_the_visitors_own(
    backgrounds: Backgrounds, models: Mapping[str, Model]
) -> None:
    assert len(backgrounds.looks) == 1 + BACKGROUNDS
    for look, spec in zip(backgrounds.looks[:3], (SPEC, *other_backgrounds(SPEC)), strict=False):
        scene = compose(spec, SIDE)
        alone = explain(scene.photograph, models["lite0"], TIGER)
        np.testing.assert_allclose(look.attribution.values, alone.attribution.values, rtol=1e-5)
        assert look.probability == pytest.approx(alone.analysis.target.probability)
        assert look.fit == localization(alone.attribution, scene.masks[0])
        assert look.right == (alone.analysis.predictions[0].label == TIGER)


def test_the_change_of_a_map_is_one_minus_pearsons_r(backgrounds: Backgrounds) -> None:
    first, *others = (look.attribution.values.ravel() for look in backgrounds.looks)
    expected = [1 - np.corrcoef(first, other)[0, 1] for other in others]
    assert backgrounds.changes == pytest.approx(expected, abs=1e-6)


def test_the_sentence_has_the_numbers(backgrounds: Backgrounds) -> None:
    said = backgrounds.sentence()
    assert f"{np.mean(backgrounds.changes):.2f} on average" in said
    assert f"({percent(backgrounds.looks[0].probability)} in your scene)" in said
    assert f"“{TIGER}”" in said
    right = sum(look.right for look in backgrounds.looks[1:])
    assert ("on all of ten" in said) == (right == BACKGROUNDS)


def test_an_own_background_is_the_first_ones_alone(models: Mapping[str, Model]) -> None:
    green = np.full((SIDE, SIDE, 3), (10, 200, 30), np.uint8)
    found = ten_backgrounds(SPEC, models, backdrop=green)["lite0"]
    is_green = [bool((look.picture[0, 0] == (10, 200, 30)).all()) for look in found.looks]
    assert is_green == [True] + [False] * BACKGROUNDS


def test_less_and_less_of_the_object_is_visible(hiding: Hiding) -> None:
    assert len(hiding.looks) == len(HIDDEN)
    assert list(hiding.areas) == sorted(hiding.areas, reverse=True)
    # As much of its area as was asked for, as far as the network sees it whole.
    for hidden, area in zip(HIDDEN, hiding.areas, strict=True):
        assert area == pytest.approx((1 - hidden) * hiding.areas[0], abs=0.02)


def test_each_step_is_the_scene_with_as_much_hidden(
    hiding: Hiding, models: Mapping[str, Model]
) -> None:
    for step in (0, 4, 9):
        scene = compose(replace(SPEC, hidden=HIDDEN[step]), SIDE)
        alone = explain(scene.photograph, models["lite0"], TIGER)
        assert hiding.probabilities[step] == pytest.approx(alone.analysis.target.probability)
        fit = localization(alone.attribution, scene.masks[0])
        assert (hiding.energies[step], hiding.areas[step]) == pytest.approx((fit.energy, fit.area))


def test_a_network_has_lost_the_object_below_half_of_its_probability(hiding: Hiding) -> None:
    limit = hiding.probabilities[0] / 2
    below = [h for h, p in zip(HIDDEN, hiding.probabilities, strict=True) if p < limit]
    assert hiding.lost == (below[0] if below else None)
    said = hiding.sentence()
    assert (f"at {percent(hiding.lost)} hidden" in said) if hiding.lost else "never falls" in said
    whole = replace(hiding, looks=hiding.looks[:1] * len(HIDDEN), title="Steady")
    assert whole.lost is None
    assert "never falls below half" in whole.sentence()
    if hiding.lost:
        assert held_longest([hiding, whole]).startswith("Steady keeps")


def test_networks_are_compared_by_how_much_their_maps_change(backgrounds: Backgrounds) -> None:
    looks = backgrounds.looks
    still = Backgrounds("Still", 1, looks[:1] * (1 + BACKGROUNDS))
    assert still.changes == pytest.approx([0] * BACKGROUNDS, abs=1e-9)
    assert compared([backgrounds, still]) == (
        f"The map of Still changes least (0.00 on average), that of {backgrounds.title} most "
        f"({np.mean(backgrounds.changes):.2f})."
    )


def test_it_tells_how_far_it_is_takes_turns_and_can_be_stopped(models: Mapping[str, Model]) -> None:
    turns, told = 0, []

    @contextmanager
    def turn() -> Iterator[None]:
        nonlocal turns
        turns += 1
        yield

    class StoppedError(Exception):
        pass

    def hear(done: float) -> None:
        told.append(done)
        if done > 0.25:
            raise StoppedError

    with pytest.raises(StoppedError):
        hide_slowly(SPEC, models, turn=turn, progress=hear)
    assert told == pytest.approx([0.1, 0.2, 0.3])
    assert turns == 3
    assert experiments.HIDDEN[3] == pytest.approx(0.3)


def test_a_second_object_can_be_asked_for(models: Mapping[str, Model]) -> None:
    spec = by_chance(5, "tiger-walking", "zebra")
    found = hide_slowly(spec, models, 1)["lite0"]
    swapped = replace(spec, objects=spec.objects[::-1], hidden=HIDDEN[6])
    scene = compose(swapped, SIDE)
    step = found.looks[6]
    assert step.attribution.target.label in named("zebra").labels
    assert step.fit == localization(step.attribution, scene.masks[0])
    assert scene.objects[0].name == "zebra"


def test_the_most_likely_of_the_accepted_labels_is_asked_for(models: Mapping[str, Model]) -> None:
    rgba = named("tiger-walking").rgba()
    own = CutOut("own", "a cat", ("tench", "tiger cat", TIGER), rgba, "")
    placed = (replace(SPEC.objects[0], name="own"),)
    found = hide_slowly(replace(SPEC, objects=placed), models, own=[own])["lite0"]
    scene = compose(SPEC, SIDE)
    predictions = explain(scene.photograph, models["lite0"]).analysis.predictions
    likeliest = next(one for one in predictions if one.label in own.labels)
    assert {look.attribution.target.label for look in found.looks} == {likeliest.label}


def test_with_two_objects_either_is_a_right_answer_as_on_the_bench(
    models: Mapping[str, Model],
) -> None:
    spec = by_chance(5, "tiger-walking", "hen")
    found = ten_backgrounds(spec, models, 1)["lite0"]
    scene = compose(spec, SIDE)
    seen = explain(scene.photograph, models["lite0"]).analysis
    assert seen.predictions[0].label in named("tiger-walking").labels  # not what is asked for
    assert found.looks[0].right is True
    assert "names one of the objects rightly on" in found.sentence()


def test_the_sentence_when_none_is_right_and_all_are_alike(backgrounds: Backgrounds) -> None:
    wrong = replace(backgrounds.looks[0], right=False)
    said = replace(backgrounds, looks=(wrong,) * (1 + BACKGROUNDS)).sentence()
    assert "names the object rightly on none of ten" in said
    assert f"is {percent(wrong.probability)} on all of them" in said
    unknown = replace(wrong, right=None)
    said = replace(backgrounds, looks=(unknown,) * (1 + BACKGROUNDS)).sentence()
    assert "has no class for what is in the scene: its own answer is followed." in said


def test_what_was_never_there_is_not_lost(hiding: Hiding) -> None:
    first = hiding.looks[0].attribution
    unlikely = replace(first, target=replace(first.target, probability=0.0004))
    looks = (replace(hiding.looks[0], attribution=unlikely),) * len(HIDDEN)
    never = replace(hiding, looks=looks, title="Never")
    assert "begins at below 0.1" in never.sentence()
    assert ", too little to tell when it is lost." in never.sentence()
    assert "none can lose it" in held_longest([never, never])
    assert "Never" not in held_longest([never, hiding])
