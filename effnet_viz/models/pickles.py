"""What a pickle of torch.save would build, without building it.

torch.load with weights_only=True runs no code either, but takes as much memory as the pickle asks
for. Here a tensor is its shape, its type and where its values are; a pickle that names anything
else is refused.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch

from effnet_viz.models.advice import SAVE_STATE_DICT, damaged, display_name
from effnet_viz.models.weights import RefusedFileError


class TensorOutline(NamedTuple):
    """A tensor without its values. A tuple, because a pickle cannot change one."""

    shape: tuple[int, ...]
    dtype: str
    """As PyTorch calls it: "float32"."""


Outline = dict[str, TensorOutline]

Location = tuple[str | int, ...]
"""Keys and places in lists that lead to something in a file."""

Containers = dict[Location, Outline]
"""State dicts by what leads to them in a file."""


class Storage(NamedTuple):
    """A row of numbers in the file, of which tensors are views."""

    dtype: str
    length: int

    @property
    def nbytes(self) -> int:
        return self.length * _item_size(self.dtype)


def _item_size(dtype: str) -> int:
    found: torch.dtype = getattr(torch, dtype)
    return found.itemsize


def _ordered_dict() -> OrderedDict[Any, Any]:
    return OrderedDict()


def _tensor(
    storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> TensorOutline:
    if len(shape) > _DIMENSIONS or min(offset, *shape, *strides, 0) < 0:
        raise ValueError("no shape")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if all(shape) and last >= storage.length:
        raise ValueError("a tensor beyond its storage")
    return TensorOutline(tuple(shape), storage.dtype)


def _parameter(tensor: TensorOutline, *_: object) -> TensorOutline:
    return tensor


class _StorageType(NamedTuple):
    dtype: str


_DIMENSIONS = 8
"""Twice what a convolution's weights have."""

_MEANINGS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _ordered_dict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    **{
        ("torch", f"{name}Storage"): _StorageType(dtype)
        for name, dtype in {
            "Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
            "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8",
            "Bool": "bool", "ComplexFloat": "complex64", "ComplexDouble": "complex128",
        }.items()
    },
}  # fmt: skip
"""What a state dict's pickle may name, and what stands for it here."""

_OPERATIONS = (
    pickle.PROTO + pickle.STOP + pickle.MARK + pickle.GLOBAL + pickle.REDUCE + pickle.BINPERSID
    + pickle.BINPUT + pickle.LONG_BINPUT + pickle.BINGET + pickle.LONG_BINGET + pickle.NONE
    + pickle.NEWTRUE + pickle.NEWFALSE + pickle.BININT + pickle.BININT1 + pickle.BININT2
    + pickle.LONG1 + pickle.BINFLOAT + pickle.BINUNICODE + pickle.SHORT_BINSTRING
    + pickle.EMPTY_DICT + pickle.EMPTY_LIST + pickle.APPEND + pickle.APPENDS + pickle.EMPTY_TUPLE
    + pickle.TUPLE + pickle.TUPLE1 + pickle.TUPLE2 + pickle.TUPLE3
)  # fmt: skip
"""Those of torch's own reader of weights, without sets and new objects and with the three below
restricted; none takes more than a hundred bytes of memory for a byte of the pickle."""

_perform: dict[int, Callable[[Any], None]] = pickle._Unpickler.dispatch


def _build(unpickler: Outliner) -> None:
    """Leaves out the attributes of a state dict (versions of modules), and touches nothing else."""
    unpickler.stack.pop()
    if not isinstance(unpickler.stack[-1], OrderedDict):
        raise ValueError("no state dict")


def _set_item(unpickler: Outliner) -> None:
    _check_names(unpickler.stack[-2:-1])
    _perform[pickle.SETITEM[0]](unpickler)


def _set_items(unpickler: Outliner) -> None:
    _check_names(unpickler.stack[::2])
    _perform[pickle.SETITEMS[0]](unpickler)


