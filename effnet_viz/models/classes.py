"""The classes of a model."""

from __future__ import annotations

from functools import cache

from torchvision.models import get_weight


class UnknownClassError(ValueError):
    """A target class that the model does not know."""


def class_index(target: int | str) -> int:
    """Index of a class given by index or label. Raises UnknownClassError, naming near labels."""
    known = labels()
    if isinstance(target, str):
        if target in known:
            return known.index(target)
        near = [label for label in known if target.lower() in label.lower()][:5]
        hint = f" Similar: {', '.join(near)}." if near else " See effnet_viz.zoo.labels()."
        raise UnknownClassError(f"There is no class {target!r}.{hint}")
    if 0 <= target < len(known):
        return int(target)
    raise UnknownClassError(f"There is no class {target}. Classes are 0 to {len(known) - 1}.")


@cache
def labels() -> tuple[str, ...]:
    """The 1000 class labels of ImageNet in the order of the logits; each label is unique."""
    return tuple(get_weight("EfficientNet_B0_Weights.IMAGENET1K_V1").meta["categories"])
