"""What rounding does, and the published family beside the rule."""

from __future__ import annotations

import streamlit as st

from effnet_viz.models import scaling
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import amount
from effnet_viz.ui.scaling.rule import Chosen

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
        f"{chosen.built.stages[chosen.built.last].effective_stride} times fewer cells along a "
        f"side than the image has pixels. Here {resolution} px are taken; the authors picked "
        "theirs by hand."
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
            "multiply-adds": [amount(made.multiply_adds) for made in family.values()],
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


def _largest_change(stage: int, exact: float, built: int) -> str:
    if exact == built:
        return "Here nothing had to be rounded."
    return f"Here stage {stage} changes most: {exact:.2f} become {built}."


def _layers_asked(stage: scaling.StageScaling) -> str:
    return f"{stage.exact_layers:.2f}".rstrip("0").rstrip(".")
