"""The page "Compare scaling" without a browser."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from effnet_viz import Model, analyse, compare
from effnet_viz.analysis.comparison_verdict import comparison_verdict
from effnet_viz.engines.engine import StageEvidence
from effnet_viz.lab.runs import UnfinishedError
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.models import architectures, fetching, variants
from effnet_viz.serving.models import SharedEngine
from effnet_viz.ui import results, words
from effnet_viz.ui.compare import miniatures
from effnet_viz.ui.layout import theme
from effnet_viz.ui.panes import map_of
from tests.conftest import SAMPLES, loaded
from tests.ui.opening import address, maps, open_page, part, parts, tell, texts


@pytest.fixture(autouse=True)
def no_miniatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's networks take seconds to load; one test draws them."""

    def refuse(_: str) -> str:
        raise UnfinishedError("not in this test")

    monkeypatch.setattr(miniatures, "_draw", refuse)


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of torchvision is here, and its server cannot be reached."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(fetching, "reachable", lambda _: False)


def open_comparison(**query: str | list[str]) -> AppTest:
    return open_page("pages/compare_scaling.py", **query)


def places(page: AppTest) -> list[dict[str, Any]]:
    """The places of the networks, in a row."""
    slots: list[dict[str, Any]] = part(page, "deck")["slots"]
    return slots


def captions(page: AppTest) -> list[str]:
    """The last caption line of every map, in the order of their places."""
    found = maps(page)
    return [found[one["name"]]["caption"][-1] for one in places(page) if one["name"] in found]


def game_shares(page: AppTest) -> dict[str, Any]:
    """What the pointing game has found, by name."""
    held = page.session_state["_pointing"]
    names = [one["title"] for one in places(page) if one["name"] in maps(page)]
    return {names[place]: outcome for place, outcome in held.found.items()}


def test_five_networks_stand_in_a_row_and_two_say_that_nobody_trained_them() -> None:
    page = open_comparison()
    assert [(one["title"], one["detail"], one["colour"]) for one in places(page)] == [
        ("Baseline", "Lite0, 224 px", "baseline"),
        ("Deeper", "d = 4", "depth"),
        ("Wider", "w = 2", "width"),
        ("Higher resolution", "r = 2, 448 px", "resolution"),
        ("Compound", "Lite2, 260 px", "compound"),
    ]
    assert captions(page) == [
        f"CAM, class “tiger cat”, stage 9 ({grid})" for grid in ("7×7", "14×14", "9×9")
    ]
    stills = [one for one in places(page) if one["still"]]
    assert [one["still"]["below"] for one in stills] == [
        "No weights were published for d = 4",
        "No weights were published for w = 2",
    ]
    links = [one["still"]["link"] for one in stills]
    assert links == [["/scaling_lab?bench=Five+miniatures", "See trained miniatures"]] * 2
    assert part(page, "deck")["scale"] == "shared"
    assert address(page) == {"image": "cat"}


def test_a_network_has_one_name_and_one_colour_on_every_page() -> None:
    assert {key: words.NETWORKS[key] for key in SCALINGS} == {
        key: scaling.name for key, scaling in SCALINGS.items()
    }
    assert theme.NETWORKS[: len(SCALINGS)] == tuple(SCALINGS)


def test_the_verdict_and_the_table_are_those_of_the_comparison() -> None:
    page = open_comparison()
    expected = compare(
        SAMPLES / "cat.jpg", [loaded(key) for key in ("lite0", "lite0-r448", "lite2")]
    )
    names = ["Baseline", "Higher resolution", "Compound"]
    claim = part(page, "claim")
    assert claim["text"] == comparison_verdict(expected, names).text
    assert claim["quiet"] == "Rank correlation of the maps for tiger cat"
    assert part(page, "pane")["ends"] == ["alike", "apart"]
    table = next(e.proto.body for e in page.get("html") if 'class="pairs"' in e.proto.body)
    for i in range(3):
        for j in range(i):
            assert table.count(f">{expected.rank_correlation[i, j]:.2f}</td>") >= 2


def await_gradients(*models: Model) -> None:
    """Until every stage's Grad-CAM comes from one run: once for a machine, that is converted."""
    until = time.monotonic() + 240
    for model in models:
        seen = analyse(SAMPLES / "cat.jpg", model)
        while not seen.explained_at_once():
            assert time.monotonic() < until
            time.sleep(1)


