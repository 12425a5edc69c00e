"""Which EfficientNet a file holds, by the names and shapes of its tensors.

Five implementations give the tensors of the same networks other names, and training libraries put
prefixes before them and other things beside them. What is recognised here is only an outline: no
tensor has been made yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from math import ceil, prod
from typing import Literal

from torch import Tensor

from effnet_viz.models.advice import display_name
from effnet_viz.models.pickles import Containers, Location, Outline
from effnet_viz.models.published import FAMILY
from effnet_viz.models.weights import RefusedFileError

Library = Literal["torchvision", "timm", "composer"]

OTHER_NETWORK = (
    "Save the state dict of an EfficientNet (B0 to B7 or Lite) of torchvision, timm, "
    "EfficientNet-PyTorch or Composer, or another one of timm's that the app lists, changed in "
    "nothing but its classes"
)

OTHER_KERAS_NETWORK = (
    "Save an EfficientNet B0 to B7 of keras.applications as `name.keras`, changed in nothing but "
    "its head: average pooling, then one dense layer with softmax"
)


@dataclass(frozen=True)
class Scheme:
    """How one implementation names its tensors, told from the library's names."""

    title: str
    library: Library
    """Whose module computes what this implementation does, and whose names are translated."""
    stem: str
    """The first convolution's weight."""
    head: str
    """The last convolution's weight."""
    project: str
    """Pattern of the weights that end a block; its groups order the blocks."""
    excite: str
    """What the names of squeeze-and-excitation hold, and of nothing else."""
    classifier: str
    outside: Mapping[str, str]
    """Parts outside the blocks, from the library's name; empty where the names are the same."""
    blocks: str = ""
    first: Mapping[str, str] | None = None
    """Parts of a block of the first row, which expands nothing."""
    others: Mapping[str, str] | None = None
    remedy: str = OTHER_NETWORK
    """What to do about a file that does not fit."""

    @property
    def is_port(self) -> bool:
        """Whether its networks are those of TensorFlow: same padding, an epsilon of 1e-3."""
        return self in (_EFFICIENTNET_PYTORCH, KERAS)

    @property
    def channels_last(self) -> bool:
        """Whether the channels that go out are a kernel's last axis, as in TensorFlow."""
        return self is KERAS

    def tensor(self, part: str, tensor: str) -> str:
        """The name of a part's tensor, "weight" for one, in the file."""
        if self is not KERAS:
            return f"{part}.{tensor}"
        variables = _KERAS_NORM if _KERAS_NORMS.fullmatch(part) else {"weight": "kernel"}
        return f"{part}/{variables.get(tensor, tensor)}"

    def outputs(self, shape: tuple[int, ...]) -> int:
        """Channels that come out of a weight of this shape."""
        return shape[-1 if self.channels_last else 0]

    def to_file(self, name: str, tensor: Tensor) -> Tensor:
        """The library's tensor `name` with its axes in the order of the file."""
        if not self.channels_last or tensor.ndim < 2:
            return tensor
        if tensor.ndim == 2:
            return tensor.T  # (O, I) to (I, O)
        if ".conv_dw." in name:
            return tensor.permute(2, 3, 0, 1)  # (C, 1, h, w) to (h, w, C, 1)
        return tensor.permute(2, 3, 1, 0)  # (O, I, h, w) to (h, w, I, O)

    def from_file(self, name: str, tensor: Tensor) -> Tensor:
        """The reverse of `to_file`."""
        if not self.channels_last or tensor.ndim < 4 or ".conv_dw." in name:
            return self.to_file(name, tensor)  # its own reverse
        return tensor.permute(3, 2, 0, 1)

    def translated(self, name: str, rows: tuple[int, ...]) -> str:
        """The name in the file of the library's `name`; `rows` are the blocks of every row."""
        if not self.outside:
            return name
        matched = re.fullmatch(r"blocks\.(\d+)\.(\d+)\.(.+)\.(\w+)", name)
        if matched is None:
            part, _, tensor = name.rpartition(".")
            return self.tensor(self.outside[part], tensor)
        row, place, part, tensor = matched.groups()
        parts = self.others if int(row) else self.first
        if self is KERAS:
            block = keras_block(int(row), int(place))
        else:
            block = f"{self.blocks}.{sum(rows[: int(row)]) + int(place)}."
        return self.tensor(block + (parts or {})[part], tensor)


_KERAS_NORMS = re.compile(r"(stem|top|block\d[a-z](_expand|_project)?)_bn")

_KERAS_NORM = {
    "weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
    "running_var": "moving_variance",
}  # fmt: skip


def keras_block(row: int, place: int) -> str:
    """What the names of a block's layers begin with in Keras: "block2a_" is the second row's."""
    return f"block{row + 1}{chr(ord('a') + place)}_"


