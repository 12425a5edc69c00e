"""Photographs of a visitor: one or many, good or bad, and nobody else sees them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from effnet_viz.models import variants
from effnet_viz.serving import settings
from effnet_viz.ui import visitors, words
from effnet_viz.ui.inputs import image_picker
from tests.conftest import SAMPLES
from tests.ui.opening import address, maps, open_app, open_page, part, parts, tell, texts

CAT, CUP = "Tiger cat, ", "Espresso, "
"""How the headlines of two samples begin."""


def sample(key: str, name: str) -> tuple[str, bytes, str]:
    """The file of a sample under another name."""
    return name, (SAMPLES / f"{key}.jpg").read_bytes(), "image/jpeg"


def add(page: AppTest, *files: tuple[str, bytes, str]) -> None:
    """Put these files into the field, beside those that are there."""
    field = page.file_uploader(key="files")
    field._files = field._get_files_to_register()
    for file in files:
        field.upload(*file)
    field.run()
    assert not page.exception


def take_out(page: AppTest, count: int) -> None:
    """Take so many files out of the field, the first ones."""
    field = page.file_uploader(key="files")
    field._files = field._get_files_to_register()[count:]
    field.run()
    assert not page.exception


def headline(page: AppTest) -> str:
    said: str = part(page, "rows")["headline"]
    return said


def problems(page: AppTest) -> list[str]:
    said: list[str] = part(page, "strip")["problems"]
    return said


def own(page: AppTest) -> dict[str, dict[str, Any]]:
    """The visitor's own photographs in the strip, by key."""
    return {one["key"]: one for one in part(page, "strip")["photographs"] if one["file"]}


def test_upload_an_image_and_get_its_own_explanation() -> None:
    page = open_app()
    name, content, kind = sample("espresso", "my cup.jpg")
    add(page, (name, content, kind))
    assert headline(page).startswith(CUP)
    assert maps(page)["photograph"]["description"].startswith("Your image my cup.jpg. ")
    assert maps(page)["cam"]["caption"][0] == "Photograph: my cup.jpg"
    assert 'title="my cup.jpg, 600×400 px"' in texts(page)
    assert address(page)["image"] == "upload-1"  # nothing of the image in the link
    shown = own(page)["upload-1"]
    assert (shown["title"], shown["file"]) == ("my cup.jpg", ["my cup.jpg", len(content)])
    assert part(page, "strip")["chosen"] == "upload-1"
    assert problems(page) == []


def test_of_a_thin_panorama_every_network_gets_the_same_middle() -> None:
    page = open_page("pages/compare_scaling.py", roles=["baseline", "compound"])
    file = io.BytesIO()
    Image.open(SAMPLES / "palace.jpg").resize((2000, 80)).save(file, "PNG")
    add(page, ("panorama.png", file.getvalue(), "image/png"))
    shown = [one for one in parts(page, "map") if one["map"]]
    keys = ["lite0", "lite2"]
    for picture, entry in zip(shown, map(variants.find, keys), strict=True):
        margin = (1 - entry.preprocessing.resolution / entry.preprocessing.resize) / 2
        assert picture["box"] == pytest.approx([margin, margin, 1 - margin, 1 - margin], abs=0.01)
        assert picture["photograph"] == shown[0]["photograph"]
    assert shown[0]["photograph"]["original"] == [80, 80]


