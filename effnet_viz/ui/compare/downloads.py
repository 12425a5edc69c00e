"""Everything as a table and as a page that opens without a server."""

from __future__ import annotations

import streamlit as st

from effnet_viz.pictures import report
from effnet_viz.ui import results
from effnet_viz.ui.compare.view import Shown


def show_downloads(shown: Shown) -> None:
    """Everything as a table and as a page that opens without a server."""
    compared = shown.comparison
    popover = st.popover(
        "Save the comparison",
        type="tertiary",
        icon=":material/download:",
        key="save comparison",
        on_change="rerun",
    )
    if popover.open:
        popover.download_button(
            "Table (CSV)",
            report.comparison_csv(compared),
            "comparison.csv",
            "text/csv",
            on_click="ignore",
        )
        picture = results.shown(shown.image.digest, shown.image.content).picture
        popover.download_button(
            "Page that opens without a server (HTML)",
            report.comparison_html(compared, picture, shown.image.title),
            "comparison.html",
            "text/html",
            on_click="ignore",
        )
