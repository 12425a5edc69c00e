"""The five ways of scaling, as in Table 7 of Tan & Le 2019, and what their networks take in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from effnet_viz.arrays import Floats, Pixels
from effnet_viz.images.photograph import Photograph
from effnet_viz.models.published import TABLE_7
from effnet_viz.records import Crop

BASELINE_RESOLUTION = 64
GRAD_CAM_STAGE = 6
"""In the middle of the network, with the grid of the last stage."""


@dataclass(frozen=True)
class Scaling:
    """One way of spending about four times the baseline's multiply-adds."""

    key: str
    title: str
    depth: float
    width: float
    resolution_factor: float

    @property
    def name(self) -> str:
        """The title without its factors, as “Higher resolution”."""
        return self.title.partition(" (")[0]

    @property
    def resolution(self) -> int:
        """Side of the square input in pixels, even so that the stem halves it."""
        return 2 * round(BASELINE_RESOLUTION * self.resolution_factor / 2)


_TITLES = {
    "baseline": "Baseline",
    "depth": "Deeper (d = {0.depth:g})",
    "width": "Wider (w = {0.width:g})",
    "resolution": "Higher resolution (r = {0.resolution:g})",
    "compound": "Compound (d = {0.depth:g}, w = {0.width:g}, r = {0.resolution:g})",
}

SCALINGS = {
    row.key: Scaling(row.key, _TITLES[row.key].format(row), row.depth, row.width, row.resolution)
    for row in TABLE_7
}
"""By key, in the order of the columns of Figure 7."""


@dataclass(frozen=True)
class ScenePreprocessing:
    """All of a scene, resized with antialiasing, then (x - 127.5) / 64, as the networks saw it.

    `networks.preprocess` is what they were trained with; this differs by at most 1e-5 and needs no
    torch.
    """

    resolution: int

    def at(self, resolution: int) -> ScenePreprocessing:
        """See images.preprocessing.Preprocessing."""
        return ScenePreprocessing(resolution)

    def crop(self, width: int, height: int) -> Crop:
        """See images.preprocessing.Preprocessing."""
        box = (0.0, 0.0, float(width), float(height))
        return Crop((width, height), box, self.resolution)

    def __call__(self, photograph: Photograph) -> tuple[Floats, Crop]:
        """See images.preprocessing.Preprocessing."""
        channels = photograph.pixels.astype(np.float32).transpose(2, 0, 1)  # (3, S, S)
        height, width = channels.shape[1:]
        if (height, width) != (self.resolution, self.resolution):
            across = channels @ _triangles(width, self.resolution).T  # (3, S, R)
            channels = _triangles(height, self.resolution) @ across  # (3, R, R)
        x = ((channels - 127.5) / 64)[None]  # (1, 3, R, R)
        return np.ascontiguousarray(x), self.crop(photograph.width, photograph.height)

    def picture(self, x: Floats) -> Pixels:
        """See images.preprocessing.Preprocessing."""
        levels = np.clip(np.rint(x[0] * 64 + 127.5), 0, 255)  # (3, R, R)
        return np.ascontiguousarray(levels.transpose(1, 2, 0), np.uint8)  # (R, R, 3)


@cache
def _triangles(size: int, goal: int) -> Floats:
    """Weights (goal, size) of bilinear resizing with antialiasing, in PyTorch's own precision.

    Pixel i of the result is the mean over a triangle around the middle of it, as wide as two pixels
    of the coarser side. Pillow's weights are more exact, and up to 2e-5 away in the result.
    """
    scale = np.float32(size) / np.float32(goal)
    step = max(scale, np.float32(1))
    middles = scale * (np.arange(goal, dtype=np.float32)[:, None] + np.float32(0.5))  # (goal, 1)
    places = np.arange(size, dtype=np.float32)[None] + np.float32(0.5)  # (1, size)
    weights = np.maximum(1 - np.abs((places - middles) / step), 0)  # (goal, size)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