def test_good_files_work_beside_bad_ones_and_each_bad_one_is_named() -> None:
    page = open_app()
    _, good, _ = sample("palace", "palace.jpg")
    add(
        page,
        ("notes.txt", b"no picture at all", "text/plain"),
        ("palace.jpg", good, "image/jpeg"),
        ("empty.png", b"", "image/png"),
        ("half.jpg", good[: len(good) // 2], "image/jpeg"),
    )
    assert headline(page).startswith("Palace, ")
    assert [one["title"] for one in own(page).values()] == ["palace.jpg"]
    assert len(problems(page)) == 3
    for name, problem in zip(("notes.txt", "empty.png", "half.jpg"), problems(page), strict=True):
        assert problem.startswith(f"{name}: ")
        assert problem.endswith(".")


def test_photographs_of_one_name_are_numbered() -> None:
    page = open_app()
    add(page, sample("espresso", "image.jpg"), sample("palace", "image.jpg"))
    assert headline(page).startswith(CUP)  # the first of them
    page.run()
    assert [one["title"] for one in own(page).values()] == ["image.jpg", "image.jpg (2)"]
    assert {one["file"][0] for one in own(page).values()} == {"image.jpg"}  # as the browser has it


def test_a_file_added_twice_stays_until_both_are_removed() -> None:
    page = open_app()
    file = sample("espresso", "cup.jpg")
    add(page, file, file)
    assert len(own(page)) == 1
    take_out(page, 1)
    assert headline(page).startswith(CUP)
    take_out(page, 1)
    assert headline(page).startswith(CAT)


def test_removing_the_upload_goes_back_to_a_sample() -> None:
    page = open_app()
    add(page, sample("espresso", "cup.jpg"))
    assert headline(page).startswith(CUP)
    take_out(page, 1)
    assert headline(page).startswith(CAT)
    assert address(page)["image"] == "cat"


def small(number: int) -> list[tuple[str, bytes, str]]:
    """So many different small photographs."""
    files = []
    for n in range(number):
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (20 * n, 90, 40)).save(buffer, "PNG")
        files.append((f"{n}.png", buffer.getvalue(), "image/png"))
    return files


def test_the_thirteenth_image_waits_until_there_is_room() -> None:
    page = open_app()
    files = small(13)
    add(page, *files)
    [problem] = problems(page)
    assert problem.startswith("12.png: 12 images are open already.")
    assert len(own(page)) == 12
    tell(page, "strip", "remove", "upload-1")
    assert problems(page) == []
    add(page, files[12])
    assert problems(page) == []
    assert [one["title"] for one in own(page).values()] == [name for name, _, _ in files[1:]]


def test_the_oldest_images_make_room_and_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    files = small(4)
    monkeypatch.setattr(settings, "UPLOAD_BYTES", 2 * max(len(content) for _, content, _ in files))
    page = open_app()
    add(page, *files[:3])
    assert [one["title"] for one in own(page).values()] == ["1.png", "2.png"]
    [problem] = problems(page)
    assert problem.startswith("0.png was removed to make room")


def test_an_image_can_be_removed_when_the_field_is_empty_again() -> None:
    page = open_app()
    add(page, sample("espresso", "cup.jpg"))
    page.switch_page("pages/models.py").run().switch_page("app.py").run()
    assert not page.file_uploader(key="files").value
    assert "cup.jpg" in texts(page)
    tell(page, "strip", "remove", "upload-1")
    assert headline(page).startswith(CAT)
    assert "cup.jpg" not in texts(page)
    assert own(page) == {}


def test_an_image_that_left_the_list_is_held_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[str] = []
    monkeypatch.setattr(visitors, "release", released.append)
    page = open_app()
    add(page, sample("espresso", "cup.jpg"), sample("palace", "house.jpg"))
    file_ids = list(page.session_state["_file_ids"].values())
    assert released == []
    tell(page, "strip", "remove", "upload-2")
    assert released == file_ids[1:]
    assert headline(page).startswith(CUP)  # what was not removed is still explained
    tell(page, "strip", "remove", "upload-1")
    assert released == file_ids[::-1]
    for held in ("uploads", "_file_ids", "_file_names"):
        assert page.session_state[held] == {}


def test_all_own_photographs_are_forgotten_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[str] = []
    monkeypatch.setattr(visitors, "release", released.append)
    page = open_app()
    add(page, sample("espresso", "cup.jpg"), sample("palace", "house.jpg"))
    file_ids = list(page.session_state["_file_ids"].values())
    tell(page, "strip", "forget", 1)
    assert released == file_ids
    assert own(page) == {}
    assert headline(page).startswith(CAT)
    add(page, sample("espresso", "again.jpg"))
    assert [one["title"] for one in own(page).values()] == ["again.jpg"]


def test_what_was_said_of_files_goes_with_the_next_choice() -> None:
    page = open_app()
    add(page, sample("espresso", "cup.jpg"), ("notes.txt", b"no picture", "text/plain"))
    assert len(problems(page)) == 1
    page.run()
    assert len(problems(page)) == 1
    tell(page, "strip", "photograph", "palace")
    assert headline(page).startswith("Palace, ")
    assert problems(page) == []


def test_the_same_image_again_is_shown_again() -> None:
    page = open_app()
    one, two = sample("espresso", "cup.jpg"), sample("espresso", "copy.jpg")
    add(page, one)
    tell(page, "strip", "photograph", "palace")
    assert headline(page).startswith("Palace, ")
    add(page, two)
    assert headline(page).startswith(CUP)
    assert list(own(page)) == ["upload-1"]


def test_another_photograph_takes_class_and_covered_part_away() -> None:
    page = open_app(target="espresso", box="0.3,0.2,0.6,0.6")
    tell(page, "strip", "photograph", "palace")
    assert headline(page).startswith("Palace, ")
    assert part(page, "deck")["covered"] is None


def test_a_file_name_is_text_and_nothing_else() -> None:
    """The strip shows it as text: no Markdown and no HTML is made of it."""
    page = open_app()
    name = "__a__ [b](c) $x$ :smile: <img src=x onerror=alert(1)>.jpg"
    add(page, sample("espresso", name), (name + ".txt", b"no", "text/plain"))
    [problem] = problems(page)
    assert problem.startswith(f"{name}.txt: ")
    assert own(page)["upload-1"]["title"] == name
    assert "<img src=x" not in "".join(element.proto.body for element in page.get("html"))
    assert not any("smile" in element.value for element in [*page.markdown, *page.caption])


def test_a_visitor_never_meets_the_picture_of_another() -> None:
    one, other = open_app(), open_app()
    add(one, sample("espresso", "private.jpg"))
    other.run()
    assert "private" in texts(one)
    assert "private" not in texts(other)
    assert own(other) == {}
    assert "private" not in str(other.main)


# What a tab has kept through a reload comes back under its keys


def kept(*photographs: tuple[int, tuple[str, bytes, str]]) -> list[list[str | int]]:
    """What the tab says of these files, by the number of their keys."""
    return [[f"upload-{n}", name, len(content)] for n, (name, content, _) in photographs]


CUP_FILE, HOUSE_FILE = sample("espresso", "cup.jpg"), sample("palace", "house.jpg")


def test_a_reloaded_page_waits_for_its_photograph_and_keeps_class_and_box() -> None:
    page = open_app(image="upload-3", target="cup", box="0.300,0.200,0.600,0.600")
    assert part(page, "strip")["chosen"] == ""  # waits
    assert parts(page, "deck") == parts(page, "rows") == []
    assert part(page, "strip")["coming"] == []
    tell(page, "strip", "kept", kept((2, HOUSE_FILE), (3, CUP_FILE)))
    assert part(page, "strip")["coming"] == ["upload-2", "upload-3"]  # the tab sends these
    assert part(page, "strip")["chosen"] == ""
    add(page, HOUSE_FILE, CUP_FILE)
    assert {key: one["title"] for key, one in own(page).items()} == {
        "upload-2": "house.jpg",
        "upload-3": "cup.jpg",
    }
    assert part(page, "strip")["chosen"] == "upload-3"
    assert [row["label"] for row in part(page, "rows")["rows"] if row["chosen"]] == ["cup"]
    assert part(page, "deck")["covered"] == [0.3, 0.2, 0.6, 0.6]
    assert address(page)["image"] == "upload-3"
    assert part(page, "strip")["coming"] == []
    assert problems(page) == []


def test_a_photograph_that_the_tab_could_not_send_is_waited_for_no_longer() -> None:
    page = open_app(image="upload-3")
    tell(page, "strip", "kept", kept((3, CUP_FILE)))
    tell(page, "strip", "kept", [])
    assert headline(page).startswith(CAT)
    assert problems(page) == [words.NOT_BROUGHT_BACK]
    assert part(page, "strip")["coming"] == []


def test_what_is_said_of_a_link_stays_while_photographs_come_back() -> None:
    page = open_app(image="upload-99")
    tell(page, "strip", "kept", kept((3, CUP_FILE)))
    assert problems(page) == [words.LINK_TO_UPLOAD]
    add(page, CUP_FILE)
    assert list(own(page)) == ["upload-3"]
    assert problems(page) == [words.LINK_TO_UPLOAD]
    add(page, HOUSE_FILE)  # by hand
    assert problems(page) == []


def test_kept_photographs_can_come_one_after_the_other() -> None:
    page = open_app(image="upload-3")
    tell(page, "strip", "kept", kept((2, HOUSE_FILE), (3, CUP_FILE)))
    add(page, HOUSE_FILE)
    assert part(page, "strip")["coming"] == ["upload-3"]
    assert part(page, "strip")["chosen"] == ""  # still waits
    add(page, CUP_FILE)
    assert part(page, "strip")["chosen"] == "upload-3"
    assert list(own(page)) == ["upload-2", "upload-3"]


def test_photographs_come_back_without_being_shown_where_a_sample_is() -> None:
    page = open_app(image="cat")
    tell(page, "strip", "kept", kept((1, CUP_FILE)))
    add(page, CUP_FILE)
    assert headline(page).startswith(CAT)
    assert list(own(page)) == ["upload-1"]


@pytest.mark.parametrize("link", ["cat", "upload-1"])
def test_the_next_photograph_after_a_reload_is_shown_and_has_a_new_key(link: str) -> None:
    page = open_app(image=link)
    tell(page, "strip", "kept", kept((1, CUP_FILE)))
    add(page, CUP_FILE)
    add(page, HOUSE_FILE)
    assert headline(page).startswith("Palace, ")
    assert list(own(page)) == ["upload-1", "upload-2"]


def test_kept_photographs_of_one_name_and_size_have_a_key_each() -> None:
    one = small(2)
    size = max(len(content) for _, content, _ in one)
    files = [("image.png", content.ljust(size, b"\0"), kind) for _, content, kind in one]
    page = open_app(image="upload-7")
    tell(page, "strip", "kept", kept((5, files[0]), (7, files[1])))
    add(page, *files)
    assert list(own(page)) == ["upload-5", "upload-7"]
    assert part(page, "strip")["chosen"] == "upload-7"


def test_a_link_to_an_upload_says_that_it_is_not_there() -> None:
    page = open_app(image="upload-1")
    tell(page, "strip", "kept", [])  # by a tab that has never had it
    assert problems(page) == [words.LINK_TO_UPLOAD]
    assert headline(page).startswith(CAT)
    page.session_state["stage"] = 3
    page.run()
    tell(page, "strip", "photograph", "palace")
    assert headline(page).startswith("Palace, ")
    assert problems(page) == []


def test_who_waits_for_a_photograph_can_choose_another() -> None:
    page = open_app(image="upload-1")
    tell(page, "strip", "kept", kept((1, CUP_FILE)))
    tell(page, "strip", "photograph", "palace")
    assert headline(page).startswith("Palace, ")
    add(page, CUP_FILE)  # it comes after all
    assert headline(page).startswith("Palace, ")
    assert list(own(page)) == ["upload-1"]


def test_who_waits_for_a_photograph_can_add_another() -> None:
    page = open_app(image="upload-1")
    add(page, HOUSE_FILE)
    assert headline(page).startswith("Palace, ")


def test_a_kept_photograph_that_is_refused_is_waited_for_no_longer() -> None:
    broken = ("cup.jpg", b"no picture any more", "image/jpeg")
    page = open_app(image="upload-1")
    tell(page, "strip", "kept", kept((1, broken), (2, HOUSE_FILE)))
    add(page, broken, HOUSE_FILE)
    assert headline(page).startswith(CAT)
    refused, link = problems(page)
    assert refused.startswith("cup.jpg: ")
    assert link == words.NOT_BROUGHT_BACK
    assert list(own(page)) == ["upload-2"]
    tell(page, "strip", "read", 1)
    assert problems(page) == []
    add(page, CUP_FILE)  # the whole file, by hand
    assert headline(page).startswith(CUP)


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        "upload-1",
        {"upload-1": ["cup.jpg", 5]},
        [None, 7, "upload-1", [], ["upload-1"], ["upload-1", "cup.jpg", 5, 6]],
        [[["upload-1"], "cup.jpg", 5], ["upload-1", 5, "cup.jpg"], ["upload-1", "cup.jpg", None]],
        [["cat", "cup.jpg", 5], ["../upload-1", "cup.jpg", 5], ["upload-01", "cup.jpg", 5]],
        [["upload-1" + "0" * 5_000, "cup.jpg", 5], ["upload-999999999", "cup.jpg", 5]],
        [["upload-٣", "cup.jpg", 5], ["upload-0", "cup.jpg", 5], ["upload--1", "cup.jpg", 5]],
        [["upload-9", "cup.jpg", 10**400], ["upload-9", "x" * 10**6, -1]],
    ],
)
def test_nonsense_about_what_a_tab_has_kept_is_harmless(told: object) -> None:
    page = open_app(image="upload-1")
    tell(page, "strip", "kept", told)
    assert headline(page).startswith(CAT)
    assert problems(page) == [words.LINK_TO_UPLOAD]
    add(page, CUP_FILE)
    assert headline(page).startswith(CUP)
    [key] = own(page)
    assert address(page)["image"] == key
    assert image_picker.PARAMETERS[0].allows([key])  # the link still leads to it


