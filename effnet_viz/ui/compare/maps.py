"""The parts of the page "Compare scaling": networks, maps side by side, numbers about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from effnet_viz.analysis import comparison
from effnet_viz.analysis.comparison import Comparison, Failure, Kind, Look, NetworkResult, Race
from effnet_viz.engines import structure
from effnet_viz.models import weights, zoo
from effnet_viz.models.weights import Readiness, WeightsError
from effnet_viz.pictures import report
from effnet_viz.ui import results, viewer
from effnet_viz.ui.inputs.image_picker import images
from effnet_viz.ui.inputs.model_picker import why_not_ready
from effnet_viz.ui.inputs.selection import ChosenImage
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import percent, plain, shortened
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import Canvas, canvas_of, show_evidence

ONE_DIMENSION, FAMILY = "one dimension or compound", "a whole family"
ROLES = ("baseline", "depth 4", "width 2", "resolution", "compound")
"""The five networks of Table 7 (Tan & Le 2019), in the order of Figure 7's columns."""
WITHOUT_WEIGHTS = ("depth 4", "width 2")
"""Nobody has published weights for these; the scaling lab has trained its own, in miniature."""
BASELINES = {"Lite0": "lite0", "B0": "b0"}
STEP = 32
"""Of the resolution slider, in pixels."""
PER_ROW = 4
DELETION, INSERTION = "blur", "show only"
COLOURS = ("#0f8b8d", "#d1761f", "#8a6bbf", "#c8475d", "#6b8e23", "#4472c4", "#8d979a", "#b8860b")

MAPS_HELP = """
Every network explains the same class on the same photograph, and all pictures move together. What a
network could not see is hatched: larger networks see a slightly different square. Choose the
**shared** scale above to compare brightness; with its own scale each map uses all colours, whatever
its values are. A network can be right with an odd map, and wrong with a fine one.
"""

AGREEMENT_HELP = """
**Rank correlation** compares the order of all places, from least to most important: 1 is the same
order, 0 is unrelated, −1 is reversed. **Overlap** looks only at the most important 20 % of each
map: what both have, as a share of what either has. Both use the part of the photograph that all
networks saw, on a grid of 64×64 places. The picture shows where the networks disagree: the standard
deviation of each place's rank.
"""

RACE_HELP = """
If a map is right about what matters, blurring its most important part should lower the probability
of the class quickly, and showing only that part should raise it quickly. So under *blur*, the lower
curve is the better map; under *show only*, the higher one. Compare the **relative area**: each
curve is divided by that network's probability of the whole photograph. A network never saw such
half-blurred pictures when it was trained, so read small differences as none.
"""

POINTING_HELP = """
Photographs of different classes are put together into one picture of twice the size. A map of one
class should then lie on its own photograph. The number is the share of positive evidence that does.
It needs nobody to draw outlines, and an even map would get 25 %. A network is used here at twice
its resolution, with the same weights.
"""


@dataclass(frozen=True)
class ChosenNetwork:
    """One network to compare."""

    entry: zoo.ModelEntry
    role: str
    """What it stands for in the comparison; empty in a family."""
    untrained: bool


@dataclass(frozen=True, eq=False)
class Shown:
    """What the page has computed, for the sections below the maps."""

    comparison: Comparison
    networks: tuple[ChosenNetwork, ...]
    """Those of the comparison, in its order."""
    image: ChosenImage
    canvas: Canvas

    def having(self, found: Sequence[dict[str, Any]]) -> Shown:
        """The same with something more about each network."""
        results = tuple(
            dataclasses.replace(result, **more)
            for result, more in zip(self.comparison.networks, found, strict=True)
        )
        compared = dataclasses.replace(self.comparison, networks=results)
        return dataclasses.replace(self, comparison=compared)


# Choosing


def choose_networks() -> list[ChosenNetwork]:
    """The networks to compare, from the sidebar. Every choice is in the URL."""
    family = st.radio(
        "Compare",
        [ONE_DIMENSION, FAMILY],
        key="family",
        bind="query-params",
        help="One dimension or compound: the five networks behind Figure 7 of the paper. A whole "
        "family: any of the published models.",
    )
    chosen = _choose_roles() if family == ONE_DIMENSION else _choose_members()
    custom = _custom()
    if custom is not None:
        chosen.append((custom, "your scale"))
        st.button(f"Remove {custom.title}", on_click=_set_custom, args=(None,))
    chosen = _each_once(chosen)
    unready = [e for e, _ in chosen if weights.readiness(e) is not Readiness.READY]
    untrained = st.toggle(
        "Run networks without weights untrained",
        key="untrained_too",
        bind="query-params",
        disabled=not unready,
        help="Their predictions and maps mean nothing, and say so; their size and time are real.",
    )
    return [ChosenNetwork(e, role, untrained and e in unready) for e, role in chosen]


