"""Choosing an image: samples, uploads, the camera. Uploads stay in this visitor's session."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from functools import cache
from itertools import count

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from effnet_viz.images.photograph import ImageError
from effnet_viz.images.samples import samples
from effnet_viz.serving import settings
from effnet_viz.ui import results, visitors
from effnet_viz.ui.inputs.picture_grid import Picture, picture_grid
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.text import escape_markdown
from effnet_viz.ui.layout.url_parameters import Text
from effnet_viz.ui.upload import MAX_MEGABYTES, Upload

MOST_UPLOADS = 12
"""Images that one visitor can have open."""
UPLOAD = "upload-"
"""How the keys of uploads begin; a number of the session follows, nothing of the image."""
_UPLOAD = re.compile(rf"{UPLOAD}[1-9][0-9]{{0,8}}")
THUMBNAIL = 96


@cache
def _sample(key: str) -> Upload:
    sample = samples()[key]
    content = sample.path.read_bytes()
    return Upload(_id_of(content), sample.title, sample.description, content)


def _id_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _uploads() -> dict[str, Upload]:
    """This visitor's own images by key, in the order of arrival."""
    uploads: dict[str, Upload] = st.session_state.setdefault("uploads", {})
    return uploads


def _file_ids() -> dict[str, str]:
    """The file in which Streamlit holds an image, by key."""
    file_ids: dict[str, str] = st.session_state.setdefault("_file_ids", {})
    return file_ids


def images() -> dict[str, Upload]:
    """This visitor's images, then the samples."""
    return {**_uploads(), **{key: _sample(key) for key in samples()}}


def _accept(file: UploadedFile) -> str | None:
    """Keep a file and return its key; or note in a sentence why not."""
    key = _kept(file)
    if key is not None:
        _file_ids().setdefault(key, file.file_id)
        _make_room()
    return key


def _kept(file: UploadedFile) -> str | None:
    uploads = _uploads()
    content = file.getvalue()
    image_id = _id_of(content)
    for key, image in uploads.items():
        if image.id == image_id:
            return key
    problems: list[str] = st.session_state["upload_problems"]
    if len(uploads) >= MOST_UPLOADS:
        problems.append(
            f"{file.name}: {MOST_UPLOADS} images are open already. Choose one that you do not "
            "need any more, remove it, and add this one again."
        )
        return None
    title = _numbered(file.name, [image.title for image in images().values()])
    upload = Upload(image_id, title, f"Your image {title}.", content)
    try:
        results.display_image(upload)
    except ImageError as error:
        problems.append(f"{file.name}: {error}")
        return None
    number = st.session_state["upload_count"] = st.session_state.get("upload_count", 0) + 1
    key = f"{UPLOAD}{number}"
    uploads[key] = upload
    visitors.note_image(image_id)
    return key


def _make_room() -> None:
    """Forget the oldest images until the others are within a visitor's share; say which."""
    uploads = _uploads()
    for key in visitors.beyond_share({key: len(one.content) for key, one in uploads.items()}):
        st.session_state["upload_problems"].append(
            f"{uploads[key].title} was removed to make room: your images together may take up to "
            f"{_megabytes(settings.UPLOAD_BYTES)} MB. Save smaller copies to have more open."
        )
        _forget(key)


def _megabytes(nbytes: int) -> int:
    return nbytes // 2**20


def _forget(key: str) -> None:
    """Whatever is held of an image."""
    _uploads().pop(key, None)
    file_id = _file_ids().pop(key, None)
    if file_id is not None:
        visitors.release(file_id)


def _numbered(name: str, titles: Container[str]) -> str:
    """The name, with a number where another image has it: phones call every photograph alike."""
    if name not in titles:
        return name
    numbered = (f"{name} ({number})" for number in count(2))
    return next(title for title in numbered if title not in titles)


def _files_changed() -> None:
    """Forget files removed from the upload field, take in new ones, show the first of those."""
    st.session_state["upload_problems"] = []
    before: dict[str, str | None] = st.session_state.get("_in_field", {})
    files = {file.file_id: file for file in st.session_state["files"]}
    now = {file_id: before.get(file_id) for file_id in files}
    for file_id in before.keys() - files.keys():
        if before[file_id] not in now.values():  # the same file may have been added twice
            _forget(before[file_id] or "")
    new = [file_id for file_id in files if file_id not in before]
    for file_id in new:
        file = files[file_id]
        now[file_id] = None if isinstance(file, DeletedFile) else _accept(file)
    gone = sum(isinstance(files[file_id], DeletedFile) for file_id in new)
    if gone:
        st.session_state["upload_problems"].append(
            f"{gone} of these files were not kept: your images together may take up to "
            f"{_megabytes(settings.UPLOAD_BYTES)} MB. Add fewer at once, or smaller copies."
        )
    st.session_state["_in_field"] = now
    # Of many at once, the first may have made room for the last.
    accepted = [key for file_id in new if (key := now[file_id]) in _uploads()]
    if accepted:
        _show(accepted[0])
    elif st.session_state.get("image") not in images():
        _show(next(iter(images())))


def _photo_taken() -> None:
    photo = st.session_state["camera"]
    if isinstance(photo, DeletedFile):  # it made room for others
        return
    st.session_state["upload_problems"] = []
    if photo is not None and (key := _accept(photo)):
        _show(key)


def _remove(key: str) -> None:
    _forget(key)
    _choose(next(iter(images())))


def _choose(key: str) -> None:
    st.session_state["upload_problems"] = []
    _show(key)


def _show(key: str) -> None:
    """Another image: explain its most probable class, nothing covered."""
    st.session_state["image"] = key
    st.session_state["target"] = None
    st.session_state["box"] = None


def _read_link() -> None:
    """The image that the URL names; an upload is known only to the session it was made in."""
    url_state.read_url("image")
    if st.session_state.get("image", next(iter(samples()))) not in images():
        del st.session_state["image"]
        st.session_state["upload_problems"] = [
            "The image of this link was an upload, and uploads are never part of a link. Here is a "
            "sample instead; add the image again to see it."
        ]


def _names_image(text: str) -> bool:
    """Whether a text is the key of a sample, or one that an upload of some session can have."""
    return text in samples() or _UPLOAD.fullmatch(text) is not None


PARAMETERS = (Text("image", _names_image),)


def choose_image() -> Upload:
    """The image to explain: by default the first sample."""
    _read_link()
    field, gallery = st.columns([1, 2], gap="medium")
    with field:
        _show_field()
    chosen: str = st.session_state.setdefault("image", next(iter(samples())))
    with gallery:
        pictures = [
            Picture(
                key,
                results.thumbnail(image, 2 * THUMBNAIL),
                image.title,
                description=image.description,
            )
            for key, image in images().items()
        ]
        picture_grid(
            pictures,
            selected=chosen,
            label="Images to explain",
            size=THUMBNAIL,
            key="gallery",
            on_choose=_choose,
            scroll=True,
        )
        if chosen in _uploads():
            st.button(
                "Remove this image",
                type="tertiary",
                icon=":material/delete:",
                on_click=_remove,
                args=(chosen,),
            )
    for problem in st.session_state.get("upload_problems", []):
        st.error(escape_markdown(problem), icon=":material/broken_image:")
    url_state.write_url("image", chosen)
    return images()[chosen]


def _show_field() -> None:
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
        return
    st.file_uploader(
        "Drop photographs here",
        accept_multiple_files=True,
        key="files",
        on_change=_files_changed,
        max_upload_size=MAX_MEGABYTES,
    )
    if not st.session_state["files"]:
        # The field comes back empty after another page; what was uploaded stays.
        st.session_state["_in_field"] = {}
