"""A link to what a visitor sees, for others."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import segno
import streamlit as st
from streamlit import config

from effnet_viz.models import held
from effnet_viz.ui import words
from effnet_viz.ui.server import address

_HERE = ("localhost", "127.0.0.1", "[::1]")


def ask_to_share(link: object) -> None:
    """Show the link when the page runs: the visitor's own address, as the browser tells it."""
    if isinstance(link, str) and _is_web_address(link):
        st.session_state["_share"] = link


def _is_web_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
        _ = parts.port
    except ValueError:  # no host or port can be written so
        return False
    return parts.scheme in ("http", "https") and parts.hostname is not None


def shareable(link: str, bound: str) -> tuple[str, str]:
    """The link as others can open it, and what has to be said of it, if anything.

    `bound` is the address that the server listens at.
    """
    parts = urlsplit(link)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    if host not in _HERE:
        return link, ""
    if address.is_loopback(bound):
        return link, words.SHARE_HERE_ONLY
    found = address.local_network_address()
    if found is None:
        return link, words.SHARE_NO_ADDRESS
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{found}{port}")), ""


def without_photograph(link: str) -> str:
    """The same link for those who do not have the photograph."""
    parts = urlsplit(link)
    # An empty value is a choice as well: none of them.
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = [(name, value) for name, value in pairs if name != "image"]
    return urlunsplit(parts._replace(query=urlencode(query)))


def names_checkpoint(link: str) -> bool:
    """Whether the link leads to a checkpoint that a visitor has opened."""
    pairs = parse_qsl(urlsplit(link).query)
    named = (key for name, value in pairs if name != "image" for key in value.split(","))
    return any(key.startswith(held.PREFIX) for key in named)


def show_link(*, own: bool) -> None:
    """The link and its code, if the visitor has asked; `own` when a photograph is not in it."""
    link = st.session_state.pop("_share", None)
    if link is None:
        return
    link = without_photograph(link) if own else link
    shared, said = shareable(link, config.get_option("server.address") or "")

    @st.dialog(words.SHARE_TITLE)
    def show() -> None:
        st.code(shared, language=None, wrap_lines=True)
        if said:
            st.info(said, icon=":material/lan:")
        else:
            _show_code(shared)
        if own:
            st.caption(words.SHARE_OWN)
        if names_checkpoint(link):
            st.caption(words.SHARE_CHECKPOINT)

    show()


def _show_code(link: str) -> None:
    """The link as a QR code, unless it is too long for any."""
    try:
        code = segno.make(link, error="m")
    except segno.DataOverflowError:
        return
    drawn = code.svg_inline(scale=6, border=4, light="#ffffff")
    st.image(drawn, width=240, alt="The link as a QR code.")
    st.caption(words.SHARE_CODE)
