"""The page "Methods" in a real Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.analysis.explanation import starting_stage
from effnet_viz.arrays import reduced
from effnet_viz.attribution.methods import METHODS
from effnet_viz.ui.inputs.method_picker import is_quick
from effnet_viz.ui.viewer import MOST_CELLS
from tests.browser.visitor import go_to


def is_the_packages(page: Page, analysis: Analysis, key: str) -> None:
    """The upper end of the map's colours is the package's."""
    stage = METHODS[key].stage_of(starting_stage(analysis.model), analysis.model.last_stage)
    made = analysis.attribute(key, stage)
    sent, _ = reduced(made.values, made.placement, MOST_CELLS)
    shown = page.locator(f'[data-slot="{key}"] .under .scale span').last.text_content()
    assert shown is not None
    # As the page writes it, with three digits.
    assert float(shown.replace("−", "-")) == pytest.approx(float(sent.max()), rel=0.006), key


def test_methods_come_are_cancelled_and_scrambled(page: Page, address: str, cat: Analysis) -> None:
    page.goto(f"{address}methods")
    for method in METHODS.values():
        if is_quick(method):
            shown = page.locator(f'[data-slot="{method.key}"] .stage')
            expect(shown).to_be_visible()
            expect(shown).to_have_attribute("aria-label", re.compile("class “tiger cat”"))
            is_the_packages(page, cat, method.key)
    place = page.locator('[data-slot="score-cam"]')
    place.get_by_role("button", name="Compute").click()
    place.get_by_role("button", name="Cancel").click()
    expect(place.get_by_role("button", name="Compute")).to_be_visible()

    place = page.locator('[data-slot="feature-ablation"]')
    place.get_by_role("button", name="Compute").click()
    expect(place.locator('.stage[aria-label^="Feature ablation over"]')).to_be_visible()
    expect(page).to_have_url(re.compile("run=feature-ablation"))
    is_the_packages(page, cat, "feature-ablation")

    page.get_by_role("button", name=re.compile("^Scramble the weights")).click()
    expect(page.get_by_text("Now: as trained.")).to_be_visible()
    page.get_by_role("slider", name="Scrambled layers").focus()
    page.keyboard.press("End")
    expect(page.get_by_text("Now: everything random.")).to_be_visible()
    expect(page.get_by_text("SCRAMBLED weights").first).to_be_visible()


def test_another_method_takes_grad_cams_place_on_both_pages(page: Page, address: str) -> None:
    page.goto(address)
    chooser = page.locator(".scrub").get_by_label("Method")
    chooser.select_option("HiRes-CAM")
    expect(page.locator('.stage[aria-label^="HiRes-CAM over the photograph"]')).to_be_visible()
    expect(page).to_have_url(re.compile("method=hires-cam"))
    chooser.select_option("Grad-CAM")
    expect(page.locator('.stage[aria-label^="Grad-CAM over the photograph"]')).to_be_visible()
    go_to(page, "Compare scaling")
    page.get_by_role("toolbar").get_by_label("Method").select_option("HiRes-CAM")
    shown = page.locator('.deck .stage[aria-label^="HiRes-CAM over the photograph"]')
    expect(shown).to_have_count(3)
    page.get_by_role("toolbar").get_by_label("Method").select_option("Occlusion, 170 runs each")
    page.locator(".deck").get_by_role("button", name="Cancel").first.click()
    expect(page.locator('.deck .stage[aria-label^="CAM over the photograph"]')).to_have_count(3)
