"""What the lab's results say, from results made by hand."""

from __future__ import annotations

import dataclasses
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from effnet_viz.arrays import Floats
from effnet_viz.engines.engine import Engine
from effnet_viz.lab import evaluation, networks, sentences
from effnet_viz.lab import results as lab
from effnet_viz.lab.evaluation import SceneMaps, SceneSet, as_engine
from effnet_viz.lab.networks import SCALINGS
from effnet_viz.lab.results import (
    CAM,
    DETAILS,
    GRAD_CAM,
    RELEVANCE,
    SIZE_GROUPS,
    Results,
    ResultsError,
)
from effnet_viz.lab.runs import HELD_OUT_VENDORS
from effnet_viz.lab.summary import measure
from effnet_viz.metrics import intervals
from effnet_viz.models import published
from effnet_viz.ui.lab.measure_table import MEASURES, REFERENCES

Json = dict[str, Any]
RISING = dict(zip(SCALINGS, (0.5, 0.55, 0.6, 0.65, 0.7), strict=True))
FALLING = dict(zip(SCALINGS, (0.7, 0.65, 0.6, 0.55, 0.5), strict=True))
EQUAL = dict.fromkeys(SCALINGS, 0.6)
NAMES = [measure.key for measure in MEASURES.values()]


def over_runs(mean: float) -> Json:
    return {"mean": mean, "spread": 0.01, "runs": [mean - 0.01, mean, mean + 0.01]}


def summary(levels: dict[str, float]) -> Json:
    """Measures of one map; a small object has 0.1 less, a large one 0.1 more."""
    return {
        "all": {name: over_runs(level) for name, level in levels.items()},
        "best_threshold": over_runs(0.4),
        "by_size": {
            group: {name: over_runs(level + shift) for name, level in levels.items()}
            for group, shift in zip(SIZE_GROUPS, (-0.1, 0.0, 0.1), strict=True)
        },
    }


def made(relevance: dict[str, float], details: dict[str, float] | None = None) -> Json:
    """results.json with these means for every measure (coverage may have its own).

    Every interval is the difference ± 0.02. Grad-CAM has half of every measure.
    """
    details = details or relevance
    levels = {
        key: dict.fromkeys(NAMES, relevance[key]) | {DETAILS: details[key]} for key in SCALINGS
    }
    halves = {key: {name: value / 2 for name, value in of.items()} for key, of in levels.items()}
    uniform, gaussian = dict.fromkeys(NAMES, 0.2) | {DETAILS: 1.0}, dict.fromkeys(NAMES, 0.57)
    pairs = []
    for kind, by_key in ((CAM, levels), (GRAD_CAM, halves)):
        for one, other in combinations(SCALINGS, 2):
            for name in NAMES:
                difference = by_key[other][name] - by_key[one][name]
                pairs.append(
                    {"map": kind, "measure": name, "one": one, "other": other,
                     "difference": difference, "low": difference - 0.02, "high": difference + 0.02}
                )  # fmt: skip
    top1 = dict(zip(SCALINGS, (0.7, 0.76, 0.79, 0.73, 0.775), strict=True))
    for one, other in combinations(SCALINGS, 2):
        difference = top1[other] - top1[one]
        pairs.append(
            {"map": "answers", "measure": "top1_unseen", "one": one, "other": other,
             "difference": difference, "low": difference - 0.02, "high": difference + 0.02}
        )  # fmt: skip
    curve = [
        {"views": 1000 * n, "seen_top1": 0.2 * n, "unseen_top1": 0.1 * n} for n in (1, 2, 3, 4)
    ]
    return {
        "recipe": {"views": 4000},
        "training": {
            f"{key}-{run}": {"learning_curve": curve} for run in range(3) for key in SCALINGS
        },
        "scenes": 100,
        "runs": {
            str(run): {
                "held_out_vendor": HELD_OUT_VENDORS[run], "seed": run,
                "networks": list(SCALINGS), "scenes_all_correct": 50 + run,
                "object_share": {"small": 0.05, "medium": 0.1, "large": 0.2},
            }
            for run in range(3)
        },
        "fixed_threshold": 0.2,
        "common_grid": 4,
        "networks": {
            key: {
                "grid": 8 if key == "resolution" else 4,
                "multiply_adds": 10_000_000 if key == "baseline" else 40_000_000,
                "parameters": 400_000 if key == "baseline" else 1_700_000,
                "top1_seen": over_runs(0.9), "top1_unseen": over_runs(top1[key]),
                CAM: summary(levels[key]), GRAD_CAM: summary(halves[key]),
            }
            for key in SCALINGS
        },
        "references": {
            "uniform": summary(uniform), "centre_dot": summary(gaussian),
            "centre_gaussian": summary(gaussian), "mask": summary(dict.fromkeys(NAMES, 1.0)),
        },
        "pairs": pairs,
        "agreement": [
            {"one": one, "other": other, "same_answer": over_runs(0.8 + 0.01 * number),
             "cam_correlation": over_runs(0.5 - 0.01 * number)}
            for number, (one, other) in enumerate(combinations(SCALINGS, 2))
        ],
        "time": {
            "machine": "a machine", "milliseconds": {key: {"forward": 3.3} for key in SCALINGS}
        },
    }  # fmt: skip


