"""The sanity check: does a map change when what the network has learnt is gone?

Cascading randomization of Adebayo et al. 2018 (arXiv 1810.03292), section 3.1: from the head to the
first stage, one after the other gets random weights, and stays random. Position 0 is the network
as trained, position 1 has a random head, position 2 a random last stage as well, and so on to
position n + 1, where nothing is left of what the n stages had learnt.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Protocol

import numpy as np

from effnet_viz.analysis.analysis import (
    Analysis,
    NoClassActivationMapError,
    require_class_activation_map,
)
from effnet_viz.analysis.progress import part
from effnet_viz.arrays import Floats, Placement, softmax
from effnet_viz.attribution import methods as table
from effnet_viz.attribution.methods import (
    Library,
    Method,
    MethodRefusedError,
    Place,
    Question,
    Task,
)
from effnet_viz.attribution.stages import engine_maps
from effnet_viz.engines.engine import Engine, lock
from effnet_viz.metrics.agreement import rank_correlation
from effnet_viz.metrics.sanity import hardly_changes, structural_similarity
from effnet_viz.models.model import Model
from effnet_viz.records import Prediction

# Maps at every position


@dataclass(frozen=True, eq=False)
class Cascade:
    """Maps of one image for one class, from the trained network to a random one."""

    probabilities: tuple[float, ...]
    """Of the class, 0 to 1, at positions 0 to n + 1."""
    maps: Mapping[str, Floats]
    """Key of a method to its raw, signed maps, (n + 2, h, w)."""
    refused: Mapping[str, str]
    """Key of a method that could not be run, at one position or more, to the reason."""


class CascadeRunner(Protocol):
    """Something that makes the maps of a cascade."""

    def __call__(
        self,
        model: Model,
        methods: Sequence[Method],
        image: Floats,
        question: Question,
        *,
        seed: int,
        progress: Callable[[float], None],
    ) -> Cascade:
        """See run_cascade."""
        ...


def run_cascade(
    model: Model,
    methods: Sequence[Method],
    image: Floats,
    question: Question,
    *,
    seed: int,
    progress: Callable[[float], None],
) -> Cascade:
    """The map of each method for the same class at every position, in this process.

    `image` is (1, 3, R, R); the stage means nothing to a method that looks at the last one or at
    pixels. At each position all maps are of one network on PyTorch, the trained one among them, so
    that nothing but weights differs between positions. A method that refuses is left out.
    `progress` hears how much is done, 0 to 1; what it raises ends the cascade. Raises ValueError
    for another stage, WeightsError, EngineError and MemoryError.
    """
    if not 1 <= question.stage <= model.last_stage:
        raise ValueError(
            f"There is no stage {question.stage}. Stages are numbered 1 to {model.last_stage}."
        )
    import torch  # takes seconds, and a page that shows a cascade computes none

    from effnet_viz.engines.random_weights import randomize
    from effnet_viz.engines.torch_engine import TorchEngine

    network, images = model.module(), torch.tensor(image)  # (1, 3, R, R)
    positions = model.last_stage + 2
    refused: dict[str, str] = {}
    found: dict[str, list[Floats]] = {method.key: [] for method in methods}
    probabilities: list[float] = []
    for position in range(positions):
        engine = TorchEngine(randomize(network, position, images, seed))
        activations = engine.forward(image)
        probabilities.append(float(softmax(activations.logits[0])[question.target]))
        for number, method in enumerate(methods):
            before = position + number / len(methods)
            progress(before / positions)
            if method.key in refused:
                continue
            at = method.stage_of(question.stage, model.last_stage)
            hear = part(progress, before / positions, (before + 1 / len(methods)) / positions)
            try:
                if method is table.CAM:
                    require_class_activation_map(model, at)
                if method.library is Library.ENGINE:
                    maps = engine_maps(method, engine, activations, at, [question.target]).values
                    found[method.key].append(maps[0])  # (h, w)
                else:
                    # Copies of their own: they attach hooks, and ask for gradients of the image.
                    own, x = copy.deepcopy(engine.network), images.clone()
                    target, other = question.target, question.other
                    task = Task(own, x, target, other, at, partial(_logits, engine), hear)
                    found[method.key].append(method.run(task))  # (h, w)
            except (MethodRefusedError, NoClassActivationMapError) as error:
                refused[method.key] = str(error)
    progress(1)
    kept = {key: lock(np.stack(maps)) for key, maps in found.items() if key not in refused}
    return Cascade(tuple(probabilities), MappingProxyType(kept), MappingProxyType(refused))


def _logits(engine: Engine, images: Floats) -> Floats:
    return engine.forward(images).logits  # (B, classes)


# The check


@dataclass(frozen=True, eq=False)
class MethodCheck:
    """How one method's map changes while the network becomes random."""

    method: Method
    stage: int | None
    """None: the pixels of the input."""
    placement: Placement
    """Where the cells of its maps lie in the square that the model saw."""
    maps: Floats
    """Raw and signed, (n + 2, h, w): one for each position."""
    rank_correlations: tuple[float, ...]
    """With the map at position 0, -1 to 1, signed, for each position (the first is 1); nan for a
    flat map. See metrics.agreement."""
    structural_similarities: tuple[float, ...]
    """Likewise; see metrics.sanity."""

    @property
    def hardly_changes(self) -> bool:
        """Whether it stays alike although nothing learnt is left; see metrics.sanity."""
        return hardly_changes(self.rank_correlations)

    @property
    def nbytes(self) -> int:
        return self.maps.nbytes


