"""What the network goes by, class by class: shortcuts first."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable

import streamlit as st

from effnet_viz.analysis import mistakes_verdict as verdict
from effnet_viz.analysis.mistakes import Study
from effnet_viz.ui import results, words
from effnet_viz.ui.layout.section import section


def show_classes(study: Study) -> None:
    """Classes with a shortcut one under the other, the others behind a click."""
    counts = Counter(look.picture.label for look in study.looks)
    labels = [label for label in study.model.classes if counts[label] >= verdict.FEWEST]
    found = [label for label in verdict.shortcuts(study) if label in labels]
    others = [label for label in labels if label not in found]
    section(words.GOES_BY, words.GOES_BY_LINE)
    if not labels:
        st.caption(words.TOO_FEW.format(count=verdict.FEWEST))
        return
    if found:
        _show(_card(study, label, counts[label], shortcut=True) for label in found)
    if others:
        with st.expander(
            words.CLASSES_WITHOUT_FINDING.format(count=len(others)), expanded=not found
        ):
            _show(_card(study, label, counts[label], shortcut=False) for label in others)


def _show(cards: Iterable[str]) -> None:
    st.html(f'<div class="classes">{"".join(cards)}</div>')


def _card(study: Study, label: str, count: int, *, shortcut: bool) -> str:
    """One class: the mean picture of each group under its mean map, and what was tried."""
    figures = "".join(
        f'<figure><img src="{results.mean_map(study, number)}" alt="'
        f'{html.escape(words.MEAN_PICTURE.format(count=len(group.looks), label=label))}">'
        f"<figcaption><b>{html.escape(verdict.group_headline(group))}</b> "
        f"{html.escape(verdict.group_sentence(group))}</figcaption></figure>"
        for number, group in enumerate(study.groups)
        if group.label == label
    )
    surroundings = "".join(
        f"<p><b>{html.escape(verdict.surroundings_headline(of))}.</b> "
        f"{html.escape(verdict.surroundings_sentence(of))}</p>"
        for of in study.surroundings
        if of.label == label
    )
    tag = f"<i>{words.SHORTCUT}</i>" if shortcut else ""
    head = f"<h3>{html.escape(label)} <span>{count} pictures</span>{tag}</h3>"
    return f"<article>{head}{surroundings}{figures}</article>"
