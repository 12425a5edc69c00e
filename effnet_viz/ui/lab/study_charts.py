"""The charts of the study."""

from __future__ import annotations

import plotly.graph_objects as go

from effnet_viz.study.results import StudyResults
from effnet_viz.study.verdicts import by_cost, name_of
from effnet_viz.ui.lab.colours import drawn_colours_of
from effnet_viz.ui.layout.charts import layout


def draw_by_depth(results: StudyResults) -> go.Figure:
    """Evidence on the object at every stage of every network, with 95 % intervals."""
    x = {
        "title": "end of the stage, in shares of the network's layers",
        "tickformat": ".0%",
        "range": [0, 1.03],
    }
    y = {"title": "evidence on the object, of what is possible", "tickformat": ".0%"}
    figure = go.Figure(layout=layout(380, x, y | {"automargin": True, "rangemode": "tozero"}))
    networks = by_cost(results)
    colours = drawn_colours_of(network.key for network in networks)
    for network in networks:
        name, stages, colour = name_of(network), network.stages, colours[network.key]
        figure.add_scatter(
            x=[stage.depth for stage in stages],
            y=[stage.share.value for stage in stages],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [stage.share.high - stage.share.value for stage in stages],
                "arrayminus": [stage.share.value - stage.share.low for stage in stages],
                "thickness": 1.5,
                "width": 0,
            },
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"size": 8, "color": colour},
            customdata=list(range(1, len(stages) + 1)),
            hovertemplate=f"{name}, stage %{{customdata}}: %{{y:.1%}}<extra></extra>",
        )
    return figure
