"""The lab page's charts and tables, from results made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.arrays import Floats, Placement
from effnet_viz.lab import evaluation
from effnet_viz.lab.evaluation import SceneSet
from effnet_viz.models import published
from effnet_viz.ui.lab.measure_table import MEASURES
from tests.lab.made_results import (
    EQUAL,
    RISING,
    Json,
    made,
    spaced,
    written,
)


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
    uniform = {cells: np.ones((1, cells, cells), np.float32) for cells in (4, 8, side)}
    by_grid = [
        evaluation.score_maps(maps, Placement.even(cells), scene_set).values[key][0]
        for cells, maps in uniform.items()
    ]
    same = np.ptp(by_grid) < 1e-4
    assert same == MEASURES[title].comparable
