"""The pages without a browser: what a visitor does, and what runs for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from effnet_viz import analyse
from effnet_viz.arrays import Floats
from effnet_viz.engines import engine
from effnet_viz.engines.engine import EngineError
from effnet_viz.engines.network import Network
from effnet_viz.engines.openvino_engine import OpenVINOEngine
from effnet_viz.images.decode import decode
from effnet_viz.models import checkpoints, weights, zoo
from effnet_viz.models.variants import ModelRef
from effnet_viz.serving import models
from effnet_viz.ui import results
from tests.conftest import SAMPLES, loaded
from tests.ui.opening import (
    alternative_texts,
    open_app,
    open_whatever_happens,
    panes,
    texts,
)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weight file of torchvision and no network; returns the folder that is looked into."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(checkpoints, "reachable", lambda _: False)
    return weights.folder()


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts forward passes, gradients and the stages that run for them."""
    results.clear()
    counted: Counter[str] = Counter()
    forward, pooled = OpenVINOEngine.forward, Network.pre_logits

    def counting_forward(self: OpenVINOEngine, images: Floats) -> engine.Activations:
        counted["forward"] += 1
        return forward(self, images)

    def counting_pooled(self: Network, activation: torch.Tensor, stage: int) -> torch.Tensor:
        counted["stages"] += len(self.stages) - stage
        return pooled(self, activation, stage)

    models.get_model(ModelRef("lite0"))  # conversion runs the tail, too
    monkeypatch.setattr(OpenVINOEngine, "forward", counting_forward)
    monkeypatch.setattr(Network, "pre_logits", counting_pooled)
    yield counted
    results.clear()


def test_the_first_visit_shows_an_explained_sample() -> None:
    page = open_app()
    assert "The maps explain **tiger cat**: rank 1 of 1000" in texts(page)
    assert "EfficientNet-Lite0 at 224 px, weights: efficientnet-lite0-57934424.pth" in texts(page)
    assert "CAM, class “tiger cat”, stage 9 (7×7)" in texts(page)
    assert "Grad-CAM, class “tiger cat”, stage 6 (14×14)" in texts(page)
    assert not page.error
    assert not page.warning


def test_the_page_of_channels_is_in_the_link_and_starts_again_with_another_stage() -> None:
    page = open_app(page="2")
    assert "Channels 25 to 48 of 112" in texts(page)
    page.slider(key="stage").set_value(5).run()
    assert not page.exception
    assert "Channels 1 to 24 of 80" in texts(page)


def test_another_model() -> None:
    page = open_app()
    page.selectbox(key="model").set_value("lite1").run()
    assert not page.exception
    assert "EfficientNet-Lite1 at 240 px, weights: efficientnet-lite1-77cc7160.pth" in texts(page)
    assert "(8×8)" in texts(page)
    assert page.query_params["model"] == "lite1"


def test_another_class_by_search() -> None:
    page = open_app(image="cat-and-espresso")
    page.selectbox(key="target").set_value("espresso").run()
    assert not page.exception
    assert "The maps explain **espresso**" in texts(page)
    assert "CAM, class “espresso”" in texts(page)


def test_another_stage() -> None:
    page = open_app()
    page.slider(key="stage").set_value(3).run()
    assert not page.exception
    assert "Grad-CAM, class “tiger cat”, stage 3 (56×56)" in texts(page)
    assert "Channels of stage 3" in texts(page)
    assert "Channels 1 to 24 of 24" in texts(page)


def test_a_link_reproduces_the_view() -> None:
    page = open_app(
        image="cat-and-espresso",
        model="lite2",
        target="espresso",
        stage="5",
    )
    assert "EfficientNet-Lite2 at 260 px" in texts(page)
    assert "The maps explain **espresso**" in texts(page)
    assert "Grad-CAM, class “espresso”, stage 5" in texts(page)
    assert page.slider(key="stage").value == 5


def test_a_link_with_nonsense_shows_the_defaults() -> None:
    page = open_app(image="../../secret", model="b99", target="unicorn", stage="77")
    assert "The maps explain **tiger cat**" in texts(page)
    assert "EfficientNet-Lite0" in texts(page)


def test_a_covered_part_changes_the_predictions_as_the_api_says() -> None:
    page = open_app(box="0.3,0.2,0.6,0.6")
    photograph = decode(SAMPLES / "cat.jpg").covered((0.3, 0.2, 0.6, 0.6), keep=False)
    after = analyse(photograph, loaded("lite0")).predictions
    before = analyse(SAMPLES / "cat.jpg", loaded("lite0")).predictions[0]
    left = after.of(before.index).probability
    assert f"from {before.probability:.1%} to **{left:.1%}**" in texts(page)
    assert f"now **{after[0].label}** ({after[0].probability:.1%})" in texts(page)
    assert all(pane["covered"] == [0.3, 0.2, 0.6, 0.6] for pane in panes(page))
    page.get_by_key("blur").set_value("keep only the part").run()  # type: ignore[attr-defined]
    kept = decode(SAMPLES / "cat.jpg").covered((0.3, 0.2, 0.6, 0.6), keep=True)
    left = analyse(kept, loaded("lite0")).predictions.of(before.index).probability
    assert f"to **{left:.1%}**" in texts(page)
    page.button[-1].click().run()
    assert not page.exception
    assert "With a part covered" not in texts(page)
    assert "box" not in page.query_params


