"""A photograph smaller, and with a part covered."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from tests.images.files import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    corners,
    noise,
    quarters,
)


def test_reduced_keeps_the_picture_and_never_enlarges() -> None:
    found = decode(quarters(480, 320))
    small = found.reduced(48)  # (32, 48, 3)
    assert small.shape == (32, 48, 3)
    assert corners(small) == [RED, GREEN, YELLOW, BLUE]
    assert not small.flags.writeable
    assert found.reduced(480) is found.pixels
    assert found.reduced(10**9) is found.pixels
    assert found.reduced(1).shape == (1, 1, 3)
    with pytest.raises(ValueError, match="at least 1 pixel"):
        found.reduced(0)


def noisy_photograph(width: int, height: int) -> Photograph:
    return decode(Image.fromarray(noise(width, height)))


def test_a_covered_box_loses_its_detail_and_nothing_else_changes() -> None:
    photograph = noisy_photograph(200, 100)
    hidden = photograph.covered((0.25, 0.5, 0.5, 1.0), keep=False).pixels
    inside = np.zeros((100, 200), dtype=bool)
    inside[50:, 50:100] = True
    assert (hidden[~inside] == photograph.pixels[~inside]).all()
    assert hidden[inside].std() < 0.1 * photograph.pixels[inside].std()
    kept = photograph.covered((0.25, 0.5, 0.5, 1.0), keep=True).pixels
    assert (kept[inside] == photograph.pixels[inside]).all()
    assert kept[~inside].std() < 0.1 * photograph.pixels[~inside].std()


def test_what_is_covered_is_part_of_the_identity() -> None:
    photograph = noisy_photograph(40, 30)
    boxes = ((0.0, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, 0.6))
    made = [photograph.covered(box, keep=keep) for box in boxes for keep in (False, True)]
    assert len({photograph.digest, *(p.digest for p in made)}) == 5


@pytest.mark.parametrize("box", [(0.5, 0, 0.5, 1), (0, 0.9, 1, 0.1), (-0.1, 0, 1, 1), (0, 0, 1, 2)])
def test_an_impossible_box_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="is not left, top, right, bottom"):
        noisy_photograph(10, 10).covered(box, keep=False)
