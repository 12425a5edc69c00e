"""What a measurement is judged by, and how a report says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """One line of the report."""

    what: str
    measured: float
    bound: float
    unit: str
    at_least: bool = False
    """Whether more is better; else the bound is the most."""

    @property
    def holds(self) -> bool:
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def line(self) -> str:
        """A row of a Markdown table."""
        verdict = "yes" if self.holds else "**no**"
        bound = f"{'≥' if self.at_least else '≤'} {self.bound:g}"
        return f"| {self.what} | {self.measured:.3f} {self.unit} | {bound} | {verdict} |"


def table(requirements: Sequence[Requirement]) -> str:
    """All of them as a Markdown table."""
    head = "| what | measured | to reach | holds |\n| --- | ---: | ---: | --- |\n"
    return head + "\n".join(requirement.line() for requirement in requirements) + "\n"
