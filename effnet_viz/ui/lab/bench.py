"""Real networks on a scene of photographed objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis.analysis import Analysis, analyse
from effnet_viz.analysis.explanation import Explanation, method_at, starting_stage
from effnet_viz.analysis.words import percent
from effnet_viz.arrays import Floats, area_mean
from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import Library, Method
from effnet_viz.models import advice, fetching
from effnet_viz.models.model import Model
from effnet_viz.models.weights import Readiness
from effnet_viz.pictures.encode import data_url
from effnet_viz.scenes.editor import SIDE, Scene, SceneSpec, compose
from effnet_viz.scenes.objects import CutOut
from effnet_viz.serving import models
from effnet_viz.study import bench
from effnet_viz.study.bench import Shares
from effnet_viz.ui import results, viewer, words
from effnet_viz.ui.inputs.network_picker import ChosenNetwork
from effnet_viz.ui.lab.bench_controls import (
    OWN,
    choose_scene,
    move_object,
    new_scene_by_key,
    read_places,
    tap_object,
    target_of,
    tell_places,
    with_places,
)
from effnet_viz.ui.lab.experiments import show_experiments
from effnet_viz.ui.lab.following import follow
from effnet_viz.ui.lab.own_background import backdrop_of
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.problems import NO_MAP, reason_of
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.method_map import progress_place, timed_map
from effnet_viz.ui.panes import Canvas, picture_of
from effnet_viz.ui.viewer import Found, Presented, Slot, Under

DRAGGED_SIDE = 256
"""Side of the scene while somebody drags, in pixels: it is let go at SIDE."""
DRAGGED_MASK_SIDE = 64
"""Side of the masks that maps are measured by meanwhile: means over squares of pixels."""


@dataclass(frozen=True)
class _Waiting:
    """Where it is said what a visitor waits for."""

    place: DeltaGenerator
    progress: DeltaGenerator
    """Within: how far a method is."""


def show_bench(networks: Sequence[ChosenNetwork], own: CutOut | None) -> None:
    """The scene, what can be changed of it, and what the networks make of it.

    `own` is an object of the visitor's, which a scene can show.
    """
    read_places()
    _chosen_scene(networks, own)


@st.fragment
@mistake_boundary()
def _chosen_scene(networks: Sequence[ChosenNetwork], own: CutOut | None) -> None:
    """Runs by itself when a control changes: what is below stays as it is."""
    spec, method = choose_scene(own, len(networks))
    _networks(networks, spec, method, own)


@st.fragment
@mistake_boundary()
def _networks(
    networks: Sequence[ChosenNetwork], chosen: SceneSpec, method: Method, own: CutOut | None
) -> None:
    """Runs by itself when an object has been dragged: the controls stay as they are."""
    if st.session_state.pop("stepped", False):
        st.rerun()  # a key or a tap has changed controls, which lie outside
    spec, target = with_places(chosen), target_of(chosen)
    waits = st.container(key="waits")  # what comes and goes in it moves nothing
    with waits:
        progress = progress_place()
    with waiting(None):
        shown = _show_maps(networks, spec, target, method, own, _Waiting(waits, progress))
    tell_places(spec)
    looking = [network for network in networks if network.ref.key in shown]
    follow(lambda: _passed(looking, with_places(chosen), target, method, own), move_object)
    show_experiments(spec, shown, target, own, backdrop_of(SIDE))


@dataclass(frozen=True)
class _Seen:
    """A scene as all networks see it."""

    scene: Scene
    spec: SceneSpec
    target: int
    masks: Floats
    """(objects, h, w): what maps are measured by."""
    photograph: viewer.Photograph
    outlined: Sequence[viewer.Object]


def _seen(spec: SceneSpec, target: int, own: CutOut | None, side: int) -> _Seen:
    with models.turn():
        scene = compose(spec, side, own=[own] if own else [], backdrop=backdrop_of(side))
        outlines = scene.outlines()
    outlined = [
        viewer.Object(outline, (placed.cx, placed.cy), number == target)
        for number, (outline, placed) in enumerate(zip(outlines, spec.objects, strict=True))
    ]
    return _Seen(scene, spec, target, scene.masks, _photograph(scene), outlined)


def _picture(network: ChosenNetwork, found: Explanation, seen: _Seen) -> viewer.Picture:
    scene, target = seen.scene, seen.target
    title = f"scene {seen.spec.seed}, {' and '.join(_name(thing) for thing in scene.objects)}"
    shares = bench.shares(found.attribution, seen.masks, target)
    answer = _found(network, found.analysis, scene, target, shares)
    box = found.analysis.crop.box_in(1, 1)
    return picture_of(
        Canvas(seen.photograph, box, False, title, scene.credits),
        found.analysis.model,
        found.attribution,
        under=Under(network.name, answer=answer),
        outlined=seen.outlined,
        where=_in_words(shares),
    )


def _passed(
    networks: Sequence[ChosenNetwork],
    spec: SceneSpec,
    target: int,
    method: Method,
    own: CutOut | None,
) -> viewer.Shown:
    """Every network's map of a scene that is only passed: nothing is kept."""
    seen = _seen(spec, target, own, DRAGGED_SIDE)
    seen = replace(seen, masks=area_mean(seen.masks, DRAGGED_MASK_SIDE, DRAGGED_MASK_SIDE))
    pictures = {}
    for network in networks:
        try:
            found = _explain_once(network, seen.scene, target, method)
        except NO_MAP:
            continue  # its picture stays; where the object is let go, it is said
        pictures[network.ref.key] = _picture(network, found, seen)
    return viewer.Shown(seen.photograph, pictures)


