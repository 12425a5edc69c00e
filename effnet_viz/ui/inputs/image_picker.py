"""Choosing an image: samples, files, the camera. Files stay in this visitor's session.

Whatever way they come (chosen, dropped, pasted, photographed, kept by the tab through a reload),
they come through one hidden field of Streamlit's, so that one set of limits holds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from functools import cache
from itertools import count

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from effnet_viz.images.decode import MAX_BYTES, TOO_LARGE
from effnet_viz.images.photograph import ImageError
from effnet_viz.images.samples import Sample, samples
from effnet_viz.scenes.gallery import gallery
from effnet_viz.serving import settings
from effnet_viz.ui import results, visitors, words
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.strip import Photographs, Thumbnail
from effnet_viz.ui.layout.url_parameters import Text
from effnet_viz.ui.upload import MAX_MEGABYTES, Upload

MOST_UPLOADS = 12
"""Images that one visitor can have open."""
UPLOAD = "upload-"
"""How the keys of uploads begin; a number of the session follows, nothing of the image."""
_UPLOAD = re.compile(rf"{UPLOAD}[1-9][0-9]{{0,8}}")
_KEPT = re.compile(rf"{UPLOAD}[1-9][0-9]{{0,7}}")
"""A key that a tab can say it has kept: after the largest, the session still has keys to give."""
THUMBNAIL = 96
"""Side of a picture in the strip, in pixels: twice what it takes on the page."""
ACCEPT = "image/*,.heic,.heif,.avif,.ppm,.pgm,.pbm"
"""What the file chooser of a browser offers; what a file really is shows when it is decoded."""


@cache
def _offered() -> dict[str, Sample]:
    """Sample photographs, then scenes whose objects are known to the pixel."""
    return {**samples(), **gallery()}


@cache
def _sample(key: str) -> Upload:
    sample = _offered()[key]
    content = sample.path.read_bytes()
    return Upload(_id_of(content), sample.title, sample.description, content, sample.credits)


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


def _file_names() -> dict[str, str]:
    """How files were called when they were sent, by key."""
    names: dict[str, str] = st.session_state.setdefault("_file_names", {})
    return names


def images() -> dict[str, Upload]:
    """This visitor's images, then what everybody is offered."""
    return {**_uploads(), **{key: _sample(key) for key in _offered()}}


def _problems() -> list[str]:
    """Sentences about files that could not be taken."""
    problems: list[str] = st.session_state.setdefault("upload_problems", [])
    return problems


def _forget_problems(_: object = None) -> None:
    st.session_state["upload_problems"] = []


def _accept(file: UploadedFile) -> str | None:
    """Keep a file and return its key; or note in a sentence why not."""
    key = _kept(file)
    if key is not None:
        _file_ids().setdefault(key, file.file_id)
        _make_room()
    return key


def _kept(file: UploadedFile) -> str | None:
    uploads, earlier = _uploads(), _key_of_kept(file)
    content = file.getvalue()
    image_id = _id_of(content)
    for key, image in uploads.items():
        if image.id == image_id:
            return key
    if len(uploads) >= MOST_UPLOADS:
        _problems().append(
            f"{file.name}: {MOST_UPLOADS} images are open already. Choose one that you do not "
            "need any more, remove it, and add this one again."
        )
        return None
    title = _numbered(file.name, [image.title for image in images().values()])
    upload = Upload(image_id, title, f"Your image {title}.", content)
    try:
        results.display_image(upload)
    except ImageError as error:
        _problems().append(f"{file.name}: {error}")
        return None
    key = earlier or _new_key()
    uploads[key] = upload
    _file_names()[key] = file.name
    visitors.note_image(image_id)
    return key


def _new_key() -> str:
    number = st.session_state["upload_count"] = st.session_state.get("upload_count", 0) + 1
    return f"{UPLOAD}{number}"


def _kept_files() -> dict[str, tuple[str, int]]:
    """Name and size of the files that are on their way back after a reload, by key."""
    kept: dict[str, tuple[str, int]] = st.session_state.setdefault("_kept", {})
    return kept


def _key_of_kept(file: UploadedFile) -> str | None:
    """The key that a photograph had before the page was loaded again."""
    keys = (key for key, kept in _kept_files().items() if kept == (file.name, file.size))
    key = next(keys, None)
    if key is not None:
        del _kept_files()[key]
    return key


def _is_coming_back(file: UploadedFile | DeletedFile) -> bool:
    if isinstance(file, DeletedFile):
        return False
    return (file.name, file.size) in _kept_files().values()


def _take_kept(told: object) -> None:
    """What the tab has kept through a reload, as (key, name, size); the files follow.

    Of a session that has photographs, the tab has kept nothing that is missing.
    """
    expected = _kept_files()
    kept: dict[str, tuple[str, int]] = {}
    for item in told[:MOST_UPLOADS] if isinstance(told, list) and not _uploads() else []:
        match item:
            case [str(key), str(name), int(size)] if _KEPT.fullmatch(key):
                kept[key] = name, size
    st.session_state["_kept"] = kept
    numbers = [int(key.removeprefix(UPLOAD)) for key in kept]
    st.session_state["upload_count"] = max([st.session_state.get("upload_count", 0), *numbers])
    awaited = st.session_state.get("_awaited")
    if awaited is not None and awaited not in kept:
        _give_up_waiting(announced=awaited in expected)


