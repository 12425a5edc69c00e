"""The pages without a browser: what a visitor does, and what runs for it."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from effnet_viz import analyse
from effnet_viz.analysis import faithfulness, verdict
from effnet_viz.analysis.explanation import explain
from effnet_viz.arrays import Floats
from effnet_viz.engines import engine
from effnet_viz.engines.compiled import CachedEngine
from effnet_viz.engines.engine import EngineError
from effnet_viz.engines.network import Network
from effnet_viz.images.decode import decode
from effnet_viz.models import fetching, weights, zoo
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import Readiness
from effnet_viz.pictures.captions import UNTRAINED
from effnet_viz.serving import models
from effnet_viz.ui import results
from tests.conftest import SAMPLES, loaded
from tests.ui.opening import address, maps, open_app, open_whatever_happens, part, texts

NO_BREAK = "\N{NO-BREAK SPACE}"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weight file of torchvision and no network; returns the folder that is looked into."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(fetching, "reachable", lambda _: False)
    return weights.folder()


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts forward passes, gradients and the stages that run for them."""
    results.clear()
    counted: Counter[str] = Counter()
    forward, pooled = CachedEngine.forward, Network.pre_logits
    explain = CachedEngine.explain

    def counting_forward(self: CachedEngine, images: Floats) -> engine.Activations:
        counted["forward"] += 1
        return forward(self, images)

    def counting_explain(self: CachedEngine, *asked: Any) -> Mapping[int, engine.StageEvidence]:
        counted["explain"] += 1
        return explain(self, *asked)

    def counting_pooled(self: Network, activation: torch.Tensor, stage: int) -> torch.Tensor:
        counted["stages"] += len(self.stages) - stage
        return pooled(self, activation, stage)

    models.get_model(ModelRef("lite0"))
    monkeypatch.setattr(CachedEngine, "forward", counting_forward)
    monkeypatch.setattr(CachedEngine, "explain", counting_explain)
    monkeypatch.setattr(Network, "pre_logits", counting_pooled)
    yield counted
    results.clear()


def test_the_first_visit_shows_an_explained_sample() -> None:
    page = open_app()
    rows = part(page, "rows")
    assert rows["headline"] == f"Tiger cat, 39{NO_BREAK}% sure"
    assert rows["sentence"].startswith("Its first guess of 1000. Half of the evidence lies on ")
    assert [row["label"] for row in rows["rows"] if row["chosen"]] == ["tiger cat"]
    assert len(rows["rows"]) == 5
    assert "EfficientNet-Lite0 at 224 px, weights: efficientnet-lite0-57934424.pth" in texts(page)
    assert "CAM, class “tiger cat”, stage 9 (7×7)" in texts(page)
    assert "Grad-CAM, class “tiger cat”, stage 8 (7×7)" in texts(page)
    assert not page.error
    assert not page.warning


def test_what_the_sentences_say_is_what_the_api_says() -> None:
    page = open_app(image="espresso")
    explained = explain(SAMPLES / "espresso.jpg", loaded("lite0"))
    said = verdict.verdict(explained)
    rows = part(page, "rows")
    assert rows["sentence"] == f"{said.guess} {said.evidence}"
    tenth = faithfulness.blur_hottest(explained, decode(SAMPLES / "espresso.jpg"))
    assert rows["quiet"] == verdict.blurred(tenth)


def test_an_improbable_class_is_called_weak() -> None:
    page = open_app(target="espresso")
    weak = part(page, "rows")["weak"]
    result = analyse(SAMPLES / "cat.jpg", loaded("lite0"))
    strongest = result.for_target("espresso").cam.max()
    assert f"Strongest cell {strongest:.1f}, against {result.cam.max():.1f}" in weak["text"]
    grad_cam = result.attribute("grad-cam", 8).values.max()
    assert weak["ends"] == pytest.approx([result.cam.max(), result.cam.max(), grad_cam])
    assert part(open_app(target="Egyptian cat"), "rows")["weak"] is None


def test_the_page_of_channels_is_in_the_link_and_starts_again_with_another_stage() -> None:
    page = open_app(page="2", stage="6")
    assert "Channels 25 to 48 of 112" in texts(page)
    page.session_state["stage"] = 5
    page.run()
    assert not page.exception
    assert "Channels 1 to 24 of 80" in texts(page)


def test_ready_models_come_first_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = ("lite0", "lite2", "resnet50")
    monkeypatch.setattr(
        fetching,
        "readiness",
        lambda entry: Readiness.READY if entry.key in ready else Readiness.UNREACHABLE,
    )
    options = open_app().selectbox(key="model").options
    assert options[:5] == [
        "EfficientNet-Lite0 · ready",
        "EfficientNet-Lite2 · ready",
        "ResNet-50 · ready",
        "EfficientNet-Lite1 · not reachable",
        "EfficientNet-B0 · not reachable",
    ]
    assert len(options) == len(zoo.MODELS)


