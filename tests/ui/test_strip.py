"""What the strip on top of every page is told, and where it leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.images.samples import samples
from effnet_viz.scenes.gallery import gallery
from effnet_viz.ui import front_end, words
from tests.ui.opening import ROOT, open_app, open_page, part


def test_it_leads_to_every_page_and_says_which_one_this_is() -> None:
    told = part(open_page("pages/models.py"), "strip")
    pages = [file.relative_to(ROOT).as_posix() for file in (ROOT / "pages").glob("*.py")]
    assert set(words.PAGES) == {"app.py", *pages}
    # As Streamlit derives addresses from the names of files.
    paths = {"app.py": "/"} | {file: f"/{file[6:-3]}" for file in pages}
    assert [page["path"] for page in told["pages"]] == [paths[file] for file in words.PAGES]
    assert [page["title"] for page in told["pages"] if page["current"]] == [told["page"]]
    assert told["page"] == "Models"


def test_it_offers_every_sample_as_a_small_square() -> None:
    told = part(open_app(image="palace"), "strip")
    offered = {**samples(), **gallery()}
    for shown, (key, sample) in zip(told["photographs"], offered.items(), strict=True):
        assert shown["key"] == key
        assert (shown["title"], shown["description"]) == (sample.title, sample.description)
        assert shown["source"].startswith("data:image/jpeg;base64,")
        assert shown["file"] is None
    assert told["chosen"] == "palace"


def _bare() -> None:
    from effnet_viz.ui.layout import navigation

    with navigation.page("Models", (), maps=False):
        pass


def test_a_page_can_have_neither_photographs_nor_maps() -> None:
    bare = AppTest.from_function(_bare).run()
    assert not bare.exception
    assert part(bare, "strip")["photographs"] == []
    for kind in ("strip", "actions"):
        assert [part(page, kind)["maps"] for page in (bare, open_app())] == [False, True]


def _interrupted() -> None:
    import streamlit as st

    from effnet_viz.ui.layout import navigation

    with navigation.page("Models", (), maps=False):
        if "again" not in st.session_state:
            st.session_state["again"] = True
            st.rerun()


def _ended() -> None:
    from effnet_viz.models.weights import WeightsError
    from effnet_viz.ui.layout import navigation
    from effnet_viz.ui.layout.problems import error_boundary

    with navigation.page("Models", (), maps=False), error_boundary("Lite0"):
        raise WeightsError("There are none.")


@pytest.mark.parametrize("page", [_bare, _interrupted, _ended])
def test_the_address_is_told_once_by_the_run_that_comes_to_its_end(
    page: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an interrupted run would say comes where the rest of the page was before."""
    told: list[str] = []
    send = front_end.part

    def count(kind: str, *arguments: Any, **options: Any) -> None:
        told.append(kind)
        send(kind, *arguments, **options)

    monkeypatch.setattr(front_end, "part", count)
    run = AppTest.from_function(page).run()
    assert not run.exception
    assert told.count("address") == 1


def test_a_session_is_told_from_others_and_stays_the_same() -> None:
    page = open_app()
    session = part(page, "strip")["session"]
    page.run()
    assert part(page, "strip")["session"] == session
    assert part(open_app(), "strip")["session"] != session
