"""Two experiments with the scene: ten backgrounds, and hiding the object slowly.

Each stands folded, is computed when somebody asks for it, and what came out is kept for the scene.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.analysis.progress import Progress
from effnet_viz.analysis.words import listed, percent
from effnet_viz.arrays import Pixels, positive_evidence
from effnet_viz.models.model import Model
from effnet_viz.pictures import render
from effnet_viz.pictures.encode import data_url
from effnet_viz.scenes.editor import SceneSpec
from effnet_viz.scenes.objects import CutOut
from effnet_viz.serving import models as serving
from effnet_viz.study import experiments
from effnet_viz.study.experiments import HIDDEN, Backgrounds, Hiding, Look
from effnet_viz.ui import words
from effnet_viz.ui.lab.bench_controls import in_words
from effnet_viz.ui.lab.colours import drawn_colours_of
from effnet_viz.ui.layout import charts, theme, url_state
from effnet_viz.ui.layout.fold import fold
from effnet_viz.ui.layout.progress import started
from effnet_viz.ui.layout.text import escape_markdown

MOST_KEPT = 4
"""Results of a visitor: those of the scenes before go."""
_OPACITY = 0.5

Networks = Mapping[str, Model]


def show_experiments(
    spec: SceneSpec,
    models: Networks,
    target: int,
    own: CutOut | None,
    backdrop: Pixels | None,
) -> None:
    """Both, folded. `target` is which of the scene's objects is asked for."""
    arguments = spec, models, target, own, backdrop
    with st.container(key="experiments", horizontal=True):
        for title, key, show in (
            (words.TEN_BACKGROUNDS, "ten_backgrounds_fold", _ten_backgrounds),
            (words.HIDE_SLOWLY, "hide_slowly_fold", _hide_slowly),
        ):
            fold(title, key, partial(show, *arguments), in_link=False)


def _ten_backgrounds(
    spec: SceneSpec,
    models: Networks,
    target: int,
    own: CutOut | None,
    backdrop: Pixels | None,
) -> None:
    def make(tell: Progress) -> Mapping[str, Backgrounds]:
        return experiments.ten_backgrounds(
            spec, models, target, own=_own(own), backdrop=backdrop, turn=serving.turn,
            progress=tell,
        )  # fmt: skip

    key = _key("ten_backgrounds", spec, models, target, own, backdrop)
    line = f"{words.TEN_LINE} {_asked_for(spec, target)}"
    _shown(key, words.TEN_BACKGROUNDS, line, models, make, _show_backgrounds)


def _hide_slowly(
    spec: SceneSpec,
    models: Networks,
    target: int,
    own: CutOut | None,
    backdrop: Pixels | None,
) -> None:
    def make(tell: Progress) -> Mapping[str, Hiding]:
        return experiments.hide_slowly(
            spec, models, target, own=_own(own), backdrop=backdrop, turn=serving.turn,
            progress=tell,
        )  # fmt: skip

    key = _key("hide_slowly", spec, models, target, own, backdrop)
    line = f"{words.HIDE_LINE} {_asked_for(spec, target)}"
    _shown(key, words.HIDE_SLOWLY, line, models, make, _show_hiding)


def _asked_for(spec: SceneSpec, target: int) -> str:
    """Which of two objects, and how to ask for the other one."""
    if len(spec.objects) == 1:
        return ""
    return words.ASKED_FOR.format(thing=in_words(spec.objects[target].name))


def _own(own: CutOut | None) -> tuple[CutOut, ...]:
    return () if own is None else (own,)


def _key(
    name: str,
    spec: SceneSpec,
    models: Networks,
    target: int,
    own: CutOut | None,
    backdrop: Pixels | None,
) -> tuple[Any, ...]:
    """All that a result depends on, its name first."""
    behind = None if backdrop is None else hashlib.sha256(backdrop.tobytes()).hexdigest()
    looking = tuple((key, model.id) for key, model in models.items())
    return name, spec, looking, target, own, behind


def _shown(
    key: tuple[Any, ...],
    title: str,
    line: str,
    models: Networks,
    make: Callable[[Progress], Any],
    show: Callable[[Any], None],
) -> None:
    """What came out; before, what it is about and a button."""
    kept: dict[tuple[Any, ...], Any] = st.session_state.setdefault("_experiments", {})
    name = str(key[0])
    st.caption(line)
    place = st.empty()  # in which one thing comes after the other
    if key in kept:
        with place.container():
            show(kept[key])
        return
    if not url_state.is_asked(name):
        text = words.RUN_EXPERIMENT.format(count=len(models))
        ask = partial(url_state.ask_for, name)
        place.button(text, key=f"run {name}", type="primary", on_click=ask)
        return
    url_state.cancel(name)  # whatever is chosen meanwhile ends it

    def keep(tell: Progress) -> Any:
        made = kept[key] = make(tell)
        for old in list(kept)[:-MOST_KEPT]:
            del kept[old]
        return made

    titles = listed([model.card.title for model in models.values()])
    started(name, title, titles, place.container(), keep, show)()


