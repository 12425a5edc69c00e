"""The parts of the page "Scaling lab" that show what was measured: charts, tables, words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.lab import results as lab
from effnet_viz.lab.evaluation import GRAD_CAM_STAGE, SIZE_GROUPS
from effnet_viz.lab.model_card import RESULTS
from effnet_viz.lab.results import CAM, GRAD_CAM, MapSummary, OverRuns, Results, ResultsError
from effnet_viz.models import published
from effnet_viz.models.published import ScaledBaseline
from effnet_viz.models.zoo import STAGES
from effnet_viz.ui.compare.maps import COLOURS
from effnet_viz.ui.layout.help import how_to_read


@dataclass(frozen=True)
class Measure:
    """How a measure of maps is called and explained."""

    key: str
    title: str
    meaning: str
    """One or two sentences; {grid} and {threshold} are filled in."""
    higher_is_better: bool
    comparable: bool
    """Whether the reference maps have the same scale: their own grid is the finest there is."""


MEASURES = {
    measure.title: measure
    for measure in (
        Measure(
            "pooled_energy_of_ceiling",
            "Evidence on object: same grid, of the ceiling",
            "The share of the positive evidence that lies on the object. All maps are first "
            "averaged to {grid} × {grid} cells, then compared with what the object's own outline "
            "reaches on the network's grid when averaged likewise: that is 100 %. The fairest of "
            "these measures. A map of a single cell well inside the object can pass 100 %.",
            True,
            True,
        ),
        Measure(
            "pooled_energy",
            "Evidence on object: same grid",
            "The share of the positive evidence that lies on the object, with all maps first "
            "averaged to {grid} × {grid} cells, so that no network wins by a finer grid.",
            True,
            True,
        ),
        Measure(
            "energy_of_ceiling",
            "Evidence on object: own grid, of the ceiling",
            "The share of the positive evidence that lies on the object, compared with what the "
            "object's own outline reaches on the grid of that network: that is 100 %.",
            True,
            False,
        ),
        Measure(
            "energy",
            "Evidence on object: own grid",
            "The share of the positive evidence that lies on the object, each map as it is. Finer "
            "maps can follow an outline better, so this favours networks with more cells.",
            True,
            True,
        ),
        Measure(
            "pointing_game",
            "Pointing game",
            "The share of scenes in which the brightest point of the map lies on the object.",
            True,
            True,
        ),
        Measure(
            "iou_best_threshold",
            "Overlap, best threshold",
            "The map is cut at a threshold, and what remains is compared with the object: what "
            "both share, divided by what either covers (intersection over union). The threshold is "
            "the one that suits each network best on these very scenes, so it flatters a little.",
            True,
            True,
        ),
        Measure(
            "iou_fixed_threshold",
            "Overlap, fixed threshold",
            "The same overlap with one threshold for all: {threshold} of the map's maximum.",
            True,
            True,
        ),
        Measure(
            "coverage",
            "Share of the object covered",
            "How much of the object has at least {threshold} of the map's maximum: the paper's "
            "“object details”. A map that is bright everywhere covers everything, so read it "
            "together with the overlap.",
            True,
            True,
        ),
        Measure(
            "distractor_energy",
            "Evidence on distractors",
            "The share of the positive evidence that lies on the other drawings in the scene.",
            False,
            True,
        ),
    )
}

REFERENCES = {
    "uniform": "uniform map",
    "centre_dot": "centre dot",
    "centre_gaussian": "centre Gaussian",
    "mask": "the mask itself",
}

HEADLINE_HELP = """
**Evidence** is the positive part of a class activation map (CAM): where the network found something
that speaks for the right class. The masks of the scenes are exact, so we can add up how much of it
lies on the object. Only scenes count that every network classifies correctly.

**The 95 % interval** of a difference is made by drawing the classes again and again at random
(bootstrap), for both networks at once. If it leaves 0 out, we call the difference clear.
"""

ACCURACY_HELP = """
**Top-1** is the share of scenes whose most probable class is the right one. *Seen vendors*: new
scenes, made with drawings by artists whose work the network was trained on. *Unseen vendor*: the
same things drawn by somebody else. Every run leaves out another vendor, so runs differ in
difficulty, too.

