"""A mistake of ours: a visitor reads one sentence and a number, the log has the rest under it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

_log = logging.getLogger("effnet_viz")


def report(error: Exception) -> str:
    """Puts an error with its traceback into the log and gives the number it has there."""
    number = secrets.token_hex(4)
    _log.error("Error %s", number, exc_info=error)
    return number


def sentence_of(number: str, remedy: str = "Reload the page") -> str:
    """All that a visitor learns of a mistake, by its number in the log, and what to do now."""
    return (
        f"Something went wrong in this app; it is no fault of yours. {remedy}, and if it happens "
        f"again, tell whoever runs the app the number {number}."
    )


def with_number(error: Exception) -> str:
    """What an error of ours says, with its number in the log where another one lies behind it."""
    if error.__cause__ is None:
        return str(error)
    return f"{error} The log of the computer that runs the app has more under {report(error)}."


def show_mistake(error: Exception, *, again: bool) -> None:
    """Logs it and says so on the page, with a button that runs the page `again`.

    The button is for where nothing else is left on the page; uploads stay, unlike when reloading.
    """
    number, icon = report(error), ":material/error:"
    if again:
        label = "Show the page again"
        st.error(sentence_of(number, label), icon=icon)
        st.button(label, icon=":material/refresh:", key="again")
    else:
        st.error(sentence_of(number), icon=icon)


@contextmanager
def mistake_boundary() -> Iterator[None]:
    """Where a mistake of ours comes out of the page, a visitor reads a sentence, not the error."""
    try:
        yield
    except Exception as error:  # whatever it is: nothing that a visitor does may end in a traceback
        show_mistake(error, again=False)
