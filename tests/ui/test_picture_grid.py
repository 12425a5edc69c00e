"""The Python side of the picture grid; the browser tests click the real thing."""

import json
from typing import Any

import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from effnet_viz.ui.inputs.picture_grid import Picture, front_end_data

PNG = "data:image/png;base64,AA=="


@pytest.mark.parametrize("kind", ["webp", "png", "jpeg"])
def test_a_source_is_a_data_url_of_a_picture(kind: str) -> None:
    source = f"data:image/{kind};base64,AA=="
    assert Picture("a", source, "A").source == source


@pytest.mark.parametrize(
    "source",
    [
        "",
        "cat.png",
        "https://example.org/cat.png",
        "javascript:alert(1)",
        "data:text/html;base64,AA==",
        "data:image/svg+xml;base64,AA==",
        "data:image/png,AA==",
        " " + PNG,
        "x" + PNG,
    ],
)
def test_any_other_source_is_refused_by_name(source: str) -> None:
    with pytest.raises(ValueError, match="picture 'a'"):
        Picture("a", source, "A")


def test_the_front_end_gets_every_field_of_every_picture_in_order() -> None:
    evil = "<img src=x onerror=alert(1)>.png"
    data = front_end_data(
        [Picture("b", PNG, evil), Picture("a", PNG, "A", "62 %", "A cat.", "untrained", True)],
        selected="a",
        label="Samples",
        size=96,
        scroll=True,
    )
    plain = {"caption": "", "description": "", "badge": "", "pixelated": False}
    full = {"caption": "62 %", "description": "A cat.", "badge": "untrained", "pixelated": True}
    assert json.loads(json.dumps(data)) == {
        "pictures": [
            {"key": "b", "source": PNG, "title": evil, **plain},
            {"key": "a", "source": PNG, "title": "A", **full},
        ],
        "selected": "a",
        "label": "Samples",
        "size": 96,
        "scroll": True,
    }


def test_duplicate_keys_are_refused_and_listed() -> None:
    pictures = [Picture(key, PNG, key.upper()) for key in "abcacd"]
    with pytest.raises(ValueError, match=r"'a', 'c'\."):
        front_end_data(pictures, selected=None, label="L", size=96, scroll=False)


def _page() -> None:
    import streamlit as st

    from effnet_viz.ui.inputs.picture_grid import Picture, picture_grid

    state = st.session_state
    keys = state.get("keys", "abc")
    pictures = [Picture(key, "data:image/png;base64,AA==", key.upper()) for key in keys]

    def choose(key: str) -> None:
        state.chosen = [*state.get("chosen", []), key]

    picture_grid(
        pictures, selected="c", label="L", size=96, key="grid", on_choose=choose, scroll=False
    )
    st.text(state.get("chosen", []))


def _sent(page: AppTest) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(page.main[0].proto.json)
    return data


def _click(page: AppTest, key: str) -> None:
    """What the browser sends for a click; AppTest has no public way to do it."""
    states = WidgetStates()
    trigger = states.widgets.add()
    trigger.id = _make_trigger_id(page.main[0].proto.id, "events")
    trigger.json_trigger_value = json.dumps([{"event": "clicked", "value": key}])
    page._run(states)


def test_a_click_is_heard_once_and_the_selection_stays_the_pages() -> None:
    page = AppTest.from_function(_page).run()
    assert page.text[0].value == "[]"
    _click(page, "b")
    assert not page.exception
    assert (page.text[0].value, _sent(page)["selected"]) == ("['b']", "c")
    page.run()
    assert page.text[0].value == "['b']"


def test_a_click_on_a_picture_that_is_gone_does_not_count() -> None:
    page = AppTest.from_function(_page).run()
    _click(page, "z")
    page.session_state["keys"] = "ac"
    _click(page, "q")
    assert not page.exception
    assert page.text[0].value == "[]"
