"""Choosing a model, and what to do while its weights are not here."""

from __future__ import annotations

from math import isnan

import streamlit as st

from effnet_viz.models import advice, downloads, fetching, held, own, weights, zoo
from effnet_viz.models.model import Model
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import Readiness, WeightsError
from effnet_viz.ui import results, words
from effnet_viz.ui.inputs import checkpoint_field
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.dropdown import dropdown
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.problems import error_boundary, offer_another, offer_what_works
from effnet_viz.ui.layout.url_parameters import Flag, Text
from effnet_viz.ui.layout.waiting import waiting

READY = "ready"


def _names_model(text: str) -> bool:
    """Whether a text is the key of a model here, or one that some visitor's checkpoint can have."""
    return text in own.ModelKeys() or checkpoint_field.is_key(text)


PARAMETERS = (Text("model", _names_model), Flag("untrained"))


def readiness_text(entry: zoo.ModelEntry) -> str:
    """Whether a click shows something at once, in a few words."""
    ready = fetching.readiness(entry)
    if ready is Readiness.READY:
        return READY
    if ready is Readiness.DOWNLOADABLE and isinstance(entry.weights, weights.RemoteFile):
        return f"needs a download of {entry.weights.megabytes:.0f} MB"
    if isinstance(entry.weights, weights.UserCheckpoint):
        return "put in place by hand"
    return "not reachable"


def choose_model() -> ModelRef:
    """The model and whether it is untrained, from a list in the strip."""
    url_state.read_url("model")
    key: str = st.session_state.setdefault("model", zoo.DEFAULT)
    texts = _model_texts()
    if key not in texts:  # its folder is gone, or it is a checkpoint that is not open here
        gone, key = key, zoo.DEFAULT
        st.session_state["model"] = key
        if gone.startswith(held.PREFIX):
            instead = short_title(key)
            st.session_state["_model_gone"] = checkpoint_field.why_gone(gone, instead)
        else:
            st.toast(f"That network is gone; {short_title(key)} is shown instead.")
    with dropdown(short_title(key), "model"):
        listed = st.container()
        below = st.container()
        with st.container():  # below all, and read before
            checkpoint_field.offer_checkpoint()
        key = listed.selectbox(
            words.MODEL,
            sorted(texts, key=lambda one: not texts[one].endswith(f" {READY}")),
            key="model",
            format_func=texts.__getitem__,
            on_change=_say_no_more_what_is_gone,
            persist_state="session",
            help=words.FIND_MODEL.format(count=len(zoo.MODELS)),
        )
        url_state.write_url("model", None if key == zoo.DEFAULT else key)
        untrained = below.toggle(
            words.RUN_THE_UNTRAINED,
            key="untrained",
            bind="query-params",
            help=words.RUN_THE_UNTRAINED_HELP,
        )
        chosen = ModelRef(key, untrained)
        try:
            entry = chosen.entry
        except WeightsError:  # load_or_explain says why
            return chosen
        with below:
            _show_scale(entry, untrained)
    return chosen


def _say_no_more_what_is_gone() -> None:
    st.session_state.pop("_model_gone", None)


def _model_texts() -> dict[str, str]:
    """What the list says of every model, by key: no two the same, whatever folders are called."""
    mine = checkpoint_field.opened()
    return {
        **({mine.key: f"{mine.title} · {mine.key} · {READY}"} if mine else {}),
        **{key: f"{e.title} · {readiness_text(e)}" for key, e in zoo.MODELS.items()},
        **{
            key: f"{network.title} · {key} · {READY if network.entry else 'not ready'}"
            for key, network in own.networks().items()
        },
    }


def own_entries() -> dict[str, zoo.ModelEntry]:
    """Networks of one's own that this visitor can use, by key: of the folder, and a checkpoint."""
    mine = checkpoint_field.opened()
    return {
        **({mine.key: mine} if mine else {}),
        **{key: network.entry for key, network in own.networks().items() if network.entry},
    }


