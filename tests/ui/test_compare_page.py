"""The page "Compare scaling" without a browser and in a real one."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image
from playwright.sync_api import BrowserContext, expect
from streamlit.testing.v1 import AppTest

from effnet_viz import compare
from effnet_viz.models import architectures, checkpoints, variants
from effnet_viz.ui import results
from tests.browser.visitor import PATIENCE
from tests.conftest import SAMPLES
from tests.ui.opening import open_page, panes, texts


def open_comparison(**query: str | list[str]) -> AppTest:
    return open_page("pages/compare_scaling.py", **query)


def maps(page: AppTest) -> list[str]:
    """The last caption line of every map of evidence."""
    return [p["caption"][-1] for p in panes(page) if p["map"] and p["map"]["kind"] == "evidence"]


def test_three_networks_are_compared_at_once() -> None:
    page = open_comparison()
    assert maps(page) == [f"CAM, class “tiger cat”, stage 9 ({grid})" for grid in
                          ("7×7", "14×14", "9×9")]  # fmt: skip
    said = texts(page)
    assert "These weights were published for 224 px and see 448 px here" in said
    assert "0.39 B multiply-adds" in said
    assert "1.54 B multiply-adds" in said
    table = page.dataframe[0].value
    assert list(table["Network"]) == [
        "EfficientNet-Lite0", "EfficientNet-Lite0, 448 px", "EfficientNet-Lite2",
    ]  # fmt: skip


def test_networks_without_weights_say_why_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(checkpoints, "reachable", lambda _: False)
    page = open_comparison(roles=["baseline", "depth 4", "compound"])
    assert len(maps(page)) == 2
    [warning] = [w.value for w in page.warning]
    assert warning.startswith("**EfficientNet-Lite0, depth 4**: No weights were ever published")
    assert "efficientnet_lite0-d4.safetensors" in warning
    page.toggle(key="untrained_too").set_value(True).run()
    assert not page.exception
    assert [p["stamp"] for p in panes(page)[:3]] == ["", "UNTRAINED: random weights", ""]
    assert panes(page)[-1]["stamp"] == "WITH UNTRAINED NETWORKS"
    assert "The weights are random, so this map shows the architecture and chance" in texts(page)


def test_a_checkpoint_that_cannot_be_computed_with_is_named_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EFFNET_VIZ_CHECKPOINTS", str(tmp_path))
    narrow = variants.find("lite0-w0.25-d0.25")
    state = architectures.module_of(narrow, None).state_dict()
    state["classifier.weight"][7] = float("nan")
    torch.save(state, tmp_path / "efficientnet_lite0-w0.25-d0.25.pth")
    page = open_comparison(roles=["baseline"], custom=narrow.key)
    assert len(maps(page)) == 1
    [warning] = [w.value for w in page.warning]
    assert warning.startswith(f"**{narrow.title}**: `efficientnet_lite0-w0.25-d0.25.pth` in")
    assert "not finite (NaN or infinite) in `classifier.weight`. Its training diverged" in warning


def test_mixed_recipes_are_named() -> None:
    page = open_comparison(family="a whole family", members="lite0,b0", untrained_too="true")
    assert not any("recipes" in w.value for w in page.warning)  # an untrained one has none
    assert page.query_params["members"] == "lite0,b0"


def test_a_link_reproduces_the_comparison() -> None:
    page = open_comparison(
        family="a whole family", members="lite0,lite2", target="lynx", map_stage="6", custom="b0-w9"
    )
    assert maps(page) == [f"Grad-CAM, class “lynx”, stage 6 ({g})" for g in ("14×14", "17×17")]
    assert "custom" not in page.query_params


def test_a_custom_scale_from_the_rules_page_arrives() -> None:
    page = open_page("pages/scaling_rules.py")
    button = next(b for b in page.button if b.label == "Compare this network with others")
    button.click().run()
    page.switch_page("pages/compare_scaling.py").run()
    assert not page.exception
    key = page.session_state["custom"]
    assert variants.find(key).base == "b0"
    assert any(w.value.startswith(f"**{variants.find(key).title}**") for w in page.warning)
    assert page.query_params["custom"] == key


def test_deletion_insertion_and_the_game_run_when_requested() -> None:
    page = open_comparison(
        roles=["baseline", "compound"], race="true", pointing="true", image="palace"
    )
    assert "#### Deletion and insertion" in [element.value for element in page.markdown]
    areas = page.dataframe[1].value
    expected = compare(SAMPLES / "palace.jpg", ["lite0", "lite2"]).networks
    for row, result in zip(areas.itertuples(), expected, strict=True):
        both = result.deletion_insertion
        assert both is not None
        assert row[3] == pytest.approx(both.deletion.area, rel=1e-3)
        assert row[6] == pytest.approx(both.relative_area("insertion"), rel=1e-3)
    game = page.dataframe[2].value
    assert list(game.columns) == ["Network", "Weights", "tiger cat", "espresso", "palace", "Mean"]
    assert (game["Mean"] > 60).all()  # an even map has 25


def test_a_network_in_two_roles_is_shown_once() -> None:
    page = open_comparison(side="224", custom="lite2")
    assert maps(page) == [f"CAM, class “tiger cat”, stage 9 ({grid})" for grid in ("7×7", "9×9")]
    said = texts(page)
    assert "Resolution is EfficientNet-Lite0, which is there already" in said
    assert "Your scale is EfficientNet-Lite2, which is there already" in said


def test_a_link_with_values_between_the_steps_of_a_slider_shows_the_defaults() -> None:
    page = open_comparison(roles=["resolution"], side="101")
    assert page.select_slider(key="side").value == 448
    assert maps(page)[0].endswith("(14×14)")
    page = open_comparison(roles=["baseline"], race="true", part="33")
    assert page.select_slider(key="part").value == 20


def test_a_link_sets_the_sliders() -> None:
    page = open_comparison(roles=["resolution"], side="160", race="true", part="35")
    assert page.select_slider(key="part").value == 35
    assert maps(page)[0].endswith("(5×5)")


@pytest.fixture
def depth_4_untrained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    """The untrained depth 4 before the trained compound; twice the resolution is too large."""

    def too_large(*_: object) -> None:
        raise MemoryError

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(checkpoints, "reachable", lambda _: False)
    monkeypatch.setattr(results, "grid_pointing", too_large)
    return open_comparison(roles=["depth 4", "compound"], untrained_too="true", pointing="true")


def test_an_untrained_network_names_no_class(depth_4_untrained: AppTest) -> None:
    table, game = (frame.value for frame in depth_4_untrained.dataframe)
    assert list(table["Network"]) == ["EfficientNet-Lite0, depth 4", "EfficientNet-Lite2"]
    assert table["Best class"][0] != table["Best class"][1] == "Egyptian cat"
    assert maps(depth_4_untrained) == [
        f"CAM, class “Egyptian cat”, stage 9 ({grid})" for grid in ("7×7", "9×9")
    ]
    assert {"Egyptian cat", "espresso", "palace"} < set(game.columns)


def test_charts_name_untrained_networks(depth_4_untrained: AppTest) -> None:
    charts = [element.proto for element in depth_4_untrained.get("plotly_chart")]
    assert len(charts) == 2
    for chart in charts:
        [heatmap] = json.loads(chart.spec)["data"]
        assert heatmap["x"] == heatmap["y"] == ["depth 4 (untrained)", "compound"]
        # Every pair once, with the number that the picture shows.
        what, pairs = chart.alt.split(": ")
        assert what in ("Rank correlation", "Overlap of the most important 20 %")
        assert pairs == f"depth 4 (untrained) and compound {heatmap['z'][1][0]:.2f}."
    assert panes(depth_4_untrained)[-1]["caption"][:2] == [
        "EfficientNet-Lite0, depth 4 at 224 px, weights: untrained (random, seed 0)",
        "EfficientNet-Lite2 at 260 px, weights: efficientnet-lite2-9656183e.pth",
    ]


def test_a_game_too_large_for_the_machine_says_so(depth_4_untrained: AppTest) -> None:
    said = texts(depth_4_untrained)
    assert (
        "**compound**: At twice its resolution, EfficientNet-Lite2 needs more memory than" in said
    )


def test_a_file_name_in_the_game_is_text_and_not_markdown() -> None:
    page = open_comparison(roles=["baseline"])
    content = (SAMPLES / "espresso.jpg").read_bytes()
    buffer = io.BytesIO()
    Image.open(SAMPLES / "espresso.jpg").save(buffer, "JPEG", quality=60)
    page.file_uploader(key="files").set_value(
        [
            ("cup.jpg", content, "image/jpeg"),
            ("__b__ :smile:.jpg", buffer.getvalue(), "image/jpeg"),
        ]
    )
    page.toggle(key="pointing").set_value(True).run()
    assert not page.exception
    caption, _ = (c.value for c in page.caption if "shows the same class" in c.value)
    assert "smile" in caption
    assert "__b__" not in caption
    assert ":smile:" not in caption


def test_no_members_are_no_mistake() -> None:
    page = open_comparison(family="a whole family", members="")
    said = texts(page)
    assert "Choose networks on the left" in said
    assert "do not exist" not in said


@pytest.mark.browser
def test_the_saved_numbers_are_those_of_the_api(
    context: BrowserContext, address: str, tmp_path: Path
) -> None:
    """Two Lite models and two resolutions on an uploaded file."""
    upload = tmp_path / "my photograph.jpg"
    Image.open(SAMPLES / "palace.jpg").crop((60, 0, 600, 427)).save(upload, quality=92)
    page = context.new_page()
    page.goto(address)
    page.get_by_role("link", name="Compare scaling").click()
    # The field of the page before is there until this one comes; a file put into it stays there.
    expect(page.get_by_text("Do networks scaled in different ways")).to_be_visible()
    page.locator("input[type=file]").set_input_files(upload)
    expect(page.get_by_text("my photograph").first).to_be_visible()
    expect(page.locator('.stage[aria-label^="CAM over the photograph"]')).to_have_count(3)
    expected = compare(upload, ["lite0", "lite0-r448", "lite2"])
    shown = page.locator('.stage[aria-label*="palace"]')
    expect(shown).to_have_count(3, timeout=PATIENCE)
    page.get_by_text("Run it: about forty passes of each network").click()
    page.get_by_text("Play it").click()
    expect(page.locator('img[alt="Maps of compound over the mosaic."]')).to_be_visible()
    page.get_by_role("button", name="Save the comparison").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [row["model"] for row in rows] == ["lite0", "lite0-r448", "lite2"]
    for i, (row, result) in enumerate(zip(rows, expected.networks, strict=True)):
        explanation, both = result.explanation, result.deletion_insertion
        assert both is not None
        assert float(row["pointing: mean share"]) > 0.6  # an even map has 0.25
        assert row["target"] == explanation.attribution.target.label
        for name, value in (
            ("probability", explanation.attribution.target.probability),
            ("area under deletion", both.deletion.area),
            ("highest", float(explanation.attribution.values.max())),
            ("area with half of the positive evidence", explanation.concentration.area),
            ("spearman with lite0", expected.rank_correlation[i, 0]),
        ):
            assert float(row[name]) == pytest.approx(float(value), rel=1e-3)
    with page.expect_download() as download:
        page.get_by_role("button", name="Page that opens without a server").click()
    saved = tmp_path / "comparison.html"
    saved.write_bytes(Path(download.value.path()).read_bytes())
    asked: list[str] = []
    alone = context.new_page()
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(saved.as_uri())
    expect(alone.locator("figure img")).to_have_count(3)
    assert all(url.startswith(("file:", "data:")) for url in asked)
    assert "efficientnet-lite2-9656183e.pth" in (alone.locator("pre").text_content() or "")
    assert alone.evaluate("[...document.images].every((i) => i.naturalWidth > 100)")


@pytest.mark.browser
def test_all_maps_are_linked(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address + "compare_scaling?image=palace&view=crop")
    stages = page.locator('.stage[aria-label^="CAM over the photograph"]')
    expect(stages).to_have_count(3)
    page.wait_for_timeout(500)
    stages.nth(1).hover(position={"x": 60, "y": 70})
    readings = page.locator("figure", has=stages).locator(".reading")
    for i in range(3):
        expect(readings.nth(i)).to_contain_text(re.compile(r"at row \d+, column \d+"))