**Multiply-adds** count the work for one image; × 4 means four times the baseline's.
"""

MEASURES_HELP = """
**Left:** a dot is one run, the bar is their mean. Diamonds are maps that no network made: *uniform*
is the same everywhere, the *dot* and the *Gaussian* only know the middle of the picture, and *the
mask itself* is the object's true outline. A network should be better than the first three, but for
the share of the object covered: a uniform map covers everything.

**Right:** each row is a pair of networks. The dot is the mean difference, the line its 95 %
interval. If the line crosses 0, the difference may be chance. Even between equal networks, one such
interval in twenty misses 0, and there are many of them here: ten for every measure.
"""

AGREEMENT_HELP = """
**Same answer** counts all scenes of the unseen vendor, right or wrong. **Alike maps** is the
correlation of two networks' CAMs on the scenes that all classify correctly, pooled to the same
grid: 1 is the same pattern, 0 is unrelated, −1 is reversed.
"""

CURVES_HELP = """
A **view** is one scene looked at once in training. If a solid line still rises at its right end,
the network had more to learn. A wide gap between dashed and solid means that it learned drawings by
heart, not things. The recipe ends with a learning rate of zero, so every curve flattens.
"""

_GREY = "#8d979a"
_PALE_TO_GREEN = [[0, "#eef3f2"], [1, "#6dbdb9"]]
"""Light enough for dark letters at both ends."""
_CONFIG = {"displayModeBar": False}


def load_results(path: Path = RESULTS) -> Results | None:
    """The results; None, and a message on the page, if there are none."""
    try:
        return _loaded(path, path.stat().st_mtime_ns if path.exists() else 0)
    except ResultsError as error:
        st.info(str(error), icon=":material/science:")
        return None


@cache
def _loaded(path: Path, _: int) -> Results:
    """Read once for all visitors, and again when the file has changed."""
    return lab.load(path)


def show_headline(results: Results) -> None:
    """What came out, in sentences."""
    st.markdown("\n".join(f"- {sentence}" for sentence in lab.headline(results)))
    factors = "; ".join(
        f"*{network.name}*: {_factors(network)}"
        for network in results.networks.values()
        if _factors(network)
    )
    st.caption(
        f"Scaled networks: {factors}. “Clearly” means that the {lab.percent(0.95, 0)} interval of "
        "the difference leaves 0 out. The intervals are over classes, within the "
        f"{results.runs_in_words}: they do not say what training again would change."
    )
    how_to_read(HEADLINE_HELP)


def show_accuracy(results: Results) -> None:
    """Top-1 of every run; beside it ours and the paper's Table 7."""
    st.markdown("##### Accuracy and cost")
    networks = results.networks
    st.plotly_chart(
        _accuracy(results),
        config=_CONFIG,
        key="lab accuracy",
        alt="Top-1 accuracy on seen vendors and on the unseen vendor, means over runs. "
        + " ".join(
            f"{network.name}: {lab.percent(network.top1_seen.mean)} and "
            f"{lab.percent(network.top1_unseen.mean)}."
            for network in networks.values()
        ),
    )
    paper = {key: _of_table_7(results, key) for key in networks}
    baseline, paper_baseline = next(iter(networks.values())), next(iter(paper.values()))
    st.table(
        {
            "network": [f"**{_unbroken(network.name)}**" for network in networks.values()],
            "multiply-adds: ours": [
                f"× {network.multiply_adds / baseline.multiply_adds:.1f}"
                for network in networks.values()
            ],
            "paper": [
                f"× {row.multiply_adds / paper_baseline.multiply_adds:.1f}"
                for row in paper.values()
            ],
            "parameters": [
                _unbroken(f"{network.parameters / 1e6:.2f} M") for network in networks.values()
            ],
            "time per image": [
                _unbroken(f"{network.milliseconds:.1f} ms") for network in networks.values()
            ],
            "top-1, unseen vendor: ours": [
                _with_spread(network.top1_unseen) for network in networks.values()
            ],
            "top-1, ImageNet: paper": [_unbroken(f"{row.top1:.1f} %") for row in paper.values()],
        },
        border="horizontal",
        width="content",
        hide_index=True,
        alt="Cost and accuracy of our five networks beside the paper's Table 7.",
    )
    st.markdown(lab.accuracy(results))
    spread = (
        f"± is the standard deviation of {results.runs_in_words}. "
        if baseline.top1_unseen.spread is not None
        else ""
    )
    st.caption(
        "Ours are **not ImageNet** networks: they tell drawings apart, on "
        f"{results.scenes:,} scenes per run, so compare the order of the rows, never the two "
        f"accuracies. Never seen: {results.held_out_vendors}, one a run. {spread}Ours × 1 is "
        f"{baseline.multiply_adds / 1e6:.1f} M multiply-adds, the paper's "
        f"{paper_baseline.multiply_adds / 1e9:.1f} B. Parameters and time are "
        f"ours; time with PyTorch on {results.machine}. Paper: {published.PAPER}, Table 7."
    )
    how_to_read(ACCURACY_HELP)


