"""timm's published networks: one row each, as timm's own configurations and results state them.

Left out of timm's list, and why:
- EfficientNet-L2: 480 M parameters, 1.9 GB; a server's memory holds none beside other models.
- What "squashes" the photograph (B5 of timm, EfficientNetV2-M, L and XL of Google, H-B5, X-B5): a
  crop has one scale here. torchvision has V2-M and V2-L without it.
- The CondConv networks: they mix their kernels anew for every image, so no stage has one weight.
- GC-EfficientNetV2-RW-T: its attention multiplies activations, which no count of a stage here has.
- Networks whose classes are not ImageNet's 1,000, and timm's own tiny ones for tests.
- Google's Lite0 to Lite2, which come as packages.
"""

from __future__ import annotations

from math import nan
from typing import Literal, NamedTuple

from effnet_viz.models.published import Family

SOURCE = "timm, results-imagenet.csv at {resolution} px; size counted on the built network"

COUNTED = "size counted on the built network; timm's results have no accuracy at {resolution} px"

_RELEASES = "https://github.com/rwightman/pytorch-image-models/releases/download"

WEIGHTS = f"{_RELEASES}/v0.1-weights"
V2_WEIGHTS = f"{_RELEASES}/v0.1-effv2-weights"
PRUNED_WEIGHTS = f"{_RELEASES}/v0.1-tresnet"
NEW_WEIGHTS = "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights"

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of ImageNet's pixels."""
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Row(NamedTuple):
    """One file of weights at one resolution: where timm tests it, where it has a test size.

    B2 and B3 are here twice, as the older names B2a and B3a were: the same file at the resolution
    of its training, too.
    """

    key: str
    title: str
    family: Family
    recipe: str
    name: str
    """Architecture and tag of the weights."""
    release: str | None
    """Where the file is; None where it is on the Hugging Face Hub only, without a hash."""
    file: str | None
    width: float | None
    depth: float | None
    """Relative to the baseline of the family; None where blocks were changed otherwise."""
    resolution: int
    crop: float
    """The part of the resized side that is cut out."""
    interpolation: Literal["bilinear", "bicubic"]
    normalisation: tuple[tuple[float, float, float], tuple[float, float, float]]
    parameters: int
    multiply_adds: int
    """Counted on the built network, as the parameters are."""
    megabytes: float
    """Of the tensors, in units of 1024 * 1024 bytes."""
    top1: float
    top5: float
    """In percent; NaN where timm's results do not have this file at this resolution."""


