"""The grid pointing game of all networks."""

from __future__ import annotations

import html
import math
from collections.abc import Callable

import streamlit as st

from effnet_viz.analysis.pointing_game import CELLS
from effnet_viz.analysis.words import NO_BREAK
from effnet_viz.attribution.methods import Place
from effnet_viz.records import Prediction
from effnet_viz.ui import results, words
from effnet_viz.ui.compare import measuring
from effnet_viz.ui.compare.measuring import Card, Found, Measurement
from effnet_viz.ui.compare.view import ComparisonView, Outcome, named
from effnet_viz.ui.inputs.image_picker import THUMBNAIL, images
from effnet_viz.ui.inputs.mosaic_picker import (
    DOUBLED,
    choose_mosaic,
    mosaic_classes,
    mosaic_photographs,
)
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.text import escape_markdown
from effnet_viz.ui.layout.url_parameters import Flag
from effnet_viz.ui.results import PlayedGame
from effnet_viz.ui.upload import Upload

PARAMETERS = (Flag("pointing"),)


def _expected(view: ComparisonView, place: int) -> float:
    """A forward pass, and a map of each photograph's class."""
    one = view.comparison.explanations[place]
    made, last = one.attribution, one.analysis.model.last_stage
    at = last if made.stage is None else made.stage
    maps = len(mosaic_photographs()) * results.expected_seconds(one.analysis, made.method, at)
    return DOUBLED * (results.forward_seconds(one.analysis) + maps)


def _cells(view: ComparisonView) -> tuple[list[tuple[Upload, Prediction]], list[str]]:
    """As the first trained network names them."""
    first = min(range(len(view.networks)), key=lambda i: view.networks[i].ref.untrained)
    return mosaic_classes(view.comparison.explanations[first].analysis.model)


def _measure(view: ComparisonView, place: int, progress: Callable[[float], None]) -> Outcome:
    photographs, _left_out = _cells(view)
    if len(photographs) < 2:
        return Outcome(note=words.POINTING_TOO_FEW if place == 0 else "")
    explanation = view.comparison.explanations[place]
    cells = tuple((image, target.index) for image, target in photographs)
    made = explanation.attribution
    played = results.grid_pointing(
        explanation.analysis.model, cells, made.stage, made.method, progress
    )
    return Outcome(played)


def _body(view: ComparisonView, found: Found) -> None:
    """The photographs in their quarters, and how much of its evidence each network puts right."""
    quarters = [
        f'<img src="{results.thumbnail(image, THUMBNAIL)}" '
        f'alt="{html.escape(image.title, quote=True)}">'
        for image in mosaic_photographs().values()
    ]
    quarters += [f"<span>{words.YOUR_PHOTOGRAPH}</span>"] * (len(CELLS) - len(quarters))
    rows = "".join(
        f"<li>{named(network)}<span>{_share(found.get(place))}</span></li>"
        for place, network in enumerate(view.networks)
    )
    st.html(f'<div class="game"><div class="four">{"".join(quarters)}</div><ul>{rows}</ul></div>')


def _share(outcome: Outcome | None) -> str:
    if outcome is None or outcome.result is None or math.isnan(outcome.result.pointing.mean):
        return "–"
    return f"{100 * outcome.result.pointing.mean:.0f}{NO_BREAK}%"


_MEASUREMENT = Measurement(
    "pointing",
    "pointing",
    words.POINTING,
    words.POINTING_LINE,
    lambda _: tuple(image.id for image in mosaic_photographs().values()),
    _expected,
    _measure,
    _body,
)


def show_pointing(view: ComparisonView) -> Card:
    """The card; measuring.run measures what is missing."""
    url_state.read_url("pointing")
    card = measuring.show_card(_MEASUREMENT, view)
    url_state.write_url("pointing", "true" if url_state.is_asked("pointing") else None)
    return card


def games(found: Found) -> Found:
    """What was found as results of the comparison: without the pictures."""
    return {
        place: Outcome(outcome.result.pointing if outcome.result else None, outcome.note)
        for place, outcome in found.items()
    }


def show_closely(card: Card) -> None:
    """The mosaics with their maps, if the visitor has asked for them; other photographs."""
    if not measuring.wants_closer("pointing"):
        return
    view = card.view
    found: dict[int, PlayedGame] = {
        place: outcome.result for place, outcome in card.found.items() if outcome.result is not None
    }

    @st.dialog(words.POINTING, width="large")
    def show() -> None:
        there = images()
        picked = st.multiselect(
            words.POINTING_PHOTOGRAPHS,
            list(there),
            default=list(mosaic_photographs()),
            format_func=lambda key: there[key].title,
            max_selections=len(CELLS),
            key="_picked",
        )
        changed = picked != list(mosaic_photographs())
        if st.button(words.PLAY_WITH_THESE, disabled=not changed or len(picked) < 2):
            choose_mosaic(picked)
            measuring.measure_again("pointing")
            st.rerun()
        for text in _cells(view)[1]:
            st.caption(f":material/info: {escape_markdown(text)}")
        if found:
            _show_games(view, found)
        with st.expander(words.READ_POINTING):
            st.markdown(words.COMPARISON_HELP[words.READ_POINTING])

    show()


def _show_games(view: ComparisonView, found: dict[int, PlayedGame]) -> None:
    for column, (place, game) in zip(st.columns(len(found)), found.items(), strict=True):
        name, played = view.names[place], game.pointing
        of_pixels = played.method.place is Place.PIXELS
        looked = words.PIXELS if of_pixels else f"stage {played.stage}"
        with column:
            st.image(game.picture, alt=f"Maps of {name} over the mosaic.", width="stretch")
            st.caption(
                f"{name}: {played.model.weights_name}, {played.method.title} at "
                f"{looked}; each quarter shows the positive evidence of its own class, with its "
                "own scale."
            )
    first = next(iter(found.values())).pointing
    shares = {
        score.target.label: [100 * game.pointing.scores[i].share for game in found.values()]
        for i, score in enumerate(first.scores)
    } | {"Mean": [100 * game.pointing.mean for game in found.values()]}
    st.dataframe(
        {words.NETWORK: [view.names[place] for place in found], **shares},
        hide_index=True,
        height="content",
        column_config={name: st.column_config.NumberColumn(format="%.0f %%") for name in shares},
    )