@st.fragment
def show_measures(results: Results) -> None:
    """Any measure of either kind of map: means and references, pairs, by size of the object."""
    st.markdown("##### Where the evidence lies")
    kinds = {f"CAM at stage {STAGES[-1]}": CAM, f"Grad-CAM at stage {GRAD_CAM_STAGE}": GRAD_CAM}
    threshold = lab.percent(results.fixed_threshold, 0)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        kind_title = st.segmented_control(
            "Map",
            list(kinds),
            default=next(iter(kinds)),
            required=True,
            key="lab_map",
            bind="query-params",
        )
    with right:
        title = st.selectbox("Measure", list(MEASURES), key="lab_measure", bind="query-params")
    kind, measure = kinds[kind_title], MEASURES[title]
    meaning = measure.meaning.format(grid=results.common_grid, threshold=threshold)
    direction = "Higher" if measure.higher_is_better else "Lower"
    st.markdown(f"{meaning} **{direction} is better.**")
    if not measure.comparable:
        st.caption(
            "The reference maps are left out here: they have the grid of the picture, where the "
            "ceiling is another."
        )
    if measure.key == "iou_best_threshold":
        best = ", ".join(
            f"{network.name} {lab.percent(network.maps[kind].best_threshold, 0)}"
            for network in results.networks.values()
        )
        st.caption(f"Best thresholds, as a share of the map's maximum: {best}.")
    means, pairs = st.columns(2, gap="medium")
    with means:
        st.markdown(f"**{results.runs_in_words.capitalize()} and their mean**")
        values = {
            network.name: network.maps[kind].everywhere[measure.key]
            for network in results.networks.values()
        }
        st.plotly_chart(
            _means(results, kind, measure),
            config=_CONFIG,
            key="lab means",
            alt=f"{title}, {kind_title}, means over runs: {_spoken(values)}. "
            + (f"Reference maps: {_spoken(_references(results, measure))}." * measure.comparable),
        )
    with pairs:
        st.markdown("**Pairs, with 95 % intervals** (right of 0: the first is higher)")
        st.plotly_chart(
            _pairs(results, kind, measure),
            config=_CONFIG,
            key="lab pairs",
            alt=f"{title}, {kind_title}: differences of pairs in points with 95 % intervals. "
            + " ".join(
                f"{label}: {100 * pair.value:.1f}, {100 * pair.low:.1f} to {100 * pair.high:.1f}."
                for label, pair in _labelled_pairs(results, kind, measure)
            ),
        )
    st.markdown("**By size of the object**")
    st.plotly_chart(
        _by_size(results, kind, measure),
        config=_CONFIG,
        key="lab sizes",
        alt=f"{title}, {kind_title}, for small, medium and large objects. "
        + " ".join(
            f"{network.name}: "
            + ", ".join(
                lab.percent(network.maps[kind].by_size[group][measure.key].mean)
                for group in SIZE_GROUPS
            )
            + "."
            for network in results.networks.values()
        ),
    )
    shares = ", ".join(
        f"{group} ones fill {lab.percent(results.object_share(group), 0)} of the picture"
        for group in SIZE_GROUPS
    )
    st.caption(
        f"A third of the scenes each, by the area of the object that shows: {shares} on average. "
        f"Measured on {sum(run.scenes_all_correct for run in results.runs):,} scenes in all."
    )
    how_to_read(MEASURES_HELP)


