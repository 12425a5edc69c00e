"""A visitor's own checkpoint: opened in this tab, held in memory, found by nobody else."""

from __future__ import annotations

import re

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from effnet_viz.models import held, own, zoo
from effnet_viz.models.advice import display_name
from effnet_viz.models.held import Checkpoint, NotHeldError
from effnet_viz.models.own import UnusableNetworkError
from effnet_viz.models.weights import HeldFile
from effnet_viz.models.zoo import ModelEntry
from effnet_viz.serving import models, settings, uploads
from effnet_viz.ui import results, visitors, words
from effnet_viz.ui.layout.waiting import waiting

_WEIGHTS, _LABELS = "checkpoint_weights", "checkpoint_labels"
"""The fields."""

_LABEL_ENDINGS = ("txt", "json")

_KEY = re.compile(rf"{held.PREFIX}[0-9a-f]{{12}}")


def is_key(text: str) -> bool:
    """Whether a checkpoint of some session can have this key."""
    return _KEY.fullmatch(text) is not None


def opened() -> ModelEntry | None:
    """The checkpoint that this visitor has open."""
    key: str | None = st.session_state.get("_checkpoint")
    try:
        return None if key is None else held.find(key).entry
    except NotHeldError:
        return None


def why_gone(key: str, instead: str) -> str:
    """What happened to a checkpoint that the page should show, and what to do now."""
    here = key == st.session_state.get("_checkpoint")
    name = display_name(st.session_state["_checkpoint_name"]) if here else ""
    said = words.CHECKPOINT_MADE_ROOM.format(name=name) if here else words.CHECKPOINT_LOST
    again = words.OPEN_AGAIN if settings.CHECKPOINT_MEGABYTES else words.NO_CHECKPOINTS
    return f"{said} {again.format(instead=instead)}"


def offer_checkpoint() -> None:
    """Fields for the weights and their labels, where the operator allows it; what is open.

    A file that has just come is read, and the page runs again with it. Call before the list of
    models is made.
    """
    if not settings.CHECKPOINT_MEGABYTES:
        return
    uploads.use(visitors.note_visitor())
    with st.expander(words.CHECKPOINT):
        accepted = words.CHECKPOINT_ACCEPTED.format(megabytes=settings.CHECKPOINT_MEGABYTES)
        st.caption(accepted)
        above = st.container()
        weights = st.file_uploader(
            words.CHECKPOINT_WEIGHTS,
            [ending.removeprefix(".") for ending in own.WEIGHTS],
            key=_WEIGHTS,
            on_change=_weights_changed,
            max_upload_size=settings.CHECKPOINT_MEGABYTES,
        )
        labels = st.file_uploader(
            words.CHECKPOINT_CLASSES,
            _LABEL_ENDINGS,
            key=_LABELS,
            on_change=_labels_changed,
            max_upload_size=1,
        )
        _take(weights, labels)
        with above:
            _say_what_is_open()


def _say_what_is_open() -> None:
    problem = st.session_state.get("_checkpoint_problem")
    if problem:
        st.error(problem, icon=":material/error:")
    entry = opened()
    if entry is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(words.CHECKPOINT_OPEN.format(name=display_name(entry.weights.filename)))
            st.button(words.CLOSE_CHECKPOINT, key="close_checkpoint", on_click=_close)


def _weights_changed() -> None:
    st.session_state["_checkpoint_problem"] = None
    file = st.session_state[_WEIGHTS]
    if file is None:
        _close()
    elif isinstance(file, DeletedFile):
        st.session_state["_checkpoint_problem"] = words.CHECKPOINT_NOT_KEPT


def _labels_changed() -> None:
    st.session_state["_checkpoint_problem"] = None
    st.session_state["_checkpoint_labels_changed"] = True


def _take(weights: UploadedFile | None, labels: UploadedFile | None) -> None:
    """Opens what is new in the fields; or notes in a sentence why not, and leaves what is open."""
    state = st.session_state
    known = state.get("_checkpoint_file")
    if weights is not None and weights.file_id != known:
        read = _read(weights.name, weights.getvalue())
        # Only now: whoever clicks meanwhile runs the page again, and it is read anew.
        state["_checkpoint_file"] = weights.file_id
        visitors.release(weights.file_id)
        if isinstance(read, str):
            state["_checkpoint_problem"] = read
            return
        checkpoint = read
    elif state.get("_checkpoint_labels_changed") and opened() is not None:
        checkpoint = held.find(state["_checkpoint"])
    else:
        return
    state["_checkpoint_labels_changed"] = False
    _hold(_labelled(checkpoint, labels))
    st.rerun()


def _read(name: str, data: bytes) -> Checkpoint | str:
    """The checkpoint in a file; or a sentence, why there is none."""
    called, megabytes = display_name(name), settings.CHECKPOINT_MEGABYTES
    if len(data) > settings.checkpoint_bytes():
        return words.CHECKPOINT_TOO_LARGE.format(name=called, megabytes=megabytes)
    from effnet_viz.models import recognition  # takes seconds: torch

    try:
        with waiting(words.READING_FILE.format(name=called)), models.turn():
            return Checkpoint(recognition.read_checkpoint(name, data), data)
    except UnusableNetworkError as error:
        return str(error)
    except MemoryError:
        return words.CHECKPOINT_NO_MEMORY.format(name=called)


def _labelled(checkpoint: Checkpoint, labels: UploadedFile | None) -> Checkpoint:
    """With the labels of the field; numbered where there are none, or none that fit."""
    assert checkpoint.entry.labels is not None
    from effnet_viz.models import recognition  # as above

    count = len(checkpoint.entry.labels)
    try:
        named = recognition.read_labels(labels.name, labels.getvalue(), count) if labels else None
    except UnusableNetworkError as error:
        st.session_state["_checkpoint_problem"] = str(error)
        named = None
    return checkpoint._replace(
        entry=recognition.labelled(checkpoint.entry, named or recognition.numbered(count))
    )


def _hold(checkpoint: Checkpoint) -> None:
    """Keeps it for this visitor, and shows it."""
    weights = checkpoint.entry.weights
    assert isinstance(weights, HeldFile)
    _forget(uploads.hold(visitors.note_visitor(), checkpoint))
    st.session_state["_checkpoint"] = st.session_state["model"] = checkpoint.entry.key
    st.session_state["_checkpoint_name"] = weights.filename
    st.session_state["untrained"] = False


def _close() -> None:
    _forget(uploads.release(visitors.note_visitor()))
    if st.session_state.pop("_checkpoint", None) == st.session_state["model"]:
        st.session_state["model"] = zoo.DEFAULT


def _forget(keys: set[str]) -> None:
    for key in keys:
        results.forget(key)
