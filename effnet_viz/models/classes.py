"""The classes of a model: labels in the order of its logits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import overload

from effnet_viz.assets import IMAGENET_CLASSES


class UnknownClassError(ValueError):
    """A target class that the model does not know."""


class Classes(Sequence[str]):
    """Labels of one model, each unique, in the order of its logits. Raises ValueError otherwise."""

    def __init__(self, labels: Iterable[str]) -> None:
        self._labels = tuple(labels)
        self._places = {label: place for place, label in enumerate(self._labels)}
        if not self._labels:
            raise ValueError("A model has at least one class.")
        if len(self._places) < len(self._labels):
            twice = [label for label, count in Counter(self._labels).items() if count > 1]
            raise ValueError(f"Every class has a label of its own; twice there: {twice}.")

    def __len__(self) -> int:
        return len(self._labels)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...

    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        return self._labels[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Classes) and self._labels == other._labels

    def __hash__(self) -> int:
        return hash(self._labels)

    def index(self, target: int | str) -> int:  # type: ignore[override]
        """Place of a class by place or label. Raises UnknownClassError, naming near labels."""
        if isinstance(target, str):
            if target in self._places:
                return self._places[target]
            near = [label for label in self._labels if target.lower() in label.lower()][:5]
            hint = f" Similar: {', '.join(near)}." if near else " See the model's classes."
            raise UnknownClassError(f"There is no class {target!r}.{hint}")
        if 0 <= target < len(self._labels):
            return int(target)
        raise UnknownClassError(f"There is no class {target}. Classes are 0 to {len(self) - 1}.")


@cache
def imagenet() -> Classes:
    """The 1000 classes of ImageNet, as torchvision names them."""
    return Classes(IMAGENET_CLASSES.read_text(encoding="utf-8").splitlines())