def show_agreement(results: Results) -> None:
    """How alike networks answer and look, in pairs."""
    st.markdown("##### Do they agree?")
    answers, maps = st.columns(2, gap="medium")
    with answers:
        st.markdown("**Same answer** (share of scenes)")
        _matrix(
            results,
            {(p.one, p.other): p.same_answer.mean for p in results.agreement},
            (0, 1),
            ".0%",
            "same answer",
        )
    with maps:
        st.markdown("**Alike maps** (correlation of CAMs)")
        _matrix(
            results,
            {(p.one, p.other): p.cam_correlation.mean for p in results.agreement},
            (-1, 1),
            ".2f",
            "correlation of CAMs",
        )
    st.markdown(lab.most_and_least_alike(results))
    how_to_read(AGREEMENT_HELP)


def show_learning_curves(results: Results) -> None:
    """Accuracy during training."""
    st.markdown("##### Had they learned all they could?")
    last = {key: curve[-1] for key, curve in results.curves.items()}
    st.plotly_chart(
        _curves(results),
        config=_CONFIG,
        key="lab curves",
        alt="Top-1 accuracy during training, mean over runs. At the end, on seen vendors and on "
        "the unseen vendor: "
        + "; ".join(
            f"{results.networks[key].name} {lab.percent(point.seen)} and "
            f"{lab.percent(point.unseen)}"
            for key, point in last.items()
        )
        + ".",
    )
    st.markdown(lab.levelling(results))
    how_to_read(CURVES_HELP)


def show_limits(results: Results) -> None:
    """What the lab shows and what it cannot."""
    st.markdown("##### What this shows, and what it cannot")
    st.markdown(lab.limits(results))


