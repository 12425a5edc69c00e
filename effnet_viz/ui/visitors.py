"""What is held for each visitor: at most a share while there, nothing for long afterwards.

A visitor is one tab, so a class behind one address is thirty visitors.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamlit import config, runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileManager

from effnet_viz.serving import settings


@dataclass
class _Visitor:
    seen: float
    """When the tab was connected last, in seconds of the monotonic clock."""
    images: set[str] = field(default_factory=set)
    """Ids of the visitor's own images, those removed meanwhile as well."""


_visitors: dict[str, _Visitor] = {}
_lock = threading.Lock()


def note_image(image_id: str) -> None:
    """An image of the visitor whose page runs: what is computed of it goes when the visitor has."""
    _note(image_id)


def note_visitor() -> str:
    """The visitor whose page runs, of whom `forget_gone` tells from now on; empty for nobody."""
    return _note()


def _note(*image_ids: str) -> str:
    context = get_script_run_ctx()
    if context is None:
        return ""
    with _lock:
        visitor = _visitors.setdefault(context.session_id, _Visitor(time.monotonic()))
        visitor.images.update(image_ids)
    return context.session_id


def release(file_id: str) -> None:
    """Lets go of a file of the visitor whose page runs; the field shows its name all the same."""
    context = get_script_run_ctx()
    if context is not None:
        _in_memory(context.uploaded_file_mgr).remove_file(context.session_id, file_id)


def beyond_share(sizes: Mapping[str, int]) -> list[str]:
    """The oldest, by key, that have to go until the others are within a visitor's share.

    The newest one stays in any case; it is no larger than the largest file that is taken.
    """
    excess = sum(sizes.values()) - settings.UPLOAD_BYTES
    going = []
    for key in list(sizes)[:-1]:
        if excess > 0:
            going.append(key)
            excess -= sizes[key]
    return going


def make_room(session_id: str) -> None:
    """Lets go of files beyond a visitor's share, and of all checkpoints but the newest.

    Whatever field they came through, and whether a page still knows them or not.
    """
    manager = _in_memory(runtime.get_instance().uploaded_file_mgr)
    files = dict(manager.file_storage.get(session_id, {}))  # a page may let go of one meanwhile
    checkpoints = [file_id for file_id, file in files.items() if is_checkpoint(file.name)]
    others = {i: len(file.data) for i, file in files.items() if i not in checkpoints}
    for file_id in [*checkpoints[:-1], *beyond_share(others)]:
        manager.remove_file(session_id, file_id)
    if checkpoints:
        with _lock:
            _arrived[checkpoints[-1]] = session_id
        _make_room_for_checkpoints(manager)


def is_checkpoint(name: str) -> bool:
    """Whether a file of this name may be as large as a checkpoint."""
    from effnet_viz.models import own  # loaded by now: there have been visitors

    return settings.CHECKPOINT_MEGABYTES > 0 and name.lower().endswith(own.WEIGHTS)


_arrived: dict[str, str] = {}
"""Checkpoints that no page has taken yet, oldest first: whose they are, by file."""


def _make_room_for_checkpoints(manager: MemoryUploadedFileManager) -> None:
    """Lets go of the oldest ones, whoever has sent them, beyond what all may take."""
    with _lock:
        sizes = {}
        for file_id, session_id in list(_arrived.items()):
            found = manager.get_files(session_id, [file_id])
            if found:
                sizes[file_id] = len(found[0].data)
            else:  # its page has taken it, or its visitor has left
                del _arrived[file_id]
        for file_id in list(sizes)[:-1]:
            if sum(sizes.values()) > settings.all_checkpoint_bytes():
                del sizes[file_id]
                manager.remove_file(_arrived.pop(file_id), file_id)


def forget_gone() -> tuple[set[str], set[str], bool]:
    """Lets go of visitors who left a while ago: who they are, the images that only they had, and
    whether anything can be collected.

    A tab that has lost its connection finds everything again for so long.
    """
    server, now = runtime.get_instance(), time.monotonic()
    kept = config.get_option("server.disconnectedSessionTTL")
    # Streamlit lets go of a session that is over only when the next one is over.
    manager: Any = server._session_mgr
    with manager._storage_lock:
        over = manager._session_storage._cache.expire()
    collectable = bool(over)
    del over  # which ends them, now that others may go on
    gone: set[str] = set()
    images: set[str] = set()
    with _lock:
        for session_id, visitor in list(_visitors.items()):
            if server.is_active_session(session_id):
                visitor.seen = now
            elif now - visitor.seen > kept:
                gone.add(session_id)
                images |= visitor.images
                del _visitors[session_id]
        left = images.difference(*(visitor.images for visitor in _visitors.values()))
    return gone, left, collectable or bool(gone)


def _in_memory(manager: UploadedFileManager) -> MemoryUploadedFileManager:
    assert isinstance(manager, MemoryUploadedFileManager)  # nothing else is ever configured
    return manager
