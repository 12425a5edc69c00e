"""Maps of pixels by captum's own classes: gradients down to the image, and parts covered.

Every function takes a task and gives one map (R, R), float32, raw: its key's method in
attribution.methods.METHODS, which says how three colours become one value. x is the image
(1, 3, R, R) as the network sees it, f the logit of the task's class, and grey stands for zeros:
inputs are normalised, so zero is the colour that the preprocessing subtracts from every pixel.

Hooks are attached to a copy of the network's structure, which is thrown away with them; the task's
network is left as it was, whatever is raised. `task.progress` is told before every pass through the
network how much is done. Where a method draws at random, its seed is fixed: the same call gives the
same bits.
"""

from __future__ import annotations

import copy
import operator
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

import numpy as np
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import (
    LRP,
    Deconvolution,
    DeepLift,
    FeatureAblation,
    GradientShap,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    KernelShap,
    Lime,
    NoiseTunnel,
    Occlusion,
    Saliency,
)
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR
from captum.attr._core.lime import get_exp_kernel_similarity_function
from captum.attr._utils.custom_modules import Addition_Module
from captum.attr._utils.lrp_rules import EpsilonRule, GammaRule, IdentityRule
from scipy.cluster.vq import kmeans2, vq
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.drop import DropPath
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, fx, nn
from torchvision.ops import StochasticDepth

from effnet_viz.arrays import Floats
from effnet_viz.attribution.doubts import RECTIFYING, activations, listed
from effnet_viz.attribution.methods import (
    NOISY,
    SAMPLES,
    SEGMENTS,
    STEPS,
    WALKS,
    MethodRefusedError,
    Task,
)
from effnet_viz.engines.network import Network
from effnet_viz.engines.optimize import fold_batch_norms

NOISE = 0.15
"""Standard deviation of noise, in ranges of the image: Smilkov et al. 2017 find 0.1 to 0.2 best."""
NEARNESS = 0.25
"""Width of LIME's kernel, in cosine distances: what its authors' own code takes for images."""

_SEED = 0
_SIDE = round(SEGMENTS**0.5)
_POSITIONS = 13
_GRADIENT_PIXELS = 5 * 224**2
"""Of images that a gradient is computed for together: they all stay in memory until it is."""
_FORWARD_PIXELS = 16 * 224**2

_Part = TypeVar("_Part", bound=nn.Module)

_random = threading.Lock()
"""Captum draws from generators that the whole process shares."""

# Hooks are what these methods are made of, and they are removed again.
warnings.filterwarnings("ignore", message="Setting (forward, )?backward hooks")
# A superpixel that ends up empty just does not come up.
warnings.filterwarnings("ignore", message="One of the clusters is empty")


# Gradients down to the pixels


def saliency(task: Task) -> Floats:
    """max over the colours of |∂f/∂x|, in logits per unit of the network's input; at least 0.

    Simonyan et al. 2013, section 3.1.
    """
    gradient = Saliency(_told(task, 1)).attribute(_image(task), target=task.target)
    return _largest(task, gradient)


def input_x_gradient(task: Task) -> Floats:
    """Sum over the colours of x · ∂f/∂x, in logits. Shrikumar et al. 2016, section 2.2."""
    products = InputXGradient(_told(task, 1)).attribute(_image(task), target=task.target)
    return _sum(task, products)


def integrated_gradients(task: Task) -> Floats:
    """Sum over the colours of x · ∫ ∂f/∂x(α x) dα from 0 to 1, in logits.

    Sundararajan et al. 2017, equation 1, with grey as the baseline. The integral is a
    Gauss-Legendre sum of STEPS points. The map's sum is f(x) - f(grey), but for the error of that
    sum.
    """
    products = IntegratedGradients(_told(task, STEPS)).attribute(
        _image(task),
        target=task.target,
        n_steps=STEPS,
        internal_batch_size=_together(task, _GRADIENT_PIXELS),
    )
    return _sum(task, products)


