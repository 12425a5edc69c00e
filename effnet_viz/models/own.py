"""Networks of one's own: a folder with a folder for each, `NAME/weights.safetensors`.

The folder is the one that EFFNET_VIZ_NETWORKS names. A network has one file of weights
(.safetensors, .pth, .pt, .ckpt, .keras, .h5 or .hdf5) and may have `network.json` and labels,
`labels.txt` (one a line) or `labels.json` (a list, or an object from number to label). Without
network.json its architecture is recognised by the names and shapes of its tensors, and its
preprocessing is the published one, but for what a file of Keras says of it.

network.json, format 1: "format" (1) and any of "title", "architecture" (key of an entry of the zoo,
or library and architecture as in "timm tf_efficientnet_b0"), "resolution" (pixels), "classes" (list
of labels), "recipe" (how it was trained), "weights_sha256" and "provenance" (an object, not read).

`recognition` reads them; here is what is in the folder now.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from effnet_viz.models import files, held
from effnet_viz.models.classes import imagenet
from effnet_viz.models.weights import KERAS_ENDINGS, WeightsError, networks_folder
from effnet_viz.models.zoo import MODELS, ModelEntry, UnknownModelError

PREFIX = "own-"
"""What the keys of own networks begin with."""

DESCRIPTION = "network.json"

MOST_NETWORKS = 100
"""Networks of a folder that are listed, in the order of their names."""

WEIGHTS = (".safetensors", ".pth", ".pt", ".ckpt", *KERAS_ENDINGS)
"""What the names of files of weights end with."""

LABELS = ("labels.txt", "labels.json")


class UnusableNetworkError(UnknownModelError, WeightsError):
    """A network of one's own that is damaged or gone; the message says why and what to do."""


@dataclass(frozen=True)
class OwnNetwork:
    """A network in the folder."""

    key: str
    title: str
    entry: ModelEntry | None
    """None where it cannot be used."""
    problem: str = ""
    """Why it cannot be used and what to do, in sentences."""


def networks() -> dict[str, OwnNetwork]:
    """All networks of the folder by key, in the order of their names; damaged ones say why.

    A network is read anew when a file of its folder is another than before.
    """
    named = networks_folder()
    if named is None:
        return {}
    try:
        there = sorted(path.name for path in named.iterdir() if not path.name.startswith("."))
        names = [name for name in there if (named / name).is_dir()][:MOST_NETWORKS]
    except OSError:
        return {}
    found: dict[str, OwnNetwork] = {}
    for name in names:
        key = _key_of(name)
        if key in found:
            key = f"{key}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:6]}"
        found[key] = _network(key, named / name)
    _forget_all_but({named / name for name in names})
    return found


def exists(key: str) -> bool:
    """Whether there is a network of one's own with this key, usable or not."""
    return key in networks() or held.is_held(key)


def find(key: str) -> ModelEntry:
    """The entry of an own network. Raises UnusableNetworkError, or NotHeldError."""
    if key.startswith(held.PREFIX):
        return held.find(key).entry
    network = networks().get(key)
    if network is None:
        raise UnusableNetworkError(
            f"There is no network {key!r} in the folder of own networks any more. Choose another "
            "model, or put it back."
        )
    if network.entry is None:
        raise UnusableNetworkError(network.problem)
    return network.entry


class ModelKeys(Collection[str]):
    """Keys of all models that a visitor can choose now: those of the zoo, then own networks."""

    def __iter__(self) -> Iterator[str]:
        return iter([*MODELS, *networks()])

    def __len__(self) -> int:
        return len(MODELS) + len(networks())

    def __contains__(self, key: object) -> bool:
        return key in MODELS or (str(key).startswith(PREFIX) and key in networks())


class ClassLabels(Collection[str]):
    """Labels of the classes of all models that a visitor can choose now."""

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*imagenet(), *self._own()]))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, label: object) -> bool:
        return label in imagenet() or label in self._own()

    def _own(self) -> list[str]:
        entries = [network.entry for network in networks().values()]
        return [label for entry in entries if entry for label in entry.labels or ()]


def _key_of(name: str) -> str:
    """A key of few letters, whatever the folder is called."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24].strip("-")
    return PREFIX + (slug or hashlib.sha256(os.fsencode(name)).hexdigest()[:6])


# Reading a network once

_State = tuple[tuple[str, files.State], ...]


@dataclass
class _Read:
    state: _State
    network: OwnNetwork


_read: dict[Path, _Read] = {}

_reading = threading.Lock()
"""One network is read at a time: a file may have a gigabyte."""


def _network(key: str, path: Path) -> OwnNetwork:
    with _reading:
        state = _state_of(path)
        read = _read.get(path)
        if read is None or read.state != state or read.network.key != key:
            from effnet_viz.models.recognition import described  # takes seconds: torch

            read = _read[path] = _Read(state, described(key, path))
        return read.network


def _forget_all_but(paths: set[Path]) -> None:
    with _reading:
        for gone in _read.keys() - paths:
            del _read[gone]


def _state_of(path: Path) -> _State:
    """What differs when a file that counts does."""
    try:
        return tuple(
            (one.name, files.state_of(one))
            for one in sorted(path.iterdir())
            if one.suffix in WEIGHTS or one.name in (DESCRIPTION, *LABELS)
        )
    except OSError:
        return ()
