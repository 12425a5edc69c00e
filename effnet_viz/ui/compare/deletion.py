"""Deletion and insertion of all networks."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.analysis.faithfulness import Race
from effnet_viz.metrics.deletion import FRACTIONS, Kind
from effnet_viz.ui import results
from effnet_viz.ui.compare.maps import PER_ROW
from effnet_viz.ui.compare.view import Shown, short_names
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import percent
from effnet_viz.ui.layout.theme import COLOURS
from effnet_viz.ui.layout.waiting import waiting

DELETION, INSERTION = "blur", "show only"

RACE_HELP = """
If a map is right about what matters, blurring its most important part should lower the probability
of the class quickly, and showing only that part should raise it quickly. So under *blur*, the lower
curve is the better map; under *show only*, the higher one. Compare the **relative area**: each
curve is divided by that network's probability of the whole photograph. A network never saw such
half-blurred pictures when it was trained, so read small differences as none.
"""


def show_race(shown: Shown) -> Shown:
    """The deletion race, when asked for: it takes forty passes of each network.

    Returns what is shown with the races in it.
    """
    st.markdown("#### Deletion race")
    on = st.toggle(
        "Run it: about forty passes of each network",
        key="race",
        bind="query-params",
    )
    if not on:
        return shown
    races = []
    with st.container():
        place = st.empty()
        for network, result in zip(shown.networks, shown.comparison.networks, strict=True):

            def tell(done: float, title: str = network.entry.title) -> None:
                place.progress(done, f"{title} is racing …")

            with waiting(f"{network.entry.title} is racing …"):
                races.append(
                    results.raced(result.look, shown.image.digest, shown.image.content, tell)
                )
        place.empty()
    _show_race(shown, races)
    how_to_read(RACE_HELP)
    return shown.having([{"race": race} for race in races])


@st.fragment
def _show_race(shown: Shown, races: list[Race]) -> None:
    names = short_names(shown)
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
        steps = [round(100 * fraction) for fraction in FRACTIONS]
        percent_changed = st.select_slider(
            "How much, in percent of what the network saw",
            steps,
            20,
            key="part",
            bind="query-params",
        )
    kind: Kind = "deletion" if direction == DELETION else "insertion"
    step = steps.index(percent_changed)
    fraction = FRACTIONS[step]
    curves = [race.deletion if kind == "deletion" else race.insertion for race in races]
    chart, pictures = st.columns([1, 1], gap="large")
    with chart:
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
            ]
        )
        figure.add_vline(x=fraction, line={"dash": "dot", "color": "#8d979a"})
        figure.update_layout(
            height=360,
            margin={"l": 0, "r": 8, "t": 8, "b": 0},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            xaxis={
                "title": f"{direction} this most important part",
                "tickformat": ".0%",
                "range": [0, 1],
                "fixedrange": True,
            },
            yaxis={
                "title": f"probability of {races[0].origin.target}",
                "tickformat": ".0%",
                "range": [0, 1],
                "fixedrange": True,
            },
        )
        st.plotly_chart(
            figure,
            config={"displayModeBar": False},
            key="race chart",
            alt="Probability of the class against the part of the photograph, for "
            f"{', '.join(names)}.",
        )
    with pictures:
        cells = st.columns(min(len(names), PER_ROW), gap="small")
        for i, (name, result, curve) in enumerate(
            zip(names, shown.comparison.networks, curves, strict=True)
        ):
            with cells[i % len(cells)]:
                st.image(
                    results.perturbed(
                        result.look, shown.image.digest, fraction, kind, shown.image.content
                    ),
                    alt=f"What {name} saw.",
                    width="stretch",
                )
                st.caption(f"{name}: {percent(curve.probabilities[step])}")
    st.dataframe(
        {
            "Network": [race.origin.title for race in races],
            "Weights": [race.origin.weights for race in races],
            "Area under deletion": [race.deletion.area for race in races],
            "relative": [race.relative_area("deletion") for race in races],
            "Area under insertion": [race.insertion.area for race in races],
            "relative ": [race.relative_area("insertion") for race in races],
        },
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("Area under deletion", "relative", "Area under insertion", "relative ")
        },
    )
