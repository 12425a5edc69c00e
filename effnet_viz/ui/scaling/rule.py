"""The parts of the page "Scaling rules": sliders, tables, the drawing and the scatter plot."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10, sqrt

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.engines import structure
from effnet_viz.engines.structure import Structure
from effnet_viz.models import scaling, zoo
from effnet_viz.models.scaling import Rule, Scale
from effnet_viz.ui.layout.help import how_to_read

PRESETS = {
    "All three (the paper)": Rule(),
    "Depth only": Rule(2.0, 1.0, 1.0),
    "Width only": Rule(1.0, 1.41, 1.0),
    "Resolution only": Rule(1.0, 1.0, 1.41),
}
"""Each doubles the multiply-adds with one step of φ, about."""
YOURS = "Your scale"
NO_BREAK = "\N{NO-BREAK SPACE}"
MULTIPLY_ADDS, PARAMETERS = "multiply-adds", "parameters"

RULE_HELP = """
A network can grow along three axes: **depth** (more layers), **width** (more channels) and
**resolution** (a larger image). Compound scaling grows all three together. α, β and γ say how much
of each one step takes, φ says how many steps.

Twice the layers cost twice the multiply-adds. Twice the channels, or twice the side of the image,
cost four times as many. So one step multiplies the cost by α·β²·γ². The paper keeps that near 2:
then φ steps cost about 2 to the power of φ times as much. It found α = 1.2, β = 1.1 and γ = 1.15 by
trying values at φ = 1 (Section 3.3).
"""

ROUNDING_HELP = """
A stage cannot have 35.2 channels or 1.4 layers. Channels go to the nearest multiple of 8, which
hardware likes, but never down by more than 10 %. Layers go up to the next whole number; stages 1
and 9 always have one. So a small change of a slider may change nothing, and another a lot.
"""

FAMILY_HELP = """
“Rule” is what the sliders above give at the φ that costs as many multiply-adds as the published
model; “used” is what the authors took. The paper names no φ for B1 to B7. With its own α, β and γ,
B2 has just the width and depth that the rule gives at φ = 1, and B1 is a smaller step before it.
"""

TABLE_1_HELP = """
Each block is a stage. Its **height** is the side of its grid. Its **width** shows the channels:
four times the channels are drawn twice as wide. The cards behind each other are its **layers**.
Colours tell the size of the kernel: 3x3, 5x5, or 1x1 in the last stage. Dotted: B0, to compare.

The **receptive field** is the square of input pixels that one cell can see through convolutions. It
may be larger than the image: then every cell sees all of it, the one in the corner too.
Squeeze-and-excitation (in B0 to B7, not in Lite) also multiplies channels by averages over the
whole image.
"""

ACCURACY_HELP = """
Further up is better, further left is cheaper; each step of the lower axis from 1 to 10 is ten times
the cost. Point at a mark to see its source. The vertical line is your scale: its cost is computed,
but its accuracy would have to be measured, and nobody has.

Compare within one series only. The paper's models, torchvision's and Lite were trained differently;
torchvision's B0 to B4 and B5 to B7 come from two different releases.
"""

_GREEN, _ORANGE = "#0f8b8d", "#d1761f"
_KERNEL_COLOURS = {"3x3": _GREEN, "5x5": _ORANGE, "1x1": "#8a7bb8"}
_SERIES_MARKS = (
    (_GREEN, "circle", True),
    ("#8a6bbf", "square", True),
    (_ORANGE, "circle-open", True),
    (_ORANGE, "x-thin-open", False),
    ("#c8475d", "diamond", False),
    ("#8d979a", "circle", False),
)
"""Colour, symbol and whether a line joins them; in the order of scaling.figures()."""


@dataclass(frozen=True)
class Chosen:
    """What the sliders say."""

    rule: Rule
    phi: float

    @property
    def scale(self) -> Scale:
        """The rule's answer, before rounding."""
        return self.rule.scale(self.phi)

    @property
    def built(self) -> Structure | None:
        """The network that it leads to; None if it is too deep to build."""
        width, depth, resolution = self.scale.usable()
        return scaling.built(width, depth, resolution) if depth <= scaling.DEEPEST else None


