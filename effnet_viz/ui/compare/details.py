"""Files to save, and where the results come from and how to read them, in dialogs."""

from __future__ import annotations

import json

import streamlit as st

from effnet_viz.pictures import report
from effnet_viz.pictures.captions import model_caption
from effnet_viz.ui import results, words
from effnet_viz.ui.compare.view import ComparisonView
from effnet_viz.ui.layout.downloads import offer_file

SAVE, DETAILS = "save", "details"


def ask_for(what: str) -> None:
    """Open the dialog when the page has run."""
    st.session_state["_asked_for"] = what


def show_details(view: ComparisonView) -> None:
    """The dialog that somebody has asked for, if any."""
    asked = st.session_state.pop("_asked_for", None)
    if asked == SAVE:
        _save(view)
    elif asked == DETAILS:
        _details(view)


def _save(view: ComparisonView) -> None:
    compared, image = view.comparison, view.image

    @st.dialog(words.SAVE)
    def show() -> None:
        st.caption(words.SAVE_HINT)
        table = report.comparison_csv(compared)
        picture = results.display_image(image).picture
        page = report.comparison_html(compared, picture, image.title)
        place = st.container(horizontal=True)
        offer_file(place, words.SAVE_CSV, table, "comparison.csv", "text/csv")
        offer_file(place, words.SAVE_HTML, page, "comparison.html", "text/html")

    show()


def _details(view: ComparisonView) -> None:
    explanations = view.comparison.explanations

    @st.dialog(words.DETAILS, width="medium")
    def show() -> None:
        label = explanations[0].attribution.target.label
        st.markdown(words.DETAILS_COMPARED.format(label=label))
        for name, one in zip(view.names, explanations, strict=True):
            st.markdown(f"**{name}**: {model_caption(one.analysis.provenance)}")
            for caveat in one.caveats:
                st.warning(f"**{caveat.title}.** {caveat.text}", icon=":material/warning:")
        for title, text in words.COMPARISON_HELP.items():
            with st.expander(title):
                st.markdown(text)
        with st.expander(words.PROVENANCE):
            provenance = [one.analysis.provenance.as_dict() for one in explanations]
            st.code(json.dumps(provenance, indent=2), language="json")

    show()
