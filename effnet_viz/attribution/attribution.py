"""A map that knows what it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StageExplanation:
    """What one stage contributed to the logit of one class."""

    stage: int
    target: int
    grad_cam: NDArray[np.float32]
    """(h, w), raw and signed."""
    channel_relevance: NDArray[np.float32]
    """(C,), in units of the logit: at stage 9 the votes, elsewhere gradient × activation."""
