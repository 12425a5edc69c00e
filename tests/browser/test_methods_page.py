"""The page "Methods" in a real Chromium."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from effnet_viz.attribution.methods import METHODS
from effnet_viz.ui.methods.view import is_quick


def test_methods_come_are_cancelled_and_scrambled(page: Page, address: str) -> None:
    page.goto(f"{address}methods")
    for method in METHODS.values():
        if is_quick(method):
            shown = page.locator(f'[data-slot="{method.key}"] .stage')
            expect(shown).to_be_visible()
            expect(shown).to_have_attribute("aria-label", re.compile("class “tiger cat”"))
    place = page.locator('[data-slot="score-cam"]')
    place.get_by_role("button", name="Compute").click()
    place.get_by_role("button", name="Cancel").click()
    expect(place.get_by_role("button", name="Compute")).to_be_visible()

    place = page.locator('[data-slot="feature-ablation"]')
    place.get_by_role("button", name="Compute").click()
    expect(place.locator('.stage[aria-label^="Feature ablation over"]')).to_be_visible()
    expect(page).to_have_url(re.compile("run=feature-ablation"))

    page.get_by_role("button", name=re.compile("^Scramble the weights")).click()
    expect(page.get_by_text("Now: as trained.")).to_be_visible()
    page.get_by_role("slider", name="Scrambled layers").focus()
    page.keyboard.press("End")
    expect(page.get_by_text("Now: everything random.")).to_be_visible()
    expect(page.get_by_text("SCRAMBLED weights").first).to_be_visible()
