"""Links with nonsense in a real browser, and the back button to them."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from effnet_viz.ui import words

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

REFUSED = "The link to this page asks for something that does not exist here"


def query_of(page: Page) -> dict[str, str]:
    entries: dict[str, str] = page.evaluate(
        "() => Object.fromEntries(new URLSearchParams(location.search))"
    )
    return entries


def test_nonsense_leaves_the_address_and_the_rest_stays(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    page.goto(address + "scaling_rules?cost=&phi=inf&member=EfficientNet-B3&from=lesson")
    told = page.get_by_text(REFUSED)
    expect(told).to_contain_text("(phi, cost). The defaults are shown instead")
    expect(page.get_by_text("EfficientNet-B3 at 300 px").first).to_be_visible()
    page.wait_for_function("() => !location.search.includes('cost')")
    assert query_of(page) == {"member": "EfficientNet-B3", "from": "lesson"}
    page.get_by_text(words.SCALING_BUYS).click()
    page.get_by_role("radio", name="parameters").click()
    page.wait_for_function("() => location.search.includes('cost=parameters')")
    expect(told).to_be_hidden()  # it was said once
    # As Back leads to a link: the widgets are there already.
    page.evaluate(
        "() => { history.replaceState({}, '', '?cost=&member=EfficientNet-B3');"
        " dispatchEvent(new PopStateEvent('popstate')); }"
    )
    expect(told).to_contain_text("(cost). The default is shown")
    expect(page.get_by_role("radio", name="multiply-adds")).to_be_checked()
    page.wait_for_function("() => !location.search.includes('cost')")
    assert query_of(page)["member"] == "EfficientNet-B3"
    expect(page.get_by_text("Something went wrong")).to_be_hidden()
