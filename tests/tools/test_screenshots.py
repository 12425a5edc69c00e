"""The sheet of screenshots from before and after a change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.screenshots import sheet
from tools.screenshots.views import SCHEMES, SCREENS, VIEWS, file_name

RED, BLUE = (200, 30, 30), (30, 30, 200)


def folder_of(path: Path, colour: tuple[int, int, int]) -> Path:
    """Screenshots of one colour."""
    path.mkdir()
    for view, scheme in sheet.ROWS.values():
        for screen in sheet.SIDE_BY_SIDE:
            size = SCREENS[screen]
            picture = Image.new("RGB", (size.width, size.height), colour)
            picture.save(path / file_name(view, screen, scheme))
    return path


def share_of(picture: Image.Image, colour: tuple[int, int, int]) -> float:
    return float((np.asarray(picture) == colour).all(axis=-1).mean())


def test_before_is_on_the_left_and_after_on_the_right(tmp_path: Path) -> None:
    made = sheet.compose(folder_of(tmp_path / "a", RED), folder_of(tmp_path / "b", BLUE))
    left = made.crop((0, 0, made.width // 2, made.height))
    right = made.crop((made.width // 2, 0, made.width, made.height))
    assert share_of(left, RED) == pytest.approx(share_of(right, BLUE), abs=0.01)
    assert share_of(left, RED) > 0.7
    assert share_of(left, BLUE) == share_of(right, RED) == 0


def test_a_screenshot_that_is_missing_leaves_its_place_empty(tmp_path: Path) -> None:
    before = folder_of(tmp_path / "a", RED)
    whole = sheet.compose(before, before)
    (before / file_name("lab", "1440", "light")).unlink()
    part = sheet.compose(before, before)
    assert part.size == whole.size
    assert 0 < share_of(part, RED) < share_of(whole, RED)


def test_it_is_small_enough_to_be_kept(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (500, 400, 3), dtype=np.uint8)
    sheet.save(Image.fromarray(noise), tmp_path / "sheet.webp")
    assert (tmp_path / "sheet.webp").stat().st_size <= sheet.LARGEST
    with Image.open(tmp_path / "sheet.webp") as kept:
        assert (kept.format, kept.size) == ("WEBP", (400, 500))


def test_what_cannot_be_made_small_enough_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "LARGEST", 10)
    with pytest.raises(ValueError, match="does not fit"):
        sheet.save(Image.new("RGB", (50, 50)), tmp_path / "sheet.webp")


def test_every_picture_of_the_sheet_is_taken_and_no_two_have_one_name() -> None:
    taken = [
        file_name(view.name, screen, scheme, full=full)
        for view in VIEWS
        for screen in view.screens
        for scheme in SCHEMES
        for full in (False, True)
    ]
    assert len(set(taken)) == len(taken)
    assert {
        file_name(view, screen, scheme)
        for view, scheme in sheet.ROWS.values()
        for screen in sheet.SIDE_BY_SIDE
    } <= set(taken)
