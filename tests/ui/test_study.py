"""The study on the scaling lab's page."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.lab import results as lab
from tests.lab.made_results import RISING
from tests.lab.made_results import made as made_lab
from tests.lab.made_results import written as written_lab
from tests.study.made_study import made, near, written


def script(path: str, lab_path: str) -> None:
    from pathlib import Path

    from effnet_viz.lab import results as lab
    from effnet_viz.ui.lab.study import show_study

    show_study(lab.load(Path(lab_path)) if lab_path else None, Path(path))


def shown(study: Path, lab_results: str = "", **query: str) -> AppTest:
    page = AppTest.from_function(
        script, kwargs={"path": str(study), "lab_path": lab_results}, default_timeout=60
    )
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def findings(page: AppTest) -> str:
    (found,) = page.get("html")
    return html.unescape(found.proto.body).replace("\N{NO-BREAK SPACE}", " ")  # type: ignore[attr-defined]


SHARES = {"lite0": 0.5, "lite2": 0.6, "lite0-r320": 0.55}


def test_claims_stand_beside_the_chart_and_the_miniatures(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    miniatures = written_lab(tmp_path / "lab", made_lab(RISING))
    said = findings(shown(written(tmp_path, made(SHARES)), str(miniatures)))
    assert "Supported: the compound-scaled network looks at more relevant regions" in said
    found = lab.load(miniatures)
    gain = (
        found.cam("compound", "energy_of_ceiling").mean
        - found.cam("baseline", "energy_of_ceiling").mean
    )
    assert f"The five miniatures, by the same measure: supported, {round(100 * gain):+d} (" in said
    assert said.count('class="net"') == len(SHARES)
    assert "pasted objects" in said


def test_without_miniatures(tmp_path: Path) -> None:
    assert "miniatures" not in findings(shown(written(tmp_path, made(SHARES))))


@pytest.mark.parametrize("fold", ["by_depth", "two_objects"])
def test_folds_open_by_their_address(tmp_path: Path, fold: str) -> None:
    page = shown(written(tmp_path, made(SHARES)), **{fold: "true"})
    charts, tables = page.get("plotly_chart"), page.table
    assert (len(charts), len(tables)) == ((1, 0) if fold == "by_depth" else (0, 1))


def test_methods_are_shown_where_they_are_measured(tmp_path: Path) -> None:
    query = {"which_method": "true"}
    assert not shown(written(tmp_path, made(SHARES)), **query).table
    page = shown(written(tmp_path, made(SHARES, methods={"cam": 0.6, "lime": 0.4})), **query)
    methods, agreement = (table.value for table in page.table)
    assert methods["method"].tolist() == ["**CAM**", "**LIME**"]
    told = [value.replace("\N{NO-BREAK SPACE}", " ") for value in agreement.iloc[0]]
    assert told == ["**Deletion**", "+0.50 (+0.30 to +0.70)"]
    said = " ".join(element.value for element in [*page.markdown, *page.caption])
    assert "150 for Lite0;" in said
    assert "Deletion tends to rank methods as the mask does." in said


def test_methods_have_a_column_for_each_network_and_the_dearer_ones_a_table(tmp_path: Path) -> None:
    content = made(SHARES, methods={"cam": 0.6, "saliency": 0.3})
    told = content["methods"]
    rows = {row["method"]: row for row in told["networks"]["lite0"]["methods"]}
    cam = rows["cam"] | {"share": near(0.7), "hit": near(0.9)}
    told["networks"]["lite0-r320"] = {"scenes": 90, "methods": [cam]}
    told["closely"]["methods"] = [*rows.values(), rows["cam"] | {"method": "lime"}]
    page = shown(written(tmp_path, content), which_method="true")
    several, dearer, _ = (element.value for element in page.table)
    assert list(several) == ["method", "Lite0", "Lite0, 320 px", "passes", "seconds"]
    assert several["method"].tolist() == ["**CAM**", "**Saliency**"]
    found = [
        value.replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "")
        for value in several["Lite0, 320 px"]
    ]
    assert found == ["70 % (68–72)", "–"]
    assert dearer["method"].tolist() == ["**LIME**"]
    page.segmented_control(key="methods_by").set_value("Brightest point on it").run()
    assert page.table[0].value["Lite0, 320 px"][0].startswith("90")
    assert "150 for Lite0; 90 for Lite0, 320 px;" in page.caption[0].value


def test_without_results_the_page_says_what_to_do(tmp_path: Path) -> None:
    page = shown(tmp_path / "results.json")
    assert "effnet-viz lab objects" in page.info[0].value
