"""An object of one's own: from files to the session, without a browser."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from effnet_viz.models.classes import imagenet
from effnet_viz.scenes import cutting
from effnet_viz.scenes.cutting import MOST_STROKES, Stroke
from effnet_viz.scenes.objects import CutOut
from effnet_viz.ui import words
from effnet_viz.ui.lab import own_object
from tests.ui.opening import part, parts, tell

BOX = [0.2, 0.2, 0.8, 0.8]
FOX = "red fox"


def _page() -> None:
    from effnet_viz.ui.lab.own_object import offer_own_object

    offer_own_object()


def thing(*, transparent: bool) -> bytes:
    """A red disc on a see-through or a green ground, as a PNG file."""
    ground = (0, 0, 0, 0) if transparent else (30, 160, 60, 255)
    picture = Image.new("RGBA", (300, 300), ground)
    ImageDraw.Draw(picture).ellipse((90, 90, 210, 210), fill=(200, 40, 30, 255))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def open_dialog(page: AppTest) -> None:
    """Without a browser, every run is of the whole page, and closes the dialog."""
    page.button(key="open_own_object").click().run()
    assert not page.exception


def opened(content: bytes, name: str = "thing.png") -> AppTest:
    """The dialog after this file was put into its field."""
    page = AppTest.from_function(_page, default_timeout=60).run()
    open_dialog(page)
    [field] = page.file_uploader
    field.upload(name, content, "image/png").run()
    assert not page.exception
    open_dialog(page)
    return page


def asked(page: AppTest, name: str, value: object) -> dict[str, Any]:
    """What the cutter shows after a visitor did something there."""
    tell(page, "cutter", name, value)
    open_dialog(page)
    return part(page, "cutter")


def use(page: AppTest, *labels: str) -> CutOut | None:
    """The object after it was named and put into the scene."""
    page.multiselect(key="own_object_labels").set_value(list(labels))
    page.button(key="open_own_object").click().run()
    button = page.button(key="use_own_object")
    assert not button.disabled
    button.click()
    page.button(key="open_own_object").click().run()
    made: CutOut | None = page.session_state["own_object"]
    return made


def test_a_transparent_picture_is_an_object_at_once() -> None:
    page = opened(thing(transparent=True))
    assert not parts(page, "cutter")
    assert part(page, "cut")["source"].startswith("data:image/png")
    assert page.button(key="use_own_object").disabled
    assert words.SAY_WHAT_IT_IS in [one.value for one in page.caption]
    made = use(page, FOX, "kit fox")
    assert made is not None
    assert (made.name, made.labels) == (cutting.NAME, (FOX, "kit fox"))
    opaque = made.rgba[..., 3] >= 128
    assert opaque.sum() == pytest.approx(np.pi * 60**2, rel=0.03)
    assert (made.rgba[opaque][:, 0] > 150).all()


def test_a_photograph_is_cut_by_a_box_and_brushes() -> None:
    page = opened(thing(transparent=False))
    told = part(page, "cutter")
    assert (told["box"], told["cut"], told["undo"]) == (None, "", False)
    assert page.button(key="use_own_object").disabled
    told = asked(page, "box", BOX)
    assert told["box"] == BOX
    assert told["cut"].startswith("data:image/png")
    stroke = [False, 0.05, [[0.5, 0.5], [0.5, 0.6]]]
    told = asked(page, "stroke", stroke)
    assert told["undo"]
    draft = page.session_state["_own_draft"]
    pixels = draft.photograph
    expected = cutting.cut_out(pixels, tuple(BOX), [Stroke(False, 0.05, ((0.5, 0.5), (0.5, 0.6)))])
    assert np.array_equal(draft.opacity, expected)
    asked(page, "undo", 1)
    whole = page.session_state["_own_draft"].opacity
    assert np.array_equal(whole, cutting.cut_out(pixels, tuple(BOX)))
    made = use(page, FOX)
    assert made is not None
    assert (made.rgba[..., 3] >= 128).sum() == pytest.approx(np.pi * 60**2, rel=0.05)


def test_start_again_and_another_picture() -> None:
    page = opened(thing(transparent=False))
    asked(page, "box", BOX)
    assert asked(page, "again", 1)["box"] is None
    page.button(key="other_object_picture").click().run()
    open_dialog(page)
    assert not parts(page, "cutter")
    assert len(page.file_uploader) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("box", told) for told in (None, [1], "box", [[]] * 4)],
        *[("box", told) for told in ([0.5, 0.2, 0.4, 0.8], [0, 0, 2, 1])],
        ("stroke", [True, 0.05, [[0.5, 0.5]] * 5000]),
        ("stroke", [True, 5, [[0.5, 0.5]]]),
        ("stroke", [True, 0.05, [[7, 7], "x", None]]),
        ("stroke", {"thing": True}),
    ],
)  # fmt: skip
def test_what_no_cutter_says_changes_nothing(name: str, value: object) -> None:
    page = opened(thing(transparent=False))
    asked(page, "box", BOX)
    before = page.session_state["_own_draft"]
    asked(page, name, value)
    assert page.session_state["_own_draft"] is before


def test_a_stroke_without_a_box_and_too_many_strokes() -> None:
    page = opened(thing(transparent=False))
    stroke = [True, 0.02, [[0.5, 0.5]]]
    assert not asked(page, "stroke", stroke)["undo"]
    asked(page, "box", BOX)
    draft = page.session_state["_own_draft"]
    many = (Stroke(True, 0.02, ((0.5, 0.5),)),) * MOST_STROKES
    page.session_state["_own_draft"] = own_object.replace(draft, strokes=many)
    asked(page, "stroke", stroke)
    assert len(page.session_state["_own_draft"].strokes) == MOST_STROKES
    assert words.MANY_STROKES in [one.value for one in page.error]


def test_what_cannot_be_an_object_is_told() -> None:
    said = [one.value for one in opened(b"no picture", "broken.png").error]
    assert len(said) == 1
    assert "This is not a picture that can be opened here" in said[0]
    clear = io.BytesIO()
    Image.new("RGBA", (200, 200)).save(clear, "PNG")
    [text] = [one.value for one in opened(clear.getvalue()).error]
    assert "Nothing is left of the object" in text


def test_an_object_can_be_removed_and_is_nobody_elses() -> None:
    page = opened(thing(transparent=True))
    use(page, FOX)
    other = AppTest.from_function(_page).run()
    open_dialog(other)
    assert "own_object" not in other.session_state
    open_dialog(page)
    assert any(FOX in one.value for one in page.caption)
    page.button(key="remove_own_object").click()
    page.button(key="open_own_object").click().run()
    assert page.session_state["own_object"] is None


def test_its_class_is_any_of_imagenets() -> None:
    page = opened(thing(transparent=True))
    assert page.multiselect(key="own_object_labels").options == list(imagenet())


def test_the_file_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[str] = []
    monkeypatch.setattr(own_object.visitors, "release", released.append)
    opened(thing(transparent=False))
    assert len(released) == 1