def _each_once(chosen: list[tuple[zoo.ModelEntry, str]]) -> list[tuple[zoo.ModelEntry, str]]:
    """Without those that are there already, under another role; the visitor is told."""
    kept: dict[str, tuple[zoo.ModelEntry, str]] = {}
    for entry, role in chosen:
        if entry.key in kept:
            st.caption(
                f":material/info: {role.capitalize()} is {entry.title}, which is there already. It "
                "is shown once."
            )
        else:
            kept[entry.key] = (entry, role)
    return list(kept.values())


def _choose_roles() -> list[tuple[zoo.ModelEntry, str]]:
    name = st.radio(
        "Baseline", list(BASELINES), key="baseline", bind="query-params", horizontal=True
    )
    base = zoo.MODELS[BASELINES[name]]
    roles = st.multiselect(
        "Networks",
        ROLES,
        default=["baseline", "resolution", "compound"],
        key="roles",
        bind="query-params",
    )
    if set(roles) & set(WITHOUT_WEIGHTS):
        st.caption("No weights are published for depth or width alone. In miniature they are:")
        _link_to_lab("Compare trained ones in the Scaling lab")
    lowest = base.resolution // 2 // STEP * STEP
    # Unlike a plain slider, this one ignores a link with a value between two steps.
    side = st.select_slider(
        "Resolution of the resolution network, in pixels",
        range(lowest, 3 * base.resolution + 1, STEP),
        2 * base.resolution,
        key="side",
        bind="query-params",
    )
    of_role = dict(zip(ROLES, zoo.table_7(base.key), strict=True))
    of_role["resolution"] = zoo.variant(base.key, resolution=side)
    return [(of_role[role], role) for role in ROLES if role in roles]


def _link_to_lab(label: str) -> None:
    st.page_link("pages/scaling_lab.py", label=label, icon=":material/science:")


def _choose_members() -> list[tuple[zoo.ModelEntry, str]]:
    unknown = url_state.adopt("members", _names_members)
    if unknown is not None:
        st.caption(":material/info: The link names networks that do not exist; others are shown.")
    named = st.session_state.setdefault("members", "lite0,lite1,lite2")
    st.session_state["_members"] = named.split(",") if named else []

    def changed() -> None:
        in_order = [key for key in zoo.MODELS if key in st.session_state["_members"]]
        st.session_state["members"] = ",".join(in_order)

    keys = st.multiselect(
        "Networks",
        list(zoo.MODELS),
        key="_members",
        on_change=changed,
        format_func=lambda key: zoo.MODELS[key].title.removeprefix("EfficientNet-"),
    )
    url_state.publish("members", st.session_state["members"])
    return [(zoo.MODELS[key], "") for key in zoo.MODELS if key in keys]


def _names_members(text: str) -> bool:
    """Whether a text names members of the families; the empty one names none."""
    return text == "" or all(key in zoo.MODELS for key in text.split(","))


def _names_network(text: str) -> bool:
    try:
        zoo.find(text)
    except zoo.UnknownModelError:
        return False
    return True


def _custom() -> zoo.ModelEntry | None:
    """The network of one's own scale, sent from the page "Scaling rules"."""
    url_state.adopt("custom", _names_network)
    key: str | None = st.session_state.get("custom")
    url_state.publish("custom", key)
    return None if key is None else zoo.find(key)


def _set_custom(key: str | None) -> None:
    st.session_state["custom"] = key


def choose_map_stage() -> int:
    """The stage of the maps: CAM at the last, Grad-CAM before."""
    stage: int = st.slider(
        "Stage of the maps",
        zoo.STAGES[0],
        zoo.STAGES[-1],
        zoo.STAGES[-1],
        key="map_stage",
        bind="query-params",
        help="At stage 9 the maps are class activation maps, before it Grad-CAM.",
    )
    return stage


