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
    context = get_script_run_ctx()
    if context is not None:
        with _lock:
            visitor = _visitors.setdefault(context.session_id, _Visitor(time.monotonic()))
            visitor.images.add(image_id)


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
    """Lets go of the files that are beyond a visitor's share.

    Whatever field they came through, and whether a page still knows them or not.
    """
    manager = _in_memory(runtime.get_instance().uploaded_file_mgr)
    files = dict(manager.file_storage.get(session_id, {}))  # a page may let go of one meanwhile
    for file_id in beyond_share({file_id: len(file.data) for file_id, file in files.items()}):
        manager.remove_file(session_id, file_id)


def forget_gone() -> tuple[bool, set[str]]:
    """Lets go of visitors who left a while ago; whether any did, and the images only they had.

    A tab that has lost its connection finds everything again for so long.
    """
    server, now = runtime.get_instance(), time.monotonic()
    kept = config.get_option("server.disconnectedSessionTTL")
    # Streamlit lets go of a session that is over only when the next one is over.
    manager: Any = server._session_mgr
    with manager._storage_lock:
        over = manager._session_storage._cache.expire()
    gone = bool(over)
    del over  # which ends them, now that others may go on
    images: set[str] = set()
    with _lock:
        for session_id, visitor in list(_visitors.items()):
            if server.is_active_session(session_id):
                visitor.seen = now
            elif now - visitor.seen > kept:
                gone = True
                images |= visitor.images
                del _visitors[session_id]
        return gone, images.difference(*(visitor.images for visitor in _visitors.values()))


def _in_memory(manager: UploadedFileManager) -> MemoryUploadedFileManager:
    assert isinstance(manager, MemoryUploadedFileManager)  # nothing else is ever configured
    return manager