@pytest.mark.usefixtures("offline")
def test_a_network_without_multipliers_and_figures_is_described() -> None:
    assert "Resolution 224 px · 25.6 M parameters · 76.1 %" in texts(open_app(model="resnet50"))
    said = texts(open_app(model="timm-b2"))
    assert "Width 1.1 · depth 1.2 · resolution 256 px · 9.1 M parameters" in said
    assert "nan" not in said


def test_another_model() -> None:
    page = open_app()
    page.selectbox(key="model").set_value("lite1").run()
    assert not page.exception
    assert "EfficientNet-Lite1 at 240 px, weights: efficientnet-lite1-77cc7160.pth" in texts(page)
    assert "(8×8)" in texts(page)
    assert address(page)["model"] == "lite1"


def test_another_class_by_search() -> None:
    page = open_app(image="cat-and-espresso")
    page.selectbox(key="target").set_value("espresso").run()
    assert not page.exception
    assert part(page, "rows")["headline"].startswith("Espresso, ")
    assert "CAM, class “espresso”" in texts(page)


def test_another_stage() -> None:
    page = open_app()
    page.session_state["stage"] = 3
    page.run()
    assert not page.exception
    assert "Grad-CAM, class “tiger cat”, stage 3 (56×56)" in texts(page)
    assert "Channels of stage 3" in texts(page)
    assert "Channels 1 to 24 of 24" in texts(page)
    assert address(page)["stage"] == "3"


def test_a_link_reproduces_the_view() -> None:
    page = open_app(
        image="cat-and-espresso", model="lite2", target="espresso", stage="5", channel="7"
    )
    assert "EfficientNet-Lite2 at 260 px" in texts(page)
    assert part(page, "rows")["headline"].startswith("Espresso, ")
    assert "Grad-CAM, class “espresso”, stage 5" in texts(page)
    assert part(page, "deck")["stages"]["chosen"] == 5
    assert part(page, "pane")["description"].startswith("Channel 7 over the photograph")
    wanted = {"image": "cat-and-espresso", "model": "lite2", "stage": "5", "channel": "7"}
    assert address(page) == wanted


def test_an_address_is_read_once_and_then_the_visitors_choice_holds() -> None:
    """What the back button brings is an old address: it changes no photograph."""
    page = open_app(image="palace")
    page.session_state["image"] = "espresso"
    page.run()
    assert page.query_params["image"] == "palace"
    assert part(page, "rows")["headline"].startswith("Espresso, ")
    assert address(page)["image"] == "espresso"


def test_a_link_with_nonsense_shows_the_defaults() -> None:
    page = open_app(image="../../secret", model="b99", target="unicorn", stage="77")
    assert part(page, "rows")["headline"].startswith("Tiger cat, ")
    assert "EfficientNet-Lite0" in texts(page)
    written = part(page, "address")["values"]
    assert (written["model"], written["target"]) == (None, None)


def test_at_the_last_stage_the_page_says_that_both_maps_are_the_same() -> None:
    grad_cam = maps(open_app(stage="9"))["grad_cam"]
    assert grad_cam["text"] == "same map as CAM, tiger cat"
    assert grad_cam["why"].startswith("At the last stage both maps are the same: the gradient")
    assert not maps(open_app(stage="8"))["grad_cam"]["why"]


def test_a_covered_part_changes_the_predictions_as_the_api_says() -> None:
    page = open_app(box="0.3,0.2,0.6,0.6")
    photograph = decode(SAMPLES / "cat.jpg").covered((0.3, 0.2, 0.6, 0.6), keep=False)
    after = analyse(photograph, loaded("lite0"), "tiger cat")
    before = analyse(SAMPLES / "cat.jpg", loaded("lite0")).predictions[0]
    rows = part(page, "rows")
    assert rows["headline"].startswith("Without this part: ")
    assert after.predictions[0].label in rows["headline"]
    shown = {row["label"]: row for row in rows["rows"]}
    assert [row["label"] for row in rows["rows"][:5]] == [p.label for p in after.predictions[:5]]
    assert shown["tiger cat"]["part"] == pytest.approx(after.target.probability)
    assert shown["tiger cat"]["before_part"] == pytest.approx(before.probability)
    assert part(page, "deck")["covered"] == [0.3, 0.2, 0.6, 0.6]
    photo, cam = (maps(page)[name] for name in ("photograph", "cam"))
    percents = f"{100 * before.probability:.0f} → {100 * after.target.probability:.0f}{NO_BREAK}%"
    assert photo["live"] == {"text": "tiger cat", "change": percents}
    assert np.allclose(values_of(cam["map"]), after.cam)
    assert np.allclose(values_of(cam["before"]), analyse(SAMPLES / "cat.jpg", loaded("lite0")).cam)

    page.session_state["blur"] = "keep only the part"
    page.run()
    kept = decode(SAMPLES / "cat.jpg").covered((0.3, 0.2, 0.6, 0.6), keep=True)
    left = analyse(kept, loaded("lite0")).predictions
    rows = part(page, "rows")
    assert rows["headline"].startswith("Only this part: ")
    assert left[0].label in rows["headline"]
    page.session_state["box"] = None
    page.run()
    assert not page.exception
    assert part(page, "rows")["headline"].startswith("Tiger cat, ")
    assert "box" not in address(page)


