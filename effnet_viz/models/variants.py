"""Entries at another scale: `b0-r448`, `b0-d4`, `b0-w1.4-d1.2-r288`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from effnet_viz.models.published import FAMILY, TABLE_7
from effnet_viz.models.weights import UserCheckpoint
from effnet_viz.models.zoo import MODELS, ModelEntry, UnknownModelError

OWN = ("own-", "upload-")
"""What the keys of networks of one's own begin with: of the folder, and of opened checkpoints."""


class VariantError(ValueError):
    """A scaling that cannot be had; the message says what can."""


def find(key: str) -> ModelEntry:
    """The entry or variant with this key. Raises UnknownModelError, listing the choices."""
    if key.startswith(OWN):
        return _own(key)
    try:
        return MODELS[key] if key in MODELS else _parsed(key)
    except VariantError as error:
        raise UnknownModelError(f"There is no model {key!r}. {error}") from None


def _own(key: str) -> ModelEntry:
    """A network of one's own, or one at another resolution. Raises UnusableNetworkError."""
    from effnet_viz.models import own  # which builds on this module

    name, _, side = key.rpartition("-r")
    if own.exists(key) or not own.exists(name) or not side.isascii():
        return own.find(key)
    try:
        return variant(name, resolution=int(side))
    except ValueError as error:  # of the number, or a VariantError
        raise UnknownModelError(f"There is no model {key!r}. {error}") from None


@dataclass(frozen=True)
class ModelRef:
    """A model by its key, with its weights or untrained: what is named, not loaded."""

    key: str
    untrained: bool = False

    @property
    def entry(self) -> ModelEntry:
        """Raises UnknownModelError."""
        return find(self.key)


BASELINES = {"b0": "b3", "lite0": "lite2"}
"""The entries that width and depth can scale, each with the one that stands for compound scaling.

B3 has the multipliers of the compound network of Table 7; Lite2 is the largest Lite with weights.
"""

RESOLUTIONS = (64, 1344)

WIDTHS = (0.25, 4.0)

DEPTHS = (0.25, 6.0)

RESOLUTION_STEP = 2
"""Every resolution here is a multiple of it."""


def variant(
    base: str,
    *,
    width: float | None = None,
    depth: float | None = None,
    resolution: int | None = None,
) -> ModelEntry:
    """An entry of the table at another scale; the entry itself when nothing differs.

    `width` and `depth` are the paper's multipliers, relative to B0 or Lite0, rounded to hundredths;
    only these two can be scaled so, and the result takes a checkpoint of the user's. Any entry can
    have another `resolution` (pixels) and keeps its weights and the ratio of resize to crop.
    Raises UnknownModelError for the base and VariantError for a scale beyond the limits: those
    above, and no more parameters, multiply-adds or activations than B7 by the rule of section 3.3,
    or no more multiply-adds than B7 where only the resolution is another.
    """
    if base not in MODELS and not base.startswith(OWN):
        choices = ", ".join(MODELS)
        raise UnknownModelError(f"There is no model {base!r}. Choose one of: {choices}.")
    entry = find(base)
    new_width = entry.width if width is None else round(width, 2)
    new_depth = entry.depth if depth is None else round(depth, 2)
    resolution = entry.resolution if resolution is None else resolution
    scaled = (new_width, new_depth) != (entry.width, entry.depth)
    if scaled and base not in BASELINES:
        raise VariantError(
            f"Width and depth scale a baseline. Choose {' or '.join(BASELINES)} instead of {base}."
        )
    if not scaled and resolution == entry.resolution:
        return entry
    if scaled:
        check_limits(new_width, new_depth, resolution)
    else:
        _check_cost(entry, resolution)

    multipliers = [f"w{new_width:g}"] if new_width != entry.width else []
    multipliers += [f"d{new_depth:g}"] if new_depth != entry.depth else []
    side = [f"r{resolution}"] if resolution != entry.resolution else []
    words = [f"width {new_width:g}"] if new_width != entry.width else []
    words += [f"depth {new_depth:g}"] if new_depth != entry.depth else []
    words += [f"{resolution} px"] if side else []
    result = replace(
        entry,
        key="-".join([base, *multipliers, *side]),
        title=", ".join([entry.title, *words]),
        width=new_width,
        depth=new_depth,
        preprocessing=entry.preprocessing.at(resolution),
        published=None,
        base=base,
    )
    if not scaled:
        return result
    # The input size is not in the file's name: it changes no tensor.
    stem = "-".join([f"efficientnet_{base}", *multipliers])
    return replace(result, weights=UserCheckpoint(stem), recipe="own checkpoint")