def test_the_maps_of_all_stages_follow_for_the_browser() -> None:
    await_gradients(*map(loaded, ("lite0", "lite0-r448", "lite2")))
    page = open_comparison(map_stage="4")
    deck, shown, told = part(page, "deck"), maps(page), parts(page, "stages")
    assert [one["slot"] for one in told] == ["lite0", "lite0-r448", "lite2"]
    assert {one["of"] for one in told} == {deck["stages"]["of"]}
    for one in told:
        model = loaded(one["slot"])
        seen = analyse(SAMPLES / "cat.jpg", model, "tiger cat")
        assert sum(len(own["map"]["values"]) for own in one["pictures"]) < 120_000  # bytes
        pictures = [one["common"] | own for own in one["pictures"]]
        assert len(pictures) == model.last_stage
        for stage, picture in enumerate(pictures, start=1):
            made = seen.attribute(stage=stage)
            values = map_of(made).values
            low, high = picture["map"].pop("levels")
            levels = np.frombuffer(base64.b64decode(picture["map"].pop("values")), "<u2")
            width = (high - low) / 65535
            assert np.ptp(levels) == 65535
            assert low + levels * width == pytest.approx(values.ravel(), abs=width)
            assert f"stage {stage} " in picture["caption"][-1]
        # What the server shows at a stage is what the browser does, but for the levels.
        for name in ("values", "levels"):
            del shown[one["slot"]]["map"][name]
        assert {"part", "slot"} | pictures[3].keys() == shown[one["slot"]].keys()
        assert pictures[3].items() <= shown[one["slot"]].items()


@pytest.mark.usefixtures("no_weights")
def test_a_network_of_fewer_stages_has_all_of_its_own() -> None:
    chosen = {"family": "a whole family", "members": "lite0,resnet18", "untrained_too": "true"}
    await_gradients(loaded("lite0"), loaded("resnet18", untrained=True))
    page = open_comparison(**chosen)
    full, fewer = parts(page, "stages")
    assert (len(full["pictures"]), len(fewer["pictures"])) == (9, 5)
    assert len(part(page, "deck")["stages"]["labels"]) == 9
    for stage, own in ((9, 5), (7, 3), (5, 1), (2, 1)):  # both count from the last one
        page = open_comparison(**chosen, map_stage=str(stage))
        caption = maps(page)[fewer["slot"]]["caption"][-1]
        assert caption == fewer["pictures"][own - 1]["caption"][-1]


def test_until_all_gradients_are_converted_the_server_is_asked_for_a_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explain = SharedEngine.explain

    def explain_but_the_last(engine: SharedEngine, *asked: Any) -> Mapping[int, StageEvidence]:
        return {} if engine._model_id.key == "lite2" else explain(engine, *asked)

    monkeypatch.setattr(SharedEngine, "explain", explain_but_the_last)
    results.clear()
    page = open_comparison()
    assert "lite2" not in [one["slot"] for one in parts(page, "stages")]
    tell(page, "deck", "stage", 7)
    assert [caption.split(" (")[0] for caption in captions(page)] == [
        "Grad-CAM, class “tiger cat”, stage 7"
    ] * 3
    assert address(page)["map_stage"] == "7"
    results.clear()


@pytest.mark.usefixtures("on_torch_alone")
def test_pictures_of_another_class_or_network_are_told_apart() -> None:
    def of(**query: str | list[str]) -> str:
        name: str = part(open_comparison(**query), "deck")["stages"]["of"]
        return name

    two = ["baseline", "compound"]
    names = [
        of(roles=two),
        of(roles=two, target="lynx"),
        of(roles=two, image="palace"),
        of(roles=["baseline"]),
    ]
    assert len(set(names)) == len(names)
    assert of(roles=two, map_stage="5") == names[0]
    page = open_comparison(roles=two, method="layer-cam", map_stage="5")
    assert part(page, "deck")["stages"]["of"] == ""
    assert not parts(page, "stages")


