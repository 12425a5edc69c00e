"""Files of Keras to the tensors of an EfficientNet of keras.applications, and what they say of it.

Three forms: `.keras` (a zip of a configuration in JSON and the weights in HDF5), weights alone
(`.weights.h5`) and the `.h5` of Keras 2, which newer ones still write, with or without the
configuration. In the first two a layer has the name of its class and a number; the order of these
numbers is that of the network. Nothing is built by Keras and no code of a file runs: layers beside
the EfficientNet are computed here or refused.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from effnet_viz.models import hdf5, tensor_files
from effnet_viz.models.advice import COPY_AGAIN, damaged, display_name, too_long
from effnet_viz.models.hdf5 import Array, Hdf5Content
from effnet_viz.models.naming import OTHER_KERAS_NETWORK, blocks, keras_block
from effnet_viz.models.pickles import Outline, TensorOutline
from effnet_viz.models.published import FAMILY
from effnet_viz.models.weights import RefusedFileError

Three = tuple[float, float, float]

Tensors = dict[str, Array]
"""By layer and variable, "stem_conv/kernel", axes as in the file."""


class Normalization(NamedTuple):
    """(value - mean) / std of values 0..1, per channel: what the network does to pixels first."""

    mean: Three
    std: Three


@dataclass(frozen=True)
class KerasNetwork:
    """An EfficientNet in a file of Keras."""

    tensors: Tensors
    normalization: Normalization | None
    """None where the network has no layers for it, and pixels were prepared before it."""
    side: int | None
    """Of its square input, in pixels; None where the file does not say it."""
    padding: Mapping[str, Any]
    """Before every convolution of stride 2, as configured; empty for weights alone."""

    def resolution(self, published: int) -> int:
        """The side of its input or the published one, where its padding is the same as here.

        keras.applications fixes the padding by the side that a network is built for, and takes
        every side for even where it is built for none: that is right for multiples of 32 alone,
        and the next one below is taken. Raises RefusedFileError.
        """
        side = self.side or published
        below = side - side % _HALVED
        for found in (side, below):
            if not self.padding or self.padding == _padding(found):
                return found
        raise RefusedFileError(
            f"pads otherwise than an EfficientNet for {side} pixels", OTHER_KERAS_NETWORK
        )

    @property
    def outline(self) -> Outline:
        return {
            name: TensorOutline(its.shape, its.dtype.name) for name, its in self.tensors.items()
        }

    def torch_tensors(self) -> dict[str, Tensor]:
        """The tensors with memory of their own."""
        return {name: torch.from_numpy(its.copy()) for name, its in self.tensors.items()}


def read(data: bytes, ending: str) -> KerasNetwork:
    """The network in a file. Raises RefusedFileError."""
    if ending == ".keras":
        weights, text = _parts(data)
    else:
        weights, text = data, None
    content = hdf5.read(weights, ("optimizer", "optimizer_weights"), ("model_config", "name"))
    text = content.texts.get(("", "model_config")) if text is None else text
    layers = None if text is None else _layers(text)
    named = _named_by_order(content) if _has_numbers(content) else _named(content)
    _check_is_efficientnet(named)
    kept = {name: its for name, its in named.items() if _variable(name) not in _STATISTICS}
    kept = _with_one_head(kept)
    if layers is not None:
        _check_layers(layers)
    normalization = _normalization(layers, _statistics(named))
    return KerasNetwork(kept, normalization, *_size(layers or []))


_STATISTICS = ("mean", "variance", "count")
"""The variables of a Normalization layer; no other layer's have these names."""


def _layer(name: str) -> str:
    return name.rpartition("/")[0]


def _variable(name: str) -> str:
    return name.rpartition("/")[2]


# .keras: a zip

_CONFIGURATION, _WEIGHTS = "config.json", "model.weights.h5"

_MOST_CONFIGURATION = 4 * 2**20
"""In bytes; that of B7 has 0.9 MB."""

_MOST_DIRECTORY = 64 * 1024
"""In bytes; Keras writes three parts, and more for the vocabularies of other layers."""


