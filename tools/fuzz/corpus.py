"""Which file has which number: kinds in turn, everything else by chance from seed and number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np

from tools.fuzz.bombs import BOMBS
from tools.fuzz.metadata import HOLDERS, polyglot, something_else, strange_metadata
from tools.fuzz.mutations import MUTATIONS
from tools.fuzz.originals import ORIGINALS, original

SHARES = {
    "as it was": 2,
    "cut off": 8,
    "bits flipped": 14,
    "bytes overwritten": 10,
    "bytes inserted": 8,
    "bytes deleted": 8,
    "a stretch repeated": 4,
    "lying header": 20,
    "metadata": 10,
    "two files in one": 6,
    "no photograph": 5,
    "bomb": 5,
}
"""Kinds of files and how many of a hundred are of each."""

_ROUND = tuple(chain.from_iterable([kind] * share for kind, share in SHARES.items()))

LEAST_BOMB, LARGEST_BOMB = 100_000, 20_000_000
"""Bytes; smaller ones are more frequent."""


class Label(NamedTuple):
    kind: str
    """One of SHARES."""
    subject: str
    """Name of the original, the format or the bomb; empty where there are several."""


@dataclass(frozen=True)
class Corpus:
    """Endless; every file can be had again by its number."""

    seed: int

    def label(self, number: int) -> Label:
        return self._begun(number)[0]

    def content(self, number: int) -> bytes:
        (kind, subject), random = self._begun(number)
        if kind == "bomb":
            share = random.random() ** 2
            return BOMBS[subject](int(LEAST_BOMB * (LARGEST_BOMB / LEAST_BOMB) ** share))
        if kind == "metadata":
            return strange_metadata(subject, random)
        if kind == "two files in one":
            return polyglot(random)
        if kind == "no photograph":
            return something_else(random)
        mutation = MUTATIONS.get(kind)
        return mutation(original(subject), random) if mutation else original(subject)

    def _begun(self, number: int) -> tuple[Label, np.random.Generator]:
        turn, place = divmod(number, len(_ROUND))
        kind = _ROUND[place]
        random = np.random.default_rng([self.seed, number])
        if kind == "bomb":  # each in its turn
            subject = list(BOMBS)[(turn * SHARES["bomb"] + place) % len(BOMBS)]
        elif kind in ("two files in one", "no photograph"):
            subject = ""
        else:
            subjects = HOLDERS if kind == "metadata" else tuple(ORIGINALS)
            subject = subjects[random.integers(len(subjects))]
        return Label(kind, subject), random
