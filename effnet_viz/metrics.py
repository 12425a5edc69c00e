"""Numbers about maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def largest_difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """max |one - other| / max |one|: 0 for equal maps, relative to the first map's largest value.

    Raises ValueError when the shapes differ. Two maps of zeros are equal: 0.
    """
    if one.shape != other.shape:
        raise ValueError(f"Maps of shapes {one.shape} and {other.shape} cannot be compared.")
    difference = float(np.abs(one - other).max())
    return difference / float(np.abs(one).max()) if difference else 0.0