def _give_up_waiting(*, announced: bool) -> None:
    """The photograph that the address names does not come, though the tab may have said so."""
    _problems().append(words.NOT_BROUGHT_BACK if announced else words.LINK_TO_UPLOAD)
    _show(next(iter(_offered())))


def _make_room() -> None:
    """Forget the oldest images until the others are within a visitor's share; say which."""
    uploads = _uploads()
    for key in visitors.beyond_share({key: len(one.content) for key, one in uploads.items()}):
        _problems().append(
            f"{uploads[key].title} was removed to make room: your images together may take up to "
            f"{_megabytes(settings.UPLOAD_BYTES)} MB. Save smaller copies to have more open."
        )
        _forget(key)


def _megabytes(nbytes: int) -> int:
    return nbytes // 2**20


def _forget(key: str) -> None:
    """Whatever is held of an image."""
    _uploads().pop(key, None)
    _file_names().pop(key, None)
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
    if "files" not in st.session_state:
        return  # the page was left meanwhile: the tab sends them again, to the next one
    before: dict[str, str | None] = st.session_state.get("_in_field", {})
    files = {file.file_id: file for file in st.session_state["files"]}
    now = {file_id: before.get(file_id) for file_id in files}
    coming_back = set(_kept_files())
    for file_id in before.keys() - files.keys():
        if before[file_id] not in now.values():  # the same file may have been added twice
            _forget(before[file_id] or "")
    new = [file_id for file_id in files if file_id not in before]
    if not all(_is_coming_back(files[file_id]) for file_id in new):
        _forget_problems()  # those of what was added before
    for file_id in new:
        file = files[file_id]
        now[file_id] = None if isinstance(file, DeletedFile) else _accept(file)
    gone = sum(isinstance(files[file_id], DeletedFile) for file_id in new)
    if gone:
        _problems().append(
            f"{gone} of these files were not kept: your images together may take up to "
            f"{_megabytes(settings.UPLOAD_BYTES)} MB. Add fewer at once, or smaller copies."
        )
    st.session_state["_in_field"] = now
    # Of many at once, the first may have made room for the last.
    accepted = [key for file_id in new if (key := now[file_id]) in _uploads()]
    added = [key for key in accepted if key not in coming_back]
    if added:
        _show(added[0])
    elif (awaited := st.session_state.get("_awaited")) in accepted:
        del st.session_state["_awaited"]
        st.session_state["image"] = awaited  # with the class and the box of the link
    elif awaited is not None:
        if awaited not in _kept_files():  # it was refused
            _give_up_waiting(announced=awaited in coming_back)
    elif st.session_state["image"] not in images():
        _show(next(iter(images())))


def _remove(key: object) -> None:
    _forget_problems()
    if isinstance(key, str) and key in _uploads():
        _forget(key)
        if st.session_state["image"] == key:
            _show(next(iter(images())))


def _forget_all(_: object) -> None:
    for key in list(_uploads()):
        _remove(key)


def _choose(key: object) -> None:
    if isinstance(key, str) and key in images():  # the page may have others by now
        _forget_problems()
        _show(key)


def _show(key: str) -> None:
    """Another image: explain its most probable class, nothing covered, wait for no other."""
    st.session_state.pop("_awaited", None)
    st.session_state["image"] = key
    st.session_state["target"] = None
    st.session_state["box"] = None


def _read_link() -> None:
    """The image that the address names; an upload is known to the session it was made in, and for
    a while to the tab that sent it."""
    url_state.read_url("image")
    chosen = st.session_state.setdefault("image", next(iter(_offered())))
    if chosen not in images() and "_awaited" not in st.session_state:
        st.session_state["_awaited"] = chosen


def _names_image(text: str) -> bool:
    """Whether a text is the key of what is offered, or one that an upload can have."""
    return text in _offered() or _UPLOAD.fullmatch(text) is not None


PARAMETERS = (Text("image", _names_image),)


def photographs() -> Photographs:
    """What the strip shows of them, and the field that all files come through."""
    _read_link()
    st.file_uploader(
        words.OWN_PHOTOGRAPHS,
        accept_multiple_files=True,
        key="files",
        on_change=_files_changed,
        max_upload_size=MAX_MEGABYTES,
    )
    if not st.session_state["files"]:
        # The field comes back empty after another page; what was uploaded stays.
        st.session_state["_in_field"] = {}
    awaited = st.session_state.get("_awaited")
    chosen: str = st.session_state["image"]
    url_state.write_url("image", chosen)
    uploads = _uploads()
    return Photographs(
        [
            Thumbnail(
                key,
                image.title,
                image.description,
                results.thumbnail(image, THUMBNAIL),
                _file_of(key, image) if key in uploads else None,
            )
            for key, image in images().items()
        ],
        "" if awaited else chosen,
        _problems(),
        ACCEPT,
        (MAX_BYTES, TOO_LARGE),
        list(_kept_files()),
        {
            "photograph": _choose,
            "remove": _remove,
            "forget": _forget_all,
            "kept": _take_kept,
            "read": _forget_problems,
        },
    )


def _file_of(key: str, image: Upload) -> tuple[str, int]:
    """Name and size of the file as it was sent."""
    return _file_names()[key], len(image.content)


def chosen_image() -> Upload | None:
    """The image to explain; None while it is on its way back from a tab that was loaded again."""
    if "_awaited" in st.session_state:
        return None
    return images()[st.session_state["image"]]
