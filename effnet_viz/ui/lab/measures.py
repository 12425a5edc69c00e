"""Any measure of the lab: means and references, pairs, sizes."""

from __future__ import annotations

import streamlit as st

from effnet_viz.lab import sentences
from effnet_viz.lab.results import CAM, GRAD_CAM, SIZE_GROUPS, OverRuns, Results
from effnet_viz.lab.scalings import GRAD_CAM_STAGE
from effnet_viz.ui import words
from effnet_viz.ui.lab.charts import draw_by_size, draw_means, draw_pairs
from effnet_viz.ui.lab.measure_table import MEASURES, labelled_pairs, reference_values
from effnet_viz.ui.layout.charts import show_chart
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.url_parameters import Choice

KINDS = {"CAM at the last stage": CAM, f"Grad-CAM at stage {GRAD_CAM_STAGE}": GRAD_CAM}

PARAMETERS = (Choice("lab_map", KINDS), Choice("lab_measure", MEASURES))


@st.fragment
@mistake_boundary()
def show_measures(results: Results) -> None:
    """Any measure of either kind of map: means and references, pairs, by size of the object."""
    section(words.WHERE_IT_LIES)
    threshold = sentences.percent(results.fixed_threshold, 0)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        kind_title = st.segmented_control(
            words.LAB_MAP,
            list(KINDS),
            default=next(iter(KINDS)),
            required=True,
            key="lab_map",
            bind="query-params",
        )
    with right:
        title = st.selectbox(
            words.LAB_MEASURE, list(MEASURES), key="lab_measure", bind="query-params"
        )
    kind, measure = KINDS[kind_title], MEASURES[title]
    meaning = measure.meaning.format(grid=results.common_grid, threshold=threshold)
    direction = "Higher" if measure.higher_is_better else "Lower"
    st.markdown(f"{meaning} **{direction} is better.**")
    if not measure.comparable:
        st.caption(
            "The reference maps are left out here: they have the grid of the picture, where the "
            "ceiling is another."
        )
    if measure.key == "iou_best_threshold":
        best = ", ".join(
            f"{network.name} {sentences.percent(network.maps[kind].best_threshold, 0)}"
            for network in results.networks.values()
        )
        st.caption(f"Best thresholds, as a share of the map's maximum: {best}.")
    means, pairs = st.columns(2, gap="medium")
    with means:
        st.markdown(f"**{sentences.runs_in_words(results).capitalize()} and their mean**")
        values = {
            network.name: network.maps[kind].everywhere[measure.key]
            for network in results.networks.values()
        }
        show_chart(
            draw_means(results, kind, measure),
            key="lab means",
            alt=f"{title}, {kind_title}, means over runs: {_means_text(values)}. "
            + (
                f"Reference maps: {_means_text(reference_values(results, measure))}."
                * measure.comparable
            ),
        )
    with pairs:
        st.markdown(words.LAB_PAIRS)
        show_chart(
            draw_pairs(results, kind, measure),
            key="lab pairs",
            alt=f"{title}, {kind_title}: differences of pairs in points with 95 % intervals. "
            + " ".join(
                f"{label}: {100 * pair.value:.1f}, {100 * pair.low:.1f} to {100 * pair.high:.1f}."
                for label, pair in labelled_pairs(results, kind, measure)
            ),
        )
    st.markdown(words.LAB_SIZES)
    show_chart(
        draw_by_size(results, kind, measure),
        key="lab sizes",
        alt=f"{title}, {kind_title}, for small, medium and large objects. "
        + " ".join(
            f"{network.name}: "
            + ", ".join(
                sentences.percent(network.maps[kind].by_size[group][measure.key].mean)
                for group in SIZE_GROUPS
            )
            + "."
            for network in results.networks.values()
        ),
    )
    shares = ", ".join(
        f"{group} ones fill {sentences.percent(results.object_share(group), 0)} of the picture"
        for group in SIZE_GROUPS
    )
    st.caption(
        f"A third of the scenes each, by the area of the object that shows: {shares} on average. "
        f"Measured on {sum(run.scenes_all_correct for run in results.runs):,} scenes in all."
    )
    how_to_read(words.READING_MEASURES)


def _means_text(values: dict[str, OverRuns]) -> str:
    return ", ".join(f"{name} {sentences.percent(value.mean)}" for name, value in values.items())