@dataclass(frozen=True, eq=False)
class SanityCheck:
    """Adebayo's sanity check of methods on one image; see the module for the positions.

    It is about methods, not about the network: it shows whether a map depends on what was learnt,
    and not whether it is right. One image and one seed are an example, no measurement.
    """

    target: Prediction
    """The class that all maps explain, also where it is no longer the most probable one."""
    seed: int
    probabilities: tuple[float, ...]
    """Of the class, 0 to 1, at each position."""
    methods: Mapping[str, MethodCheck]
    """By key, in the order in which they were asked for."""
    refused: Mapping[str, str]
    """Key of a method that could not be run to the reason."""

    @property
    def nbytes(self) -> int:
        return sum(check.nbytes for check in self.methods.values())


def sanity_check(
    analysis: Analysis,
    methods: Sequence[Method | str],
    *,
    stage: int | None = None,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
    runner: CascadeRunner = run_cascade,
) -> SanityCheck:
    """How the maps of methods for the class of an analysis change while its network becomes random.

    `stage` None is the last one; `runner` makes the maps, which takes n + 2 times what each method
    takes: a server has a process for it. The same call gives the same bits. Raises
    UnknownMethodError, and what run_cascade raises.
    """
    model = analysis.model
    chosen = list(dict.fromkeys(table.find(method) for method in methods))
    at = model.last_stage if stage is None else stage
    cascade = runner(
        model,
        chosen,
        analysis.image,
        Question(at, analysis.target.index, analysis.other_than(analysis.target).index),
        seed=seed,
        progress=progress,
    )
    checks = {
        method.key: _check(
            model, method, method.stage_of(at, model.last_stage), cascade.maps[method.key]
        )
        for method in chosen
        if method.key in cascade.maps
    }
    return SanityCheck(
        analysis.target, seed, cascade.probabilities, MappingProxyType(checks), cascade.refused
    )


def _check(model: Model, method: Method, stage: int, maps: Floats) -> MethodCheck:
    of_pixels = method.place is Place.PIXELS
    return MethodCheck(
        method=method,
        stage=None if of_pixels else stage,
        placement=Placement.even(maps.shape[-1])
        if of_pixels
        else model.structure.stages[stage].placement,
        maps=maps,
        rank_correlations=tuple(rank_correlation(maps[0], values) for values in maps),
        structural_similarities=tuple(structural_similarity(maps[0], values) for values in maps),
    )
