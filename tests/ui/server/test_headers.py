"""The policy holds on every page, and no page needs more than it allows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from effnet_viz.ui.layout.navigation import PAGES
from effnet_viz.ui.server.headers import content_security_policy, security_headers
from tests.browser.visitor import explained

# Noted where the browser itself reports them: a console's line could be missed or differ.
NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event =>
    window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""


def test_the_policy_allows_nothing_from_elsewhere() -> None:
    rules = dict(rule.split(" ", 1) for rule in content_security_policy().split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert "'sha256-" in rules["script-src"]
    sources = {source for sources in rules.values() for source in sources.split()}
    assert not {source for source in sources if "*" in source or "//" in source}


def test_only_the_page_itself_may_use_the_camera() -> None:
    features = security_headers()["Permissions-Policy"].split(", ")
    assert [feature for feature in features if not feature.endswith("=()")] == ["camera=(self)"]


def violations(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.violations")
    return found


@pytest.fixture
def noting(context: BrowserContext) -> Page:
    context.grant_permissions(["camera"])
    page = context.new_page()
    page.add_init_script(NOTE_VIOLATIONS)
    return page


@pytest.mark.browser
def test_no_page_asks_for_more_than_the_policy_allows(noting: Page, address: str) -> None:
    page = noting
    page.emulate_media(color_scheme="dark")
    page.goto(address)
    explained(page, "tiger cat")
    page.get_by_text("Save the numbers").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="For NumPy (NPZ)").click()
    assert download.value.suggested_filename.endswith(".npz")
    page.keyboard.press("Escape")
    for _, title, _ in PAGES[1:]:
        page.get_by_role("link", name=title).click()
        expect(page.get_by_role("heading", level=4).first).to_be_visible()
        expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0)
    page.get_by_role("link", name=PAGES[0][1]).click()
    page.get_by_text("Camera").click()
    page.get_by_role("button", name="Take Photo").click()
    expect(page.get_by_text(re.compile(r"camera-input-.*, \d+×\d+ px"))).to_be_visible()
    assert page.evaluate("[...document.fonts].every(font => font.status !== 'error')")
    assert violations(page) == []
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://a.example'}))")
    page.wait_for_function("window.violations.length")
    assert violations(page) == ["img-src https://a.example/"]
