"""The app as `effnet-viz serve`, with mistakes in it that its visitors can run into."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import streamlit as st
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.uploaded_file_manager import UploadedFile

from effnet_viz.cli.main import main
from effnet_viz.ui.inputs import image_picker

SECRET = "/opt/library/src/kernel.cpp:42"
"""What no visitor may read."""

IN_A_CALLBACK = "callback.jpg"
"""The name of a file that a widget's callback fails at."""
IN_THE_FRAME = "Models"
"""The title of a page whose frame fails, outside of every boundary."""
IN_A_REQUEST = "fault"
"""The name of a media file that cannot be read."""


def fail() -> NoReturn:
    raise RuntimeError(SECRET)


def install() -> None:
    """Replaces a function of each kind."""
    accept, set_page_config = image_picker._accept, st.set_page_config
    get_file = MemoryMediaFileStorage.get_file

    def accept_or_fail(file: UploadedFile) -> str | None:
        return fail() if file.name == IN_A_CALLBACK else accept(file)

    def set_page_config_or_fail(page_title: str, **options: Any) -> None:
        if page_title.startswith(IN_THE_FRAME):
            fail()
        set_page_config(page_title, **options)

    def get_file_or_fail(storage: MemoryMediaFileStorage, file_id: str) -> object:
        return fail() if file_id == IN_A_REQUEST else get_file(storage, file_id)

    image_picker._accept = accept_or_fail
    st.set_page_config = set_page_config_or_fail
    MemoryMediaFileStorage.get_file = get_file_or_fail  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    install()
    sys.exit(main(["serve", *sys.argv[1:]]))
