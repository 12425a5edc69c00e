"""All networks' maps of one class on one photograph, in a row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis.analysis import Target
from effnet_viz.analysis.comparison import (
    UNUSABLE,
    Comparison,
    Failure,
    NetworkResult,
    OtherClassesError,
    classes_in,
    explain_each,
)
from effnet_viz.analysis.comparison_verdict import comparison_verdict, guess_among
from effnet_viz.analysis.explanation import Explanation, method_at
from effnet_viz.analysis.words import percent
from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import Method, MethodRefusedError, Place
from effnet_viz.images.photograph import Photograph
from effnet_viz.models import advice, fetching
from effnet_viz.models.classes import Classes, imagenet
from effnet_viz.models.model import Model
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import Readiness, RemoteFile, UserCheckpoint, WeightsError
from effnet_viz.processes import JobError
from effnet_viz.ui import front_end, results, viewer, words
from effnet_viz.ui.compare.details import DETAILS, SAVE, ask_for
from effnet_viz.ui.compare.view import ComparisonView
from effnet_viz.ui.inputs.method_picker import (
    USUAL,
    choose_method,
    chosen_method,
    is_quick,
    offered_methods,
)
from effnet_viz.ui.inputs.model_picker import download_of, offer_download, start_download
from effnet_viz.ui.inputs.network_picker import (
    WITHOUT_WEIGHTS,
    ChosenNetwork,
    last_stage,
    run_untrained,
)
from effnet_viz.ui.inputs.target_and_stage import (
    choose_map_stage,
    chosen_map_stage,
    chosen_target,
    known,
    offer_targets,
    step_map_stage,
)
from effnet_viz.ui.layout.mistakes import report, sentence_of
from effnet_viz.ui.layout.problems import message_of
from effnet_viz.ui.layout.waiting import await_photograph, waiting
from effnet_viz.ui.method_map import care_of, progress_place, timed_map
from effnet_viz.ui.panes import Canvas, canvas_of, picture_of
from effnet_viz.ui.upload import Upload
from effnet_viz.ui.viewer import Presented, Slot, Stages, Still, Under

_UNTRAINED, _DOWNLOAD = "untrained", "download "
"""Buttons in the places of networks that cannot be used."""
_CANCEL = "cancel"

MOST_RESERVED = 12
"""So many places have their height kept free while the page loads."""


def show_networks(
    networks: Sequence[ChosenNetwork], image: Upload | None, class_place: DeltaGenerator
) -> ComparisonView | None:
    """Every network's map in its place, as soon as it has looked; None when none could.

    `class_place` is where the class is named and chosen.
    """
    if image is None:
        await_photograph()
    stage = chosen_map_stage(last_stage(networks))
    slots = [slot_of(network) for network in networks]
    used = [not (slot.note or slot.still) for slot in slots]
    classes = _classes_of([one for one, there in zip(networks, used, strict=True) if there])
    target = known(chosen_target(), classes)
    if not networks:
        st.info(words.NO_NETWORKS, icon=":material/compare:")
        return None
    above = st.container(key="above")
    above.empty()  # keeps its height while nobody knows what to say
    asked = _Asked(chosen_method(), progress_place())
    shown = slots
    if asked.method is not None and not is_quick(asked.method):
        cancel = ((_CANCEL, words.CANCEL),)
        shown = [
            replace(slot, note=words.COMPUTING, buttons=cancel) if there else slot
            for slot, there in zip(slots, used, strict=True)
        ]
    stages_of = "" if asked.method else _stages_of(slots, used, image, target)
    _open_deck(networks, shown, _whole(image), stage, stages_of, target, asked.method)
    _show_downloads(networks)

    def explain_named(
        _: Photograph, model: str | ModelRef | Model, target: Target, __: int | None
    ) -> Explanation:
        assert isinstance(model, ModelRef)
        if isinstance(target, str) and target not in classes_in(model):
            raise OtherClassesError(words.OTHER_CLASSES)  # those that know it have failed
        name = next(one.name for one in networks if one.ref == model)
        # Another method says itself how far it is.
        with waiting(words.COMPARING.format(name=name) if asked.method is None else None):
            return _explain(model, image, target, stage - last_stage(networks), asked)

    explanations: dict[int, Explanation] = {}
    failures: dict[int, Failure] = {}
    canvas = None
    for place, outcome in explain_each(
        results.photograph(image),
        [network.ref for network in networks],
        target,
        explain=explain_named,
    ):
        if isinstance(outcome, Failure):
            failures[place] = outcome
            if used[place]:
                message = message_of(outcome.error, outcome.title)
                viewer.show_instead(replace(slots[place], note=_plain(message)))
            continue
        if not explanations:
            with class_place:
                offer_targets(outcome.analysis.model.classes, outcome.attribution.target.label)
        drawn_on = canvas_of(image, outcome.analysis.crop)
        canvas = canvas or drawn_on
        explanations[place] = outcome
        viewer.show(slots[place].name, _picture(outcome, drawn_on))
    if canvas is None:
        with class_place:
            offer_targets(classes, target or words.CLASS)
        with above:
            _claim(words.NONE_USABLE, words.NONE_USABLE_LINE)
        return None
    worked = sorted(explanations)
    compared = Comparison(
        tuple(NetworkResult(explanations[i]) for i in worked),
        tuple(failures[i] for i in sorted(failures)),
    )
    chosen = tuple(networks[i] for i in worked)
    view = ComparisonView(compared, chosen, image, canvas, stages_of)
    with above:
        _say_who_agrees(view)
    for note in compared.notes:
        st.warning(note, icon=":material/warning:")
    return view


@dataclass
class _Asked:
    """A method in the place of CAM and Grad-CAM."""

    method: Method | None
    place: DeltaGenerator
    """Where it is told how far it is."""
    other: str | None = None
    """The class that the first network's map is told from, so that all maps are of one question."""


