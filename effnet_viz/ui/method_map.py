"""The map of any method in its place: how far it is, and why there is none."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.attribution.methods import Method
from effnet_viz.ui import results, words
from effnet_viz.ui.layout.waiting import now_and_then, waiting
from effnet_viz.ui.results import TimedAttribution


def progress_place() -> DeltaGenerator:
    """Where it is told over the page how far a method is; once on a page."""
    return st.container(key="method_progress").empty()


def timed_map(
    analysis: Analysis, method: Method, stage: int, other: int | None, place: DeltaGenerator
) -> TimedAttribution:
    """The map and its seconds; `place` is that of progress_place and empty afterwards.

    Raises the errors of layout.problems.NO_MAP.
    """

    def tell(done: float) -> None:
        # Any write also ends the method when the visitor has chosen something else meanwhile.
        place.progress(min(done, 1.0), words.METHOD_PROGRESS.format(title=method.title))

    with waiting(None):
        made = results.timed_attribution(analysis, method, stage, other, now_and_then(tell))
    place.empty()
    return made


def care_of(analysis: Analysis, method: Method) -> list[tuple[str, str]]:
    """What to know of the method on this network before one reads its map."""
    return [(words.DOUBT, doubt) for doubt in results.doubts(analysis.model)[method.key]]
