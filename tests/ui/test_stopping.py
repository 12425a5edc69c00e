"""A run that ends early forgets nothing of what a visitor has done meanwhile."""

from __future__ import annotations

import ast

from streamlit.testing.v1 import AppTest

from tests.ui.opening import ROOT


def _page() -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

    from effnet_viz.ui.layout.stopping import stop_run

    if "clicked" not in st.session_state:
        st.session_state["clicked"] = True
        context = get_script_run_ctx()
        assert context is not None
        assert context.script_requests is not None
        context.script_requests.request_rerun(RerunData())  # a click
        stop_run()
    st.text("answered")


def test_a_click_during_a_run_that_ends_early_is_answered() -> None:
    page = AppTest.from_function(_page).run()
    assert not page.exception
    assert [one.value for one in page.text] == ["answered"]


def test_no_page_ends_by_streamlits_own_stop() -> None:
    files = [*(ROOT / "effnet_viz").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]
    calls = (
        (path.name, ast.unparse(node.func))
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    )
    assert [name for name, called in calls if called == "st.stop"] == []
