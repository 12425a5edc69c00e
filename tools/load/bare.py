"""What the main page computes for a photograph, without a server: a loop on every core."""

from __future__ import annotations

import hashlib
import math
import multiprocessing
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import TYPE_CHECKING

from tools.load.expectations import FIRST_MODEL, FIRST_STAGE

if TYPE_CHECKING:
    from effnet_viz import Model

LEAST_IMAGES = 30
"""Images over which it is measured, or it would be noise."""

_all_ready: Barrier


def bare_rate(contents: Sequence[bytes]) -> float:
    """Images per second; the median of several passes over these files.

    A process on every core takes its share of them. It decodes, analyses whole (nine stages, every
    map, the sentences) and makes the pictures of the page.
    """
    cores = sorted(os.sched_getaffinity(0))
    passes = max(3, math.ceil(LEAST_IMAGES / len(contents)))
    context = multiprocessing.get_context("spawn")  # not forked: the parent has threads
    barrier = context.Barrier(len(cores))
    with ProcessPoolExecutor(
        len(cores), mp_context=context, initializer=_hear, initargs=(barrier,)
    ) as processes:
        shares = [list(contents[number :: len(cores)]) for number in range(len(cores))]
        spans = list(processes.map(_timed_passes, cores, shares, [passes] * len(cores)))
    rates = [
        len(contents) / (max(end for _, end in together) - min(begin for begin, _ in together))
        for together in zip(*spans, strict=True)
    ]
    return statistics.median(rates)


def _hear(barrier: Barrier) -> None:
    global _all_ready
    _all_ready = barrier


def _timed_passes(core: int, contents: list[bytes], passes: int) -> list[tuple[float, float]]:
    """When each pass over the files began and ended, on a clock that all processes share."""
    os.sched_setaffinity(0, {core})  # before libraries count cores
    from unittest.mock import patch

    from effnet_viz import load
    from effnet_viz.assets import SAMPLES
    from effnet_viz.engines import conversions
    from effnet_viz.images.decode import decode
    from effnet_viz.ui import results

    model = load(FIRST_MODEL)
    conversions.wait()
    spans = []
    with patch.object(results, "decoded", decode):  # not in a process of its own
        make_page((SAMPLES / "cat.jpg").read_bytes(), model)  # the first run prepares the network
        for _ in range(passes):
            _all_ready.wait()
            begin = time.perf_counter()
            for content in contents:
                make_page(content, model)
            spans.append((begin, time.perf_counter()))
    return spans


def make_page(content: bytes, model: Model) -> None:
    """All results of the main page for a photograph that nobody has seen yet."""
    from effnet_viz.attribution import methods
    from effnet_viz.ui import results
    from effnet_viz.ui.inputs.image_picker import THUMBNAIL
    from effnet_viz.ui.upload import Upload

    results.clear()
    image = Upload(hashlib.sha256(content).hexdigest(), "", "", content)
    explained = results.explanation(model, image, None, None)
    results.verdict(explained)
    results.hottest_blurred(explained, image)
    results.sent_photograph(image)
    results.overview(image)
    results.thumbnail(image, THUMBNAIL)
    for stage in model.structure.stages:
        results.attribution(explained.analysis, methods.GRAD_CAM, stage)
        results.mean_tile(model, image, stage)
    results.channels(model, image, FIRST_STAGE)