# fmt: off
ROWS = (
    Row(
        "timm-b0", "EfficientNet-B0 (timm, RandAugment)",
        Family.TIMM, "RandAugment (timm)", "efficientnet_b0.ra_in1k",
        WEIGHTS, "efficientnet_b0_ra-3dd342df.pth", 1.0, 1.0,
        224, 0.875, "bicubic", IMAGENET, 5_288_548, 385_814_752, 20.3, 77.694, 93.532,
    ),
    Row(
        "timm-b1", "EfficientNet-B1 (timm)",
        Family.TIMM, "fine-tuned (timm)", "efficientnet_b1.ft_in1k",
        WEIGHTS, "efficientnet_b1-533bc792.pth", 1.0, 1.1,
        256, 1.0, "bicubic", IMAGENET, 7_794_184, 743_303_680, 30.0, 78.8, 94.342,
    ),
    Row(
        "timm-b2", "EfficientNet-B2 (timm, RandAugment)",
        Family.TIMM, "RandAugment (timm)", "efficientnet_b2.ra_in1k",
        WEIGHTS, "efficientnet_b2_ra-bcdf34b7.pth", 1.1, 1.2,
        256, 0.875, "bicubic", IMAGENET, 9_109_994, 859_853_760, 35.0, nan, nan,
    ),
    Row(
        "timm-b2a", "EfficientNet-B2a (timm, RandAugment)",
        Family.TIMM, "RandAugment (timm)", "efficientnet_b2.ra_in1k",
        WEIGHTS, "efficientnet_b2_ra-bcdf34b7.pth", 1.1, 1.2,
        288, 1.0, "bicubic", IMAGENET, 9_109_994, 1_087_529_456, 35.0, 80.61, 95.314,
    ),
    Row(
        "timm-b3", "EfficientNet-B3 (timm, RandAugment)",
        Family.TIMM, "RandAugment 2 (timm)", "efficientnet_b3.ra2_in1k",
        WEIGHTS, "efficientnet_b3_ra2-cf984f9c.pth", 1.2, 1.4,
        288, 0.875, "bicubic", IMAGENET, 12_233_232, 1_589_198_096, 47.0, nan, nan,
    ),
    Row(
        "timm-b3a", "EfficientNet-B3a (timm, RandAugment)",
        Family.TIMM, "RandAugment 2 (timm)", "efficientnet_b3.ra2_in1k",
        WEIGHTS, "efficientnet_b3_ra2-cf984f9c.pth", 1.2, 1.4,
        320, 1.0, "bicubic", IMAGENET, 12_233_232, 1_961_176_448, 47.0, 82.242, 96.118,
    ),
    Row(
        "timm-b4", "EfficientNet-B4 (timm, RandAugment)",
        Family.TIMM, "RandAugment 2 (timm)", "efficientnet_b4.ra2_in1k",
        WEIGHTS, "efficientnet_b4_ra2_320-7eb33cd5.pth", 1.4, 1.8,
        384, 1.0, "bicubic", IMAGENET, 19_341_616, 4_409_549_152, 74.3, 83.414, 96.598,
    ),
    Row(
        "timm-lite0", "EfficientNet-Lite0 (timm, RandAugment)",
        Family.TIMM, "RandAugment (timm)", "efficientnet_lite0.ra_in1k",
        WEIGHTS, "efficientnet_lite0_ra-37913777.pth", 1.0, 1.0,
        224, 0.875, "bicubic", IMAGENET, 4_652_008, 385_187_552, 17.9, 75.48, 92.522,
    ),
    Row(
        "timm-b0-ra4", "EfficientNet-B0 (timm, 3600 epochs)",
        Family.TIMM, "3600 epochs (timm)", "efficientnet_b0.ra4_e3600_r224_in1k",
        None, None, 1.0, 1.0,
        256, 1.0, "bicubic", HALF, 5_288_548, 503_337_472, 20.3, nan, nan,
    ),
    Row(
        "timm-b1-ra4", "EfficientNet-B1 (timm, 3600 epochs)",
        Family.TIMM, "3600 epochs (timm)", "efficientnet_b1.ra4_e3600_r240_in1k",
        None, None, 1.0, 1.1,
        288, 1.0, "bicubic", HALF, 7_794_184, 940_109_280, 30.0, nan, nan,
    ),
    Row(
        "timm-b1-pruned", "EfficientNet-B1, pruned",
        Family.TIMM, "pruned (timm)", "efficientnet_b1_pruned.in1k",
        PRUNED_WEIGHTS, "effnetb1_pruned-bea43a3a.pth", None, None,
        240, 0.882, "bicubic", HALF, 6_331_916, 391_208_019, 24.3, 78.242, 93.836,
    ),
    Row(
        "timm-b2-pruned", "EfficientNet-B2, pruned",
        Family.TIMM, "pruned (timm)", "efficientnet_b2_pruned.in1k",
        PRUNED_WEIGHTS, "effnetb2_pruned-08c1b27c.pth", None, None,
        260, 0.89, "bicubic", HALF, 8_309_737, 715_749_145, 31.9, 79.92, 94.852,
    ),
    Row(
        "timm-b3-pruned", "EfficientNet-B3, pruned",
        Family.TIMM, "pruned (timm)", "efficientnet_b3_pruned.in1k",
        PRUNED_WEIGHTS, "effnetb3_pruned-59ecf72d.pth", None, None,
        300, 0.904, "bicubic", HALF, 9_855_020, 1_020_257_090, 37.8, 80.852, 95.244,
    ),
    Row(
        "tf-b0-aa", "EfficientNet-B0 (AutoAugment)",
        Family.GOOGLE, "AutoAugment (Google)", "tf_efficientnet_b0.aa_in1k",
        WEIGHTS, "tf_efficientnet_b0_aa-827b6e33.pth", 1.0, 1.0,
        224, 0.875, "bicubic", IMAGENET, 5_288_548, 385_814_752, 20.3, 76.834, 93.22,
    ),
    Row(
        "tf-b1-aa", "EfficientNet-B1 (AutoAugment)",
        Family.GOOGLE, "AutoAugment (Google)", "tf_efficientnet_b1.aa_in1k",
        WEIGHTS, "tf_efficientnet_b1_aa-ea7a6ee0.pth", 1.0, 1.1,
        240, 0.882, "bicubic", IMAGENET, 7_794_184, 686_802_832, 30.0, 78.83, 94.198,
    ),
    Row(
        "tf-b2-aa", "EfficientNet-B2 (AutoAugment)",
        Family.GOOGLE, "AutoAugment (Google)", "tf_efficientnet_b2.aa_in1k",
        WEIGHTS, "tf_efficientnet_b2_aa-60c94f97.pth", 1.1, 1.2,
        260, 0.89, "bicubic", IMAGENET, 9_109_994, 993_561_872, 35.0, 80.084, 94.906,
    ),
    Row(
        "tf-b3-aa", "EfficientNet-B3 (AutoAugment)",
        Family.GOOGLE, "AutoAugment (Google)", "tf_efficientnet_b3.aa_in1k",
        WEIGHTS, "tf_efficientnet_b3_aa-84b4657e.pth", 1.2, 1.4,
        300, 0.904, "bicubic", IMAGENET, 12_233_232, 1_827_141_392, 47.0, 81.644, 95.722,
    ),
    Row(
        "tf-b4-aa", "EfficientNet-B4 (AutoAugment)",
        Family.GOOGLE, "AutoAugment (Google)", "tf_efficientnet_b4.aa_in1k",
        WEIGHTS, "tf_efficientnet_b4_aa-818f208c.pth", 1.4, 1.8,
        380, 0.922, "bicubic", IMAGENET, 19_341_616, 4_393_771_024, 74.3, 83.018, 96.3,
    ),
    Row(
        "tf-b5-aa", "EfficientNet-B5 (AutoAugment)",
        Family.GOOGLE, "AutoAugment (Google)", "tf_efficientnet_b5.aa_in1k",
        NEW_WEIGHTS, "tf_efficientnet_b5_aa-99018a74.pth", 1.6, 2.2,
        456, 0.934, "bicubic", IMAGENET, 30_389_784, 10_266_384_752, 116.6, 83.688, 96.712,
    ),
    Row(
        "tf-b6-aa", "EfficientNet-B6 (AutoAugment)",
        Family.GOOGLE, "AutoAugment (Google)", "tf_efficientnet_b6.aa_in1k",
        WEIGHTS, "tf_efficientnet_b6_aa-80ba17e4.pth", 1.8, 2.6,
        528, 0.942, "bicubic", IMAGENET, 43_040_704, 19_067_593_536, 165.0, 84.116, 96.88,
    ),
    Row(
        "tf-b7-aa", "EfficientNet-B7 (AutoAugment)",
        Family.GOOGLE, "AutoAugment (Google)", "tf_efficientnet_b7.aa_in1k",
        NEW_WEIGHTS, "tf_efficientnet_b7_aa-076e3472.pth", 2.0, 3.1,
        600, 0.949, "bicubic", IMAGENET, 66_347_960, 37_745_884_192, 254.3, 84.414, 96.906,
    ),
    Row(
        "tf-b0-ap", "EfficientNet-B0 (AdvProp)",
        Family.GOOGLE, "AdvProp (Google)", "tf_efficientnet_b0.ap_in1k",
        WEIGHTS, "tf_efficientnet_b0_ap-f262efe1.pth", 1.0, 1.0,
        224, 0.875, "bicubic", HALF, 5_288_548, 385_814_752, 20.3, 77.09, 93.262,
    ),
    Row(
        "tf-b1-ap", "EfficientNet-B1 (AdvProp)",
        Family.GOOGLE, "AdvProp (Google)", "tf_efficientnet_b1.ap_in1k",
        WEIGHTS, "tf_efficientnet_b1_ap-44ef0a3d.pth", 1.0, 1.1,
        240, 0.882, "bicubic", HALF, 7_794_184, 686_802_832, 30.0, 79.28, 94.308,
    ),
    Row(
        "tf-b2-ap", "EfficientNet-B2 (AdvProp)",
        Family.GOOGLE, "AdvProp (Google)", "tf_efficientnet_b2.ap_in1k",
        WEIGHTS, "tf_efficientnet_b2_ap-2f8e7636.pth", 1.1, 1.2,
        260, 0.89, "bicubic", HALF, 9_109_994, 993_561_872, 35.0, 80.308, 95.028,
    ),
    Row(
        "tf-b3-ap", "EfficientNet-B3 (AdvProp)",
        Family.GOOGLE, "AdvProp (Google)", "tf_efficientnet_b3.ap_in1k",
        WEIGHTS, "tf_efficientnet_b3_ap-aad25bdd.pth", 1.2, 1.4,
        300, 0.904, "bicubic", HALF, 12_233_232, 1_827_141_392, 47.0, 81.826, 95.626,
    ),
    Row(
        "tf-b4-ap", "EfficientNet-B4 (AdvProp)",
        Family.GOOGLE, "AdvProp (Google)", "tf_efficientnet_b4.ap_in1k",
        WEIGHTS, "tf_efficientnet_b4_ap-dedb23e6.pth", 1.4, 1.8,
        380, 0.922, "bicubic", HALF, 19_341_616, 4_393_771_024, 74.3, 83.25, 96.394,
    ),
    Row(
        "tf-b5-ap", "EfficientNet-B5 (AdvProp)",
        Family.GOOGLE, "AdvProp (Google)", "tf_efficientnet_b5.ap_in1k",
        WEIGHTS, "tf_efficientnet_b5_ap-9e82fae8.pth", 1.6, 2.2,
        456, 0.934, "bicubic", HALF, 30_389_784, 10_266_384_752, 116.6, 84.258, 96.974,
    ),
    Row(
        "tf-b6-ap", "EfficientNet-B6 (AdvProp)",
        Family.GOOGLE, "AdvProp (Google)", "tf_efficientnet_b6.ap_in1k",
        WEIGHTS, "tf_efficientnet_b6_ap-4ffb161f.pth", 1.8, 2.6,
        528, 0.942, "bicubic", HALF, 43_040_704, 19_067_593_536, 165.0, 84.786, 97.136,
    ),
    Row(
        "tf-b7-ap", "EfficientNet-B7 (AdvProp)",
        Family.GOOGLE, "AdvProp (Google)", "tf_efficientnet_b7.ap_in1k",
        WEIGHTS, "tf_efficientnet_b7_ap-ddb28fec.pth", 2.0, 3.1,
        600, 0.949, "bicubic", HALF, 66_347_960, 37_745_884_192, 254.3, 85.122, 97.252,
    ),
    Row(
        "tf-b8-ap", "EfficientNet-B8 (AdvProp)",
        Family.GOOGLE, "AdvProp (Google)", "tf_efficientnet_b8.ap_in1k",
        WEIGHTS, "tf_efficientnet_b8_ap-00e169fa.pth", 2.2, 3.6,
        672, 0.954, "bicubic", HALF, 87_413_142, 62_597_461_568, 334.9, 85.364, 97.292,
    ),
    Row(
        "tf-b0-ns", "EfficientNet-B0 (NoisyStudent)",
        Family.GOOGLE, "NoisyStudent on JFT-300M (Google)", "tf_efficientnet_b0.ns_jft_in1k",
        WEIGHTS, "tf_efficientnet_b0_ns-c0e6a31c.pth", 1.0, 1.0,
        224, 0.875, "bicubic", IMAGENET, 5_288_548, 385_814_752, 20.3, 78.67, 94.374,
    ),
    Row(
        "tf-b1-ns", "EfficientNet-B1 (NoisyStudent)",
        Family.GOOGLE, "NoisyStudent on JFT-300M (Google)", "tf_efficientnet_b1.ns_jft_in1k",
        WEIGHTS, "tf_efficientnet_b1_ns-99dd0c41.pth", 1.0, 1.1,
        240, 0.882, "bicubic", IMAGENET, 7_794_184, 686_802_832, 30.0, 81.394, 95.736,
    ),
    Row(
        "tf-b2-ns", "EfficientNet-B2 (NoisyStudent)",
        Family.GOOGLE, "NoisyStudent on JFT-300M (Google)", "tf_efficientnet_b2.ns_jft_in1k",
        WEIGHTS, "tf_efficientnet_b2_ns-00306e48.pth", 1.1, 1.2,
        260, 0.89, "bicubic", IMAGENET, 9_109_994, 993_561_872, 35.0, 82.378, 96.254,
    ),
    Row(
        "tf-b3-ns", "EfficientNet-B3 (NoisyStudent)",
        Family.GOOGLE, "NoisyStudent on JFT-300M (Google)", "tf_efficientnet_b3.ns_jft_in1k",
        WEIGHTS, "tf_efficientnet_b3_ns-9d44bf68.pth", 1.2, 1.4,
        300, 0.904, "bicubic", IMAGENET, 12_233_232, 1_827_141_392, 47.0, 84.056, 96.918,
    ),
    Row(
        "tf-b4-ns", "EfficientNet-B4 (NoisyStudent)",
        Family.GOOGLE, "NoisyStudent on JFT-300M (Google)", "tf_efficientnet_b4.ns_jft_in1k",
        WEIGHTS, "tf_efficientnet_b4_ns-d6313a46.pth", 1.4, 1.8,
        380, 0.922, "bicubic", IMAGENET, 19_341_616, 4_393_771_024, 74.3, 85.162, 97.47,
    ),
    Row(
        "tf-b5-ns", "EfficientNet-B5 (NoisyStudent)",
        Family.GOOGLE, "NoisyStudent on JFT-300M (Google)", "tf_efficientnet_b5.ns_jft_in1k",
        WEIGHTS, "tf_efficientnet_b5_ns-6f26d0cf.pth", 1.6, 2.2,
        456, 0.934, "bicubic", IMAGENET, 30_389_784, 10_266_384_752, 116.6, 86.088, 97.754,
    ),
    Row(
        "tf-b6-ns", "EfficientNet-B6 (NoisyStudent)",
        Family.GOOGLE, "NoisyStudent on JFT-300M (Google)", "tf_efficientnet_b6.ns_jft_in1k",
        WEIGHTS, "tf_efficientnet_b6_ns-51548356.pth", 1.8, 2.6,
        528, 0.942, "bicubic", IMAGENET, 43_040_704, 19_067_593_536, 165.0, 86.456, 97.884,
    ),
    Row(
        "tf-b7-ns", "EfficientNet-B7 (NoisyStudent)",
        Family.GOOGLE, "NoisyStudent on JFT-300M (Google)", "tf_efficientnet_b7.ns_jft_in1k",
        WEIGHTS, "tf_efficientnet_b7_ns-1dbc32de.pth", 2.0, 3.1,
        600, 0.949, "bicubic", IMAGENET, 66_347_960, 37_745_884_192, 254.3, 86.84, 98.094,
    ),
    Row(
        "tf-b5-ra", "EfficientNet-B5 (RandAugment)",
        Family.GOOGLE, "RandAugment (Google)", "tf_efficientnet_b5.ra_in1k",
        WEIGHTS, "tf_efficientnet_b5_ra-9a3e5369.pth", 1.6, 2.2,
        456, 0.934, "bicubic", IMAGENET, 30_389_784, 10_266_384_752, 116.6, 83.81, 96.754,
    ),
    Row(
        "tf-b7-ra", "EfficientNet-B7 (RandAugment)",
        Family.GOOGLE, "RandAugment (Google)", "tf_efficientnet_b7.ra_in1k",
        WEIGHTS, "tf_efficientnet_b7_ra-6c08e654.pth", 2.0, 3.1,
        600, 0.949, "bicubic", IMAGENET, 66_347_960, 37_745_884_192, 254.3, 84.932, 97.208,
    ),
    Row(
        "tf-b8-ra", "EfficientNet-B8 (RandAugment)",
        Family.GOOGLE, "RandAugment (Google)", "tf_efficientnet_b8.ra_in1k",
        WEIGHTS, "tf_efficientnet_b8_ra-572d5dd9.pth", 2.2, 3.6,
        672, 0.954, "bicubic", IMAGENET, 87_413_142, 62_597_461_568, 334.9, 85.368, 97.394,
    ),
    Row(
        "tf-b0", "EfficientNet-B0 (Google, first recipe)",
        Family.GOOGLE, "first recipe (Google)", "tf_efficientnet_b0.in1k",
        NEW_WEIGHTS, "tf_efficientnet_b0-0af12548.pth", 1.0, 1.0,
        224, 0.875, "bicubic", IMAGENET, 5_288_548, 385_814_752, 20.3, 76.532, 93.008,
    ),
    Row(
        "tf-b1", "EfficientNet-B1 (Google, first recipe)",
        Family.GOOGLE, "first recipe (Google)", "tf_efficientnet_b1.in1k",
        NEW_WEIGHTS, "tf_efficientnet_b1-5c1377c4.pth", 1.0, 1.1,
        240, 0.882, "bicubic", IMAGENET, 7_794_184, 686_802_832, 30.0, 78.56, 94.094,
    ),
    Row(
        "tf-b2", "EfficientNet-B2 (Google, first recipe)",
        Family.GOOGLE, "first recipe (Google)", "tf_efficientnet_b2.in1k",
        NEW_WEIGHTS, "tf_efficientnet_b2-e393ef04.pth", 1.1, 1.2,
        260, 0.89, "bicubic", IMAGENET, 9_109_994, 993_561_872, 35.0, 79.604, 94.714,
    ),
    Row(
        "tf-b3", "EfficientNet-B3 (Google, first recipe)",
        Family.GOOGLE, "first recipe (Google)", "tf_efficientnet_b3.in1k",
        NEW_WEIGHTS, "tf_efficientnet_b3-e3bd6955.pth", 1.2, 1.4,
        300, 0.904, "bicubic", IMAGENET, 12_233_232, 1_827_141_392, 47.0, 80.878, 95.3,
    ),
    Row(
        "tf-b4", "EfficientNet-B4 (Google, first recipe)",
        Family.GOOGLE, "first recipe (Google)", "tf_efficientnet_b4.in1k",
        NEW_WEIGHTS, "tf_efficientnet_b4-74ee3bed.pth", 1.4, 1.8,
        380, 0.922, "bicubic", IMAGENET, 19_341_616, 4_393_771_024, 74.3, 82.608, 96.128,
    ),
    Row(
        "tf-b5", "EfficientNet-B5 (Google, first recipe)",
        Family.GOOGLE, "first recipe (Google)", "tf_efficientnet_b5.in1k",
        NEW_WEIGHTS, "tf_efficientnet_b5-c6949ce9.pth", 1.6, 2.2,
        456, 0.934, "bicubic", IMAGENET, 30_389_784, 10_266_384_752, 116.6, 83.176, 96.536,
    ),
    Row(
        "lite3", "EfficientNet-Lite3",
        Family.GOOGLE, "EfficientNet-Lite (Google)", "tf_efficientnet_lite3.in1k",
        WEIGHTS, "tf_efficientnet_lite3-b733e338.pth", 1.2, 1.4,
        300, 0.904, "bilinear", HALF, 8_197_096, 1_607_554_544, 31.6, 79.808, 94.912,
    ),
    Row(
        "lite4", "EfficientNet-Lite4",
        Family.GOOGLE, "EfficientNet-Lite (Google)", "tf_efficientnet_lite4.in1k",
        WEIGHTS, "tf_efficientnet_lite4-741542c3.pth", 1.4, 1.8,
        380, 0.92, "bilinear", HALF, 13_006_568, 3_943_564_112, 50.0, 81.532, 95.664,
    ),
    Row(
        "es", "EfficientNet-EdgeTPU-S (timm)",
        Family.EDGE, "RandAugment (timm)", "efficientnet_es.ra_in1k",
        WEIGHTS, "efficientnet_es_ra-f111e99c.pth", 1.0, 1.0,
        224, 0.875, "bicubic", IMAGENET, 5_438_392, 1_788_731_008, 20.9, 78.054, 93.924,
    ),
    Row(
        "em", "EfficientNet-EdgeTPU-M (timm)",
        Family.EDGE, "RandAugment 2 (timm)", "efficientnet_em.ra2_in1k",
        WEIGHTS, "efficientnet_em_ra2-66250f76.pth", 1.0, 1.1,
        240, 0.882, "bicubic", IMAGENET, 6_899_496, 3_013_321_088, 26.6, 79.24, 94.794,
    ),
    Row(
        "el", "EfficientNet-EdgeTPU-L (timm)",
        Family.EDGE, "RandAugment (timm)", "efficientnet_el.ra_in1k",
        WEIGHTS, "efficientnet_el-3b455510.pth", 1.2, 1.4,
        300, 0.904, "bicubic", IMAGENET, 10_589_712, 7_936_082_848, 40.7, 81.312, 95.536,
    ),
    Row(
        "es-pruned", "EfficientNet-EdgeTPU-S, pruned",
        Family.EDGE, "pruned (timm)", "efficientnet_es_pruned.in1k",
        WEIGHTS, "efficientnet_es_pruned75-1b7248cf.pth", None, None,
        224, 0.875, "bicubic", IMAGENET, 5_438_392, 1_788_731_008, 20.9, 75.014, 92.446,
    ),
    Row(
        "el-pruned", "EfficientNet-EdgeTPU-L, pruned",
        Family.EDGE, "pruned (timm)", "efficientnet_el_pruned.in1k",
        WEIGHTS, "efficientnet_el_pruned70-ef2a2ccf.pth", None, None,
        300, 0.904, "bicubic", IMAGENET, 10_589_712, 7_936_082_848, 40.7, 80.3, 95.222,
    ),
    Row(
        "tf-es", "EfficientNet-EdgeTPU-S (Google)",
        Family.EDGE, "EfficientNet-EdgeTPU (Google)", "tf_efficientnet_es.in1k",
        WEIGHTS, "tf_efficientnet_es-ca1afbfe.pth", 1.0, 1.0,
        224, 0.875, "bicubic", HALF, 5_438_392, 1_788_731_008, 20.9, 76.6, 93.202,
    ),
    Row(
        "tf-em", "EfficientNet-EdgeTPU-M (Google)",
        Family.EDGE, "EfficientNet-EdgeTPU (Google)", "tf_efficientnet_em.in1k",
        WEIGHTS, "tf_efficientnet_em-e78cfe58.pth", 1.0, 1.1,
        240, 0.882, "bicubic", HALF, 6_899_496, 3_013_321_088, 26.6, 78.122, 94.046,
    ),
    Row(
        "tf-el", "EfficientNet-EdgeTPU-L (Google)",
        Family.EDGE, "EfficientNet-EdgeTPU (Google)", "tf_efficientnet_el.in1k",
        WEIGHTS, "tf_efficientnet_el-5143854e.pth", 1.2, 1.4,
        300, 0.904, "bicubic", HALF, 10_589_712, 7_936_082_848, 40.7, 80.252, 95.118,
    ),
    Row(
        "v2-b0", "EfficientNetV2-B0 (Google)",
        Family.V2, "EfficientNetV2 (Google)", "tf_efficientnetv2_b0.in1k",
        V2_WEIGHTS, "tf_efficientnetv2_b0-c7cc451f.pth", 1.0, 1.0,
        224, 0.875, "bicubic", IMAGENET, 7_139_704, 718_086_176, 27.5, 78.358, 94.014,
    ),
    Row(
        "v2-b1", "EfficientNetV2-B1 (Google)",
        Family.V2, "EfficientNetV2 (Google)", "tf_efficientnetv2_b1.in1k",
        V2_WEIGHTS, "tf_efficientnetv2_b1-be6e41b0.pth", 1.0, 1.1,
        240, 0.882, "bicubic", IMAGENET, 8_141_052, 1_196_819_360, 31.3, 79.462, 94.722,
    ),
    Row(
        "v2-b2", "EfficientNetV2-B2 (Google)",
        Family.V2, "EfficientNetV2 (Google)", "tf_efficientnetv2_b2.in1k",
        V2_WEIGHTS, "tf_efficientnetv2_b2-847de54e.pth", 1.1, 1.2,
        260, 0.89, "bicubic", IMAGENET, 10_096_086, 1_697_542_832, 38.8, 80.194, 95.042,
    ),
    Row(
        "v2-b3", "EfficientNetV2-B3 (Google)",
        Family.V2, "EfficientNetV2 (Google)", "tf_efficientnetv2_b3.in1k",
        V2_WEIGHTS, "tf_efficientnetv2_b3-57773f13.pth", 1.2, 1.4,
        300, 0.904, "bicubic", IMAGENET, 14_358_406, 3_011_458_816, 55.2, 81.97, 95.788,
    ),
    Row(
        "tf-v2-s", "EfficientNetV2-S (Google)",
        Family.V2, "EfficientNetV2 (Google)", "tf_efficientnetv2_s.in1k",
        V2_WEIGHTS, "tf_efficientnetv2_s-eb54923e.pth", None, None,
        384, 1.0, "bicubic", HALF, 21_458_488, 8_365_617_152, 82.4, 83.9, 96.698,
    ),
    Row(
        "tf-v2-s-21k", "EfficientNetV2-S (ImageNet-21k first)",
        Family.V2, "ImageNet-21k, then ImageNet (Google)", "tf_efficientnetv2_s.in21k_ft_in1k",
        V2_WEIGHTS, "tf_efficientnetv2_s_21ft1k-d7dafa41.pth", None, None,
        384, 1.0, "bicubic", HALF, 21_458_488, 8_365_617_152, 82.4, 84.288, 97.252,
    ),
    Row(
        "v2-rw-t", "EfficientNetV2-RW-T",
        Family.V2, "RandAugment 2 (timm)", "efficientnetv2_rw_t.ra2_in1k",
        WEIGHTS, "efficientnetv2_t_agc-3620981a.pth", None, None,
        288, 1.0, "bicubic", IMAGENET, 13_649_388, 3_159_953_120, 52.5, 82.35, 96.192,
    ),
    Row(
        "v2-rw-s", "EfficientNetV2-RW-S",
        Family.V2, "RandAugment 2 (timm)", "efficientnetv2_rw_s.ra2_in1k",
        WEIGHTS, "efficientnet_v2s_ra2_288-a6477665.pth", None, None,
        384, 1.0, "bicubic", IMAGENET, 23_941_296, 8_640_282_112, 91.9, 83.808, 96.732,
    ),
    Row(
        "v2-rw-m", "EfficientNetV2-RW-M",
        Family.V2, "adaptive gradient clipping (timm)", "efficientnetv2_rw_m.agc_in1k",
        WEIGHTS, "efficientnetv2_rw_m_agc-3d90cb1e.pth", None, None,
        416, 1.0, "bicubic", IMAGENET, 53_236_442, 21_332_303_888, 204.3, 84.812, 97.15,
    ),
    Row(
        "mobilenetv1-100", "MobileNetV1-1.0 (timm, 3600 epochs)",
        Family.MOBILENET, "3600 epochs (timm)", "mobilenetv1_100.ra4_e3600_r224_in1k",
        None, None, 1.0, 1.0,
        256, 0.95, "bicubic", HALF, 4_231_976, 742_531_072, 16.2, nan, nan,
    ),
    Row(
        "mobilenetv1-100h", "MobileNetV1-1.0 with a wider head (timm, 3600 epochs)",
        Family.MOBILENET, "3600 epochs (timm)", "mobilenetv1_100h.ra4_e3600_r224_in1k",
        None, None, 1.0, 1.0,
        256, 0.95, "bicubic", HALF, 5_282_600, 809_639_936, 20.2, nan, nan,
    ),
    Row(
        "mobilenetv1-125", "MobileNetV1-1.25 (timm, 3600 epochs)",
        Family.MOBILENET, "3600 epochs (timm)", "mobilenetv1_125.ra4_e3600_r224_in1k",
        None, None, 1.25, 1.0,
        256, 1.0, "bicubic", HALF, 6_270_840, 1_148_364_800, 24.0, nan, nan,
    ),
    Row(
        "mobilenetv2-050", "MobileNetV2-0.5 (timm)",
        Family.MOBILENET, "LAMB (timm)", "mobilenetv2_050.lamb_in1k",
        WEIGHTS, "mobilenetv2_050-3d30d450.pth", 0.5, 1.0,
        224, 0.875, "bicubic", IMAGENET, 1_968_680, 97_131_840, 7.6, 65.95, 86.088,
    ),
    Row(
        "mobilenetv2-100", "MobileNetV2-1.0 (timm, RandAugment)",
        Family.MOBILENET, "RandAugment (timm)", "mobilenetv2_100.ra_in1k",
        WEIGHTS, "mobilenetv2_100_ra-b33bc2c4.pth", 1.0, 1.0,
        224, 0.875, "bicubic", IMAGENET, 3_504_872, 300_774_272, 13.5, 72.976, 91.01,
    ),
    Row(
        "mobilenetv2-110d", "MobileNetV2-1.1, deeper (timm, RandAugment)",
        Family.MOBILENET, "RandAugment (timm)", "mobilenetv2_110d.ra_in1k",
        WEIGHTS, "mobilenetv2_110d_ra-77090ade.pth", 1.1, 1.2,
        224, 0.875, "bicubic", IMAGENET, 4_516_520, 430_516_080, 17.4, 75.056, 92.186,
    ),
    Row(
        "mobilenetv2-120d", "MobileNetV2-1.2, deeper (timm, RandAugment)",
        Family.MOBILENET, "RandAugment (timm)", "mobilenetv2_120d.ra_in1k",
        WEIGHTS, "mobilenetv2_120d_ra-5987e2ed.pth", 1.2, 1.4,
        224, 0.875, "bicubic", IMAGENET, 5_831_144, 668_857_568, 22.5, 77.302, 93.504,
    ),
    Row(
        "mobilenetv2-140", "MobileNetV2-1.4 (timm, RandAugment)",
        Family.MOBILENET, "RandAugment (timm)", "mobilenetv2_140.ra_in1k",
        WEIGHTS, "mobilenetv2_140_ra-21a4e913.pth", 1.4, 1.0,
        224, 0.875, "bicubic", IMAGENET, 6_108_776, 582_195_824, 23.5, 76.52, 92.986,
    ),
)
# fmt: on
