"""Preprocessing is torchvision's, and the crop says where a pixel of the input came from."""

from __future__ import annotations

import dataclasses
import resource
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from torchvision.models import get_weight

from effnet_viz.arrays import Floats
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.preprocessing import ResizeAndCrop
from effnet_viz.models.zoo import MODELS
from effnet_viz.records import Crop
from tests.images.files import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    Pixels,
    assert_close,
    corners,
    encode,
    exif,
    noise,
    photograph,
    quarters,
    scenery,
)

REAL = {
    "b0": "EfficientNet_B0_Weights.IMAGENET1K_V1",  # 256 to 224, bicubic
    "b1-v2": "EfficientNet_B1_Weights.IMAGENET1K_V2",  # 255 to 240, bilinear
    "b2": "EfficientNet_B2_Weights.IMAGENET1K_V1",  # 288 to 288, bicubic: nothing cut off
    "b3": "EfficientNet_B3_Weights.IMAGENET1K_V1",  # 320 to 300, bicubic
}
SHAPES = [
    (640, 480), (480, 640), (333, 333), (501, 377), (300, 601), (377, 1001), (1601, 1203),
    (97, 61), (50, 50), (256, 256), (255, 300), (320, 288), (240, 30), (31, 250), (1, 1), (3, 2),
]  # fmt: skip


def shown_by(x: Floats, preprocessing: ResizeAndCrop) -> Pixels:
    """Levels 0 to 255 behind a model input, (R, R, 3)."""
    levels = np.rint((x[0].transpose(1, 2, 0) * preprocessing.std + preprocessing.mean) * 255)
    assert np.array_equal(preprocessing.picture(x), levels)
    return levels.astype(np.uint8)  # (R, R, 3)


@pytest.mark.parametrize("key", REAL)
@pytest.mark.parametrize("make", [noise, scenery])
def test_preprocessing_equals_torchvision_bit_by_bit(
    key: str, make: Callable[[int, int], Pixels]
) -> None:
    transforms = get_weight(REAL[key]).transforms()
    for width, height in SHAPES:
        pixels = make(width, height)
        x, _ = MODELS[key].preprocessing(photograph(pixels))  # (1, 3, R, R)
        assert x.dtype == np.float32
        assert x.flags.c_contiguous
        expected = transforms(Image.fromarray(pixels)).numpy()  # (3, R, R)
        assert np.array_equal(x[0], expected), (width, height)


@pytest.mark.parametrize("key", REAL)
@pytest.mark.parametrize("size", [(300, 20), (20, 300), (2, 200), (200, 1), (1000, 40)])
def test_preprocessing_of_strips_equals_torchvision_but_for_rounding(
    key: str, size: tuple[int, int]
) -> None:
    # Beyond 8 to 1 only the surroundings of the crop are resized. Pillow rounds their edges to
    # 32-bit floats and the filter's coefficients to integers, which can tip a level either way.
    # Measured: equal for the bicubic presets, and for the bilinear one (255 divides badly) 1 level
    # in at most 1.8 % of the values.
    preprocessing = MODELS[key].preprocessing
    pixels = noise(*size)
    x, _ = preprocessing(photograph(pixels))  # (1, 3, R, R)
    expected = (
        get_weight(REAL[key]).transforms()(Image.fromarray(pixels))[None].numpy()
    )  # (1, 3, R, R)
    actual_levels = shown_by(x, preprocessing).astype(int)  # (R, R, 3)
    difference = np.abs(actual_levels - shown_by(expected, preprocessing))  # (R, R, 3)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.03


def test_resizing_the_crop_alone_would_differ_from_torchvision() -> None:
    # Why preprocessing does not simply pass the crop's box to Pillow.
    preprocessing = MODELS["b3"].preprocessing
    pixels = noise(280, 601)
    picture = Image.fromarray(pixels)
    box = preprocessing.crop(280, 601).box
    alone = np.asarray(picture.resize((300, 300), Image.Resampling.BICUBIC, box=box)).astype(int)
    x, _ = preprocessing(photograph(pixels))  # (1, 3, 300, 300)
    assert np.abs(alone - shown_by(x, preprocessing)).max() > 1