def _parts(data: bytes) -> tuple[bytes, str]:
    """Weights and configuration."""
    if not data.startswith(b"PK\3\4"):
        raise RefusedFileError("is no .keras file, which is a zip file", COPY_AGAIN)
    tensor_files.check_directory(data, _MOST_DIRECTORY)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {part.filename: part for part in archive.infolist()}
            if len(parts) != len(archive.infolist()):
                raise damaged("two of its parts have one name")
            if not {_CONFIGURATION, _WEIGHTS} <= parts.keys():
                raise RefusedFileError("is a zip file, but none of Keras", OTHER_KERAS_NETWORK)
            if any(part.compress_type != zipfile.ZIP_STORED for part in parts.values()):
                # A compressed part may be a thousand times as large as the file.
                raise RefusedFileError(
                    "is compressed, which Keras never does", "Save it anew with Keras"
                )
            if sum(part.file_size for part in parts.values()) > len(data):
                raise damaged("its parts overlap")
            if parts[_CONFIGURATION].file_size > _MOST_CONFIGURATION:
                raise too_long("a configuration")
            return archive.read(_WEIGHTS), archive.read(_CONFIGURATION).decode()
    except RefusedFileError:
        raise
    except Exception as error:  # whatever damaged bytes lead to
        raise damaged("its parts cannot be read") from error


# Names


def _named(content: Hdf5Content) -> Tensors:
    """Of the older form, where the last two parts of a path are a layer and its variable."""
    found: Tensors = {}
    for path, array in content.arrays.items():
        layer = _layer(path).rpartition("/")[2]
        variable = _variable(path).removesuffix(":0").replace("depthwise_kernel", "kernel")
        if layer == "seed_generator":  # the state of a random generator
            continue
        name = f"{layer}/{variable}"
        if name in found:
            raise RefusedFileError(
                f"holds {display_name(name)} twice, so it holds several networks",
                OTHER_KERAS_NETWORK,
            )
        found[name] = array
    return found


_NUMBERED = re.compile(r"(?:(.*)/)?([^/]+)/vars/(\d{1,3})")

_Layers = dict[str, dict[int, Array]]
"""Arrays by the number of the variable, by the layer's group."""


def _has_numbers(content: Hdf5Content) -> bool:
    return any(_NUMBERED.fullmatch(path) for path in content.arrays)


def _named_by_order(content: Hdf5Content) -> Tensors:
    """Of the newer form: "layers/conv2d_7/vars/0" is a variable of the eighth convolution."""
    containers: dict[str, _Layers] = {}
    for path, array in content.arrays.items():
        matched = _NUMBERED.fullmatch(path)
        if matched is None:
            raise RefusedFileError(
                f"holds {display_name(path)}, which Keras would not write there",
                OTHER_KERAS_NETWORK,
            )
        container, group, number = matched.groups("")
        if group != "seed_generator":
            containers.setdefault(container, {}).setdefault(group, {})[int(number)] = array
    backbones = [path for path, layers in containers.items() if "depthwise_conv2d" in layers]
    if not backbones:
        raise _other_network([_group(path) for path in content.arrays])
    if len(backbones) > 1:
        listed = ", ".join(map(display_name, backbones[:3]))
        raise RefusedFileError(
            f"holds {len(backbones)} networks ({listed}), and nothing says which one is meant",
            OTHER_KERAS_NETWORK,
        )
    [backbone] = backbones
    names = _names_in_order(containers[backbone])
    found: Tensors = {}
    for container, layers in containers.items():
        for group, arrays in layers.items():
            path = f"{container}/{group}/vars"
            own = content.texts.get((path, "name"), group)
            layer = names.get(group, own) if container == backbone else own
            for place, variable in enumerate(_variables(arrays, group)):
                found[f"{layer}/{variable}"] = arrays[place]
    if len(found) != sum(len(its) for layers in containers.values() for its in layers.values()):
        raise RefusedFileError(
            "holds several layers of one name, so it holds several networks", OTHER_KERAS_NETWORK
        )
    return found


def _group(path: str) -> str:
    return path.partition("/vars/")[0].rpartition("/")[2]


