"""What a measurement is judged by, and how a report says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """One line of the report."""

    what: str
    measured: float
    most: float
    unit: str

    @property
    def holds(self) -> bool:
        return self.measured <= self.most

    def line(self) -> str:
        """A row of a Markdown table."""
        verdict = "yes" if self.holds else "**no**"
        return f"| {self.what} | {self.measured:.3f} {self.unit} | {self.most:g} | {verdict} |"


def table(requirements: Sequence[Requirement]) -> str:
    """All of them as a Markdown table."""
    head = "| what | measured | at most | holds |\n| --- | ---: | ---: | --- |\n"
    return head + "\n".join(requirement.line() for requirement in requirements) + "\n"
