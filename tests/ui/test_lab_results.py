"""The lab page's charts and tables, from results made by hand."""

from __future__ import annotations

import html
import json
import re
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

    from effnet_viz.ui.lab.findings import show_findings
    from effnet_viz.ui.lab.folds import show_folds
    from effnet_viz.ui.lab.results import load_results

    results = load_results(Path(path))
    if results is not None:
        show_findings(results)
        show_folds(results)


OPEN = {"pairs": "true", "cost": "true", "curves": "true", "limits": "true"}


def shown(folder: Path, content: Json, **query: str) -> AppTest:
    """The page as a link opens it; all is folded, but for what is named `true`."""
    page = AppTest.from_function(
        script, kwargs={"path": str(written(folder, content))}, default_timeout=60
    )
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def findings(page: AppTest) -> str:
    (found,) = page.get("html")
    return spaced(html.unescape(found.proto.body))  # type: ignore[attr-defined]


def charts(page: AppTest) -> list[Json]:
    """Means, pairs, sizes, same answer, alike maps; accuracy; curves."""
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]  # type: ignore[attr-defined]


def texts(page: AppTest) -> str:
    return spaced("\n".join(element.value for element in [*page.markdown, *page.caption]))


def test_without_results_the_page_says_what_to_do(tmp_path: Path) -> None:
    page = AppTest.from_function(script, kwargs={"path": str(tmp_path / "results.json")}).run()
    assert not page.exception
    assert "Nothing is measured yet" in page.info[0].value
    assert not charts(page)


def test_the_claim_stands_over_what_was_measured(tmp_path: Path) -> None:
    page = shown(tmp_path, made(RISING | {"depth": 0.49}))
    said = findings(page)
    assert re.search(r"<h2><a href=\S+ .*>Tan and Le, 2019</a>: Compound “tends to focus on", said)
    assert "Supported: more relevant regions" in said
    assert "Open: would it happen again?" in said
    assert re.findall(r'class="mark (\w+)"', said) == ["yes", "yes", "open"]


def test_the_chart_has_an_interval_for_each_difference(tmp_path: Path) -> None:
    """From 40 to 80 %: Baseline 50, Deeper 49 ± 2, Wider 60 ± 2 and so on."""
    said = findings(shown(tmp_path, made(RISING | {"depth": 0.49})))
    assert "--base: 0.2500" in said
    rows = re.findall(r"--net: var\(--net-(\w+)\).*?--at: ([\d.]+)", said)
    assert rows == [
        ("baseline", "0.2500"), ("depth", "0.2250"), ("width", "0.5000"),
        ("resolution", "0.6250"), ("compound", "0.7500"),
    ]  # fmt: skip
    intervals = re.findall(r"--lo: ([\d.]+); --hi: ([\d.]+)", said)
    assert intervals == [
        ("0.1750", "0.2750"), ("0.4500", "0.5500"), ("0.5750", "0.6750"), ("0.7000", "0.8000"),
    ]  # fmt: skip
    assert re.findall(r'<span style="left: [\d.]+%">(\d+ %)', said) == [
        *("40 %", "50 %", "60 %", "70 %", "80 %")
    ]
    assert said.count('class="hollow"') == 1
    assert "Baseline 50 %, the yardstick. Deeper 49 %, −1 (−3 to +1), may be chance. Wider" in said


def test_nothing_is_drawn_until_it_is_opened(tmp_path: Path) -> None:
    page = shown(tmp_path, made(RISING))
    assert not charts(page)
    assert not page.table
    page = shown(tmp_path, made(RISING), curves="true")
    assert len(charts(page)) == 1
    assert "In the last quarter of training" in texts(page)


COMPARABLE = {"lab_measure": "Evidence on object: same grid"}
"""A measure that reference maps have as well."""


def test_the_charts_hold_the_numbers(tmp_path: Path) -> None:
    page = shown(tmp_path, made(RISING), **OPEN, **COMPARABLE)
    means, pairs, sizes, answers, maps, accuracy, curves = charts(page)
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
    assert pairs["layout"]["yaxis"]["ticktext"][3] == "Compound − Baseline"
    assert sizes["data"][4]["y"] == pytest.approx([0.6, 0.7, 0.8])
    assert sizes["data"][0]["x"][0] == "small<br>(5\N{NO-BREAK SPACE}%)"
    assert answers["data"][0]["z"][3] == pytest.approx([0.83, 0.86, 0.88, 0.89])
    assert maps["data"][0]["z"][0] == [0.5, None, None, None]
    assert curves["data"][0]["x"] == [1000, 2000, 3000, 4000]
    assert curves["data"][0]["y"] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert curves["data"][1]["line"]["dash"] == "dash"
    assert curves["data"][1]["y"] == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_every_chart_has_an_alternative_text(tmp_path: Path) -> None:
    page = shown(tmp_path, made(RISING), **OPEN, **COMPARABLE)
    alternatives = [spaced(chart.proto.alt) for chart in page.get("plotly_chart")]  # type: ignore[attr-defined]
    assert len(alternatives) == 7
    assert "Reference maps: uniform map 20.0 %" in alternatives[0]
    assert "Compound − Baseline: 20.0, 18.0 to 22.0." in alternatives[1]
    assert "Compound: 60.0 %, 70.0 %, 80.0 %." in alternatives[2]
    assert alternatives[3].startswith("Same answer: Baseline and Deeper ")
    assert "Higher resolution and Compound 89%" in alternatives[3]
    assert alternatives[4].startswith("Correlation of CAMs: Baseline and Deeper 0.50; ")
    assert "Compound: 90.0 % and 77.5 %." in alternatives[5]
    assert "Wider 80.0 % and 40.0 %" in alternatives[6]


def test_table_beside_the_paper_s(tmp_path: Path) -> None:
    page = shown(tmp_path, made(RISING), cost="true")
    table = page.table[0].value

    def column(name: str) -> list[str]:
        return [spaced(str(value)) for value in table[name]]

    assert column("network") == [
        *("**Baseline**", "**Deeper**", "**Wider**", "**Higher resolution**", "**Compound**")
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
    page = shown(tmp_path, made(EQUAL), pairs="true")
    page.selectbox(key="lab_measure").set_value("Evidence on distractors")
    page.get_by_key("lab_map").set_value("Grad-CAM at stage 6")  # type: ignore[attr-defined]
    page.run()
    assert not page.exception
    assert "**Lower is better.**" in texts(page)
    means, pairs, *_ = charts(page)
    assert means["data"][1]["x"] == [0.3]  # Grad-CAM has half of the CAM's 0.6
    clear, unclear = pairs["data"]
    assert (len(clear["x"]), len(unclear["x"])) == (0, 10)


def test_a_link_reproduces_the_choice(tmp_path: Path) -> None:
    page = shown(
        tmp_path,
        made(RISING),
        pairs="true",
        lab_map="Grad-CAM at stage 6",
        lab_measure="Evidence on object: own grid, of the ceiling",
    )
    means, *_ = charts(page)
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
