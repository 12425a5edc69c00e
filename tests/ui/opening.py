"""Opening a page without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


def open_whatever_happens(name: str, **query: str | list[str]) -> AppTest:
    """The page as a link with these parameters opens it, with any error that it reports."""
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    if name != "app.py":
        page.switch_page(name)
    for parameter, value in query.items():
        page.query_params[parameter] = value
    page.run()
    assert not page.exception
    return page


def open_page(name: str, **query: str | list[str]) -> AppTest:
    """The page as a link with these parameters opens it; a mistake in it fails the test."""
    page = open_whatever_happens(name, **query)
    assert not [error for error in page.error if error.value.startswith("Something went wrong")]
    return page


def open_app(**query: str) -> AppTest:
    return open_page("app.py", **query)


def panes(page: AppTest) -> list[dict[str, Any]]:
    """What the viewer's panes are told: photograph, CAM, Grad-CAM, a channel."""
    components = [element.proto for element in page.get("bidi_component")]
    data = [json.loads(proto.json) for proto in components if proto.json]
    return [item for item in data if item.get("part") == "pane"]


def texts(page: AppTest) -> str:
    """Everything a visitor can read in sentences."""
    elements = [*page.markdown, *page.caption, *page.warning, *page.info, *page.error]
    captions = [line for pane in panes(page) for line in pane["caption"]]
    return "\n".join([*(element.value for element in elements), *captions])


def alternative_texts(page: AppTest) -> list[str]:
    return [pane["description"] for pane in panes(page)]
