"""The trained networks that come with the project, and the files written about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from effnet_viz.analysis.explanation import explain
from effnet_viz.engines.engine import Engine
from effnet_viz.lab import demo, evaluation, model_card, networks, scene_editor, scenes, trained
from effnet_viz.lab import runs as shipped_runs
from effnet_viz.lab.evaluation import SceneSet, as_engine
from effnet_viz.lab.results import RESULTS
from effnet_viz.lab.runs import HELD_OUT_VENDORS, Recipe, Run, UnfinishedError, runs
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.lab.sprites import CLASSES, of_vendors
from effnet_viz.lab.summary import (
    CHECKED_NETWORK,
    CHECKED_SCENES,
    check,
    complete_runs,
    top1_unseen,
)
from effnet_viz.pictures.captions import map_caption
from tests.choices import one_of_many

MEGABYTE = 1e6


def shipped(key: str) -> Engine:
    """A network that the app shows."""
    return as_engine(trained.trained(Run(SCALINGS[key], shipped_runs.SHIPPED_RUN)).module)


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return content


def test_every_run_of_every_network_comes_with_the_project() -> None:
    assert [run.name for run in runs() if not shipped_runs.path_of(run).exists()] == []
    assert len(runs()) == len(SCALINGS) * len(HELD_OUT_VENDORS)


def test_weight_files_are_small_and_say_how_they_were_made() -> None:
    for run in runs():
        assert shipped_runs.path_of(run).stat().st_size < 4 * MEGABYTE
        one = trained.trained(run)
        recipe = Recipe(**one.recipe)
        assert recipe.views >= 120_000
        assert one.learning_curve[-1]["views"] == recipe.steps * recipe.batch


def test_half_precision_is_what_is_stored_and_single_what_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped_runs, "LAB", tmp_path)
    run = runs()[0]
    with pytest.raises(UnfinishedError, match="baseline-0 is not there"):
        trained.trained(run)
    torch.manual_seed(3)
    module = networks.build(run.scaling).eval()
    curve = [{"views": 10, "seen_top1": 0.5, "unseen_top1": 0.25}]
    trained.ship(run, {"module": module.state_dict(), "recipe": {"views": 10}}, curve)
    one = trained.trained(run)
    assert (one.recipe, one.learning_curve) == ({"views": 10}, curve)
    image = torch.randn(1, 3, 64, 64)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half().float())
    with torch.no_grad():
        torch.testing.assert_close(one.module(image), module(image))


def test_loading_leaves_the_random_numbers_of_others_alone() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    shipped("baseline")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("key", one_of_many(SCALINGS, ["baseline", "compound"]))
def test_shipped_weights_give_the_shipped_accuracy(results: dict[str, Any], key: str) -> None:
    found = top1_unseen(key, shipped(key))
    assert found == pytest.approx(results["shipped"]["top1_unseen"][key], abs=0.01)


def test_the_results_are_what_the_command_writes(results: dict[str, Any]) -> None:
    def close(found: Any, expected: Any, where: str) -> None:
        assert type(found) is type(expected), where
        if isinstance(expected, dict):
            assert list(found) == list(expected), where
            for name in expected:
                close(found[name], expected[name], f"{where}/{name}")
        elif isinstance(expected, list):
            assert len(found) == len(expected), where
            for number, (one, other) in enumerate(zip(found, expected, strict=True)):
                close(one, other, f"{where}/{number}")
        elif isinstance(expected, float):
            # Another processor rounds otherwise, and one scene may fall on the other side of an
            # edge, such as a threshold or a correct answer.
            assert found == pytest.approx(expected, abs=1.5 / CHECKED_SCENES), where
        else:
            assert found == expected, where

    close(json.loads(json.dumps(check(shipped(CHECKED_NETWORK)))), results["check"], "check")


def test_the_results_are_of_the_shipped_runs(results: dict[str, Any]) -> None:
    assert results["scenes"] >= 2000
    complete = complete_runs()
    assert set(results["runs"]) == {str(number) for number in complete}
    assert len(results["training"]) == len(complete) * len(SCALINGS)
    for number, of_run in complete.items():
        for key, one in of_run.items():
            assert results["recipe"] == one.recipe
            assert results["training"][f"{key}-{number}"]["learning_curve"] == one.learning_curve


def test_the_model_card_is_made_of_the_results(results: dict[str, Any]) -> None:
    assert model_card.MODEL_CARD.read_text(encoding="utf-8") == model_card.model_card(results)


@pytest.mark.parametrize("method", demo.STAGES)
def test_what_the_page_shows_of_a_scene_is_what_is_measured(method: str) -> None:
    scene = scene_editor.compose(scene_editor.chosen_by_chance(4, demo.UNSEEN_VENDOR)).scene
    scene_set = SceneSet(
        scene.image[None], scene.mask[None], scene.distractors[None], np.array([scene.label])
    )
    for key, model in demo.models().items():
        found = explain(demo.photograph_of(scene), model, scene.label, demo.STAGES[method])
        maps = evaluation.explain_on_batch(shipped(key), SCALINGS[key].resolution, scene_set)
        predictions = found.analysis.predictions
        assert predictions[0].label == demo.display_name(CLASSES[maps.answers[0]])
        assert sum(prediction.probability for prediction in predictions) == pytest.approx(1)
        values = maps.cam if method == "CAM" else maps.grad_cam
        largest = np.abs(values).max()
        assert found.attribution.method.title == method
        np.testing.assert_allclose(found.attribution.values, values[0], atol=2e-3 * largest)
        placement = evaluation.placement_of(key, demo.STAGES[method])
        assert found.attribution.placement == placement
        measured = evaluation.score_maps(values, placement, scene_set).values
        one = demo.score(found, scene)
        assert one.energy == pytest.approx(measured["energy"][0], abs=0.01)
        share = one.energy / one.upper_bound
        assert share == pytest.approx(measured["energy_of_ceiling"][0], abs=0.01)
        assert one.hit == bool(measured["pointing_game"][0])
        assert one.recall == pytest.approx(measured["coverage"][0], abs=0.01)
        assert one.distractors == pytest.approx(measured["distractor_energy"][0], abs=0.01)
        first, second = map_caption(found.attribution)
        scaling = SCALINGS[key]
        assert first.startswith(f"{scaling.title} at {scaling.resolution} px, weights: scaling lab")
        label = demo.display_name(CLASSES[scene.label])
        assert f"class “{label}”, stage {found.attribution.stage}" in second


def test_a_network_can_be_asked_for_its_own_answer() -> None:
    unseen = of_vendors(demo.UNSEEN_VENDOR)
    differing = 0
    for number in range(12):
        scene = scenes.make(unseen, scenes.UNSEEN, number)
        for model in demo.models().values():
            analysis = explain(demo.photograph_of(scene), model).analysis
            assert analysis.target == analysis.predictions[0]
            differing += analysis.target.label != demo.display_name(CLASSES[scene.label])
    assert differing > 0
