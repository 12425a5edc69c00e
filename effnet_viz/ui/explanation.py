"""The parts of the main page: photograph, predictions, maps, stages, channels."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from effnet_viz import explain, export, metrics, render, zoo
from effnet_viz.analysis import Analysis, Prediction, StageExplanation
from effnet_viz.ui import cached
from effnet_viz.ui.help import how_to_read
from effnet_viz.ui.picture_grid import Picture, picture_grid
from effnet_viz.ui.text import one_in, percent, plain, shortened
from effnet_viz.ui.view import ChosenImage, ChosenModel, Display

DEFAULT_STAGE = 6
CHANNELS_PER_PAGE = 24
BY_ACTIVATION, BY_CLASS = "strongest activation", "influence on the class"
CHANNEL_TILE = 116
STAGE_TILE = 102
NARROWEST = 40
"""Pixels on the page that the crop must have to show a map on the whole photograph."""

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

_UNTRAINED = " **Untrained: they mean nothing.**"


def choose_display() -> Display:
    """How maps are shown, from the sidebar. Every choice is in the URL."""
    view = st.segmented_control(
        "Show maps on",
        ["photograph", "crop"],
        default="photograph",
        required=True,
        key="view",
        bind="query-params",
        help="The whole photograph, with what the model could not see under stripes; or only the "
        "square that the model saw.",
    )
    evidence = st.segmented_control(
        "Evidence",
        ["positive", "signed"],
        default="positive",
        required=True,
        key="evidence",
        bind="query-params",
        help="Positive: only what speaks for the class. Signed: also what speaks against it.",
    )
    scale = st.segmented_control(
        "Colour scale",
        ["own", "shared"],
        default="own",
        required=True,
        key="scale",
        bind="query-params",
        help="Own: each map uses the whole range of colours, so shapes are clear but brightness "
        "cannot be compared. Shared: one range for both maps and for the five best classes, so "
        "equal colours mean equal evidence.",
    )
    signed = evidence == "signed"
    colour_map = st.selectbox(
        "Colours",
        render.DIVERGING if signed else render.SEQUENTIAL,
        key="signed_colours" if signed else "colours",
        bind="query-params",
        help="The first maps are perceptually uniform: equal steps of evidence look equally large. "
        "Jet is not: it shows edges and bands where the evidence has none. It is here because many "
        "papers use it.",
    )
    opacity = st.slider(
        "Opacity of the map", 0, 100, 55, 5, format="%d %%", key="opacity", bind="query-params"
    )
    return Display(view == "photograph", signed, scale == "shared", colour_map, opacity / 100)


class Explanation:
    """One analysed image on the page: the panels share what they show it with."""

    def __init__(
        self,
        chosen: ChosenImage,
        model: ChosenModel,
        display: Display,
        result: Analysis,
        stage: int,
    ) -> None:
        self.chosen = chosen
        self.stage = stage
        self.model = model
        self.display = display
        self.result = result
        self.shown = cached.shown(chosen.digest, chosen.content)
        self.stamp = None if result.provenance.trained else "UNTRAINED: random weights"
        self.name = model.key + ("-untrained" if self.stamp else "")
        whole_height, whole_width = self.shown.picture.shape[:2]
        self.box = result.crop.box_in(whole_width, whole_height)
        left, top, right, bottom = self.box
        self.strip = min(right - left, bottom - top) < NARROWEST
        self.place = "photograph" if display.whole and not self.strip else "crop"

    def explained(self, stage: int) -> StageExplanation:
        """Grad-CAM and channel relevance at a stage for the target class."""
        return cached.explained(
            self.model.key,
            self.model.untrained,
            self.chosen.digest,
            stage,
            self.result,
        )

    def grad_cam(self, stage: int) -> NDArray[np.float32]:
        """Grad-CAM at a stage, (h, w), in logit units like the class activation map."""
        return explain.in_logit_units(self.explained(stage).grad_cam)

    def limits(self, values: NDArray[np.float32]) -> render.Range:
        """The colour range of a map: its own, or the one that both maps share."""
        if not self.display.shared:
            return self.display.limits(values)
        best = [self.result.for_target(p.index).cam for p in self.result.predictions[:5]]
        return self.display.limits(self.result.cam, self.grad_cam(self.stage), *best)

    def scale(self, limits: render.Range) -> str:
        """The colour range in words."""
        kind = "shared" if self.display.shared else "own"
        return f"{kind} scale {_ends(limits)}"

    def _canvas(self, whole: bool) -> tuple[str, NDArray[np.uint8], render.Box]:
        """What maps are drawn on: key, picture (H, W, 3), the crop's box in it."""
        if whole and not self.strip:
            return f"{self.chosen.digest} whole", self.shown.picture, self.box
        preprocessing = self.result.provenance.preprocessing
        picture = cached.seen(self.chosen.digest, preprocessing, self.chosen.content)
        side = cached.SEEN_SIDE
        return f"{self.chosen.digest} {preprocessing}", picture, (0, 0, side, side)

    def draw(
        self, values: NDArray[np.float32], limits: render.Range, colour_map: str, opacity: float
    ) -> bytes:
        """A map over the canvas as a JPEG file."""
        key, picture, box = self._canvas(self.display.whole)
        return cached.overlaid(key, values, box, limits, colour_map, opacity, self.stamp, picture)

    def sheet(
        self, values: NDArray[np.float32], limits: render.Range, colour_map: str, lines: list[str]
    ) -> bytes:
        """The same as a PNG file with its caption and colour bar, to keep."""
        _, picture, box = self._canvas(self.display.whole)
        opacity = self.display.opacity
        drawn = render.overlay(picture, values, box, limits, colour_map, opacity, self.stamp)
        return render.encode(render.captioned(drawn, lines, limits, colour_map), "png")

    # Panels, left to right

    def show_photograph(self) -> None:
        """The photograph with the crop marked."""
        st.markdown("**Photograph**")
        key, picture, box = self._canvas(whole=True)
        st.image(
            cached.marked(key, box, picture),
            width="stretch",
            alt=f"{self.chosen.description} The part that the model saw is marked.",
        )
        crop = self.result.crop
        left, top, right, bottom = crop.box
        size = f"{self.shown.width}×{self.shown.height} px"
        seen = f"{right - left:.0f}×{bottom - top:.0f} px ({percent(crop.seen)} of the area)"
        st.caption(
            f"{plain(self.chosen.title)}, {size}. The model saw the bright {seen}, resized to "
            f"{crop.resolution}×{crop.resolution}."
        )
        if self.strip:
            st.caption(":material/info: It is so narrow that only what the model saw is shown.")
        for note in self.shown.notes:
            st.caption(f":material/info: {note}")
        how_to_read(PHOTOGRAPH_HELP)

    def show_predictions(self) -> None:
        """The five best classes as bars that choose the target, and a search over all classes."""
        st.markdown("**Predictions**")
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
        """One map over the photograph, with colour bar, caption, explanation and download."""
        display = self.display
        values = display.evidence(values)
        limits = self.limits(values)
        lines = export.map_caption(self.result, method, stage, self.scale(limits))
        st.image(
            self.draw(values, limits, display.colour_map, display.opacity),
            width="stretch",
            alt=f"{method} over the {self.place}. {_where_strongest(values)} {'. '.join(lines)}.",
        )
        _colour_bar(display.colour_map, limits)
        st.caption("  \n".join(lines))
        with st.container(horizontal=True):
            how_to_read(help_text)
            if save := _open_to_save("Save", method):
                save.download_button(
                    "Picture with caption (PNG)",
                    self.sheet(values, limits, display.colour_map, lines),
                    f"{method}-stage-{stage}-{self.name}.png".lower(),
                    "image/png",
                    key=f"download {method}",
                    on_click="ignore",
                )

    def show_same_map_line(self) -> None:
        """That CAM and Grad-CAM agree at the last stage, measured on this image."""
        last = zoo.STAGES[-1]
        difference = metrics.largest_difference(self.result.cam, self.grad_cam(last))
        cells = self.result.cam.size
        st.caption(
            f":material/equal: At stage {last} both methods give the same map up to scale: on this "
            f"image, Grad-CAM times its {cells} cells differs from CAM by {one_in(difference)} of "
            "the largest value. Both maps are shown in units of the class's score (logit), so "
            "Grad-CAM is multiplied by its number of cells at every stage."
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
                    cached.mean_tile(key, activation),
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
        activation = self.result.stages[stage]  # (C, h, w)
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
        strongest = activation.max(axis=(1, 2))  # (C,)
        ranking = np.argsort(-(strongest if order == BY_ACTIVATION else relevance), kind="stable")
        pages = -(-len(ranking) // CHANNELS_PER_PAGE)
        with right:
            page = _page(pages, (self.chosen.digest, self.model, stage, order))
        visible = ranking[(page - 1) * CHANNELS_PER_PAGE : page * CHANNELS_PER_PAGE]
        common = render.full_range(activation)
        pictures = []
        for channel in visible.tolist():
            values = activation[channel]  # (h, w)
            limits = common if self.display.shared else render.full_range(values)
            key = f"{self.chosen.digest} {self.model} {stage} {channel}"
            value = strongest[channel] if order == BY_ACTIVATION else relevance[channel]
            pictures.append(
                Picture(
                    str(channel),
                    cached.tile(key, values, limits),
                    f"#{channel}",
                    ("max " if order == BY_ACTIVATION else "") + render.number(float(value)),
                    f"Channel {channel} of stage {stage}",
                    "untrained" if self.stamp else "",
                    pixelated=True,
                )
            )
        picture_grid(
            pictures,
            selected=None,
            label=f"Channels of stage {stage}",
            size=CHANNEL_TILE,
            key=f"channels {stage} {order} {page}",
            on_choose=_channel_chosen,
            scroll=False,
        )
        scale = "one shared scale" if self.display.shared else "each with its own scale"
        lines = export.map_caption(self.result, "activations", stage, scale, target=False)
        first = (page - 1) * CHANNELS_PER_PAGE + 1
        st.caption(
            f"Channels {first} to {first + len(visible) - 1} of {len(ranking)}; choose one to see "
            f"it over the photograph.  \n{lines[0]}, {lines[1]}"
        )
        how_to_read(CHANNELS_HELP)
        chosen = st.session_state.pop("_channel", None)
        if chosen is not None:
            self._enlarge(stage, int(chosen), float(relevance[int(chosen)]))

    def _enlarge(self, stage: int, channel: int, relevance: float) -> None:
        values = self.result.stages[stage][channel]  # (h, w)
        limits = render.full_range(values)
        lines = export.map_caption(
            self.result, f"channel {channel}", stage, f"own scale {_ends(limits)}", target=False
        )
        verb = ("adds", "to") if relevance >= 0 else ("takes", "from")
        exact = "exactly" if stage == zoo.STAGES[-1] else "by estimate"

        @st.dialog(f"Channel {channel} of stage {stage}", width="medium")
        def show() -> None:
            st.image(
                self.draw(values, limits, "viridis", max(self.display.opacity, 0.4)),
                width="stretch",
                alt=f"Channel {channel} over the {self.place}. {_where_strongest(values)}",
            )
            _colour_bar("viridis", limits)
            st.caption(
                f"It {verb[0]} {render.number(abs(relevance))} {verb[1]} the score (logit) "
                f"{render.number(self.result.target.logit)} of {self.result.target.label}, {exact}."
                "  \n" + "  \n".join(lines)
            )

        show()

    def show_downloads(self) -> None:
        """The numbers behind the page."""
        stage = self.stage
        explained = self.explained(stage)
        name = f"{self.name}-stage-{stage}"
        with st.container(horizontal=True, vertical_alignment="center"):
            if save := _open_to_save("Save the numbers", "numbers"):
                save.download_button(
                    "For NumPy (NPZ)",
                    export.as_npz(self.result, explained),
                    f"{name}.npz",
                    "application/octet-stream",
                    on_click="ignore",
                )
                save.download_button(
                    "For everything else (JSON)",
                    export.as_json(self.result, explained),
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


def choose_stage() -> int:
    """The stage of Grad-CAM and of the channels below."""
    stage: int = st.slider(
        "Stage",
        zoo.STAGES[0],
        zoo.STAGES[-1],
        DEFAULT_STAGE,
        key="stage",
        bind="query-params",
    )
    return stage


def show_last_stage() -> int:
    """The same slider where there is no choice: CAM exists at the last stage only."""
    st.slider(
        "Stage",
        zoo.STAGES[0],
        zoo.STAGES[-1],
        zoo.STAGES[-1],
        key="cam_stage",
        disabled=True,
        help="CAM needs the weights of the linear head, which follows stage 9.",
    )
    return zoo.STAGES[-1]


def _page(pages: int, what: tuple[object, ...]) -> int:
    """The page of channels; back to the first when it shows something else."""
    if st.session_state.get("_paged", what) != what:
        st.session_state["page"] = 1
    st.session_state["_paged"] = what
    return st.pagination(pages, max_visible_pages=5, key="page", bind="query-params")


def _stage_chosen(key: str) -> None:
    st.session_state["stage"] = int(key)


def _channel_chosen(key: str) -> None:
    st.session_state["_channel"] = key


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


def _ends(limits: render.Range) -> str:
    low, high = (render.number(limit) for limit in limits)
    return f"{low} to {high}"


def _colour_bar(colour_map: str, limits: render.Range) -> None:
    low, high = (render.number(limit) for limit in limits)
    bar = render.data_url(render.colour_bar(colour_map, 256, 1), "png")
    st.html(
        '<div style="display:flex;gap:.5rem;align-items:center;font-size:.8rem">'
        f'<span>{low}</span><img src="{bar}" alt="Colour bar from {_ends(limits)}" '
        f'style="flex:1;height:.6rem;min-width:0;border-radius:2px"><span>{high}</span></div>'
    )


def _where_strongest(values: NDArray[np.float32]) -> str:
    """One sentence for someone who cannot see the map."""
    height, width = values.shape
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    vertical = ("top", "middle", "bottom")[min(2, 3 * int(row) // height)]
    horizontal = ("left", "centre", "right")[min(2, 3 * int(column) // width)]
    return f"It is strongest at the {vertical} {horizontal} of what the model saw."


def _bars(predictions: list[Prediction], target: Prediction) -> go.Figure:
    """Horizontal bars of probability; the target class stands out; every row can be clicked."""
    labels = [p.label for p in predictions]
    rows = list(range(len(predictions)))
    colours = ["#0f8b8d" if p == target else "#9aa5a8" for p in predictions]
    figure = go.Figure(
        [
            go.Bar(  # the whole row, so that a short bar is easy to hit
                x=[1.0] * len(rows),
                y=rows,
                width=0.34,
                orientation="h",
                marker={"color": "rgba(128,128,128,0.15)"},
                customdata=[[label] for label in labels],
                hoverinfo="none",  # no label, but still clicks
            ),
            go.Bar(
                x=[p.probability for p in predictions],
                y=rows,
                width=0.34,
                orientation="h",
                marker={"color": colours},
                customdata=[[label] for label in labels],
                hovertemplate="%{customdata[0]}: %{x:.2%}<extra></extra>",
            ),
        ]
    )
    ink = "#e8e6e1" if st.context.theme.type == "dark" else "#1d2527"
    figure.update_traces(selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}})
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
    figure.update_layout(
        annotations=texts,
        barmode="overlay",
        showlegend=False,
        height=46 * len(rows) + 20,
        margin={"l": 0, "r": 4, "t": 14, "b": 0},
        xaxis={"range": [0, 1], "visible": False, "fixedrange": True},
        yaxis={"range": [len(rows) - 0.5, -0.7], "visible": False, "fixedrange": True},
    )
    return figure