def choose_rule() -> Chosen:
    """φ, α, β and γ from sliders. Every choice is in the URL."""
    paper = Rule()
    st.markdown(
        "To make a network larger, add layers (depth), channels (width) or pixels (resolution). "
        "EfficientNet grows all three by one rule. Move the sliders to see where it leads."
    )
    with st.container(horizontal=True):
        for name, preset in PRESETS.items():
            st.button(name, on_click=_use, args=(preset,))
    one, two, three, four = st.columns(4, gap="medium")
    phi = one.slider(
        "φ: how many steps", 0.0, 7.0, 1.0, 0.5, "%.1f", key="phi", bind="query-params"
    )
    alpha = two.slider(
        "α: depth per step", 1.0, 2.0, paper.alpha, 0.01, "%.2f", key="alpha", bind="query-params"
    )
    beta = three.slider(
        "β: width per step", 1.0, 1.5, paper.beta, 0.01, "%.2f", key="beta", bind="query-params"
    )
    gamma = four.slider(
        "γ: resolution per step",
        1.0,
        1.5,
        paper.gamma,
        0.01,
        "%.2f",
        key="gamma",
        bind="query-params",
    )
    return Chosen(Rule(alpha, beta, gamma), phi)


def show_result(chosen: Chosen) -> None:
    """The constraint; then B0, the rule's answer, its rounded network and the closest published."""
    rule, phi, scale, built = chosen.rule, chosen.phi, chosen.scale, chosen.built
    st.markdown(f"**α · β² · γ² = {rule.growth:.2f}.** {_verdict(rule.growth)}")
    first = scaling.baseline()
    cost = first.multiply_adds * rule.growth**phi
    member = scaling.closest(built.multiply_adds if built else cost)
    published = scaling.family()[member]
    accuracy = {one.name: f"{one.figure.top1:.1f}{NO_BREAK}%" for one in scaling.family()}
    rows = ["depth d", "width w", "resolution", "layers", "parameters", "multiply-adds", "top-1"]
    st.table(
        {
            "": [f"**{row}**".replace("-", "\N{NON-BREAKING HYPHEN}") for row in rows],
            "B0": ["1", "1", *_counted(first), accuracy["B0"]],
            f"rule, φ{NO_BREAK}={NO_BREAK}{phi:g}": [
                f"{scale.depth:.2f}",
                f"{scale.width:.2f}",
                f"{scale.resolution:.1f}{NO_BREAK}px",
                "",
                "",
                _amount(cost),
                "",
            ],
            "built, rounded": ["", "", *_counted(built), "not trained"],
            f"{member.name}, paper": [
                f"{member.depth:g}",
                f"{member.width:g}",
                *_counted(published),
                accuracy[member.name],
            ],
        },
        border="horizontal",
        width="content",
        hide_index=True,
    )
    st.caption(
        f"The rule's multiply-adds: B0's times {rule.growth:.2f} to the power of {phi:g}. The rest "
        f"is counted on the built networks. {member.name} is the published model closest in "
        f"multiply-adds; its top-1 accuracy on ImageNet: {member.figure.source}."
    )
    how_to_read(RULE_HELP)


def offer_comparison(chosen: Chosen) -> None:
    """A button that takes the chosen scale to the page that compares networks."""
    width, depth, resolution = chosen.scale.usable()
    try:
        entry = zoo.variant(scaling.BASELINE.key, width=width, depth=depth, resolution=resolution)
    except zoo.VariantError as error:
        st.caption(f":material/block: It cannot be compared with other networks: {error}")
        return
    if st.button("Compare this network with others", icon=":material/compare:"):
        st.session_state["custom"] = entry.key
        st.switch_page("pages/compare_scaling.py")


def show_rounding(chosen: Chosen) -> None:
    """Channels and layers of every stage, as the multipliers say and as they are built."""
    scale = chosen.scale
    width, depth, resolution = scale.usable()
    if chosen.built is None:
        st.info(
            f"The rule asks for {depth:.0f} times the depth of B0. Networks are built here up to "
            f"{scaling.DEEPEST:g} times its depth: lower φ or α to see this one.",
            icon=":material/layers:",
        )
        return
    stages = scaling.stages(width, depth)
    st.markdown("##### Why the built network is not just the rule's answer")
    channels = max(stages, key=lambda s: abs(s.channels / s.exact_channels - 1))
    layers = max(stages, key=lambda s: s.layers / s.exact_layers)
    st.markdown(
        "- **Channels** go to multiples of 8, never down by more than 10 %. "
        + _largest_change(channels.number, channels.exact_channels, channels.channels)
        + "\n- **Layers** are rounded up. "
        + _largest_change(layers.number, layers.exact_layers, layers.layers)
        + "\n- **Resolution** has to suit the strides: the last grid has "
        f"{chosen.built.stages[zoo.STAGES[-1]].jump} times fewer cells along a side than the image "
        f"has pixels. Here {resolution} px are taken; the authors picked theirs by hand."
        "\n- **Memory** of the machines that train it may also set a limit to the resolution."
    )
    st.table(
        {
            "stage": [str(s.number) for s in stages],
            "operator": [s.operator for s in stages],
            "channels of B0": [str(s.baseline_channels) for s in stages],
            f"× {width:.2f}": [f"{s.exact_channels:.1f}" for s in stages],
            "built": [f"**{s.channels}**" for s in stages],
            "layers of B0": [str(s.baseline_layers) for s in stages],
            f"× {depth:.2f} ": [_layers_asked(s) for s in stages],
            "built ": [f"**{s.layers}**" for s in stages],
        },
        border="horizontal",
        width="content",
        hide_index=True,
    )
    how_to_read(ROUNDING_HELP)


