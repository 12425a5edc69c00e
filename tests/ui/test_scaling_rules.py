"""The page "Scaling rules" without a browser."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.models import scaling, variants
from tests.ui.opening import open_page

RULES = "pages/scaling_rules.py"


def spaced(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def texts(page: AppTest) -> str:
    elements = [*page.markdown, *page.caption, *page.info]
    return spaced("\n".join(element.value for element in elements))


def column(page: AppTest, table: int, name: str) -> list[str]:
    values = page.table[table].value.rename(columns=spaced)[name]
    return [spaced(str(value)).strip("*") for value in values]


def charts(page: AppTest) -> list[dict[str, object]]:
    """The Plotly figures: drawing, scatter."""
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]  # type: ignore[attr-defined]


def test_the_papers_rule_at_first() -> None:
    page = open_page(RULES)
    assert "α · β² · γ² = 1.92.** Each step of φ costs 1.92 times" in texts(page)
    assert "near the 2 that the paper asks for" in texts(page)
    assert column(page, 0, "rule, φ = 1") == ["1.20", "1.10", "257.6 px", "", "", "741 M", ""]
    # The rule's first step has B2's channels and layers.
    assert column(page, 0, "built, rounded")[2:5] == ["256 px", "25", "9.11 M"]
    assert column(page, 0, "B2, paper") == [
        *("1.2", "1.1", "260 px", "25", "9.11 M", "994 M", "80.1 %")
    ]


def test_sliders_change_the_numbers() -> None:
    page = open_page(RULES)
    page.slider(key="phi").set_value(7.0).run()
    assert column(page, 0, "rule, φ = 7")[:3] == ["3.58", "1.95", "595.8 px"]
    assert "B7, paper" in page.table[0].value
    page.slider(key="gamma").set_value(1.3).run()
    assert not page.exception
    assert "more than the 2 that the paper asks for" in texts(page)


def test_a_link_reproduces_the_view() -> None:
    page = open_page(
        RULES,
        phi="2.0",
        alpha="2.0",
        beta="1.0",
        gamma="1.0",
        member="Your scale",
        cost="parameters",
    )
    assert "Each step of φ costs 2.00 times" in texts(page)
    # d = 4: the network of Table 7.
    assert column(page, 0, "built, rounded") == [
        *("", "", "224 px", "66", "20.1 M", "1.58 B", "not trained")
    ]
    assert column(page, 3, "layers") == ["1", "4", "8", "8", "12", "12", "16", "4", "1"]
    assert "Your scale at 224 px: 20.1 M parameters" in texts(page)


def test_one_dimension_by_button() -> None:
    page = open_page(RULES)
    next(button for button in page.button if button.label == "Width only").click().run()
    assert not page.exception
    assert [page.slider(key=key).value for key in ("alpha", "beta", "gamma")] == [1.0, 1.41, 1.0]
    assert column(page, 0, "rule, φ = 1")[:2] == ["1.00", "1.41"]


def test_the_largest_rounding_is_named() -> None:
    """32 · 1.1 = 35.2 → 32; 1 · 1.2 layers → 2. With the button "Depth only" no channel changes."""
    page = open_page(RULES)
    assert "stage 1 changes most: 35.20 become 32" in texts(page)
    assert "stage 2 changes most: 1.20 become 2" in texts(page)
    next(button for button in page.button if button.label == "Depth only").click().run()
    assert texts(page).count("Here nothing had to be rounded.") == 2


def test_too_deep_is_said_and_the_rest_stays() -> None:
    page = open_page(RULES, phi="7.0", alpha="2.0", member="Your scale")
    assert "The rule asks for 128 times the depth of B0" in texts(page)
    assert page.selectbox(key="member").value == "EfficientNet-B0"
    assert "too deep" in column(page, 0, "built, rounded")


def test_nothing_grows() -> None:
    page = open_page(RULES, alpha="1.0", beta="1.0", gamma="1.0")
    assert "less than the 2" in texts(page)
    assert "nothing grows" in texts(page)


@pytest.mark.parametrize("key", ["lite2", "b1-v2", "b7"])
def test_table_1_of_another_model(key: str) -> None:
    entry = variants.find(key)
    page = open_page(RULES, member=entry.title)
    assert column(page, 3, "grid in")[0] == f"{entry.resolution}×{entry.resolution}"
    assert f"{entry.title} at {entry.resolution} px" in texts(page)
    assert ("has no squeeze-and-excitation" in texts(page)) == key.startswith("lite")


def test_table_1_is_the_papers_for_b0() -> None:
    page = open_page(RULES)
    assert column(page, 3, "operator")[1:4] == ["MBConv1, k3x3", "MBConv6, k3x3", "MBConv6, k5x5"]
    assert column(page, 3, "channels") == [
        *("32", "16", "24", "40", "80", "112", "192", "320", "1280")
    ]


def test_the_charts_show_the_choice_and_have_alternative_texts() -> None:
    page = open_page(RULES, member="EfficientNet-B3")
    drawing, scatter = charts(page)
    stages = 1 + 2 + 3 + 3 + 5 + 5 + 6 + 2 + 1  # B3: layers of B0 × 1.4, rounded up
    assert len(drawing["layout"]["shapes"]) == stages + 9  # and B0, dotted
    built = scaling.built(*scaling.Rule().scale(1).usable())
    assert scatter["layout"]["shapes"][0]["x0"] == built.multiply_adds
    alternatives = [chart.proto.alt for chart in page.get("plotly_chart")]  # type: ignore[attr-defined]
    assert "Stage 5: MBConv6, k3x3, grid 19×19, 96 channels, layers: 5." in alternatives[0]
    assert "Your scale has 860" in alternatives[1]
    page.get_by_key("cost").set_value("parameters").run()  # type: ignore[attr-defined]
    assert not page.exception
    assert charts(page)[1]["layout"]["shapes"][0]["x0"] == built.parameters
