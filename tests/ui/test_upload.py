"""Photographs of a visitor: one or many, good or bad, and nobody else sees them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from effnet_viz.models import variants
from effnet_viz.serving import settings
from effnet_viz.ui import visitors
from tests.conftest import SAMPLES
from tests.ui.opening import open_app, open_page, panes, texts


def test_upload_an_image_and_get_its_own_explanation() -> None:
    page = open_app()
    content = (SAMPLES / "espresso.jpg").read_bytes()
    page.file_uploader(key="files").upload("my cup.jpg", content, "image/jpeg").run()
    assert not page.exception
    assert "The maps explain **espresso**" in texts(page)
    assert "my cup.jpg, 600×400 px" in texts(page)
    assert page.query_params["image"] == "upload-1"  # nothing of the image in the link


def test_of_a_thin_panorama_every_network_gets_the_same_middle() -> None:
    page = open_page("pages/compare_scaling.py")
    file = io.BytesIO()
    Image.open(SAMPLES / "palace.jpg").resize((2000, 80)).save(file, "PNG")
    page.file_uploader(key="files").upload("panorama.png", file.getvalue(), "image/png").run()
    assert not page.exception
    shown = [pane for pane in panes(page) if pane["map"]["kind"] == "evidence"]
    keys = ["lite0", "lite0-r448", "lite2"]
    for pane, entry in zip(shown, map(variants.find, keys), strict=True):
        margin = (1 - entry.preprocessing.resolution / entry.preprocessing.resize) / 2
        assert pane["box"] == pytest.approx([margin, margin, 1 - margin, 1 - margin], abs=0.01)
        assert pane["photograph"] == shown[0]["photograph"]
    assert shown[0]["photograph"]["original"] == [80, 80]


def test_good_files_work_beside_bad_ones_and_each_bad_one_is_named() -> None:
    page = open_app()
    good = (SAMPLES / "palace.jpg").read_bytes()
    page.file_uploader(key="files").set_value(
        [
            ("notes.txt", b"no picture at all", "text/plain"),
            ("palace.jpg", good, "image/jpeg"),
            ("empty.png", b"", "image/png"),
            ("half.jpg", good[: len(good) // 2], "image/jpeg"),
        ]
    ).run()
    assert not page.exception
    assert "The maps explain **palace**" in texts(page)
    problems = [error.value for error in page.error]
    assert len(problems) == 3
    for name, problem in zip(("notes", "empty", "half"), problems, strict=True):
        assert problem.startswith(name)
        assert problem.endswith(".")


def test_photographs_of_one_name_are_numbered() -> None:
    page = open_app()
    contents = [(SAMPLES / f"{name}.jpg").read_bytes() for name in ("espresso", "palace", "cat")]
    files = [("image.jpg", content, "image/jpeg") for content in contents[:2]]
    page.file_uploader(key="files").set_value(files).run()
    assert "image.jpg, 600×400 px" in texts(page)
    page.run()
    titles = [image.title for image in page.session_state["uploads"].values()]
    assert titles == ["image.jpg", "image.jpg (2)"]


def test_a_file_added_twice_stays_until_both_are_removed() -> None:
    page = open_app()
    file = ("cup.jpg", (SAMPLES / "espresso.jpg").read_bytes(), "image/jpeg")
    page.file_uploader(key="files").set_value([file, file]).run()
    assert len(page.session_state["uploads"]) == 1
    page.file_uploader(key="files").set_value([file]).run()
    assert "The maps explain **espresso**" in texts(page)
    page.file_uploader(key="files").clear().run()
    assert "The maps explain **tiger cat**" in texts(page)


def test_removing_the_upload_goes_back_to_a_sample() -> None:
    page = open_app()
    content = (SAMPLES / "espresso.jpg").read_bytes()
    page.file_uploader(key="files").upload("cup.jpg", content, "image/jpeg").run()
    assert "The maps explain **espresso**" in texts(page)
    page.file_uploader(key="files").clear().run()
    assert not page.exception
    assert "The maps explain **tiger cat**" in texts(page)


def photographs(number: int) -> list[tuple[str, bytes, str]]:
    """So many different small photographs."""
    files = []
    for n in range(number):
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (20 * n, 90, 40)).save(buffer, "PNG")
        files.append((f"{n}.png", buffer.getvalue(), "image/png"))
    return files


def test_the_thirteenth_image_waits_until_there_is_room() -> None:
    page = open_app()
    files = photographs(13)
    page.file_uploader(key="files").set_value(files).run()
    assert [error.value[:7] for error in page.error] == ["12\\.png"]
    page.file_uploader(key="files").set_value(files[1:]).run()
    assert [error.value for error in page.error] == []
    assert not page.exception


def test_the_oldest_images_make_room_and_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    files = photographs(4)
    monkeypatch.setattr(settings, "UPLOAD_BYTES", 2 * max(len(content) for _, content, _ in files))
    page = open_app()
    page.file_uploader(key="files").set_value(files[:3]).run()
    assert [image.title for image in page.session_state["uploads"].values()] == ["1.png", "2.png"]
    [problem] = [error.value for error in page.error]
    assert problem.startswith("0\\.png was removed to make room")
    assert not page.exception


def test_an_image_can_be_removed_when_the_field_is_empty_again() -> None:
    page = open_app()
    content = (SAMPLES / "espresso.jpg").read_bytes()
    page.file_uploader(key="files").upload("cup.jpg", content, "image/jpeg").run()
    page.switch_page("pages/models.py").run().switch_page("app.py").run()
    assert "cup.jpg" in texts(page)
    button = next(button for button in page.button if button.label == "Remove this image")
    button.click().run()
    assert not page.exception
    assert "The maps explain **tiger cat**" in texts(page)
    assert "cup" not in texts(page)


def test_an_image_that_left_the_list_is_held_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[str] = []
    monkeypatch.setattr(visitors, "release", released.append)
    page = open_app()
    content = (SAMPLES / "espresso.jpg").read_bytes()
    page.file_uploader(key="files").upload("cup.jpg", content, "image/jpeg").run()
    [file_id] = page.session_state["_file_ids"].values()
    assert released == []
    next(button for button in page.button if button.label == "Remove this image").click().run()
    assert released == [file_id]
    assert page.session_state["_file_ids"] == {}


def test_the_same_image_again_is_shown_again() -> None:
    page = open_app()
    content = (SAMPLES / "espresso.jpg").read_bytes()
    one, two = ("cup.jpg", content, "image/jpeg"), ("copy.jpg", content, "image/jpeg")
    page.file_uploader(key="files").set_value([one]).run()
    page.session_state["image"] = "palace"
    page.run()
    assert "The maps explain **palace**" in texts(page)
    page.file_uploader(key="files").set_value([one, two]).run()
    assert "The maps explain **espresso**" in texts(page)


def test_a_link_to_an_upload_says_that_it_is_not_there() -> None:
    page = open_app(image="upload-1")
    assert "uploads are never part of a link" in page.error[0].value
    assert "The maps explain **tiger cat**" in texts(page)
    page.slider(key="stage").set_value(3).run()
    page.session_state["image"] = "palace"
    page.run()
    assert "The maps explain **palace**" in texts(page)


def test_a_file_name_is_text_and_not_markdown() -> None:
    page = open_app()
    page.file_uploader(key="files").upload(
        "__a__ [b](c) $x$ :smile:.txt", b"no", "text/plain"
    ).run()
    shown = page.error[0].value
    assert "__a__" not in shown
    assert "[b](c)" not in shown
    assert ":smile:" not in shown


def test_a_visitor_never_meets_the_picture_of_another() -> None:
    one, other = open_app(), open_app()
    content = (SAMPLES / "espresso.jpg").read_bytes()
    one.file_uploader(key="files").upload("private.jpg", content, "image/jpeg").run()
    other.run()
    assert "private" in texts(one)
    assert "private" not in texts(other)
    assert "private" not in str(other.main)