def written(folder: Path, content: Json) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def loaded(folder: Path, content: Json) -> Results:
    return lab.load(written(folder, content))


def headline(folder: Path, content: Json) -> list[str]:
    return [spaced(sentence) for sentence in sentences.headline(loaded(folder, content))]


def spaced(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


# Sentences


def test_compound_best(tmp_path: Path) -> None:
    claim, relevance, references, details = headline(tmp_path, made(RISING))
    assert "**On these scenes our numbers agree with it.**" in claim
    assert (
        "clearly more evidence on the object than all four others and clearly less than none"
        in claim
    )
    best = (
        "The highest mean is the compound network's: 70.0 %. That is clearly more than any other."
    )
    assert best in relevance
    assert best in details
    assert "with all maps averaged to 4 × 4 cells first" in relevance
    assert "at least 20 % of its maximum" in details
    assert "a uniform map has 100 %" in details
    assert references.endswith(
        "All five networks have a higher mean than a uniform map (20.0 %). Only width 2, "
        "resolution 2 and the compound network have a higher mean than a centre Gaussian (57.0 %)."
    )


def test_compound_worst(tmp_path: Path) -> None:
    claim, relevance, references, _ = headline(tmp_path, made(FALLING))
    assert "**On these scenes our numbers do not show that; some point the other way.**" in claim
    assert "than none of the four others and clearly less than all four others; it" in claim
    assert claim.endswith("than none of the four others and clearly less than all four others.")
    assert (
        "The highest mean is the baseline's: 70.0 %. That is clearly more than any other. The "
        "compound network is number five with 50.0 %: clearly less than any other." in relevance
    )
    assert "Only the baseline, depth 4 and width 2 have a higher mean than a centre" in references


def test_no_difference(tmp_path: Path) -> None:
    claim, relevance, references, _ = headline(tmp_path, made(EQUAL))
    assert "**On these scenes our numbers do not show that.**" in claim
    assert "That is no clear difference from any other." in relevance
    assert "a uniform map (20.0 %) and a centre Gaussian (57.0 %)" in references


def test_more_evidence_but_less_covered(tmp_path: Path) -> None:
    claim, relevance, _, details = headline(tmp_path, made(RISING, FALLING))
    assert "agree with it in part and contradict it in part" in claim
    assert "clearly covers more of the object than none of the four others and clearly" in claim
    assert "The highest mean is the compound network's" in relevance
    assert "The compound network is number five with 50.0 %: clearly less than" in details


def test_between_the_others(tmp_path: Path) -> None:
    levels = RISING | {"compound": 0.61}
    _, relevance, _, _ = headline(tmp_path, made(levels))
    assert "The highest mean is that of resolution 2: 65.0 %." in relevance
    assert (
        "The compound network is number two with 61.0 %: clearly more than the baseline and "
        "depth 4; clearly less than resolution 2; no clear difference from width 2." in relevance
    )


def test_who_answers_right_most_often(tmp_path: Path) -> None:
    # 79 % against 70, 76, 73 and 77.5; the intervals are two points to either side.
    said = spaced(sentences.accuracy(loaded(tmp_path, made(EQUAL))))
    assert said == (
        "Width 2 answers right most often on the unseen vendor's drawings (79.0 %), clearly more "
        "often than the baseline, depth 4 and resolution 2. Of the 10 pairs of networks, 8 differ "
        "clearly. Whose drawings are left out matters less than the network: all networks together "
        "reach 74.1 % on Twitter's, 75.1 % on EmojiOne's and 76.1 % on Google's."
    )


def test_networks_below_every_reference(tmp_path: Path) -> None:
    _, _, references, _ = headline(tmp_path, made(dict.fromkeys(SCALINGS, 0.1)))
    assert "No network has a higher mean than a uniform map (20.0 %) and" in references


def test_levelling_by_hand(tmp_path: Path) -> None:
    """Accuracy on the unseen vendor at 3,000 and at 4,000 views: 0.3 and 0.4."""
    content = made(EQUAL)
    text = sentences.levelling(loaded(tmp_path, content))
    assert "by +10.0 (baseline) to +10.0 (baseline) points. None had levelled off" in text
    for name, training in content["training"].items():
        end = {"baseline": 0.29, "depth": 0.33}.get(name[:-2], 0.31)
        curve = [dict(point) for point in training["learning_curve"]]
        curve[-1]["unseen_top1"] = end
        training["learning_curve"] = curve
    text = sentences.levelling(loaded(tmp_path, content))
    assert "by −1.0 (baseline) to +3.0 (depth 4) points" in text
    assert spaced(text).count("Not all had levelled off: depth 4 gained 2 points or more") == 1
    for run in range(3):
        content["training"][f"depth-{run}"] = content["training"]["width-0"]
    assert "None gained 2 points or more" in sentences.levelling(loaded(tmp_path, content))


def test_curves_are_means_over_runs(tmp_path: Path) -> None:
    content = made(EQUAL)
    for run, end in enumerate((0.1, 0.2, 0.6)):
        content["training"][f"width-{run}"] = {
            "learning_curve": [{"views": 500, "seen_top1": 2 * end, "unseen_top1": end}]
        }
    (point,) = loaded(tmp_path, content).curves["width"]
    assert (point.views, point.seen, point.unseen) == (
        500,
        pytest.approx(0.6),
        pytest.approx(0.3),
    )


def test_most_and_least_alike(tmp_path: Path) -> None:
    text = spaced(sentences.most_and_least_alike(loaded(tmp_path, made(EQUAL))))
    assert text == (
        "Resolution 2 and the compound network answer alike most often (89 % of the scenes), the "
        "baseline and depth 4 least often (80 %). The maps of the baseline and depth 4 are most "
        "alike (correlation 0.50), those of resolution 2 and the compound network least (0.41)."
    )


def test_limits_have_this_lab_s_numbers(tmp_path: Path) -> None:
    text = sentences.limits(loaded(tmp_path, made(EQUAL)))
    assert "0.40 to 1.70 million parameters; the paper's smallest has 5.3" in text
    assert "on three runs of each network" in text
    assert "the same 4,000 views" in text
    assert "only on the 153 of 300 scenes" in text
    assert "4 × 4 (width 2), 8 × 8 (resolution 2) and 4 × 4 (compound) cells" in text
    assert "\n" not in text


def test_a_pair_seen_from_either_side(tmp_path: Path) -> None:
    results = loaded(tmp_path, made(RISING))
    pair = results.against_others("baseline", RELEVANCE)[-1]
    assert (pair.one, pair.other) == ("compound", "baseline")
    assert (pair.value, pair.low, pair.high) == pytest.approx((-0.2, -0.22, -0.18))
    assert pair.clear
    assert not results.against_others("baseline", RELEVANCE)[0].seen_from("depth").high < 0


# Loading


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


# The page's parts


def script(path: str) -> None:
    from pathlib import Path

    from effnet_viz.ui.lab import results as page
    from effnet_viz.ui.lab.measures import show_measures

    results = page.load_results(Path(path))
    if results is None:
        return
    page.show_headline(results)
    page.show_accuracy(results)
    show_measures(results)
    page.show_agreement(results)
    page.show_learning_curves(results)
    page.show_limits(results)
    page.offer_results(results)


def shown(folder: Path, content: Json, **query: str) -> AppTest:
    page = AppTest.from_function(
        script, kwargs={"path": str(written(folder, content))}, default_timeout=60
    )
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def charts(page: AppTest) -> list[Json]:
    """Accuracy, means, pairs, sizes, same answer, alike maps, curves."""
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]  # type: ignore[attr-defined]


