"""An entry of the zoo to its weight file: whether it is here, and getting it where it is not.

Of its content only the hash is looked at, so nothing here needs torch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from effnet_viz.models import advice, files, held
from effnet_viz.models.downloads import download, reachable
from effnet_viz.models.files import FileContent, Found
from effnet_viz.models.weights import (
    HeldFile,
    OwnFile,
    Readiness,
    RefusedFileError,
    RemoteFile,
    UserCheckpoint,
    WeightFile,
    WeightsError,
    WeightSource,
    is_there,
    path_of,
    published_size,
)
from effnet_viz.models.zoo import ModelEntry

if TYPE_CHECKING:  # it takes seconds
    from torch import Tensor

_log = logging.getLogger("effnet_viz")

LARGEST_FILE = 2**30
"""The most bytes of a checkpoint of one's own: B7 with what Adam keeps has 800 MB."""


def readiness(entry: ModelEntry) -> Readiness:
    """Whether the model's weights are here, could be downloaded, or neither.

    A checkpoint of the user's is here when a file has its name; loading says whether it is good.
    """
    if isinstance(entry.weights, UserCheckpoint | OwnFile):
        path = path_of(entry.weights)
        ready = path is not None and is_there(path)
    elif isinstance(entry.weights, HeldFile):
        ready = held.content(entry.weights) is not None
    else:
        ready = files.verified(entry.weights) is not None
    if ready:
        return Readiness.READY
    if isinstance(entry.weights, RemoteFile) and reachable(entry.weights.url):
        return Readiness.DOWNLOADABLE
    return Readiness.UNREACHABLE


def fetch(entry: ModelEntry) -> WeightFile:
    """The entry's file and its hash; its content is not looked at.

    An absent or damaged file is downloaded where it can be. Raises WeightsError.
    """
    if isinstance(entry.weights, HeldFile):
        content = held_content(entry.weights)
        return WeightFile(content.path, content.sha256)
    return found(entry, files.identify)


def size_limit(entry: ModelEntry) -> int:
    """The most bytes that the entry's weight file can have."""
    if isinstance(entry.weights, OwnFile | HeldFile):
        return LARGEST_FILE
    if isinstance(entry.weights, UserCheckpoint):
        from effnet_viz.models.architectures import expected_state  # takes seconds: torch

        return _size_limit(expected_state(entry))
    return published_size(entry.weights)


def _size_limit(expected: Mapping[str, Tensor]) -> int:
    """The most bytes that a state dict's file has: numbers of 64 bits, and what a format adds.

    Headers, names and alignment take 0.3 to 1 kB a tensor; metadata may have 1 MB.
    """
    return sum(8 * tensor.numel() + 2048 for tensor in expected.values()) + 1024**2


def held_content(weights: HeldFile) -> FileContent:
    """Raises WeightsError where nobody has the file open any more."""
    data = held.content(weights)
    if data is None:
        raise WeightsError(advice.missing(weights))
    return FileContent(Path(weights.filename), weights.sha256, data)


def found(entry: ModelEntry, take: Callable[[Path, int], Found]) -> Found:
    """What `take` makes of the entry's file. Raises WeightsError."""
    weights, path = entry.weights, path_of(entry.weights)
    assert not isinstance(weights, HeldFile)  # which is in no place
    if isinstance(weights, UserCheckpoint | OwnFile):
        if path is None or not is_there(path):
            raise WeightsError(advice.missing(weights))
        try:
            content = take(path, size_limit(entry))
        except RefusedFileError as refused:
            reason = unusable(weights, path, refused)
        else:
            if not isinstance(weights, OwnFile) or content.sha256 == weights.sha256:
                return content
            reason = advice.replaced(path.name)
        raise WeightsError(reason)
    size = size_limit(entry)
    published = None if path is None else files.agreeing(path, size, take)
    if published is not None:
        return published
    if not isinstance(weights, RemoteFile):
        raise WeightsError(advice.missing(weights))
    arrived = download(weights)
    arrived.wait()
    published = files.agreeing(arrived.path, size, take)
    if published is None:
        raise WeightsError(advice.missing(weights, "it was changed right after it arrived"))
    return published


def unusable(weights: WeightSource, path: Path, refused: RefusedFileError) -> str:
    """What a visitor reads; the log names the folder, too."""
    _log.warning("%s %s.", path, refused.problem)
    return advice.unusable(weights, path, refused)
