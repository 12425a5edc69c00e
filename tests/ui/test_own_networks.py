"""Networks from the operator's folder go through the pages like those of the zoo."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.models import architectures, model, own
from effnet_viz.ui.layout.text import escape_markdown
from tests.models.own_files import put
from tests.ui.opening import address, maps, open_app, open_page, part, texts

METHODS = "pages/methods.py"

LABELS = ["owl", "wren <b>", "swift"]


@pytest.fixture(autouse=True)
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network of three classes and 64 pixels, and one that is damaged."""
    monkeypatch.setenv("EFFNET_VIZ_NETWORKS", str(tmp_path))
    # Converting a network for another engine takes seconds, and its maps are the same.
    monkeypatch.setattr(model, "create_cached", lambda recipe: TorchEngine(recipe.network()))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = architectures.scaled("efficientnet_b0", 0.25, 0.25, 3)
    put(tmp_path / "Birds", module.state_dict(), resolution=64, classes=LABELS, recipe="5 epochs")
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
    page = open_page("pages/compare_scaling.py", custom="own-birds", target="swift")
    assert not page.error
    assert not page.exception
    assert "own-birds" not in address(page).values()