def texts(page: AppTest) -> str:
    return spaced("\n".join(element.value for element in [*page.markdown, *page.caption]))


def test_without_results_the_page_says_what_to_do(tmp_path: Path) -> None:
    page = AppTest.from_function(script, kwargs={"path": str(tmp_path / "results.json")}).run()
    assert not page.exception
    assert "Nothing is measured yet" in page.info[0].value
    assert not charts(page)


def test_the_charts_hold_the_numbers(tmp_path: Path) -> None:
    page = shown(tmp_path, made(RISING))
    accuracy, means, pairs, sizes, answers, maps, curves = charts(page)
    seen, _, unseen, unseen_mean = accuracy["data"][:4]
    assert seen["x"] == pytest.approx([0.89, 0.9, 0.91])
    assert unseen["x"] == pytest.approx([0.69, 0.7, 0.71])
    assert unseen_mean["x"] == [0.7]
    compound, compound_mean, uniform = means["data"][8:11]
    assert compound["x"] == pytest.approx([0.69, 0.7, 0.71])
    assert compound_mean["x"] == [0.7]
    assert (uniform["x"], uniform["y"]) == ([0.2], [5])
    assert [shape["x0"] for shape in means["layout"]["shapes"]] == [0.2, 0.57, 0.57, 1.0]
    clear, unclear = pairs["data"]
    assert (len(clear["x"]), len(unclear["x"])) == (10, 0)
    assert clear["x"][3] == pytest.approx(20)  # compound − baseline, in points
    assert clear["error_x"]["array"] == pytest.approx([2] * 10)
    assert pairs["layout"]["yaxis"]["ticktext"][3] == "compound − baseline"
    assert sizes["data"][4]["y"] == pytest.approx([0.6, 0.7, 0.8])
    assert sizes["data"][0]["x"][0] == "small<br>(5\N{NO-BREAK SPACE}%)"
    assert answers["data"][0]["z"][3] == pytest.approx([0.83, 0.86, 0.88, 0.89])
    assert maps["data"][0]["z"][0] == [0.5, None, None, None]
    assert curves["data"][0]["x"] == [1000, 2000, 3000, 4000]
    assert curves["data"][0]["y"] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert curves["data"][1]["line"]["dash"] == "dash"
    assert curves["data"][1]["y"] == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_every_chart_has_an_alternative_text(tmp_path: Path) -> None:
    page = shown(tmp_path, made(RISING))
    alternatives = [spaced(chart.proto.alt) for chart in page.get("plotly_chart")]  # type: ignore[attr-defined]
    assert len(alternatives) == 7
    assert "compound: 90.0 % and 77.5 %." in alternatives[0]
    assert "Reference maps: uniform map 20.0 %" in alternatives[1]
    assert "compound − baseline: 20.0, 18.0 to 22.0." in alternatives[2]
    assert "compound: 60.0 %, 70.0 %, 80.0 %." in alternatives[3]
    assert alternatives[4].startswith("Same answer: baseline and depth 4 ")
    assert "resolution 2 and compound 89%" in alternatives[4]
    assert alternatives[5].startswith("Correlation of CAMs: baseline and depth 4 0.50; ")
    assert "width 2 80.0 % and 40.0 %" in alternatives[6]


