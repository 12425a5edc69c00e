"""Training: the loss falls, and a stopped run continues bit for bit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock

from effnet_viz.lab import runs, scenes, trained, training
from effnet_viz.lab.runs import HELD_OUT_VENDORS, Recipe, Run
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.lab.scenes import EASY, STANDARD
from effnet_viz.lab.sprites import CLASSES, all_but, of_vendors
from effnet_viz.lab.training import BusyError, train

TINY = Recipe(
    views=48, scenes=24, easy_share=0.5, easy_scenes=24, batch=24, learning_rate=2e-3, warm_up=0.0,
    smallest_crop=128,
)  # fmt: skip
BASELINE = Run(SCALINGS["baseline"], 0)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CURVE_SCENES", 24)
    monkeypatch.setattr(training, "CURVE_POINTS", 1)
    monkeypatch.setattr(training, "LOG_EVERY", 1)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


def losses(folder: Path) -> list[float]:
    lines = (folder / f"{BASELINE.name}.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def test_two_steps_lower_the_loss_and_a_stopped_run_continues_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    recipe = replace(TINY, views=4 * TINY.batch, easy_share=0.75)
    expected = trained.load_checkpoint(train(BASELINE, whole, recipe, progress=False))
    first = losses(whole)
    assert len(first) == 4
    assert first[2] < first[0]  # the loss after two steps

    advance = training._State.advance

    def broken(state: training._State, *arguments: object) -> tuple[float, float]:
        if state.step == 2:
            raise KeyboardInterrupt
        return advance(state, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(training._State, "advance", broken)
    with pytest.raises(KeyboardInterrupt):
        train(BASELINE, stopped, recipe, progress=False)
    monkeypatch.setattr(training._State, "advance", advance)
    continued = trained.load_checkpoint(train(BASELINE, stopped, recipe, progress=False))

    assert continued["step"] == expected["step"] == 4
    for name, tensor in expected["module"].items():
        assert torch.equal(tensor, continued["module"][name]), name
    for one, other in zip(
        expected["optimizer"]["state"].values(),
        continued["optimizer"]["state"].values(),
        strict=True,
    ):
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert losses(stopped) == first


def test_training_scenes_are_those_of_the_seen_vendors(tmp_path: Path) -> None:
    source = of_vendors(*all_but(BASELINE.held_out))
    for difficulty, stream in ((STANDARD, scenes.TRAINING), (EASY, scenes.FIRST_LESSONS)):
        images = training.training_images(BASELINE, tmp_path, 24, difficulty)
        for number in (0, 5, 23):
            expected = scenes.make(source, stream, number, difficulty).image
            np.testing.assert_array_equal(images[number], expected)


def test_training_begins_with_the_easy_scenes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    easy, standard = (
        training.training_images(BASELINE, tmp_path, 24, difficulty)
        for difficulty in (EASY, STANDARD)
    )
    seen = []
    advance = training._State.advance

    def noted(
        state: training._State, images: training.Bytes, *arguments: object
    ) -> tuple[float, float]:
        seen.append(images[0].tobytes())
        return advance(state, images, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(training._State, "advance", noted)
    train(BASELINE, tmp_path, replace(TINY, views=4 * TINY.batch), progress=False)
    assert seen == [easy[0].tobytes()] * 2 + [standard[0].tobytes()] * 2


def test_easy_scenes_have_large_targets_and_little_else() -> None:
    def shares(difficulty: scenes.Difficulty) -> tuple[float, float]:
        source = of_vendors("Twitter")
        made = [scenes.make(source, scenes.FIRST_LESSONS, n, difficulty) for n in range(24)]
        masks, others = ([getattr(one, name).mean() for one in made] for name in
                         ("mask", "distractors"))  # fmt: skip
        return float(np.mean(masks)), float(np.mean(others))

    (target, others), (usual_target, usual_others) = shares(EASY), shares(STANDARD)
    assert target > 1.3 * usual_target
    assert others < 0.5 * usual_others


def test_scenes_of_another_version_are_not_used(tmp_path: Path) -> None:
    path = tmp_path / f"scenes-without-{BASELINE.held_out.lower()}-{TINY.scenes}.npy"
    np.save(path, np.zeros((TINY.scenes, scenes.SIDE, scenes.SIDE, 3), np.uint8))
    with pytest.raises(ValueError, match="holds scenes of another version"):
        training.training_images(BASELINE, tmp_path, TINY.scenes, STANDARD)


def test_every_scene_comes_once_in_an_epoch() -> None:
    picked = [training._batch(50, seed=1, step=step, size=20) for step in range(5)]
    places = np.concatenate(picked)  # two epochs of 50
    assert sorted(places[:50]) == sorted(places[50:]) == list(range(50))
    assert (places[:50] != places[50:]).any()


def test_a_run_in_another_process_is_left_alone(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / f"{BASELINE.name}.lock"),
        pytest.raises(BusyError, match="Another process trains baseline-0"),
    ):
        train(BASELINE, tmp_path, TINY, progress=False)


def test_a_checkpoint_of_another_recipe_is_not_continued(tmp_path: Path) -> None:
    recipe = replace(TINY, views=TINY.batch)
    train(BASELINE, tmp_path, recipe, progress=False)
    with pytest.raises(ValueError, match="another recipe"):
        train(BASELINE, tmp_path, replace(recipe, learning_rate=1.0), progress=False)


def test_the_learning_rate_rises_linearly_and_falls_to_zero_as_a_cosine() -> None:
    recipe = Recipe(views=3200, batch=32, learning_rate=0.1, warm_up=0.1)
    assert recipe.steps == 100
    rates = [recipe.learning_rate_at(step) for step in range(100)]
    np.testing.assert_allclose(rates[:10], np.arange(1, 11) / 100)
    assert rates[55] == pytest.approx(0.05)  # half way down
    assert rates[99] < 0.0001


def test_fifteen_runs_share_three_vendors_and_run_zero_comes_first() -> None:
    every = runs.runs()
    assert len({run.name for run in every}) == 15
    assert [run.number for run in every] == sorted(run.number for run in every)
    assert len({run.held_out for run in every}) == len(HELD_OUT_VENDORS) == 3
    assert len(CLASSES) % 24 == 0
