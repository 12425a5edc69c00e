"""What a model says of every class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from effnet_viz.arrays import Floats, softmax
from effnet_viz.records import Prediction


class Predictions(Sequence[Prediction]):
    """What a model says of every class, the most probable first.

    Computed from the logits (classes,); an item is made only when it is looked at.
    """

    def __init__(self, logits: Floats, classes: Sequence[str]) -> None:
        self._logits = logits
        self._classes = classes
        self._probabilities = softmax(logits)  # (classes,)
        self._order = np.argsort(-logits, kind="stable")  # (classes,)

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Prediction: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Prediction, ...]: ...

    def __getitem__(self, place: int | slice) -> Prediction | tuple[Prediction, ...]:
        if isinstance(place, slice):
            return tuple(self.of(int(index)) for index in self._order[place])
        return self.of(int(self._order[place]))

    def of(self, index: int) -> Prediction:
        """The prediction of the class with this index."""
        probability, logit = float(self._probabilities[index]), float(self._logits[index])
        return Prediction(index, self._classes[index], probability, logit)

    def rank(self, index: int) -> int:
        """The place of the class with this index, from 1."""
        return int(np.flatnonzero(self._order == index)[0]) + 1
