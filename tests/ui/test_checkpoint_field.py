"""A visitor's own checkpoint: opened through the browser, seen by nobody else, refused in words."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from functools import cache

import pytest
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest
from torch import Tensor

from effnet_viz.models import architectures, held, recognition
from effnet_viz.serving import settings, uploads
from effnet_viz.ui import words
from effnet_viz.ui.inputs import checkpoint_field
from tests.models.hostile_files import Call, saved
from tests.ui.opening import address, maps, open_app, open_page, part, parts, texts

METHODS_PAGE, COMPARE_PAGE = "pages/methods.py", "pages/compare_scaling.py"

LABELS = ["owl", "wren <b>", "swift"]

pytestmark = pytest.mark.usefixtures("on_torch_alone")


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Checkpoints of 2 MB, and nobody has one open."""
    monkeypatch.setattr(settings, "CHECKPOINT_MEGABYTES", 2)
    yield
    for visitor in list(uploads._opened):
        uploads.release(visitor)


@cache
def state(classes: int = 3) -> dict[str, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(classes)
        module = architectures.scaled("efficientnet_b0", 0.25, 0.25, classes)
    return module.state_dict()


def put(page: AppTest, field: str, name: str, content: bytes) -> None:
    page.file_uploader(key=f"checkpoint_{field}").set_value((name, content, "")).run()
    assert not page.exception


def problem(page: AppTest) -> str:
    [error] = page.error
    return error.value


def test_it_is_opened_and_explained_by_its_own_labels() -> None:
    page = open_app()
    put(page, "weights", "my birds (3).pth", saved(state()))
    assert not page.error
    [key] = held._held
    assert address(page)["model"] == key == page.session_state["model"]
    assert checkpoint_field.is_key(key)
    assert {row["label"] for row in part(page, "rows")["rows"]} == {"class 0", "class 1", "class 2"}
    put(page, "labels", "birds.json", json.dumps(LABELS).encode())
    assert not page.error
    [labelled] = held._held
    assert labelled != key
    assert address(page)["model"] == labelled
    assert {row["label"] for row in part(page, "rows")["rows"]} == set(LABELS)
    assert page.selectbox(key="target").options == LABELS
    cam = maps(page)["cam"]
    assert any("weights: my_birds__3_.pth" in line for line in cam["caption"])
    sha256 = held.find(labelled).entry.weights.sha256  # type: ignore[union-attr]
    assert any(f"SHA-256 {sha256}" in line and "its own" in line for line in cam["caption"])
    assert f"my birds 3 · {labelled} · ready" in page.selectbox(key="model").options
    # A class of it is part of the address like any other.
    page.selectbox(key="target").select("swift").run()
    assert "class “swift”" in maps(page)["cam"]["caption"][-1]


@pytest.mark.exhaustive
def test_it_stays_on_the_page_of_methods_and_until_it_is_closed() -> None:
    page = open_app()
    put(page, "labels", "birds.txt", "\n".join(LABELS).encode())
    put(page, "weights", "birds.safetensors", save(state()))
    assert {row["label"] for row in part(page, "rows")["rows"]} == set(LABELS)
    page.switch_page(METHODS_PAGE).run()
    assert not page.error
    assert page.selectbox(key="_target").options == LABELS
    shown = {picture["slot"] for picture in parts(page, "map")}
    assert shown >= {"cam", "grad-cam", "layer-cam"}
    page.button(key="close_checkpoint").click().run()
    assert page.session_state["model"] == "lite0"
    assert not held._held
    assert not any("birds" in option for option in page.selectbox(key="model").options)


def test_nobody_else_sees_it() -> None:
    page = open_app()
    put(page, "weights", "birds.pth", saved(state()))
    [key] = held._held
    other = open_app(model=key)
    assert [info.value for info in other.info] == [
        f"{words.CHECKPOINT_LOST} {words.OPEN_AGAIN.format(instead='Lite0')}"
    ]
    assert other.session_state["model"] == "lite0"
    assert "model" not in address(other)
    assert not any("birds" in option for option in other.selectbox(key="model").options)
    assert "birds" not in texts(other)
    # It is told until another model is chosen.
    other.selectbox(key="model").select("lite1").run()
    assert not other.info
    page.run()
    assert page.session_state["model"] == key
    assert not page.info


def test_without_the_setting_nothing_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CHECKPOINT_MEGABYTES", 0)
    page = open_app(model="upload-0123456789ab")
    assert [field.key for field in page.file_uploader] == ["files"]
    assert words.CHECKPOINT not in [fold.label for fold in page.expander]
    [info] = page.info
    assert info.value.endswith(words.NO_CHECKPOINTS.format(instead="Lite0"))


def test_the_one_unused_for_longest_makes_room_and_its_visitor_reads_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = open_app()
    data = saved(state())
    put(page, "weights", "birds.pth", data)
    [key] = held._held
    monkeypatch.setattr(settings, "CHECKPOINTS_HELD", 1.5 * len(data) / settings.checkpoint_bytes())
    first = held.find(key)
    other = first._replace(entry=recognition.labelled(first.entry, ("a", "b", "c")))
    assert uploads.hold("somebody else", other) == {key}
    page.run()
    assert not page.exception
    assert page.session_state["model"] == "lite0"
    [info] = page.info
    assert info.value.startswith("`birds.pth` was closed to make room")


def test_it_is_compared_with_networks_of_the_same_classes_by_its_visitor_alone() -> None:
    page = open_app()
    put(page, "weights", "thousand.pth", saved(state(1000)))
    [key] = held._held
    page.switch_page(COMPARE_PAGE)
    page.session_state["family"] = "a whole family"
    page.session_state["members"] = f"lite0,{key}"
    page.run()
    assert not page.error
    assert set(maps(page)) == {"lite0", key}
    link = {"family": "a whole family", "members": f"lite0,{key}", "custom": key}
    other = open_page(COMPARE_PAGE, **link)
    assert not other.error
    assert set(maps(other)) == {"lite0"}
    assert address(other)["members"] == "lite0"
    assert "`custom`" in other.info[0].value
    assert [toast.value for toast in other.toast] == [words.NETWORK_NOT_OPEN.format(name=key)]
    assert "thousand" not in texts(other)


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2**28))
    return file.getvalue()