def values_of(sent: dict[str, Any]) -> NDArray[np.float32]:
    """A map as it was sent, (h, w)."""
    values = np.frombuffer(base64.b64decode(sent["values"]), "<f4")
    return values.reshape(sent["rows"], sent["columns"])


@pytest.mark.parametrize("box", ["1,2,3", "0.5,0.5,0.5,0.6", "0.9,0,0.1,1", "0,0,1.5,1", "a,b,c,d"])
def test_a_box_with_nonsense_is_no_box(box: str) -> None:
    page = open_app(box=box)
    assert part(page, "deck")["covered"] is None
    assert part(page, "rows")["headline"].startswith("Tiger cat, ")


def test_the_box_goes_with_its_image() -> None:
    page = open_app(box="0.3,0.2,0.6,0.6")
    content = (SAMPLES / "espresso.jpg").read_bytes()
    page.file_uploader(key="files").upload("cup.jpg", content, "image/jpeg").run()
    assert not page.exception
    assert part(page, "deck")["covered"] is None


def test_another_class_at_stage_9_runs_no_stage(runs: Counter[str]) -> None:
    page = open_app(stage="9", image="cat-and-espresso")
    forwards, stages = runs["forward"], runs["stages"]
    page.selectbox(key="target").set_value("espresso").run()
    assert "Grad-CAM, class “espresso”, stage 9" in texts(page)
    assert runs["forward"] == forwards + 1  # with the hottest tenth blurred
    assert runs["stages"] == stages
    assert runs["explain"] > 0  # the stages that one may scrub to


def test_a_second_visitor_with_the_same_image_costs_nothing(runs: Counter[str]) -> None:
    open_app()
    before = dict(runs)
    open_app()
    assert dict(runs) == before


@pytest.mark.usefixtures("offline")
def test_unreachable_weights_are_explained_with_ways_out() -> None:
    page = open_app(model="b4")
    said = texts(page)
    assert "EfficientNet-B4 cannot be used yet" in said
    assert "efficientnet_b4_rwightman-23ab8bcd.pth" in said
    options = page.selectbox(key="model").options
    assert "EfficientNet-B4 · not reachable" in options
    assert "EfficientNet-Lite0 · ready" in options
    assert "MobileNetV1-1.0 (timm, 3600 epochs) · put in place by hand" in options
    assert [button.label for button in page.button] == [
        "Use EfficientNet-Lite0, which is ready",
        "Run EfficientNet-B4 untrained",
    ]
    page.button[0].click().run()
    assert not page.exception
    assert part(page, "rows")["headline"].startswith("Tiger cat, ")
    assert "model" not in address(page)


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
    assert len(maps(page)) == shown


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
    rows = part(page, "rows")
    assert rows["headline"].startswith("Untrained")
    assert rows["note"].startswith("Untrained")
    shown = maps(page)
    assert [shown[name]["stamp"] for name in ("cam", "grad_cam")] == [UNTRAINED] * 2
    captions = [line for line in texts(page).splitlines() if "EfficientNet-B0 at 224 px" in line]
    assert len(captions) == 3  # CAM, Grad-CAM, channels
    assert all("untrained (random, seed 0)" in caption for caption in captions)
    assert part(page, "channels")["badge"] == "untrained"
    assert page.query_params["untrained"] == "true"


def test_a_download_is_offered_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(fetching, "reachable", lambda _: True)
    page = open_app(model="b4")
    assert "EfficientNet-B4 · needs a download of 74 MB" in page.selectbox(key="model").options
    assert page.button[0].label == "Download 74 MB"


def test_pictures_have_alternative_texts() -> None:
    described = {name: shown["description"] for name, shown in maps(open_app()).items()}
    assert "tabby cat" in described["photograph"]
    assert described["cam"].startswith("CAM over the photograph. It is strongest at the")
    assert described["grad_cam"].startswith("Grad-CAM over the photograph.")


def test_a_saved_picture_says_everything_and_its_name_has_class_and_photograph() -> None:
    cam = maps(open_app())["cam"]
    assert cam["file"] == "cat-tiger-cat-cam-stage-9-lite0.png"
    said = "\n".join(cam["caption"])
    provenance = analyse(SAMPLES / "cat.jpg", loaded("lite0")).provenance
    assert provenance.weights_sha256 is not None
    for part_of_it in (provenance.weights_sha256, provenance.image_sha256, provenance.engine):
        assert part_of_it in said
    assert all(f"{name} {version}" in said for name, version in provenance.versions.items())


def test_details_open_when_asked_for() -> None:
    page = open_app()
    assert not page.get("dialog")
    page.session_state["_details"] = True
    page.run()
    said = texts(page)
    assert "its guess number 1 of 1000" in said
    assert "weights: efficientnet-lite0-57934424.pth" in said