def table_7(base: str) -> tuple[ModelEntry, ...]:
    """Scaling by one dimension against compound scaling: `published.TABLE_7` on another baseline.

    The published model in BASELINES stands for the compound network.
    """
    *single, _ = TABLE_7
    return (
        *(
            variant(
                base,
                width=row.width,
                depth=row.depth,
                resolution=round(row.resolution * MODELS[base].resolution),
            )
            for row in single
        ),
        MODELS[BASELINES[base]],
    )


def scaled_resnets() -> dict[str, ModelEntry]:
    """ResNet-50 scaled by one dimension, all of one recipe, by the dimension.

    Networks whose weights are published, of about equal multiply-adds; not those of Table 3 (Tan &
    Le 2019), and none is compound. The resolution takes ResNet-50's weights as they are.
    """
    return {
        "baseline": MODELS["resnet50"],
        "depth": MODELS["resnet152"],
        "width": MODELS["wide-resnet50-2"],
        "resolution": variant("resnet50", resolution=374),
    }


def _check_range(name: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low <= value <= high:
        raise VariantError(f"{name} goes from {low:g} to {high:g}, not {value:g}.")


def _check_resolution(resolution: int) -> None:
    _check_range("Resolution", resolution, RESOLUTIONS)
    if resolution % RESOLUTION_STEP:
        below = resolution - resolution % RESOLUTION_STEP
        raise VariantError(
            f"Resolution is a multiple of {RESOLUTION_STEP} pixels. "
            f"Choose {below} or {below + RESOLUTION_STEP} instead of {resolution}."
        )


def _check_cost(entry: ModelEntry, resolution: int) -> None:
    """The entry at another resolution, by the published multiply-adds."""
    published, b7 = entry.published, MODELS["b7"].published
    assert b7 is not None
    if published is None:  # a network of one's own
        check_limits(entry.width, entry.depth, resolution)
        return
    _check_resolution(resolution)
    cost = published.multiply_adds * (resolution / entry.resolution) ** 2 / b7.multiply_adds
    if cost > 1.001:
        raise VariantError(
            f"{entry.title} at {resolution} pixels needs {cost:.1f} times the multiply-adds of B7, "
            "the most that another resolution may need. Choose a smaller one."
        )


def check_limits(width: float | None, depth: float | None, resolution: int) -> None:
    """A network of these multipliers, by the rule; None where there are none. Raises VariantError
    beyond the limits that `variant` names."""
    _check_resolution(resolution)
    if width is None or depth is None:
        return
    _check_range("Width", width, WIDTHS)
    _check_range("Depth", depth, DEPTHS)
    b7 = FAMILY[7]
    sizes, limits = _sizes(width, depth, resolution), _sizes(b7.width, b7.depth, b7.resolution)
    for name, size in sizes.items():
        if size > limits[name] * 1.001:
            raise VariantError(
                f"Width {width:g}, depth {depth:g} and {resolution} pixels together need "
                f"{size / limits[name]:.1f} times the {name} of B7, the most that a scaled network "
                "may need. Choose smaller ones."
            )


def _sizes(width: float, depth: float, resolution: int) -> dict[str, float]:
    """How a network grows, relative to the baseline (Tan & Le 2019, section 3.3)."""
    area = (resolution / 224) ** 2
    return {
        "parameters": depth * width**2,
        "multiply-adds": depth * width**2 * area,
        "activations": depth * width * area,
    }


_NUMBER = r"(\d+(?:\.\d+)?)"

_VARIANT = re.compile(rf"(.+?)(?:-w{_NUMBER})?(?:-d{_NUMBER})?(?:-r(\d+))?")


def _parsed(key: str) -> ModelEntry:
    """The variant of this key. One scale has one key, so that caches and links agree."""
    matched = _VARIANT.fullmatch(key[:40])
    if matched is None or matched[1] not in MODELS or len(key) > 40:
        choices = ", ".join(MODELS)
        raise UnknownModelError(
            f"There is no model {key!r}. Choose one of: {choices}; or a variant of one, "
            "such as b0-r448, b0-d4 or b0-w1.4-d1.2-r288."
        )
    base, width, depth, resolution = matched.groups()
    entry = variant(
        base,
        width=None if width is None else float(width),
        depth=None if depth is None else float(depth),
        resolution=None if resolution is None else int(resolution),
    )
    if entry.key != key:
        raise VariantError(f"It is written {entry.key}.")
    return entry
