"""Deletion and insertion of all networks."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.analysis.faithfulness import DeletionInsertion
from effnet_viz.metrics.deletion import FRACTIONS, Curve, Kind
from effnet_viz.ui import results
from effnet_viz.ui.compare.view import PER_ROW, ComparisonView
from effnet_viz.ui.layout.charts import layout, show_chart
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.text import percent
from effnet_viz.ui.layout.theme import COLOURS, GREY
from effnet_viz.ui.layout.url_parameters import Choice, Flag
from effnet_viz.ui.layout.waiting import waiting

DELETION, INSERTION = "blur", "show only"

STEPS = tuple(round(100 * fraction) for fraction in FRACTIONS)
"""How much of the photograph is changed, in percent."""

PARAMETERS = (
    Flag("race"),  # what old links say
    Choice("direction", (DELETION, INSERTION)),
    Choice("part", tuple(map(str, STEPS))),
)

DELETION_HELP = """
If a map is right about what matters, blurring its most important part should lower the probability
of the class quickly, and showing only that part should raise it quickly. So under *blur*, the lower
curve is the better map; under *show only*, the higher one. Compare the **relative area**: each
curve is divided by that network's probability of the whole photograph. A network never saw such
half-blurred pictures when it was trained, so read small differences as none.
"""


def show_deletion_insertion(view: ComparisonView) -> ComparisonView:
    """Deletion and insertion, when requested: they take forty passes of each network.

    Returns the view with their results in it.
    """
    st.markdown("#### Deletion and insertion")
    if not st.toggle("Run it: about forty passes of each network", key="race", bind="query-params"):
        return view
    found = []
    with st.container():
        place = st.empty()
        for network, result in zip(view.networks, view.comparison.networks, strict=True):
            running = f"Deletion and insertion with {network.entry.title} …"

            def tell(done: float, running: str = running) -> None:
                place.progress(done, running)

            with waiting(running):
                found.append(results.deletion_insertion(result.explanation, view.image, tell))
        place.empty()
    _show_curves(view, found)
    how_to_read(DELETION_HELP)
    return view.having([{"deletion_insertion": one} for one in found])


@st.fragment
@mistake_boundary()
def _show_curves(view: ComparisonView, found: Sequence[DeletionInsertion]) -> None:
    """Runs by itself when direction or part change: nothing is computed for them."""
    what, how_much = st.columns([2, 3], gap="large", vertical_alignment="bottom")
    with what:
        direction = st.segmented_control(
            "The most important part of the photograph",
            [DELETION, INSERTION],
            default=DELETION,
            required=True,
            key="direction",
            bind="query-params",
        )
    with how_much:
        percent_changed = st.select_slider(
            "How much, in percent of what the network saw",
            STEPS,
            20,
            key="part",
            bind="query-params",
        )
    kind: Kind = "deletion" if direction == DELETION else "insertion"
    step = STEPS.index(percent_changed)
    curves = [one.deletion if kind == "deletion" else one.insertion for one in found]
    chart, pictures = st.columns([1, 1], gap="large")
    with chart:
        show_chart(
            _draw_curves(
                view.names, curves, FRACTIONS[step], direction, found[0].attribution.target.label
            ),
            key="deletion and insertion",
            alt="Probability of the class against the part of the photograph, for "
            f"{', '.join(view.names)}.",
        )
    with pictures:
        _show_pictures(view, curves, step, kind)
    _show_areas(found)


def _draw_curves(
    names: Sequence[str], curves: Sequence[Curve], fraction: float, direction: str, target: str
) -> go.Figure:
    """The probability of the target over the part that is changed; a line at this fraction."""
    figure = go.Figure(
        [
            go.Scatter(
                x=curve.fractions,
                y=curve.probabilities,
                name=name,
                mode="lines+markers",
                line={"color": COLOURS[i % len(COLOURS)]},
                hovertemplate=f"{name}: %{{y:.1%}} at %{{x:.0%}}<extra></extra>",
            )
            for i, (name, curve) in enumerate(zip(names, curves, strict=True))
        ],
        layout(
            360,
            {
                "title": f"{direction} this most important part",
                "tickformat": ".0%",
                "range": [0, 1],
            },
            {"title": f"probability of {target}", "tickformat": ".0%", "range": [0, 1]},
        ),
    )
    figure.add_vline(x=fraction, line={"dash": "dot", "color": GREY})
    return figure


def _show_pictures(view: ComparisonView, curves: Sequence[Curve], step: int, kind: Kind) -> None:
    """What every network saw at this step."""
    cells = st.columns(min(len(curves), PER_ROW), gap="small")
    networks = view.comparison.networks
    for i, (name, result, curve) in enumerate(zip(view.names, networks, curves, strict=True)):
        with cells[i % len(cells)]:
            picture = results.perturbed(result.explanation, view.image, FRACTIONS[step], kind)
            st.image(picture, alt=f"What {name} saw.", width="stretch")
            st.caption(f"{name}: {percent(curve.probabilities[step])}")


def _show_areas(found: Sequence[DeletionInsertion]) -> None:
    areas = {
        "Area under deletion": [one.deletion.area for one in found],
        "relative": [one.relative_area("deletion") for one in found],
        "Area under insertion": [one.insertion.area for one in found],
        "relative ": [one.relative_area("insertion") for one in found],
    }
    st.dataframe(
        {
            "Network": [one.attribution.provenance.title for one in found],
            "Weights": [one.attribution.provenance.weights for one in found],
            **areas,
        },
        hide_index=True,
        height="content",
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in areas},
    )
