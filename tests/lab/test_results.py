"""Reading the lab's results, and that what is measured is what is read."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from effnet_viz.engines.engine import Engine
from effnet_viz.lab import evaluation, networks, sentences
from effnet_viz.lab import results as lab
from effnet_viz.lab.evaluation import SceneMaps, SceneSet, as_engine
from effnet_viz.lab.results import (
    CAM,
    DETAILS,
    GRAD_CAM,
    RELEVANCE,
    ResultsError,
)
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.lab.summary import measure
from effnet_viz.metrics import intervals
from effnet_viz.ui.lab.measure_table import REFERENCES
from tests.lab.made_results import (
    EQUAL,
    NAMES,
    loaded,
    made,
)


def test_no_results_yet(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"Nothing is measured yet.*effnet-viz lab measure"):
        lab.load(tmp_path / "results.json")


@pytest.mark.parametrize("text", ["", "[]", "{}"])
def test_results_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ResultsError, match="cannot be read"):
        lab.load(path)


def test_results_without_a_pair(tmp_path: Path) -> None:
    content = made(EQUAL)
    content["agreement"] = content["agreement"][1:]
    with pytest.raises(ResultsError, match="does not compare baseline with depth: no run has both"):
        loaded(tmp_path, content)


def test_what_measure_writes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real measurement of one run, as if its untrained networks knew all answers.

    The text on limits says that stage 6 has the grids of stage 9: it has.
    """
    explain = evaluation.explain_on_batch

    def all_right(engine: Engine, resolution: int, scene_set: SceneSet) -> SceneMaps:
        maps = explain(engine, resolution, scene_set)
        assert maps.grad_cam.shape == maps.cam.shape
        return dataclasses.replace(maps, answers=scene_set.labels)

    monkeypatch.setattr(evaluation, "explain_on_batch", all_right)
    monkeypatch.setattr(intervals, "RESAMPLES", 20)
    with torch.random.fork_rng():
        trained = {key: as_engine(networks.build(s)) for key, s in SCALINGS.items()}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so few scenes are slower on many
    try:
        measured = measure({0: trained}, 6)
    finally:
        torch.set_num_threads(threads)
    rest = {key: made(EQUAL)[key] for key in ("recipe", "training", "time")}
    results = loaded(tmp_path, rest | measured)
    assert [network.grid for network in results.networks.values()] == [4, 4, 4, 8, 6]
    assert sentences.runs_in_words(results) == "one run"
    assert results.cam("compound", RELEVANCE).spread is None
    assert results.runs[0].scenes_all_correct == 6
    assert (
        results.cam("width", DETAILS).mean
        == measured["networks"]["width"][CAM]["all"][DETAILS]["mean"]
    )
    assert set(NAMES) == set(measured["networks"]["width"][CAM]["all"])
    assert set(REFERENCES) == set(measured["references"])
    assert len(results.differences[GRAD_CAM, RELEVANCE]) == 10
    assert len(sentences.headline(results)) == 4
    assert "one run of each network" in sentences.limits(results)
