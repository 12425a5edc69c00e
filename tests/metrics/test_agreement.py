"""Numbers about maps against hand calculations and independent implementations."""

from __future__ import annotations

import math
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch_grad_cam.metrics.perturbation_confidence import RemoveMostRelevantFirst
from scipy import ndimage
from torchcam.metrics import DeletionInsertionMetric
from torchvision.transforms.functional import gaussian_blur

from effnet_viz.arrays import Box, Placement, resample, top
from effnet_viz.metrics import agreement, localization
from effnet_viz.metrics.concentration import concentration
from effnet_viz.metrics.deletion import area_under_curve, blur, first_pixels, pixel_order
from effnet_viz.records import Crop

Floats = NDArray[np.float32]


def random_map(seed: int, height: int = 7, width: int = 7) -> Floats:
    return np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)


def floats(*rows: list[float]) -> Floats:
    return np.array(rows, dtype=np.float32)


# One grid for maps of different networks


def test_the_common_region_is_what_all_networks_saw() -> None:
    boxes = [(10.0, 0.0, 90.0, 80.0), (5.0, 2.0, 85.0, 82.0), (0.0, 0.0, 100.0, 100.0)]
    assert agreement.common_region(boxes) == (10.0, 2.0, 85.0, 80.0)
    with pytest.raises(ValueError, match="overlap"):
        agreement.common_region([(0, 0, 10, 10), (10, 0, 20, 10)])


def on_grid(values: Floats, placement: Placement, box: Box, region: Box, side: int) -> Floats:
    """A map of what lies in a box of a photograph, on a grid over a region of it."""
    crop = Crop((1000, 1000), box, 224)
    return resample(values, placement, side, side, crop.part(region))


@pytest.mark.parametrize(("start", "stride"), [(0.5, 32), (31.5, 32), (16, 32), (3.5, 16)])
def test_a_map_on_a_grid_is_its_bilinear_interpolation(start: float, stride: int) -> None:
    """Each cell of the grid, computed by its position in the photograph: 224 pixels of input."""
    values = random_map(1)
    box, region = (30.0, 10.0, 230.0, 210.0), (40.0, 12.0, 220.0, 192.0)
    ours = on_grid(values, Placement(start / 224, stride / 224), box, region, 64)
    centres = (np.arange(64) + 0.5) / 64
    x = region[0] + centres * (region[2] - region[0])  # in the photograph
    y = region[1] + centres * (region[3] - region[1])
    columns = ((x - box[0]) / (box[2] - box[0]) * 224 - start) / stride  # cell 0 is at 0
    rows = ((y - box[1]) / (box[3] - box[1]) * 224 - start) / stride
    positions = np.meshgrid(rows, columns, indexing="ij")
    expected = ndimage.map_coordinates(
        values.astype(np.float64), positions, order=1, mode="nearest"
    )
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_same_place_stays_the_same_place_under_another_crop() -> None:
    """A ramp over the photograph, seen through two crops on the grids of B0 and Lite2, is one."""

    def seen(box: Box, placement: Placement, cells: int) -> Floats:
        x = box[0] + placement.centres(cells) * (box[2] - box[0])
        return np.tile(x.astype(np.float32), (cells, 1))

    boxes = [(50.0, 50.0, 350.0, 350.0), (30.0, 30.0, 370.0, 370.0)]
    grids = [(Placement(0.5 / 224, 32 / 224), 7), (Placement(3.5 / 260, 32 / 260), 9)]
    region = (100.0, 100.0, 300.0, 300.0)
    one, other = (
        on_grid(seen(box, placement, cells), placement, box, region, 40)
        for box, (placement, cells) in zip(boxes, grids, strict=True)
    )
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert one[0, 0] == pytest.approx(102.5, abs=1e-3)


