"""The parts of the page "Scaling rules": sliders, tables, the drawing and the scatter plot."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from effnet_viz.engines.structure import Structure
from effnet_viz.models import scaling, variants
from effnet_viz.models.scaling import Rule, Scale
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import NO_BREAK, amount
from effnet_viz.ui.layout.url_parameters import Number

PRESETS = {
    "All three (the paper)": Rule(),
    "Depth only": Rule(2.0, 1.0, 1.0),
    "Width only": Rule(1.0, 1.41, 1.0),
    "Resolution only": Rule(1.0, 1.0, 1.41),
}
"""Each doubles the multiply-adds with one step of φ, about."""
YOURS = "Your scale"

PHI = Number("phi", 0.0, 7.0, 0.5)
ALPHA = Number("alpha", 1.0, 2.0, 0.01)
BETA = Number("beta", 1.0, 1.5, 0.01)
GAMMA = Number("gamma", 1.0, 1.5, 0.01)
PARAMETERS = (PHI, ALPHA, BETA, GAMMA)

RULE_HELP = """
A network can grow along three axes: **depth** (more layers), **width** (more channels) and
**resolution** (a larger image). Compound scaling grows all three together. α, β and γ say how much
of each one step takes, φ says how many steps.

Twice the layers cost twice the multiply-adds. Twice the channels, or twice the side of the image,
cost four times as many. So one step multiplies the cost by α·β²·γ². The paper keeps that near 2:
then φ steps cost about 2 to the power of φ times as much. It found α = 1.2, β = 1.1 and γ = 1.15 by
trying values at φ = 1 (Section 3.3).
"""


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
        "φ: how many steps", *PHI.limits, 1.0, PHI.step, "%.1f", key="phi", bind="query-params"
    )
    alpha = two.slider(
        "α: depth per step",
        *ALPHA.limits,
        paper.alpha,
        ALPHA.step,
        "%.2f",
        key="alpha",
        bind="query-params",
    )
    beta = three.slider(
        "β: width per step",
        *BETA.limits,
        paper.beta,
        BETA.step,
        "%.2f",
        key="beta",
        bind="query-params",
    )
    gamma = four.slider(
        "γ: resolution per step",
        *GAMMA.limits,
        paper.gamma,
        GAMMA.step,
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
                amount(cost),
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
        entry = variants.variant(
            scaling.BASELINE.key, width=width, depth=depth, resolution=resolution
        )
    except variants.VariantError as error:
        st.caption(f":material/block: It cannot be compared with other networks: {error}")
        return
    if st.button("Compare this network with others", icon=":material/compare:"):
        st.session_state["custom"] = entry.key
        st.switch_page("pages/compare_scaling.py")


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
        amount(built.parameters),
        amount(built.multiply_adds),
    ]