def test_under_a_map_stand_class_share_and_guess_and_what_to_know() -> None:
    page = open_comparison()
    under = maps(page)
    assert [(one["text"], one["share"], one["side"]) for one in under.values()] == [
        ("tiger cat", "39\N{NO-BREAK SPACE}%", "its first guess"),
        ("tiger cat", "13\N{NO-BREAK SPACE}%", "3rd guess"),
        ("tiger cat", "18\N{NO-BREAK SPACE}%", "2nd, after Egyptian cat"),
    ]
    [[title, text]] = under["lite0-r448"]["care"]
    assert title == "Another resolution than the weights' own"
    assert text.startswith("These weights were published for 224 px and see 448 px here")
    assert under["lite0"]["care"] == []


def test_the_numbers_are_made_when_they_are_opened() -> None:
    page = open_comparison()
    assert not page.dataframe
    page.session_state["numbers"] = True
    page.run()
    table = page.dataframe[0].value
    assert list(table["Network"]) == ["Baseline", "Higher resolution", "Compound"]
    assert list(table["Model"]) == [
        "EfficientNet-Lite0", "EfficientNet-Lite0, 448 px", "EfficientNet-Lite2",
    ]  # fmt: skip
    assert words.OVERLAP in texts(page)


@pytest.mark.usefixtures("no_weights", "on_torch_alone")
def test_networks_without_weights_say_why_and_the_others_go_on() -> None:
    page = open_comparison(baseline="B0", roles=["baseline", "depth 4"], custom="lite1-r320")
    first, still, custom = places(page)
    assert first["note"].startswith("efficientnet_b0_rwightman-7f5810bc.pth could not be")
    assert "`" not in first["note"]
    assert first["buttons"] == [["untrained", "Run untrained"]]
    assert still["still"]["text"] == "A trained miniature, on a drawn scene"
    assert (custom["title"], custom["colour"]) == ("Your scale", "6")
    assert len(maps(page)) == 1
    page.toggle(key="untrained_too").set_value(True).run()
    assert not page.exception
    assert [one["title"] for one in places(page)] == [
        "Baseline (untrained)", "Deeper (untrained)", "Your scale",
    ]  # fmt: skip
    stamps = [maps(page)[one["name"]]["stamp"] for one in places(page)]
    assert stamps == ["UNTRAINED: random weights", "UNTRAINED: random weights", ""]
    assert part(page, "pane")["stamp"] == "WITH UNTRAINED NETWORKS"
    claim = part(page, "claim")
    assert "Baseline and Deeper are left out: random weights agree by chance." in claim["quiet"]


@pytest.mark.usefixtures("no_weights")
def test_resnet_is_scaled_by_published_weights() -> None:
    page = open_comparison(baseline="ResNet-50", untrained_too="false")
    assert [(one["title"], one["detail"], one["colour"]) for one in places(page)] == [
        ("Baseline", "ResNet-50, 224 px", "baseline"),
        ("Deeper", "ResNet-152, 224 px", "depth"),
        ("Wider", "Wide-ResNet-50-2, 224 px", "width"),
        ("Higher resolution", "r = 1.67, 374 px, same weights, not retrained", "resolution"),
    ]
    # All of them are published: no miniature stands in for them.
    assert not any(one["still"] for one in places(page))
    assert places(page)[1]["note"].startswith("resnet152-394f9c45.pth could not be downloaded")
    assert words.RESNET_SCALED in texts(page)
    assert not page.select_slider
    assert address(page)["baseline"] == "ResNet-50"


@pytest.mark.usefixtures("no_weights", "on_torch_alone")
def test_a_scaled_resnet_runs_untrained_and_says_so() -> None:
    page = open_comparison(baseline="ResNet-50", roles=["resolution"], untrained_too="true")
    [(name, found)] = maps(page).items()
    assert name == "resnet50-r374 untrained"
    assert found["stamp"] == "UNTRAINED: random weights"
    assert found["caption"][-1].endswith("stage 5 (12×12)")


@pytest.mark.usefixtures("no_weights")
def test_when_no_network_can_be_used_the_page_says_so() -> None:
    page = open_comparison(baseline="B0")
    assert part(page, "claim")["text"] == "None of these networks can be used here."
    assert all(one["note"] or one["still"] for one in places(page))
    assert not maps(page)


