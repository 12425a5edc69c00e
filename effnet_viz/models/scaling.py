"""Compound scaling (Tan & Le 2019, Section 3.3): the rule, and the networks that it leads to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from math import log

from effnet_viz.engines.structure import Structure
from effnet_viz.models import published, structures, variants, zoo
from effnet_viz.models.published import Family, Figure

BASELINE = variants.find("b0")
DEEPEST = 16.0
"""Depth that is still built; it takes about a second then."""


@dataclass(frozen=True)
class Scale:
    """The three axes: width and depth relative to B0, resolution in pixels."""

    width: float
    depth: float
    resolution: float

    def usable(self) -> tuple[float, float, int]:
        """Width, depth and resolution of a network that can be built.

        The resolution becomes the nearest multiple of B0's total stride (32 pixels), at least one.
        """
        b0 = baseline()
        stride = b0.stages[b0.last].effective_stride
        resolution = max(1, int(self.resolution / stride + 0.5)) * stride
        # As exact as zoo.variant, so that what is shown is what is compared.
        return round(self.width, 2), round(self.depth, 2), resolution


@dataclass(frozen=True)
class Rule:
    """How much of each axis one step of φ takes; the defaults are those of the paper."""

    alpha: float = 1.2
    """Depth."""
    beta: float = 1.1
    """Width."""
    gamma: float = 1.15
    """Resolution."""

    @property
    def growth(self) -> float:
        """α · β² · γ², the factor of multiply-adds for one step of φ; the paper wants about 2.

        Twice the layers cost twice as much; twice the channels, or twice the side, four times.
        """
        return self.alpha * self.beta**2 * self.gamma**2

    def scale(self, phi: float) -> Scale:
        """d = α^φ, w = β^φ, r = γ^φ times B0's resolution."""
        return Scale(
            width=self.beta**phi,
            depth=self.alpha**phi,
            resolution=self.gamma**phi * BASELINE.resolution,
        )

    def phi(self, multiply_adds: float) -> float:
        """The φ at which B0's multiply-adds · growth^φ reach this number.

        Raises ValueError when nothing grows (α = β = γ = 1).
        """
        if self.growth <= 1:
            raise ValueError("With α = β = γ = 1 nothing grows, whatever φ is.")
        return log(multiply_adds / baseline().multiply_adds) / log(self.growth)


@dataclass(frozen=True)
class StageScaling:
    """Channels and layers of one stage: of B0, as the multipliers say, and as they are built."""

    number: int
    operator: str
    baseline_channels: int
    exact_channels: float
    channels: int
    baseline_layers: int
    exact_layers: float
    layers: int


def baseline() -> Structure:
    """The structure of B0 at 224 pixels."""
    return structures.structure_of(BASELINE)


@lru_cache(maxsize=256)
def built(width: float, depth: float, resolution: int) -> Structure:
    """The structure of B0 scaled to width and depth, by torchvision's own rounding.

    Channels go to the nearest multiple of 8 but never down by more than 10 %, layers up to the next
    whole number. Raises ValueError for a depth above DEEPEST.
    """
    if depth > DEEPEST:
        raise ValueError(f"A depth of {depth:g} is too much: the limit is {DEEPEST:g}.")
    from effnet_viz.models.architectures import summary_of_scaled  # takes seconds: torch

    return summary_of_scaled(BASELINE.architecture, width, depth, resolution)


def stages(width: float, depth: float) -> tuple[StageScaling, ...]:
    """What the rounding does to the nine stages. Only MBConv layers are repeated by the depth."""
    made = built(width, depth, BASELINE.resolution)
    return tuple(
        StageScaling(
            number=number,
            operator=old.operator,
            baseline_channels=old.channels,
            exact_channels=old.channels * width,
            channels=made.stages[number].channels,
            baseline_layers=old.layers,
            exact_layers=old.layers * (depth if old.operator.startswith("MBConv") else 1),
            layers=made.stages[number].layers,
        )
        for number, old in baseline().stages.items()
    )


def family() -> dict[published.FamilyMember, Structure]:
    """B0 to B7 as the authors made them, each with its structure."""
    return {
        member: built(member.width, member.depth, member.resolution) for member in published.FAMILY
    }


def closest(multiply_adds: float) -> published.FamilyMember:
    """The published model whose multiply-adds differ by the smallest factor."""
    members = family()
    return min(members, key=lambda one: abs(log(members[one].multiply_adds / multiply_adds)))


@cache
def figures() -> dict[str, tuple[Figure, ...]]:
    """Accuracies of the paper's families by series, each of one source and one training recipe."""
    series: dict[str, list[Figure]] = {
        "B0 to B7, paper": [member.figure for member in published.FAMILY]
    }
    for entry in zoo.MODELS.values():
        if entry.family in (Family.LITE, Family.B):
            assert entry.published is not None  # only variants lack figures
            series.setdefault(entry.recipe, []).append(entry.published)
    series["B0 scaled, Table 7"] = [
        Figure(
            name=scaled.name,
            top1=scaled.top1,
            multiply_adds=scaled.multiply_adds,
            parameters=built(scaled.width, scaled.depth, BASELINE.resolution).parameters,
            source=published.TABLE_7_SOURCE,
        )
        for scaled in published.TABLE_7
    ]
    series["Other networks, Table 2"] = list(published.PEERS)
    return {name: tuple(found) for name, found in series.items()}
