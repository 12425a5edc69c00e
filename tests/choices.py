"""Which of many choices every run of the tests takes, and which the long one adds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from effnet_viz.models import zoo

ARCHITECTURES = list({e.architecture: key for key, e in reversed(zoo.MODELS.items())}.values())[
    ::-1
]
"""The keys of the zoo, one for each architecture: the first that has it."""


def one_of_many(choices: Iterable[Any], always: Iterable[Any]) -> list[Any]:
    """Parameters of which only those of `always` run in `make test`; all in `make test-all`."""
    quick = list(always)
    return [
        choice
        if choice in quick
        else pytest.param(
            *(choice if isinstance(choice, tuple) else (choice,)), marks=pytest.mark.exhaustive
        )
        for choice in choices
    ]
