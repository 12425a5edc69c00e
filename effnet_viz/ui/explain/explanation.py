"""The parts of the main page: photograph, predictions, maps, stages, channels."""

from __future__ import annotations

import json
import re

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis.analysis import Analysis, Prediction, Predictions, StageExplanation
from effnet_viz.attribution import cam
from effnet_viz.metrics import agreement
from effnet_viz.models import zoo
from effnet_viz.pictures import render, report
from effnet_viz.ui import results, viewer
from effnet_viz.ui.inputs.model_picker import ending_in_words, step_model
from effnet_viz.ui.inputs.picture_grid import Picture, picture_grid
from effnet_viz.ui.inputs.selection import ChosenImage, ChosenModel
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import one_in, percent, shortened
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import canvas_of, name_of, show_activation, show_evidence, stamp_of

DEFAULT_STAGE = 6
CHANNELS_PER_PAGE = 24
BY_ACTIVATION, BY_CLASS = "strongest activation", "influence on the class"
STAGE_TILE = 102
HEADING = 54
"""Height of a column's head in pixels."""
HIDE, KEEP = "hide the part", "keep only the part"

CAM_HELP = """
The last stage divides the image into a coarse grid, and this map shows how much the content of each
cell raised the score of the class: colours from the right end of the bar spoke for it, and in the
signed view colours from the left end against it. The average of all cells, plus a constant, *is*
the score. The map has only as many values as the grid has cells; the smooth edges come from
enlarging it.
"""

GRAD_CAM_HELP = """
Grad-CAM asks, at the stage you choose: if a channel became a little more active, how much would the
score of this class rise? It weights every channel by that number and adds the channels up, so
colours from the right end of the bar mark patterns that speak for the class. Early stages give fine
but noisy maps of edges and textures, late stages coarse maps of objects; at stage 9 it is the class
activation map.
"""

PHOTOGRAPH_HELP = """
The network never sees the whole photograph. Its shorter side is scaled to a fixed length and a
square is cut from the middle; only the bright square went in. What lies under the stripes cannot
have influenced the result.
"""

STAGES_HELP = """
A network is a row of stages, and each passes a smaller but richer picture on to the next. Every
tile shows where the channels of a stage are active on average, whatever the class: yellow is
strong, dark blue is weak. Early stages follow edges, late stages whole objects.
"""

CHANNELS_HELP = """
Every channel is a detector of one pattern, and its tile shows where it found that pattern. Yellow
is the strongest place of this tile (own scale) or of the whole stage (shared scale). The number
under it is its largest value, or its influence on the class: positive speaks for it.
"""

_BOX = re.compile(r"(?:[01](?:\.\d{1,3})?,){3}[01](?:\.\d{1,3})?")
_UNTRAINED = " **Untrained: they mean nothing.**"