def slow_bilinear(pixels: Pixels, preprocessing: ResizeAndCrop) -> NDArray[np.float64]:
    """Resize, crop and scale to 0..1 by the definition of the filter, (R, R, 3)."""
    height, width = pixels.shape[:2]
    side, resize = preprocessing.resolution, preprocessing.resize

    def weights(length: int) -> NDArray[np.float64]:  # (R, length)
        resized = int(resize * length / min(width, height))
        start = round((resized - side) / 2)
        scale = length / resized
        reach = max(scale, 1)
        centres = (np.arange(start, start + side) + 0.5) * scale  # (R,)
        distance = np.abs(np.arange(length) + 0.5 - centres[:, None]) / reach  # (R, length)
        triangle = np.maximum(0, 1 - distance)  # (R, length)
        return triangle / triangle.sum(axis=1, keepdims=True)

    return np.einsum("yh,hwc,xw->yxc", weights(height), pixels / 255, weights(width), optimize=True)


@pytest.mark.parametrize("size", [(37, 23), (300, 411), (523, 260), (4000, 1)])
def test_preprocessing_equals_a_slow_bilinear_filter(size: tuple[int, int]) -> None:
    preprocessing = dataclasses.replace(MODELS["b1-v2"].preprocessing, resize=48, resolution=40)
    pixels = scenery(*size)
    x, _ = preprocessing(photograph(pixels))  # (1, 3, 40, 40)
    expected = slow_bilinear(pixels, preprocessing) * 255  # (40, 40, 3)
    difference = np.abs(shown_by(x, preprocessing) - expected)  # (40, 40, 3)
    assert difference.max() < 1.1  # Pillow rounds after each of the two axes


@pytest.mark.parametrize("upright", [True, False])
def test_a_line_of_pixels_takes_little_memory(upright: bool) -> None:
    # torchvision would make 2.6 million by 256 pixels of it first, 2.6 GB.
    line = np.zeros((1, 10000, 3), np.uint8)  # (1, 10000, 3)
    line[:, 5000:] = 200  # the crop, 0.875 pixels wide, is centred on this edge
    pixels = np.ascontiguousarray(line.transpose(1, 0, 2)) if upright else line
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    x, crop = MODELS["b0"].preprocessing(photograph(pixels))  # (1, 3, 224, 224)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB
    levels = shown_by(x, MODELS["b0"].preprocessing)  # (224, 224, 3)
    across = levels[:, 100] if upright else levels[100]  # (224, 3)
    assert across[0].max() < 20
    assert across[-1].min() > 180
    assert (np.diff(across[:, 0].astype(int)) >= 0).all()
    assert abs(int(across[111, 0]) + int(across[112, 0]) - 200) <= 2
    edges = crop.box[1::2] if upright else crop.box[::2]
    assert edges == (4999.5625, 5000.4375)


# Geometry -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((256, 256), (16, 16, 240, 240)),
        ((512, 1024), (32, 288, 480, 736)),  # halved
        ((128, 64), (36, 4, 92, 60)),  # times four
        ((256, 259), (16, 18, 240, 242)),  # 17.5 rounds to even
        ((256, 257), (16, 16, 240, 240)),  # 16.5 rounds to even
        ((512, 515), (32, 16 * 515 / 257, 480, 240 * 515 / 257)),  # 257.5 rows are truncated
    ],
)
def test_crop_by_hand(size: tuple[int, int], box: tuple[float, float, float, float]) -> None:
    found = MODELS["b0"].preprocessing.crop(*size)
    assert found.box == pytest.approx(box)
    assert found.photograph == size
    assert found.resolution == 224


def test_part_seen() -> None:
    nothing_cut = MODELS["b2"].preprocessing
    assert nothing_cut.crop(288, 288).seen == 1
    assert nothing_cut.crop(600, 300).seen == pytest.approx(0.5)
    assert Crop((10, 20), (0, 5, 10, 10), 224).seen == 0.25
    assert MODELS["b0"].preprocessing.crop(512, 512).seen == pytest.approx((224 / 256) ** 2)


def test_crop_for_display() -> None:
    crop = MODELS["b2"].preprocessing.crop(480, 320)
    assert crop.box == pytest.approx((80, 0, 400, 320))
    assert crop.box_in(48, 16) == pytest.approx((8, 0, 40, 16))
    picture = decode(quarters(480, 320)).cropped(crop, 40)  # (40, 40, 3)
    assert picture.shape == (40, 40, 3)
    assert corners(picture) == [RED, GREEN, YELLOW, BLUE]


def test_box_lies_inside_the_photograph() -> None:
    generator = np.random.default_rng(0)
    sizes = [(w, h) for w in range(1, 40) for h in range(1, 40)]
    sizes += [tuple(int(s) for s in generator.integers(1, 9000, 2)) for _ in range(3000)]
    sizes += [(50_000_000, 1), (1, 50_000_000), (49_999_991, 1)]
    for preprocessing in {entry.preprocessing for entry in MODELS.values()}:
        for width, height in sizes:
            left, top, right, bottom = preprocessing.crop(width, height).box
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height


