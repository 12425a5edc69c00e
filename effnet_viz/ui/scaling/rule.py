"""The rule: sliders, what they lead to, and the way to the page that compares networks."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from effnet_viz.engines.structure import Structure
from effnet_viz.models import scaling, variants
from effnet_viz.models.scaling import Rule, Scale
from effnet_viz.ui import words
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.onward import onward
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.tables import show_table
from effnet_viz.ui.layout.text import NO_BREAK, amount
from effnet_viz.ui.layout.url_parameters import Number

PRESETS = dict(
    zip(
        words.PRESETS,
        (Rule(), Rule(2.0, 1.0, 1.0), Rule(1.0, 1.41, 1.0), Rule(1.0, 1.0, 1.41)),
        strict=True,
    )
)
"""Each doubles the multiply-adds with one step of φ, about."""
YOURS = "Your scale"

PHI = Number("phi", 0.0, 7.0, 0.5)
ALPHA = Number("alpha", 1.0, 2.0, 0.01)
BETA = Number("beta", 1.0, 1.5, 0.01)
GAMMA = Number("gamma", 1.0, 1.5, 0.01)
PARAMETERS = (PHI, ALPHA, BETA, GAMMA)


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
    st.html(f'<p class="quiet">{words.GROW}</p>')
    phi = _slider(words.PHI, PHI, 1.0, "%.1f")
    alpha = _slider(words.ALPHA, ALPHA, paper.alpha)
    beta = _slider(words.BETA, BETA, paper.beta)
    gamma = _slider(words.GAMMA, GAMMA, paper.gamma)
    with st.container(key="presets"):
        for name, preset in PRESETS.items():
            st.button(name, on_click=_use, args=(preset,), width="stretch")
    rule = Rule(alpha, beta, gamma)
    st.html(f"<p><b>α · β² · γ² = {rule.growth:.2f}.</b> {_verdict(rule.growth)}</p>")
    how_to_read(words.RULE_HELP)
    return Chosen(rule, phi)


def _slider(label: str, number: Number, usual: float, written: str = "%.2f") -> float:
    return st.slider(
        label,
        *number.limits,
        usual,
        number.step,
        written,
        key=number.name,
        bind="query-params",
    )


def show_result(chosen: Chosen) -> None:
    """B0, the rule's answer, its rounded network and the closest published one."""
    rule, phi, scale, built = chosen.rule, chosen.phi, chosen.scale, chosen.built
    first = scaling.baseline()
    cost = first.multiply_adds * rule.growth**phi
    member = scaling.closest(built.multiply_adds if built else cost)
    published = scaling.family()[member]
    accuracy = {one.name: f"{one.figure.top1:.1f}{NO_BREAK}%" for one in scaling.family()}
    section(words.BUILT, words.BUILT_LINE)
    columns = {
        "": ["depth d", "width w", "resolution", "layers", "parameters", "multiply-adds", "top-1"],
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
    }
    show_table(list(columns), list(zip(*columns.values(), strict=True)), label=words.BUILT)
    st.caption(
        f"The rule's multiply-adds: B0's times {rule.growth:.2f} to the power of {phi:g}. The rest "
        f"is counted on the built networks. {member.name} is the published model closest in "
        f"multiply-adds; its top-1 accuracy on ImageNet: {member.figure.source}."
    )


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

    def choose() -> None:
        st.session_state["custom"] = entry.key

    onward(words.COMPARE_THIS, "pages/compare_scaling.py", choose)


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
