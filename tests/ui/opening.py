"""Opening a page without a browser."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


def open_page(name: str, **query: str | list[str]) -> AppTest:
    """The page as a link with these parameters opens it."""
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    if name != "app.py":
        page.switch_page(name)
    for parameter, value in query.items():
        page.query_params[parameter] = value
    page.run()
    assert not page.exception
    return page
