"""Deletion and insertion of all networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from effnet_viz.analysis.faithfulness import DeletionInsertion
from effnet_viz.analysis.words import NO_BREAK
from effnet_viz.metrics.deletion import FRACTIONS, Kind
from effnet_viz.ui import front_end, results, words
from effnet_viz.ui.compare import measuring
from effnet_viz.ui.compare.measuring import Card, Found, Measurement
from effnet_viz.ui.compare.view import ComparisonView, Outcome, named
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.text import percent
from effnet_viz.ui.layout.url_parameters import Choice, Flag

DELETION, INSERTION = "blur", "show only"

STEPS = tuple(round(100 * fraction) for fraction in FRACTIONS)
"""How much of the photograph is changed, in percent."""

USUAL_STEP = 20

PARAMETERS = (
    Flag("race"),  # what links have always said
    Choice("direction", (DELETION, INSERTION)),
    Choice("part", tuple(map(str, STEPS))),
)

PASSES = 2 * len(FRACTIONS) - 2
"""Forward passes of one network: deletion ends where insertion begins."""


def _measure(view: ComparisonView, place: int, tell: Callable[[float], None]) -> Outcome:
    explanation = view.comparison.explanations[place]
    return Outcome(results.deletion_insertion(explanation, view.image, tell))


def _body(view: ComparisonView, found: Found) -> None:
    """Both curves of every network that is done, and what is left of its answer on average."""
    kinds: tuple[Kind, ...] = ("deletion", "insertion")
    front_end.part(
        "curves",
        {"charts": [_chart(view, found, kind) for kind in kinds]},
        key=f"curves of {sorted(found)}",
    )
    rows = "".join(
        f'<tr><th scope="row">{named(network)}</th>'
        + "".join(f"<td>{_left(found.get(place), kind)}</td>" for kind in kinds)
        + "</tr>"
        for place, network in enumerate(view.networks)
    )
    heads = "".join(f'<th scope="col">{kind}</th>' for kind in kinds)
    st.html(
        f'<table class="found"><tr><th scope="col">{words.DELETION_SHARES}</th>{heads}</tr>{rows}'
        "</table>"
    )


def _left(outcome: Outcome | None, kind: Kind) -> str:
    """The mean height of a curve, as a share of what the network says of the whole photograph."""
    if outcome is None or outcome.result is None:
        return "–"
    area = outcome.result.relative_area(kind)
    return f"{100 * area:.0f}{NO_BREAK}%" if area == area else "–"


def _chart(view: ComparisonView, found: Found, kind: Kind) -> dict[str, Any]:
    curves = {
        place: _relative(outcome.result, kind)
        for place, outcome in found.items()
        if outcome.result is not None
    }
    top = max((max(values) for values in curves.values()), default=0.0) or 1.0
    caption = words.DELETION_CURVES[kind]
    done = ", ".join(view.names[place] for place in curves) or words.NO_NETWORK_YET
    return {
        "caption": caption,
        "label": f"{caption}. {done}.",
        "lines": [
            {"colour": view.networks[place].colour, "values": [value / top for value in values]}
            for place, values in curves.items()
        ],
    }


def _relative(one: DeletionInsertion, kind: Kind) -> Sequence[float]:
    """A curve in shares of what the network says of the whole photograph."""
    curve = one.deletion if kind == "deletion" else one.insertion
    whole = one.deletion.probabilities[0]
    return [value / whole if whole > 0 else 0.0 for value in curve.probabilities]


_MEASUREMENT = Measurement(
    "race",
    "deletion_insertion",
    words.DELETION,
    words.DELETION_LINE,
    lambda _: (),
    lambda view, place: (
        PASSES * results.forward_seconds(view.comparison.explanations[place].analysis)
    ),
    _measure,
    _body,
)


def show_deletion(view: ComparisonView) -> Card:
    """The card; measuring.run measures what is missing."""
    url_state.read_url("race")
    card = measuring.show_card(_MEASUREMENT, view)
    url_state.write_url("race", "true" if url_state.is_asked("race") else None)
    _read_step()
    return card


def _read_step() -> tuple[str, int]:
    """What of the curves is looked at closely."""
    url_state.read_url("direction")
    url_state.read_url("part")
    direction: str = st.session_state.setdefault("direction", DELETION)
    part = int(st.session_state.setdefault("part", USUAL_STEP))
    st.session_state["direction"], st.session_state["part"] = direction, part
    url_state.write_url("direction", None if direction == DELETION else direction)
    url_state.write_url("part", None if part == USUAL_STEP else str(part))
    return direction, part


def show_closely(card: Card) -> None:
    """What every network saw at a step, if the visitor has asked for it."""
    if not measuring.wants_closer("race"):
        return
    view = card.view
    found = {
        place: outcome.result for place, outcome in card.found.items() if outcome.result is not None
    }

    @st.dialog(words.DELETION, width="large")
    def show() -> None:
        state = st.session_state
        state["_direction"], state["_part"] = state["direction"], state["part"]

        def changed() -> None:
            state["direction"], state["part"] = state["_direction"], state["_part"]

        st.segmented_control(
            words.DELETION_DIRECTION,
            [DELETION, INSERTION],
            required=True,
            key="_direction",
            on_change=changed,
        )
        st.select_slider(words.DELETION_STAGE, STEPS, key="_part", on_change=changed)
        kind: Kind = "deletion" if state["direction"] == DELETION else "insertion"
        step = STEPS.index(state["part"])
        for column, (place, one) in zip(st.columns(len(found)), found.items(), strict=True):
            curve = one.deletion if kind == "deletion" else one.insertion
            explanation = view.comparison.explanations[place]
            picture = results.perturbed(explanation, view.image, FRACTIONS[step], kind)
            with column:
                st.image(picture, alt=f"What {view.names[place]} saw.", width="stretch")
                st.caption(f"{view.names[place]}: {percent(curve.probabilities[step])}")
        _show_areas(view, found)
        with st.expander(words.READ_DELETION):
            st.markdown(words.COMPARISON_HELP[words.READ_DELETION])

    if found:
        show()


def _show_areas(view: ComparisonView, found: dict[int, DeletionInsertion]) -> None:
    areas = {
        "Area under deletion": [one.deletion.area for one in found.values()],
        "relative": [one.relative_area("deletion") for one in found.values()],
        "Area under insertion": [one.insertion.area for one in found.values()],
        "relative ": [one.relative_area("insertion") for one in found.values()],
    }
    st.dataframe(
        {words.NETWORK: [view.names[place] for place in found], **areas},
        hide_index=True,
        height="content",
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in areas},
    )