def smooth_grad(task: Task) -> Floats:
    """max over the colours of |mean of ∂f/∂x at NOISY copies x + N(0, σ²)|; at least 0.

    Smilkov et al. 2017, section 2; σ is NOISE of the image's range. Gradients are averaged with
    their signs, as there: noise cancels out. In logits per unit of the network's input. The noise
    is seeded.
    """
    tunnel = NoiseTunnel(Saliency(_told(task, NOISY)))
    with _seeded():
        gradient = tunnel.attribute(
            task.image,
            nt_samples=NOISY,
            nt_samples_batch_size=_together(task, _GRADIENT_PIXELS),
            stdevs=_deviation(task),
            target=task.target,
            abs=False,
        )
    return _largest(task, gradient)


def gradient_shap(task: Task) -> Floats:
    """Sum over the colours of the mean of (x - b) · ∂f/∂x(b + α (x - b)) over WALKS draws.

    Lundberg & Lee 2017, by way of expected gradients: α is uniform between 0 and 1, the start b one
    of WALKS grey pictures with noise N(0, σ²), σ being NOISE of the image's range. In logits: the
    expectation of the map's sum is f(x) - mean f(b). All draws are seeded.
    """
    shap = GradientShap(_told(task, WALKS))
    most = _together(task, _GRADIENT_PIXELS)
    total = torch.zeros_like(task.image)  # (1, 3, R, R)
    with _seeded():
        starts = torch.randn(WALKS, *task.image.shape[1:]) * _deviation(task)  # (WALKS, 3, R, R)
        for first in range(0, WALKS, most):  # captum would hold all walks at once
            walks = min(most, WALKS - first)
            mean = shap.attribute(task.image, starts, n_samples=walks, target=task.target)
            total += walks * mean.detach()  # (1, 3, R, R)
    return _sum(task, total / WALKS)


def guided_backprop(task: Task) -> Floats:
    """max over the colours of |∂f/∂x| with what is negative dropped at every ReLU on the way back.

    Springenberg et al. 2014, section 3.4. A ReLU6 counts as a ReLU that is cut off at 6, where its
    gradient is zero. Other activations hand back their plain gradient (attribution.doubts). At
    least 0, in no unit.
    """
    by = GuidedBackprop(_told(task, 1, _with_relus(task.network)))
    return _largest(task, by.attribute(_image(task), target=task.target))


def deconvolution(task: Task) -> Floats:
    """max over the colours of |∂f/∂x| with max(0, ·) in place of every ReLU's own gradient.

    Zeiler & Fergus 2013, section 2.1. ReLU6 and other activations as for guided_backprop.
    """
    by = Deconvolution(_told(task, 1, _with_relus(task.network)))
    return _largest(task, by.attribute(_image(task), target=task.target))


def guided_grad_cam(task: Task) -> Floats:
    """Sum over the colours of guided backprop times max(0, Grad-CAM of the stage), in no unit.

    Selvaraju et al. 2017, section 3.2. Grad-CAM is enlarged bilinearly, as if its cells tiled the
    image.
    """
    network = _with_relus(task.network)
    by = GuidedGradCam(_told(task, 2, network), network.stages[task.stage - 1])
    return _sum(task, by.attribute(_image(task), target=task.target, interpolate_mode="bilinear"))


def deep_lift(task: Task) -> Floats:
    """Sum over the colours of x · m, in logits, with multipliers m by the rescale rule from grey.

    Shrikumar et al. 2017, section 3.5.1: the multiplier of a non-linearity is the difference of its
    output from grey's over that of its input. ReLU6(z) is computed as 6 - ReLU(6 - ReLU(z)), for
    which the rule holds. Where every non-linearity has a rule the map's sum is f(x) - f(grey);
    others, and products of two signals, get their plain gradient (attribution.doubts).
    """
    network = _replace(_structure_of(task.network), nn.ReLU6, lambda _: _DifferenceOfReLUs())
    _give_every_call_its_own(network, task.image)
    by = DeepLift(_told(task, 2, network))
    products = by.attribute(_image(task), torch.zeros_like(task.image), target=task.target)
    return _sum(task, products)


# Layer-wise relevance propagation


