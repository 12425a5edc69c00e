"""The table of methods: every way from a network and an image to a map, and what to know of it.

An entry of METHODS is all that a method needs to be offered, run, tested and explained. Its map is
made by the function of its key's name in the module of its library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from effnet_viz.arrays import Floats

if TYPE_CHECKING:  # torch takes a second
    from torch import Tensor

    from effnet_viz.engines.network import Network


class Library(Enum):
    """Whose code makes a map."""

    ENGINE = "effnet-viz"
    GRAD_CAM = "grad-cam"
    CAPTUM = "captum"


class Place(Enum):
    """Where in a network a method looks."""

    LAST_STAGE = "the last stage"
    STAGE = "any stage"
    PIXELS = "the pixels that the network sees"


class Unit(Enum):
    """What a map's values are."""

    LOGIT = "logit; raw, signed, no maximum divided out"
    """Of each place as if all were like it: the mean over the map is what is added to the logit."""
    PARTS = "logit, in parts that add up over the map; raw, signed, no maximum divided out"
    """What each cell adds: the finer the grid, the smaller."""
    FALL = "logit that is lost where the place is covered; raw, signed, no maximum divided out"
    ARBITRARY = "arbitrary; raw: only order and signs within the map mean anything"


class Family(Enum):
    """Methods that work alike, as the page groups them."""

    ACTIVATION = "Weighted channels"
    GRADIENT = "Gradients down to the pixels"
    PERTURBATION = "Parts covered, answers watched"


class UnknownMethodError(ValueError):
    """There is no method of this key."""


class MethodRefusedError(ValueError):
    """A method cannot be run on this network or here; the message says why and what to do."""


@dataclass(frozen=True)
class Question:
    """What a map answers of an image and a network."""

    stage: int
    """Where a method looks that looks at a stage."""
    target: int
    """The class."""
    other: int
    """The class that it is told from, where a method asks for one."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a method works on: one image, one network, one class."""

    network: Network
    """A private copy, nothing folded: hooks may be attached to it."""
    image: Tensor
    """(1, 3, R, R)"""
    target: int
    """The class."""
    other: int
    """The class that it is told from, where a method asks for one."""
    stage: int
    """The stage of a method that looks at one."""
    forward: Callable[[Floats], Floats]
    """Logits (B, classes) of images (B, 3, R, R), from the fastest engine there is."""
    progress: Callable[[float], None]
    """Hears how much is done, 0 to 1; what it raises ends the method."""


@dataclass(frozen=True)
class Method:
    """How a map is made, and how to read it."""

    key: str
    title: str
    library: Library
    place: Place
    unit: Unit
    family: Family
    formula: str
    """With x the input, A_k the channels of the stage, g_k their gradients, z the class's score."""
    computes: str
    """In one sentence."""
    misleads: str
    """When, in one sentence."""
    paper: str
    passes: int
    """What one map costs, in runs forward or back through the network, about."""
    reduction: str = ""
    """How three colours become one value, for maps of pixels."""
    compares: bool = False
    """Whether it tells the class from another one."""
    only_forward: bool = False
    """Whether it asks for no gradients, so that the engine makes its passes."""
    only_after: bool = False
    """Whether only what follows the stage runs again."""

    @property
    def id(self) -> str:
        """What tells methods apart."""
        return self.key

    def stage_of(self, chosen: int, last: int) -> int:
        """The stage at which it looks where somebody has chosen one, in a network with `last`."""
        return chosen if self.place is Place.STAGE else last

    def run(self, task: Task) -> Floats:
        """The map, (h, w), raw and signed: of the stage's grid, or (R, R) of the pixels.

        Not for methods of the engine, which needs no copy of the network (stages.attribute_stage).
        Raises MethodRefusedError.
        """
        module = import_module(f"{__package__}.{_MODULES[self.library]}")
        values: Floats = getattr(module, self.key.replace("-", "_"))(task)
        return values


_MODULES = {Library.GRAD_CAM: "grad_cam_methods", Library.CAPTUM: "captum_methods"}

QUICK = 10
"""Runs that a page computes without being asked."""

SEGMENTS = 49
"""Parts of the picture that are covered together, 7 × 7, where a method covers parts."""
SAMPLES = 200
"""Pictures with parts covered, for the methods that draw them at random."""
STEPS = 50
"""Of the way from a grey picture to the photograph, for integrated gradients."""
NOISY = 25
"""Noisy copies, for SmoothGrad."""
WALKS = 20
"""Walks from noisy grey pictures to the photograph, for Gradient SHAP."""

_SUM = "sum over the colours"
_LARGEST = "largest magnitude over the colours"

