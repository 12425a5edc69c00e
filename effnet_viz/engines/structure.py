"""What a network is made of, stage by stage, and which pixels each cell can see.

`summarize` reads it off a network; Table 1 of Tan & Le 2019 is the structure of B0 at 224 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from effnet_viz.arrays import Placement


@dataclass(frozen=True)
class Stage:
    """One row of a table such as Table 1, and the receptive field of its cells.

    Positions are continuous: pixel i of the input covers i to i + 1. Every grid is square.
    """

    number: int
    operator: str
    """As in Table 1, such as "MBConv6, k5x5"."""
    layers: int
    """Blocks; convolutions in a stage without blocks."""
    channels: int
    """Of the output."""
    input_side: int
    """Side of the grid that comes in."""
    side: int
    """Side of the grid that goes out."""
    stride: int
    parameters: int
    """Weights, biases and batch norms; the last stage includes pooling and head."""
    multiply_adds: int
    """Of convolutions and linear layers, for one image; the last stage includes the head."""
    receptive_side: int
    """Side of the square of input pixels that one cell depends on through convolutions and
    poolings."""
    effective_stride: int
    """Distance in input pixels between the centres of neighbouring cells."""
    start: float
    """Centre of cell 0 in input pixels, horizontally and vertically."""
    has_global_context: bool
    """Whether averages over all positions came in, here or in an earlier stage.

    Squeeze-and-excitation multiplies channels by a function of their averages, so that strictly
    every cell depends on every pixel. The receptive field is the part through convolutions.
    """
    resolution: int
    """Side of the network's input in pixels."""
    has_places: bool
    """Whether it is known where cells lie; not after something like attention over all of them."""

    @property
    def placement(self) -> Placement:
        """Where the cells lie in the square that the network sees: a stride apart, in its middle.

        An image moved by the stride moves the map by a cell, so the step is exact. The structure
        does not say which part of a wide field a cell has learned to look at. Training does:
        networks that saw images and mirror images alike look alike from both sides, whichever side
        their padding favours. The gradient of trained cells (their effective receptive field, Luo
        et al. 2016, arXiv 1701.04128) has its centre of mass within a third of a cell of these
        places from stage 5 on, and up to half a cell beside `start`, the middle of the whole field.
        Cells whose place is not known are taken to tile the square.
        """
        if not self.has_places:
            return Placement.even(self.side)
        start = (self.resolution - (self.side - 1) * self.effective_stride) / 2  # in pixels
        return Placement(start / self.resolution, self.effective_stride / self.resolution)

    def field(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Receptive field of a cell: left, top, right, bottom in input pixels, cut at the borders.

        The cut is exact, because beyond the borders there is only padding; next to a border a
        dilated convolution may see less, where all that it would see outermost is padding.
        Raises ValueError for a cell that the grid does not have.
        """
        if not (0 <= row < self.side and 0 <= column < self.side):
            raise ValueError(
                f"Stage {self.number} has cells 0 to {self.side - 1}, not ({row}, {column})."
            )
        left, right = self._extent(column)
        top, bottom = self._extent(row)
        return left, top, right, bottom

    def _extent(self, index: int) -> tuple[int, int]:
        first = round(self.start + index * self.effective_stride - self.receptive_side / 2)
        return max(0, first), min(self.resolution, first + self.receptive_side)


@dataclass(frozen=True)
class Structure:
    """The stages of a network at one input resolution."""

    resolution: int
    stages: Mapping[int, Stage]
    """Stage number, 1 to n, to its structure."""

    @property
    def last(self) -> int:
        """Number of the last stage."""
        return max(self.stages)

    @property
    def parameters(self) -> int:
        return sum(stage.parameters for stage in self.stages.values())

    @property
    def multiply_adds(self) -> int:
        return sum(stage.multiply_adds for stage in self.stages.values())
