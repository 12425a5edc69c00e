"""Cutting an object of one's own out of a photograph, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page, expect

from effnet_viz.ui import words
from tests.browser.visitor import PATIENCE, PHONE, barriers

pytestmark = pytest.mark.browser


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A red disc on a green ground."""
    path = tmp_path / "thing.png"
    picture = Image.new("RGB", (300, 300), (30, 160, 60))
    ImageDraw.Draw(picture).ellipse((90, 90, 210, 210), fill=(200, 40, 30))
    picture.save(path)
    return path


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, has_touch=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def opened(page: Page, address: str, photograph: Path) -> Locator:
    """The photograph in the dialog, ready for a box."""
    page.goto(address + "scaling_lab")
    page.get_by_role("button", name="Own object").click()
    page.locator("[role=dialog] input[type=file]").set_input_files(photograph)
    stage = page.locator(".cutting")
    expect(stage).to_be_visible(timeout=3 * PATIENCE)
    return stage


def draw(page: Page, stage: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From and to in shares of the photograph."""
    box = stage.bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=8)
    page.mouse.up()


def colour(stage: Locator, x: float, y: float) -> list[int]:
    """Of what is cut out at a place, with its opacity."""
    found: list[int] = stage.locator("img.cut").evaluate(
        """(image, [x, y]) => {
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
          const context = canvas.getContext("2d");
          context.drawImage(image, 0, 0);
          return [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data];
        }""",
        [x, y],
    )
    return found


def name_it(page: Page, label: str) -> None:
    field = page.get_by_role("combobox", name="What is it?")
    field.fill(label)
    page.get_by_role("option", name=label, exact=True).click()
    page.keyboard.press("Escape")  # the list alone


def test_a_box_cuts_and_a_brush_corrects(page: Page, address: str, photograph: Path) -> None:
    stage = opened(page, address, photograph)
    assert barriers(page) == []
    expect(page.get_by_role("radio", name="Object brush")).to_be_disabled()
    draw(page, stage, (0.2, 0.2), (0.8, 0.8))
    expect(stage.locator("img.cut")).to_be_visible()
    assert colour(stage, 0.5, 0.5) == [200, 40, 30, 255]
    assert colour(stage, 0.25, 0.25)[3] == 0
    page.get_by_role("radio", name="Background brush").click()
    before = stage.locator("img.cut").get_attribute("src")
    draw(page, stage, (0.5, 0.45), (0.5, 0.55))
    expect(stage.locator("img.cut")).not_to_have_attribute("src", str(before))
    assert colour(stage, 0.5, 0.5)[3] == 0
    page.get_by_role("button", name="Undo").click()
    expect(stage.locator("img.cut")).to_have_attribute("src", str(before))
    use = page.get_by_role("button", name="Use this object")
    expect(use).to_be_disabled()
    name_it(page, "red fox")
    expect(use).to_be_enabled()
    use.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".lab-line")).to_contain_text(words.OWN_OBJECT)
    expect(page).to_have_url(re.compile("first=my"))
    page.get_by_role("button", name="Own object").click()
    expect(page.get_by_text("Your object is in use: red fox.")).to_be_visible()


def test_keys_cut_too(page: Page, address: str, photograph: Path) -> None:
    stage = opened(page, address, photograph)
    stage.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(stage.locator("img.cut")).to_be_visible()
    assert colour(stage, 0.5, 0.5) == [200, 40, 30, 255]
    page.get_by_role("radio", name="Background brush").click()
    stage.focus()
    before = stage.locator("img.cut").get_attribute("src")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(stage.locator("img.cut")).not_to_have_attribute("src", str(before))
    assert colour(stage, 0.48, 0.5)[3] == 0


def test_a_finger_draws_and_a_phone_has_the_room(
    phone: Page, address: str, photograph: Path
) -> None:
    stage = opened(phone, address, photograph)
    box = stage.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    session = phone.context.new_cdp_session(phone)

    def touch(kind: str, *places: float) -> None:
        points = [
            {"x": box["x"] + at * box["width"], "y": box["y"] + at * box["height"]} for at in places
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.2)
    touch("touchMove", 0.5)
    touch("touchMove", 0.8)
    touch("touchEnd")
    expect(stage.locator("img.cut")).to_be_visible()
    assert colour(stage, 0.5, 0.5) == [200, 40, 30, 255]
    assert phone.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
    for button in ("Undo", "Start again"):
        found = phone.get_by_role("button", name=button).bounding_box()
        assert found is not None
        assert found["height"] >= 44