@pytest.mark.parametrize("box", ["1,2,3", "0.5,0.5,0.5,0.6", "0.9,0,0.1,1", "0,0,1.5,1", "a,b,c,d"])
def test_a_box_with_nonsense_is_no_box(box: str) -> None:
    page = open_app(box=box)
    assert "With a part covered" not in texts(page)
    assert "The maps explain **tiger cat**" in texts(page)


def test_the_box_goes_with_its_image() -> None:
    page = open_app(box="0.3,0.2,0.6,0.6")
    content = (SAMPLES / "espresso.jpg").read_bytes()
    page.file_uploader(key="files").upload("cup.jpg", content, "image/jpeg").run()
    assert not page.exception
    assert "With a part covered" not in texts(page)


def test_another_class_at_stage_9_runs_no_stage(runs: Counter[str]) -> None:
    page = open_app(stage="9", image="cat-and-espresso")
    forwards, stages = runs["forward"], runs["stages"]
    page.selectbox(key="target").set_value("espresso").run()
    assert "Grad-CAM, class “espresso”, stage 9" in texts(page)
    assert runs["forward"] == forwards
    assert runs["stages"] == stages


def test_a_second_visitor_with_the_same_image_costs_nothing(runs: Counter[str]) -> None:
    open_app()
    before = dict(runs)
    open_app()
    assert dict(runs) == before


def test_unreachable_weights_are_explained_with_ways_out(offline: Path) -> None:
    page = open_app(model="b4")
    said = texts(page)
    assert "EfficientNet-B4 cannot be used yet" in said
    assert "efficientnet_b4_rwightman-23ab8bcd.pth" in said
    assert str(offline) in said
    options = page.selectbox(key="model").options
    assert "EfficientNet-B4 · not reachable" in options
    assert "EfficientNet-Lite0 · ready" in options
    assert [button.label for button in page.button] == [
        "Use EfficientNet-Lite0, which is ready",
        "Run EfficientNet-B4 untrained",
    ]
    page.button[0].click().run()
    assert not page.exception
    assert "The maps explain **tiger cat**" in texts(page)
    assert "model" not in page.query_params


@pytest.mark.parametrize(("step", "shown"), [("model", 0), ("analysis", 0), ("attribution", 2)])
def test_a_network_too_large_for_the_machine_is_named_with_a_way_out(
    step: str, shown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(results, step, too_large)
    page = open_app(model="lite2")
    [error] = [error.value for error in page.error]
    assert error.startswith("EfficientNet-Lite2 needs more memory than this machine has free.")
    assert "Choose a smaller network" in error
    assert page.button[-1].label == "Use EfficientNet-Lite0, which is ready"
    # The photograph and CAM stay, even where Grad-CAM is too much.
    assert len(panes(page)) == shown


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EngineError("the words of a library"), "does not run on this machine"),
        (TypeError("a mistake of ours"), "Something went wrong in this app"),
        (RuntimeError("another one"), "Something went wrong in this app"),
    ],
)
def test_a_visitor_reads_a_number_and_the_log_has_the_error_under_it(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(results, "attribution", fail)
    page = open_whatever_happens("app.py")
    [message] = [shown.value for shown in page.error]
    assert said in message
    assert str(error) not in message
    [record] = [record for record in caplog.records if record.name == "effnet_viz"]
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    number = record.getMessage().removeprefix("Error ")
    assert re.search(rf"\b{number}\b", message)


def test_untrained_is_chosen_explicitly_and_labelled_everywhere(offline: Path) -> None:
    assert offline.name == "checkpoints"
    page = open_app(model="b0")
    page.button[1].click().run()
    assert not page.exception
    assert any("Untrained" in warning.value for warning in page.warning)
    captions = [line for line in texts(page).splitlines() if "EfficientNet-B0 at 224 px" in line]
    assert len(captions) == 4  # CAM, Grad-CAM, stages, channels
    assert [pane["stamp"] for pane in panes(page)[1:]] == ["UNTRAINED: random weights"] * 2
    assert all("untrained (random, seed 0)" in caption for caption in captions)
    assert page.query_params["untrained"] == "true"


def test_a_download_is_offered_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(checkpoints, "reachable", lambda _: True)
    page = open_app(model="b4")
    assert "EfficientNet-B4 · needs a download of 74 MB" in page.selectbox(key="model").options
    assert page.button[0].label == "Download 74 MB"


def test_pictures_have_alternative_texts() -> None:
    page = open_app()
    alternatives = alternative_texts(page)
    assert len(alternatives) == 3  # photograph, CAM, Grad-CAM
    assert "tabby cat" in alternatives[0]
    assert alternatives[1].startswith("CAM over the photograph. It is strongest at the")
    assert alternatives[2].startswith("Grad-CAM over the photograph.")


def test_the_models_page() -> None:
    page = open_app().switch_page("pages/models.py").run()
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["Model"]) == [entry.title for entry in zoo.MODELS.values()]
    assert list(table["Weights"])[:3] == ["ready"] * 3
