"""Sizes and limits of a server, each overridable by an environment variable of the same name.

`EFFNET_VIZ_MODEL_MEGABYTES=4000 make app` keeps more models in memory, for example.
"""

from __future__ import annotations

import math
import os


def _setting(name: str, default: float) -> float:
    text = os.environ.get(f"EFFNET_VIZ_{name}")
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (math.isfinite(value) and value > 0):
        raise ValueError(
            f"EFFNET_VIZ_{name} is {text!r}. Set it to a number above 0 or leave it out."
        )
    return value


def _switch(name: str) -> bool:
    text = os.environ.get(f"EFFNET_VIZ_{name}", "0")
    if text not in ("0", "1"):
        raise ValueError(f"EFFNET_VIZ_{name} is {text!r}. Set it to 1, for yes, or leave it out.")
    return text == "1"


_MEGABYTE = 2**20

MODEL_BYTES = int(_setting("MODEL_MEGABYTES", 1200) * _MEGABYTE)
"""Models in memory, all together."""

RESULT_BYTES = int(_setting("RESULT_MEGABYTES", 300) * _MEGABYTE)
"""Decoded images, analyses and drawn maps in memory, all together."""

UPLOAD_BYTES = int(_setting("UPLOAD_MEGABYTES", 80) * _MEGABYTE)
"""A visitor's own images, all together."""

CHECKPOINT_MEGABYTES = int(_setting("CHECKPOINT_UPLOADS", 0))
"""The largest checkpoint that a visitor can open; 0, as by default, where none can be."""

CHECKPOINTS_HELD = 4
"""So many of the largest are held at once, for all visitors together."""


def checkpoint_bytes() -> int:
    """The most bytes of one opened checkpoint."""
    return CHECKPOINT_MEGABYTES * _MEGABYTE


def all_checkpoint_bytes() -> int:
    """The most bytes of all of them together."""
    return CHECKPOINTS_HELD * checkpoint_bytes()


CONCURRENT = max(1, int(_setting("CONCURRENT", 1)))
"""Networks that run at once. One already uses every core."""

STUCK_SECONDS = _setting("STUCK_SECONDS", 60)
"""After this long, a run no longer holds up those who wait."""

METHOD_SECONDS = _setting("METHOD_SECONDS", 180)
"""The longest that one map of a slow method may take."""

METHOD_BYTES = int(_setting("METHOD_MEGABYTES", 2500) * _MEGABYTE)
"""Memory of the process that makes such maps, beyond what its libraries take."""

METRICS = _switch("METRICS")
"""Whether the server tells at /metrics how busy it is."""
