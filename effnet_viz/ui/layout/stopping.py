"""Where a run of a page ends before its last line."""

from __future__ import annotations

from typing import NoReturn

from streamlit.runtime.scriptrunner import StopException


def stop_run() -> NoReturn:
    """Nothing more comes in this run.

    st.stop also drops the request for the next run: what a visitor has done since this one began
    would be lost, because it waits for the end of it (runner.fastReruns is off).
    """
    raise StopException
