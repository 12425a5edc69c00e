"""Published figures that no code can compute, each with its source. A table is data."""

from __future__ import annotations

from dataclasses import dataclass

PAPER = "Tan & Le 2019 (arXiv 1905.11946)"


@dataclass(frozen=True)
class Figure:
    """What one source says of one network on ImageNet."""

    name: str
    top1: float
    """Top-1 accuracy in percent."""
    multiply_adds: float | None
    """None where the source does not give it."""
    parameters: float | None
    source: str


@dataclass(frozen=True)
class FamilyMember:
    """A member of B0 to B7 as the authors made it."""

    name: str
    width: float
    depth: float
    resolution: int
    """Multipliers and pixels, from the released code (tensorflow/tpu)."""
    figure: Figure


@dataclass(frozen=True)
class ScaledBaseline:
    """B0 scaled along one dimension or along all three."""

    name: str
    width: float
    depth: float
    resolution: float
    """Relative to B0."""
    top1: float
    multiply_adds: float


def _member(
    number: int,
    width: float,
    depth: float,
    resolution: int,
    parameters: float,
    multiply_adds: float,
    top1: float,
) -> FamilyMember:
    name = f"B{number}"
    figure = Figure(name, top1, multiply_adds, parameters, f"{PAPER}, Table 2")
    return FamilyMember(name, width, depth, resolution, figure)


FAMILY = (
    _member(0, 1.0, 1.0, 224, 5.3e6, 0.39e9, 77.1),
    _member(1, 1.0, 1.1, 240, 7.8e6, 0.70e9, 79.1),
    _member(2, 1.1, 1.2, 260, 9.2e6, 1.0e9, 80.1),
    _member(3, 1.2, 1.4, 300, 12e6, 1.8e9, 81.6),
    _member(4, 1.4, 1.8, 380, 19e6, 4.2e9, 82.9),
    _member(5, 1.6, 2.2, 456, 30e6, 9.9e9, 83.6),
    _member(6, 1.8, 2.6, 528, 43e6, 19e9, 84.0),
    _member(7, 2.0, 3.1, 600, 66e6, 37e9, 84.3),
)
"""B0 to B7."""

TABLE_7_SOURCE = f"{PAPER}, Table 7; parameters computed by building it"
TABLE_7 = (
    ScaledBaseline("B0, the baseline", 1.0, 1.0, 1.0, 77.3, 0.4e9),
    ScaledBaseline("4 times as deep", 1.0, 4.0, 1.0, 79.0, 1.8e9),
    ScaledBaseline("2 times as wide", 2.0, 1.0, 1.0, 78.9, 1.8e9),
    ScaledBaseline("2 times the resolution", 1.0, 1.0, 2.0, 79.1, 1.9e9),
    ScaledBaseline("all three (compound)", 1.2, 1.4, 1.3, 81.1, 1.8e9),
)


def _peer(
    name: str, top1: float, megaparameters: float, giga_multiply_adds: float | None
) -> Figure:
    multiply_adds = None if giga_multiply_adds is None else giga_multiply_adds * 1e9
    return Figure(name, top1, multiply_adds, megaparameters * 1e6, f"{PAPER}, Table 2")


PEERS = (
    _peer("ResNet-50", 76.0, 26, 4.1),
    _peer("DenseNet-169", 76.2, 14, 3.5),
    _peer("ResNet-152", 77.8, 60, 11),
    _peer("DenseNet-264", 77.9, 34, 6.0),
    _peer("Inception-v3", 78.8, 24, 5.7),
    _peer("Xception", 79.0, 23, 8.4),
    _peer("Inception-v4", 80.0, 48, 13),
    _peer("Inception-ResNet-v2", 80.1, 56, 13),
    _peer("ResNeXt-101", 80.9, 84, 32),
    _peer("PolyNet", 81.3, 92, 35),
    _peer("SENet", 82.7, 146, 42),
    _peer("NASNet-A", 82.7, 89, 24),
    _peer("AmoebaNet-A", 82.8, 87, 23),
    _peer("PNASNet", 82.9, 86, 23),
    _peer("AmoebaNet-C", 83.5, 155, 41),
    _peer("GPipe", 84.3, 557, None),
)
"""The networks that the paper compares itself with."""
