"""Pictures show what the arrays say: colours, places, ranges."""

from __future__ import annotations

import base64
import io

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

from effnet_viz.arrays import (
    Placement,
    blocks,
    full_range,
    positive_range,
    resample,
    signed_range,
)
from effnet_viz.pictures import render
from effnet_viz.pictures.encode import data_url

GREY = np.full((60, 80, 3), 128, dtype=np.uint8)


def test_ranges() -> None:
    one = np.array([[-3, 2]], dtype=np.float32)
    other = np.array([[5, 1]], dtype=np.float32)
    assert positive_range(one) == (0, 2)
    assert positive_range(one, other) == (0, 5)
    assert signed_range(one) == (-3, 3)
    assert signed_range(one, other) == (-5, 5)
    assert positive_range(-other) == (0, 1)
    assert signed_range(one * 0) == (-1, 1)
    assert full_range(one) == (-3, 2)
    assert full_range(one * 0 + 4) == (4, 5)


@pytest.mark.parametrize("colour_map", render.SEQUENTIAL + render.DIVERGING)
def test_colours_are_matplotlibs(colour_map: str) -> None:
    values = np.linspace(-1, 3, 50, dtype=np.float32).reshape(5, 10)
    expected = mpl.colormaps[colour_map](np.clip(values / 2, 0, 1), bytes=True)[..., :3]
    ours = render.apply_colormap(values, (0, 2), colour_map)
    # Nearest entry of the table here, the entry below there: one step of 256 at most.
    steps = np.abs(ours.astype(int) - expected.astype(int)).max()
    table = mpl.colormaps[colour_map](np.arange(256), bytes=True)[..., :3].astype(int)
    assert steps <= np.abs(np.diff(table, axis=0)).max()
    assert (ours[0, 0] == table[0]).all()
    assert (ours[-1, -1] == table[-1]).all()


def test_zero_is_neutral_on_signed_maps() -> None:
    for colour_map in render.DIVERGING:
        middle = render.apply_colormap(np.zeros((1, 1), np.float32), (-2, 2), colour_map)[0, 0]
        assert middle.astype(int).max() - middle.astype(int).min() < 12  # nearly grey


VALUES = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
PLACES = {
    "B0": Placement(0.5 / 224, 32 / 224),
    "Lite0": Placement(31.5 / 224, 32 / 224),
    "Lite2": Placement(3.5 / 260, 32 / 260),
    "tiling": Placement.even(7),
    "sparse": Placement(0.3, 0.05),
}


def test_cells_that_tile_the_square_are_enlarged_like_torch_does() -> None:
    expected = torch.nn.functional.interpolate(
        torch.tensor(VALUES)[None, None], size=(224, 140), mode="bilinear", align_corners=False
    )[0, 0].numpy()  # (224, 140)
    np.testing.assert_allclose(resample(VALUES, Placement.even(7), 140, 224), expected, atol=1e-5)


def test_cells_at_the_corners_of_the_square_are_enlarged_like_torch_aligns_corners() -> None:
    """With pixels at the places 0, 1/100 … 1, of which the first cell is at 0 and the last at 1."""
    expected = torch.nn.functional.interpolate(
        torch.tensor(VALUES)[None, None], size=(101, 101), mode="bilinear", align_corners=True
    )[0, 0].numpy()  # (101, 101)
    half = 0.5 / 100
    pixels = resample(VALUES, Placement(0, 1 / 6), 101, 101, (-half, -half, 1 + half, 1 + half))
    np.testing.assert_allclose(pixels, expected, atol=1e-5)


@pytest.mark.parametrize("placement", PLACES.values(), ids=PLACES)
def test_a_pixel_by_hand(placement: Placement) -> None:
    """Every pixel by the distances to the centres around it; beyond the outermost ones, theirs."""
    centres = [placement.start + i * placement.step for i in range(7)]
    places = (np.arange(50) + 0.5) / 50
    along = np.stack([np.interp(places, centres, row) for row in VALUES])  # (7, 50)
    expected = np.stack([np.interp(places, centres, column) for column in along.T], axis=1)
    np.testing.assert_allclose(resample(VALUES, placement, 50, 50), expected, atol=1e-5)
    nearest = [int(np.argmin([abs(place - centre) for centre in centres])) for place in places]
    np.testing.assert_array_equal(
        blocks(VALUES, placement, 50, 50), VALUES[np.ix_(nearest, nearest)]
    )


@pytest.mark.parametrize("placement", PLACES.values(), ids=PLACES)
def test_the_ends_of_blocks_are_where_the_nearest_cell_changes(placement: Placement) -> None:
    columns = np.tile(np.arange(7, dtype=np.float32), (7, 1))
    drawn = blocks(columns, placement, 1000, 1)[0]  # (1000,)
    places = (np.arange(1000) + 0.5) / 1000
    edges = placement.edges(7)
    assert (edges[0], edges[-1]) == (0, 1)
    np.testing.assert_array_equal(drawn, np.searchsorted(edges[1:-1], places))


@pytest.mark.parametrize("placement", PLACES.values(), ids=PLACES)
def test_the_peak_of_a_map_is_drawn_where_its_cell_is(placement: Placement) -> None:
    """An impulse in row 2, column 4, over a box that is not square."""
    values = np.zeros((7, 7), np.float32)
    values[2, 4] = 1
    picture = np.zeros((700, 900, 3), np.uint8)
    left, top, right, bottom = box = (100, 50, 900, 650)
    drawn = render.overlay(picture, values, placement, box, (0, 1), "viridis", 1.0)
    brightness = drawn[top:bottom, left:right].sum(axis=2)  # (600, 800)
    rows, columns = np.nonzero(brightness == brightness.max())
    row, column = (placement.start + i * placement.step for i in (2, 4))
    assert (rows.mean() + 0.5) / 600 == pytest.approx(row, abs=1 / 600)
    assert (columns.mean() + 0.5) / 800 == pytest.approx(column, abs=1 / 800)