def test_table_beside_the_paper_s(tmp_path: Path) -> None:
    page = shown(tmp_path, made(RISING))
    table = page.table[0].value

    def column(name: str) -> list[str]:
        return [spaced(str(value)) for value in table[name]]

    assert column("network") == [
        *("**baseline**", "**depth 4**", "**width 2**", "**resolution 2**", "**compound**")
    ]
    assert column("multiply-adds: ours") == ["× 1.0", *["× 4.0"] * 4]
    assert column("paper") == ["× 1.0", "× 4.5", "× 4.5", "× 4.8", "× 4.5"]  # of 0.4 B
    assert column("parameters") == ["0.40 M", *["1.70 M"] * 4]
    assert column("time per image")[0] == "3.3 ms"
    assert column("top-1, unseen vendor: ours")[0] == "70.0 ± 1.0 %"
    assert column("top-1, ImageNet: paper") == [f"{row.top1:.1f} %" for row in published.TABLE_7]
    assert "**not ImageNet**" in texts(page)
    assert "Never seen: Twitter, EmojiOne and Google, one a run." in texts(page)
    assert "Table 7" in texts(page)


def test_another_map_and_measure(tmp_path: Path) -> None:
    page = shown(tmp_path, made(EQUAL))
    page.selectbox(key="lab_measure").set_value("Evidence on distractors")
    page.get_by_key("lab_map").set_value("Grad-CAM at stage 6")  # type: ignore[attr-defined]
    page.run()
    assert not page.exception
    assert "**Lower is better.**" in texts(page)
    _, means, pairs, *_ = charts(page)
    assert means["data"][1]["x"] == [0.3]  # Grad-CAM has half of the CAM's 0.6
    clear, unclear = pairs["data"]
    assert (len(clear["x"]), len(unclear["x"])) == (0, 10)


