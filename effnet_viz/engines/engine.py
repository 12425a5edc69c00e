"""One forward pass gives logits and every stage; one pass back through a tail gives a gradient.

Nothing is attached to the network and nothing of it changes, so threads share one without a lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np

from effnet_viz.arrays import Floats


class EngineError(RuntimeError):
    """The library that runs a network failed; the message says what to do, __cause__ is its own."""


@contextmanager
def engine_errors(
    doing: str, advice: str, more: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """What a library raises inside becomes EngineError, or MemoryError where memory was short.

    torch and OpenVINO raise RuntimeError; `more` are other exceptions of the library's own. Put it
    around calls of the library alone: a programming error must stay what it is.
    """
    failures: tuple[type[Exception], ...] = (RuntimeError, *more)
    try:
        with memory_errors(doing, failures):
            yield
    except failures as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise EngineError(f"Failed at {doing}: {reason} {advice}") from error


@contextmanager
def memory_errors(
    doing: str, failures: tuple[type[Exception], ...] = (RuntimeError,)
) -> Iterator[None]:
    """What a library raises inside because memory was short becomes MemoryError."""
    raised: tuple[type[Exception], ...] = (*failures, ImportError)  # loaded only now, perhaps
    try:
        yield
    except raised as error:
        if not any(sign in str(error).lower() for sign in _OUT_OF_MEMORY):
            raise
        raise MemoryError(
            f"There is not enough memory for {doing}. Take a smaller resolution or a smaller "
            "model, or try again when less is running."
        ) from error


_OUT_OF_MEMORY = (
    *("out of memory", "allocate memory", "bad_alloc", "bad allocation"),
    *("failed to allocate", "can't alloc"),  # OpenVINO's
    "failed to map",  # the loader's of libraries
)


@dataclass(frozen=True, eq=False)
class Activations:
    """What a batch of images left in a network: float32 arrays, not writeable."""

    logits: Floats
    """(B, classes)"""
    stages: Mapping[int, Floats]
    """Stage number, 1 to n, to (B, C, h, w)."""
    seconds: float
    """What the forward pass took; the first one of a model takes longer."""

    @property
    def nbytes(self) -> int:
        return self.logits.nbytes + sum(stage.nbytes for stage in self.stages.values())

    def select(self, image: int) -> Activations:
        """One image of the batch, as a batch of one, with its share of the seconds.

        A copy, so that it does not keep the others in memory. Raises IndexError for another image.
        """
        images = len(self.logits)
        if not 0 <= image < images:
            raise IndexError(f"The batch has images 0 to {images - 1}, not {image}.")
        if images == 1:
            return self
        stages = {number: _one(stage, image) for number, stage in self.stages.items()}
        return Activations(
            _one(self.logits, image), MappingProxyType(stages), self.seconds / images
        )


def _one(array: Floats, image: int) -> Floats:
    return lock(array[image : image + 1].copy())


def lock(array: Floats) -> Floats:
    """The same array, no longer writeable."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class StageEvidence:
    """What speaks for one class each of B images at one stage; float32, not writeable."""

    grad_cam: Floats
    """Σ_k (Σ G_k) A_k, (B, h, w), in units of the logit; see attribution.cam.grad_cam."""
    weights: Floats
    """α, the mean of the gradient G over positions, (B, C)."""
    products: Floats
    """Σ G · A over positions, (B, C)."""
    product_map: Floats
    """Σ G · A over channels, (B, h, w)."""


@dataclass(frozen=True, eq=False)
class Head:
    """A linear head after a global average: logits = weight · mean(last activation) + bias."""

    weight: Floats
    """(classes, C)"""
    bias: Floats
    """(classes,)"""

    def gradient(self, activation: Floats, targets: Sequence[int]) -> Floats:
        """d logit[target] / d activation of the last stage, (B, C, h, w): w_ck / (h · w).

        What follows the last stage is a mean and a product, so its gradient is known without
        running it.
        """
        weight = self.weight[list(targets)]  # (B, C)
        cells = np.float32(activation.shape[2] * activation.shape[3])
        return np.broadcast_to((weight / cells)[:, :, None, None], activation.shape)


class Engine(Protocol):
    """Something that runs one network. Safe to share between threads; arrays in, arrays out.

    Raises EngineError where its library fails, MemoryError where memory is short.
    """

    @property
    def name(self) -> str:
        """What runs it, for provenance."""
        ...

    @property
    def head(self) -> Head | None:
        """None where no single linear layer follows a global average: there is no CAM then."""
        ...

    def forward(self, images: Floats) -> Activations:
        """Logits and all stages of images (B, 3, R, R), from one forward pass.

        Raises ValueError for another shape or type than float32.
        """
        ...

    def explain(
        self, images: Floats, activations: Activations, targets: Sequence[int]
    ) -> Mapping[int, StageEvidence]:
        """Evidence at all stages that one pass forward and back gives at once, by their number.

        `activations` are what `forward` gave for the images (B, 3, R, R), `targets` one class for
        each. None, or none of the earliest stages, where there is no such graph, or not yet:
        `gradient` gives them one by one. Raises ValueError for another number of targets,
        IndexError for an unknown class.
        """
        ...

    def gradient(self, activation: Floats, stage: int, targets: Sequence[int]) -> Floats:
        """d logit[target_b] / d activation_b, (B, C, h, w), for outputs of a stage, 1 to n.

        `activation` is (B, C, h, w), `targets` one class for each image. The activation becomes a
        leaf and only the stages after it run again, once for the whole batch: no image's logit
        depends on another's activation. The result equals the gradient through the whole network.
        Raises ValueError for another stage or number of targets, IndexError for an unknown class.
        """
        ...


# What engines have in common


def one_hot(targets: Sequence[int], shape: tuple[int, ...]) -> Floats:
    """Rows (B, classes), 1 at the class of each image. Raises as Engine.explain does."""
    if len(targets) != shape[0]:
        raise ValueError(f"{shape[0]} images have {len(targets)} target classes.")
    require_classes(targets, shape[1])
    rows = np.zeros(shape, np.float32)  # (B, classes)
    rows[range(len(targets)), list(targets)] = 1
    return rows


def as_evidence(outputs: Sequence[Floats], first: int) -> Mapping[int, StageEvidence]:
    """What gradient_graph.explained gives after the logits, by stage."""
    return MappingProxyType(
        {
            first + place // 4: StageEvidence(*outputs[place : place + 4])
            for place in range(0, len(outputs), 4)
        }
    )


def require_images(images: Floats) -> None:
    """Raises ValueError for anything but float32 (B, 3, R, R) with B of at least 1."""
    square = images.ndim == 4 and images.shape[1] == 3 and images.shape[2] == images.shape[3]
    if not square or images.size == 0 or images.dtype != np.float32:
        raise ValueError(
            f"Images are float32 (B, 3, R, R), not {images.dtype} {tuple(images.shape)}."
        )


def require_classes(targets: Sequence[int], classes: int) -> None:
    """Raises IndexError for a class that the network does not have."""
    for target in targets:
        if not 0 <= target < classes:
            raise IndexError(f"There is no class {target}. Classes are 0 to {classes - 1}.")


def as_activations(outputs: Sequence[Floats], seconds: float) -> Activations:
    """The logits, then stages 1 to n."""
    logits, *stages = outputs
    return Activations(logits, MappingProxyType(dict(enumerate(stages, start=1))), seconds)
