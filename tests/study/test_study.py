"""The scenes, the rows that are measured on them, and what they come to."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from effnet_viz.analysis.localized import localization
from effnet_viz.analysis.pointing_game import GridCell, grid_pointing
from effnet_viz.assets import OBJECTS_STUDY
from effnet_viz.cli.main import main
from effnet_viz.models import model as models
from effnet_viz.models.classes import Classes
from effnet_viz.models.model import Model
from effnet_viz.scenes.editor import compose
from effnet_viz.study import methods, networks, results
from effnet_viz.study.design import GROUNDS, NETWORKS, PAIRS, PLACEMENTS, Shown, design, digest
from effnet_viz.study.measuring import (
    COLUMNS,
    Rows,
    StudyError,
    analysis_of,
    measure_object,
    require_classes,
    small_masks,
    stability,
)
from effnet_viz.study.methods_summary import rank_agreement, summarize_methods
from effnet_viz.study.store import Unfinished, join, read_rows, shipped, shipped_methods
from effnet_viz.study.summary import depths, estimate, summarize
from effnet_viz.study.write import in_order, write_results

FEW = 2
"""Objects whose scenes are measured anew here."""


@pytest.fixture(scope="module")
def lite0() -> Model:
    return models.load("lite0")


@pytest.fixture(scope="module")
def few(lite0: Model) -> list[Rows]:
    return [measure_object(lite0, shown) for shown in design()[:FEW]]


def test_the_scenes() -> None:
    shown = design()
    assert sum(len(one.alone) for one in shown) >= 2000
    assert len({digest(), digest()}) == 1
    for one in shown:
        assert len(one.alone) == PLACEMENTS * len(GROUNDS)
        for start in range(0, len(one.alone), len(GROUNDS)):
            grounds = one.alone[start : start + len(GROUNDS)]
            assert len({spec.objects for spec in grounds}) == 1, "only the background changes"
            assert tuple(spec.background for spec in grounds) == GROUNDS
        assert len({spec.objects for spec in one.alone}) == PLACEMENTS
        assert len(one.pairs) == PAIRS
        for spec in one.pairs:
            first, second = (next(o for o in shown if o.thing.name == p.name) for p in spec.objects)
            assert first is one
            assert not set(first.thing.labels) & set(second.thing.labels)
    grounds_used = [spec.ground for one in shown for spec in one.alone]
    assert len(set(grounds_used)) == len(grounds_used)


def test_shipped_rows_are_what_the_command_writes(few: list[Rows]) -> None:
    about, rows = shipped(OBJECTS_STUDY)["lite0"]
    assert about["design"] == digest()
    assert set(rows) == set(COLUMNS)
    for name, again in join(few).items():
        kept = rows[name][: len(again)]
        if name == "right":
            assert (kept != again).mean() < 0.05  # processors round differently
        else:
            assert np.abs(kept.astype(float) - again.astype(float)).mean() < 0.01, name


def test_every_shipped_network_saw_the_same_scenes() -> None:
    found = shipped(OBJECTS_STUDY)
    told = results.load()
    assert list(told.networks) == [key for key in NETWORKS if key in found]
    assert set(told.networks) == set(found)
    for about, rows in found.values():
        assert about["design"] == digest()
        assert len(about["weights_sha256"]) == 64
        assert len(rows["right"]) == told.scenes == about["scenes"]


def test_results_follow_from_the_rows() -> None:
    content = json.loads(results.RESULTS.read_text(encoding="utf-8"))
    again = summarize({key: shipped()[key] for key in content["networks"]})
    assert {key: content[key] for key in again} == json.loads(json.dumps(again))
    methods_again = summarize_methods(in_order(shipped_methods()))
    assert content["methods"] == json.loads(json.dumps(methods_again))


def test_a_row_by_hand(lite0: Model, few: list[Rows]) -> None:
    scene = compose(design()[0].alone[0])
    analysis = analysis_of(lite0, scene, 0)
    labels = design()[0].thing.labels
    assert analysis.target.label == max(
        labels, key=lambda label: analysis.logits[lite0.classes.index(label)]
    )
    mask = scene.masks[0].reshape(224, 2, 224, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(small_masks(scene)[0], mask, atol=1e-5)
    found = localization(analysis.attribute("cam"), mask)
    row = {name: values[0] for name, values in few[0].items()}
    assert row["energy"] == pytest.approx(found.energy, abs=1e-3)
    assert row["stage_energy"][-1] == row["energy"]
    assert row["right"] == (analysis.predictions[0].label in labels)
    stage = localization(analysis.attribute("grad-cam", 5), mask)
    assert row["stage_energy"][4] == pytest.approx(stage.energy, abs=1e-3)
    assert row["stage_upper_bound"][4] == pytest.approx(stage.upper_bound, abs=1e-3)


def test_stability_is_the_mean_correlation() -> None:
    rising = np.arange(4, dtype=np.float32).reshape(2, 2)
    assert stability(np.stack([rising, 2 * rising + 1])) == pytest.approx(1)
    # Of three pairs, one is alike and two are opposites.
    assert stability(np.stack([rising, rising, -rising])) == pytest.approx((1 - 1 - 1) / 3)


def test_intervals_are_over_objects() -> None:
    # Ten objects, each with a value of its own, in 20 scenes each: more scenes of the same objects
    # make nothing surer.
    of = np.repeat(np.arange(10), 20)
    few_scenes = estimate(np.arange(10) / 10, np.arange(10))
    many = estimate(of / 10, of)
    assert many == few_scenes
    assert many["value"] == pytest.approx(0.45)
    spread = np.std(np.arange(10) / 10) / np.sqrt(10)
    assert many["high"] - many["low"] == pytest.approx(2 * 1.96 * spread, rel=0.1)
    none = estimate(of / 10, of, np.zeros(len(of), np.bool_))
    assert none == {"value": None, "low": None, "high": None}


def test_depths() -> None:
    assert depths([1, 1, 2]) == [0.25, 0.5, 1.0]


def test_rank_agreement_of_made_methods() -> None:
    random = np.random.default_rng(0)
    mask = np.arange(8) / 8 + random.normal(0, 0.01, (30, 8))  # (objects, methods)
    alike = rank_agreement(mask, 3 * mask + 1)
    assert alike == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert rank_agreement(mask, -mask)["value"] == -1.0
    assert rank_agreement(mask, np.zeros_like(mask))["value"] == 0.0


def test_objects_that_share_a_picture_are_drawn_together() -> None:
    """Ten copies of each row of three are no more than three rows."""
    random = np.random.default_rng(0)
    mask = np.tile(np.arange(8) / 8, (30, 1))  # (objects, methods)
    values = np.repeat(mask[:3] + random.normal(0, 0.3, (3, 8)), 10, axis=0)
    apart = rank_agreement(mask, values)
    together = rank_agreement(mask, values, [list(range(i, i + 10)) for i in (0, 10, 20)])
    assert together["value"] == apart["value"]
    few = rank_agreement(mask[:3], values[::10])
    assert (together["low"], together["high"]) == (few["low"], few["high"])
    assert together["high"] - together["low"] > apart["high"] - apart["low"]


def two_scenes(shown: Shown) -> Shown:
    """Short enough for a test: one placement on its grounds, one pair."""
    return dataclasses.replace(shown, alone=shown.alone[: len(GROUNDS)], pairs=shown.pairs[:1])


def test_killed_and_resumed(tmp_path: Path, lite0: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [two_scenes(one) for one in design()[:3]]
    measured: list[str] = []
    stop_at = shown[1].thing.name

    def measure(model: Model, one: Shown) -> Rows:
        if one.thing.name == stop_at:
            raise KeyboardInterrupt
        measured.append(one.thing.name)
        return measure_object(model, one)

    monkeypatch.setattr(networks, "measure_object", measure)
    with pytest.raises(KeyboardInterrupt):
        networks.measure_network("lite0", tmp_path / "runs", tmp_path / "study", shown)
    assert not (tmp_path / "study").exists()
    half_written = tmp_path / "runs" / "lite0" / f"{stop_at}.npz.part"
    half_written.write_bytes(b"PK half")
    stop_at = ""
    networks.measure_network("lite0", tmp_path / "runs", tmp_path / "study", shown)
    assert measured == [one.thing.name for one in shown], "nothing is measured twice"
    monkeypatch.undo()
    _, rows = shipped(tmp_path / "study")["lite0"]
    for name, straight in join([measure_object(lite0, one) for one in shown]).items():
        np.testing.assert_array_equal(rows[name], straight)


def test_rows_of_other_weights_are_not_mixed(tmp_path: Path) -> None:
    Unfinished(tmp_path, {"weights_sha256": "a"}).rows("frog", lambda: {"x": np.zeros(1)})
    again = Unfinished(tmp_path, {"weights_sha256": "a"})
    assert again.rows("frog", dict)["x"] == 0, "read, not measured"
    with pytest.raises(StudyError, match="--folder"):
        Unfinished(tmp_path, {"weights_sha256": "b"})


def test_rows_hold_numbers_alone(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", x=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        read_rows(tmp_path / "bad.npz")


def test_a_network_with_other_classes_is_refused(lite0: Model) -> None:
    other = dataclasses.replace(lite0, classes=Classes(["cat", "dog"]))
    with pytest.raises(StudyError, match="ImageNet"):
        require_classes(other, design())


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    shown = design()[:FEW]
    monkeypatch.setattr(networks, "design", lambda: shown)
    words = ["lab", "objects", "--folder", str(tmp_path / "runs"), "--results", str(tmp_path)]
    assert main([*words, "--networks", "lite0", "b99"]) == 1
    assert "b99" in capsys.readouterr().err
    found = results.load(tmp_path / "results.json")
    assert list(found.networks) == ["lite0"]
    assert found.objects == FEW
    kept = shipped(OBJECTS_STUDY)["lite0"][1]
    right = kept["right"][: FEW * PLACEMENTS * len(GROUNDS)].mean()
    assert found.networks["lite0"].right.value == pytest.approx(right, abs=0.06)


def test_every_scene_is_in_one_mosaic_of_different_classes() -> None:
    shown = methods.closely_shown()
    mosaics = methods.mosaics_of(len(shown))
    assert sorted(number for mosaic in mosaics for number in mosaic) == list(range(len(shown)))
    for mosaic in mosaics:
        assert 2 <= len(mosaic) <= 4
        labels = [label for number in mosaic for label in shown[number].thing.labels]
        assert len(set(labels)) == len(labels)


def test_methods_are_kept_and_summarized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = design()[:FEW]
    chosen = [method for method in methods.affordable() if method.passes <= 1][:3]
    monkeypatch.setattr(methods, "affordable", lambda: chosen)
    networks.measure_network("lite0", tmp_path / "runs", tmp_path / "study", shown)
    methods.measure_methods("lite0", tmp_path / "runs", tmp_path / "study", shown)
    apart = [design()[0], design()[-1]]
    methods.measure_closely(tmp_path / "runs", tmp_path / "study", apart, chosen[:1])
    write_results(tmp_path / "study")
    told = json.loads((tmp_path / "study" / "results.json").read_text(encoding="utf-8"))["methods"]
    table = {row["method"]: row for row in told["networks"]["lite0"]["methods"]}
    assert list(table) == [method.key for method in chosen]
    # At the last stage CAM and Grad-CAM are the same map.
    assert table["cam"]["share"] == table["grad-cam"]["share"]
    assert told["networks"]["lite0"]["scenes"] == FEW * PLACEMENTS
    assert told["closely"]["scenes"] == 2
    cells = []
    for one in apart:
        scene = compose(one.alone[0])
        target = analysis_of(models.load("lite0"), scene, 0).target.index
        cells.append(GridCell(scene.photograph, target))
    game = grid_pointing(models.load("lite0-r448"), cells, method=chosen[0])
    _, rows = shipped_methods(tmp_path / "study")["lite0-closely"]
    assert rows["pointing"][:, 0].tolist() == pytest.approx([one.share for one in game.scores])
    assert told["closely"]["agreement"] == {}, "one method has no order"
