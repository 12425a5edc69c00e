"""Where the results come from, how to read them, and the numbers behind them, in one dialog."""

from __future__ import annotations

import json

import streamlit as st

from effnet_viz.pictures import numbers
from effnet_viz.pictures.captions import model_caption
from effnet_viz.ui import words
from effnet_viz.ui.explain.view import ExplainView
from effnet_viz.ui.layout.downloads import offer_file
from effnet_viz.ui.layout.text import escape_markdown
from effnet_viz.ui.panes import name_of, slug

DETAILS = "details"


def ask_for_details(what: str) -> None:
    """Open the dialog when the page has run."""
    st.session_state["_details"] = what == DETAILS


def show_details(view: ExplainView) -> None:
    """The dialog, if somebody has asked for it."""
    if not st.session_state.pop("_details", False):
        return
    analysis, attribution = view.analysis, view.grad_cam
    parts = (view.image.title, analysis.target.label, name_of(analysis.provenance))
    name = "-".join(slug(part) for part in (*parts, f"stage-{view.stage}"))

    @st.dialog(words.DETAILS, width="medium")
    def show() -> None:
        target = analysis.target
        st.markdown(
            f"**{model_caption(analysis.provenance)}**  \n"
            + words.DETAILS_TARGET.format(
                label=escape_markdown(target.label),
                rank=analysis.predictions.rank(target.index),
                count=len(analysis.predictions),
                logit=f"{target.logit:.2f}",
            )
        )
        with st.container(horizontal=True):
            npz, text = (made(analysis, attribution) for made in (numbers.as_npz, numbers.as_json))
            place = st.container(horizontal=True)
            offer_file(place, words.SAVE_NPZ, npz, f"{name}.npz", "application/octet-stream")
            offer_file(place, words.SAVE_JSON, text, f"{name}.json", "application/json")
        for title, help_text in words.HOW_TO_READ.items():
            with st.expander(title):
                st.markdown(help_text)
        with st.expander(words.PROVENANCE):
            st.code(json.dumps(analysis.provenance.as_dict(), indent=2), language="json")

    show()
