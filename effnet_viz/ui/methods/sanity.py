"""The sanity check, live: a slider scrambles the weights, and maps that show what was learnt go."""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Callable
from functools import partial

import streamlit as st

from effnet_viz.analysis.progress import Progress
from effnet_viz.analysis.randomization import MethodCheck, SanityCheck
from effnet_viz.analysis.words import listed
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import METHODS, Method
from effnet_viz.ui import front_end, results, viewer, words
from effnet_viz.ui.inputs.method_picker import is_quick
from effnet_viz.ui.layout import navigation, url_state
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.progress import started
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.text import time_text
from effnet_viz.ui.layout.url_parameters import Flag, Number
from effnet_viz.ui.methods.view import MethodsView
from effnet_viz.ui.panes import picture_of
from effnet_viz.ui.viewer import Under

PARAMETERS = (Flag("scramble"), Number("position", 0))


def show_sanity(view: MethodsView) -> Callable[[], None]:
    """The check, if somebody has asked for it; gives what computes it when the page is there."""
    section(words.SANITY, words.SANITY_LINE)
    place = st.container(key="sanity")
    url_state.read_url("scramble")
    asked = url_state.is_asked("scramble")
    url_state.write_url("scramble", "true" if asked else None)
    if not asked:
        seconds = expected_seconds(view)
        text = words.SCRAMBLE.format(time=time_text(seconds))
        place.button(
            text, key="scramble_now", type="primary", on_click=url_state.ask_for, args=("scramble",)
        )
        return lambda: None

    def make(tell: Progress) -> SanityCheck:
        return results.sanity_check(view.analysis, checked(), view.stage, tell)

    return started(
        "scramble", words.SANITY, view.model.card.title, place, make, partial(_show, view)
    )


def checked() -> tuple[Method, ...]:
    """The methods that are checked: the quick ones."""
    return tuple(method for method in METHODS.values() if is_quick(method))


def expected_seconds(view: MethodsView) -> float:
    """What every position takes, by what a map of each method takes."""
    positions = view.model.last_stage + 2
    return positions * sum(
        results.expected_seconds(view.analysis, one, view.stage_of(one)) for one in checked()
    )


@st.fragment
@mistake_boundary()
def _show(view: MethodsView, check: SanityCheck) -> None:
    """Runs by itself while the slider moves."""
    last = view.model.last_stage
    alike = [one.method.title for one in check.methods.values() if one.hardly_changes]
    st.html(f"<p>{html.escape(_found(alike))}</p>")
    position: int = st.slider(
        words.POSITION,
        0,
        last + 1,
        key="position",
        bind="query-params",
        help=words.POSITION_HELP,
    )
    name = scrambled(position, last)
    share = f"{100 * check.probabilities[position]:.2g} %"
    st.html(
        f'<p class="quiet">{html.escape(words.POSITION_NOW.format(what=name, share=share))}</p>'
    )
    with st.container(key="sanity_maps"):
        for one in check.methods.values():
            with st.container(key=f"sanity {one.method.key}"):
                _show_method(view, one, position, name)
    if check.refused:
        left_out = [METHODS[key].title for key in check.refused]
        st.caption(words.LEFT_OUT.format(titles=listed(left_out)))
    navigation.fragment_address("position", {})


def scrambled(position: int, last: int) -> str:
    """What has random weights at a position of the cascade, in a network of `last` stages."""
    if position == 0:
        return words.AS_TRAINED
    if position == 1:
        return words.HEAD_RANDOM
    if position > last:
        return words.ALL_RANDOM
    first = last - position + 2
    stages = f"stage {last}" if first == last else f"stages {first} to {last}"
    return words.STAGES_RANDOM.format(stages=stages)


def _found(alike: list[str]) -> str:
    if not alike:
        return words.ALL_CHANGE
    verb = "stays" if len(alike) == 1 else "stay"
    return words.SOME_STAY.format(titles=listed(alike), verb=verb)


def _show_method(view: MethodsView, check: MethodCheck, position: int, name: str) -> None:
    provenance = view.analysis.provenance
    if position:
        provenance = dataclasses.replace(provenance, weights=f"{provenance.weights}; {name}")
    attribution = Attribution(
        values=check.maps[position],
        channels=None,
        placement=check.placement,
        crop=view.analysis.crop,
        stage=check.stage,
        target=view.analysis.target,
        other=view.other if check.method.compares else None,
        method=check.method,
        provenance=provenance,
    )
    rank, alike = check.rank_correlations[position], check.structural_similarities[position]
    under = Under(
        lead=check.method.title,
        text=words.RANK_AND_SIMILARITY.format(rank=_number(rank), similarity=_number(alike)),
        scale=False,
        care=[(words.STAYS, words.STAYS_HELP)] if check.hardly_changes else [],
    )
    picture = picture_of(view.canvas, view.model, attribution, under=under)
    stamp = picture.stamp or (words.SCRAMBLED if position else "")
    viewer.pane(dataclasses.replace(picture, stamp=stamp), key=f"pane {check.method.key}")
    curves = {
        words.RANK_CORRELATION: [abs(value) for value in check.rank_correlations],
        words.SIMILARITY: list(check.structural_similarities),
    }
    front_end.part(
        "curves",
        {"charts": [_chart(check.method, title, values) for title, values in curves.items()]},
        key=f"curves of {check.method.key}",
    )


def _chart(method: Method, title: str, values: list[float]) -> dict[str, object]:
    shown = [0.0 if math.isnan(value) else min(max(value, 0.0), 1.0) for value in values]
    told = ", ".join(_number(value) for value in values)
    return {
        "caption": title,
        "label": f"{title} of {method.title} at each position: {told}.",
        "lines": [{"colour": "compound", "values": shown}],
    }


def _number(value: float) -> str:
    return "flat" if math.isnan(value) else f"{value:.2f}"
