"""What rounding does, the published family beside the rule, and any model stage by stage."""

from __future__ import annotations

import streamlit as st

from effnet_viz.models import scaling, structures, zoo
from effnet_viz.ui import words
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.tables import show_table
from effnet_viz.ui.layout.text import amount
from effnet_viz.ui.layout.url_parameters import Choice
from effnet_viz.ui.scaling.rule import YOURS, Chosen

PARAMETERS = (Choice("member", (*(entry.title for entry in zoo.MODELS.values()), YOURS)),)


def show_rounding(chosen: Chosen) -> None:
    """Channels and layers of every stage, as the multipliers say and as they are built."""
    if chosen.built is None:
        return
    width, depth, resolution = chosen.scale.usable()
    stages = scaling.stages(width, depth)
    section(words.ROUNDED)
    channels = max(stages, key=lambda s: abs(s.channels / s.exact_channels - 1))
    layers = max(stages, key=lambda s: s.layers / s.exact_layers)
    st.markdown(
        "- **Channels** go to multiples of 8, never down by more than 10 %. "
        + _largest_change(channels.number, channels.exact_channels, channels.channels)
        + "\n- **Layers** are rounded up. "
        + _largest_change(layers.number, layers.exact_layers, layers.layers)
        + "\n- **Resolution** has to suit the strides: the last grid has "
        f"{chosen.built.stages[chosen.built.last].effective_stride} times fewer cells along a "
        f"side than the image has pixels. Here {resolution} px are taken; the authors picked "
        "theirs by hand."
        "\n- **Memory** of the machines that train it may also set a limit to the resolution."
    )
    show_table(
        [
            "stage",
            "operator",
            "channels of B0",
            f"× {width:.2f}",
            "built",
            "layers of B0",
            f"× {depth:.2f}",
            "built",
        ],
        [
            (
                str(s.number),
                s.operator,
                str(s.baseline_channels),
                f"{s.exact_channels:.1f}",
                str(s.channels),
                str(s.baseline_layers),
                _layers_asked(s),
                str(s.layers),
            )
            for s in stages
        ],
        label=words.ROUNDED,
        words={1},
        strong={4, 7},
    )
    how_to_read(words.ROUNDING_HELP)


def show_family(chosen: Chosen) -> None:
    """B0 to B7 as the authors made them, beside the rule at the same cost."""
    rule = chosen.rule
    section(words.FAMILY, words.FAMILY_LINE)
    if rule.growth <= 1:
        st.info(
            "With α = β = γ = 1 nothing grows, so the rule leads to no other model. Raise one of "
            "them.",
            icon=":material/info:",
        )
        return
    family = scaling.family()
    asked = {m: rule.scale(rule.phi(made.multiply_adds)) for m, made in family.items()}
    show_table(
        [
            "model",
            "multiply-adds",
            "φ",
            "depth: rule",
            "used",
            "width: rule",
            "used",
            "resolution: rule",
            "used",
        ],
        [
            (
                m.name,
                amount(made.multiply_adds),
                f"{rule.phi(made.multiply_adds):.2f}",
                f"{asked[m].depth:.2f}",
                f"{m.depth:g}",
                f"{asked[m].width:.2f}",
                f"{m.width:g}",
                f"{asked[m].resolution:.0f}",
                str(m.resolution),
            )
            for m, made in family.items()
        ],
        label=words.FAMILY,
        strong={4, 6, 8},
    )
    st.caption(
        f"With α = {rule.alpha:g}, β = {rule.beta:g}, γ = {rule.gamma:g}. The published models are "
        "near the paper's rule, and none is exactly on it: they were rounded and chosen by hand."
    )
    how_to_read(words.FAMILY_HELP)


def show_table_1(chosen: Chosen) -> None:
    """The stages of any model as the paper's Table 1."""
    section(words.TABLE_1, words.TABLE_1_LINE)
    entries = {entry.title: entry for entry in zoo.MODELS.values()}
    titles = list(entries) if chosen.built is None else [*entries, YOURS]
    title = st.selectbox(
        words.MODEL,
        titles,
        titles.index(scaling.BASELINE.title),
        key="member",
        bind="query-params",
        width=320,
    )
    shown = chosen.built if title == YOURS else structures.structure_of(entries[title])
    assert shown is not None
    stages = shown.stages.values()
    show_table(
        [
            "stage",
            "operator",
            "grid in",
            "grid out",
            "channels",
            "layers",
            "parameters",
            "multiply-adds",
            "receptive field",
        ],
        [
            (
                str(s.number),
                s.operator,
                f"{s.input_side}×{s.input_side}",
                f"{s.side}×{s.side}",
                str(s.channels),
                str(s.layers),
                amount(s.parameters),
                amount(s.multiply_adds),
                f"{s.receptive_side} px",
            )
            for s in stages
        ],
        label=f"{words.TABLE_1}: {title}",
        words={1},
    )
    squeeze = any(s.has_global_context for s in stages)
    st.caption(
        f"{title} at {shown.resolution} px: {amount(shown.parameters)} parameters, "
        f"{amount(shown.multiply_adds)} multiply-adds, all counted on the built network. It has "
        + ("" if squeeze else "no ")
        + "squeeze-and-excitation."
    )
    how_to_read(words.TABLE_1_HELP)


def _largest_change(stage: int, exact: float, built: int) -> str:
    if exact == built:
        return "Here nothing had to be rounded."
    return f"Here stage {stage} changes most: {exact:.2f} becomes {built}."


def _layers_asked(stage: scaling.StageScaling) -> str:
    return f"{stage.exact_layers:.2f}".rstrip("0").rstrip(".")
