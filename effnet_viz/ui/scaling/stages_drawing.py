"""The stages of a network, drawn: a block a stage, in a scale that B0 and B7 share.

Plain boxes, placed in percent: st.html lets no SVG through.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from math import sqrt

import streamlit as st

from effnet_viz.engines.structure import Stage, Structure
from effnet_viz.models import scaling
from effnet_viz.models.scaling import Rule
from effnet_viz.ui import words
from effnet_viz.ui.layout.tables import body, head
from effnet_viz.ui.layout.text import amount
from effnet_viz.ui.scaling.rule import YOURS, Chosen

_LEFT = 10.0
_WIDEST, _BEHIND = 54.0, 34.0
"""Across, in hundredths of a stage's place: where a block starts, how wide its front can be, how
far its last layer can lie behind that."""
_HIGHEST, _ABOVE = 95.0, 17.0
"""The same upwards, in hundredths of the drawing's height."""
KERNELS = ("3x3", "5x5", "1x1")


@dataclass(frozen=True)
class _Extent:
    """The most channels, the largest side and the most layers that a stage has."""

    channels: float
    side: float
    layers: float

    @classmethod
    def of(cls, drawn: Structure) -> _Extent:
        stages = drawn.stages.values()
        return cls(
            max(stage.channels for stage in stages),
            max(stage.side for stage in stages),
            max(stage.layers for stage in stages),
        )


@dataclass(frozen=True)
class _Scale:
    """How large things are drawn; channels, sides and layers at 1 / times of the usual."""

    usual: _Extent
    times: tuple[int, int, int]

    @classmethod
    def fitting(cls, drawn: Structure) -> _Scale:
        """That of the paper's rule at φ = 7, halved where a network would not fit."""
        usual, needed = _largest_usual(), _Extent.of(drawn)
        return cls(
            usual,
            (
                _halvings(sqrt(needed.channels / usual.channels)),
                _halvings(sqrt(needed.side / usual.side)),
                _halvings(needed.layers / usual.layers),
            ),
        )

    def block(self, stage: Stage, places: int) -> _Block:
        channels, side, layers = self.times
        deepest = self.usual.layers * layers - 1
        return _Block(
            left=(100 * (stage.number - 1) + _LEFT) / places,
            width=_WIDEST * sqrt(stage.channels / self.usual.channels) / channels / places,
            height=_HIGHEST * sqrt(stage.side / self.usual.side) / side,
            step=(_BEHIND / deepest / places, _ABOVE / deepest),
            layers=stage.layers,
        )

    @property
    def said(self) -> str:
        smaller = [
            words.DRAWN_SMALLER.format(what=what, times=times)
            for what, times in zip(("width", "height", "depth"), self.times, strict=True)
            if times > 1
        ]
        return " ".join([words.DRAWN_SCALE, *smaller])


@dataclass(frozen=True)
class _Block:
    """Cards one behind the other, further right and up; in hundredths of the drawing."""

    left: float
    width: float
    height: float
    step: tuple[float, float]
    layers: int

    def card(self, layer: int, kind: str) -> str:
        right, up = (layer * step for step in self.step)
        return (
            f'<i class="{kind}" style="left:{self.left + right:.2f}%;bottom:{up:.2f}%;'
            f'width:{self.width:.2f}%;height:{self.height:.2f}%"></i>'
        )

    @property
    def cards(self) -> str:
        """From the last layer to the first, which hides the others."""
        behind = "".join(self.card(layer, "layer") for layer in range(self.layers - 1, 0, -1))
        return behind + self.card(0, "front")


def show_growth(chosen: Chosen) -> None:
    """The network that the sliders lead to, B0 dotted behind it, and its stages in numbers."""
    built, first = chosen.built, scaling.baseline()
    if built is None:
        _say_too_deep(chosen)
        return
    times = built.multiply_adds / first.multiply_adds
    layers = sum(stage.layers for stage in built.stages.values())
    st.html(
        f'<p class="headline">{html.escape(_in_words(chosen))}</p>'
        f'<p class="quiet">Built and rounded: {layers} layers, {built.resolution} px, '
        f"{amount(built.parameters)} parameters, {amount(built.multiply_adds)} multiply-adds: "
        f"{times:.{1 if times < 10 else 0}f} times those of B0.</p>"
    )
    show_drawing(built, YOURS)


def _in_words(chosen: Chosen) -> str:
    scale = chosen.scale
    pixels = scale.resolution / scaling.BASELINE.resolution
    return (
        f"φ = {chosen.phi:g}: depth × {scale.depth:.2f}, width × {scale.width:.2f}, "
        f"resolution × {pixels:.2f}"
    )


def _say_too_deep(chosen: Chosen) -> None:
    st.info(
        f"The rule asks for {chosen.scale.depth:.0f} times the depth of B0. Networks are built "
        f"here up to {scaling.DEEPEST:g} times its depth: lower φ or α to see this one.",
        icon=":material/layers:",
    )


def show_drawing(shown: Structure, title: str) -> None:
    """The blocks with their numbers under them."""
    stages = list(shown.stages.values())
    rows = [
        ["kernel", *(_kernel(stage).replace("x", "×") for stage in stages)],
        ["grid's side", *(str(stage.side) for stage in stages)],
        ["channels", *(str(stage.channels) for stage in stages)],
        ["layers", *(str(stage.layers) for stage in stages)],
    ]
    numbers = head(["stage", *(str(stage.number) for stage in stages)]) + (
        f"<tbody>{body(rows)}</tbody>"
    )
    st.html(
        f'<figure class="network">{drawing(shown, title)}<table>{numbers}</table>'
        f"<figcaption>{_Scale.fitting(shown).said}</figcaption></figure>"
    )


def drawing(shown: Structure, title: str) -> str:
    """The blocks, and B0 dotted where it is another network; colours come from page.css."""
    scale, first = _Scale.fitting(shown), scaling.baseline()
    cards = [scale.block(stage, shown.last).cards for stage in shown.stages.values()]
    if shown != first:
        blocks = (scale.block(stage, first.last) for stage in first.stages.values())
        cards += [block.card(0, "baseline") for block in blocks]
    said = html.escape(_described(shown, title), quote=True)
    return f'<div class="blocks" role="img" aria-label="{said}">{"".join(cards)}</div>'


def _described(shown: Structure, title: str) -> str:
    return f"{title} at {shown.resolution} pixels as {shown.last} blocks. " + " ".join(
        f"Stage {s.number}: {s.operator}, grid {s.side}×{s.side}, {s.channels} channels, "
        f"layers: {s.layers}."
        for s in shown.stages.values()
    )


def _largest_usual() -> _Extent:
    """Of the paper's rule at the end of the slider; B7 is about as large."""
    width, depth, resolution = Rule().scale(7).usable()
    return _Extent.of(scaling.built(width, depth, resolution))


def _halvings(size: float) -> int:
    """The smallest power of two that brings the size down to one."""
    times = 1
    while size > times:
        times *= 2
    return times


def _kernel(stage: Stage) -> str:
    return next(size for size in KERNELS if size in stage.operator)