def _step(by: int) -> None:
    """The presenter's arrow keys step through the stages; all networks are there already."""
    stage = st.session_state["map_stage"] + by
    st.session_state["map_stage"] = min(max(stage, zoo.STAGES[0]), zoo.STAGES[-1])


# Maps side by side


def show_networks(
    networks: Sequence[ChosenNetwork], image: ChosenImage, target: str | None, stage: int
) -> Shown | None:
    """Every network in its own cell, as soon as it has looked; None when none could."""
    if not networks:
        st.info("Choose networks on the left to compare them.", icon=":material/arrow_back:")
        return None
    bar = st.container()
    cells = []
    with st.container(key="presented"):
        for start in range(0, len(networks), PER_ROW):
            row = networks[start : start + PER_ROW]
            columns = st.columns(max(len(row), min(len(networks), PER_ROW)), gap="medium")
            cells += [column.container() for column in columns[: len(row)]]
    looks: list[Look] = []
    worked: list[ChosenNetwork] = []
    failures: list[Failure] = []
    canvas = None
    # Trained ones first: an untrained one would name a class by chance.
    places = sorted(zip(networks, cells, strict=True), key=lambda place: place[0].untrained)
    for network, cell in places:
        with cell:
            st.markdown(f"**{network.role.capitalize() or network.entry.title}**")
            try:
                with waiting(f"{network.entry.title} is looking …"):
                    look = _look(network, image, target, stage)
            except (WeightsError, RuntimeError, MemoryError) as error:
                message = comparison.failure_message(error, network.entry)
                failures.append(Failure(network.entry.key, network.entry.title, message))
                st.warning(f"**{network.entry.title}**: {message}", icon=":material/block:")
                if network.role in WITHOUT_WEIGHTS:
                    _link_to_lab("A trained one, in miniature: Scaling lab")
                continue
            # The first network that works decides the class for all.
            target = target or look.analysis.target.label
            drawn_on = canvas_of(image, look.analysis)
            if canvas is None:
                canvas = drawn_on
                with bar:
                    viewer.toolbar(
                        canvas.photograph, key="viewer", on_step={"stage": _step}, on_box=None
                    )
            looks.append(look)
            worked.append(network)
            _show_cell(look, network, drawn_on)
    if canvas is None:
        return None
    pairs = zip(worked, looks, strict=True)
    as_placed = sorted(pairs, key=lambda pair: networks.index(pair[0]))
    results = tuple(NetworkResult(look) for _, look in as_placed)
    compared = Comparison(results, tuple(failures))
    for note in compared.notes:
        st.warning(note, icon=":material/warning:")
    how_to_read(MAPS_HELP)
    return Shown(compared, tuple(network for network, _ in as_placed), image, canvas)


def _look(network: ChosenNetwork, image: ChosenImage, target: str | None, stage: int) -> Look:
    entry = network.entry
    if not network.untrained and weights.readiness(entry) is not Readiness.READY:
        raise WeightsError(why_not_ready(entry))
    return results.looked(entry.key, network.untrained, image.digest, target, stage, image.content)


def _show_cell(look: Look, network: ChosenNetwork, canvas: Canvas) -> None:
    analysis, entry = look.analysis, network.entry
    show_evidence(
        canvas,
        analysis,
        look.method,
        look.stage,
        look.evidence,
        covered=None,
        key=f"pane {entry.key}",
    )
    crop = analysis.crop
    left, top, right, bottom = crop.box
    target = analysis.target
    best = "  \n".join(
        f"{shortened(p.label, 24)} {percent(p.probability)}" for p in analysis.predictions[:3]
    )
    built = structure.of(entry)
    st.caption(
        f"{best}  \n**{target.label}**: {percent(target.probability)}, rank "
        f"{analysis.predictions.rank(target.index)} of 1000  \n"
        f"width {entry.width:g} · depth {entry.depth:g} · {entry.resolution} px · "
        f"{built.parameters / 1e6:.1f} M parameters · {built.multiply_adds / 1e9:.2f} B "
        f"multiply-adds · {1000 * look.seconds:.0f} ms here  \n"
        f"Saw {right - left:.0f}×{bottom - top:.0f} px of the photograph, resized to "
        f"{crop.resolution}×{crop.resolution}; final grid {built.stages[9].side}×"
        f"{built.stages[9].side}"
    )
    for finding in look.findings:
        with st.popover(finding.title, icon=":material/stethoscope:", type="tertiary"):
            st.markdown(finding.text)


