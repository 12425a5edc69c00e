"""Opening a page without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.components.v2.bidi_component.main import _make_trigger_id
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


def parts(page: AppTest, kind: str) -> list[dict[str, Any]]:
    """What the parts of this kind are told: deck, map, pane, rows, strip, address."""
    components = [element.proto for element in page.get("bidi_component")]
    data = [json.loads(proto.json) for proto in components if proto.json]
    return [item for item in data if item.get("part") == kind]


def part(page: AppTest, kind: str) -> dict[str, Any]:
    """What the only part of this kind is told."""
    [only] = parts(page, kind)
    return only


def tell(page: AppTest, kind: str, name: str, value: object) -> None:
    """What the browser sends when a visitor does something at the only part of this kind."""
    [component] = [
        element.proto
        for element in page.get("bidi_component")
        if element.proto.json and json.loads(element.proto.json).get("part") == kind
    ]
    states = page._tree.get_widget_states()
    trigger = states.widgets.add(id=_make_trigger_id(component.id, "events"))
    trigger.json_trigger_value = json.dumps([{"event": name, "value": value}])
    page._run(states)
    assert not page.exception


def maps(page: AppTest) -> dict[str, dict[str, Any]]:
    """What the pictures of the deck are told, by place: photograph, cam, grad_cam."""
    return {item["slot"]: item for item in parts(page, "map")}


def address(page: AppTest) -> dict[str, str]:
    """What the browser is told to write into the address."""
    values = part(page, "address")["values"]
    return {name: value for name, value in values.items() if value is not None}


def texts(page: AppTest) -> str:
    """Everything a visitor can read in sentences."""
    elements = [*page.markdown, *page.caption, *page.warning, *page.info, *page.error]
    html = [element.proto.body for element in page.get("html")]
    pictures = [*parts(page, "map"), *parts(page, "pane")]
    captions = [line for picture in pictures for line in picture["caption"]]
    rows = [
        str(rows[name])
        for rows in parts(page, "rows")
        for name in ("headline", "sentence", "quiet", "note")
        if rows.get(name)
    ]
    return "\n".join([*(element.value for element in elements), *html, *captions, *rows])
