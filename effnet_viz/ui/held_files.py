"""The files that Streamlit holds for a visitor, whatever field they came through.

It keeps each until its tab is gone, whether a page still knows it or not.
"""

from __future__ import annotations

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from effnet_viz.serving import settings


def make_room(session_id: str) -> None:
    """Lets go of a visitor's oldest files until the others are within the visitor's share.

    The newest one stays in any case; it is no larger than the largest file that is taken.
    """
    manager = _manager()
    files = list(manager.file_storage.get(session_id, {}).values())
    excess = sum(len(file.data) for file in files) - settings.UPLOAD_BYTES
    for file in files[:-1]:
        if excess <= 0:
            return
        manager.remove_file(session_id, file.file_id)
        excess -= len(file.data)


def release(file_id: str) -> None:
    """Lets go of a file of the visitor whose page runs; the field shows its name all the same."""
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        _manager().remove_file(context.session_id, file_id)


def _manager() -> MemoryUploadedFileManager:
    manager = runtime.get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)  # nothing else is ever configured
    return manager
