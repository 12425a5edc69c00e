"""The only table of multipliers and published figures that no code can compute, with sources."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import nan

PAPER = "Tan & Le 2019 (arXiv 1905.11946)"

LITE_SOURCE = "README of EfficientNet-Lite (tensorflow/tpu), FP32"


class Family(Enum):
    """The groups in which networks are listed."""

    LITE = "EfficientNet-Lite"
    B = "EfficientNet-B0 to B7"
    TIMM = "EfficientNet, trained by timm"
    GOOGLE = "EfficientNet, Google's weights in timm"
    EDGE = "EfficientNet-EdgeTPU"
    V2 = "EfficientNetV2"
    RESNET = "ResNet"
    MOBILENET = "MobileNet"


@dataclass(frozen=True)
class Figure:
    """What one source says of one network on ImageNet."""

    name: str
    top1: float
    """Top-1 accuracy in percent; NaN where the source does not give it at this resolution."""
    multiply_adds: float
    """NaN where the source does not give it."""
    parameters: float
    source: str
    top5: float = nan
    """Top-5 accuracy in percent; NaN where the source does not give it."""


@dataclass(frozen=True)
class FamilyMember:
    """A member of a family as the authors made it."""

    width: float
    depth: float
    resolution: int
    """Multipliers and pixels, from the released code (tensorflow/tpu)."""
    figure: Figure

    @property
    def name(self) -> str:
        return self.figure.name


@dataclass(frozen=True)
class ScaledBaseline:
    """B0 scaled along one dimension or along all three."""

    key: str
    """The dimension."""
    name: str
    width: float
    depth: float
    resolution: float
    """Relative to B0."""
    top1: float
    multiply_adds: float


def _paper(name: str, megaparameters: float, giga_multiply_adds: float, top1: float) -> Figure:
    return Figure(name, top1, giga_multiply_adds * 1e9, megaparameters * 1e6, f"{PAPER}, Table 2")


FAMILY = (
    FamilyMember(1.0, 1.0, 224, _paper("B0", 5.3, 0.39, 77.1)),
    FamilyMember(1.0, 1.1, 240, _paper("B1", 7.8, 0.70, 79.1)),
    FamilyMember(1.1, 1.2, 260, _paper("B2", 9.2, 1.0, 80.1)),
    FamilyMember(1.2, 1.4, 300, _paper("B3", 12, 1.8, 81.6)),
    FamilyMember(1.4, 1.8, 380, _paper("B4", 19, 4.2, 82.9)),
    FamilyMember(1.6, 2.2, 456, _paper("B5", 30, 9.9, 83.6)),
    FamilyMember(1.8, 2.6, 528, _paper("B6", 43, 19, 84.0)),
    FamilyMember(2.0, 3.1, 600, _paper("B7", 66, 37, 84.3)),
)
"""B0 to B7."""

LITE = (
    FamilyMember(1.0, 1.0, 224, Figure("Lite0", 75.1, 407e6, 4.7e6, LITE_SOURCE)),
    FamilyMember(1.0, 1.1, 240, Figure("Lite1", 76.7, 631e6, 5.4e6, LITE_SOURCE)),
    FamilyMember(1.1, 1.2, 260, Figure("Lite2", 77.6, 899e6, 6.1e6, LITE_SOURCE)),
)
"""Those of the EfficientNet-Lite models whose weights can be installed."""

TABLE_7_SOURCE = f"{PAPER}, Table 7; parameters computed by building it"
TABLE_7 = (
    ScaledBaseline("baseline", "B0, the baseline", 1, 1, 1, 77.3, 0.4e9),
    ScaledBaseline("depth", "4 times as deep", 1, 4, 1, 79.0, 1.8e9),
    ScaledBaseline("width", "2 times as wide", 2, 1, 1, 78.9, 1.8e9),
    ScaledBaseline("resolution", "2 times the resolution", 1, 1, 2, 79.1, 1.9e9),
    ScaledBaseline("compound", "all three (compound)", 1.2, 1.4, 1.3, 81.1, 1.8e9),
)
"""In the order of the columns of Figure 7."""

PEERS = (
    _paper("ResNet-50", 26, 4.1, 76.0),
    _paper("DenseNet-169", 14, 3.5, 76.2),
    _paper("ResNet-152", 60, 11, 77.8),
    _paper("DenseNet-264", 34, 6.0, 77.9),
    _paper("Inception-v3", 24, 5.7, 78.8),
    _paper("Xception", 23, 8.4, 79.0),
    _paper("Inception-v4", 48, 13, 80.0),
    _paper("Inception-ResNet-v2", 56, 13, 80.1),
    _paper("ResNeXt-101", 84, 32, 80.9),
    _paper("PolyNet", 92, 35, 81.3),
    _paper("SENet", 146, 42, 82.7),
    _paper("NASNet-A", 89, 24, 82.7),
    _paper("AmoebaNet-A", 87, 23, 82.8),
    _paper("PNASNet", 86, 23, 82.9),
    _paper("AmoebaNet-C", 155, 41, 83.5),
    _paper("GPipe", 557, nan, 84.3),
)
"""The networks that the paper compares itself with."""


@dataclass(frozen=True)
class OtherFigure:
    """What a document says of an entry of the zoo that has another figure here, and why."""

    key: str
    top1: float
    """In percent."""
    resolution: int
    """Pixels at which the document's figure was measured."""
    document: str
    why: str


def _page(key: str, top1: float, resolution: int, why: str) -> OtherFigure:
    return OtherFigure(key, top1, resolution, "timm's older page of EfficientNets", why)


_AGAIN = "the same weights, evaluated another time"

_NO_FIGURE = "timm's configuration has another size by now, and its results none at that size"

OTHER_FIGURES = (
    _page("timm-b0", 77.71, 224, _AGAIN),
    _page("timm-b1", 78.71, 240, "tested at another size; here nothing of the square is cut off"),
    _page("timm-b2", 80.38, 260, _NO_FIGURE),
    _page("timm-b2a", 80.61, 288, "no difference: the weights of B2 at a larger size"),
    _page("timm-b3", 82.08, 300, _NO_FIGURE),
    _page("timm-b3a", 82.25, 320, _AGAIN),
    _page("timm-lite0", 75.5, 224, _AGAIN),
    _page("es", 78.09, 224, _AGAIN),
    _page("em", 79.26, 240, _AGAIN),
    *(
        OtherFigure(
            f"tf-b{number}-aa",
            top1,
            FAMILY[number].resolution,
            "README of EfficientNet (tensorflow/tpu), AutoAugment",
            "evaluated in TensorFlow, before the weights were converted",
        )
        for number, top1 in enumerate((77.1, 79.1, 80.1, 81.6, 82.9, 83.6, 84.0, 84.3))
    ),
    *(
        OtherFigure(
            key,
            top1,
            resolution,
            LITE_SOURCE,
            f"evaluated in TensorFlow, at the size of its training: {cost} B multiply-adds",
        )
        for key, top1, resolution, cost in (("lite3", 79.8, 280, 1.44), ("lite4", 81.5, 300, 2.64))
    ),
)