_TORCHVISION = Scheme(
    "torchvision", "torchvision", "features.0.0.weight", "features.8.0.weight",
    r"features\.(\d+)\.(\d+)\.block\.(\d)\.0\.weight", ".fc1.", "classifier.1", {},
)  # fmt: skip

_TIMM = Scheme(
    "timm", "timm", "conv_stem.weight", "conv_head.weight",
    r"blocks\.(?:(0)\.(\d+)\.conv_pw|([1-9])\.(\d+)\.conv_pwl)\.weight", ".se.", "classifier", {},
)  # fmt: skip

_EFFICIENTNET_PYTORCH = Scheme(
    "EfficientNet-PyTorch", "timm", "_conv_stem.weight", "_conv_head.weight",
    r"_blocks\.(\d+)\._project_conv\.weight", "._se_", "_fc",
    {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1",
     "classifier": "_fc"},
    "_blocks",
    {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "se.conv_reduce": "_se_reduce",
     "se.conv_expand": "_se_expand", "conv_pw": "_project_conv", "bn2": "_bn2"},
    {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1",
     "se.conv_reduce": "_se_reduce", "se.conv_expand": "_se_expand", "conv_pwl": "_project_conv",
     "bn3": "_bn2"},
)  # fmt: skip
"""lukemelas' port of the TensorFlow networks; those of EfficientNet-Lite's port are the same."""

_COMPOSER = Scheme(
    "Composer", "composer", "conv_stem.weight", "conv_head.weight",
    r"blocks\.(\d+)\.(?:conv_pointwise|conv1x1_contract)\.weight", ".se.", "classifier",
    {"conv_stem": "conv_stem", "bn1": "bn1", "conv_head": "conv_head", "bn2": "bn2",
     "classifier": "classifier"},
    "blocks",
    {"conv_dw": "conv_depthwise", "bn1": "bn1", "se.conv_reduce": "se.conv_reduce",
     "se.conv_expand": "se.conv_expand", "conv_pw": "conv_pointwise", "bn2": "bn2"},
    {"conv_pw": "conv1x1_expand", "bn1": "bn1", "conv_dw": "conv_depthwise", "bn2": "bn2",
     "se.conv_reduce": "se.conv_reduce", "se.conv_expand": "se.conv_expand",
     "conv_pwl": "conv1x1_contract", "bn3": "bn3"},
)  # fmt: skip

KERAS = Scheme(
    "Keras", "timm", "stem_conv/kernel", "top_conv/kernel",
    r"block(\d)([a-z])_project_conv/kernel", "/", "predictions",
    {"conv_stem": "stem_conv", "bn1": "stem_bn", "conv_head": "top_conv", "bn2": "top_bn",
     "classifier": "predictions"},
    "",
    {"conv_dw": "dwconv", "bn1": "bn", "se.conv_reduce": "se_reduce",
     "se.conv_expand": "se_expand", "conv_pw": "project_conv", "bn2": "project_bn"},
    {"conv_pw": "expand_conv", "bn1": "expand_bn", "conv_dw": "dwconv", "bn2": "bn",
     "se.conv_reduce": "se_reduce", "se.conv_expand": "se_expand", "conv_pwl": "project_conv",
     "bn3": "project_bn"},
    OTHER_KERAS_NETWORK,
)  # fmt: skip
"""keras.applications, under the names of layers and of their variables. It has no Lite: all names
have what only those with squeeze-and-excitation have elsewhere."""

_ONLY_COMPOSER = "blocks.0.conv_depthwise.weight"

SCHEMES = (_TORCHVISION, _TIMM, _EFFICIENTNET_PYTORCH, _COMPOSER, KERAS)

MOST_CLASSES = 50_000
"""More than twice those of ImageNet-21k: a file may say any number without having the values."""

_MOST_PLACES = 64
"""Where a network may be in a file: a prefix or a container for each."""


@dataclass(frozen=True)
class Recognised:
    """A network in a file."""

    scheme: Scheme
    container: Location
    """Where in the file its state dict is; empty for the file itself."""
    prefix: str
    """What stands before each of its names."""
    lite: bool
    """Without squeeze-and-excitation."""
    width: float
    depth: float
    """Multipliers relative to B0 or Lite0; of the nearest member where `exact` is False."""
    exact: bool
    classes: int

    @property
    def title(self) -> str:
        """Whose names they are, and where they were: "timm, from `state_dict_ema`"."""
        place = ".".join([*map(str, self.container), *self.prefix.split(".")]).strip(".")
        return self.scheme.title + (f", from {display_name(place)}" if place else "")


