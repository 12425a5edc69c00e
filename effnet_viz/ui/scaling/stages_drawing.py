"""The stages of a network, drawn and as the paper's Table 1."""

from __future__ import annotations

from math import sqrt

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.engines import structure
from effnet_viz.engines.structure import Structure
from effnet_viz.models import architectures, scaling, zoo
from effnet_viz.ui.layout import theme
from effnet_viz.ui.layout.charts import NO_ZOOM
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import amount
from effnet_viz.ui.layout.theme import ORANGE, PURPLE, TEAL
from effnet_viz.ui.layout.url_parameters import Choice
from effnet_viz.ui.scaling.rule import YOURS, Chosen

PARAMETERS = (Choice("member", (*(entry.title for entry in zoo.MODELS.values()), YOURS)),)

TABLE_1_HELP = """
Each block is a stage. Its **height** is the side of its grid. Its **width** shows the channels:
four times the channels are drawn twice as wide. The cards behind each other are its **layers**.
Colours tell the size of the kernel: 3x3, 5x5, or 1x1 in the last stage. Dotted: B0, to compare.

The **receptive field** is the square of input pixels that one cell can see through convolutions. It
may be larger than the image: then every cell sees all of it, the one in the corner too.
Squeeze-and-excitation (in B0 to B7, not in Lite) also multiplies channels by averages over the
whole image.
"""

_KERNEL_COLOURS = {"3x3": TEAL, "5x5": ORANGE, "1x1": PURPLE}


def show_table_1(chosen: Chosen) -> None:
    """The nine stages of any model, drawn and as the paper's Table 1."""
    entries = {entry.title: entry for entry in zoo.MODELS.values()}
    titles = list(entries) if chosen.built is None else [*entries, YOURS]
    title = st.selectbox(
        "Model",
        titles,
        titles.index(scaling.BASELINE.title),
        key="member",
        bind="query-params",
        width=420,
    )
    shown = chosen.built if title == YOURS else architectures.structure_of(entries[title])
    assert shown is not None
    stages = shown.stages.values()
    st.plotly_chart(
        _drawing(shown, scaling.baseline()),
        config={"displayModeBar": False, "staticPlot": True},
        alt=f"{title} at {shown.resolution} pixels as {shown.last} blocks. "
        + " ".join(
            f"Stage {s.number}: {s.operator}, grid {s.side}×{s.side}, {s.channels} channels, "
            f"layers: {s.layers}."
            for s in stages
        ),
    )
    st.table(
        {
            "stage": [str(s.number) for s in stages],
            "operator": [s.operator for s in stages],
            "grid in": [f"{s.input_side}×{s.input_side}" for s in stages],
            "grid out": [f"{s.side}×{s.side}" for s in stages],
            "channels": [str(s.channels) for s in stages],
            "layers": [str(s.layers) for s in stages],
            "parameters": [amount(s.parameters) for s in stages],
            "multiply-adds": [amount(s.multiply_adds) for s in stages],
            "receptive field": [f"{s.receptive_side} px" for s in stages],
        },
        border="horizontal",
        width="content",
        hide_index=True,
    )
    squeeze = any(s.has_global_context for s in stages)
    st.caption(
        f"{title} at {shown.resolution} px: {amount(shown.parameters)} parameters, "
        f"{amount(shown.multiply_adds)} multiply-adds, all counted on the built network. It has "
        + ("" if squeeze else "no ")
        + "squeeze-and-excitation."
    )
    how_to_read(TABLE_1_HELP)


def _drawing(shown: Structure, baseline: Structure) -> go.Figure:
    """Stages as stacks of cards: height is the grid, width the channels, cards are the layers."""
    seen = theme.current()
    others = [] if shown == baseline else list(baseline.stages.values())
    both = [*shown.stages.values(), *others]
    tallest = max(stage.side for stage in both)
    widest = sqrt(max(stage.channels for stage in both))
    most = max(stage.layers for stage in both)

    def face(stage: structure.Stage, layer: int) -> dict[str, float]:
        """The card of a layer; stages stand one unit apart, the tallest card is one unit high."""
        shift = layer / most  # of the depth of the deepest stack
        middle = stage.number - 0.13 + 0.3 * shift
        half = 0.38 * sqrt(stage.channels) / widest
        bottom = 0.12 * shift
        return {
            "x0": middle - half,
            "x1": middle + half,
            "y0": bottom,
            "y1": bottom + stage.side / tallest,
        }

    figure = go.Figure()
    for stage in shown.stages.values():
        colour = _KERNEL_COLOURS[_kernel(stage)]
        for layer in reversed(range(stage.layers)):
            figure.add_shape(
                type="rect",
                **face(stage, layer),
                fillcolor=colour,
                line={"color": seen.paper, "width": min(0.8, 6 / most)},
            )
    for stage in others:
        figure.add_shape(
            type="rect", **face(stage, 0), line={"color": seen.ink, "width": 1, "dash": "dot"}
        )
    rows = {
        "stage": [f"<b>{stage.number}</b>" for stage in shown.stages.values()],
        "kernel": [_kernel(stage) for stage in shown.stages.values()],
        "grid": [str(stage.side) for stage in shown.stages.values()],
        "channels": [str(stage.channels) for stage in shown.stages.values()],
        "layers": [str(stage.layers) for stage in shown.stages.values()],
    }
    for row, (name, values) in enumerate(rows.items()):
        place = {"y": 0, "yref": "paper", "yanchor": "top", "yshift": -4 - 17 * row}
        text = {"showarrow": False, "font": {"size": 11, "color": seen.ink}}
        figure.add_annotation(text=name, x=0, xref="paper", xanchor="right", **place, **text)
        for number, value in zip(shown.stages, values, strict=True):
            figure.add_annotation(text=value, x=number - 0.13, **place, **text)
    figure.update_layout(
        height=330,
        margin={"l": 56, "r": 4, "t": 8, "b": 96},
        xaxis={"range": [0.5, shown.last + 0.5], "visible": False, **NO_ZOOM},
        yaxis={"range": [0, 1.14], "visible": False, **NO_ZOOM},
    )
    return figure


def _kernel(stage: structure.Stage) -> str:
    return next(size for size in _KERNEL_COLOURS if size in stage.operator)