def test_a_session_with_photographs_takes_no_others_keys() -> None:
    page = open_app()
    add(page, CUP_FILE)
    tell(page, "strip", "kept", kept((1, HOUSE_FILE), (9, HOUSE_FILE)))
    add(page, HOUSE_FILE)
    assert list(own(page)) == ["upload-1", "upload-2"]
    assert headline(page).startswith("Palace, ")


def test_limits_hold_for_what_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    files = small(13)
    page = open_app()
    tell(page, "strip", "kept", kept(*enumerate(files, start=1)))
    add(page, *files)
    assert len(own(page)) == 12
    assert problems(page)[0].startswith("12.png: 12 images are open already.")

    monkeypatch.setattr(settings, "UPLOAD_BYTES", 2 * max(len(content) for _, content, _ in files))
    page = open_app(image="upload-3")
    tell(page, "strip", "kept", kept(*enumerate(files[:3], start=1)))
    add(page, *files[:3])
    assert list(own(page)) == ["upload-2", "upload-3"]
    assert part(page, "strip")["chosen"] == "upload-3"


@pytest.mark.parametrize("name", ["photograph", "remove"])
@pytest.mark.parametrize("told", [None, 7, ["upload-1"], {"key": "cat"}, "upload-2", "../cat"])
def test_nonsense_about_a_photograph_changes_nothing(name: str, told: object) -> None:
    page = open_app()
    add(page, CUP_FILE)
    tell(page, "strip", name, told)
    assert headline(page).startswith(CUP)
    assert list(own(page)) == ["upload-1"]


def test_a_sample_cannot_be_removed() -> None:
    page = open_app()
    tell(page, "strip", "remove", "cat")
    assert headline(page).startswith(CAT)
    assert "cat" in {one["key"] for one in part(page, "strip")["photographs"]}