def recognise(containers: Containers) -> Recognised:
    """The network in the state dicts of a file.

    An exponential moving average goes before the weights that it averages: it is what libraries
    evaluate. Raises RefusedFileError for a file without an EfficientNet, and with several.
    """
    found = [
        _Place(scheme, container, name.removesuffix(scheme.stem), outline)
        for container, outline in containers.items()
        for scheme in SCHEMES
        for name in outline
        if name == scheme.stem or name.endswith(f".{scheme.stem}")
    ]
    starts = {(place.container, place.prefix) for place in found}
    if len(starts) > _MOST_PLACES:  # each of them is compared with every name
        raise RefusedFileError(
            f"holds {len(starts):,} first convolutions, and nothing says which one is meant",
            "Save the state dict of one network alone",
        )
    found = [place for place in found if place.is_its_own]
    averaged = [place for place in found if "ema" in re.split(r"[._]", place.name.lower())]
    places = averaged or found
    if not places:
        names = list(chain.from_iterable(containers.values()))
        raise RefusedFileError(
            f"holds no EfficientNet that is known: its tensors begin with "
            f"{', '.join(map(display_name, names[:3]))}",
            OTHER_NETWORK,
        )
    if len(places) > 1:
        listed = ", ".join(display_name(place.name or "its first level") for place in places[:3])
        raise RefusedFileError(
            f"holds {len(places)} networks ({listed}), and nothing says which one is meant",
            "Save the state dict of one of them alone",
        )
    return places[0].recognised()


def names_in_file(network: Recognised, expected: Iterable[str], found: Outline) -> dict[str, str]:
    """The library's names, each with the name that the file has, or should have, for it."""
    names = list(expected)
    blocks = [re.match(r"blocks\.(\d+)\.(\d+)\.", name) for name in names]
    last: dict[int, int] = {}
    for block in filter(None, blocks):
        row, place = int(block[1]), int(block[2])
        last[row] = max(last.get(row, 0), place + 1)
    rows = tuple(last[row] for row in sorted(last))
    translated = {name: network.prefix + network.scheme.translated(name, rows) for name in names}
    other = _other_classifier(network.scheme, network.prefix, found)
    if other is not None:
        library = "classifier" if network.scheme.outside else network.scheme.classifier
        for tensor in ("weight", "bias"):
            translated[f"{library}.{tensor}"] = network.scheme.tensor(other, tensor)
    return translated


def belonging(network: Recognised, found: Outline) -> Outline:
    """The tensors of the state dict that are this network's: beside a prefix there may be others.

    Counters of batches, which nothing computes with, are left out.
    """
    return {
        name: tensor
        for name, tensor in found.items()
        if name.startswith(network.prefix) and not is_counter(name)
    }


def parameters(network: Recognised, found: Outline) -> int:
    """How many the network has without its classifier, by the shapes in the file."""
    rest = (f"{network.prefix}{network.scheme.classifier}.", "running_mean", "running_var")
    return sum(
        prod(tensor.shape)
        for name, tensor in belonging(network, found).items()
        if not name.startswith(rest[0]) and not name.endswith(rest[1:])
    )


def is_counter(name: str) -> bool:
    """Whether it counts batches in training; older files have none."""
    return name.endswith(".num_batches_tracked")


def expected_in_file(
    network: Recognised, expected: Mapping[str, Tensor], found: Outline
) -> dict[str, Tensor]:
    """What the file should hold, under its own names."""
    names = names_in_file(network, expected, found)
    return {
        names[name]: network.scheme.to_file(name, its)
        for name, its in expected.items()
        if not is_counter(name)
    }


def _other_classifier(scheme: Scheme, prefix: str, found: Outline) -> str | None:
    """The classifier's name where it is not the usual one.

    torchvision's head is dropout and a linear layer; many put one linear layer in its place. In
    Keras everybody names the dense layer, the only one with a matrix.
    """
    if scheme is KERAS:
        matrices = [name for name, its in found.items() if len(its.shape) == 2]
        return matrices[0].rpartition("/")[0] if matrices else None
    usual = f"{prefix}{scheme.classifier}"
    whole = f"{prefix}classifier"
    replaced = f"{usual}.weight" not in found and f"{whole}.weight" in found
    return whole if replaced else None