def show_family(chosen: Chosen) -> None:
    """B0 to B7 as the authors made them, beside the rule at the same cost."""
    rule = chosen.rule
    if rule.growth <= 1:
        st.info(
            "With α = β = γ = 1 nothing grows, so the rule leads to no other model. Raise one of "
            "them.",
            icon=":material/info:",
        )
        return
    family = scaling.family()
    asked = {m: rule.scale(rule.phi(made.multiply_adds)) for m, made in family.items()}
    st.table(
        {
            "model": [m.name for m in family],
            "multiply-adds": [_amount(made.multiply_adds) for made in family.values()],
            "φ": [f"{rule.phi(made.multiply_adds):.2f}" for made in family.values()],
            "depth: rule": [f"{asked[m].depth:.2f}" for m in family],
            "used": [f"**{m.depth:g}**" for m in family],
            "width: rule": [f"{asked[m].width:.2f}" for m in family],
            "used ": [f"**{m.width:g}**" for m in family],
            "resolution: rule": [f"{asked[m].resolution:.0f}" for m in family],
            "used  ": [f"**{m.resolution}**" for m in family],
        },
        border="horizontal",
        width="content",
        hide_index=True,
    )
    st.caption(
        f"With α = {rule.alpha:g}, β = {rule.beta:g}, γ = {rule.gamma:g}. The published models are "
        "near the paper's rule, and none is exactly on it: they were rounded and chosen by hand."
    )
    how_to_read(FAMILY_HELP)


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
    shown = chosen.built if title == YOURS else structure.of(entries[title])
    assert shown is not None
    stages = shown.stages.values()
    st.plotly_chart(
        _drawing(shown, scaling.baseline()),
        config={"displayModeBar": False, "staticPlot": True},
        alt=f"{title} at {shown.resolution} pixels as nine blocks. "
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
            "parameters": [_amount(s.parameters) for s in stages],
            "multiply-adds": [_amount(s.multiply_adds) for s in stages],
            "receptive field": [f"{s.receptive_side} px" for s in stages],
        },
        border="horizontal",
        width="content",
        hide_index=True,
    )
    squeeze = any(s.sees_all for s in stages)
    st.caption(
        f"{title} at {shown.resolution} px: {_amount(shown.parameters)} parameters, "
        f"{_amount(shown.multiply_adds)} multiply-adds, all counted on the built network. It has "
        + ("" if squeeze else "no ")
        + "squeeze-and-excitation."
    )
    how_to_read(TABLE_1_HELP)


def show_accuracy(chosen: Chosen) -> None:
    """Published accuracy against multiply-adds or parameters."""
    axis = st.segmented_control(
        "Cost in",
        [MULTIPLY_ADDS, PARAMETERS],
        default=MULTIPLY_ADDS,
        required=True,
        key="cost",
        bind="query-params",
    )
    built = chosen.built
    yours = None
    if built is not None:
        yours = built.multiply_adds if axis == MULTIPLY_ADDS else built.parameters
    best = max(
        (figure for series in scaling.figures().values() for figure in series),
        key=lambda figure: figure.top1,
    )
    st.plotly_chart(
        _scatter(axis, yours),
        config={"displayModeBar": False},
        alt=f"Published ImageNet top-1 accuracy against {axis} of six series of networks. The "
        f"highest is {best.top1:.1f} % by {best.name}."
        + (f" Your scale has {_amount(yours)} {axis}." if yours else ""),
    )
    how_to_read(ACCURACY_HELP)


def _use(rule: Rule) -> None:
    state = st.session_state
    state["alpha"], state["beta"], state["gamma"] = rule.alpha, rule.beta, rule.gamma


def _verdict(growth: float) -> str:
    steps = f"Each step of φ costs {growth:.2f} times the multiply-adds"
    if abs(growth - 2) <= 0.1:
        return f"{steps}, near the 2 that the paper asks for."
    side = "less" if growth < 2 else "more"
    return f"{steps}, {side} than the 2 that the paper asks for."


def _counted(built: Structure | None) -> list[str]:
    """Resolution, layers, parameters, multiply-adds of a network."""
    if built is None:
        return ["", "", "", "too deep"]
    return [
        f"{built.resolution}{NO_BREAK}px",
        str(sum(stage.layers for stage in built.stages.values())),
        _amount(built.parameters),
        _amount(built.multiply_adds),
    ]


