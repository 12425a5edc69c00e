"""One photograph and one class, several networks: their maps, agreement, deletion, pointing game.

`explain_each` has the policy for several networks, `compare` collects what it gives.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.analysis import NoClassActivationMapError, Source, Target
from effnet_viz.analysis.explanation import GRID, Explanation, explain
from effnet_viz.analysis.faithfulness import DeletionInsertion, deletion_insertion
from effnet_viz.analysis.pointing_game import (
    GridCell,
    GridPointing,
    entry_for_mosaic,
    grid_pointing,
)
from effnet_viz.arrays import Box, Floats, resample
from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import Method, MethodRefusedError
from effnet_viz.engines.engine import EngineError
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.metrics import agreement
from effnet_viz.models.classes import Classes
from effnet_viz.models.model import Model, classes_of, load
from effnet_viz.models.variants import ModelRef, VariantError, find
from effnet_viz.models.weights import WeightsError


@dataclass(frozen=True)
class Failure:
    """A network that could not be used."""

    model: str
    title: str
    message: str
    """What happened and what to do."""
    error: Exception
    """What was raised."""


class OtherClassesError(ValueError):
    """A network that tells other classes apart than those that it is compared with."""


UNUSABLE = (WeightsError, EngineError, MemoryError)
"""What says of one network that it cannot be used here. Anything else is a mistake of ours."""


NO_MAP = (MethodRefusedError, NoClassActivationMapError, OtherClassesError, *UNUSABLE)
"""What says of one network that there is no map of a method."""


def failure_message(error: Exception, title: str) -> str:
    """Why a network could not be used, and what to do; for the errors of NO_MAP."""
    if isinstance(
        error, WeightsError | MethodRefusedError | NoClassActivationMapError | OtherClassesError
    ):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            f"{title} needs more memory than this machine has free. Choose a smaller network or a "
            "smaller resolution instead."
        )
    return (
        f"{title} does not run on this machine. Choose another network; whoever runs this machine "
        "finds the reason in its log."
    )


def explain_each(
    source: Source,
    models: Sequence[str | ModelRef | Model],
    target: Target = None,
    *,
    stage: int | None = None,
    explain: Callable[[Photograph, str | ModelRef | Model, Target, int | None], Explanation]
    | None = None,
) -> Iterator[tuple[int, Explanation | Failure]]:
    """Every network's map of one photograph for one class, as soon as it is there.

    Yields the place of a network among `models` and its map or why there is none: trained networks
    first, since an untrained one would name a class by chance. `target` None is the most probable
    class of the first network that works, whose classes all have to have. What says that one
    network cannot be used (missing weights, other classes, an engine that fails, too little memory,
    a method that refuses) is a Failure, and the others go on; any other error is raised. `explain`
    makes one map, by default `explain_model`.
    Raises ImageError, UnknownModelError and UnknownClassError.
    """
    photograph = source if isinstance(source, Photograph) else decode(source)
    make = explain or explain_model
    named = [_key_and_title(model) for model in models]
    first: Model | None = None
    for place in sorted(range(len(models)), key=lambda i: _is_untrained(models[i])):
        try:
            if first is not None:
                _require_same_classes(models[place], first)
            explanation = make(photograph, models[place], target, stage)
        except NO_MAP as error:
            key, title = named[place]
            yield place, Failure(key, title, failure_message(error, title), error)
        else:
            target = explanation.attribution.target.label
            first = first or explanation.analysis.model
            yield place, explanation


def classes_in(model: str | ModelRef | Model) -> Classes:
    """The classes of a network, which is not loaded for it."""
    if isinstance(model, Model):
        return model.classes
    return classes_of(find(model) if isinstance(model, str) else model.entry)


def _require_same_classes(model: str | ModelRef | Model, first: Model) -> None:
    """Labels and their order: a class is found by its label, and in a mosaic by its place."""
    classes = classes_in(model)
    if classes != first.classes:
        counts = f": it has {len(classes)}, and that one {len(first.classes)}"
        raise OtherClassesError(
            f"It tells other classes apart than {first.card.title}"
            f"{counts if len(classes) != len(first.classes) else ''}. Maps are compared for one "
            "class: compare networks of the same classes."
        )


def explain_model(
    photograph: Photograph,
    model: str | ModelRef | Model,
    target: Target,
    stage: int | None,
    method: Method | str | None = None,
) -> Explanation:
    """One network's map; a key or reference is loaded first."""
    return explain(photograph, _loaded(model), target, stage, method)


