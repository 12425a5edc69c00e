"""What the page has computed, for the sections below the maps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from effnet_viz.analysis.comparison import Comparison
from effnet_viz.ui.inputs.network_picker import ChosenNetwork
from effnet_viz.ui.panes import Canvas
from effnet_viz.ui.upload import Upload

PER_ROW = 4
"""Networks side by side on a wide page."""


@dataclass(frozen=True, eq=False)
class ComparisonView:
    """What the page has computed, for the sections below the maps."""

    comparison: Comparison
    networks: tuple[ChosenNetwork, ...]
    """Those of the comparison, in its order."""
    image: Upload
    canvas: Canvas

    @property
    def names(self) -> list[str]:
        """Short names of the networks, in order; untrained ones say so."""
        return [
            (network.role or network.entry.title.removeprefix("EfficientNet-"))
            + (" (untrained)" if network.ref.untrained else "")
            for network in self.networks
        ]

    def having(self, found: Sequence[dict[str, Any]]) -> ComparisonView:
        """The same with something more about each network."""
        results = tuple(
            dataclasses.replace(result, **more)
            for result, more in zip(self.comparison.networks, found, strict=True)
        )
        compared = dataclasses.replace(self.comparison, networks=results)
        return dataclasses.replace(self, comparison=compared)