def _largest_change(stage: int, exact: float, built: int) -> str:
    if exact == built:
        return "Here nothing had to be rounded."
    return f"Here stage {stage} changes most: {exact:.2f} become {built}."


def _layers_asked(stage: scaling.StageScaling) -> str:
    return f"{stage.exact_layers:.2f}".rstrip("0").rstrip(".")


def _amount(number: float) -> str:
    """With three digits, in billions, millions or thousands."""
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            value = number / unit
            digits = 2 if value < 10 else 1 if value < 100 else 0
            return f"{value:.{digits}f}{NO_BREAK}{name}"
    return f"{number:.0f}"


def _round_amount(number: float) -> str:
    return _amount(number).replace(".00", "").replace(".0", "")


def _drawing(shown: Structure, baseline: Structure) -> go.Figure:
    """Stages as stacks of cards: height is the grid, width the channels, cards are the layers."""
    dark = st.context.theme.type == "dark"
    paper, ink = ("#14191b", "#e8e6e1") if dark else ("#fbfaf7", "#1d2527")
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
                line={"color": paper, "width": min(0.8, 6 / most)},
            )
    for stage in others:
        figure.add_shape(
            type="rect", **face(stage, 0), line={"color": ink, "width": 1, "dash": "dot"}
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
        text = {"showarrow": False, "font": {"size": 11, "color": ink}}
        figure.add_annotation(text=name, x=0, xref="paper", xanchor="right", **place, **text)
        for number, value in zip(zoo.STAGES, values, strict=True):
            figure.add_annotation(text=value, x=number - 0.13, **place, **text)
    figure.update_layout(
        height=330,
        margin={"l": 56, "r": 4, "t": 8, "b": 96},
        xaxis={"range": [0.5, 9.5], "visible": False, "fixedrange": True},
        yaxis={"range": [0, 1.14], "visible": False, "fixedrange": True},
    )
    return figure


def _kernel(stage: structure.Stage) -> str:
    return next(size for size in _KERNEL_COLOURS if size in stage.operator)


def _scatter(axis: str, yours: float | None) -> go.Figure:
    """Top-1 accuracy over cost, logarithmic; a line where the chosen scale is."""
    dark = st.context.theme.type == "dark"
    ink = "#e8e6e1" if dark else "#1d2527"
    figure = go.Figure()
    for (name, series), (colour, symbol, joined) in zip(
        scaling.figures().items(), _SERIES_MARKS, strict=True
    ):
        costs = [f.multiply_adds if axis == MULTIPLY_ADDS else f.parameters for f in series]
        known = [(f, cost) for f, cost in zip(series, costs, strict=True) if cost is not None]
        figure.add_scatter(
            x=[cost for _, cost in known],
            y=[f.top1 for f, _ in known],
            name=name,
            mode="lines+markers" if joined else "markers",
            marker={
                "color": colour,
                "symbol": symbol,
                "size": 9,
                "line": {"width": 2, "color": colour},
            },
            line={"color": colour, "width": 1.5},
            customdata=[(f.name, f.source, _amount(cost)) for f, cost in known],
            hovertemplate="<b>%{customdata[0]}</b>: %{y:.1f} %, %{customdata[2]} "
            + axis
            + "<br>%{customdata[1]}<extra></extra>",
        )
    if yours is not None:
        figure.add_vline(yours, line={"color": ink, "width": 1.5, "dash": "dash"})
        figure.add_annotation(
            text=f"{YOURS.lower()}: {_amount(yours)}",
            x=log10(yours),  # annotations on a logarithmic axis are placed by the logarithm
            y=1,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": ink},
        )
    for member in scaling.family():
        cost = member.figure.multiply_adds if axis == MULTIPLY_ADDS else member.figure.parameters
        assert cost is not None
        figure.add_annotation(
            text=member.name,
            x=log10(cost),
            y=member.figure.top1,
            yshift=-14,
            xshift=10,
            showarrow=False,
            font={"size": 11, "color": _GREEN},
        )
    ticks = [factor * 10**power for power in range(6, 12) for factor in (1, 3)]
    figure.update_layout(
        height=460,
        margin={"l": 44, "r": 8, "t": 24, "b": 0},
        legend={"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
        xaxis={
            "type": "log",
            "title": axis,
            "fixedrange": True,
            "tickvals": ticks,
            "ticktext": [_round_amount(tick) for tick in ticks],
        },
        yaxis={"title": "top-1 accuracy (%)", "fixedrange": True},
        hoverlabel={"align": "left"},
    )
    return figure
