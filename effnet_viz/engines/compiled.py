"""OpenVINO runs converted networks; torch is only needed for gradients that are not there."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, partial
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import openvino

from effnet_viz.arrays import Floats
from effnet_viz.engines import conversions
from effnet_viz.engines.conversions import FORWARD, GRADIENTS, Entry, Recipe
from effnet_viz.engines.engine import (
    Activations,
    StageEvidence,
    as_activations,
    as_evidence,
    engine_errors,
    lock,
    one_hot,
    require_images,
)

if TYPE_CHECKING:
    from effnet_viz.engines.torch_engine import TorchEngine

_log = logging.getLogger("effnet_viz")

BATCH = 16
"""Images that run at once where as many are left; the rest run one by one."""

ADVICE = "Run this network with PyTorch instead: engines.torch_engine.TorchEngine(network)."


class CachedEngine:
    """OpenVINO in float32 for both passes, from what conversions has on disk.

    The network itself is only made, and PyTorch only asked, for gradients that are not there: of
    the earliest stages of the largest networks, and while they are still being converted.
    Raises ConversionError for a network that cannot be converted, EngineError where OpenVINO fails.
    """

    def __init__(self, recipe: Recipe) -> None:
        entry = conversions.fetch(recipe)
        self._recipe = recipe
        self.head = entry.head()
        self._forward = ForwardPass(
            partial(_read, entry), recipe.resolution, _compiled(entry, recipe, FORWARD)
        )
        self.name = f"{name()}, gradients by the same or torch {version('torch')}"

    def forward(self, images: Floats) -> Activations:
        """See engine.Engine."""
        return self._forward(images)

    def explain(
        self, images: Floats, activations: Activations, targets: Sequence[int]
    ) -> Mapping[int, StageEvidence]:
        """See engine.Engine."""
        rows = one_hot(targets, activations.logits.shape)  # (B, classes)
        gradients = _gradients(self._recipe)
        return {} if gradients is None else gradients(images, activations, rows)

    def gradient(self, activation: Floats, stage: int, targets: Sequence[int]) -> Floats:
        """See engine.Engine."""
        return self._eager.gradient(activation, stage, targets)

    @cached_property
    def _eager(self) -> TorchEngine:
        from effnet_viz.engines.optimize import ease_gradients, fold_batch_norms
        from effnet_viz.engines.torch_engine import TorchEngine

        network = self._recipe.network()
        engine = TorchEngine(network)
        fold_batch_norms(network, self._recipe.resolution)
        ease_gradients(network)
        return engine


def name() -> str:
    return f"openvino {openvino.get_version().split('-')[0]} float32"


def _read(entry: Entry) -> openvino.Model:
    with engine_errors("reading a conversion", ADVICE):
        return openvino.Core().read_model(entry.model)


_SETTINGS = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}


def compile_for(model: openvino.Model, images: int, resolution: int) -> openvino.CompiledModel:
    """A forward pass for exactly so many images."""
    fixed = model.clone()
    fixed.reshape([images, 3, resolution, resolution])  # unknown shapes are slow
    return _compile(fixed)


def _compile(model: openvino.Model) -> openvino.CompiledModel:
    return openvino.Core().compile_model(model, "CPU", _SETTINGS)


def keep_compiled(recipe: Recipe, kind: str) -> None:
    """Keep what this kind of processor runs beside a conversion. Raises OSError.

    To read it takes a third to two thirds of compiling it anew.
    """
    entry = conversions.read(recipe, kind)
    if entry is None or not entry.model.exists() or conversions.read(recipe, _on_this(kind)):
        return
    blob = _from_conversion(entry, recipe, kind).export_model()
    conversions.write(
        recipe, _on_this(kind), lambda place: _write(place / _BLOB, blob), {"of": recipe.arguments}
    )


_BLOB = "compiled.blob"


def _write(path: Path, blob: BytesIO) -> None:
    path.write_bytes(blob.getbuffer())


def _from_conversion(entry: Entry, recipe: Recipe, kind: str) -> openvino.CompiledModel:
    model = _read(entry)
    with engine_errors("compiling a conversion", ADVICE):
        if kind == FORWARD:
            return compile_for(model, 1, recipe.resolution)
        return _compile(model)


def _compiled(entry: Entry, recipe: Recipe, kind: str) -> openvino.CompiledModel:
    """A conversion for single images, as it is kept compiled or compiled now."""
    kept = conversions.read(recipe, _on_this(kind))
    if kept is not None:
        blob = openvino.Tensor(np.fromfile(kept.folder / _BLOB, np.uint8))
        try:
            return openvino.Core().import_model(blob, "CPU", _SETTINGS)
        except RuntimeError as error:
            _log.warning("%s cannot be used and is compiled anew: %s", kept.folder, error)
    return _from_conversion(entry, recipe, kind)


@cache
def _on_this(kind: str) -> str:
    """The kind of a conversion as compiled for this processor: it runs on no other."""
    core = openvino.Core()
    told = [core.get_property("CPU", "FULL_DEVICE_NAME"), os.cpu_count()]
    told += sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    return f"{kind}-on-{hashlib.sha256(repr(told).encode()).hexdigest()[:12]}"


class ForwardPass:
    """Logits and stages of any number of images. Safe to share between threads."""

    def __init__(
        self, read: Callable[[], openvino.Model], resolution: int, single: openvino.CompiledModel
    ) -> None:
        """`read` gives the model again, for batches; `single` is compiled for one image."""
        self._read = read
        self._resolution = resolution
        self._single = _Graph(single, 1)
        self._batched: _Graph | None = None
        self._compiling = Lock()

    def __call__(self, images: Floats) -> Activations:
        require_images(images)
        if images.shape[2] != self._resolution:
            raise ValueError(
                f"This engine is for {self._resolution} pixels a side, not {images.shape[2]}."
            )
        begin = time.perf_counter()
        x = np.ascontiguousarray(images)  # (B, 3, R, R)
        with engine_errors("the forward pass", ADVICE):
            # OpenVINO writes into the results themselves: nothing is copied, nothing used twice.
            outputs = [np.empty((len(x), *shape), np.float32) for shape in self._single.shapes]
            done = 0
            while done < len(x):
                graph = self._batch_graph() if len(x) - done >= BATCH else self._single
                part = slice(done, done + graph.images)
                graph.run([x[part]], [output[part] for output in outputs])
                done += graph.images
        return as_activations([lock(output) for output in outputs], time.perf_counter() - begin)

    def _batch_graph(self) -> _Graph:
        with self._compiling:
            if self._batched is None:
                batched = compile_for(self._read(), BATCH, self._resolution)
                self._batched = _Graph(batched, BATCH)
            return self._batched


KEPT_BYTES = 800_000_000
"""What the gradients of all networks may take in this process; those used longest ago go first."""

_kept: OrderedDict[str, _GradientPass] = OrderedDict()
_keeping = Lock()


def _gradients(recipe: Recipe) -> _GradientPass | None:
    """Those of a recipe, compiled now if they are not in memory; None where there are none yet."""
    with _keeping:
        found = _kept.get(recipe.key)
        if found is None:
            entry = conversions.read(recipe, GRADIENTS)
            if entry is None:
                return None
            needed = entry.told.get("bytes", 0)
            while _kept and needed + sum(one.nbytes for one in _kept.values()) > KEPT_BYTES:
                _kept.popitem(last=False)
            found = _kept[recipe.key] = _GradientPass(entry, recipe)
        _kept.move_to_end(recipe.key)
        return found


class _GradientPass:
    """Evidence at every stage that the graph reaches, image by image. Safe to share."""

    def __init__(self, entry: Entry, recipe: Recipe) -> None:
        self._first: int | None = entry.told["first"]
        self.nbytes: int = entry.told.get("bytes", 0)
        if self._first is not None:
            self._graph = _Graph(_compiled(entry, recipe, GRADIENTS), 1)

    def __call__(
        self, images: Floats, activations: Activations, rows: Floats
    ) -> Mapping[int, StageEvidence]:
        if self._first is None:
            return {}
        x = images if self._first == 1 else activations.stages[self._first - 1]  # (B, C, h, w)
        with engine_errors("the gradients", ADVICE):
            shapes = self._graph.shapes
            outputs = [np.empty((len(x), *shape), np.float32) for shape in shapes]
            for number in range(len(x)):
                part = slice(number, number + 1)
                inputs = [np.ascontiguousarray(x[part]), rows[part]]
                self._graph.run(inputs, [output[part] for output in outputs])
        return as_evidence([lock(output) for output in outputs[1:]], self._first)


class _Graph:
    """A graph compiled for a fixed number of images. Safe to share between threads."""

    def __init__(self, compiled: openvino.CompiledModel, images: int) -> None:
        self.images = images
        self._compiled = compiled
        self._idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        self.shapes = [tuple(output.shape)[1:] for output in self._compiled.outputs]
        """Of the outputs, for one image."""

    def run(self, inputs: Sequence[Floats], outputs: Sequence[Floats]) -> None:
        """Fill the outputs, (B, ...) each, for exactly as many images as it was compiled for."""
        try:
            request = self._idle.get_nowait()
        except Empty:  # as many requests as threads ask at once
            request = self._compiled.create_infer_request()
        try:
            for number, output in enumerate(outputs):
                request.set_output_tensor(number, openvino.Tensor(output, shared_memory=True))
            request.infer(list(inputs), share_inputs=True)
        finally:
            self._idle.put(request)
