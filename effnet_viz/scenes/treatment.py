"""From a picture that somebody cut out by hand to an object with an exact mask.

One treatment for every object, the collection's and one's own. Pictures cut out by hand carry a
fringe of their old ground, some have soft edges, some hard ones, some stray specks, and a network
may see all of that. So:

1. What is at least half opaque is the object, without specks.
2. What is too large is reduced.
3. The fringe goes: a pixel of the object's rim takes the colour of the nearest pixel inside, where
   one is near. No pixel of the object is taken away, so thin legs stay.
4. The edge is feathered: the opacity is the mask smoothed by (1 2 1)/4 in both directions. So it
   has 17 levels, and at a straight edge it is 3/4 inside and 1/4 outside.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from effnet_viz.arrays import Mask, Pixels

MARGIN = 2
"""Pixels around the mask: one for the feather, one without opacity."""
SPECK = 1 / 500
"""A part on its own that is smaller than this share of the largest one is not of the object."""
NEAR = 2.0
"""Pixels. What is farther from any pixel inside is thin, and keeps its colour."""

LEVELS = tuple(round(255 * level / 16) for level in range(17))
"""The opacities that a feathered mask can have."""

_NEIGHBOURS = np.ones((3, 3), bool)


def treated(colours: Pixels, mask: Mask, longest: int) -> Pixels:
    """The object of a picture (H, W, 3) where the mask (H, W) is, cut to its outline, (h, w, 4).

    Its longer side is `longest` pixels at most; what is smaller is not enlarged. Raises ValueError
    if nothing is left.
    """
    mask = without_specks(mask)
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    colours, mask = _reduced(colours[box], mask[box], longest - 2 * MARGIN)
    colours = np.pad(colours, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))
    mask = np.pad(mask, MARGIN)
    opacity = feathered(mask)
    colours = np.where(opacity[..., None] > 0, without_fringe(colours, mask), 0)
    return np.dstack([colours, opacity])  # (h, w, 4)


def without_specks(mask: Mask) -> Mask:
    """The mask without connected parts that are small beside the largest one."""
    parts, count = ndimage.label(mask, _NEIGHBOURS)  # (h, w): 0 is the ground
    if not count:
        raise ValueError("Nothing in the picture is at least half opaque.")
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept: Mask = np.isin(parts, np.flatnonzero(sizes >= SPECK * sizes.max()))
    return kept


def _reduced(colours: Pixels, mask: Mask, longest: int) -> tuple[Pixels, Mask]:
    """Colours (h, w, 3) and mask (h, w), area means where they are too large."""
    factor = longest / max(mask.shape)
    if factor >= 1:
        return colours, mask
    height, width = (max(1, round(length * factor)) for length in mask.shape)
    picture = Image.fromarray(np.dstack([colours, np.where(mask, 255, 0).astype(np.uint8)]))
    # Pillow averages the colours of a picture with opacity by that opacity.
    reduced = np.asarray(picture.resize((width, height), Image.Resampling.BOX))
    return reduced[..., :3], reduced[..., 3] >= 128


def without_fringe(colours: Pixels, mask: Mask) -> Pixels:
    """Colours (h, w, 3): the rim has those of the nearest pixel inside, the ground the rim's."""
    inside = ndimage.binary_erosion(mask, _NEIGHBOURS)
    if inside.any():
        distance, nearest = ndimage.distance_transform_edt(~inside, return_indices=True)
        rim = mask & ~inside & (distance <= NEAR)
        colours = np.where(rim[..., None], colours[tuple(nearest)], colours)
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    spread: Pixels = colours[tuple(nearest)]
    return spread


def feathered(mask: Mask) -> Pixels:
    """(h, w): the opacity, the mask smoothed by (1 2 1)/4 both ways. Beyond the mask is ground."""
    padded = np.pad(mask.astype(np.int64), 1)
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]  # (h, w + 2), of 4
    sixteenths = rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]  # (h, w), of 16
    opacity: Pixels = np.array(LEVELS, np.uint8)[sixteenths]
    return opacity
