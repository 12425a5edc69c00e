"""Files of the data to inputs of a network, many at once and in their order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import TypeVar

import numpy as np

from effnet_viz.arrays import Floats
from effnet_viz.finetuning.data import FinetuneError, LabelledFile
from effnet_viz.finetuning.recipes import Recipe
from effnet_viz.images.decode import MAX_BYTES, decode
from effnet_viz.images.photograph import ImageError, Photograph
from effnet_viz.images.preprocessing import ResizeAndCrop

WORKERS = os.cpu_count() or 1
"""Threads that decode: Pillow leaves the other threads alone meanwhile."""

Item = TypeVar("Item")
Made = TypeVar("Made")


def in_order(
    make: Callable[[Item], Made], items: Iterable[Item], ahead: int = 4 * WORKERS
) -> Iterator[Made]:
    """make(item) of all items in their order, made in threads, at most `ahead` before its turn."""
    with ThreadPoolExecutor(WORKERS) as pool:
        pending: deque[Future[Made]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(make, item))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of so many items each; the last one may be shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def content_of(file: LabelledFile) -> bytes:
    """All bytes of a regular file of at most MAX_BYTES. Raises ImageError for any other."""
    try:
        if not file.path.is_file():
            raise ImageError("There is no such file; check its path.")
        with file.path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)  # decode refuses one byte more
    except OSError as error:
        raise ImageError(
            f"This file cannot be read ({error.strerror or error}); check its path and the right "
            "to read it."
        ) from error
    return content


def unchanged(file: LabelledFile, digest: str) -> Photograph:
    """The picture, once more. Raises FinetuneError when it is another one now."""
    try:
        photograph = decode(content_of(file))
    except ImageError as error:
        raise FinetuneError(
            f"{file.name} could be read before and cannot be now: {error} Put it back, or give the "
            "command again under another --name."
        ) from error
    if photograph.digest != digest:
        raise FinetuneError(
            f"{file.name} was changed while it was learned from. Put the old picture back, or give "
            "the command again under another --name."
        )
    return photograph


def augmented(
    photograph: Photograph,
    preprocessing: ResizeAndCrop,
    recipe: Recipe,
    random: np.random.Generator,
) -> Floats:
    """An input (1, 3, R, R) for training: a random square, mirrored half of the time.

    Its area is at least `recipe.smallest_area` of the largest square; it is resized and normalised
    as the model's own preprocessing does.
    """
    shorter = min(photograph.width, photograph.height)
    side = max(1, round(shorter * float(random.uniform(recipe.smallest_area, 1.0)) ** 0.5))
    left = int(random.integers(photograph.width - side + 1))
    top = int(random.integers(photograph.height - side + 1))
    cut = photograph.pixels[top : top + side, left : left + side]  # (S, S, 3)
    if random.random() < 0.5:
        cut = cut[:, ::-1]
    whole = replace(preprocessing, resize=preprocessing.resolution)
    return whole(Photograph(np.ascontiguousarray(cut), photograph.digest, ()))[0]