# Ten backgrounds


def _show_backgrounds(found: Mapping[str, Backgrounds]) -> None:
    chosen = next(iter(found))
    if len(found) > 1:
        chosen = st.segmented_control(
            words.MAPS_OF,
            list(found),
            format_func=lambda key: found[key].title,
            default=chosen,
            required=True,
            key="backgrounds_of",
        )
    one = found[chosen]
    looks, changes = one.looks, (None, *one.changes)
    top = max(float(positive_evidence(look.attribution.values).max()) for look in looks)
    cells = [
        _cell(number, look, change, top)
        for number, (look, change) in enumerate(zip(looks, changes, strict=True))
    ]
    st.html(f'<ol class="looks">{"".join(cells)}</ol>')
    st.markdown(escape_markdown(one.sentence()))
    if len(found) > 1:
        st.markdown(escape_markdown(experiments.compared(list(found.values()))))
    st.caption(words.TEN_HOW)


def _cell(number: int, look: Look, change: float | None, top: float) -> str:
    """A scene with its map, all of a network's in one scale; what is said of it below."""
    named = words.NAMED[look.right]
    title = words.YOUR_SCENE if change is None else words.MAP_CHANGE.format(change=f"{change:.2f}")
    share = percent(look.probability)
    alt = html.escape(f"{words.ON_BACKGROUND.format(number=number)}: {title}, {share}, {named}")
    mark = {True: "✓", False: "✗", None: ""}[look.right]
    return (
        f'<li><img src="{data_url(_over(look, top), "webp")}" alt="{alt}">'
        f'<b title="{named}">{mark} {share}</b><span>{html.escape(title)}</span></li>'
    )


def _over(look: Look, top: float) -> Pixels:
    attribution, side = look.attribution, look.picture.shape[0]
    scale = side / attribution.crop.photograph[0]
    left, upper, right, lower = (scale * edge for edge in attribution.crop.box)
    return render.overlay(
        look.picture,
        positive_evidence(attribution.values),
        attribution.placement,
        (left, upper, right, lower),
        (0.0, top or 1.0),
        "magma",
        _OPACITY,
    )


# Hide it slowly


def _show_hiding(found: Mapping[str, Hiding]) -> None:
    said = [one.sentence() for one in found.values()]
    alt = " ".join(said)
    left, right = st.columns(2)
    with left:
        charts.show_chart(_draw_probability(found), key="hiding probability", alt=alt)
    with right:
        charts.show_chart(_draw_evidence(found), key="hiding evidence", alt=alt)
    st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in said))
    if len(found) > 1:
        st.markdown(escape_markdown(experiments.held_longest(list(found.values()))))
    st.caption(words.HIDE_HOW)


def _axes(title: str) -> dict[str, Any]:
    x = {"title": {"text": words.HIDDEN_OF_OBJECT}, "tickformat": ".0%", "range": [-0.02, 0.92]}
    y = {"title": {"text": title}, "tickformat": "~%", "rangemode": "tozero"}
    return charts.layout(340, x, y, top=56)


def _draw_probability(found: Mapping[str, Hiding]) -> go.Figure:
    figure = go.Figure(layout=_axes(words.PROBABILITY_OF_CLASS))
    colours = drawn_colours_of(found)
    for key, one in found.items():
        _add_line(figure, one.title, one.probabilities, colours[key])
    return figure


def _draw_evidence(found: Mapping[str, Hiding]) -> go.Figure:
    """Solid what the maps have on what is visible, dotted what chance has."""
    figure = go.Figure(layout=_axes(words.EVIDENCE_ON_VISIBLE))
    colours = drawn_colours_of(found)
    for key, one in found.items():
        _add_line(figure, one.title, one.energies, colours[key])
        _add_line(figure, one.title, one.areas, colours[key], chance=True)
    grey = {"color": theme.current()["quiet"], "width": 1.5, "dash": "dot"}
    figure.add_scatter(x=[None], y=[None], mode="lines", line=grey, name=words.BY_AREA)
    return figure


def _add_line(
    figure: go.Figure, title: str, values: tuple[float, ...], colour: str, *, chance: bool = False
) -> None:
    name = f"{title}, {words.BY_AREA}" if chance else title
    figure.add_scatter(
        x=HIDDEN,
        y=values,
        name=html.escape(name),
        mode="lines" if chance else "lines+markers",
        line={"color": colour, "width": 1.5 if chance else 2, "dash": "dot" if chance else "solid"},
        marker={"size": 6},
        showlegend=not chance,
        hovertemplate=f"{html.escape(name)}: %{{y:.1%}} at %{{x:.0%}} hidden<extra></extra>",
    )
