"""The grid pointing game of all networks."""

from __future__ import annotations

from typing import Any

import streamlit as st

from effnet_viz.analysis import comparison
from effnet_viz.models import variants
from effnet_viz.models.weights import WeightsError
from effnet_viz.ui import results
from effnet_viz.ui.compare.maps import PER_ROW
from effnet_viz.ui.compare.view import Shown, short_names
from effnet_viz.ui.inputs.image_picker import images
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import plain
from effnet_viz.ui.layout.waiting import waiting

POINTING_HELP = """
Photographs of different classes are put together into one picture of twice the size. A map of one
class should then lie on its own photograph. The number is the share of positive evidence that does.
It needs nobody to draw outlines, and an even map would get 25 %. A network is used here at twice
its resolution, with the same weights.
"""


def show_pointing(shown: Shown) -> Shown:
    """The grid pointing game with two to four of the visitor's images and the samples.

    Returns what is shown with the games in it.
    """
    st.markdown("#### Grid pointing game")
    if not st.toggle("Play it", key="pointing", bind="query-params"):
        return shown
    choices = images()
    picked = st.multiselect(
        "Photographs of different things, two to four",
        list(choices),
        default=[key for key in choices if key != "cat-and-espresso"][:4],
        format_func=lambda key: choices[key].title,
        max_selections=4,
        key="_tiles",
    )
    first = min(shown.networks, key=lambda network: network.untrained)  # names the classes
    tiles, taken = [], set()
    for key in picked:
        image = choices[key]
        with waiting(f"{first.entry.title} is looking …"):
            seen = results.analysed(first.entry.key, first.untrained, image.digest, image.content)
        if seen.target.index in taken:
            st.caption(
                f":material/info: {plain(image.title)} shows the same class as another photograph "
                f"({seen.target.label}), so it is left out."
            )
            continue
        taken.add(seen.target.index)
        tiles.append((image, seen.target))
    if len(tiles) < 2:
        st.info("Choose at least two photographs of different things.", icon=":material/info:")
        return shown
    found: list[dict[str, Any]] = []
    rows: dict[str, list[Any]] = {"Network": [], "Weights": []}
    rows |= {target.label: [] for _, target in tiles}
    rows["Mean"] = []
    names = short_names(shown)
    cells = st.columns(min(len(names), PER_ROW), gap="medium")
    for i, (name, network) in enumerate(zip(names, shown.networks, strict=True)):
        with cells[i % len(cells)]:
            try:
                with waiting(f"{network.entry.title} is looking …"):
                    game = results.pointed(
                        network.entry.key,
                        network.untrained,
                        tuple((image.digest, target.index) for image, target in tiles),
                        shown.comparison.networks[i].look.stage,
                        tuple(image.content for image, _ in tiles),
                    )
            except (variants.VariantError, RuntimeError, MemoryError) as error:
                message = str(error)
                if not isinstance(error, (variants.VariantError, WeightsError)):
                    why = comparison.failure_message(error, network.entry)
                    message = f"At twice its resolution, {why}"
                st.caption(f"**{name}**: {message}")
                found.append({"notes": (message,)})
                continue
            found.append({"pointing": game.played})
            st.image(game.picture, alt=f"Maps of {name} over the mosaic.", width="stretch")
            st.caption(
                f"{name}: {game.played.origins[0].weights}, {game.played.origins[0].method} at "
                f"stage {game.played.origins[0].stage}; each quarter shows the positive evidence "
                "of its own class, with its own scale."
            )
            rows["Network"].append(game.played.origins[0].title)
            rows["Weights"].append(game.played.origins[0].weights)
            for tile in game.played.tiles:
                rows[tile.target.label].append(100 * tile.share)
            rows["Mean"].append(100 * game.played.mean)
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.NumberColumn(format="%.0f %%")
            for name in [*(target.label for _, target in tiles), "Mean"]
        },
    )
    how_to_read(POINTING_HELP)
    return shown.having(found)
