"""A claim, and what numbers say of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from effnet_viz.analysis.words import change


class Status(Enum):
    """Whether numbers speak for a claim."""

    SUPPORTED = "Supported"
    CONTRADICTED = "Contradicted"
    OPEN = "Open"


@dataclass(frozen=True)
class ClaimVerdict:
    """What the numbers say of one part of the claim."""

    status: Status
    claim: str
    sentences: str
    """One or two."""

    @property
    def title(self) -> str:
        return f"{self.status.value}: {self.claim}"


def status_of(low: float, high: float) -> Status:
    """Of the claim that a number is above 0, from its interval."""
    if low > 0:
        return Status.SUPPORTED
    return Status.CONTRADICTED if high < 0 else Status.OPEN


def points(share: float) -> str:
    """A difference of shares in points of a percent: “+7”, “−2”, “0”."""
    return change(100 * share, 0)
