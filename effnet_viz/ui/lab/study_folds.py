"""What stands folded below the study; each is computed when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st

from effnet_viz.analysis.evaluation import MEASURES
from effnet_viz.analysis.words import NO_BREAK, change, percent
from effnet_viz.attribution.methods import METHODS
from effnet_viz.study.results import SIZES, Estimate, MethodEstimate, MethodsMeasured, StudyResults
from effnet_viz.study.verdicts import (
    BASELINE,
    RELEVANCE,
    agreement_in_words,
    by_cost,
    classless_in_words,
    name_of,
)
from effnet_viz.ui import words
from effnet_viz.ui.lab.study_charts import draw_by_depth
from effnet_viz.ui.layout.charts import show_chart
from effnet_viz.ui.layout.fold import fold
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import seconds_text
from effnet_viz.ui.layout.url_parameters import Flag

WORD_JOINER = "\N{WORD JOINER}"
TITLES = {measure.key: measure.title for measure in MEASURES}

PARAMETERS = (Flag("by_depth"), Flag("two_objects"), Flag("which_method"))


def show_study_folds(results: StudyResults) -> None:
    """Where in the network, two objects and sizes, and everything as a file."""
    with st.container(key="study_folds", horizontal=True):
        fold(words.BY_DEPTH, "by_depth", partial(_by_depth, results))
        fold(words.TWO_OBJECTS, "two_objects", partial(_two_objects, results))
        fold(words.WHICH_METHOD, "which_method", partial(_which_method, results))


def _by_depth(results: StudyResults) -> None:
    show_chart(
        draw_by_depth(results),
        key="study depth",
        alt=f"{words.BY_DEPTH_ALT} "
        + " ".join(
            f"{name_of(one)}: {', '.join(percent(stage.share.value) for stage in one.stages)}."
            for one in by_cost(results)
        ),
    )
    how_to_read(words.READING_DEPTH)


def _two_objects(results: StudyResults) -> None:
    networks = by_cost(results)
    st.table(
        {
            "network": [f"**{name_of(one)}**" for one in networks],
            "maps": [f"{one.two.maps} of {one.two.of}" for one in networks],
            "on its own object": [_told(one.two.own) for one in networks],
            "on the other": [_told(one.two.other) for one in networks],
            "more on its own": [_told(one.two.more_on_own) for one in networks],
            **{
                f"one object, {size}": [
                    _told(one.by_size[size][RELEVANCE]) if size in one.by_size else "–"
                    for one in networks
                ]
                for size in SIZES
            },
            "alike over backgrounds": [f"{one.stability.value:.2f}" for one in networks],
        },
        border="horizontal",
        width="content",
        hide_index=True,
        alt=words.TWO_OBJECTS_ALT,
    )
    st.caption(words.TWO_OBJECTS_LINE.format(near=results.near))
    st.download_button(
        words.STUDY_NUMBERS,
        results.text,
        "objects-study.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def _which_method(results: StudyResults) -> None:
    measured = {
        name_of(one): results.methods[one.key]
        for one in by_cost(results)
        if one.key in results.methods
    }
    closely = results.closely
    if not measured and closely is None:
        st.info(words.NO_METHODS_MEASURED, icon=":material/science:")
        return
    by_point = (
        st.segmented_control(
            words.METHODS_BY,
            [words.ON_ITS_OBJECT, words.BRIGHTEST_POINT],
            default=words.ON_ITS_OBJECT,
            required=True,
            key="methods_by",
            label_visibility="collapsed",
        )
        == words.BRIGHTEST_POINT
    )
    known: set[str] = set()
    if measured:
        _show_methods(measured, by_point=by_point)
        known = {row.method for row in next(iter(measured.values())).methods}
    if closely is None:
        return
    dearer = tuple(row for row in closely.methods if row.method not in known)
    if dearer:
        baseline = name_of(results.networks[BASELINE])
        _show_methods({baseline: replace(closely, methods=dearer)}, by_point=by_point)
    if closely.agreement:
        _show_agreement(closely)


def _show_methods(networks: Mapping[str, MethodsMeasured], *, by_point: bool) -> None:
    """A row for each method, the best one on the first network first; a column for each network."""

    def number(row: MethodEstimate) -> Estimate:
        return row.hit if by_point else row.share

    found = {name: {row.method: row for row in one.methods} for name, one in networks.items()}
    best = {
        row.method: row
        for one in networks.values()
        for row in sorted(one.methods, key=lambda row: -number(row).value)
    }
    first = next(iter(networks))
    st.table(
        {
            "method": [f"**{METHODS[key].title}**" for key in best],
            **{
                name: [_told(number(rows[key])) if key in rows else "–" for key in best]
                for name, rows in found.items()
            },
            "passes": [str(row.passes) for row in best.values()],
            "seconds": [
                seconds_text(found[first][key].seconds) if key in found[first] else "–"
                for key in best
            ],
        },
        border="horizontal",
        width="content",
        hide_index=True,
        alt=words.BRIGHTEST_POINT_ALT if by_point else words.ON_ITS_OBJECT_ALT,
    )
    if classless := classless_in_words(networks[first]):
        st.markdown(classless)
    scenes = "; ".join(f"{one.scenes:,} for {name}" for name, one in networks.items())
    st.caption(words.WHICH_METHOD_LINE.format(scenes=scenes, first=first))


def _show_agreement(closely: MethodsMeasured) -> None:
    """Which numbers that anybody can compute rank methods as the mask does."""
    found = {TITLES[name]: one for name, one in closely.agreement.items()}
    st.markdown(words.WITHOUT_A_MASK.format(found=agreement_in_words(found)))
    st.table(
        {
            "number without a mask": [f"**{title}**" for title in found],
            "rank correlation with the mask": [_correlation(one) for one in found.values()],
        },
        border="horizontal",
        width="content",
        hide_index=True,
        alt=words.WITHOUT_A_MASK_ALT,
    )
    line = words.WITHOUT_A_MASK_LINE
    st.caption(line.format(count=len(closely.methods), scenes=closely.scenes))


def _correlation(found: Estimate) -> str:
    """“−0.59 (−0.85 to +0.40)”, on one line."""
    told = f"{change(found.value)} ({change(found.low)} to {change(found.high)})"
    return told.replace(" ", NO_BREAK)


def _told(found: Estimate) -> str:
    """“39 % (37–41)”, on one line."""
    low, high = (f"{100 * end:.0f}" for end in (found.low, found.high))
    return f"{percent(found.value)} ({low}–{WORD_JOINER}{high})".replace(" ", NO_BREAK)