def test_a_finer_map_is_averaged() -> None:
    """As Pillow shrinks a picture: each cell counts, the near ones more."""
    values = random_map(2, 128, 128)
    coarse = resample(values, Placement.even(128), 16, 16)
    shrunk = Image.fromarray(values).resize((16, 16), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(coarse, np.asarray(shrunk), atol=1e-5)
    assert coarse.std() < values.std() / 4
    elsewhere = resample(values, Placement(0.5 / 256, 2 / 256), 16, 16)  # a quarter of a cell away
    assert 0.9 < np.corrcoef(coarse.ravel(), elsewhere.ravel())[0, 1] < 1


# Agreement


def test_rank_correlation_by_hand() -> None:
    one = floats([1, 2, 3, 4])
    # 1 - 6 Σ d² / (n (n² - 1)) with d = 0, 1, -1, 0
    assert agreement.rank_correlation(one, floats([10, 30, 20, 99])) == pytest.approx(1 - 12 / 60)
    assert agreement.rank_correlation(one, -one) == pytest.approx(-1)
    assert agreement.rank_correlation(one, one**3) == pytest.approx(1)


def test_rank_correlation_is_pearsons_of_ranks() -> None:
    one, other = random_map(3), random_map(3) + random_map(4)
    places = [np.argsort(np.argsort(values.ravel())) for values in (one, other)]
    expected = np.corrcoef(*places)[0, 1]
    assert agreement.rank_correlation(one, other) == pytest.approx(expected)


def test_overlap_by_hand() -> None:
    one = floats([9, 8, 0, 1, 2], [0, 0, 0, 0, 0])
    other = floats([9, 0, 8, 1, 2], [0, 0, 0, 0, 0])
    assert top(one).tolist() == [[True, True, False, False, False], [False] * 5]
    assert agreement.top_iou(one, other) == pytest.approx(1 / 3)
    assert agreement.top_iou(one, one) == 1
    assert agreement.top_iou(one, -one) == 0
    assert agreement.top_iou(one, other, fraction=0.3) == pytest.approx(2 / 4)


def test_overlap_of_unrelated_maps_is_what_the_docstring_says() -> None:
    found = [
        agreement.top_iou(random_map(s, 50, 50), random_map(s + 99, 50, 50)) for s in range(20)
    ]
    assert np.mean(found) == pytest.approx(0.2 / 1.8, abs=0.01)


def test_a_flat_map_agrees_with_nothing() -> None:
    flat = np.zeros((7, 7), np.float32)
    assert math.isnan(agreement.rank_correlation(flat, random_map(0)))
    assert math.isnan(agreement.top_iou(random_map(0), flat))
    with pytest.raises(ValueError, match="cannot be compared"):
        agreement.rank_correlation(flat, flat[:5])
    with pytest.raises(ValueError, match="cannot be compared"):
        agreement.top_iou(flat, flat[:5])


def test_disagreement_by_hand() -> None:
    one, other = floats([0, 10, 20]), floats([7, 5, 6])
    assert agreement.ranks(one).tolist() == [[0, 0.5, 1]]
    assert agreement.ranks(floats([1, 1, 2])).tolist() == [[0.25, 0.25, 1]]
    expected = [[np.std([0, 1]), np.std([0.5, 0]), np.std([1, 0.5])]]
    np.testing.assert_allclose(agreement.disagreement([one, other]), expected)
    assert agreement.disagreement([one, one * 100, one - 5]).max() == 0


# Concentration


def test_concentration_by_hand() -> None:
    """10 of positive evidence: the 4 and one 2 make more than half; they touch at a corner."""
    values = floats([-9, 4, 1, -3], [2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 2])
    found = concentration(values)
    assert found.area == 2 / 16
    assert found.regions == 1
    # Twice the distance of a cell's centre to the nearest edge: 0.25 at the rim of a 4×4 map.
    assert found.border == pytest.approx(0.25)
    values[1, 0], values[2, 2] = 0, 2
    assert concentration(values).regions == 2
    assert concentration(values).border == pytest.approx((0.25 * 8 + 0.75 * 2) / 10)


def test_concentration_of_an_even_map_is_what_the_docstring_says() -> None:
    found = concentration(np.ones((300, 300), np.float32))
    assert found.area == 0.5
    assert found.border == pytest.approx(1 / 3, abs=1e-4)


def test_without_positive_evidence_there_is_no_concentration() -> None:
    found = concentration(-np.ones((7, 7), np.float32))
    assert math.isnan(found.area)
    assert math.isnan(found.border)
    assert found.regions == 0


# Localisation


def test_share_inside_by_hand() -> None:
    values = floats([3, -5, 1], [1, 2, 0], [0, 0, 1])
    assert localization.share_inside(values, (0, 0, 1, 1)) == 1
    # The left upper quarter: one whole cell, two halves (one negative), a quarter.
    assert localization.share_inside(values, (0, 0, 0.5, 0.5)) == pytest.approx(
        (3 + 1 / 2 + 2 / 4) / 8
    )
    quarters = [(x, y, x + 0.5, y + 0.5) for x in (0, 0.5) for y in (0, 0.5)]
    assert sum(localization.share_inside(values, box) for box in quarters) == pytest.approx(1)
    assert math.isnan(localization.share_inside(-np.abs(values), (0, 0, 1, 1)))


def test_share_inside_is_the_share_of_pixels_of_the_enlarged_map() -> None:
    values = random_map(5, 9, 15)
    pixels = np.maximum(values, 0).repeat(100, axis=0).repeat(60, axis=1)  # (900, 900)
    expected = pixels[450:, :225].sum() / pixels.sum()
    assert localization.share_inside(values, (0, 0.5, 0.25, 1)) == pytest.approx(expected, rel=1e-5)


# Deletion and insertion


def test_area_under_a_curve_by_hand() -> None:
    assert area_under_curve([0, 0.5, 1], [1, 0.5, 0]) == 0.5
    assert area_under_curve([0, 0.25, 1], [0, 1, 1]) == pytest.approx(0.125 + 0.75)


def test_the_first_pixels_are_those_that_pytorch_grad_cam_removes() -> None:
    """Its ROAD removes by percentile of the enlarged map; the share of pixels is the same."""
    placement = Placement.even(7)
    order = pixel_order(random_map(6), placement, 70)
    enlarged = torch.from_numpy(resample(random_map(6), placement, 70, 70))
    for percent in (10, 50, 90):
        removes = RemoveMostRelevantFirst(100 - percent, lambda _, kept: kept)
        theirs = removes(torch.zeros(1), enlarged).numpy() == 0  # (70, 70)
        ours = first_pixels(order, percent / 100, 70)
        assert (theirs != ours).mean() < 0.001  # the pixel at the percentile itself
        assert ours.mean() == pytest.approx(percent / 100, abs=1e-3)


def test_a_blur_is_torchvisions() -> None:
    picture = np.random.default_rng(0).random((3, 80, 80)).astype(np.float32)
    theirs = gaussian_blur(torch.from_numpy(picture), [41, 41], [5.0, 5.0]).numpy()
    ours = blur(picture, 5.0)
    inner = (slice(None), slice(20, -20), slice(20, -20))  # they mirror at the border
    np.testing.assert_allclose(ours[inner], theirs[inner], atol=1e-4)


class GivenMap:
    """What torchcam's metric asks of an extractor, for a map that is already there."""

    def __init__(self, model: torch.nn.Module, values: Floats) -> None:
        self.model = model
        self.values = torch.from_numpy(values)[None]  # (1, h, w)
        self._hooks_off = nullcontext

    def __call__(self, *_: object) -> list[torch.Tensor]:
        return [self.values]

    def fuse_cams(self, cams: list[torch.Tensor]) -> torch.Tensor:
        return cams[0]


def test_deletion_and_insertion_agree_with_torchcam() -> None:
    """On a model whose score depends on where the picture is bright.

    pytorch-grad-cam's ROAD is another metric: it fills in by noisy interpolation and averages nine
    thresholds, so only its choice of pixels is compared, above.
    """
    side, steps = 64, 16
    values = random_map(7)
    picture = np.random.default_rng(1).random((3, side, side)).astype(np.float32)
    weight = torch.from_numpy(np.random.default_rng(2).normal(size=(2, 3 * side * side)) * 0.02)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * side * side, 2))
    model[1].weight.data = weight.float()
    blurred = blur(picture, 3.0)
    theirs = DeletionInsertionMetric(
        GivenMap(model, values),
        lambda logits: torch.softmax(logits, dim=-1),
        steps=steps,
        baseline=torch.from_numpy(blurred)[None],
    )
    theirs.update(torch.from_numpy(picture)[None], class_idx=1)

    order = pixel_order(values, Placement.even(7), side)  # as they enlarge every map
    fractions = [step / steps for step in range(steps + 1)]
    for name, (inside, outside) in {
        "deletion_auc": (blurred, picture),
        "insertion_auc": (picture, blurred),
    }.items():
        scores = []
        for fraction in fractions:
            mask = first_pixels(order, fraction, side)
            mixed = torch.from_numpy(np.where(mask, inside, outside))[None]
            scores.append(model(mixed).softmax(1)[0, 1].item())
        ours = area_under_curve(fractions, scores)
        assert ours == pytest.approx(theirs.summary()[name], abs=1e-3)
        assert np.ptp(scores) > 0.1  # there is something to agree on
