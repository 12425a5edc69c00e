"""The channels of a stage."""

from __future__ import annotations

import numpy as np
import streamlit as st

from effnet_viz.analysis.explanation import method_at
from effnet_viz.arrays import Range, full_range
from effnet_viz.attribution import methods
from effnet_viz.pictures import render
from effnet_viz.pictures.captions import model_caption, stage_caption
from effnet_viz.ui import results, viewer, words
from effnet_viz.ui.explain.view import ExplainView
from effnet_viz.ui.layout import navigation, url_state
from effnet_viz.ui.layout.url_parameters import Choice, Number
from effnet_viz.ui.panes import channel_picture

CHANNELS_PER_PAGE = 24

BY_ACTIVATION, BY_CLASS = "strongest activation", "influence on the class"

PARAMETERS = (Choice("sort", (BY_ACTIVATION, BY_CLASS)), Number("page", 1), Number("channel", 0))


def show_channels(view: ExplainView) -> None:
    """The channels of the stage, ranked, in pages; choosing one enlarges it."""
    stage, analysis, model = view.stage, view.analysis, view.model
    glance = results.channels(model, view.image, stage)
    influence = view.grad_cam.channels  # (C,)
    assert influence is not None  # as always for Grad-CAM
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        order = st.segmented_control(
            words.SORT_CHANNELS,
            [BY_ACTIVATION, BY_CLASS],
            default=BY_ACTIVATION,
            required=True,
            key="sort",
            bind="query-params",
            help=words.SORT_CHANNELS_HELP,
        )
    prefix, ranked = ("max ", glance.largest) if order == BY_ACTIVATION else ("", influence)
    ranking = np.argsort(-ranked, kind="stable")  # (C,)
    with right:
        page = _choose_page(len(ranking), (view.image.id, model.id, stage, order))
    first = (page - 1) * CHANNELS_PER_PAGE
    visible = ranking[first : first + CHANNELS_PER_PAGE]
    common = full_range(analysis.stages[stage])
    viewer.channel_wall(
        [
            viewer.Tile(c, prefix + render.number(float(ranked[c])), glance.averages[c])
            for c in visible.tolist()
        ],
        glance.strongest,
        glance.placement,
        view.canvas.seen,
        stage=stage,
        common=common,
        badge="untrained" if view.stamp else "",
        label=words.CHANNELS.format(stage=stage),
        key="channels",
        on_choose=_choose_channel,
    )
    st.caption(
        f"Channels {first + 1} to {first + len(visible)} of {len(ranking)}; choose one to see "
        f"it over the photograph.  \n{model_caption(analysis.provenance)}, activations, "
        f"{stage_caption(stage, analysis.stages[stage])}, scale as chosen above (fixed counts as "
        "shared)"
    )
    chosen = _chosen_channel(len(ranking))
    if chosen is not None:
        _enlarge(view, chosen, float(influence[chosen]), common)


def _choose_page(channels: int, what: tuple[object, ...]) -> int:
    """The page of channels; back to the first when it shows something else."""
    if st.session_state.get("_paged", what) != what:
        st.session_state["page"] = 1
    st.session_state["_paged"] = what
    pages = -(-channels // CHANNELS_PER_PAGE)
    return st.pagination(pages, max_visible_pages=5, key="page", bind="query-params")


def _choose_channel(channel: int) -> None:
    st.session_state["channel"] = str(channel)


def _chosen_channel(count: int) -> int | None:
    """The channel that is open, from the address too."""
    came = url_state.read_url("channel")
    chosen = st.session_state.get("channel")
    if chosen is not None and int(chosen) >= count:
        if came:
            navigation.refuse("channel")
        chosen = st.session_state["channel"] = None
    url_state.write_url("channel", chosen)
    return None if chosen is None else int(chosen)


def _close() -> None:
    st.session_state["channel"] = None


def _enlarge(view: ExplainView, channel: int, influence: float, common: Range) -> None:
    stage, target = view.stage, view.analysis.target
    adds, to = ("adds", "to") if influence >= 0 else ("takes", "from")
    exact = "exactly" if method_at(view.model, stage) is methods.CAM else "by estimate"

    @st.dialog(
        words.ONE_CHANNEL.format(channel=channel, stage=stage), width="medium", on_dismiss=_close
    )
    def show() -> None:
        picture = channel_picture(view.canvas, view.analysis, stage, channel, common=common)
        viewer.pane(picture, key="pane channel")
        st.caption(
            f"It {adds} {render.number(abs(influence))} {to} the score (logit) "
            f"{render.number(target.logit)} of {target.label}, {exact}."
        )

    show()
