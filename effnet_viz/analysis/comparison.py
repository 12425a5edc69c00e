"""One photograph and one class, several networks: maps, agreement, deletion race, pointing game.

`compare` does everything; each of its pieces can be called on its own and kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.analysis import Source, Target
from effnet_viz.analysis.explanation import GRID, Look, look
from effnet_viz.analysis.faithfulness import Race, race
from effnet_viz.analysis.pointing_game import Pointing, Tile, entry_for_mosaic, pointing
from effnet_viz.arrays import Box, Floats, on_grid
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.metrics import agreement
from effnet_viz.models import variants, zoo
from effnet_viz.models import zoo as network
from effnet_viz.models.classes import class_index
from effnet_viz.models.model import Model, load
from effnet_viz.models.weights import WeightsError

# One network


# Deletion race


# Grid pointing game


# All networks


@dataclass(frozen=True, eq=False)
class NetworkResult:
    """Everything about one network; what was not asked for, or was too large, is None."""

    look: Look
    race: Race | None = None
    pointing: Pointing | None = None
    notes: tuple[str, ...] = ()
    """Why something is missing, and what to do."""


@dataclass(frozen=True)
class Failure:
    """A network that could not be used."""

    model: str
    title: str
    message: str
    """What happened and what to do."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several networks' maps of one photograph for one class. At least one network worked."""

    networks: tuple[NetworkResult, ...]
    failures: tuple[Failure, ...] = ()

    @cached_property
    def region(self) -> Box:
        """The part of the photograph that every network saw, in its pixels."""
        return agreement.common_region([n.look.analysis.crop.box for n in self.networks])

    @cached_property
    def maps(self) -> tuple[Floats, ...]:
        """Every network's map over `region`, (GRID, GRID), in units of its logit."""
        return tuple(
            on_grid(n.look.evidence, n.look.analysis.crop.box, self.region, GRID)
            for n in self.networks
        )

    @cached_property
    def rank_correlation(self) -> NDArray[np.float64]:
        """Spearman's ρ of every two maps over `region`, (n, n)."""
        return self._pairwise(agreement.rank_correlation)

    @cached_property
    def overlap(self) -> NDArray[np.float64]:
        """Intersection over union of the highest 20 % of every two maps, (n, n)."""
        return self._pairwise(agreement.overlap)

    @cached_property
    def disagreement(self) -> Floats:
        """Standard deviation across networks of each place's rank, (GRID, GRID) over `region`."""
        return agreement.disagreement(self.maps)

    @property
    def recipes(self) -> tuple[str, ...]:
        """The training recipes of the trained networks, each once."""
        found = [n.look.analysis.provenance for n in self.networks]
        return tuple(dict.fromkeys(p.recipe for p in found if p.trained))

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before comparing."""
        if len(self.recipes) < 2:
            return ()
        return (
            f"These networks were trained by {len(self.recipes)} recipes "
            f"({', '.join(self.recipes)}), so they differ in more than scale. Choose networks of "
            "one recipe to see what scale alone does.",
        )

    def _pairwise(self, compared: Callable[[Floats, Floats], float]) -> NDArray[np.float64]:
        matrix = np.empty((len(self.maps), len(self.maps)))  # (n, n), the same both ways
        for i, one in enumerate(self.maps):
            for j, other in enumerate(self.maps[: i + 1]):
                matrix[i, j] = matrix[j, i] = compared(one, other)
        return matrix


def compare(
    source: Source,
    models: Iterable[str | Model],
    target: Target = None,
    *,
    stage: int = network.STAGES[-1],
    tiles: Sequence[Tile] = (),
) -> Comparison:
    """Looks at one photograph with several networks, for one class, and compares their maps.

    `models` are keys or loaded models; `target` None is the most probable class of the first one
    that works, trained ones before untrained; with `tiles`, the grid pointing game is played as
    well. A network whose weights are missing or that does not run becomes a failure with its
    message, and the others go on.
    Raises ImageError, UnknownModelError, UnknownClassError and ValueError for a wrong stage, and
    WeightsError when no network works.
    """
    if stage not in network.STAGES:
        raise ValueError(f"There is no stage {stage}. Stages are numbered 1 to 9.")
    entries = [(m, variants.find(m) if isinstance(m, str) else m.entry) for m in models]
    if not entries:
        raise ValueError("There is nothing to compare. Name at least one model.")
    photograph = source if isinstance(source, Photograph) else decode(source)
    index = None if target is None else class_index(target)
    networks: dict[int, NetworkResult] = {}
    failures: dict[int, Failure] = {}
    # Trained ones first: an untrained one would name a class by chance.
    for place in sorted(range(len(entries)), key=lambda i: _untrained(entries[i][0])):
        named, entry = entries[place]
        try:
            model = load(named) if isinstance(named, str) else named
            result = _all_of(photograph, model, index, stage, tiles)
        except (RuntimeError, MemoryError) as error:  # WeightsError among them
            failures[place] = Failure(entry.key, entry.title, failure_message(error, entry))
        else:
            networks[place] = result
            index = result.look.analysis.target.index
    missing = tuple(failures[place] for place in sorted(failures))
    if not networks:
        raise WeightsError(" ".join(failure.message for failure in missing))
    return Comparison(tuple(networks[place] for place in sorted(networks)), missing)


def _untrained(model: str | Model) -> bool:
    return isinstance(model, Model) and not model.trained


def _all_of(
    photograph: Photograph, model: Model, target: int | None, stage: int, tiles: Sequence[Tile]
) -> NetworkResult:
    looked = look(photograph, model, target, stage)
    result = NetworkResult(looked, race(looked, photograph))
    if not tiles:
        return result
    try:
        doubled = load(entry_for_mosaic(model.entry).key, untrained=not model.trained)
    except variants.VariantError as error:
        note = f"The grid pointing game needs twice the resolution of {model.entry.title}. {error}"
        return dataclasses.replace(result, notes=(note,))
    return dataclasses.replace(result, pointing=pointing(doubled, tiles, stage))


def failure_message(error: Exception, entry: zoo.ModelEntry) -> str:
    """Why a network could not be used, and what to do."""
    if isinstance(error, WeightsError):
        return str(error)
    reason = str(error) or "it needs more memory"  # a MemoryError often says nothing
    return (
        f"{entry.title} does not run on this machine ({reason}). Choose a smaller network or a "
        "smaller resolution instead."
    )