CAM = Method(
    "cam",
    "CAM",
    Library.ENGINE,
    Place.LAST_STAGE,
    Unit.LOGIT,
    Family.ACTIVATION,
    "Σ_k w_k A_k, with w_k channel k's weight for the class in the head",
    "Adds up the last stage's channels, each times its weight for the class in the head.",
    "Its cells are coarse, and each of them has seen far more of the photograph than its square.",
    "Zhou et al. 2016, arXiv 1512.04150",
    0,
)
GRAD_CAM = Method(
    "grad-cam",
    "Grad-CAM",
    Library.ENGINE,
    Place.STAGE,
    Unit.LOGIT,
    Family.ACTIVATION,
    "Σ_k α_k A_k, with α_k the mean gradient of channel k",
    "Adds up a stage's channels, each times its average gradient of the class score.",
    "One gradient stands for all places of a channel, so at early stages it can light up places "
    "that the score does not depend on.",
    "Selvaraju et al. 2017, arXiv 1610.02391",
    1,
)

GRADIENT_X_ACTIVATION = Method(
    "gradient-x-activation",
    "Gradient × activation",
    Library.ENGINE,
    Place.STAGE,
    Unit.PARTS,
    Family.ACTIVATION,
    "Σ_k g_k ⊙ A_k, with a gradient of its own for every value",
    "Multiplies every value of a stage with its own gradient, and adds up the channels.",
    "It is a first-order guess: what a large change would do, it does not know.",
    "Shrikumar et al. 2016, arXiv 1605.01713",
    1,
)

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.key: method
        for method in (
            CAM,
            GRAD_CAM,
            GRADIENT_X_ACTIVATION,
            Method(
                "grad-cam-plus-plus",
                "Grad-CAM++",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "Σ_k w_k A_k, with w_k a weighted sum of channel k's positive gradients",
                "Grad-CAM whose channel weights count only positive gradients, weighted by place.",
                "It cannot show evidence against the class, and often looks alike for every class.",
                "Chattopadhay et al. 2018, arXiv 1710.11063, equation 19",
                2,
            ),
            Method(
                "xgrad-cam",
                "XGrad-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "Σ_k w_k A_k, with w_k the gradient averaged where channel k is active",
                "Grad-CAM whose gradients are averaged where the channel itself is active.",
                "A channel whose values nearly cancel out gets an arbitrarily large weight.",
                "Fu et al. 2020, arXiv 2008.02312",
                2,
            ),
            Method(
                "hires-cam",
                "HiRes-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.PARTS,
                Family.ACTIVATION,
                "Σ_k g_k ⊙ A_k, with a gradient of its own for every value",
                "Multiplies every value of a stage with its own gradient instead of an average.",
                "Exact only where nothing but a pooling and a linear head follows the stage.",
                "Draelos & Carin 2020, arXiv 2011.08891",
                2,
            ),
            Method(
                "layer-cam",
                "Layer-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "Σ_k max(0, g_k) ⊙ A_k, with positive gradients only",
                "Multiplies every value of a stage with its positive gradient.",
                "It leaves out every value whose gradient speaks against the class.",
                "Jiang et al. 2021, doi 10.1109/TIP.2021.3089943",
                2,
            ),
            Method(
                "grad-cam-elementwise",
                "Grad-CAM element-wise",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "Σ_k max(0, g_k ⊙ A_k), with positive products only",
                "Gradient times activation at every value, of which only the positive ones count.",
                "Negative products are dropped before the sum: a place that speaks against the "
                "class on balance looks like one that speaks for it.",
                "pytorch-grad-cam 1.5 (no paper)",
                2,
            ),
            Method(
                "score-cam",
                "Score-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "Σ_k w_k A_k, with w_k from the score of the photograph seen through channel k",
                "Shows the network the photograph through every channel, and weights the channel "
                "by its score's share (softmax).",
                "A photograph faded to grey by a mask is unlike anything the network has learnt "
                "from; and where the scores hardly differ, neither do the weights.",
                "Wang et al. 2020, arXiv 1910.01279",
                1280,
                only_forward=True,
            ),
            Method(
                "ablation-cam",
                "Ablation-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "Σ_k w_k A_k, with w_k what the score loses without channel k",
                "Weights every channel by how much the score falls when it is set to zero.",
                "Zero is not neutral for channels that are never zero, and channels can stand in "
                "for each other.",
                "Desai & Ramaswamy 2020, doi 10.1109/WACV45572.2020.9093360",
                320,
                only_after=True,
            ),
            Method(
                "eigen-cam",
                "Eigen-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "A v, with v the first principal axis of the channels",
                "The pattern that most of a stage's channels share: their first principal "
                "component.",
                "It knows nothing of the class, and its sign is free: dark and bright can swap.",
                "Muhammad & Yeasin 2020, arXiv 2008.00299",
                1,
            ),
            Method(
                "eigen-grad-cam",
                "Eigen-Grad-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "(g ⊙ A) v, with v the first principal axis of gradient times activation",
                "The first principal component of gradient times activation.",
                "Its sign is free: dark and bright can swap from one photograph to the next.",
                "pytorch-grad-cam 1.5, after arXiv 2008.00299",
                2,
            ),
            Method(
                "kpca-cam",
                "KPCA-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "the first component of a kernel over the channels",
                "Eigen-CAM with a curved (kernel) principal component.",
                "It knows nothing of the class, and its sign is free.",
                "Karmani et al. 2024, arXiv 2410.00267",
                1,
            ),
            Method(
                "full-grad",
                "Full-Grad",
                Library.GRAD_CAM,
                Place.PIXELS,
                Unit.ARBITRARY,
                Family.GRADIENT,
                "|x ⊙ ∂z/∂x| + Σ |b ⊙ ∂z/∂b|, over the input and the biases of all layers",
                "Adds to the input's gradient what the biases of all layers contribute.",
                "Every channel of every layer is scaled to its own range first, so the sum is no "
                "longer complete and has no sign.",
                "Srinivas & Fleuret 2019, arXiv 1905.00780",
                2,
                "sum of magnitudes, each colour scaled to its range",
            ),
            Method(
                "shapley-cam",
                "Shapley-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "Σ_k w_k A_k, with w_k the mean of channel k's gradient less half of its curvature",
                "Grad-CAM with half the score's curvature along the channels off the gradient.",
                "Where the network is piecewise linear there is no curvature, and it is Grad-CAM.",
                "Cai 2025, arXiv 2501.06261",
                4,
            ),
            Method(
                "fem",
                "FEM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "Σ_k w_k A_k, with w_k the share of places where channel k is unusually strong",
                "Adds up the channels, each times its share of places of unusual strength.",
                "It knows nothing of the class: every class has the same map.",
                "Fuad et al. 2020, hal-02963298 (feature explanation method)",
                1,
            ),
            Method(
                "finer-cam",
                "Finer-CAM",
                Library.GRAD_CAM,
                Place.STAGE,
                Unit.ARBITRARY,
                Family.ACTIVATION,
                "Σ_k α_k A_k, with α_k the mean gradient of the class's score less the other "
                "class's",
                "Grad-CAM of the difference between the class and another one.",
                "What both classes share is not in it, though the class rests on it.",
                "Zhang et al. 2025, arXiv 2501.11309",
                2,
                compares=True,
            ),
            Method(
                "saliency",
                "Saliency",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.ARBITRARY,
                Family.GRADIENT,
                "|∂z/∂x|, the largest of the three colours",
                "How strongly the score reacts to a tiny change of each pixel.",
                "Noisy, and without a sign: it tells where, not whether for or against.",
                "Simonyan et al. 2013, arXiv 1312.6034",
                2,
                _LARGEST,
            ),
            Method(
                "input-x-gradient",
                "Input × gradient",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.PARTS,
                Family.GRADIENT,
                "x ⊙ ∂z/∂x",
                "Each pixel times its gradient: what it adds to the score, to first order.",
                "Pixels of medium grey count as nothing, whatever the network makes of them.",
                "Shrikumar et al. 2016, arXiv 1605.01713",
                2,
                _SUM,
            ),
            Method(
                "integrated-gradients",
                "Integrated gradients",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.PARTS,
                Family.GRADIENT,
                "x ⊙ the mean of ∂z/∂x on the way from grey to x",
                "Input times the mean gradient on the way from a grey picture to the photograph.",
                "It explains the difference from grey: grey objects get nothing.",
                "Sundararajan et al. 2017, arXiv 1703.01365",
                2 * STEPS,
                _SUM,
            ),
            Method(
                "smooth-grad",
                "SmoothGrad",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.ARBITRARY,
                Family.GRADIENT,
                "|mean of ∂z/∂x over noisy copies|",
                f"The mean gradient of {NOISY} noisy copies of the photograph: noise cancels out.",
                "It looks cleaner, not truer: edges stand out whatever the network uses.",
                "Smilkov et al. 2017, arXiv 1706.03825",
                2 * NOISY,
                _LARGEST,
            ),
            Method(
                "gradient-shap",
                "Gradient SHAP",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.PARTS,
                Family.GRADIENT,
                "the mean of (x - x') ⊙ ∂z/∂x at random points between noise x' and x",
                "Integrated gradients from noisy grey pictures, at random points of the way.",
                f"Random: {WALKS} walks leave noise that looks like detail, and a sum that is off.",
                "Lundberg & Lee 2017, arXiv 1705.07874",
                2 * WALKS,
                _SUM,
            ),
            Method(
                "guided-backprop",
                "Guided backprop",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.ARBITRARY,
                Family.GRADIENT,
                "|∂z/∂x| with negative gradients dropped at every ReLU",
                "The gradient with everything negative dropped at each ReLU on the way back.",
                "It redraws the photograph's edges, for every class and even for random weights "
                "(arXiv 1810.03292).",
                "Springenberg et al. 2014, arXiv 1412.6806",
                2,
                _LARGEST,
            ),
            Method(
                "deconvolution",
                "Deconvolution",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.ARBITRARY,
                Family.GRADIENT,
                "|∂z/∂x| with the ReLUs applied to the gradients instead",
                "The gradient with a ReLU of its own at each ReLU, whatever was active forward.",
                "It shows patterns that the network knows, not what this score rests on.",
                "Zeiler & Fergus 2013, arXiv 1311.2901",
                2,
                _LARGEST,
            ),
            Method(
                "guided-grad-cam",
                "Guided Grad-CAM",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.ARBITRARY,
                Family.GRADIENT,
                "guided gradients ⊙ the positive Grad-CAM of the last stage",
                "Guided backprop inside the positive part of the last stage's Grad-CAM.",
                "Its detail is guided backprop's, which hardly depends on the class.",
                "Selvaraju et al. 2017, arXiv 1610.02391",
                4,
                _SUM,
            ),
            Method(
                "deep-lift",
                "DeepLIFT",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.PARTS,
                Family.GRADIENT,
                "(x - grey) ⊙ multipliers that share out z(x) - z(grey), layer by layer",
                "Shares out the difference from a grey picture's score, layer by layer.",
                "It explains the difference from grey, and products of two signals get a plain "
                "gradient.",
                "Shrikumar et al. 2017, arXiv 1704.02685",
                4,
                _SUM,
            ),
            Method(
                "lrp",
                "LRP",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.PARTS,
                Family.GRADIENT,
                "relevance, handed from z down to x in proportion to what each input adds",
                "Hands the score back layer by layer, in proportion to what each input added.",
                "What biases add is lost on the way, and rules differ from layer to layer.",
                "Bach et al. 2015, doi 10.1371/journal.pone.0130140",
                3,
                _SUM,
            ),
            Method(
                "occlusion",
                "Occlusion",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.FALL,
                Family.PERTURBATION,
                "z(x) - z(x with a grey square over the place), the mean over squares",
                "Slides a grey square over the photograph and notes how much the score falls.",
                "It misses what is seen twice, and the square itself can look like something.",
                "Zeiler & Fergus 2013, arXiv 1311.2901",
                170,
                "covered together",
                only_forward=True,
            ),
            Method(
                "feature-ablation",
                "Feature ablation",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.FALL,
                Family.PERTURBATION,
                "z(x) - z(x with the tile in grey)",
                f"Covers one of {SEGMENTS} tiles at a time and notes how much the score falls.",
                "It misses what is seen twice, and its tiles cut through objects.",
                "captum (no paper)",
                SEGMENTS + 1,
                "covered together",
                only_forward=True,
            ),
            Method(
                "kernel-shap",
                "Kernel SHAP",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.FALL,
                Family.PERTURBATION,
                "Shapley values of superpixels, by a weighted regression over random coverings",
                "Estimates each superpixel's Shapley value from random coverings.",
                f"{SAMPLES} random coverings leave noise, and a half-covered photograph is unlike "
                "anything learnt.",
                "Lundberg & Lee 2017, arXiv 1705.07874",
                SAMPLES,
                "covered together",
                only_forward=True,
            ),
            Method(
                "lime",
                "LIME",
                Library.CAPTUM,
                Place.PIXELS,
                Unit.FALL,
                Family.PERTURBATION,
                "coefficients of a linear model of z over random coverings of superpixels",
                "Fits a linear model to the scores of random coverings of superpixels.",
                "The fit depends on the superpixels and on chance, and need not be good.",
                "Ribeiro et al. 2016, arXiv 1602.04938",
                SAMPLES,
                "covered together",
                only_forward=True,
            ),
        )
    }
)
"""Every method by its key, in the order in which they are offered."""


def find(method: Method | str) -> Method:
    """The method of this key. Raises UnknownMethodError, which lists the choices."""
    if isinstance(method, Method):
        return method
    if method in METHODS:
        return METHODS[method]
    near = get_close_matches(method, METHODS, 1)
    meant = f" Did you mean `{near[0]}`?" if near else ""
    raise UnknownMethodError(
        f"There is no method `{method}`.{meant} Choose one of {', '.join(METHODS)}."
    )
