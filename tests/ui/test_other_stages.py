"""Networks with other numbers of stages than EfficientNet's nine go through every page."""

from __future__ import annotations

import pytest

from effnet_viz.analysis.explanation import starting_stage
from effnet_viz.models import model, structures, variants
from effnet_viz.models.variants import ModelRef
from effnet_viz.serving import models, slow_methods
from effnet_viz.ui import results
from tests.ui.opening import address, maps, open_app, open_page, part, parts, texts

STAGES = {
    key: structures.structure_of(variants.find(key)).last
    for key in ("resnet18", "mobilenetv1-100", "es")
}

pytestmark = pytest.mark.usefixtures("on_torch_alone")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """All networks at 64 pixels, on PyTorch alone: as many stages, and a tenth of the work."""

    def at_64(ref: ModelRef) -> model.Model:
        return models.get_model(ModelRef(f"{ref.key}-r64", ref.untrained))

    monkeypatch.setattr(results, "model", at_64)


def test_they_have_other_numbers_of_stages() -> None:
    assert sorted({*STAGES.values(), 9}) == [5, 6, 8, 9]


@pytest.mark.parametrize("key", STAGES)
@pytest.mark.parametrize("stage", ["1", "4", "9", "20"])
def test_the_main_page_shows_any_stage_that_is_there(key: str, stage: str) -> None:
    page = open_app(model=key, untrained="true", stage=stage, channel="3")
    assert not page.error
    assert not page.warning
    last = STAGES[key]
    is_there = int(stage) <= last
    usual = starting_stage(results.model(ModelRef(key, True)))
    shown = int(stage) if is_there else usual
    assert ["(`stage`). The default is shown" in said.value for said in page.info] == (
        [] if is_there else [True]
    )
    assert address(page).get("stage") == (None if shown == usual else stage)
    assert f", stage {last} (" in maps(page)["cam"]["caption"][-1]
    assert f", stage {shown} (" in maps(page)["grad_cam"]["caption"][-1]
    stages = part(page, "deck")["stages"]
    assert (stages["chosen"], len(stages["labels"])) == (shown, last)
    assert f"Channels of stage {shown}" in texts(page)


@pytest.mark.exhaustive
def test_the_page_of_methods_maps_a_stage_of_five() -> None:
    try:
        page = open_page("pages/methods.py", model="resnet18", untrained="true", stage="2")
    finally:
        slow_methods.close()
    assert not page.error
    assert ", stage 2 (" in maps(page)["grad-cam"]["caption"][-1]
    assert f", stage {STAGES['resnet18']} (" in maps(page)["cam"]["caption"][-1]


@pytest.mark.parametrize("stage", [1, 2, 4, 8, 9])
def test_stages_side_by_side_are_counted_from_the_last(stage: int) -> None:
    page = open_page(
        "pages/compare_scaling.py",
        family="a whole family",
        members=f"lite0,{','.join(STAGES)}",
        untrained_too="true",
        map_stage=str(stage),
    )
    assert not page.error
    for key, last in {"lite0": 9, **STAGES}.items():
        own = max(1, last - (9 - stage))
        slot = key if key == "lite0" else f"{key} untrained"
        caption = maps(page)[slot]["caption"][-1]
        assert f", stage {own} (" in caption
        assert caption.startswith("CAM" if own == last else "Grad-CAM")


def test_a_stage_that_no_network_has_is_told_once() -> None:
    page = open_page(
        "pages/compare_scaling.py",
        family="a whole family",
        members="resnet18,es",
        untrained_too="true",
        map_stage=str(max(STAGES.values()) + 1),
    )
    [said] = page.info
    assert "(`map_stage`). The default is shown" in said.value
    assert "map_stage" not in address(page)
    page.run()
    assert not page.info


def test_a_channel_that_the_stage_does_not_have_is_told() -> None:
    page = open_app(model="resnet18", untrained="true", stage="9", channel="9999")
    [said] = page.info
    assert "(`stage`, `channel`). The defaults are shown" in said.value
    assert "channel" not in address(page)


def test_what_is_measured_of_a_comparison() -> None:
    page = open_page(
        "pages/compare_scaling.py",
        family="a whole family",
        members="resnet18,es",
        untrained_too="true",
        race="true",
        pointing="true",
    )
    assert not page.error
    assert len(maps(page)) == 2
    for card in ("_race", "_pointing"):
        found = page.session_state[card].found
        assert sorted(found) == [0, 1]
    assert all(one.result for one in page.session_state["_race"].found.values())


def test_the_pages_of_rules_and_models_list_them() -> None:
    for key in STAGES:
        title = variants.find(key).title
        page = open_page("pages/scaling_rules.py", member=title)
        assert not page.error
        assert f">{STAGES[key]}<" in texts(page)
    page = open_page("pages/models.py")
    assert not page.error
    assert all(variants.find(key).title in texts(page) for key in STAGES)
    assert not parts(page, "map")