def lrp(task: Task) -> Floats:
    """Sum over the colours of the relevance of x, in logits: f handed back layer by layer.

    Bach et al. 2015, with the rules of Montavon et al. 2019 (doi 10.1007/978-3-030-28954-6_10): an
    input gets its share a · w' of a layer's relevance, w' = w + γ max(0, w) with γ = 0.25 for
    convolutions between two ReLUs (equation 4), and w' = w, the ε-rule, for all other layers, whose
    inputs have both signs, so that γ could divide by nothing. ReLU and ReLU6 hand on what they get.
    Batch norms are multiplied into the convolutions first.
    Biases keep their own share: the map's sum is f(x) only for a network without any. The
    difference is what they keep.
    Raises MethodRefusedError for a network with layers that there is no rule for.
    """
    network = _with_rules(task)
    relevance = LRP(_told(task, 2, network)).attribute(_image(task), target=task.target)
    return _sum(task, relevance)


_PASSIVE = (nn.Identity, nn.Dropout, nn.Dropout2d, StochasticDepth, DropPath)
"""What does nothing in evaluation mode."""
_SUMS = (operator.add, operator.iadd, torch.add)
_SHAPES = (torch.flatten, "flatten")
"""What changes no number: gradients, and so relevances, pass as they are."""


def _with_rules(task: Task) -> fx.GraphModule:
    """A copy of the network as a graph whose every layer has captum's rule for it."""
    network = copy.deepcopy(task.network)
    _refuse_relevance(network)
    fold_batch_norms(network, task.image.shape[-1])
    _replace(network, BatchNormAct2d, _unpacked)
    _pad_beforehand(network, task.image)
    for kind in _PASSIVE:
        _replace(network, kind, lambda _: nn.Identity())
    try:
        graph = fx.symbolic_trace(network)
    except Exception as error:  # whatever the network does with something that is no number
        raise MethodRefusedError(
            f"LRP cannot follow this network layer by layer ({error}). Choose Integrated gradients "
            "instead."
        ) from error
    modules = dict(graph.named_modules())
    used = set()
    for node in list(graph.graph.nodes):
        if node.op == "call_module":
            layer = modules[node.target]
            if isinstance(layer, nn.Identity):
                node.replace_all_uses_with(node.args[0])
                graph.graph.erase_node(node)
            elif node.target in used:  # captum keeps what it saw in the layer itself
                graph.add_submodule(f"again_{node.name}", copy.deepcopy(layer))
                node.target = f"again_{node.name}"
            used.add(node.target)
        elif node.target in _SUMS and not node.kwargs and _reads_two(node):
            # captum has a rule for a sum that is a module: a plain one would hand the whole of its
            # relevance to both of its parts.
            name = f"sum_of_two_{node.name}"
            graph.add_submodule(name, Addition_Module())
            node.op, node.target = "call_module", name
        elif node.op not in ("placeholder", "output") and node.target not in _SHAPES:
            raise MethodRefusedError(
                f"LRP has no rule for the operation {node.target} in this network. Choose "
                "Integrated gradients instead."
            )
    graph.delete_all_unused_submodules()
    graph.recompile()
    _choose_rules(graph)
    return graph


def _refuse_relevance(network: Network) -> None:
    """Raise MethodRefusedError where a network has layers that LRP has no rule for."""
    strange = activations(network, but=RECTIFYING)
    if strange:
        raise MethodRefusedError(
            f"LRP has no rule for {listed(strange)} in this network: it shares a layer's relevance "
            "out among what went into a sum, and neither a curve that is negative in places nor a "
            "product of two signals is one. Choose Integrated gradients instead."
        )


def _reads_two(node: fx.Node) -> bool:
    return len(node.args) == 2 and all(isinstance(read, fx.Node) for read in node.args)


def _choose_rules(graph: fx.GraphModule) -> None:
    modules = dict(graph.named_modules())

    def rectifies(node: fx.Node) -> bool:
        return node.op == "call_module" and isinstance(modules[node.target], RECTIFYING)

    for node in graph.graph.nodes:
        if node.op != "call_module":
            continue
        layer = modules[node.target]
        if isinstance(layer, nn.ReLU6):
            layer.rule = IdentityRule()  # captum passes ReLUs by itself
        elif isinstance(layer, nn.Conv2d):
            source = node.args[0]
            while source.op == "call_module" and isinstance(modules[source.target], nn.ZeroPad2d):
                source = source.args[0]
            between = rectifies(source) and all(rectifies(user) for user in node.users)
            layer.rule = GammaRule() if between else EpsilonRule()
        elif not isinstance(layer, nn.ReLU):
            layer.rule = EpsilonRule()