def test_a_checkpoint_that_cannot_be_computed_with_is_named_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EFFNET_VIZ_CHECKPOINTS", str(tmp_path))
    narrow = variants.find("lite0-w0.25-d0.25")
    state = architectures.module_of(narrow, None).state_dict()
    state["classifier.weight"][7] = float("nan")
    torch.save(state, tmp_path / "efficientnet_lite0-w0.25-d0.25.pth")
    page = open_comparison(roles=["baseline"], custom=narrow.key)
    assert list(maps(page)) == ["lite0"]
    instead = part(page, "instead")
    assert instead["slot"] == narrow.key
    note = instead["instead"]["note"]
    assert note.startswith("efficientnet_lite0-w0.25-d0.25.pth")
    assert "not finite (NaN or infinite) in classifier.weight. Its training diverged" in note


def test_a_miniature_is_drawn_once_in_the_place_of_a_network_that_nobody_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []

    def draw(scaling: str) -> str:
        drawn.append(scaling)
        return f"data:image/jpeg;base64,{scaling}"

    monkeypatch.setattr(miniatures, "_draw", draw)
    monkeypatch.setattr(miniatures, "_drawings", {})
    for _ in range(2):
        page = open_comparison(roles=["baseline", "depth 4", "width 2"])
        shown = {one["slot"]: one["instead"]["still"]["source"] for one in parts(page, "instead")}
        assert list(shown.values()) == [
            "data:image/jpeg;base64,depth", "data:image/jpeg;base64,width",
        ]  # fmt: skip
    assert drawn == ["depth", "width"]


@pytest.mark.usefixtures("on_torch_alone")
def test_old_links_to_roles_still_hold_and_new_ones_say_the_same() -> None:
    page = open_comparison(roles=["resolution", "baseline"], side="160")
    assert [one["title"] for one in places(page)] == ["Baseline", "Higher resolution"]
    assert places(page)[1]["detail"] == "r = 0.714, 160 px"
    assert captions(page)[1].endswith("(5×5)")
    assert address(page)["roles"] == ["resolution", "baseline"]
    page.multiselect(key="_roles").set_value(["baseline", "compound"]).run()
    assert address(page)["roles"] == ["baseline", "compound"]
    page.multiselect(key="_roles").set_value(list(SCALINGS)).run()
    assert "roles" not in address(page)


def test_a_link_reproduces_the_comparison() -> None:
    page = open_comparison(
        family="a whole family", members="lite0,lite2", target="lynx", map_stage="6", custom="b0-w9"
    )
    assert [(one["title"], one["detail"]) for one in places(page)] == [
        ("Lite0", "224 px"), ("Lite2", "260 px"),
    ]  # fmt: skip
    assert captions(page) == [f"Grad-CAM, class “lynx”, stage 6 ({g})" for g in ("14×14", "17×17")]
    stages = part(page, "deck")["stages"]
    assert (stages["chosen"], stages["labels"][5], stages["labels"][8]) == (
        6, "Stage 6, Grad-CAM", "Stage 9, CAM",
    )  # fmt: skip
    kept = address(page)
    assert (kept["family"], kept["members"], kept["target"], kept["map_stage"]) == (
        "a whole family", "lite0,lite2", "lynx", "6",
    )  # fmt: skip
    assert "custom" not in kept


def test_a_link_with_values_between_the_steps_shows_the_defaults() -> None:
    page = open_comparison(roles=["resolution"], side="101", part="33")
    assert page.select_slider(key="side").value == 448
    assert captions(page)[0].endswith("(14×14)")
    assert page.session_state["part"] == 20


@pytest.mark.usefixtures("no_weights")
def test_mixed_recipes_are_named() -> None:
    page = open_comparison(family="a whole family", members="lite0,b0", untrained_too="true")
    assert not any("recipes" in w.value for w in page.warning)  # an untrained one has none


@pytest.mark.usefixtures("no_weights")
def test_a_custom_scale_from_the_rules_page_arrives() -> None:
    page = open_page("pages/scaling_rules.py", phi="2.0")
    assert not part(page, "onward")["open"]
    tell(page, "onward", "onward", 1)
    assert not page.error
    onward = part(page, "onward")
    assert (onward["open"], onward["path"]) == (True, "/compare_scaling")
    page.switch_page("pages/compare_scaling.py").run()
    assert not page.exception
    key = page.session_state["custom"]
    assert variants.find(key).base == "b0"
    custom = places(page)[-1]
    assert (custom["name"], custom["title"]) == (key, "Your scale")
    assert custom["note"].startswith("No weights were ever published for this architecture")
    assert address(page)["custom"] == key


