"""Choosing an image: samples, uploads, the camera. Uploads stay in this visitor's session."""

from __future__ import annotations

import hashlib
from typing import Protocol

import streamlit as st

from effnet_viz import render
from effnet_viz.image import ImageError
from effnet_viz.samples import samples
from effnet_viz.ui import cached, link
from effnet_viz.ui.picture_grid import Picture, picture_grid

MOST_UPLOADS = 12
"""Images that one visitor can have open."""
THUMBNAIL = 96


class _File(Protocol):
    name: str

    def getvalue(self) -> bytes: ...


@st.cache_resource(show_spinner=False)
def _sample(key: str) -> cached.ChosenImage:
    sample = samples()[key]
    content = sample.path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return cached.ChosenImage(digest, sample.title, sample.description, content)


@st.cache_data(max_entries=256, show_spinner=False)
def _thumbnail(digest: str, _content: bytes) -> str:
    picture = cached.shown(digest, _content).picture  # (H, W, 3)
    height, width = picture.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    square = render.cut(picture, (left, top, left + side, top + side))  # (side, side, 3)
    return render.data_url(render.resize_picture(square, 2 * THUMBNAIL, 2 * THUMBNAIL))


def _uploads() -> dict[str, cached.ChosenImage]:
    """This visitor's own images by digest, in the order of arrival."""
    uploads: dict[str, cached.ChosenImage] = st.session_state.setdefault("uploads", {})
    return uploads


def _accept(file: _File) -> str | None:
    """Keep a file and return its digest; or note in a sentence why not."""
    uploads = _uploads()
    content = file.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    if digest in uploads:
        return digest
    problems: list[str] = st.session_state["upload_problems"]
    if len(uploads) >= MOST_UPLOADS:
        problems.append(
            f"{file.name}: {MOST_UPLOADS} images are open already. Remove one from the list below "
            "the upload field first."
        )
        return None
    try:
        cached.shown(digest, content)
    except ImageError as error:
        problems.append(f"{file.name}: {error}")
        return None
    uploads[digest] = cached.ChosenImage(digest, file.name, f"Your image {file.name}", content)
    return digest


def _files_changed() -> None:
    """Take in new files, forget those removed from the upload field, show the newest."""
    st.session_state["upload_problems"] = []
    before: set[str] = st.session_state.get("_in_field", set())
    now = [digest for file in st.session_state["files"] if (digest := _accept(file))]
    for digest in before - set(now):
        _uploads().pop(digest, None)
    new = [digest for digest in now if digest not in before]
    st.session_state["_in_field"] = set(now)
    if new:
        _show(new[0])
    elif st.session_state.get("image") not in {**samples(), **_uploads()}:
        _show(next(iter(samples())))


def _photo_taken() -> None:
    st.session_state["upload_problems"] = []
    photo = st.session_state["camera"]
    if photo is not None and (digest := _accept(photo)):
        _show(digest)


def _show(key: str) -> None:
    """Another image: explain its most probable class."""
    st.session_state["image"] = key
    st.session_state["target"] = None


def choose_image() -> cached.ChosenImage:
    """The image to explain: by default the first sample."""
    link.adopt("image", samples())
    field, gallery = st.columns([1, 2], gap="medium")
    with field:
        source = st.segmented_control(
            "Your own image",
            ["Upload", "Camera"],
            default="Upload",
            required=True,
            key="source",
            persist_state="session",
            label_visibility="collapsed",
        )
        if source == "Camera":
            st.camera_input(
                "Take a photo", key="camera", on_change=_photo_taken, label_visibility="collapsed"
            )
        else:
            files = st.file_uploader(
                "Drop photographs here",
                accept_multiple_files=True,
                key="files",
                on_change=_files_changed,
            )
            if not files:
                # The field comes back empty after another page; what was uploaded stays.
                st.session_state["_in_field"] = set()
    chosen = st.session_state.setdefault("image", next(iter(samples())))
    with gallery:
        pictures = [
            Picture(
                key,
                _thumbnail(image.digest, image.content),
                image.title,
                description=image.description,
            )
            for key, image in _choices().items()
        ]
        picture_grid(
            pictures,
            selected=chosen,
            label="Images to explain",
            size=THUMBNAIL,
            key="gallery",
            on_choose=_show,
            scroll=True,
        )
    for problem in st.session_state.get("upload_problems", []):
        st.error(problem, icon=":material/broken_image:")
    link.publish("image", chosen if chosen in samples() else None)
    return _choices()[chosen]


def _choices() -> dict[str, cached.ChosenImage]:
    """This visitor's images, then the samples."""
    return {**_uploads(), **{key: _sample(key) for key in samples()}}
