"""What a page's address can hold: every query parameter is declared once, as data.

A link is text that anybody can have written. `url_state.refuse` takes out of the address whatever
the declarations of its page do not allow, before anything on the page reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import inf

_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,20})?", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """One of some options, written as the page writes it."""

    name: str
    options: Collection[str]

    def allows(self, values: Sequence[str]) -> bool:
        """Whether a visitor of the page could have chosen this; the values of one address."""
        return len(values) == 1 and values[0] in self.options


@dataclass(frozen=True)
class Choices:
    """Any of some options, each at most once; one empty value says none."""

    name: str
    options: Collection[str]

    def allows(self, values: Sequence[str]) -> bool:
        once = len(set(values)) == len(values)
        return list(values) == [""] or (once and all(value in self.options for value in values))


@dataclass(frozen=True)
class Flag:
    """Yes or no, written `true` or `false`."""

    name: str

    def allows(self, values: Sequence[str]) -> bool:
        return len(values) == 1 and values[0].lower() in ("true", "false")


@dataclass(frozen=True)
class Number:
    """`low` and what lies whole steps above it, up to `high`.

    Where a network decides how many there are, `high` is infinite: the widget knows it.
    """

    name: str
    low: float
    high: float = inf
    step: float = 1

    @property
    def limits(self) -> tuple[float, float]:
        return self.low, self.high

    def allows(self, values: Sequence[str]) -> bool:
        if len(values) != 1 or not _NUMBER.fullmatch(values[0]):
            return False
        steps = (float(values[0]) - self.low) / self.step
        # Hundredths are no binary fractions: allow for what is lost on the way.
        return self.low <= float(values[0]) <= self.high and abs(steps - round(steps)) < 1e-6


@dataclass(frozen=True)
class Text:
    """A text that `accepts` knows: keys, places, boxes."""

    name: str
    accepts: Callable[[str], bool]

    def allows(self, values: Sequence[str]) -> bool:
        return len(values) == 1 and self.accepts(values[0])


Parameter = Choice | Choices | Flag | Number | Text