def with_nan() -> bytes:
    changed = dict(state())
    name = "features.3.0.block.0.0.weight"
    changed[name] = torch.full_like(changed[name], float("nan"))
    return saved(changed)


HOSTILE = [
    ("code.pth", lambda: saved(Call(os.system, "true")), "system`: only plain"),
    ("bomb.pt", zip_bomb, "is compressed"),
    ("garbage.ckpt", lambda: b"\x93" * 5000, "is no file that torch.save has written"),
    ("empty.safetensors", lambda: b"", "is empty"),
    ("header.safetensors", lambda: (2**60).to_bytes(8, "little") + b"{" * 99, "has a header far"),
    ("large.pth", lambda: bytes(2**21 + 1), "is too large"),
    ("nan.pth", with_nan, "not finite (NaN or infinite) in `features.3.0.block.0.0.weight`"),
    ("other.pth", lambda: saved({"x.weight": torch.ones(3)}), "holds no EfficientNet"),
    (
        "views.pth",
        lambda: saved({n: torch.full((), 0.1).expand(t.shape) for n, t in state().items()}),
        "numbers, and has",
    ),
    (
        "stems.pth",
        lambda: saved({f"a{n}.conv_stem.weight": torch.ones(1) for n in range(999)}),
        "999 first convolutions",
    ),
]


def test_what_is_wrong_is_said_and_what_is_open_stays() -> None:
    page = open_app()
    put(page, "weights", "birds.pth", saved(state()))
    [key] = held._held
    for name, make, said in HOSTILE:
        put(page, "weights", name, make())
        assert said in problem(page), name
        assert problem(page).startswith(f"`{name}` ")
        assert problem(page).endswith(".")
        assert page.session_state["model"] == key
        assert list(held._held) == [key]
    put(page, "weights", "birds.pth", saved(state(5)))
    assert not page.error
    assert len(part(page, "rows")["rows"]) == 5


def test_labels_that_do_not_fit_are_named_and_the_network_is_open_without_them() -> None:
    page = open_app()
    put(page, "labels", "birds.txt", b"owl\nwren")
    assert not page.error
    put(page, "weights", "birds.pth", saved(state()))
    assert problem(page).startswith("`birds.txt` names 2 classes, and the network has 3.")
    assert "class 2" in {row["label"] for row in part(page, "rows")["rows"]}
    for content in (b"\xff\xfe", b"owl\nowl\nwren", b"owl\nwren\n" + bytes(2**20)):
        put(page, "labels", "birds.txt", content)
        assert problem(page).startswith("`birds.txt` ")
    put(page, "labels", "birds.txt", "\n".join(LABELS).encode())
    assert not page.error
    assert {row["label"] for row in part(page, "rows")["rows"]} == set(LABELS)


def test_taken_out_of_the_field_it_is_closed() -> None:
    page = open_app()
    put(page, "weights", "birds.pth", saved(state()))
    assert held._held
    page.file_uploader(key="checkpoint_weights").set_value(None).run()
    assert not held._held
    assert page.session_state["model"] == "lite0"
    assert not page.error
