"""What every method computes, when it misleads, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping

from effnet_viz.ui import results, words
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.tables import show_table
from effnet_viz.ui.layout.text import seconds_text
from effnet_viz.ui.methods.view import MethodsView, offered
from effnet_viz.ui.results import TimedAttribution


def show_table_of_methods(view: MethodsView, found: Mapping[str, TimedAttribution]) -> None:
    """A row a method."""
    section(words.METHODS, words.METHODS_LINE)
    doubts = results.doubts(view.model)
    rows = [
        [
            method.title,
            f"{method.computes} {method.formula}.",
            " ".join([method.misleads, *doubts[method.key]]),
            method.paper,
            f"{method.passes:,}",
            seconds_text(found[method.key].seconds) if method.key in found else "",
        ]
        for method in offered()
    ]
    show_table(words.METHODS_HEADS, rows, label=words.METHODS, words=(1, 2, 3), wrapped=True)