def test_a_link_reproduces_the_choice(tmp_path: Path) -> None:
    page = shown(
        tmp_path,
        made(RISING),
        lab_map="Grad-CAM at stage 6",
        lab_measure="Evidence on object: own grid, of the ceiling",
    )
    _, means, *_ = charts(page)
    assert means["data"][9]["x"] == [0.35]
    # References have another ceiling there: five networks, each with runs and a mean, and no more.
    assert len(means["data"]) == 10
    assert "The reference maps are left out here" in texts(page)


@pytest.mark.parametrize("title", MEASURES)
def test_references_share_the_scale_of_networks(title: str) -> None:
    """A uniform map on any grid has the same value as the reference, or it is not shown.

    Coverage and overlap of it are all and the object's share; its maximum is everywhere, and the
    first of the places counts.
    """
    side = 128
    masks: Floats = np.zeros((1, side, side), np.float32)
    masks[0, 16:80, 40:100] = 1
    scene_set = SceneSet(
        np.zeros((1, side, side, 3), np.uint8), masks, 1 - masks, np.zeros(1, np.int64)
    )
    key = MEASURES[title].key
    by_grid = [
        evaluation.score_maps(np.ones((1, cells, cells), np.float32), scene_set).values[key][0]
        for cells in (4, 8, side)
    ]
    same = np.ptp(by_grid) < 1e-4
    assert same == MEASURES[title].comparable