def _loaded(model: str | ModelRef | Model) -> Model:
    if isinstance(model, Model):
        return model
    ref = ModelRef(model) if isinstance(model, str) else model
    return load(ref.key, untrained=ref.untrained)


def _key_and_title(model: str | ModelRef | Model) -> tuple[str, str]:
    if isinstance(model, Model):
        return model.id.key, model.card.title
    entry = find(model) if isinstance(model, str) else model.entry
    return entry.key, entry.title


def _is_untrained(model: str | ModelRef | Model) -> bool:
    if isinstance(model, Model):
        return not model.trained
    return isinstance(model, ModelRef) and model.untrained


@dataclass(frozen=True, eq=False)
class NetworkResult:
    """Everything about one network; what was not asked for, or was too large, is None."""

    explanation: Explanation
    deletion_insertion: DeletionInsertion | None = None
    pointing: GridPointing | None = None
    notes: tuple[str, ...] = ()
    """Why something is missing, and what to do."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several networks' maps of one photograph for one class. At least one network worked."""

    networks: tuple[NetworkResult, ...]
    failures: tuple[Failure, ...] = ()

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        return tuple(network.explanation for network in self.networks)

    @cached_property
    def region(self) -> Box:
        """The part of the photograph that every network saw, in its pixels."""
        return agreement.common_region([e.attribution.crop.box for e in self.explanations])

    @cached_property
    def maps(self) -> tuple[Floats, ...]:
        """Every network's map over `region`, (GRID, GRID), in units of its logit.

        A cell of all of them is one place in the photograph; see arrays.resample.
        """
        attributions = [explanation.attribution for explanation in self.explanations]
        return tuple(
            resample(a.values, a.placement, GRID, GRID, a.crop.part(self.region))
            for a in attributions
        )

    @cached_property
    def rank_correlation(self) -> NDArray[np.float64]:
        """Spearman's ρ of every two maps over `region`, (n, n)."""
        return self._pairwise(agreement.rank_correlation)

    @cached_property
    def overlap(self) -> NDArray[np.float64]:
        """Intersection over union of the highest 20 % of every two maps, (n, n)."""
        return self._pairwise(agreement.top_iou)

    @cached_property
    def disagreement(self) -> Floats:
        """Standard deviation across networks of each place's rank, (GRID, GRID) over `region`."""
        return agreement.disagreement(self.maps)

    @property
    def recipes(self) -> tuple[str, ...]:
        """The training recipes of the trained networks, each once."""
        found = [explanation.analysis.provenance for explanation in self.explanations]
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
    models: Iterable[str | ModelRef | Model],
    target: Target = None,
    *,
    stage: int | None = None,
    method: Method | str | None = None,
    cells: Sequence[GridCell] = (),
) -> Comparison:
    """Explains one photograph with several networks, for one class, and compares their maps.

    `models` are keys, references or models; see explain_each for the class and for networks that
    cannot be used. `stage` None is each network's last one; `method` None is CAM there and Grad-CAM
    before. With `cells`, the grid pointing game is played as well.
    Raises ImageError, UnknownModelError, UnknownClassError, UnknownMethodError and ValueError for a
    wrong stage, and WeightsError when no network works.
    """
    make = partial(explain_model, method=None if method is None else methods.find(method))
    given = list(models)
    if not given:
        raise ValueError("There is nothing to compare. Name at least one model.")
    photograph = source if isinstance(source, Photograph) else decode(source)
    networks: dict[int, NetworkResult] = {}
    failures: dict[int, Failure] = {}
    for place, outcome in explain_each(photograph, given, target, stage=stage, explain=make):
        if isinstance(outcome, Failure):
            failures[place] = outcome
        else:
            networks[place] = _measure(outcome, photograph, cells)
    missing = tuple(failures[place] for place in sorted(failures))
    if not networks:
        raise WeightsError(" ".join(failure.message for failure in missing))
    return Comparison(tuple(networks[place] for place in sorted(networks)), missing)


def _measure(
    explanation: Explanation, photograph: Photograph, cells: Sequence[GridCell]
) -> NetworkResult:
    result = NetworkResult(explanation, deletion_insertion(explanation, photograph))
    if not cells:
        return result
    model = explanation.analysis.model
    try:
        doubled = load(entry_for_mosaic(find(model.id.key)).key, untrained=not model.trained)
    except VariantError as error:
        note = f"The grid pointing game needs twice the resolution of {model.card.title}. {error}"
        return dataclasses.replace(result, notes=(note,))
    played = grid_pointing(
        doubled, cells, explanation.attribution.stage, method=explanation.attribution.method
    )
    return dataclasses.replace(result, pointing=played)