# Numbers


def _named(shown: Shown) -> list[str]:
    """Short names of the networks, in order; untrained ones say so."""
    return [
        (network.role or network.entry.title.removeprefix("EfficientNet-"))
        + (" (untrained)" if network.untrained else "")
        for network in shown.networks
    ]


def show_table(shown: Shown) -> None:
    """One row a network."""
    st.markdown("#### Numbers")
    looks = [result.look for result in shown.comparison.networks]
    built = [structure.of(network.entry) for network in shown.networks]
    targets = [look.analysis.target for look in looks]
    st.dataframe(
        {
            "Network": [look.analysis.provenance.title for look in looks],
            "Weights": [look.analysis.provenance.weights for look in looks],
            "Best class": [look.analysis.predictions[0].label for look in looks],
            f"{targets[0].label} (%)": [100 * target.probability for target in targets],
            "Rank": [
                look.analysis.predictions.rank(target.index)
                for look, target in zip(looks, targets, strict=True)
            ],
            "Half of the evidence in (% of the area)": [
                100 * look.concentration.area for look in looks
            ],
            "Regions": [look.concentration.regions for look in looks],
            "Distance to the border (0 to 1)": [look.concentration.border for look in looks],
            "Parameters (M)": [made.parameters / 1e6 for made in built],
            "Multiply-adds (B)": [made.multiply_adds / 1e9 for made in built],
            "Time here (ms)": [1000 * look.seconds for look in looks],
        },
        hide_index=True,
        height="content",
        column_config={
            "Network": st.column_config.TextColumn(pinned=True),
            f"{targets[0].label} (%)": st.column_config.NumberColumn(format="%.1f"),
            "Half of the evidence in (% of the area)": st.column_config.NumberColumn(
                format="%.1f",
                help="The smallest part of what the network saw that holds half of the positive "
                "evidence. An even map has 50 %.",
            ),
            "Regions": st.column_config.NumberColumn(help="Separate pieces of that part."),
            "Distance to the border (0 to 1)": st.column_config.NumberColumn(
                format="%.2f",
                help="Mean distance of the positive evidence to the nearest edge: 0 at the edge, 1 "
                "in the middle. An even map has 0.33.",
            ),
            "Parameters (M)": st.column_config.NumberColumn(format="%.1f"),
            "Multiply-adds (B)": st.column_config.NumberColumn(format="%.2f"),
            "Time here (ms)": st.column_config.NumberColumn(
                format="%.0f", help="One forward pass on this machine, whatever else it did then."
            ),
        },
    )


def show_agreement(shown: Shown) -> None:
    """How alike the maps are, in pairs and in places."""
    compared = shown.comparison
    if len(compared.networks) < 2:
        return
    st.markdown("#### Do they agree?")
    ranks, overlap, where = st.columns(3, gap="medium")
    names = _named(shown)
    with ranks:
        st.markdown("**Rank correlation**")
        _heatmap(compared.rank_correlation, names, -1.0, "rank correlation")
    with overlap:
        st.markdown("**Overlap of the most important 20 %**")
        _heatmap(compared.overlap, names, 0.0, "overlap")
    with where:
        st.markdown("**Where they disagree**")
        looks = [result.look for result in compared.networks]
        first = looks[0]
        width, height = first.analysis.crop.photograph
        left, top, right, bottom = compared.region
        seen = (left / width, top / height, right / width, bottom / height)
        viewer.pane(
            shown.canvas.photograph,
            shown.canvas.seen if shown.canvas.strip else seen,
            compared.disagreement,
            kind="activation",
            description="Disagreement over the photograph: bright where the networks rank a place "
            "differently.",
            caption=[
                *(report.map_caption(look.analysis, look.method, look.stage)[0] for look in looks),
                f"standard deviation of ranks, {first.method}, class “{first.origin.target}”, "
                f"stage {first.stage}",
            ],
            stamp=""
            if all(look.analysis.provenance.trained for look in looks)
            else "WITH UNTRAINED NETWORKS",
            field=None,
            covered=None,
            file="disagreement.png",
            key="pane disagreement",
        )
    how_to_read(AGREEMENT_HELP)