def test_a_network_in_two_roles_is_shown_once() -> None:
    page = open_comparison(roles=["baseline", "resolution", "compound"], side="224", custom="lite2")
    assert [one["title"] for one in places(page)] == ["Baseline", "Compound"]
    said = texts(page)
    assert "Higher resolution is EfficientNet-Lite0, which is there already" in said
    assert "Your scale is EfficientNet-Lite2, which is there already" in said


def test_no_networks_are_no_mistake() -> None:
    for page in (open_comparison(family="a whole family", members=""), open_comparison(roles=[""])):
        assert words.NO_NETWORKS in texts(page)
        assert not parts(page, "deck")


def test_deletion_insertion_and_the_game_run_when_a_link_asks_for_them() -> None:
    page = open_comparison(
        roles=["baseline", "compound"], race="true", pointing="true", image="palace"
    )
    expected = compare(SAMPLES / "palace.jpg", [loaded(key) for key in ("lite0", "lite2")]).networks
    found = page.session_state["_race"].found
    for place, result in enumerate(expected):
        both, mine = result.deletion_insertion, found[place].result
        assert both is not None
        assert mine.deletion.area == pytest.approx(both.deletion.area, rel=1e-3)
        assert mine.relative_area("insertion") == pytest.approx(
            both.relative_area("insertion"), rel=1e-3
        )
    said = texts(page)
    share = f"{100 * expected[0].deletion_insertion.relative_area('deletion'):.0f}"  # type: ignore[union-attr]
    assert f"<td>{share}\N{NO-BREAK SPACE}%</td>" in said
    games = game_shares(page)
    assert list(games) == ["Baseline", "Compound"]
    assert all(one.result.pointing.mean > 0.6 for one in games.values())  # an even map has 0.25
    assert [s.target.label for s in games["Baseline"].result.pointing.scores] == [
        "tiger cat", "espresso", "palace",
    ]  # fmt: skip
    assert address(page)["race"] == address(page)["pointing"] == "true"
    closer = [button for button in page.button if button.label == "Look closer"]
    assert len(closer) == 2


def test_a_card_starts_on_a_click_and_asks_again_for_another_photograph() -> None:
    page = open_comparison(roles=["baseline"], image="espresso")
    start = next(b for b in page.button if b.key == "run race")
    assert start.label.startswith("Start, about ")
    assert start.label.endswith(" s")
    start.click().run()
    assert not page.exception
    assert page.session_state["_race"].found[0].result is not None
    page.session_state["image"] = "palace"
    page.run()
    assert not page.session_state["_race"].found
    assert "race" not in address(page)
    assert next(b for b in page.button if b.key == "run race").label.startswith("Start")


def test_where_a_game_is_too_large_for_the_machine_the_card_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_large(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(results, "grid_pointing", too_large)
    page = open_comparison(roles=["compound"], pointing="true")
    assert "EfficientNet-Lite2 needs more memory than this machine has free" in texts(page)


def test_a_file_name_in_the_game_is_text_and_not_markup() -> None:
    page = open_comparison(roles=["baseline"])
    content = (SAMPLES / "espresso.jpg").read_bytes()
    buffer = io.BytesIO()
    Image.open(SAMPLES / "espresso.jpg").save(buffer, "JPEG", quality=60)
    page.file_uploader(key="files").set_value(
        [
            ("cup.jpg", content, "image/jpeg"),
            ("<b> :smile:.jpg", buffer.getvalue(), "image/jpeg"),
        ]
    ).run()
    next(b for b in page.button if b.key == "run pointing").click().run()
    assert not page.exception
    game = next(e.proto.body for e in page.get("html") if 'class="game"' in e.proto.body)
    assert "&lt;b&gt; :smile:.jpg" in game
    next(b for b in page.button if b.key == "closer pointing").click().run()
    said = "\n".join(c.value for c in page.caption if "shows the same class as" in c.value)
    assert "smile" in said
    assert "<b>" not in said
    assert ":smile:" not in said
