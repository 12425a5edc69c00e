"""The frame of every page: title, strip, what its address says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.ui import front_end
from effnet_viz.ui.layout import strip, url_state
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.strip import Photographs
from effnet_viz.ui.layout.url_parameters import Parameter


@dataclass(frozen=True)
class _Refusals:
    """What an address asks for and cannot be shown here, told in one place over the page."""

    place: DeltaGenerator
    """It is always there: the rest of the page stays put."""
    names: list[str]
    reasons: list[str]
    """Sentences of their own, where what is asked for may well exist elsewhere."""

    def show(self) -> None:
        """A sentence for all that does not exist, one for each reason, or nothing."""
        told = [*self.reasons]
        if self.names:
            defaults = "The default is" if len(self.names) == 1 else "The defaults are"
            told.append(
                "The link to this page asks for something that does not exist here "
                f"({', '.join(f'`{name}`' for name in self.names)}). {defaults} shown instead: "
                "choose on the page what you want to see."
            )
        if told:
            self.place.info(" ".join(told), icon=":material/link_off:")


_refusals: ContextVar[_Refusals] = ContextVar("refusals")
"""Of the page that runs."""


@contextmanager
def page(
    title: str,
    address: Iterable[Parameter],
    *,
    photographs: Callable[[], Photographs] = Photographs,
    maps: bool = True,
) -> Iterator[DeltaGenerator]:
    """The frame of a page, whose content is made inside, and what its address can hold.

    Gives the place in the strip for what is chosen there. `photographs` is asked when the address
    has been read; `maps` says whether the page shows any. Streamlit finds the pages; their links
    are drawn in the strip.
    """
    st.set_page_config(page_title=f"{title} · effnet-viz", layout="wide")
    refused = url_state.begin_page(address)
    with mistake_boundary(), ExitStack() as stack:
        with st.container(key="frame"):  # takes no room
            front_end.bring_code()
            st.html(f'<h1 class="hidden">{title}</h1>')
            chosen = photographs()
        place = stack.enter_context(strip.strip(title, chosen, maps=maps))
        _refusals.set(_Refusals(st.empty(), refused, []))
        _refusals.get().show()
        if not maps:  # its elements come each in its time: they are shown together
            stack.enter_context(st.container(key="calm", gap=None))
        yield place
    # Not where the run is interrupted: it would take the place of what has not been made again.
    url_state.tell_address()


def refuse(name: str) -> None:
    """Say of a parameter what its page allows and the chosen network does not have."""
    _refusals.get().names.append(name)
    _refusals.get().show()


def tell_why_not(reason: str) -> None:
    """Say why something of the address is not what is shown, in a sentence of its own."""
    _refusals.get().reasons.append(reason)
    _refusals.get().show()


def fragment_address(key: str, values: Mapping[str, str | None]) -> None:
    """What the address says of a fragment that runs alone; the page sends its own only as a whole.

    Call in every run of the fragment: what is not said again is forgotten.
    """
    front_end.part("address", {"values": dict(values)}, key=f"address_{key}")