def _heatmap(matrix: NDArray[np.float64], names: list[str], low: float, what: str) -> None:
    figure = go.Figure(
        go.Heatmap(
            z=matrix,
            x=names,
            y=names,
            zmin=low,
            zmax=1,
            colorscale="Viridis",
            texttemplate="%{z:.2f}",
            hovertemplate="%{y} and %{x}: %{z:.3f}<extra></extra>",
            colorbar={"thickness": 10},
        )
    )
    figure.update_layout(
        height=110 + 46 * len(names),
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        yaxis={"autorange": "reversed", "fixedrange": True},
        xaxis={"fixedrange": True},
    )
    pairs = [
        f"{one} and {other} {matrix[i, j]:.2f}"
        for i, one in enumerate(names)
        for j, other in enumerate(names[:i])
    ]
    st.plotly_chart(
        figure,
        config={"displayModeBar": False},
        key=f"heatmap {what}",
        alt=f"{what.capitalize()}: {'; '.join(pairs)}.",
    )


def show_race(shown: Shown) -> Shown:
    """The deletion race, when asked for: it takes forty passes of each network.

    Returns what is shown with the races in it.
    """
    st.markdown("#### Deletion race")
    on = st.toggle(
        "Run it: about forty passes of each network",
        key="race",
        bind="query-params",
    )
    if not on:
        return shown
    races = []
    with st.container():
        place = st.empty()
        for network, result in zip(shown.networks, shown.comparison.networks, strict=True):

            def tell(done: float, title: str = network.entry.title) -> None:
                place.progress(done, f"{title} is racing …")

            with waiting(f"{network.entry.title} is racing …"):
                races.append(
                    results.raced(result.look, shown.image.digest, shown.image.content, tell)
                )
        place.empty()
    _show_race(shown, races)
    how_to_read(RACE_HELP)
    return shown.having([{"race": race} for race in races])


@st.fragment
def _show_race(shown: Shown, races: list[Race]) -> None:
    names = _named(shown)
    what, how_much = st.columns([2, 3], gap="large", vertical_alignment="bottom")
    with what:
        direction = st.segmented_control(
            "The most important part of the photograph",
            [DELETION, INSERTION],
            default=DELETION,
            required=True,
            key="direction",
            bind="query-params",
        )
    with how_much:
        steps = [round(100 * fraction) for fraction in comparison.FRACTIONS]
        percent_changed = st.select_slider(
            "How much, in percent of what the network saw",
            steps,
            20,
            key="part",
            bind="query-params",
        )
    kind: Kind = "deletion" if direction == DELETION else "insertion"
    step = steps.index(percent_changed)
    fraction = comparison.FRACTIONS[step]
    curves = [race.deletion if kind == "deletion" else race.insertion for race in races]
    chart, pictures = st.columns([1, 1], gap="large")
    with chart:
        figure = go.Figure(
            [
                go.Scatter(
                    x=curve.fractions,
                    y=curve.probabilities,
                    name=name,
                    mode="lines+markers",
                    line={"color": COLOURS[i % len(COLOURS)]},
                    hovertemplate=f"{name}: %{{y:.1%}} at %{{x:.0%}}<extra></extra>",
                )
                for i, (name, curve) in enumerate(zip(names, curves, strict=True))
            ]
        )
        figure.add_vline(x=fraction, line={"dash": "dot", "color": "#8d979a"})
        figure.update_layout(
            height=360,
            margin={"l": 0, "r": 8, "t": 8, "b": 0},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            xaxis={
                "title": f"{direction} this most important part",
                "tickformat": ".0%",
                "range": [0, 1],
                "fixedrange": True,
            },
            yaxis={
                "title": f"probability of {races[0].origin.target}",
                "tickformat": ".0%",
                "range": [0, 1],
                "fixedrange": True,
            },
        )
        st.plotly_chart(
            figure,
            config={"displayModeBar": False},
            key="race chart",
            alt="Probability of the class against the part of the photograph, for "
            f"{', '.join(names)}.",
        )
    with pictures:
        cells = st.columns(min(len(names), PER_ROW), gap="small")
        for i, (name, result, curve) in enumerate(
            zip(names, shown.comparison.networks, curves, strict=True)
        ):
            with cells[i % len(cells)]:
                st.image(
                    results.perturbed(
                        result.look, shown.image.digest, fraction, kind, shown.image.content
                    ),
                    alt=f"What {name} saw.",
                    width="stretch",
                )
                st.caption(f"{name}: {percent(curve.probabilities[step])}")
    st.dataframe(
        {
            "Network": [race.origin.title for race in races],
            "Weights": [race.origin.weights for race in races],
            "Area under deletion": [race.deletion.area for race in races],
            "relative": [race.relative_area("deletion") for race in races],
            "Area under insertion": [race.insertion.area for race in races],
            "relative ": [race.relative_area("insertion") for race in races],
        },
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("Area under deletion", "relative", "Area under insertion", "relative ")
        },
    )


