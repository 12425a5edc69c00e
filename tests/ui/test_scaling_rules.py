"""The page "Scaling rules" without a browser."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.models import scaling, variants
from effnet_viz.ui import words
from tests.ui.opening import open_page

RULES = "pages/scaling_rules.py"


def spaced(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def html_of(page: AppTest) -> list[ElementTree.Element]:
    """What is written as HTML, which is well-formed."""
    bodies = [element.proto.body for element in page.get("html")]  # type: ignore[attr-defined]
    return [ElementTree.fromstring(f"<div>{body}</div>") for body in bodies]


def text_of(element: ElementTree.Element) -> str:
    return spaced("".join(element.itertext()))


def texts(page: AppTest) -> str:
    elements = [*page.markdown, *page.caption, *page.info]
    said = [element.value for element in elements] + [text_of(one) for one in html_of(page)]
    return spaced("\n".join(said))


def table(page: AppTest, label: str) -> list[list[str]]:
    """Its rows, the heads first."""
    [found] = [
        region
        for one in html_of(page)
        for region in one.findall(".//div[@role='region']")
        if region.get("aria-label", "").startswith(label)
    ]
    return [[text_of(cell) for cell in row] for row in found.iter("tr")]


def column(page: AppTest, label: str, name: str) -> list[str]:
    heads, *rows = table(page, label)
    return [row[heads.index(name)] for row in rows]


def drawing(page: AppTest) -> ElementTree.Element:
    [found] = [found for one in html_of(page) for found in one.findall(".//div[@role='img']")]
    return found


def cards(page: AppTest, kind: str) -> list[dict[str, float]]:
    """Left, bottom, width and height of the cards of a kind, in percent."""
    return [
        {
            name: float(value)
            for name, value in re.findall(r"(\w+):(-?[\d.]+)%", card.get("style", ""))
        }
        for card in drawing(page).findall(f"i[@class='{kind}']")
    ]


def chart(page: AppTest) -> dict[str, object]:
    [found] = page.get("plotly_chart")
    figure: dict[str, object] = json.loads(found.proto.spec)  # type: ignore[attr-defined]
    return figure


BUILT, TABLE_1 = words.BUILT, words.TABLE_1


def test_the_papers_rule_at_first() -> None:
    page = open_page(RULES)
    assert "α · β² · γ² = 1.92. Each step of φ costs 1.92 times" in texts(page)
    assert "near the 2 that the paper asks for" in texts(page)
    assert column(page, BUILT, "rule, φ = 1") == ["1.20", "1.10", "257.6 px", "", "", "741 M", ""]
    # The rule's first step has B2's channels and layers.
    assert column(page, BUILT, "built, rounded")[2:5] == ["256 px", "25", "9.11 M"]
    assert column(page, BUILT, "B2, paper") == [
        *("1.2", "1.1", "260 px", "25", "9.11 M", "994 M", "80.1 %")
    ]


def test_sliders_change_the_numbers() -> None:
    page = open_page(RULES)
    page.slider(key="phi").set_value(7.0).run()
    assert column(page, BUILT, "rule, φ = 7")[:3] == ["3.58", "1.95", "595.8 px"]
    assert "B7, paper" in table(page, BUILT)[0]
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
    assert column(page, BUILT, "built, rounded") == [
        *("", "", "224 px", "66", "20.1 M", "1.58 B", "not trained")
    ]
    assert column(page, TABLE_1, "layers") == ["1", "4", "8", "8", "12", "12", "16", "4", "1"]
    assert "Your scale at 224 px: 20.1 M parameters" in texts(page)


def test_one_dimension_by_button() -> None:
    page = open_page(RULES)
    next(button for button in page.button if button.label == "Width only").click().run()
    assert not page.exception
    assert [page.slider(key=key).value for key in ("alpha", "beta", "gamma")] == [1.0, 1.41, 1.0]
    assert column(page, BUILT, "rule, φ = 1")[:2] == ["1.00", "1.41"]


def test_the_largest_rounding_is_named() -> None:
    """32 · 1.1 = 35.2 → 32; 1 · 1.2 layers → 2. With the button "Depth only" no channel changes."""
    page = open_page(RULES)
    assert "stage 1 changes most: 35.20 becomes 32" in texts(page)
    assert "stage 2 changes most: 1.20 becomes 2" in texts(page)
    next(button for button in page.button if button.label == "Depth only").click().run()
    assert texts(page).count("Here nothing had to be rounded.") == 2


def test_too_deep_is_said_and_the_rest_stays() -> None:
    page = open_page(RULES, phi="7.0", alpha="2.0", member="Your scale")
    assert "The rule asks for 128 times the depth of B0" in texts(page)
    assert page.selectbox(key="member").value == "EfficientNet-B0"
    assert "too deep" in column(page, BUILT, "built, rounded")


def test_nothing_grows() -> None:
    page = open_page(RULES, alpha="1.0", beta="1.0", gamma="1.0")
    assert "less than the 2" in texts(page)
    assert "nothing grows" in texts(page)


@pytest.mark.parametrize("key", ["lite2", "b1-v2", "b7"])
def test_table_1_of_another_model(key: str) -> None:
    entry = variants.find(key)
    page = open_page(RULES, member=entry.title)
    assert column(page, TABLE_1, "grid in")[0] == f"{entry.resolution}×{entry.resolution}"
    assert f"{entry.title} at {entry.resolution} px" in texts(page)
    assert ("has no squeeze-and-excitation" in texts(page)) == key.startswith("lite")


def test_table_1_is_the_papers_for_b0() -> None:
    page = open_page(RULES)
    assert column(page, TABLE_1, "operator")[1:4] == [
        "MBConv1, k3x3",
        "MBConv6, k3x3",
        "MBConv6, k5x5",
    ]
    assert column(page, TABLE_1, "channels") == [
        *("32", "16", "24", "40", "80", "112", "192", "320", "1280")
    ]


def test_every_layer_is_drawn_in_front_of_b0() -> None:
    page = open_page(RULES, phi="2.0", alpha="2.0", beta="1.0", gamma="1.0")
    assert len(cards(page, "front")) == 9
    assert len(cards(page, "front")) + len(cards(page, "layer")) == 66  # d = 4
    fronts, dotted = cards(page, "front"), cards(page, "baseline")
    assert fronts == dotted  # neither width nor resolution has grown
    said = drawing(page).get("aria-label", "")
    assert "Your scale at 224 pixels as 9 blocks." in said
    assert "Stage 5: MBConv6, k3x3, grid 14×14, 80 channels, layers: 12." in said


def test_the_drawing_grows_with_every_step_and_fits() -> None:
    """One scale from B0 to the end of the slider, and B0 always the same."""
    pages = [open_page(RULES, phi=phi) for phi in ("1.0", "4.0", "7.0")]
    baselines = [cards(page, "baseline") for page in pages]
    assert baselines[0] == baselines[1] == baselines[2]
    for one, other in pairwise(cards(page, "front") for page in pages):
        assert all(
            a["width"] < b["width"] and a["height"] < b["height"]
            for a, b in zip(one[4:], other[4:], strict=True)
        )
    largest = cards(pages[-1], "front") + cards(pages[-1], "layer")
    assert max(card["left"] + card["width"] for card in largest) <= 100
    assert 90 < max(card["bottom"] + card["height"] for card in largest) <= 100
    assert "To fit" not in texts(pages[-1])


def test_beyond_the_papers_rule_it_is_drawn_smaller_and_says_so() -> None:
    page = open_page(RULES, phi="7.0", alpha="1.0", beta="1.5", gamma="1.0")
    assert "To fit, width at 1/4 of that." in texts(page)
    assert max(card["left"] + card["width"] for card in cards(page, "front")) <= 100
    assert cards(page, "baseline")[8]["width"] < cards(open_page(RULES), "baseline")[8]["width"]


def test_b0_is_not_dotted_over_itself() -> None:
    page = open_page(RULES, phi="0.0")
    assert len(cards(page, "front")) == 9
    assert cards(page, "baseline") == []


def test_every_table_can_be_scrolled_by_keys_and_has_a_name() -> None:
    page = open_page(RULES)
    regions = [r for one in html_of(page) for r in one.findall(".//div[@role='region']")]
    assert len(regions) == 4
    assert {region.get("tabindex") for region in regions} == {"0"}
    assert len({region.get("aria-label") for region in regions}) == 4


def test_the_chart_comes_when_it_is_opened_and_shows_the_choice() -> None:
    assert not open_page(RULES).get("plotly_chart")
    page = open_page(RULES, cost="multiply-adds")
    built = scaling.built(*scaling.Rule().scale(1).usable())
    assert chart(page)["layout"]["shapes"][0]["x0"] == built.multiply_adds  # type: ignore[index]
    [drawn] = page.get("plotly_chart")
    assert "Your scale has 860" in drawn.proto.alt  # type: ignore[attr-defined]
    page.get_by_key("cost").set_value("parameters").run()  # type: ignore[attr-defined]
    assert not page.exception
    assert chart(page)["layout"]["shapes"][0]["x0"] == built.parameters  # type: ignore[index]
