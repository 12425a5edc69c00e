"""Takes the README's pictures again: `python -m tools.pictures` (a minute; needs Chromium)."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.visitor import ARGUMENTS, PATIENCE, ROOT, WIDE, explained, more, serving

ASSETS = ROOT / "assets"
FRAME = 110
"""Milliseconds."""


def main_page(page: Page, address: str) -> None:
    """The first page as a screenshot."""
    page.goto(address + "?image=cat-and-espresso&target=espresso&pin=0.70,0.42")
    explained(page, "espresso")
    page.wait_for_timeout(2000)
    page.screenshot(path=ASSETS / "screenshot.png")


def comparison(page: Page, address: str) -> None:
    """Linked maps while the pointer moves, the divider slides and the scale changes."""
    page.goto(address + "compare_scaling?image=cat-and-espresso&target=espresso")
    stages = page.locator('.stage[aria-label^="CAM over the photograph"]')
    stages.nth(2).wait_for()
    page.locator(".claim h2:not(:empty)").wait_for()
    page.locator(".mini img").last.wait_for()
    page.wait_for_timeout(2000)
    area = page.locator(".deck .slots").bounding_box()
    first = stages.first.bounding_box()
    reading = page.locator(".deck .answered + .reading").first.bounding_box()
    assert area is not None
    assert first is not None
    assert reading is not None
    top = area["y"]
    height = reading["y"] + reading["height"] + 8 - top
    clip = {"x": area["x"] - 8, "y": top, "width": area["width"] + 16, "height": height}
    frames: list[Image.Image] = []

    def shoot() -> None:
        shot = Image.open(io.BytesIO(page.screenshot(clip=clip)))  # type: ignore[arg-type]
        frames.append(shot.convert("RGB").resize((shot.width * 3 // 4, shot.height * 3 // 4)))

    for i in range(16):  # from the cat's eye to the cup
        x = first["x"] + first["width"] * (0.2 + 0.55 * i / 15)
        page.mouse.move(x, first["y"] + first["height"] * (0.45 - 0.1 * i / 15))
        shoot()
    page.get_by_role("radio", name="Each alone", exact=True).click()
    frames += [frames[-1]] * 2
    shoot()
    frames += [frames[-1]] * 6
    more(page)
    page.get_by_role("button", name="Divider", exact=True).click()
    page.keyboard.press("Escape")
    handle = page.get_by_role("slider", name="Divider").first
    for i in range(20):
        handle.press("ArrowLeft" if i < 10 else "ArrowRight")
        shoot()
    frames[0].save(
        ASSETS / "comparison.webp",
        save_all=True,
        append_images=frames[1:],
        duration=FRAME,
        loop=0,
        quality=60,
        method=4,
    )


def take() -> None:
    """Takes all pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        with serving(Path(folder), ["-m", "effnet_viz.cli", "serve"]) as address:
            context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            main_page(page, address)
            comparison(page, address)
        browser.close()


if __name__ == "__main__":
    take()