def _unpacked(layer: nn.Module) -> nn.Module:
    """timm's batch norm and its activation as two layers."""
    assert isinstance(layer, BatchNormAct2d)
    norm = nn.BatchNorm2d(layer.num_features, layer.eps)
    norm.load_state_dict({k: v for k, v in layer.state_dict().items() if "." not in k})
    return nn.Sequential(norm.eval().requires_grad_(False), layer.act)


def _pad_beforehand(network: Network, image: Tensor) -> None:
    """Pull the padding out of timm's convolutions: it depends on what they read."""
    padded: dict[nn.Module, tuple[int, int, int, int]] = {}

    def note(layer: nn.Module, args: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, Conv2dSame)
        sides = []
        for axis in (3, 2):  # as F.pad counts, from the last
            size, stride = args[0].shape[axis], layer.stride[axis - 2]
            reach = layer.dilation[axis - 2] * (layer.kernel_size[axis - 2] - 1) + 1
            missing = max((-(-size // stride) - 1) * stride + reach - size, 0)
            sides += [missing // 2, missing - missing // 2]
        padded[layer] = (sides[0], sides[1], sides[2], sides[3])

    with _hooked(network, Conv2dSame, lambda layer: layer.register_forward_pre_hook(note)):
        network(image)

    def split(layer: nn.Module) -> nn.Module:
        assert isinstance(layer, Conv2dSame)
        plain = nn.Conv2d(
            layer.in_channels,
            layer.out_channels,
            (layer.kernel_size[0], layer.kernel_size[1]),
            (layer.stride[0], layer.stride[1]),
            dilation=(layer.dilation[0], layer.dilation[1]),
            groups=layer.groups,
            bias=layer.bias is not None,
        )
        plain.load_state_dict(layer.state_dict())
        return nn.Sequential(
            nn.ZeroPad2d(padded.get(layer, (0, 0, 0, 0))), plain.requires_grad_(False)
        )

    _replace(network, Conv2dSame, split)


# Parts covered, answers watched


def occlusion(task: Task) -> Floats:
    """Mean of f(x) - f(x with a grey square) over the squares that cover a pixel, in logits.

    Zeiler & Fergus 2013, section 4.2: 13 × 13 squares, each about a seventh of the side and half
    covered by the next.
    """
    stride, side = _window(task.image.shape[-1])
    positions = len(range(0, task.image.shape[-1] - side + 1, stride)) ** 2
    falls = Occlusion(_covered(task, positions + 1)).attribute(
        task.image,
        (3, side, side),
        (3, stride, stride),
        target=task.target,
        perturbations_per_eval=_together(task, _FORWARD_PIXELS),
    )
    return _plane(task, falls)


def feature_ablation(task: Task) -> Floats:
    """f(x) - f(x with a tile grey) for each of SEGMENTS tiles, 7 × 7, in logits."""
    return _feature_ablation(task, _tiles(task.image.shape[-1]))


def kernel_shap(task: Task) -> Floats:
    """Each superpixel's Shapley value for f, estimated from SAMPLES coverings with grey, in logits.

    Lundberg & Lee 2017, theorem 2: a linear fit to the answers. Coverings are drawn, seeded, with
    the Shapley kernel's probabilities, beside the whole picture and the grey one, between whose
    logits the map's values, one per superpixel, add up to the difference. Superpixels: see
    superpixels.
    """
    return _kernel_shap(task, superpixels(task.image), SAMPLES)


def lime(task: Task) -> Floats:
    """Coefficients of a linear model of f in what of each superpixel is seen, in logits.

    Ribeiro et al. 2016, equation 1. SAMPLES coverings with grey are drawn, seeded, each superpixel
    with even odds; they count exp(-d² / 2 w²), d the cosine distance from x and w NEARNESS. As in
    the authors' own code the fit is ridge regression with a penalty of 1, which makes coefficients
    a few percent too small. Superpixels: see superpixels.
    """
    return _lime(task, superpixels(task.image), SAMPLES)


def superpixels(image: Tensor) -> Tensor:
    """Parts of an image (1, 3, R, R) that are near and alike, numbered from 0: (1, 1, R, R).

    k-means of places and colours from a regular 7 × 7 grid, as SLIC (Achanta et al. 2012) does,
    over all pixels instead of the near ones: at most SEGMENTS parts, which need not be connected.
    Nothing is drawn at random.
    """
    side = image.shape[-1]
    centres = (np.arange(side) + 0.5) / side * _SIDE  # (R,), in steps of the grid
    down, across = np.meshgrid(centres, centres, indexing="ij")  # (R, R)
    colours = image[0].numpy().astype(np.float64)  # (3, R, R)
    # A colour counts half as much as a place: parts stay round where nothing has an edge.
    scaled = 0.5 * colours / max(float(colours.std()), 1e-9)
    features = np.stack([down, across, *scaled], axis=-1)  # (R, R, 5)
    step = max(1, side // 56)  # enough to find the centres
    grid = np.arange(_SIDE) + 0.5  # (7,)
    at = (grid / _SIDE * side).astype(int)  # (7,), pixels
    start = features[at][:, at].reshape(-1, 5)  # (49, 5)
    start[:, 0], start[:, 1] = np.repeat(grid, _SIDE), np.tile(grid, _SIDE)
    means, _ = kmeans2(features[::step, ::step].reshape(-1, 5), start, minit="matrix")
    nearest, _ = vq(features.reshape(-1, 5), means)  # (R * R,)
    return _numbered(nearest.reshape(side, side))


def _feature_ablation(task: Task, parts: Tensor) -> Floats:
    falls = FeatureAblation(_covered(task, int(parts.max()) + 2)).attribute(
        task.image,
        target=task.target,
        feature_mask=parts,
        perturbations_per_eval=_together(task, _FORWARD_PIXELS),
    )
    return _plane(task, falls)


def _kernel_shap(task: Task, parts: Tensor, samples: int) -> Floats:
    with _seeded():
        values = KernelShap(_covered(task, samples)).attribute(
            task.image,
            target=task.target,
            feature_mask=parts,
            n_samples=samples,
            perturbations_per_eval=_together(task, _FORWARD_PIXELS),
        )
    return _plane(task, values)


def _lime(task: Task, parts: Tensor, samples: int) -> Floats:
    explainer = Lime(
        _covered(task, samples),
        SkLearnRidge(alpha=1),
        get_exp_kernel_similarity_function("cosine", NEARNESS),
    )
    with _seeded():
        coefficients = explainer.attribute(
            task.image,
            target=task.target,
            feature_mask=parts,
            n_samples=samples,
            perturbations_per_eval=_together(task, _FORWARD_PIXELS),
        )
    return _plane(task, coefficients)


def _window(resolution: int) -> tuple[int, int]:
    """Stride and side of a square that has 13 positions along a side of so many pixels."""
    stride = max(1, resolution // (_POSITIONS + 1))
    return stride, min(resolution, max(2 * stride, resolution - (_POSITIONS - 1) * stride))


def _tiles(resolution: int) -> Tensor:
    """The number of each pixel's tile, (1, 1, R, R)."""
    index = np.arange(resolution) * _SIDE // resolution  # (R,)
    return _numbered(index[:, None] * _SIDE + index)


def _numbered(parts: np.ndarray[tuple[int, ...], np.dtype[np.integer]]) -> Tensor:
    """Parts (R, R) with numbers that leave none out, (1, 1, R, R)."""
    _, numbers = np.unique(parts, return_inverse=True)
    return torch.from_numpy(numbers.reshape(1, 1, *parts.shape).astype(np.int64))


# What all of them need


class _Told(nn.Module):
    """Logits (B, classes) of images (B, 3, R, R), telling before every pass what is done."""

    def __init__(
        self, run: Callable[[Tensor], Tensor], progress: Callable[[float], None], images: int
    ) -> None:
        super().__init__()
        self.run = run
        self._progress = progress
        self._images = images
        self._done = 0

    def forward(self, images: Tensor) -> Tensor:
        self._progress(min(1.0, self._done / self._images))
        self._done += len(images)
        return self.run(images)


def _told(task: Task, images: int, network: nn.Module | None = None) -> _Told:
    """The network, or another in its place, that so many images will go through."""
    return _Told(network or task.network, task.progress, images)


def _covered(task: Task, images: int) -> _Told:
    """The fast engine, which so many images will go through."""
    return _Told(lambda x: torch.tensor(task.forward(x.numpy())), task.progress, images)


def _image(task: Task) -> Tensor:
    """The image as a leaf that gradients end at, (1, 3, R, R)."""
    return task.image.detach().clone().requires_grad_()


def _together(task: Task, pixels: int) -> int:
    """How many images make up so many pixels; at least 1."""
    return max(1, pixels // task.image[0, 0].numel())


def _deviation(task: Task) -> float:
    return NOISE * float(task.image.max() - task.image.min())


def _sum(task: Task, values: Tensor) -> Floats:
    return _finished(task, values[0].sum(0))  # (R, R)


def _largest(task: Task, values: Tensor) -> Floats:
    return _finished(task, values[0].abs().amax(0))  # (R, R)


def _plane(task: Task, values: Tensor) -> Floats:
    return _finished(task, values[0, 0])  # (R, R); all three are the same


def _finished(task: Task, values: Tensor) -> Floats:
    task.progress(1.0)
    finished: Floats = np.ascontiguousarray(values.detach().numpy(), np.float32)  # (R, R)
    return finished


@contextmanager
def _seeded() -> Iterator[None]:
    """Random numbers from the start of one sequence, and afterwards as if none had been drawn."""
    with _random, torch.random.fork_rng(devices=[]):
        state = np.random.get_state()  # noqa: NPY002 - captum draws from it
        torch.manual_seed(_SEED)
        np.random.seed(_SEED)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002


def _structure_of(network: Network) -> Network:
    """A copy whose modules are its own and whose tensors are the network's."""
    shared = {id(tensor): tensor for tensor in chain(network.parameters(), network.buffers())}
    return copy.deepcopy(network, shared)  # deepcopy takes them as done


def _replace(
    network: _Part, kind: type[nn.Module], made: Callable[[nn.Module], nn.Module]
) -> _Part:
    """Put another module in the place of each one of exactly this type, in place."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is kind:
                setattr(parent, name, made(child))
    return network


def _with_relus(network: Network) -> Network:
    """A copy in which ReLU6 is a ReLU, which captum knows, and a limit."""
    return _replace(_structure_of(network), nn.ReLU6, lambda _: nn.Sequential(nn.ReLU(), _Limit()))


class _Limit(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(max=6)


class _DifferenceOfReLUs(nn.Module):
    """ReLU6(x) = 6 - ReLU(6 - ReLU(x))."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.ReLU()
        self.outer = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        limited: Tensor = 6 - self.outer(6 - self.inner(x))
        return limited


class _InTurn(nn.Module):
    """As many modules as there are calls in a pass: the first call gets the first one."""

    def __init__(self, modules: list[nn.Module]) -> None:
        super().__init__()
        self.each = nn.ModuleList(modules)
        self._calls = 0

    def forward(self, x: Tensor) -> Tensor:
        module = self.each[self._calls % len(self.each)]
        self._calls += 1
        result: Tensor = module(x)
        return result


def _give_every_call_its_own(network: Network, image: Tensor) -> None:
    """DeepLIFT keeps what it saw in the module itself: one that is called twice needs a second."""
    calls: Counter[nn.Module] = Counter()

    def count(layer: nn.Module, *_: object) -> None:
        calls[layer] += 1

    kinds = tuple(SUPPORTED_NON_LINEAR)
    with _hooked(network, kinds, lambda layer: layer.register_forward_hook(count)):
        network(image)
    if max(calls.values(), default=1) == 1:
        return
    own = {layer: _InTurn([copy.deepcopy(layer) for _ in range(n)]) for layer, n in calls.items()}
    for kind in kinds:
        _replace(network, kind, lambda layer: own.get(layer, layer))


@contextmanager
def _hooked(
    network: nn.Module,
    kinds: type[nn.Module] | tuple[type[nn.Module], ...],
    attach: Callable[[nn.Module], torch.utils.hooks.RemovableHandle],
) -> Iterator[None]:
    handles = [attach(layer) for layer in network.modules() if isinstance(layer, kinds)]
    try:
        with torch.no_grad():
            yield
    finally:
        for handle in handles:
            handle.remove()