@dataclass(frozen=True)
class _Place:
    scheme: Scheme
    container: Location
    prefix: str
    outline: Outline

    @property
    def name(self) -> str:
        return ".".join([*map(str, self.container), self.prefix]).strip(".")

    @property
    def is_its_own(self) -> bool:
        """timm and Composer call the first convolution the same, other networks theirs, too."""
        composer = self.prefix + _ONLY_COMPOSER in self.outline
        if self.scheme.stem == _COMPOSER.stem and composer != (self.scheme is _COMPOSER):
            return False
        return bool(self._projections())

    def _projections(self) -> list[int]:
        """Channels after each block, in order."""
        last: dict[tuple[int, ...], tuple[int, int]] = {}
        for name, tensor in self.outline.items():
            if not name.startswith(self.prefix) or not tensor.shape:
                continue
            matched = re.fullmatch(self.scheme.project, name[len(self.prefix) :][:80])
            if matched is None:
                continue
            # In base 36 letters count, too: those of Keras' blocks.
            *block, within = [int(group, 36) for group in matched.groups("-1") if group != "-1"]
            if self.scheme is not _TORCHVISION:
                block, within = [*block, within], 0
            # Of torchvision's convolutions in a block, the last one projects.
            channels = self.scheme.outputs(tensor.shape)
            last[tuple(block)] = max(last.get(tuple(block), (-1, 0)), (within, channels))
        return [channels for _, (_, channels) in sorted(last.items())]

    def recognised(self) -> Recognised:
        """Raises RefusedFileError without a classifier."""
        other = _other_classifier(self.scheme, self.prefix, self.outline)
        head = self.scheme.tensor(other or self.prefix + self.scheme.classifier, "weight")
        if head not in self.outline or len(self.outline[head].shape) != 2:
            raise RefusedFileError(
                f"holds an EfficientNet without a classifier: {display_name(head)}, classes × "
                "features, is missing",
                "Save the whole network's state dict, its last linear layer included",
            )
        classes = self.scheme.outputs(self.outline[head].shape)
        if not 2 <= classes <= MOST_CLASSES:
            raise RefusedFileError(
                f"tells {classes:,} classes apart, and here it is 2 to {MOST_CLASSES:,}",
                "Use a network with a logit for each of its classes",
            )
        lite = not any(
            self.scheme.excite in name and name.startswith(self.prefix) for name in self.outline
        )
        stem, last = self._channels(self.scheme.stem), self._channels(self.scheme.head)
        width, depth, exact = _multipliers(stem, self._projections(), last, lite)
        return Recognised(
            self.scheme, self.container, self.prefix, lite, width, depth, exact, classes
        )

    def _channels(self, name: str) -> int:
        tensor = self.outline.get(self.prefix + name)
        return self.scheme.outputs(tensor.shape) if tensor and tensor.shape else 0


# Width and depth from channels and blocks

_CHANNELS = (16, 24, 40, 80, 112, 192, 320)
_BLOCKS = (1, 2, 2, 3, 3, 4, 1)
"""Of the rows of B0 (Tan & Le 2019, Table 1)."""

_MULTIPLIERS = sorted((n / 100 for n in range(25, 601)), key=lambda m: (len(f"{m:g}"), m))
"""Whole numbers first, then tenths: several give the same network."""


def rounded(channels: int, width: float) -> int:
    """Channels times width to a multiple of 8, never more than a tenth below."""
    exact = channels * width
    near = max(8, int(exact + 4) // 8 * 8)
    return near + 8 if near < 0.9 * exact else near


def _ends(width: float, lite: bool) -> tuple[int, int]:
    """Channels of the first and the last convolution."""
    return (32, 1280) if lite else (rounded(32, width), rounded(1280, width))


def blocks(depth: float, lite: bool) -> tuple[int, ...]:
    """Lite never scales its first and last row."""
    scaled = [ceil(depth * count) for count in _BLOCKS]
    return (1, *scaled[1:-1], 1) if lite else tuple(scaled)


def _multipliers(
    stem: int, projections: list[int], head: int, lite: bool
) -> tuple[float, float, bool]:
    """Width and depth, and whether they give exactly these; else those of the nearest member."""
    published = [(member.width, member.depth) for member in FAMILY]
    for width, depth in published:
        if _row_of(width, depth, lite) == (stem, projections, head):
            return width, depth, True
    widths = [w for w in _MULTIPLIERS if w <= 4 and _ends(w, lite) == (stem, head)]
    depths = [d for d in _MULTIPLIERS if sum(blocks(d, lite)) == len(projections)]
    for width in widths:
        for depth in depths:
            if _row_of(width, depth, lite) == (stem, projections, head):
                return width, depth, True

    def distance(member: tuple[float, float]) -> tuple[int, int]:
        near_stem, near_projections, near_head = _row_of(*member, lite)
        apart = sum(a != b for a, b in zip(projections, near_projections, strict=False)) + abs(
            len(projections) - len(near_projections)
        )
        return apart, abs(stem - near_stem) + abs(head - near_head)

    width, depth = min(published[: 5 if lite else None], key=distance)
    return width, depth, False


def _row_of(width: float, depth: float, lite: bool) -> tuple[int, list[int], int]:
    stem, head = _ends(width, lite)
    rows = zip(_CHANNELS, blocks(depth, lite), strict=True)
    return stem, [rounded(c, width) for c, count in rows for _ in range(count)], head