def _show_scale(entry: zoo.ModelEntry, untrained: bool) -> None:
    said = []
    if entry.width is not None and entry.depth is not None:
        said.append(f"width {entry.width:g} · depth {entry.depth:g}")
    said.append(f"resolution {entry.resolution} px")
    published = entry.published
    if published is not None:
        said.append(f"{published.parameters / 1e6:.1f} M parameters")
    if entry.labels is not None:
        said.append(f"{len(entry.labels)} classes · {entry.card.architecture}")
    elif untrained:
        said.append("random weights")
    elif published is not None and not isnan(published.top1):
        said.append(f"{published.top1:.1f} % of ImageNet right (top-1)")
    text = " · ".join(said)
    source = None if published is None else f"Figures as published: {published.source}"
    st.caption(text[0].upper() + text[1:], help=source)
    if entry.labels is not None:
        st.caption(f"Trained: {entry.recipe}")


def short_title(key: str) -> str:
    if key.startswith(own.PREFIX):
        network = own.networks().get(key)
        return network.title if network else key
    if key.startswith(held.PREFIX):
        mine = checkpoint_field.opened()
        return mine.title if mine and mine.key == key else key
    return zoo.MODELS[key].title.removeprefix("EfficientNet-")


def step_model(by: int) -> None:
    """Choose the next ready model, or the one before."""
    ready = [key for key, e in zoo.MODELS.items() if fetching.readiness(e) is Readiness.READY]
    ready += own_entries()
    now = st.session_state["model"]
    at = ready.index(now) + by if now in ready else 0
    st.session_state["model"] = ready[at % len(ready)]


def load_or_explain(chosen: ModelRef) -> Model | None:
    """The model; or None, after saying on the page why not and what can be done now."""
    if gone := st.session_state.get("_model_gone"):
        with st.container(key="model_gone"):
            st.info(gone, icon=":material/upload_file:")
    try:
        entry = chosen.entry
    except WeightsError as error:  # a network of one's own
        title = short_title(chosen.key)
        st.warning(f"**{title} cannot be used.** {error}", icon=":material/error:")
        offer_another(title)
        return None
    ready = fetching.readiness(entry)
    if chosen.untrained or ready is Readiness.READY:
        with error_boundary(entry.title, chosen), waiting(words.LOADING.format(name=entry.title)):
            return results.model(chosen)
    st.warning(
        f"**{entry.title} cannot be used yet.** {advice.not_ready(entry.weights, ready)}",
        icon=":material/cloud_off:",
    )
    if ready is Readiness.DOWNLOADABLE:
        offer_download(entry)
    offer_what_works(chosen)
    return None


def offer_download(entry: zoo.ModelEntry) -> None:
    """A button that downloads the weights, or how far that is."""
    assert isinstance(entry.weights, weights.RemoteFile)  # nothing else can be downloaded
    running = download_of(entry)
    if running is not None:
        if not running.finished:
            _show_progress(entry, running)
            return
        if running.error is not None:
            st.error(str(running.error), icon=":material/error:")
    st.button(
        words.DOWNLOAD.format(megabytes=entry.weights.megabytes),
        key=f"download {entry.key}",
        type="primary",
        on_click=start_download,
        args=(entry,),
    )


def download_of(entry: zoo.ModelEntry) -> downloads.Download | None:
    """The download that this visitor has started, whether it is over or not."""
    started: downloads.Download | None = st.session_state.get(_download_key(entry))
    return started


def start_download(entry: zoo.ModelEntry) -> None:
    """Start to download the weights; offer_download then shows how far that is."""
    assert isinstance(entry.weights, weights.RemoteFile)
    st.session_state[_download_key(entry)] = downloads.download(entry.weights)


def _download_key(entry: zoo.ModelEntry) -> str:
    """One key a file: entries at several resolutions share their weights."""
    return f"_download_{entry.weights.filename}"


@st.fragment(run_every=0.4)
@mistake_boundary()
def _show_progress(entry: zoo.ModelEntry, running: downloads.Download) -> None:
    if running.finished:
        st.rerun()
    st.progress(
        running.fraction(),
        f"Downloading {entry.title}: {running.received / 2**20:.0f} of "
        f"{running.total / 2**20:.0f} MB",
    )