def _check_names(names: list[Any]) -> None:
    """A tuple in a hundred thousand tuples would be hashed, and that is the end of the process."""
    if not all(isinstance(name, str | int) for name in names):
        raise ValueError("no name")


class Outliner(pickle._Unpickler):
    """Python's own unpickler, which can be restricted; the one in C takes memory as it is told."""

    stack: list[Any]

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **{code: _perform[code] for code in _OPERATIONS},
        pickle.BUILD[0]: _build,
        pickle.SETITEM[0]: _set_item,
        pickle.SETITEMS[0]: _set_items,
    }

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}

    def load_or_refuse(self) -> Any:
        try:
            return self.load()
        except RefusedFileError:
            raise
        except KeyError as error:  # no such operation
            raise RefusedFileError(
                "was refused, because its pickle does more than list plain named tensors",
                SAVE_STATE_DICT,
            ) from error
        except Exception as error:  # whatever damaged bytes lead to
            raise damaged("its index cannot be read") from error

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _MEANINGS:
            raise RefusedFileError(
                f"was refused, because it asks for {display_name(f'{module}.{name}')}: only plain "
                "named tensors are read, so that no code of a file runs",
                SAVE_STATE_DICT,
            )
        return _MEANINGS[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        kind, storage_type, key, _, length, *view = pid
        storage = Storage(storage_type.dtype, length)
        if kind != "storage" or not isinstance(key, str) or length < 0 or any(view):
            raise ValueError("no storage")
        if self.storages.setdefault(key, storage) != storage:
            raise ValueError("a storage of two sizes")
        return storage


_LEVELS = 6
"""How deep a state dict may lie in a checkpoint. Composer's is at the second level, and the average
of its EMA at the sixth: state, algorithms, the first of them, its state, ema_model."""

_LISTED = 32
"""So many things of a list are looked at: Composer's algorithms stand in one, and in pairs."""


def containers_of(state: Any) -> Containers:
    """The named tensors of every dictionary in a checkpoint, at most six levels deep.

    What an optimizer keeps lies under numbers. An average of Composer's that has not started is
    that of a network before its training, and left out.
    """
    found: Containers = {}
    seen: set[int] = set()  # one dictionary may stand in a hundred thousand places
    level: list[tuple[Location, Any]] = [((), state)]
    for _ in range(_LEVELS):
        deeper: list[tuple[Location, Any]] = []
        for path, held in level:
            if id(held) in seen:
                continue
            seen.add(id(held))
            within = _within(held)
            outline = {
                name: its
                for name, its in within.items()
                if isinstance(name, str) and isinstance(its, TensorOutline)
            }
            if outline:
                found[path] = outline
            deeper += [
                ((*path, name), its)
                for name, its in within.items()
                if isinstance(its, dict | list | tuple) and not isinstance(its, TensorOutline)
            ]
        level = deeper
    if not found:
        raise RefusedFileError("holds no state dict", SAVE_STATE_DICT)
    return found


def _within(held: Any) -> dict[str | int, Any]:
    """What may lead to a state dict: named things, and the first ones of a list."""
    if isinstance(held, dict):
        if held.get("ema_started") is False:
            return {}
        return {name: its for name, its in held.items() if isinstance(name, str)}
    return dict(enumerate(held[:_LISTED]))


def outline_of(state: Any) -> Outline:
    if not isinstance(state, dict):
        raise RefusedFileError("holds no state dict", SAVE_STATE_DICT)
    other = [
        str(name)
        for name, tensor in state.items()
        if not (isinstance(name, str) and isinstance(tensor, TensorOutline))
    ]
    if other or not state:
        others = ", ".join(map(display_name, other[:3])) or "nothing"
        raise RefusedFileError(
            f"does not hold named tensors only, but {others}, so it is no state dict",
            SAVE_STATE_DICT,
        )
    return dict(state)
