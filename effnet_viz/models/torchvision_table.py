"""torchvision's published networks: one row for each file of weights, as its own metadata has it.

Recorded, so that a server need not load torchvision to say what it has; a test compares every row
with torchvision's.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from effnet_viz.models.timm_table import HALF, IMAGENET

FILES = "https://download.pytorch.org/models"


class Row(NamedTuple):
    """One file of weights, and what was published with it."""

    name: str
    """torchvision's, as its weights have it."""
    weights: str
    """The name of these among its weights."""
    file: str
    megabytes: float
    resize: int
    resolution: int
    interpolation: Literal["bilinear", "bicubic"]
    normalisation: tuple[tuple[float, float, float], tuple[float, float, float]]
    parameters: int
    giga_multiply_adds: float
    top1: float
    top5: float
    """Percent of ImageNet's validation pictures."""


# fmt: off
ROWS = (
    Row(
        "EfficientNet_B0", "IMAGENET1K_V1", "efficientnet_b0_rwightman-7f5810bc.pth", 20.451,
        256, 224, "bicubic", IMAGENET,
        5_288_548, 0.386, 77.692, 93.532,
    ),
    Row(
        "EfficientNet_B1", "IMAGENET1K_V1", "efficientnet_b1_rwightman-bac287d4.pth", 30.134,
        256, 240, "bicubic", IMAGENET,
        7_794_184, 0.687, 78.642, 94.186,
    ),
    Row(
        "EfficientNet_B1", "IMAGENET1K_V2", "efficientnet_b1-c27df63c.pth", 30.136,
        255, 240, "bilinear", IMAGENET,
        7_794_184, 0.687, 79.838, 94.934,
    ),
    Row(
        "EfficientNet_B2", "IMAGENET1K_V1", "efficientnet_b2_rwightman-c35c1473.pth", 35.174,
        288, 288, "bicubic", IMAGENET,
        9_109_994, 1.088, 80.608, 95.31,
    ),
    Row(
        "EfficientNet_B3", "IMAGENET1K_V1", "efficientnet_b3_rwightman-b3899882.pth", 47.184,
        320, 300, "bicubic", IMAGENET,
        12_233_232, 1.827, 82.008, 96.054,
    ),
    Row(
        "EfficientNet_B4", "IMAGENET1K_V1", "efficientnet_b4_rwightman-23ab8bcd.pth", 74.489,
        384, 380, "bicubic", IMAGENET,
        19_341_616, 4.394, 83.384, 96.594,
    ),
    Row(
        "EfficientNet_B5", "IMAGENET1K_V1", "efficientnet_b5_lukemelas-1a07897c.pth", 116.864,
        456, 456, "bicubic", IMAGENET,
        30_389_784, 10.266, 83.444, 96.628,
    ),
    Row(
        "EfficientNet_B6", "IMAGENET1K_V1", "efficientnet_b6_lukemelas-24a108a5.pth", 165.362,
        528, 528, "bicubic", IMAGENET,
        43_040_704, 19.068, 84.008, 96.916,
    ),
    Row(
        "EfficientNet_B7", "IMAGENET1K_V1", "efficientnet_b7_lukemelas-c5b4e57e.pth", 254.675,
        600, 600, "bicubic", IMAGENET,
        66_347_960, 37.746, 84.122, 96.908,
    ),
    Row(
        "EfficientNet_V2_S", "IMAGENET1K_V1", "efficientnet_v2_s-dd5fe13b.pth", 82.704,
        384, 384, "bilinear", IMAGENET,
        21_458_488, 8.366, 84.228, 96.878,
    ),
    Row(
        "EfficientNet_V2_M", "IMAGENET1K_V1", "efficientnet_v2_m-dc08266a.pth", 208.01,
        480, 480, "bilinear", IMAGENET,
        54_139_356, 24.582, 85.112, 97.156,
    ),
    Row(
        "EfficientNet_V2_L", "IMAGENET1K_V1", "efficientnet_v2_l-59c71312.pth", 454.573,
        480, 480, "bicubic", HALF,
        118_515_272, 56.08, 85.808, 97.788,
    ),
    Row(
        "ResNet18", "IMAGENET1K_V1", "resnet18-f37072fd.pth", 44.661,
        256, 224, "bilinear", IMAGENET,
        11_689_512, 1.814, 69.758, 89.078,
    ),
    Row(
        "ResNet34", "IMAGENET1K_V1", "resnet34-b627a593.pth", 83.275,
        256, 224, "bilinear", IMAGENET,
        21_797_672, 3.664, 73.314, 91.42,
    ),
    Row(
        "ResNet50", "IMAGENET1K_V1", "resnet50-0676ba61.pth", 97.781,
        256, 224, "bilinear", IMAGENET,
        25_557_032, 4.089, 76.13, 92.862,
    ),
    Row(
        "ResNet101", "IMAGENET1K_V1", "resnet101-63fe2227.pth", 170.511,
        256, 224, "bilinear", IMAGENET,
        44_549_160, 7.801, 77.374, 93.546,
    ),
    Row(
        "ResNet152", "IMAGENET1K_V1", "resnet152-394f9c45.pth", 230.434,
        256, 224, "bilinear", IMAGENET,
        60_192_808, 11.514, 78.312, 94.046,
    ),
    Row(
        "Wide_ResNet50_2", "IMAGENET1K_V1", "wide_resnet50_2-95faca4d.pth", 131.82,
        256, 224, "bilinear", IMAGENET,
        68_883_240, 11.398, 78.468, 94.086,
    ),
    Row(
        "MobileNet_V2", "IMAGENET1K_V1", "mobilenet_v2-b0353104.pth", 13.555,
        256, 224, "bilinear", IMAGENET,
        3_504_872, 0.301, 71.878, 90.286,
    ),
)
# fmt: on