def _show_maps(
    networks: Sequence[ChosenNetwork],
    spec: SceneSpec,
    target: int,
    method: Method,
    own: CutOut | None,
    waits: _Waiting,
) -> dict[str, Model]:
    """Every network's map as soon as it is there. Gives the networks that have one, by key."""
    seen = _seen(spec, target, own, SIDE)
    slots = [_slot(network) for network in networks]
    _open_deck(seen.photograph, slots, seen.scene.objects[target], method)
    shown: dict[str, Model] = {}
    for network, slot in zip(networks, slots, strict=True):
        if slot.note:
            continue
        try:
            found = _explain_and_keep(network, seen.scene, target, method, waits)
        except NO_MAP as error:
            reason = reason_of(error, network.full_name).replace("`", "")
            viewer.show_instead(replace(slot, note=reason))
            continue
        viewer.show(slot.name, _picture(network, found, seen))
        shown[network.ref.key] = found.analysis.model
    return shown


def _name(thing: CutOut) -> str:
    return words.OWN_OBJECT if thing.name == OWN else thing.what


def _photograph(scene: Scene) -> viewer.Photograph:
    side = len(scene.image)
    source = data_url(scene.image, "jpeg")
    return viewer.Photograph(f"scene {scene.photograph.id}", source, side, side, (SIDE, SIDE))


def _slot(network: ChosenNetwork) -> Slot:
    slot = Slot(
        network.ref.key,
        title=network.name,
        detail=network.detail,
        colour=network.colour,
        answered=True,
        more=True,
    )
    ready = fetching.readiness(network.entry)
    if ready is Readiness.READY:
        return slot
    return replace(slot, note=advice.not_ready(network.entry.weights, ready).replace("`", ""))


def _open_deck(
    photograph: viewer.Photograph, slots: Sequence[Slot], asked: CutOut, method: Method
) -> None:
    headline = words.WHO_FINDS.format(name=_definite(asked))
    viewer.deck(
        photograph,
        slots,
        layout="row",
        scale="own",
        presented=Presented(
            headline if method is methods.CAM else f"{headline} {method.title}",
            words.PRESENTING_BENCH,
        ),
        on_step={},
        asks={"new": words.NEW_SCENE},
        on_ask=new_scene_by_key,
        on_move=move_object,
        on_target=tap_object,
        folded=True,
    )


def _definite(thing: CutOut) -> str:
    """“the walking Sumatran tiger” of “a walking Sumatran tiger”."""
    article, _, rest = _name(thing).partition(" ")
    return f"the {rest}" if article in ("a", "an") else _name(thing)


def _explain_once(network: ChosenNetwork, scene: Scene, target: int, method: Method) -> Explanation:
    """The map of a network, for a scene that is only passed. Raises NO_MAP."""
    model = results.model(network.ref)
    asked = bench.for_object(analyse(scene.photograph, model), scene, target)
    at, stage = _at(model, method)
    return Explanation(asked, asked.attribute(at, stage))


def _explain_and_keep(
    network: ChosenNetwork, scene: Scene, target: int, method: Method, waits: _Waiting
) -> Explanation:
    """The same for a scene that stays; `waits` has what is said meanwhile. Raises NO_MAP."""
    with waits.place:
        with waiting(words.LOADING.format(name=network.name)):
            model = results.model(network.ref)
            seen = results.analysis(model, scene.photograph)
        asked = bench.for_object(seen, scene, target)
        at, stage = _at(model, method)
        if at.library is Library.ENGINE:
            return Explanation(asked, results.attribution(asked, at, stage))
        timed = timed_map(asked, at, stage, None, waits.progress)
        return Explanation(asked, timed.attribution)


def _at(model: Model, method: Method) -> tuple[Method, int]:
    """Where a method looks: at the last stage if it can, Grad-CAM at the one before, for at the
    last it is the CAM. A network without a CAM has Grad-CAM in its place."""
    if method is methods.CAM:
        return method_at(model, None), model.last_stage
    if method is methods.GRAD_CAM:
        return method, starting_stage(model)
    return method, method.stage_of(model.last_stage, model.last_stage)


def _found(
    network: ChosenNetwork, seen: Analysis, scene: Scene, target: int, shares: Shares
) -> Found:
    said = bench.answer_to(seen, scene, target)
    possible = max(shares.on_target, shares.upper_bound)
    share = percent(shares.on_target)
    explained = words.EXPLAINED if said.knows_target else words.EXPLAINED_OWN
    more = [explained.format(label=seen.target.label)]
    if shares.on_other is not None:
        more.append(words.ON_OTHER.format(share=percent(shares.on_other)))
    return Found(
        said.answer.label,
        percent(said.answer.probability),
        said.right,
        shares.on_target,
        possible,
        network.colour,
        (
            words.EVIDENCE_ON_IT.format(share=share),
            words.ON_IT.format(share=share),
            words.POSSIBLE.format(share=percent(possible)),
        ),
        " · ".join(more),
    )


def _in_words(shares: Shares) -> str:
    place = "on" if shares.hit else "beside"
    other = shares.on_other
    more = "" if other is None else f", {percent(other)} on the other object"
    return (
        f"It is strongest {place} the object. {percent(shares.on_target)} of the evidence lies on "
        f"the object{more}."
    )
