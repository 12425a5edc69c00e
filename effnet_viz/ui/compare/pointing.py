"""The grid pointing game of all networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from effnet_viz.analysis.comparison import UNUSABLE
from effnet_viz.analysis.pointing_game import GridPointing
from effnet_viz.models.variants import VariantError
from effnet_viz.models.weights import WeightsError
from effnet_viz.records import Prediction
from effnet_viz.ui import results
from effnet_viz.ui.compare.view import PER_ROW, ComparisonView
from effnet_viz.ui.inputs.image_picker import images
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.problems import message_of
from effnet_viz.ui.layout.text import escape_markdown
from effnet_viz.ui.layout.url_parameters import Flag
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.upload import Upload

PARAMETERS = (Flag("pointing"),)

POINTING_HELP = """
Photographs of different classes are put together into one picture of twice the size. A map of one
class should then lie on its own photograph. The number is the share of positive evidence that does.
It needs nobody to draw outlines, and an even map would get 25 %. A network is used here at twice
its resolution, with the same weights.
"""


def show_pointing(view: ComparisonView) -> ComparisonView:
    """The grid pointing game with two to four of the visitor's images and the samples.

    Returns the view with the games in it.
    """
    st.markdown("#### Grid pointing game")
    if not st.toggle("Play it", key="pointing", bind="query-params"):
        return view
    photographs = _choose_photographs(view)
    if len(photographs) < 2:
        st.info("Choose at least two photographs of different things.", icon=":material/info:")
        return view
    found: list[dict[str, Any]] = []
    cells = st.columns(min(len(view.networks), PER_ROW), gap="medium")
    for i, (name, network) in enumerate(zip(view.names, view.networks, strict=True)):
        explanation = view.comparison.explanations[i]
        with cells[i % len(cells)]:
            try:
                with waiting(f"{network.entry.title} is looking …"):
                    game = results.grid_pointing(
                        explanation.analysis.model,
                        tuple((image, target.index) for image, target in photographs),
                        explanation.attribution.stage,
                    )
            except (VariantError, *UNUSABLE) as error:
                message = str(error)
                if not isinstance(error, VariantError | WeightsError):
                    message = f"At twice its resolution, {message_of(error, network.entry.title)}"
                st.caption(f"**{name}**: {message}")
                found.append({"notes": (message,)})
                continue
            found.append({"pointing": game.pointing})
            st.image(game.picture, alt=f"Maps of {name} over the mosaic.", width="stretch")
            played = game.pointing
            st.caption(
                f"{name}: {played.model.weights_name}, {played.method.title} at stage "
                f"{played.stage}; each quarter shows the positive evidence of its own class, with "
                "its own scale."
            )
    classes = [target.label for _, target in photographs]
    _show_shares([more["pointing"] for more in found if "pointing" in more], classes)
    how_to_read(POINTING_HELP)
    return view.having(found)


def _choose_photographs(view: ComparisonView) -> list[tuple[Upload, Prediction]]:
    """Photographs of different classes, as the first network names them."""
    choices = images()
    picked = st.multiselect(
        "Photographs of different things, two to four",
        list(choices),
        default=[key for key in choices if key != "cat-and-espresso"][:4],
        format_func=lambda key: choices[key].title,
        max_selections=4,
        key="_tiles",
    )
    first = min(view.networks, key=lambda network: network.ref.untrained)
    chosen: dict[int, tuple[Upload, Prediction]] = {}
    for image in (choices[key] for key in picked):
        with waiting(f"{first.entry.title} is looking …"):
            seen = results.analysis(results.model(first.ref), image)
        if seen.target.index in chosen:
            st.caption(
                f":material/info: {escape_markdown(image.title)} shows the same class as another "
                f"photograph ({seen.target.label}), so it is left out."
            )
            continue
        chosen[seen.target.index] = (image, seen.target)
    return list(chosen.values())


def _show_shares(games: Sequence[GridPointing], classes: Sequence[str]) -> None:
    """One row a network that could play."""
    shares = {
        label: [100 * game.scores[i].share for game in games] for i, label in enumerate(classes)
    } | {"Mean": [100 * game.mean for game in games]}
    st.dataframe(
        {
            "Network": [game.model.card.title for game in games],
            "Weights": [game.model.weights_name for game in games],
            **shares,
        },
        hide_index=True,
        height="content",
        column_config={name: st.column_config.NumberColumn(format="%.0f %%") for name in shares},
    )
