"""What the page has computed, for the sections below the maps."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from effnet_viz.analysis.comparison import Comparison
from effnet_viz.ui.inputs.network_picker import ChosenNetwork
from effnet_viz.ui.panes import Canvas
from effnet_viz.ui.upload import Upload


@dataclass(frozen=True)
class Outcome:
    """What a measurement gave for one network: a result, or why there is none."""

    result: Any = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class ComparisonView:
    """What the page has computed, for the sections below the maps."""

    comparison: Comparison
    networks: tuple[ChosenNetwork, ...]
    """Those of the comparison, in its order."""
    image: Upload
    canvas: Canvas
    stages_of: str
    """What the deck's Stages are of (viewer.Stages)."""

    @property
    def names(self) -> list[str]:
        """What the networks are called, in order; untrained ones say so."""
        return [network.full_name for network in self.networks]

    @property
    def id(self) -> tuple[object, ...]:
        """What all results depend on."""
        return tuple(one.id for one in self.comparison.explanations)

    def having(self, field: str, found: Mapping[int, Outcome]) -> ComparisonView:
        """The same with what a measurement gave, by the place of the network."""
        results = list(self.comparison.networks)
        for place, outcome in found.items():
            notes = results[place].notes + ((outcome.note,) if outcome.note else ())
            more = {field: outcome.result, "notes": notes}
            results[place] = dataclasses.replace(results[place], **more)
        compared = dataclasses.replace(self.comparison, networks=tuple(results))
        return dataclasses.replace(self, comparison=compared)


def named(network: ChosenNetwork) -> str:
    """The network's name after its dot, as HTML."""
    dot = f'<i class="dot" style="--net: var(--net-{network.colour})"></i>'
    return f"{dot}{html.escape(network.full_name)}"
