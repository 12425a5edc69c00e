"""The study of real networks on photographed objects: one chart, and a verdict for each claim."""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path

import streamlit as st

from effnet_viz.lab import results as lab
from effnet_viz.lab.results import DETAILS
from effnet_viz.lab.verdicts import counterpart
from effnet_viz.study import results as study
from effnet_viz.study import verdicts
from effnet_viz.study.results import RESULTS, StudyResults, StudyResultsError
from effnet_viz.study.verdicts import BASELINE, ShareRow, StudyClaim
from effnet_viz.ui import words
from effnet_viz.ui.lab.colours import colours_of
from effnet_viz.ui.lab.findings import Axis, card
from effnet_viz.ui.lab.study_folds import show_study_folds
from effnet_viz.ui.layout.mistakes import with_number

_OF_POSSIBLE = "energy_of_ceiling"
"""As verdicts.RELEVANCE: on each network's own grid."""

_IN_MINIATURE = {
    "relevance": ("compound", _OF_POSSIBLE),
    "details": ("compound", DETAILS),
    "resolution": ("resolution", _OF_POSSIBLE),
}
"""Which of the five miniatures, and which measure, a claim is about as well."""


def show_study(miniatures: lab.Results | None, path: Path = RESULTS) -> None:
    """What real networks were measured to look at, beside what the five miniatures say.

    `miniatures` None are not measured. Without results of the study a message says what to do.
    """
    try:
        found = _loaded(path, path.stat().st_mtime_ns if path.exists() else 0)
    except StudyResultsError as error:
        st.info(with_number(error), icon=":material/science:")
        return
    with st.container(key="study"):
        _findings(found, miniatures)
        show_study_folds(found)


@cache
def _loaded(path: Path, _: int) -> StudyResults:
    """Read once for all visitors, and again when the file has changed."""
    return study.load(path)


def _findings(found: StudyResults, miniatures: lab.Results | None) -> None:
    cards = "".join(_card(claim, miniatures) for claim in verdicts.claims(found))
    cannot = html.escape(verdicts.cannot(found))
    st.html(
        f'<section class="findings"><h2>{html.escape(words.STUDY_TITLE)}</h2>'
        f'<div class="chart">{_chart(found)}<p class="key">{cannot}</p></div>'
        f'<div class="verdicts">{cards}</div></section>'
    )


def _card(claim: StudyClaim, miniatures: lab.Results | None) -> str:
    """With what the miniatures say of the same claim, where they do."""
    beside = ""
    if miniatures is not None and claim.key in _IN_MINIATURE:
        found = counterpart(miniatures, *_IN_MINIATURE[claim.key])
        if found is not None:
            beside = words.IN_MINIATURE.format(
                status=found.status.value.lower(), change=found.change
            )
    return card(claim.verdict, beside)


def _chart(found: StudyResults) -> str:
    rows = verdicts.share_rows(found)
    ends = [end for row in rows for end in (row.named_by_all.low, row.named_by_all.high)]
    base = next((row for row in rows if row.key == BASELINE), rows[0])
    axis = Axis(base.named_by_all.value, ends)
    rests_on = html.escape(verdicts.rests_on(found))
    title, told = html.escape(words.STUDY_CHART), " ".join(_in_words(row) for row in rows)
    colours = colours_of(row.key for row in rows)
    drawn = "".join(_row(row, axis, colours[row.key]) for row in rows)
    return (
        f'<h3>{title} <span>· {rests_on}</span></h3><div class="dots wide" role="img" '
        f'aria-label="{html.escape(f"{words.STUDY_CHART}. {told}", quote=True)}" '
        f'style="--base: {axis.place(axis.base):.4f}">{drawn}'
        f'<div class="axis"><span>{axis.ticks()}</span></div></div>'
        f'<p class="key">{html.escape(words.STUDY_KEY)}</p>'
    )


def _row(row: ShareRow, axis: Axis, colour: str) -> str:
    low, high, place = (
        axis.place(share)
        for share in (row.named_by_all.low, row.named_by_all.high, row.named_by_all.value)
    )
    return (
        f'<div style="--net: var(--net-{colour})"><span class="net">{html.escape(row.name)}</span>'
        f'<span class="plot"><i style="--lo: {low:.4f}; --hi: {high:.4f}"></i>'
        f'<u style="--at: {place:.4f}"></u></span>'
        f'<span class="num"><b>{row.value}</b> <span>{html.escape(row.beside)}</span></span></div>'
    )


def _in_words(row: ShareRow) -> str:
    return f"{row.name} {row.value} ({row.interval}), {row.beside}."