def _classes_of(networks: Sequence[ChosenNetwork]) -> Classes:
    """Those of the first network that can be used, which all others have to have."""
    first = min(networks, key=lambda one: one.ref.untrained, default=None)
    return imagenet() if first is None else classes_in(first.ref)


def _whole(image: Upload) -> viewer.Photograph:
    """The photograph as every network's map is drawn over it."""
    shown = results.display_image(image)
    return canvas_of(image, results.middle(shown.width, shown.height)).photograph


def _open_deck(
    networks: Sequence[ChosenNetwork],
    slots: Sequence[Slot],
    photograph: viewer.Photograph,
    stage: int,
    stages_of: str,
    target: str | None,
    chosen: Method | None,
) -> None:
    last = last_stage(networks)
    titles = [*[f", {methods.GRAD_CAM.title}"] * (last - 1), f", {methods.CAM.title}"]
    if chosen is not None:
        titles = [""] * last
    looks = chosen is None or chosen.place is Place.STAGE
    with st.container(key=f"slots_{min(len(slots), MOST_RESERVED)}"):
        viewer.deck(
            photograph,
            slots,
            layout="row",
            scale="shared",
            presented=Presented(target or "", words.PRESENTING_SEVERAL),
            on_step={"stage": step_map_stage(last)},
            asks={SAVE: words.SAVE, DETAILS: words.DETAILS},
            on_ask=_answering(networks),
            stages=Stages(
                stage, [f"Stage {n}{title}" for n, title in enumerate(titles, 1)], of=stages_of
            )
            if looks
            else None,
            on_stage=choose_map_stage,
            methods=offered_methods(chosen, words.USUAL_MAPS, None),
            on_method=choose_method,
        )


def _answering(networks: Sequence[ChosenNetwork]) -> Callable[[str], None]:
    def answer(asked: str) -> None:
        if asked == _UNTRAINED:
            run_untrained()
        elif asked == _CANCEL:
            choose_method(USUAL)
        elif asked.startswith(_DOWNLOAD):
            key = asked.removeprefix(_DOWNLOAD)
            start_download(next(one.entry for one in networks if one.entry.key == key))
        else:
            ask_for(asked)

    return answer


def _slot_name(network: ChosenNetwork) -> str:
    return network.ref.key + (" untrained" if network.ref.untrained else "")


def slot_of(network: ChosenNetwork) -> Slot:
    """The place of a network; where it has no weights, with what stands there instead."""
    name, title = _slot_name(network), network.full_name
    slot = Slot(name, title=title, detail=network.detail, colour=network.colour)
    entry, ready = network.entry, fetching.readiness(network.entry)
    if network.ref.untrained or ready is Readiness.READY:
        return slot
    if network.role in WITHOUT_WEIGHTS and isinstance(entry.weights, UserCheckpoint):
        below = words.NO_WEIGHTS.format(scale=network.detail)
        link = (f"/scaling_lab?{urlencode({'bench': words.MINIATURES})}", words.SEE_MINIATURES)
        still = Still("", words.MINIATURE_DESCRIPTION, words.MINIATURE, below, link)
        return replace(slot, still=still)
    untrained = (_UNTRAINED, words.RUN_UNTRAINED)
    running = download_of(entry)
    if running is not None and not running.finished:
        return replace(slot, note=words.DOWNLOADING, buttons=(untrained,))
    note = advice.not_ready(entry.weights, ready)
    if running is not None and running.error is not None:
        note = str(running.error)
    buttons = (untrained,)
    if ready is Readiness.DOWNLOADABLE and isinstance(entry.weights, RemoteFile):
        text = words.DOWNLOAD.format(megabytes=entry.weights.megabytes)
        return replace(slot, note=_plain(note), buttons=((_DOWNLOAD + entry.key, text), untrained))
    return replace(slot, note=_plain(note), buttons=buttons)


