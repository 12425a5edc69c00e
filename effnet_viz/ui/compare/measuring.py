"""Cards of what takes a while: a visitor starts it, sees how far it is, and can cancel it.

What is found is kept in the session for what is shown, and drawn at once; the rest is measured
after everything else on the page is there. Any click that runs the page again, on Cancel too,
interrupts it as soon as it tells how far it is.
"""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis.comparison import UNUSABLE
from effnet_viz.models.variants import VariantError
from effnet_viz.models.weights import WeightsError
from effnet_viz.ui import words
from effnet_viz.ui.compare.view import ComparisonView, Outcome
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.problems import message_of
from effnet_viz.ui.layout.text import time_text
from effnet_viz.ui.layout.waiting import waiting

Found = dict[int, Outcome]
"""By the place of the network."""


@dataclass(frozen=True)
class Measurement:
    """What is measured of every network, and how that is shown."""

    name: str
    """Of its parameter in the address."""
    field: str
    """Of a NetworkResult."""
    title: str
    line: str
    """What one learns."""
    depends: Callable[[ComparisonView], tuple[object, ...]]
    """On what, beside the maps."""
    seconds: Callable[[ComparisonView, int], float]
    """What one network will take, from its measured forward pass."""
    measure: Callable[[ComparisonView, int, Callable[[float], None]], Outcome]
    """Of one network; hears how much of it is done, 0 to 1."""
    body: Callable[[ComparisonView, Found], None]
    """Shows what has been found, also when that is nothing yet."""


@dataclass
class _Held:
    """What a session keeps of a measurement."""

    of: tuple[object, ...] | None = None
    found: Found = field(default_factory=dict)
    unfinished: bool = False
    """It has been started and has not come to its end."""
    ended: bool = False
    """Another choice ended it before it was finished."""


@dataclass(frozen=True)
class Card:
    """A measurement on the page."""

    of: Measurement
    view: ComparisonView
    held: _Held
    button: DeltaGenerator
    body: DeltaGenerator
    foot: DeltaGenerator

    @property
    def found(self) -> Found:
        return self.held.found

    @property
    def missing(self) -> list[int]:
        """Places of networks that have not been measured."""
        return [i for i in range(len(self.view.networks)) if i not in self.found]

    @property
    def running(self) -> bool:
        return bool(self.missing) and url_state.is_asked(self.of.name)


@contextmanager
def afterwards() -> Iterator[list[Callable[[], None]]]:
    """Around a page: what is put into the list is done when the whole page is there."""
    later: list[Callable[[], None]] = []
    yield later
    with mistake_boundary():
        for one in later:
            one()


def show_card(measurement: Measurement, view: ComparisonView) -> Card:
    """The card with what has been found of what is shown now; run measures the rest."""
    held = st.session_state.setdefault(f"_{measurement.name}", _Held())
    of = (view.id, *measurement.depends(view))
    if held.of != of:
        if held.of is not None:  # started for something else
            held.ended |= held.unfinished and url_state.is_asked(measurement.name)
            url_state.cancel(measurement.name)
        held.of, held.found, held.unfinished = of, {}, False
    with st.container(key=measurement.name):
        with st.container(
            key=f"{measurement.name}_head", horizontal=True, vertical_alignment="center"
        ):
            st.html(f"<h2>{html.escape(measurement.title)}</h2>")
            button = st.empty()
        st.html(f"<p>{html.escape(measurement.line)}</p>")
        body, foot = st.empty(), st.empty()
    card = Card(measurement, view, held, button, body, foot)
    if card.running:
        held.unfinished, held.ended = True, False
    _draw_body(card)
    _draw_button(card)
    return card


def run(card: Card) -> None:
    """Measures what is missing, if it has been started; call it when the page is there."""
    if not card.running:
        return
    measurement, view, missing = card.of, card.view, card.missing
    expected = {place: measurement.seconds(view, place) for place in missing}
    began, done = time.monotonic(), 0.0
    for place in missing:
        title = view.networks[place].entry.title

        def tell(share: float, place: int = place, done: float = done) -> None:
            passed = done + share * expected[place]
            card.foot.html(_progress(card, place, passed, sum(expected.values()), began))

        tell(0)
        try:
            with waiting(None):
                card.found[place] = measurement.measure(view, place, tell)
        except (VariantError, *UNUSABLE) as error:
            told = isinstance(error, VariantError | WeightsError)
            card.found[place] = Outcome(note=str(error) if told else message_of(error, title))
        except Exception:
            card.held.unfinished = False  # it was no choice of the visitor's
            raise
        done += expected[place]
        _draw_body(card)
    card.held.unfinished = False
    _draw_button(card)


def _draw_body(card: Card) -> None:
    with card.body.container():
        card.of.body(card.view, card.found)


def _draw_button(card: Card) -> None:
    """What can be done now, and what went wrong. Start and Cancel are one button: whoever has
    pressed it still has the focus there."""
    name, text, act = card.of.name, words.LOOK_CLOSER, _look_closer
    if card.running:
        text, act = words.CANCEL, url_state.cancel
    elif card.missing:
        seconds = sum(card.of.seconds(card.view, place) for place in card.missing)
        text, act = words.START.format(time=time_text(seconds)), _start
    key = f"run {name}" if card.missing else f"closer {name}"
    kind: Literal["primary", "secondary"] = "primary" if card.missing else "secondary"
    card.button.button(text, key=key, type=kind, on_click=act, args=(name,))
    notes = [outcome.note for outcome in card.found.values() if outcome.note]
    if notes:
        card.foot.html("".join(f"<p>{html.escape(note)}</p>" for note in notes))
    elif card.held.ended and not card.running:
        card.foot.html(f"<p>{html.escape(words.MEASURING_ENDED)}</p>")
    elif not card.running:
        card.foot.empty()


def _start(name: str) -> None:
    url_state.ask_for(name)
    held: _Held = st.session_state[f"_{name}"]
    held.unfinished, held.ended = True, False


def _look_closer(name: str) -> None:
    st.session_state["_closer"] = name


def wants_closer(name: str) -> bool:
    """Whether the visitor has just asked for the details of this measurement."""
    if st.session_state.get("_closer") != name:
        return False
    del st.session_state["_closer"]
    return True


def measure_again(name: str) -> None:
    """Forget what has been found, and start."""
    st.session_state[f"_{name}"] = _Held()
    url_state.ask_for(name)


def _progress(card: Card, place: int, passed: float, expected: float, began: float) -> str:
    share = min(1.0, passed / expected) if expected else 0.0
    name = html.escape(card.view.names[place])
    elapsed = time.monotonic() - began
    told = f"{elapsed:.0f} s"
    if elapsed < expected:
        told = f"{elapsed:.0f} of about {time_text(expected)}"
    count = f"{len(card.found) + 1} of {len(card.view.networks)} networks"
    return (
        f'<div class="progress" role="progressbar" aria-label="{html.escape(card.of.title)}" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{100 * share:.0f}">'
        f'<i style="width: {100 * share:.0f}%"></i></div><div class="foot"><span>{name}, {count}'
        f"</span><span>{told}</span></div>"
    )