def test_coordinates_go_back_and_forth() -> None:
    generator = np.random.default_rng(0)
    for width, height in ((640, 480), (377, 1001), (3, 2), (10000, 20)):
        crop = MODELS["b3"].preprocessing.crop(width, height)
        left, top, right, bottom = crop.box
        assert crop.to_photograph(0, 0) == pytest.approx((left, top))
        assert crop.to_photograph(300, 300) == pytest.approx((right, bottom))
        for x, y in generator.uniform(-50, 350, (20, 2)):
            assert crop.to_model(*crop.to_photograph(x, y)) == pytest.approx((x, y), abs=1e-6)


def test_impossible_crops_raise() -> None:
    preprocessing = MODELS["b0"].preprocessing
    with pytest.raises(ValueError, match="at least 1 pixel"):
        preprocessing.crop(0, 10)
    with pytest.raises(ValueError, match="larger than"):
        dataclasses.replace(preprocessing, resolution=300).crop(10, 10)


def centre_of_light(x: Floats) -> tuple[float, float]:
    """Where the light of a model input lies on average, in model coordinates (x, y)."""
    light = x[0].sum(axis=0)  # (R, R)
    light = light - light.min()  # the background is 0
    middle = np.arange(light.shape[0]) + 0.5  # (R,)
    across, down = light.sum(axis=0), light.sum(axis=1)  # (R,), (R,)
    total = light.sum()
    return float((across * middle).sum() / total), float((down * middle).sum() / total)


def assert_dot_is_found(found: Photograph, x: int, y: int, key: str) -> None:
    """The bright pixel in column x and row y of the photograph is where the crop says."""
    seen, crop = MODELS[key].preprocessing(found)  # (1, 3, R, R)
    expected = crop.to_model(x + 0.5, y + 0.5)
    assert centre_of_light(seen) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("key", ["b1-v2", "b1", "lite0"])
@pytest.mark.parametrize(
    ("size", "dot"),
    [
        ((300, 200), (110, 60)),
        ((200, 300), (60, 190)),
        ((211, 211), (30, 180)),
        ((90, 70), (20, 50)),
        ((1000, 40), (510, 12)),
    ],
)
def test_a_dot_appears_where_the_crop_says(
    key: str, size: tuple[int, int], dot: tuple[int, int]
) -> None:
    picture = Image.new("RGB", size)
    picture.putpixel(dot, WHITE)
    assert_dot_is_found(decode(encode(picture, "PNG")), *dot, key)


@pytest.mark.parametrize(
    ("orientation", "dot"),
    # Stored: 300 x 200 with a dot in column 110, row 60.
    [
        (2, (189, 60)), (3, (189, 139)), (4, (110, 139)),
        (5, (60, 110)), (6, (139, 110)), (7, (139, 189)), (8, (60, 189)),
    ],
)  # fmt: skip
def test_a_dot_appears_where_the_crop_says_after_turning(
    orientation: int, dot: tuple[int, int]
) -> None:
    picture = Image.new("RGB", (300, 200))
    picture.putpixel((110, 60), WHITE)
    found = decode(encode(picture, "PNG", exif=exif(orientation)))
    assert found.pixels[dot[1], dot[0]].tolist() == list(WHITE)
    assert_dot_is_found(found, *dot, "b1-v2")


def test_crop_of_preprocessing_is_the_crop_of_the_size() -> None:
    found = photograph(scenery(301, 200))
    _, crop = MODELS["b3"].preprocessing(found)
    assert crop == MODELS["b3"].preprocessing.crop(301, 200)
    assert isinstance(crop, Crop)


@pytest.mark.parametrize("size", [(1, 1), (10000, 20), (20, 10000), (1, 7)])
def test_any_shape_is_decoded_preprocessed_and_reduced(size: tuple[int, int]) -> None:
    found = decode(encode(Image.new("RGB", size, (10, 200, 30)), "PNG"))
    assert (found.width, found.height) == size
    x, crop = MODELS["b0"].preprocessing(found)  # (1, 3, 224, 224)
    assert x.shape == (1, 3, 224, 224)
    assert_close(
        shown_by(x, MODELS["b0"].preprocessing)[::223, ::223],
        np.full((2, 2, 3), (10, 200, 30), np.uint8),
        levels=0,
    )
    assert 0 < crop.seen <= 1
    small = found.reduced(100)  # (h, w, 3)
    assert max(small.shape[:2]) == min(100, max(size))
    assert min(small.shape[:2]) >= 1
    assert (small == (10, 200, 30)).all()