def _plain(markdown: str) -> str:
    """A sentence of ours without the marks of file names, where it is not shown as Markdown."""
    return markdown.replace("`", "")


def _show_downloads(networks: Sequence[ChosenNetwork]) -> None:
    for entry in {network.entry.weights.filename: network.entry for network in networks}.values():
        running = download_of(entry)
        if running is not None and not running.finished:
            offer_download(entry)


def _explain(
    ref: ModelRef, image: Upload, target: Target, before: int, asked: _Asked
) -> Explanation:
    """The map of the last stage, 0, or of so many before it: -1, -2, …

    Networks have their own stages. What they have in common is the last one, and that those before
    it are finer; EfficientNets have nine.
    """
    ready = fetching.readiness(ref.entry)
    if not ref.untrained and ready is not Readiness.READY:
        raise WeightsError(advice.not_ready(ref.entry.weights, ready))
    model, method = results.model(ref), asked.method
    last = model.last_stage
    stage = max(1, last + before)
    if method is None:
        return results.explanation(model, image, target, stage)
    seen = results.analysis(model, image, target)
    at = method.stage_of(stage, last)
    other = None if asked.other is None else model.classes.index(asked.other)
    try:
        made = timed_map(seen, method, at, other, asked.place).attribution
    except JobError as error:
        raise MethodRefusedError(sentence_of(report(error))) from error
    if made.other is not None:
        asked.other = made.other.label
    return Explanation(seen, made)


def _stages_of(
    slots: Sequence[Slot], used: Sequence[bool], image: Upload, target: str | None
) -> str:
    """What stands for networks, photograph and class in the browser."""
    names = [slot.name for slot, there in zip(slots, used, strict=True) if there]
    return hashlib.sha256(repr((names, image.id, target)).encode()).hexdigest()[:16]


def show_stages(view: ComparisonView) -> None:
    """The maps of all stages of all networks, where one run of each gives them, to scrub through.

    When everything else on the page is there, for nobody has asked for them yet.
    """
    for network, seen in zip(view.networks, view.comparison.explanations, strict=True):
        analysis = seen.analysis
        try:
            with waiting(None):  # which ends when the visitor has chosen something else
                if not analysis.explained_at_once():
                    return  # then the server is asked for a stage of all
        except UNUSABLE:  # whoever asks for a stage reads why
            return
        model, canvas = analysis.model, canvas_of(view.image, analysis.crop)
        maps = [
            results.attribution(analysis, method_at(model, stage), stage)
            for stage in model.structure.stages
        ]
        pictures = [_picture(Explanation(analysis, one), canvas) for one in maps]
        viewer.show_stages(_slot_name(network), view.stages_of, pictures)


def _picture(explanation: Explanation, canvas: Canvas) -> viewer.Picture:
    analysis, attribution = explanation.analysis, explanation.attribution
    usual = attribution.method in (methods.CAM, methods.GRAD_CAM)
    under = Under(
        text=attribution.target.label,
        share=percent(attribution.target.probability, below="<", over=">"),
        side=guess_among(analysis),
        care=[
            *([] if usual else care_of(analysis, attribution.method)),
            *([] if attribution.scale else [(words.BRIGHTNESS, words.OWN_BRIGHTNESS)]),
            *((caveat.title, caveat.text) for caveat in explanation.caveats),
        ],
    )
    return picture_of(canvas, analysis.model, attribution, under=under)


def _say_who_agrees(view: ComparisonView) -> None:
    """One sentence about all maps, over them."""
    verdict = comparison_verdict(view.comparison, [network.name for network in view.networks])
    label = view.comparison.explanations[0].attribution.target.label
    quiet = words.RANK_CORRELATION_OF.format(label=label)
    if verdict.left_out:
        quiet = f"{quiet}. {verdict.left_out}"
    _claim(verdict.text, quiet)


def _claim(text: str, quiet: str) -> None:
    front_end.part("claim", {"text": text, "quiet": quiet}, key="claim")