def offer_results(results: Results) -> None:
    """Everything that was measured, as the file it comes from."""
    st.download_button(
        "All measured numbers (results.json)",
        results.text,
        "results.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def _factors(network: lab.MeasuredNetwork) -> str:
    """What was multiplied; nothing for the baseline."""
    scaling = network.scaling
    factors = {
        "layers": scaling.depth,
        "channels": scaling.width,
        "pixels along a side": scaling.resolution_factor,
    }
    return ", ".join(
        f"{factor:g} times the {what}" for what, factor in factors.items() if factor != 1
    )


def _of_table_7(results: Results, key: str) -> ScaledBaseline:
    """The paper's network with the same multipliers."""
    scaling = results.networks[key].scaling
    factors = (scaling.depth, scaling.width, scaling.resolution_factor)
    return next(
        row for row in published.TABLE_7 if (row.depth, row.width, row.resolution) == factors
    )


def _with_spread(values: OverRuns) -> str:
    spread = "" if values.spread is None else f" ± {100 * values.spread:.1f}"
    return _unbroken(f"{100 * values.mean:.1f}{spread} %")


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _spoken(values: dict[str, OverRuns]) -> str:
    return ", ".join(f"{name} {lab.percent(value.mean)}" for name, value in values.items())


def _ink() -> str:
    return "#e8e6e1" if st.context.theme.type == "dark" else "#1d2527"


def _colours(results: Results) -> dict[str, str]:
    """By network key: the colours of the page that compares them."""
    return dict(zip(results.networks, COLOURS, strict=False))


def _runs_and_mean(
    figure: go.Figure, row: float, values: OverRuns, name: str, colour: str, symbol: str = "circle"
) -> None:
    """One dot a run and a bar for the mean, in one row."""
    figure.add_scatter(
        x=list(values.runs),
        y=[row] * len(values.runs),
        mode="markers",
        marker={
            "color": colour,
            "size": 9,
            "opacity": 0.6,
            "symbol": symbol,
            "line": {"width": 2, "color": colour},
        },
        name=name,
        showlegend=False,
        hovertemplate=f"{name}, one run: %{{x:.1%}}<extra></extra>",
    )
    figure.add_scatter(
        x=[values.mean],
        y=[row],
        mode="markers",
        marker={"symbol": "line-ns", "size": 16, "line": {"width": 3.5, "color": colour}},
        name=name,
        showlegend=False,
        hovertemplate=f"{name}, mean: %{{x:.1%}}<extra></extra>",
    )


def _rows(figure: go.Figure, labels: Sequence[str], **axis: object) -> None:
    """The first label on top; every row as high as the others."""
    figure.update_layout(
        height=70 + 34 * len(labels),
        margin={"l": 0, "r": 12, "t": 8, "b": 0},
        yaxis={
            "tickvals": list(range(len(labels))),
            "ticktext": list(labels),
            "range": [len(labels) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
        xaxis={"fixedrange": True, "zeroline": False, "automargin": True, "nticks": 6} | axis,
    )


def _accuracy(results: Results) -> go.Figure:
    figure = go.Figure()
    for row, (key, colour) in enumerate(_colours(results).items()):
        network = results.networks[key]
        for shift, values, where, symbol in (
            (-0.2, network.top1_seen, "seen vendors", "circle-open"),
            (0.2, network.top1_unseen, "unseen vendor", "circle"),
        ):
            _runs_and_mean(figure, row + shift, values, f"{network.name}, {where}", colour, symbol)
    for where, symbol in (("unseen vendor", "circle"), ("seen vendors", "circle-open")):
        figure.add_scatter(
            x=[None],
            y=[None],
            name=where,
            mode="markers",
            marker={"color": _GREY, "size": 9, "symbol": symbol},
        )
    names = [network.name for network in results.networks.values()]
    _rows(figure, names, tickformat=".0%", title="top-1 accuracy")
    figure.update_layout(
        height=350,
        margin={"t": 34},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def _references(results: Results, measure: Measure) -> dict[str, OverRuns]:
    """The measure of the maps that no network made, by title."""
    return {
        title: results.references[name].everywhere[measure.key]
        for name, title in REFERENCES.items()
    }


def _means(results: Results, kind: str, measure: Measure) -> go.Figure:
    """Runs and means of each network; under them the reference maps, each with a line upwards."""
    figure = go.Figure()
    networks = results.networks
    for row, (key, colour) in enumerate(_colours(results).items()):
        network = networks[key]
        values = network.maps[kind].everywhere[measure.key]
        _runs_and_mean(figure, row, values, network.name, colour)
    references = _references(results, measure) if measure.comparable else {}
    for row, (title, values) in enumerate(references.items(), len(networks)):
        figure.add_shape(
            type="line",
            x0=values.mean,
            x1=values.mean,
            y0=-0.5,
            y1=row,
            line={"color": _GREY, "width": 1, "dash": "dot"},
            layer="below",
        )
        figure.add_scatter(
            x=[values.mean],
            y=[row],
            mode="markers",
            marker={"symbol": "diamond-open", "color": _GREY, "size": 10, "line": {"width": 2}},
            name=title,
            showlegend=False,
            hovertemplate=f"{title}: %{{x:.1%}}<extra></extra>",
        )
    labels = [*(network.name for network in networks.values()), *references]
    _rows(figure, labels, tickformat=".0%")
    return figure


def _labelled_pairs(
    results: Results, kind: str, measure: Measure
) -> list[tuple[str, lab.Difference]]:
    return [
        (f"{results.networks[pair.other].name} − {results.networks[pair.one].name}", pair)
        for pair in results.differences[kind, measure.key]
    ]


def _pairs(results: Results, kind: str, measure: Measure) -> go.Figure:
    """A forest plot: differences in points; clear ones in colour."""
    pairs = _labelled_pairs(results, kind, measure)
    figure = go.Figure()
    figure.add_vline(0, line={"color": _ink(), "width": 1})
    for clear, name, colour in ((True, "clear", _ink()), (False, "includes 0", _GREY)):
        chosen = [(row, pair) for row, (_, pair) in enumerate(pairs) if pair.clear == clear]
        figure.add_scatter(
            x=[100 * pair.value for _, pair in chosen],
            y=[row for row, _ in chosen],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (pair.high - pair.value) for _, pair in chosen],
                "arrayminus": [100 * (pair.value - pair.low) for _, pair in chosen],
                "thickness": 2,
                "width": 0,
            },
            mode="markers",
            marker={"color": colour, "size": 9, "symbol": "circle" if clear else "circle-open"},
            name=name,
            customdata=[
                (pairs[row][0], f"{100 * pair.low:.1f}", f"{100 * pair.high:.1f}")
                for row, pair in chosen
            ],
            hovertemplate="%{customdata[0]}: %{x:.1f} points"
            "<br>95 % interval %{customdata[1]} to %{customdata[2]}<extra></extra>",
        )
    _rows(figure, [label for label, _ in pairs], title="difference in percentage points")
    figure.update_layout(
        margin={"t": 34},
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def _by_size(results: Results, kind: str, measure: Measure) -> go.Figure:
    figure = go.Figure()
    labels = [
        f"{group}<br>({lab.percent(results.object_share(group), 0)})" for group in SIZE_GROUPS
    ]

    def add(summary: MapSummary, name: str, line: dict[str, object], symbol: str) -> None:
        figure.add_scatter(
            x=labels,
            y=[summary.by_size[group][measure.key].mean for group in SIZE_GROUPS],
            name=name,
            mode="lines+markers",
            line=line,
            marker={"size": 8, "symbol": symbol},
            hovertemplate=f"{name}: %{{y:.1%}}<extra></extra>",
        )

    for key, colour in _colours(results).items():
        network = results.networks[key]
        add(network.maps[kind], network.name, {"color": colour}, "circle")
    if measure.comparable:
        for name, dash in (("uniform", "dot"), ("centre_gaussian", "dash")):
            line = {"color": _GREY, "width": 1.5, "dash": dash}
            add(results.references[name], REFERENCES[name], line, "diamond-open")
    figure.update_layout(
        height=340,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"fixedrange": True, "title": "object (share of the picture)"},
        yaxis={"tickformat": ".0%", "fixedrange": True, "automargin": True, "nticks": 6},
    )
    return figure


def _matrix(
    results: Results,
    values: dict[tuple[str, str], float],
    ends: tuple[float, float],
    shown_as: str,
    what: str,
) -> None:
    """Every pair once: a triangle."""
    keys = list(results.networks)
    columns, rows = keys[:-1], keys[1:]
    names = {key: network.name for key, network in results.networks.items()}
    figure = go.Figure(
        go.Heatmap(
            z=[[values.get((one, other)) for one in columns] for other in rows],
            x=[names[key] for key in columns],
            y=[names[key] for key in rows],
            zmin=ends[0],
            zmax=ends[1],
            colorscale=_PALE_TO_GREEN,
            textfont={"color": "#1d2527"},
            texttemplate=f"%{{z:{shown_as}}}",
            hovertemplate=f"%{{y}} and %{{x}}: %{{z:{shown_as}}}<extra></extra>",
            hoverongaps=False,
            showscale=False,
        )
    )
    figure.update_layout(
        height=60 + 46 * len(rows),
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        xaxis={"fixedrange": True, "showgrid": False, "automargin": True},
        yaxis={"autorange": "reversed", "fixedrange": True, "showgrid": False, "automargin": True},
    )
    spoken = "; ".join(
        f"{names[one]} and {names[other]} {format(value, shown_as)}"
        for (one, other), value in values.items()
    )
    st.plotly_chart(
        figure, config=_CONFIG, key=f"lab {what}", alt=f"{what.capitalize()}: {spoken}."
    )


def _curves(results: Results) -> go.Figure:
    """Solid on the unseen vendor, dashed on seen ones."""
    figure = go.Figure()
    for key, colour in _colours(results).items():
        name, curve = results.networks[key].name, results.curves[key]
        views = [point.views for point in curve]
        for accuracies, where, dash in (
            ([point.unseen for point in curve], "unseen vendor", "solid"),
            ([point.seen for point in curve], "seen vendors", "dash"),
        ):
            figure.add_scatter(
                x=views,
                y=accuracies,
                name=name,
                legendgroup=name,
                showlegend=dash == "solid",
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2},
                hovertemplate=f"{name}, {where}: %{{y:.1%}} after %{{x:,}} views<extra></extra>",
            )
    for where, dash in (("unseen vendor", "solid"), ("seen vendors", "dash")):
        figure.add_scatter(
            x=[None],
            y=[None],
            name=where,
            mode="lines",
            line={"color": _GREY, "dash": dash, "width": 2},
        )
    figure.update_layout(
        height=380,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"title": "views in training", "fixedrange": True, "rangemode": "tozero"},
        yaxis={
            "title": "top-1 accuracy",
            "tickformat": ".0%",
            "fixedrange": True,
            "automargin": True,
        },
    )
    return figure