def test_overlay_puts_the_map_into_its_box_and_hatches_the_rest() -> None:
    values = np.array([[0, 1]] * 2, dtype=np.float32)  # low on the left, high on the right
    box = (20, 0, 80, 60)
    picture = render.overlay(GREY, values, Placement.even(2), box, (0, 1), "viridis", 1.0)
    low, high = (
        render.apply_colormap(np.array([[v]], np.float32), (0, 1), "viridis") for v in (0, 1)
    )
    assert (picture[30, 20] == low).all()
    assert (picture[30, 79] == high).all()
    assert (picture[:, :20] == render.hide_unseen(GREY, box)[:, :20]).all()
    assert len(np.unique(picture[:, :20].reshape(-1, 3), axis=0)) == 2  # two stripes


def test_opacity_blends() -> None:
    values = np.ones((1, 1), dtype=np.float32)
    whole = (0, 0, 80, 60)
    heat = render.apply_colormap(values, (0, 1), "magma")[0, 0].astype(float)
    for opacity in (0.0, 0.25, 1.0):
        one = Placement.even(1)
        picture = render.overlay(GREY, values, one, whole, (0, 1), "magma", opacity)
        expected = (1 - opacity) * 128 + opacity * heat
        assert np.abs(picture[10, 10] - expected).max() <= 1


def test_width_and_height_are_not_swapped() -> None:
    picture = np.zeros((30, 90, 3), dtype=np.uint8)
    values = np.zeros((6, 6), dtype=np.float32)
    values[0, 5] = 1  # top right
    tiling, box = Placement.even(6), (0, 0, 90, 30)
    shown = render.overlay(picture, values, tiling, box, (0, 1), "viridis", 1.0)
    brightest = np.unravel_index(shown.sum(axis=2).argmax(), (30, 90))
    assert brightest[0] < 15
    assert brightest[1] >= 75


def test_cut() -> None:
    gradient = np.tile(np.arange(80, dtype=np.uint8)[None, :, None], (60, 1, 3))
    box = (10.4, 5.0, 50.4, 45.0)
    assert render.crop(gradient, box).shape == (40, 40, 3)
    assert render.crop(gradient, box)[0, 0, 0] == 10
    hidden = render.hide_unseen(gradient, box)
    assert (hidden[5:45, 10:50] == gradient[5:45, 10:50]).all()  # inside untouched
    assert not (hidden[:5] == gradient[:5]).any()
    assert render.crop(gradient, (79.9, 59.9, 80, 60)).shape == (1, 1, 3)


def test_the_stamp_changes_the_lower_edge() -> None:
    stamped = render.stamp(GREY, "untrained")
    values, one = np.ones((1, 1), np.float32), Placement.even(1)
    whole = (GREY, values, one, (0, 0, 80, 60), (0, 1), "magma", 0.5)
    drawn = render.overlay(*whole, "untrained")
    assert (drawn == render.stamp(render.overlay(*whole), "untrained")).all()
    assert stamped.shape == GREY.shape
    assert (stamped[:40] == GREY[:40]).all()
    assert not (stamped[50:] == GREY[50:]).all()


def test_the_font_has_every_letter_of_a_caption() -> None:
    font = render._font(20)
    missing = bytes(font.getmask("\ufffe"))
    for letter in "abcXYZ019 −×“”.,()éñ":
        assert bytes(font.getmask(letter)) != missing


def test_files() -> None:
    gradient = np.tile(np.arange(80, dtype=np.uint8)[None, :, None], (60, 1, 3))
    for file_format, most in (("png", 0), ("webp", 0), ("jpeg", 3)):
        url = data_url(gradient, file_format)
        start = f"data:image/{file_format};base64,"
        assert url.startswith(start)
        decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(url[len(start) :]))))
        assert np.abs(decoded.astype(int) - gradient).max() <= most


def test_numbers_have_three_digits() -> None:
    assert [render.number(v) for v in (0, 1.2345, -0.01234, 12345)] == [
        "0", "1.23", "−0.0123", "1.23e+04",
    ]  # fmt: skip


def test_a_sheet_is_the_picture_over_its_colour_bar_and_caption() -> None:
    caption = ["EfficientNet-Lite0, weights: some file", "CAM, class “cat”, own scale 0 to 2"]
    sheet = render.sheet(GREY, (0.0, 2.0), "magma", caption)
    height, width = GREY.shape[:2]
    left = (sheet.shape[1] - width) // 2
    np.testing.assert_array_equal(sheet[:height, left : left + width], GREY)
    strip = sheet[height:]
    coloured = np.abs(strip.astype(int) - strip.mean(axis=2, keepdims=True)).max(axis=2) > 20
    rows = np.flatnonzero(coloured.any(axis=1))
    bar = strip[rows.min() : rows.max() + 1]
    table = render.colours("magma")
    for fraction in (0.1, 0.5, 0.9):  # left to right, from low to high
        x = round(sheet.shape[1] * (0.25 + 0.5 * fraction))
        assert np.abs(bar[len(bar) // 2, x].astype(int) - table[int(256 * fraction)]).max() < 9
    assert (strip[rows.max() + 1 :] < 128).any()  # the caption, in black
    assert (strip[:, [0, -1]] == 255).all()  # nothing runs over the edge

    longer = render.sheet(GREY, (0.0, 2.0), "magma", [" ".join(caption * 5)])
    assert longer.shape[0] > sheet.shape[0]
    assert (longer[height:, [0, -1]] == 255).all()
