"""Networks of one's own in a real Chromium: of the folder, and through the file field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import BrowserContext, Page, expect

from effnet_viz.models import architectures
from effnet_viz.ui import words
from tests.browser.visitor import barriers, explained, pane_of, serving
from tests.models.own_files import State, put
from tests.ui.own_network import put_network, put_pictures

LABELS = ["barn owl", "house wren", "common swift"]
SHAPES = ["discs", "stripes"]


def small(seed: int) -> State:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = architectures.scaled("efficientnet_b0", 0.25, 0.25, len(LABELS))
    return dict(module.state_dict())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with networks of 64 pixels in its folder, on which visitors open checkpoints."""
    folder = tmp_path_factory.mktemp("own")
    put(folder / "networks" / "Birds", small(1), resolution=64, classes=LABELS)
    put_network(folder / "networks" / "Shapes", SHAPES)
    put_pictures(folder / "networks" / "Shapes", SHAPES, 6)
    variables = {
        "EFFNET_VIZ_NETWORKS": str(folder / "networks"),
        "EFFNET_VIZ_CHECKPOINT_UPLOADS": "2",
    }
    with serving(folder, ["-m", "effnet_viz.cli", "serve"], variables) as url:
        yield url


def open_models(page: Page) -> None:
    page.locator(".st-key-open_model").get_by_role("button").click()


def has_its_labels(page: Page, labels: list[str]) -> None:
    """Its map is drawn, and the rows of answers are its classes."""
    headline = page.get_by_role("heading", name=re.compile(f"^({'|'.join(labels)}), ", re.I))
    expect(headline).to_be_visible()
    label = (headline.text_content() or "").rpartition(", ")[0].lower()
    explained(page, label)
    expect(pane_of(page, "CAM").locator("canvas.heat")).to_be_visible()
    for one in labels:
        expect(page.locator(".rows").get_by_role("radio", name=re.compile(one))).to_be_visible()


def test_one_of_the_folder_is_chosen_in_the_list(page: Page, served: str) -> None:
    page.goto(served)
    explained(page, "tiger cat")
    open_models(page)
    page.get_by_role("combobox", name="Model").fill("Birds")
    page.get_by_role("option", name=re.compile("Birds · own-birds · ready")).click()
    has_its_labels(page, LABELS)
    expect(page).to_have_url(re.compile("model=own-birds"))


def test_a_checkpoint_through_the_file_field(
    page: Page, context: BrowserContext, served: str, tmp_path: Path
) -> None:
    weights = put(tmp_path, small(2), "my finches.pth") / "my finches.pth"
    labels, damaged = tmp_path / "labels.txt", tmp_path / "half.pth"
    labels.write_text("\n".join(reversed(LABELS)))
    damaged.write_bytes(weights.read_bytes()[:5000])
    page.goto(served)
    explained(page, "tiger cat")
    open_models(page)
    page.get_by_text(words.CHECKPOINT, exact=True).click()
    field = page.locator(".st-key-checkpoint_weights input[type=file]")
    dropped = page.evaluate_handle(
        "() => { const data = new DataTransfer(); "
        "data.items.add(new File(['PK' + 'x'.repeat(4998)], 'half.pth')); return data }"
    )
    # Dropped anywhere else it would be a photograph.
    zone = page.locator(".st-key-checkpoint_weights [data-testid=stFileUploaderDropzone]")
    zone.dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.get_by_text("is no file that torch.save has written")).to_be_visible()
    expect(page.locator(".problems")).to_have_text("")
    field.set_input_files(damaged)
    expect(page.get_by_text("is incomplete: it ends after 5,000 bytes")).to_be_visible()
    explained(page, "tiger cat")
    field.set_input_files(weights)
    has_its_labels(page, ["class 0", "class 1", "class 2"])
    page.locator(".st-key-checkpoint_labels input[type=file]").set_input_files(labels)
    has_its_labels(page, LABELS)
    expect(page).to_have_url(re.compile("model=upload-[0-9a-f]{12}"))
    expect(page.locator(".st-key-open_model").get_by_role("button")).to_have_text("my finches")

    other = context.new_page()
    other.goto(page.url)
    explained(other, "tiger cat")
    expect(other.get_by_text(words.CHECKPOINT_LOST)).to_be_visible()
    expect(other).not_to_have_url(re.compile("upload-"))
    other.close()

    page.keyboard.press("Escape")
    page.reload()
    explained(page, "tiger cat")
    expect(page.get_by_text(words.CHECKPOINT_LOST)).to_be_visible()


def test_its_mistakes_are_looked_at_one_by_one(page: Page, served: str) -> None:
    page.goto(served + "mistakes")
    expect(page.get_by_role("heading", name=re.compile(r"of 12 right: \d+"))).to_be_visible()
    expect(page.get_by_text("With the thing painted out").first).to_be_visible()
    wall = page.get_by_role("radiogroup", name=words.PICTURES).get_by_role("radio")
    expect(wall).to_have_count(12)
    panes = page.locator(".slot .stage:has(canvas.heat)")
    expect(panes).to_have_count(2)
    expect(page.locator('.stage[aria-busy="true"]:visible')).to_have_count(0)
    assert barriers(page) == []
    shown = page.locator(".slot img.photograph").first
    before = shown.get_attribute("src")
    wall.nth(7).click()
    expect(shown).not_to_have_attribute("src", before or "")
    expect(page).to_have_url(re.compile("network=own-shapes.*picture=[0-9a-f]{16}"))
    page.reload()
    expect(wall.nth(7)).to_be_checked()
