"""Networks from the operator's folder go through the pages like those of the zoo."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from effnet_viz.models import architectures, own
from effnet_viz.ui import words
from effnet_viz.ui.layout.text import escape_markdown
from tests.models.own_files import put
from tests.ui.opening import address, maps, open_app, open_page, part, texts

METHODS, COMPARE = "pages/methods.py", "pages/compare_scaling.py"

FAMILY = "a whole family"

LABELS = ["owl", "wren <b>", "swift"]

pytestmark = pytest.mark.usefixtures("on_torch_alone")


@cache
def small(classes: int, seed: int) -> dict[str, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return architectures.scaled("efficientnet_b0", 0.25, 0.25, classes).state_dict()


@pytest.fixture(autouse=True)
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Networks of 64 pixels: two of three classes, one of ImageNet's, and one that is damaged."""
    monkeypatch.setenv("EFFNET_VIZ_NETWORKS", str(tmp_path))
    birds = {"resolution": 64, "classes": LABELS}
    put(tmp_path / "Birds", small(3, seed=1), **birds, recipe="5 epochs")
    put(tmp_path / "Birds again", small(3, seed=2), **birds, recipe="9 epochs")
    put(tmp_path / "Thousand", small(1000, seed=3), resolution=64)
    put(tmp_path / "*Broken* <i>", {"x": torch.ones(1)})
    return tmp_path


def test_it_is_in_the_list_and_explained_by_its_own_classes() -> None:
    page = open_app(model="own-birds")
    assert not page.error
    assert not page.warning
    options = page.selectbox(key="model").options
    assert "Birds · own-birds · ready" in options
    assert "Broken i · own-broken-i · not ready" in options
    assert page.selectbox(key="target").options == LABELS
    rows = part(page, "rows")["rows"]
    assert {row["label"] for row in rows} == set(LABELS)
    assert set(maps(page)) >= {"cam", "grad_cam"}
    said = texts(page)
    assert "3 classes · torchvision efficientnet_b0" in said
    assert "Trained: 5 epochs" in said
    assert address(page)["model"] == "own-birds"


def test_a_class_is_chosen_among_its_own_and_forgotten_where_there_is_none_like_it() -> None:
    page = open_app(model="own-birds", target="swift")
    assert not page.warning
    assert "class “swift”" in maps(page)["cam"]["caption"][-1]
    page.selectbox(key="model").select("lite0").run()
    assert not page.exception
    assert page.session_state["target"] is None
    page.selectbox(key="target").select("espresso").run()
    page.selectbox(key="model").select("own-birds").run()
    assert not page.exception
    assert not page.error
    assert part(page, "rows")["rows"]


@pytest.mark.usefixtures("on_torch_alone")
def test_the_page_of_methods_takes_it_and_a_class_of_another_network() -> None:
    for label, chosen in (("wren <b>", "wren <b>"), ("espresso", None)):
        page = open_page(METHODS, model="own-birds", target=label, other="tench")
        assert not page.error
        assert page.selectbox(key="_target").options == LABELS
        assert page.selectbox(key="_target").value == chosen
        assert {row for row in LABELS if f"“{row}”" in texts(page)}


def test_a_damaged_one_says_why_and_another_is_offered() -> None:
    page = open_app(model="own-broken-i")
    [warning] = page.warning
    reason = own.networks()["own-broken-i"].problem
    assert warning.value == f"**Broken i cannot be used.** {reason}"
    assert escape_markdown("*") not in warning.value
    assert "holds no EfficientNet that is known" in warning.value
    assert not any("untrained" in button.label for button in page.button)
    next(button for button in page.button if "which is ready" in button.label).click().run()
    assert page.session_state["model"] == "lite0"
    assert set(maps(page)) >= {"cam", "grad_cam"}


def test_one_that_is_gone_gives_way_to_the_default(networks: Path) -> None:
    page = open_app(model="own-birds")
    for file in (networks / "Birds").iterdir():
        file.unlink()
    (networks / "Birds").rmdir()
    page.run()
    assert not page.exception
    assert not page.error
    assert page.session_state["model"] == "lite0"
    assert [toast.value for toast in page.toast] == [
        "That network is gone; Lite0 is shown instead."
    ]


def test_it_does_not_stand_beside_networks_of_other_classes() -> None:
    for link in (
        {"roles": ["baseline"], "custom": "own-birds"},
        {"family": FAMILY, "members": "lite0,own-birds"},
    ):
        page = open_page(COMPARE, **link, target="swift")
        assert not page.error
        assert page.session_state["target"] == "swift"
        assert set(maps(page)) == {"lite0"}
        assert "class “tiger cat”" in maps(page)["lite0"]["caption"][-1]
        instead = part(page, "instead")
        assert instead["slot"] == "own-birds"
        assert instead["instead"]["note"] == (
            "It tells other classes apart than EfficientNet-Lite0: it has 3, and that one 1000. "
            "Maps are compared for one class: compare networks of the same classes."
        )


def test_two_of_the_same_classes_are_compared() -> None:
    page = open_page(COMPARE, family=FAMILY, members="own-birds,own-birds-again", target="wren <b>")
    assert not page.error
    assert list(maps(page)) == ["own-birds", "own-birds-again"]
    for shown in maps(page).values():
        assert "class “wren <b>”, stage 9" in shown["caption"][-1]
    assert page.selectbox(key="_target").options == LABELS
    assert "trained by 2 recipes (5 epochs, 9 epochs)" in texts(page)
    assert "Rank correlation of the maps for wren <b>" in part(page, "claim")["quiet"]
    assert address(page)["members"] == "own-birds,own-birds-again"


@pytest.mark.parametrize(
    "link",
    [
        {"roles": ["baseline"], "custom": "own-thousand"},
        {"family": FAMILY, "members": "lite0,own-thousand"},
    ],
)
def test_one_of_imagenets_classes_stands_beside_the_others(link: dict[str, str]) -> None:
    page = open_page(COMPARE, **link, target="espresso", map_stage="8")
    assert not page.error
    assert set(maps(page)) == {"lite0", "own-thousand"}
    for shown in maps(page).values():
        assert "class “espresso”, stage 8" in shown["caption"][-1]


def test_one_that_is_gone_is_left_out_of_a_comparison(networks: Path) -> None:
    page = open_page(COMPARE, family=FAMILY, members="own-birds,own-birds-again")
    for file in (networks / "Birds").iterdir():
        file.unlink()
    (networks / "Birds").rmdir()
    page.run()
    assert not page.error
    assert set(maps(page)) == {"own-birds-again"}
    assert [toast.value for toast in page.toast] == [words.NETWORK_GONE.format(name="own-birds")]
