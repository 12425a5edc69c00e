"""The paper's claim, what was measured of it, and what that says: one chart, three verdicts."""

from __future__ import annotations

import html
from collections.abc import Sequence
from math import ceil, floor

import streamlit as st

from effnet_viz.analysis.claims import ClaimVerdict, Status
from effnet_viz.lab import verdicts
from effnet_viz.lab.results import Results
from effnet_viz.lab.verdicts import PAPERS_CLAIM, ChartRow
from effnet_viz.ui import words

_MARKS = {Status.SUPPORTED: "yes", Status.CONTRADICTED: "no", Status.OPEN: "open"}
_MOST_TICKS = 6


def show_findings(results: Results) -> None:
    """The claim as a headline; beside the chart of all networks the verdicts."""
    claim, link = PAPERS_CLAIM, html.escape(PAPERS_CLAIM.url, quote=True)
    source = f'<a href="{link}" target="_blank" rel="noopener">{html.escape(claim.source)}</a>'
    said = html.escape(claim.sentence.removeprefix(claim.source))
    cards = "".join(card(verdict) for verdict in verdicts.claim_verdicts(results))
    st.html(
        f'<section class="findings"><h2>{source}{said}</h2>'
        f'<div class="chart">{_chart(results)}</div><div class="verdicts">{cards}</div></section>'
    )


def card(verdict: ClaimVerdict, beside: str = "") -> str:
    """A claim, a mark that says what the numbers say of it, and they; `beside` has other numbers
    for the same claim."""
    others = f"<p>{html.escape(beside)}</p>" if beside else ""
    return (
        f'<div class="card"><i class="mark {_MARKS[verdict.status]}"></i>'
        f"<b>{html.escape(verdict.title)}</b><p>{html.escape(verdict.sentences)}</p>{others}</div>"
    )


def _chart(results: Results) -> str:
    rows = verdicts.chart_rows(results)
    title, rests_on = (html.escape(text) for text in verdicts.chart_title(results))
    axis = _axis(rows)
    label = html.escape(f"{title}. {' '.join(_in_words(row) for row in rows)}", quote=True)
    key = html.escape(words.CHART_KEY.format(baseline=words.NETWORKS[verdicts.BASELINE]))
    return (
        f'<h3>{title} <span>· {rests_on}</span></h3><div class="dots" role="img" '
        f'aria-label="{label}" style="--base: {axis.place(axis.base):.4f}">'
        f"{''.join(_row(row, axis) for row in rows)}"
        f'<div class="axis"><span>{axis.ticks()}</span></div></div><p class="key">{key}</p>'
    )


def _row(row: ChartRow, axis: Axis) -> str:
    line = ""
    if row.difference is not None:  # laid on the baseline's mean: only it has an interval
        low, high = (
            axis.place(axis.base + end) for end in (row.difference.low, row.difference.high)
        )
        line = f'<i style="--lo: {low:.4f}; --hi: {high:.4f}"></i>'
    hollow = ' class="hollow"' if row.by_chance else ""
    return (
        f'<div style="--net: var(--net-{row.key})"><span class="net">{html.escape(row.name)}</span>'
        f'<span class="plot">{line}<u{hollow} style="--at: {axis.place(row.share):.4f}"></u></span>'
        f'<span class="num"><b>{row.value}</b> <span>{html.escape(row.change)}</span></span></div>'
    )


def _in_words(row: ChartRow) -> str:
    chance = f", {words.BY_CHANCE}" if row.by_chance else ""
    return f"{row.name} {row.value}, {row.change}{chance}."


class Axis:
    """From a share to its place between the ends, 0 to 1; the ends are whole tens of percent."""

    def __init__(self, base: float, shown: Sequence[float]) -> None:
        """`base` is the yardstick, `shown` all that must find a place."""
        self.base = base
        self._low = floor(10 * min(shown))
        self._high = max(ceil(10 * max(shown)), self._low + 1)

    def place(self, share: float) -> float:
        return (10 * share - self._low) / (self._high - self._low)

    def ticks(self) -> str:
        tens = range(self._low, self._high + 1)
        step = ceil(len(tens) / _MOST_TICKS)
        return "".join(
            f'<span style="left: {100 * self.place(ten / 10):.2f}%">{10 * ten} %</span>'
            for ten in tens[::step]
        )


def _axis(rows: Sequence[ChartRow]) -> Axis:
    base = next(row.share for row in rows if row.key == verdicts.BASELINE)
    pairs = [row.difference for row in rows if row.difference is not None]
    ends = [base + end for pair in pairs for end in (pair.low, pair.high)]
    return Axis(base, [*ends, *(row.share for row in rows)])