def _variables(arrays: Mapping[int, Array], group: str) -> list[str]:
    """What Keras calls a layer's variables, in their order."""
    if sorted(arrays) != list(range(len(arrays))):
        raise damaged(f"variables of {display_name(group)} are missing")
    if re.fullmatch(r"normalization(_\d+)?", group):
        names = [*_STATISTICS]
    elif arrays[0].ndim == 1:
        names = ["gamma", "beta", "moving_mean", "moving_variance"]
    else:
        names = ["kernel", "bias"]
    return [*names[: len(arrays)], *map(str, range(len(names), len(arrays)))]


def _names_in_order(layers: _Layers) -> dict[str, str]:
    """The names of the EfficientNet's layers, by their groups.

    Convolutions are told apart by their biases: only those of squeeze-and-excitation have them.
    """
    convolutions = _in_order(layers, "conv2d")
    _check_kernels({group: layers[group][0] for group in convolutions[1:] if 0 in layers[group]})
    kinds = "".join("b" if 1 in layers[group] else "k" for group in convolutions)
    matched = re.fullmatch("k((?:bbk)+)((?:kbbk)+)k", kinds)
    first, others = (len(matched[1]) // 3, len(matched[2]) // 4) if matched else (0, 0)
    rows = next((rows for rows in _ROWS if (rows[0], sum(rows[1:])) == (first, others)), None)
    if rows is None:
        raise RefusedFileError(
            f"holds no EfficientNet B0 to B7: it has {len(convolutions)} convolutions, of which "
            f"{kinds.count('b')} have a bias",
            OTHER_KERAS_NETWORK,
        )
    places = [(row, place) for row, count in enumerate(rows) for place in range(count)]

    def in_blocks(head: list[str], first: str, more: str, tail: list[str]) -> list[str]:
        parts = [
            keras_block(row, place) + part
            for row, place in places
            for part in (more if row else first).split()
        ]
        return [*head, *parts, *tail]

    wanted = {
        "conv2d": in_blocks(
            ["stem_conv"],
            "se_reduce se_expand project_conv",
            "expand_conv se_reduce se_expand project_conv",
            ["top_conv"],
        ),
        "depthwise_conv2d": in_blocks([], "dwconv", "dwconv", []),
        "batch_normalization": in_blocks(
            ["stem_bn"], "bn project_bn", "expand_bn bn project_bn", ["top_bn"]
        ),
    }
    found: dict[str, str] = {}
    for kind, names in wanted.items():
        groups = _in_order(layers, kind)
        if len(groups) < len(names):
            raise RefusedFileError(
                f"holds {len(groups)} layers {display_name(kind)}, and an EfficientNet with its "
                f"convolutions has {len(names)}",
                OTHER_KERAS_NETWORK,
            )
        # One more batch norm may stand before the dense layer.
        found |= dict(zip(groups, names, strict=False))
    return found


_ROWS = list(dict.fromkeys(blocks(member.depth, lite=False) for member in FAMILY))
"""Blocks of every row of B0 to B7."""


def _in_order(layers: _Layers, kind: str) -> list[str]:
    """Groups of a class in the order of their numbers, the first of which has none."""
    numbered = {
        int(matched[1] or 0): group
        for group in layers
        if (matched := re.fullmatch(rf"{kind}(?:_(\d{{1,6}}))?", group))
    }
    return [numbered[number] for number in sorted(numbered)]


# Which network


def _other_network(names: list[str]) -> RefusedFileError:
    listed = ", ".join(display_name(name) for name in dict.fromkeys(names[:3])) or "none"
    return RefusedFileError(
        f"holds no EfficientNet of keras.applications: its layers are {listed}, …",
        OTHER_KERAS_NETWORK,
    )


def _check_is_efficientnet(tensors: Tensors) -> None:
    if "stem_conv/kernel" not in tensors:
        raise _other_network([_layer(name) for name in tensors])
    _check_kernels(
        {
            name: its
            for name, its in tensors.items()
            if name.endswith("_conv/kernel") and name != "stem_conv/kernel"
        }
    )


def _check_kernels(kernels: Mapping[str, Array]) -> None:
    for name, kernel in kernels.items():
        if kernel.ndim == 4 and kernel.shape[:2] != (1, 1):
            raise RefusedFileError(
                f"holds another network than EfficientNet B0 to B7, such as EfficientNetV2: "
                f"{display_name(name)} is a convolution of {kernel.shape[0]}×{kernel.shape[1]}, "
                "and theirs are of 1×1 but for the first",
                OTHER_KERAS_NETWORK,
            )


_NORM = ("gamma", "beta", "moving_mean", "moving_variance")

_EPSILON = 1e-3
"""Of Keras' batch norms; another one is refused where the configuration says it."""


def _with_one_head(tensors: Tensors) -> Tensors:
    """With one dense layer, which takes in a batch norm of its input.

    W (γ (x - m) / √(v + ε) + β) + b is linear in x; before the pooling a batch norm does the same.
    """
    dense = [_layer(name) for name, its in tensors.items() if its.ndim == 2]
    if not dense:
        raise RefusedFileError(
            "holds an EfficientNet without a classifier: it has no dense layer, as with "
            "include_top=False",
            "Save the whole network, its dense layer for the classes included",
        )
    if len(dense) > 1:
        raise RefusedFileError(
            f"has {len(dense)} dense layers ({', '.join(map(display_name, dense[:3]))}), and class "
            "activation maps need one alone after the average pooling",
            OTHER_KERAS_NETWORK,
        )
    [head] = dense
    kernel, bias = tensors[f"{head}/kernel"], tensors.get(f"{head}/bias")
    if kernel.shape[1] == 1:
        raise RefusedFileError(
            f"ends in one output ({display_name(head)}), a yes or no, and here every class has one",
            "Train it with a dense layer of two outputs and softmax",
        )
    norms = [
        _layer(name)
        for name in tensors
        if name.endswith("/gamma") and not _BACKBONE.fullmatch(_layer(name))
    ]
    features = (kernel.shape[0],)
    if len(norms) != 1 or bias is None:
        return tensors
    found = [tensors.get(f"{norms[0]}/{variable}") for variable in _NORM]
    if not all(its is not None and its.shape == features for its in found):
        return tensors
    gamma, beta, mean, variance = (np.asarray(its, np.float64) for its in found)  # (C,)
    scale = gamma / np.sqrt(variance + _EPSILON)
    shift = beta - mean * scale
    kept = {name: its for name, its in tensors.items() if _layer(name) != norms[0]}
    kept[f"{head}/kernel"] = (scale[:, None] * kernel).astype(np.float32)  # (C, classes)
    kept[f"{head}/bias"] = (bias + shift @ kernel).astype(np.float32)  # (classes,)
    return kept


# Configurations


class _Layer(NamedTuple):
    kind: str
    """Its class."""
    name: str
    config: Mapping[str, Any]


_MODELS = ("Functional", "Sequential", "Model")

_MOST_LAYERS = 5000
"""B7 has 820."""


def _layers(text: str) -> list[_Layer]:
    """All layers in their order, those of a model in a model in its place."""
    try:
        model = json.loads(text)
        if model["class_name"] not in _MODELS:
            raise RefusedFileError(
                f"holds a model of a class of its own, {display_name(str(model['class_name']))}, "
                "whose code is not run",
                'Save its weights alone, `model.save_weights("name.weights.h5")`',
            )
        found = list(_flat(model))
    except RefusedFileError:
        raise
    except Exception as error:  # whatever damaged JSON or other values lead to
        raise damaged("its configuration cannot be read") from error
    if len(found) > _MOST_LAYERS:
        raise too_long("a configuration")
    return found


def _flat(model: Mapping[str, Any]) -> Iterator[_Layer]:
    for layer in model["config"]["layers"]:
        if layer["class_name"] in _MODELS:
            yield from _flat(layer)
        else:
            config = dict(layer["config"])
            yield _Layer(str(layer["class_name"]), str(config["name"]), config)


_BACKBONE = re.compile(
    r"stem_conv_pad|top_dropout|(?:stem|top)_(?:conv|bn|activation)|block\d[a-z]_(?:"
    r"(?:expand|project)_(?:conv|bn)|(?:expand_)?activation|dwconv(?:_pad)?|bn|drop|add|"
    r"se_(?:squeeze|reshape|reduce|expand|excite))"
)
"""The layers of keras.applications' EfficientNets that are named."""

_INSIDE = (
    "ZeroPadding2D", "Conv2D", "DepthwiseConv2D", "BatchNormalization", "Activation",
    "GlobalAveragePooling2D", "Reshape", "Multiply", "Add", "Dropout",
)  # fmt: skip
"""And their classes."""

_SWISH = ("swish", "silu")

_OUTSIDE = (
    "InputLayer", "Rescaling", "Normalization", "Dropout", "GlobalAveragePooling2D", "Flatten",
    "BatchNormalization", "Dense", "Activation", "Softmax", "RandomFlip", "RandomRotation",
    "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness", "RandomCrop",
)  # fmt: skip
"""Layers that may stand around them: computed here, or nothing outside training."""


def _check_layers(layers: list[_Layer]) -> None:
    """Raises RefusedFileError for what would be computed otherwise here."""
    for layer in layers:
        inside = _BACKBONE.fullmatch(layer.name)
        if layer.kind not in (_INSIDE if inside else _OUTSIDE):
            raise RefusedFileError(
                f"has the layer {display_name(layer.name)} ({display_name(layer.kind)}), which is "
                "not computed here, as no code of a file runs",
                OTHER_KERAS_NETWORK,
            )
        for setting, expected in _settings(layer):
            value = layer.config.get(setting, expected[0])
            if value not in expected:
                raise RefusedFileError(
                    f"has the layer {display_name(layer.name)} with {setting} "
                    f"{display_name(str(value))}, and here it is {display_name(str(expected[0]))}",
                    OTHER_KERAS_NETWORK,
                )
    counted = Counter(layer.kind for layer in layers)
    if counted["Normalization"] > 1:
        raise RefusedFileError(
            "normalizes pixels in two layers, and which statistics are whose is not told",
            OTHER_KERAS_NETWORK,
        )
    seen = [layer.kind for layer in layers]
    first = seen.index("Conv2D") if "Conv2D" in seen else 0
    if {"Rescaling", "Normalization"} & {*seen[first:]}:
        raise RefusedFileError(
            "rescales or normalizes behind its first convolution", OTHER_KERAS_NETWORK
        )


def _settings(layer: _Layer) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What a layer's configuration has to say, the usual value first."""
    inside = _BACKBONE.fullmatch(layer.name)
    if layer.kind == "BatchNormalization":
        yield "epsilon", (_EPSILON,)
    if layer.kind == "Normalization":
        yield "invert", (False,)
    if layer.kind == "Dense" or (layer.kind == "Activation" and not inside):
        yield "activation", ("softmax", "linear", None)
    if inside and layer.kind == "Activation":
        yield "activation", _SWISH
    if inside and layer.kind == "Conv2D":
        usual = {"se_reduce": _SWISH, "se_expand": ("sigmoid",)}
        yield "activation", usual.get(layer.name.partition("_")[2], ("linear", None))


# Resolution and padding

_STRIDED = {"stem_conv_pad": 3, "block2a_dwconv_pad": 3, "block3a_dwconv_pad": 5,
            "block4a_dwconv_pad": 3, "block6a_dwconv_pad": 5}  # fmt: skip
"""Kernels of the convolutions of stride 2, in their order, by the layer that pads before them."""

_HALVED = 32
"""What the strides multiply to."""


def _size(layers: list[_Layer]) -> tuple[int | None, dict[str, Any]]:
    """Side of the input and padding."""
    try:
        sides = [side for layer in layers if (side := _side(layer.config)) is not None]
        padding = {
            layer.name: layer.config["padding"] for layer in layers if layer.name in _STRIDED
        }
    except (TypeError, ValueError, LookupError) as error:
        raise damaged("its configuration cannot be read") from error
    return (sides[0] if sides else None), padding


def _side(config: Mapping[str, Any]) -> int | None:
    """Of a layer that says the input's shape: height and width, where they are the same."""
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    if not shape:
        return None
    _, height, width, _ = shape
    return int(height) if height and height == width else None


def _padding(side: int) -> dict[str, list[list[int]]]:
    """What Keras' ZeroPadding2D layers have for same padding at this side."""
    found = {}
    for name, kernel in _STRIDED.items():
        pair = [kernel // 2 - (1 - side % 2), kernel // 2]
        found[name] = [pair, pair]
        side = -(-side // 2)
    return found


# What the network does to pixels

_PUBLISHED_VARIANCE = (0.229, 0.224, 0.225)
"""The "variance" in the files of keras.applications, which are ImageNet's standard deviations."""

_LEAST = 1e-7
"""keras.config.epsilon(): the least standard deviation of Keras' Normalization."""


def _statistics(tensors: Tensors) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Mean and variance that a Normalization layer has as variables."""
    found: list[NDArray[np.float64]] = []
    for variable in _STATISTICS[:2]:
        arrays = [its for name, its in tensors.items() if _variable(name) == variable]
        if len(arrays) > 1:
            raise RefusedFileError("normalizes pixels in two layers", OTHER_KERAS_NETWORK)
        if not arrays:
            return None
        if arrays[0].size not in (1, 3):
            raise RefusedFileError(
                f"normalizes {arrays[0].size} channels, and photographs have 3", OTHER_KERAS_NETWORK
            )
        found.append(np.broadcast_to(np.asarray(arrays[0], np.float64).ravel(), 3))
    return found[0], found[1]


def _normalization(
    layers: list[_Layer] | None, statistics: tuple[NDArray[np.float64], ...] | None
) -> Normalization | None:
    """What all layers before the first convolution do to pixels: scale · pixel + offset.

    Without a configuration, what keras.applications' networks do: pixels / 255, then the layer with
    statistics; with ImageNet's in it, a further division by √std (its `weights="imagenet"`).
    """
    scale, offset = np.ones(3), np.zeros(3)

    def normalize(mean: Any, variance: Any) -> None:
        nonlocal scale, offset
        std = np.maximum(np.sqrt(variance), _LEAST)
        scale, offset = scale / std, (offset - mean) / std

    if layers is None:
        if statistics is None:
            return None
        mean, variance = statistics
        scale = scale / 255
        normalize(mean, variance)
        if np.allclose(variance, _PUBLISHED_VARIANCE, rtol=1e-5):
            further = np.sqrt(_PUBLISHED_VARIANCE)
            scale, offset = scale / further, offset / further
    else:
        found = [its for its in layers if its.kind in ("Rescaling", "Normalization")]
        if not found:
            return None
        for layer in found:
            try:
                if layer.kind == "Rescaling":
                    by, plus = (_three(layer.config[key]) for key in ("scale", "offset"))
                    scale, offset = scale * by, offset * by + plus
                elif layer.config.get("mean") is not None:
                    normalize(_three(layer.config["mean"]), _three(layer.config["variance"]))
                elif statistics is not None:
                    normalize(*statistics)
                else:
                    raise damaged("the statistics of its Normalization are missing")
            except (TypeError, ValueError, LookupError) as error:
                raise damaged("its configuration cannot be read") from error
    with np.errstate(all="ignore"):
        std = 1 / (255 * scale)
        mean = (0 - offset) * std  # without a negative zero
    if not (np.isfinite(mean).all() and (std > 0).all() and (std < _LARGEST).all()):
        raise RefusedFileError(
            "normalizes pixels by statistics that are no numbers of pixels", OTHER_KERAS_NETWORK
        )
    return Normalization(_as_three(mean), _as_three(std))


_LARGEST = 1e6
"""The largest standard deviation that is believed; pixels end at 1."""


def _three(value: Any) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(value, np.float64).ravel(), 3)


def _as_three(values: NDArray[np.float64]) -> Three:
    red, green, blue = values.tolist()
    return red, green, blue
