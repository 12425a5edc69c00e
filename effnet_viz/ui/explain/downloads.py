"""Saving the numbers behind the page."""

from __future__ import annotations

import json

import streamlit as st

from effnet_viz.pictures import numbers
from effnet_viz.ui.explain.view import ExplainView
from effnet_viz.ui.layout.downloads import offer_file, open_to_save
from effnet_viz.ui.panes import name_of


def show_downloads(view: ExplainView) -> None:
    """The numbers behind the page as files, and where they come from."""
    analysis, attribution = view.analysis, view.grad_cam
    name = f"{name_of(analysis.provenance)}-stage-{view.stage}"
    with st.container(horizontal=True, vertical_alignment="center"):
        if save := open_to_save("Save the numbers", "numbers"):
            npz, text = (made(analysis, attribution) for made in (numbers.as_npz, numbers.as_json))
            offer_file(save, "For NumPy (NPZ)", npz, f"{name}.npz", "application/octet-stream")
            offer_file(save, "For everything else (JSON)", text, f"{name}.json", "application/json")
        with st.popover("Where these results come from", type="tertiary"):
            st.code(json.dumps(analysis.provenance.as_dict(), indent=2), language="json")