class Explanation:
    """One analysed image on the page: the panels share what they show it with."""

    def __init__(
        self, chosen: ChosenImage, model: ChosenModel, result: Analysis, stage: int
    ) -> None:
        self.chosen = chosen
        self.stage = stage
        self.model = model
        self.result = result
        self.shown = results.shown(chosen.digest, chosen.content)
        self.canvas = canvas_of(chosen, result)
        self.stamp = stamp_of(result)
        self.covered = None if self.canvas.strip else covered_box()

    def explained(self, stage: int) -> StageExplanation:
        """Grad-CAM and channel relevance at a stage for the target class."""
        return results.explained(
            self.model.key,
            self.model.untrained,
            self.chosen.digest,
            stage,
            self.result,
        )

    def grad_cam(self, stage: int) -> NDArray[np.float32]:
        """Grad-CAM at a stage, (h, w), in logit units like the class activation map."""
        return cam.in_logit_units(self.explained(stage).grad_cam)

    def show_toolbar(self) -> None:
        """How maps are shown; the choices stay in the browser and in the URL."""
        viewer.toolbar(
            self.canvas.photograph,
            key="viewer",
            on_step={"stage": _step_stage, "model": step_model},
            on_box=None if self.canvas.strip else _cover,
        )

    # Panels, left to right

    def show_photograph(self) -> None:
        """The photograph with what the model did not see hatched."""
        crop = self.result.crop
        left, top, right, bottom = crop.box
        size = f"{self.shown.width}×{self.shown.height} px"
        seen = f"{right - left:.0f}×{bottom - top:.0f} px ({percent(crop.seen)} of the area)"
        viewer.pane(
            self.canvas.photograph,
            self.canvas.seen,
            None,
            kind="evidence",
            description=f"{self.chosen.description} What the model did not see is hatched.",
            caption=[
                f"{self.chosen.title}, {size}. The model saw {seen}, resized to "
                f"{crop.resolution}×{crop.resolution}."
            ],
            stamp="",
            field=None,
            covered=self.covered,
            file="",
            key="pane photograph",
        )
        if self.canvas.strip:
            st.caption(":material/info: It is so narrow that only its middle is shown.")
        for note in self.shown.notes:
            st.caption(f":material/info: {note}")
        how_to_read(PHOTOGRAPH_HELP)

    def show_predictions(self) -> None:
        """The five best classes as bars that choose the target, and a search over all classes."""
        predictions = list(self.result.predictions[:5])
        if self.result.target not in predictions:
            predictions.append(self.result.target)
        # A new key after every choice: a click on the same bar must count again.
        key = f"bars {self.chosen.digest} {self.model} {self.result.target.index}"
        st.plotly_chart(
            _bars(predictions, self.result.target),
            key=key,
            on_select=lambda: _bar_chosen(key),
            selection_mode="points",
            config={"displayModeBar": False},
            alt="The most probable classes: "
            + ", ".join(f"{p.label} {p.probability:.1%}" for p in predictions),
        )
        rank = self.result.predictions.rank(self.result.target.index)
        st.caption(
            f"The maps explain **{self.result.target.label}**: rank {rank} of 1000, probability "
            f"{percent(self.result.target.probability)}, logit {self.result.target.logit:.2f}. "
            f"Click a bar to explain another class.{_UNTRAINED if self.stamp else ''}",
            help="The logit is the score of a class before the scores of all classes are turned "
            "into probabilities.",
        )

    def show_map(
        self, method: str, stage: int, values: NDArray[np.float32], help_text: str
    ) -> None:
        """One map over the photograph, with colour bar, caption and explanation."""
        show_evidence(
            self.canvas,
            self.result,
            method,
            stage,
            values,
            covered=self.covered,
            key=f"pane {method}",
        )
        how_to_read(help_text)

    def show_covered(self) -> None:
        """How the predictions change when the drawn box is blurred, or all but the box."""
        box = self.covered
        if box is None:
            return
        st.markdown("#### With a part covered")
        numbers, saw = st.columns([2, 1], gap="medium")
        with numbers:
            keep = (
                st.segmented_control(
                    "Blur",
                    [HIDE, KEEP],
                    default=HIDE,
                    required=True,
                    key="blur",
                    bind="query-params",
                    label_visibility="collapsed",
                )
                == KEEP
            )
            with ending_in_words(self.model.entry), waiting("Looking at what is left …"):
                covered = results.covered(
                    self.model.key,
                    self.model.untrained,
                    self.chosen.digest,
                    box,
                    keep,
                    self.chosen.content,
                )
            target = self.result.target
            left = covered.predictions.of(target.index).probability
            verb = "falls" if left < target.probability else "rises"
            best = covered.predictions[0]
            st.markdown(
                f"The probability of **{target.label}** {verb} from "
                f"{percent(target.probability)} to **{percent(left)}**. The most probable class is "
                f"now **{best.label}** ({percent(best.probability)})."
                + (_UNTRAINED if self.stamp else "")
            )
            st.plotly_chart(
                _before_and_after(self.result.predictions, covered.predictions, target),
                config={"displayModeBar": False},
                key="covered bars",
                alt="Probabilities of the photograph as it is and with the part covered.",
            )
            st.button("Remove the box", on_click=_cover, args=(None,))
        with saw:
            st.image(covered.picture, alt="What the model saw now.", width="stretch")
            st.caption(
                f"What {self.result.provenance.title} saw now, weights: "
                f"{self.result.provenance.weights}. A blurred part still shows its colours, and "
                "blur itself is something a model may react to."
            )

    def show_same_map_line(self) -> None:
        """That CAM and Grad-CAM agree at the last stage, measured on this image."""
        last = zoo.STAGES[-1]
        difference = agreement.largest_difference(self.result.cam, self.grad_cam(last))
        cells = self.result.cam.size
        st.caption(
            f":material/equal: At stage {last} both methods give the same map up to scale, because "
            "the gradient there is the head's weight divided by the number of cells: on this "
            f"image, Grad-CAM times its {cells} cells differs from CAM by {one_in(difference)} of "
            "the largest value, from rounding. Both maps are shown in units of the class's score "
            "(logit), so Grad-CAM is multiplied by its number of cells at every stage."
        )

    def show_stages(self) -> None:
        """The nine stages as a strip of mean activations; choosing one sets the stage."""
        pictures = []
        for number, activation in self.result.stages.items():
            channels, height, width = activation.shape
            key = f"{self.chosen.digest} {self.model} {number}"
            pictures.append(
                Picture(
                    str(number),
                    results.mean_tile(key, activation),
                    f"Stage {number}",
                    f"{width}×{height} · {channels} ch.",
                    f"Mean activation of stage {number}",
                    "untrained" if self.stamp else "",
                    pixelated=True,
                )
            )
        picture_grid(
            pictures,
            selected=str(self.stage),
            label="Stages of the network",
            size=STAGE_TILE,
            key="stages",
            on_choose=_stage_chosen,
            scroll=True,
        )
        provenance = self.result.provenance
        st.caption(
            f"{provenance.title} at {provenance.resolution} px, weights: {provenance.weights}. "
            "Mean activation of all channels, the same for every class, each with its own scale."
        )
        how_to_read(STAGES_HELP)

    def show_channels(self) -> None:
        """The channels of the stage, ranked, in pages; choosing one enlarges it."""
        stage = self.stage
        glance = results.channels(
            self.model.key, self.model.untrained, self.chosen.digest, stage, self.result
        )
        strongest = glance.largest  # (C,)
        relevance = self.explained(stage).channel_relevance  # (C,)
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        with left:
            order = st.segmented_control(
                "Sort channels by",
                [BY_ACTIVATION, BY_CLASS],
                default=BY_ACTIVATION,
                required=True,
                key="sort",
                bind="query-params",
                help="Influence on the class is gradient × activation, summed over the grid, in "
                "units of the score. At stage 9 it is exact: the channel's vote, its mean "
                "activation times the weight that the class gives to it; all votes and a constant "
                "add up to the score. At earlier stages it is an estimate.",
            )
        ranking = np.argsort(-(strongest if order == BY_ACTIVATION else relevance), kind="stable")
        pages = -(-len(ranking) // CHANNELS_PER_PAGE)
        with right:
            page = _page(pages, (self.chosen.digest, self.model, stage, order))
        visible = ranking[(page - 1) * CHANNELS_PER_PAGE : page * CHANNELS_PER_PAGE]
        ranked = strongest if order == BY_ACTIVATION else relevance  # (C,)
        common = render.full_range(self.result.stages[stage])
        prefix = "max " if order == BY_ACTIVATION else ""
        viewer.channel_wall(
            [
                viewer.Tile(c, prefix + render.number(float(ranked[c])), glance.averages[c])
                for c in visible.tolist()
            ],
            glance.strongest,
            self.canvas.seen,
            stage=stage,
            common=common,
            badge="untrained" if self.stamp else "",
            label=f"Channels of stage {stage}",
            key="channels",
            on_choose=_channel_chosen,
        )
        lines = report.map_caption(self.result, "activations", stage, target=False)
        first = (page - 1) * CHANNELS_PER_PAGE + 1
        st.caption(
            f"Channels {first} to {first + len(visible) - 1} of {len(ranking)}; choose one to see "
            f"it over the photograph.  \n{lines[0]}, {lines[1]}, scale as chosen above (fixed "
            "counts as shared)"
        )
        how_to_read(CHANNELS_HELP)
        chosen = st.session_state.pop("_channel", None)
        if chosen is not None:
            self._enlarge(stage, chosen, float(relevance[chosen]), common)

    def _enlarge(self, stage: int, channel: int, relevance: float, common: render.Range) -> None:
        verb = ("adds", "to") if relevance >= 0 else ("takes", "from")
        exact = "exactly" if stage == zoo.STAGES[-1] else "by estimate"

        @st.dialog(f"Channel {channel} of stage {stage}", width="medium")
        def show() -> None:
            show_activation(
                self.canvas, self.result, stage, channel, common=common, key="pane channel"
            )
            st.caption(
                f"It {verb[0]} {render.number(abs(relevance))} {verb[1]} the score (logit) "
                f"{render.number(self.result.target.logit)} of {self.result.target.label}, {exact}."
            )

        show()

    def show_downloads(self) -> None:
        """The numbers behind the page."""
        stage = self.stage
        explained = self.explained(stage)
        name = f"{name_of(self.result)}-stage-{stage}"
        with st.container(horizontal=True, vertical_alignment="center"):
            if save := _open_to_save("Save the numbers", "numbers"):
                save.download_button(
                    "For NumPy (NPZ)",
                    report.as_npz(self.result, explained),
                    f"{name}.npz",
                    "application/octet-stream",
                    on_click="ignore",
                )
                save.download_button(
                    "For everything else (JSON)",
                    report.as_json(self.result, explained),
                    f"{name}.json",
                    "application/json",
                    on_click="ignore",
                )
            with st.popover("Where these results come from", type="tertiary"):
                st.code(json.dumps(self.result.provenance.as_dict(), indent=2), language="json")


def choose_target() -> str | None:
    """The class to explain, searched among all; None for the most probable one."""
    target: str | None = st.selectbox(
        "Explain another class",
        zoo.labels(),
        index=None,
        key="target",
        bind="query-params",
        placeholder="Search 1000 classes",
    )
    return target


def heading(text: str) -> DeltaGenerator:
    """The head of a column, as high in all columns; what else belongs there goes into it."""
    row = st.container(horizontal=True, vertical_alignment="bottom", height=HEADING, border=False)
    row.markdown(f"**{text}**", width="content")
    return row


def choose_stage() -> int:
    """The stage of Grad-CAM and of the channels below."""
    stage: int = st.slider(
        "Stage",
        zoo.STAGES[0],
        zoo.STAGES[-1],
        DEFAULT_STAGE,
        key="stage",
        bind="query-params",
        label_visibility="collapsed",
    )
    return stage


def _box_of(text: str | None) -> viewer.Box | None:
    """Left, top, right, bottom between 0 and 1 from "0.1,0.2,0.5,0.6"; None for anything else."""
    if text is None or not _BOX.fullmatch(text):
        return None
    left, top, right, bottom = map(float, text.split(","))
    return (left, top, right, bottom) if left < right <= 1 and top < bottom <= 1 else None


def covered_box() -> viewer.Box | None:
    """The part of the photograph that is covered, if any. It is in the URL."""
    url_state.adopt("box", lambda text: _box_of(text) is not None)
    text = st.session_state.get("box")
    url_state.publish("box", text)
    return _box_of(text)


def _cover(box: viewer.Box | None) -> None:
    st.session_state["box"] = box and ",".join(f"{edge:.3f}" for edge in box)


def _step_stage(by: int) -> None:
    stage = st.session_state["stage"] + by
    st.session_state["stage"] = min(max(stage, zoo.STAGES[0]), zoo.STAGES[-1])


def _page(pages: int, what: tuple[object, ...]) -> int:
    """The page of channels; back to the first when it shows something else."""
    if st.session_state.get("_paged", what) != what:
        st.session_state["page"] = 1
    st.session_state["_paged"] = what
    return st.pagination(pages, max_visible_pages=5, key="page", bind="query-params")


def _stage_chosen(key: str) -> None:
    st.session_state["stage"] = int(key)


def _channel_chosen(channel: int) -> None:
    st.session_state["_channel"] = channel


def _bar_chosen(key: str) -> None:
    points = st.session_state[key].selection.points
    if points:
        st.session_state["target"] = points[0]["customdata"][0]


def _open_to_save(label: str, what: str) -> DeltaGenerator | None:
    """A popover with files to save; the container to fill while it is open, else None.

    Files are made when it opens: one that Streamlit makes later, at the click, is gone as soon as
    another visitor's page has run.
    """
    popover = st.popover(
        label, type="tertiary", icon=":material/download:", key=f"save {what}", on_change="rerun"
    )
    return popover if popover.open else None


def _bars(predictions: list[Prediction], target: Prediction) -> go.Figure:
    """Horizontal bars of probability; the target class stands out; every row can be clicked."""
    rows = list(range(len(predictions)))
    colours = ["#0f8b8d" if p == target else "#9aa5a8" for p in predictions]
    bar = {
        "y": rows,
        "width": 0.34,
        "orientation": "h",
        "customdata": [[p.label] for p in predictions],
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
    ink = "#e8e6e1" if st.context.theme.type == "dark" else "#1d2527"
    texts = []
    for row, prediction in zip(rows, predictions, strict=True):
        start, end = ("<b>", "</b>") if prediction == target else ("", "")
        for x, anchor, text in (
            (0, "left", shortened(prediction.label, 22)),
            (1, "right", percent(prediction.probability)),
        ):
            text = f"{start}{text}{end}"
            font = {"size": 13, "color": ink}
            place = {"x": x, "y": row - 0.36, "xanchor": anchor, "showarrow": False}
            texts.append({"text": text, "font": font, **place})
    # Made in one go: every later update would cost plotly as much again.
    return go.Figure(
        [
            go.Bar(  # the whole row, so that a short bar is easy to hit
                x=[1.0] * len(rows),
                marker={"color": "rgba(128,128,128,0.15)"},
                hoverinfo="none",  # no label, but still clicks
                **bar,
            ),
            go.Bar(
                x=[p.probability for p in predictions],
                marker={"color": colours},
                hovertemplate="%{customdata[0]}: %{x:.2%}<extra></extra>",
                **bar,
            ),
        ],
        {
            "annotations": texts,
            "barmode": "overlay",
            "showlegend": False,
            "height": 46 * len(rows) + 20,
            "margin": {"l": 0, "r": 4, "t": 14, "b": 0},
            "xaxis": {"range": [0, 1], "visible": False, "fixedrange": True},
            "yaxis": {"range": [len(rows) - 0.5, -0.7], "visible": False, "fixedrange": True},
        },
    )


def _before_and_after(before: Predictions, after: Predictions, target: Prediction) -> go.Figure:
    """Probabilities of the best classes of both and of the target, as pairs of bars."""
    indices = dict.fromkeys([*(p.index for p in [*before[:3], *after[:3]]), target.index])
    labels = [shortened(zoo.labels()[index], 24) for index in indices]
    figure = go.Figure(
        [
            go.Bar(
                name=name,
                y=labels,
                x=[predictions.of(index).probability for index in indices],
                orientation="h",
                marker={"color": colour},
                hovertemplate="%{y}, " + name + ": %{x:.1%}<extra></extra>",
            )
            for name, predictions, colour in (
                ("as it is", before, "#9aa5a8"),
                ("with the part covered", after, "#0f8b8d"),
            )
        ]
    )
    figure.update_layout(
        barmode="group",
        height=52 * len(labels) + 70,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"range": [0, 1], "tickformat": ".0%", "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True},
    )
    return figure
