"""Which of the shown methods to trust: each map in the same numbers, with ranks."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from effnet_viz.analysis.analysis import NoClassActivationMapError
from effnet_viz.analysis.evaluation import (
    PERTURBATIONS,
    Evaluation,
    Measure,
    MethodRefused,
    MethodScores,
)
from effnet_viz.analysis.pointing_game import entry_for_mosaic
from effnet_viz.analysis.progress import part
from effnet_viz.attribution.methods import Method, MethodRefusedError
from effnet_viz.metrics.stability import CHANGES
from effnet_viz.models.variants import ModelRef, VariantError
from effnet_viz.ui import results, words
from effnet_viz.ui.inputs.method_picker import is_quick
from effnet_viz.ui.inputs.mosaic_picker import DOUBLED, mosaic_classes, mosaic_photographs
from effnet_viz.ui.layout import charts, url_state
from effnet_viz.ui.layout.progress import started
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.tables import show_table
from effnet_viz.ui.layout.text import time_text
from effnet_viz.ui.layout.url_parameters import Flag
from effnet_viz.ui.methods.view import MethodsView, shown_methods
from effnet_viz.ui.upload import Upload

PARAMETERS = (Flag("measure"),)
FAITHFUL = ("deletion", "insertion", "road")
"""The measures that ask whether the network needs what the map marks."""


def show_trust(view: MethodsView) -> Callable[[], None]:
    """The table, if somebody has asked for it; gives what computes it when the page is there."""
    section(words.TRUST, words.TRUST_LINE)
    place = st.container(key="trust")
    chosen = shown_methods(view)
    url_state.read_url("measure")
    asked = url_state.is_asked("measure")
    url_state.write_url("measure", "true" if asked else None)
    if not asked:
        expected = sum(_expected(view, method) for method in chosen)
        text = words.MEASURE.format(count=len(chosen), time=time_text(expected))
        place.button(
            text, key="measure_now", type="primary", on_click=url_state.ask_for, args=("measure",)
        )
        return lambda: None
    return started(
        "measure",
        words.TRUST,
        view.model.card.title,
        place,
        partial(_evaluation, view, chosen),
        _show,
    )


def _can_play(view: MethodsView) -> bool:
    """Whether the network can look at mosaics of twice its resolution."""
    try:
        entry_for_mosaic(ModelRef(view.model.id.key).entry)
    except VariantError:
        return False
    return True


def _cells(view: MethodsView) -> tuple[tuple[Upload, int], ...]:
    """Photographs and classes of the grid pointing game."""
    photographs, _left_out = mosaic_classes(view.model)
    cells = tuple((image, target.index) for image, target in photographs)
    return cells if len(cells) > 1 else ()


def _expected(view: MethodsView, method: Method) -> float:
    """Its map and those of the changed photographs, the forward passes around them, and the grid
    pointing game."""
    one = results.expected_seconds(view.analysis, method, view.stage_of(method))
    look = results.forward_seconds(view.analysis)
    plays = is_quick(method) and _can_play(view)
    played = DOUBLED * (look + len(mosaic_photographs()) * one) if plays else 0.0
    return (1 + len(CHANGES)) * one + (PERTURBATIONS + len(CHANGES)) * look + played


def _evaluation(
    view: MethodsView, chosen: Sequence[Method], tell: Callable[[float], None]
) -> Evaluation:
    rows: dict[str, MethodScores | MethodRefused] = {}
    total = sum(_expected(view, method) for method in chosen)
    cells = _cells(view) if _can_play(view) else ()
    done = 0.0
    for method in chosen:
        following = done + _expected(view, method)
        try:
            rows[method.key] = results.method_scores(
                view.analysis,
                method,
                view.stage_of(method),
                cells if is_quick(method) else (),
                part(tell, done / total, following / total),
            )
        except (MethodRefusedError, NoClassActivationMapError) as refusal:
            rows[method.key] = MethodRefused(method, str(refusal))
        done = following
    return Evaluation(view.analysis, rows)


def _show(found: Evaluation) -> None:
    measures = [
        measure
        for measure in found.measures
        if any(row.value(measure.key) is not None for row in found.scores)
    ]
    heads = ["Method", *(_head(measure) for measure in measures), words.MEAN_RANK]
    ranked = sorted(found.scores, key=lambda row: _mean_rank(found, measures, row))
    rows = [
        [
            row.method.title,
            *(_cell(found, row, measure) for measure in measures),
            f"{_mean_rank(found, measures, row):.1f}",
        ]
        for row in ranked
    ]
    show_table(heads, rows, label=words.TRUST, strong=(len(heads) - 1,))
    st.caption(words.TRUST_HOW)
    with st.expander(words.TRUST_MEASURES):
        told = [
            [one.title, one.shows, one.does_not_show, words.BETTER[one.better]] for one in measures
        ]
        show_table(words.TRUST_HEADS, told, label=words.TRUST_MEASURES, words=(1, 2), wrapped=True)
    chart = st.expander(words.TRUST_CHART, on_change="rerun", key="trust_chart")
    if chart.open:
        with chart:
            _draw_chart(found, ranked)
    if found.refused:
        said = "; ".join(f"{one.method.title}: {one.reason}" for one in found.refused)
        st.caption(html.escape(said))


def _head(measure: Measure) -> str:
    return f"{measure.title} {'↑' if measure.better == 'higher' else '↓'}"


def _cell(found: Evaluation, row: MethodScores, measure: Measure) -> str:
    value, rank = row.value(measure.key), found.ranks[measure.key].get(row.method.key)
    if value is None or rank is None:
        return "–"
    if measure.key == "increase":
        return words.YES if value else words.NO
    return f"{value:.2f} ({rank:g})"


def _mean_rank(found: Evaluation, measures: Sequence[Measure], row: MethodScores) -> float:
    """Over the measures that have a number for it."""
    ranks = [found.ranks[one.key].get(row.method.key) for one in measures]
    return float(np.mean([rank for rank in ranks if rank is not None]))


def _draw_chart(found: Evaluation, rows: Sequence[MethodScores]) -> None:
    """Faithfulness against cost: the mean rank in FAITHFUL over the seconds of one map."""
    of = [one for one in found.measures if one.key in FAITHFUL]
    seconds = [max(row.seconds, 1e-3) for row in rows]
    ranks = [_mean_rank(found, of, row) for row in rows]
    names = [row.method.title for row in rows]
    figure = go.Figure(
        go.Scatter(
            x=seconds,
            y=ranks,
            text=names,
            mode="markers+text",
            textposition="top center",
            hovertemplate="%{text}: %{x:.2g} s, mean rank %{y:.1f}<extra></extra>",
        ),
        charts.layout(
            420,
            {"type": "log", "title": {"text": words.TRUST_SECONDS}},
            {"title": {"text": words.TRUST_FAITHFUL}, "autorange": "reversed"},
        ),
    )
    said = "; ".join(
        f"{name} {rank:.1f} at {second:.2g} s"
        for name, rank, second in zip(names, ranks, seconds, strict=True)
    )
    charts.show_chart(figure, key="trust_figure", alt=f"{words.TRUST_CHART}: {said}.")