def show_pointing(shown: Shown) -> Shown:
    """The grid pointing game with two to four of the visitor's images and the samples.

    Returns what is shown with the games in it.
    """
    st.markdown("#### Grid pointing game")
    if not st.toggle("Play it", key="pointing", bind="query-params"):
        return shown
    choices = images()
    picked = st.multiselect(
        "Photographs of different things, two to four",
        list(choices),
        default=[key for key in choices if key != "cat-and-espresso"][:4],
        format_func=lambda key: choices[key].title,
        max_selections=4,
        key="_tiles",
    )
    first = min(shown.networks, key=lambda network: network.untrained)  # names the classes
    tiles, taken = [], set()
    for key in picked:
        image = choices[key]
        with waiting(f"{first.entry.title} is looking …"):
            seen = results.analysed(first.entry.key, first.untrained, image.digest, image.content)
        if seen.target.index in taken:
            st.caption(
                f":material/info: {plain(image.title)} shows the same class as another photograph "
                f"({seen.target.label}), so it is left out."
            )
            continue
        taken.add(seen.target.index)
        tiles.append((image, seen.target))
    if len(tiles) < 2:
        st.info("Choose at least two photographs of different things.", icon=":material/info:")
        return shown
    found: list[dict[str, Any]] = []
    rows: dict[str, list[Any]] = {"Network": [], "Weights": []}
    rows |= {target.label: [] for _, target in tiles}
    rows["Mean"] = []
    names = _named(shown)
    cells = st.columns(min(len(names), PER_ROW), gap="medium")
    for i, (name, network) in enumerate(zip(names, shown.networks, strict=True)):
        with cells[i % len(cells)]:
            try:
                with waiting(f"{network.entry.title} is looking …"):
                    game = results.pointed(
                        network.entry.key,
                        network.untrained,
                        tuple((image.digest, target.index) for image, target in tiles),
                        shown.comparison.networks[i].look.stage,
                        tuple(image.content for image, _ in tiles),
                    )
            except (zoo.VariantError, RuntimeError, MemoryError) as error:
                message = str(error)
                if not isinstance(error, (zoo.VariantError, WeightsError)):
                    why = comparison.failure_message(error, network.entry)
                    message = f"At twice its resolution, {why}"
                st.caption(f"**{name}**: {message}")
                found.append({"notes": (message,)})
                continue
            found.append({"pointing": game.played})
            st.image(game.picture, alt=f"Maps of {name} over the mosaic.", width="stretch")
            st.caption(
                f"{name}: {game.played.origins[0].weights}, {game.played.origins[0].method} at "
                f"stage {game.played.origins[0].stage}; each quarter shows the positive evidence "
                "of its own class, with its own scale."
            )
            rows["Network"].append(game.played.origins[0].title)
            rows["Weights"].append(game.played.origins[0].weights)
            for tile in game.played.tiles:
                rows[tile.target.label].append(100 * tile.share)
            rows["Mean"].append(100 * game.played.mean)
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.NumberColumn(format="%.0f %%")
            for name in [*(target.label for _, target in tiles), "Mean"]
        },
    )
    how_to_read(POINTING_HELP)
    return shown.having(found)


def show_downloads(shown: Shown) -> None:
    """Everything as a table and as a page that opens without a server."""
    compared = shown.comparison
    popover = st.popover(
        "Save the comparison",
        type="tertiary",
        icon=":material/download:",
        key="save comparison",
        on_change="rerun",
    )
    if popover.open:
        popover.download_button(
            "Table (CSV)",
            report.comparison_csv(compared),
            "comparison.csv",
            "text/csv",
            on_click="ignore",
        )
        picture = results.shown(shown.image.digest, shown.image.content).picture
        popover.download_button(
            "Page that opens without a server (HTML)",
            report.comparison_html(compared, picture, shown.image.title),
            "comparison.html",
            "text/html",
            on_click="ignore",
        )
