"""The bytes of a weight file to what it holds, and only then to tensors.

Two formats: safetensors, and what torch.save writes (a zip; before PyTorch 1.6 a row of pickles).
`outline` reads names, shapes and types alone, so that a file that lies or does not belong here
costs no memory: no index is longer than this architecture's can be, and no stated size is believed
that the file does not have.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor

from effnet_viz.models.advice import (
    COPY_AGAIN,
    SAVE_STATE_DICT,
    damaged,
    display_name,
    incomplete,
    too_long,
)
from effnet_viz.models.pickles import (
    Containers,
    Location,
    Outline,
    Outliner,
    TensorOutline,
    containers_of,
    outline_of,
)
from effnet_viz.models.weights import RefusedFileError

SAFETENSORS = ".safetensors"

_Meaning = TypeVar("_Meaning")


def outline(data: bytes, ending: str, count: int) -> Outline:
    """Names, shapes and types of all tensors, in the file's order.

    `count` is how many tensors are expected: it bounds what is read as an index. Raises
    RefusedFileError for whatever is no file of named tensors, or is damaged.
    """
    _check_not_empty(data)
    # An entry of an index takes 100 to 400 bytes in either format; metadata come on top.
    limit = count * 1024 + 64 * 1024
    if ending == SAFETENSORS:
        return _safetensors_outline(data, limit)
    return _torch_outline(data, limit, outline_of)


def containers(data: bytes, ending: str) -> Containers:
    """The same for a checkpoint, which may hold several state dicts and more beside them.

    Its index may be as long as that of B7 with an average and the states of an optimizer.
    """
    _check_not_empty(data)
    if ending == SAFETENSORS:
        return {(): _safetensors_outline(data, _CHECKPOINT_INDEX)}
    return _torch_outline(data, _CHECKPOINT_INDEX, containers_of)


def container_tensors(data: bytes, ending: str, container: Location) -> Mapping[str, Tensor]:
    """The tensors of one of `containers`, which comes before it. Raises as `tensors` does."""
    held: Any = tensors(data, ending)
    for key in container:
        held = held[key]
    found: Mapping[str, Tensor] = held
    return found


_CHECKPOINT_INDEX = 2_500_000
"""In bytes; B7 with an average and Adam's two moments has 4,400 tensors."""


def _check_not_empty(data: bytes) -> None:
    if not data:
        raise RefusedFileError("is empty", COPY_AGAIN)


def tensors(data: bytes, ending: str) -> dict[str, Tensor]:
    """The tensors by name, on the CPU, with memory of their own; `outline` comes before it.

    No code from the file runs. Raises RefusedFileError for a damaged file.
    """
    try:
        loaded: dict[str, Tensor] = (
            safetensors.torch.load(data)
            if ending == SAFETENSORS
            # On bytes there is nothing to map.
            else torch.load(io.BytesIO(data), map_location="cpu", weights_only=True, mmap=False)
        )
    except MemoryError:
        raise
    except Exception as error:  # whatever damaged bytes lead to
        raise RefusedFileError("is damaged: its tensors cannot be read", COPY_AGAIN) from error
    return loaded


# safetensors: the length of the header in 8 bytes, the header in JSON, the values

_SAFETENSORS_TYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
    "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool", "C64": "complex64",
}  # fmt: skip


def _safetensors_outline(data: bytes, limit: int) -> Outline:
    if len(data) < 9:
        raise incomplete(len(data))
    if data[8:9] != b"{":
        raise RefusedFileError("is no safetensors file", SAVE_STATE_DICT)
    (length,) = struct.unpack_from("<Q", data)
    if length > limit:
        raise too_long("a header")
    start = 8 + length
    if start > len(data):
        raise incomplete(len(data))
    try:
        header = json.loads(data[8:start], object_pairs_hook=without_duplicates)
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        found = {
            name: TensorOutline(
                tuple(map(int, entry["shape"])),
                _SAFETENSORS_TYPES.get(entry["dtype"], display_name(entry["dtype"])),
            )
            for name, entry in entries.items()
        }
        end = max((int(entry["data_offsets"][1]) for entry in entries.values()), default=0)
    except Exception as error:  # whatever damaged JSON or other values lead to
        raise damaged("its header cannot be read") from error
    if start + end > len(data):
        raise incomplete(len(data), start + end)
    return found


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may take different ones of two entries of one name."""
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError("a name occurs twice")
    return unique


# torch.save

_ZIP = b"PK\x03\x04"

_LEGACY = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
"""torch.serialization.MAGIC_NUMBER: what files before PyTorch 1.6 begin with."""


def _torch_outline(data: bytes, limit: int, meaning: Callable[[Any], _Meaning]) -> _Meaning:
    if data.startswith(_ZIP):
        return _zip_outline(data, limit, meaning)
    if data.startswith(_LEGACY):
        return _legacy_outline(data, limit, meaning)
    if _ZIP.startswith(data) or _LEGACY.startswith(data):
        raise incomplete(len(data))
    raise RefusedFileError("is no file that torch.save has written", SAVE_STATE_DICT)


def _zip_outline(data: bytes, limit: int, meaning: Callable[[Any], _Meaning]) -> _Meaning:
    check_directory(data, limit)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            # Their folder has the name under which the file was saved; torch ignores case.
            parts = {part.filename.partition("/")[2].lower(): part for part in listed}
            if len(parts) != len(listed):
                raise damaged("two of its parts have one name")
            _check_parts(parts, len(data), limit)
            index = archive.read(parts["data.pkl"])
    except RefusedFileError:
        raise
    except Exception as error:  # whatever damaged bytes lead to
        raise damaged("its parts cannot be read") from error
    unpickler = Outliner(io.BytesIO(index))
    found = meaning(unpickler.load_or_refuse())
    for key, storage in unpickler.storages.items():
        part = parts.get(f"data/{key}".lower())
        if part is None or part.file_size != storage.nbytes:
            raise damaged("values of a tensor are missing")
    return found


_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END_64 = struct.Struct("<4sQ2H2I4Q")
"""The zip format's end of central directory, and with 64 bits its locator and itself."""


def check_directory(data: bytes, limit: int) -> None:
    """The list of parts is at the end, where zipfile and torch agree on it, and not too long."""
    end = len(data) - _END.size
    if end < 0 or data[end : end + 4] != b"PK\5\6":
        raise incomplete(len(data))
    *_, size, start, _ = _END.unpack_from(data, end)
    locator = end - _LOCATOR.size
    at = locator - _END_64.size
    if at >= 0 and data[locator : locator + 4] == b"PK\6\7":
        *_, size, start = _END_64.unpack_from(data, at)
        if data[at : at + 4] != b"PK\6\6" or _LOCATOR.unpack_from(data, locator)[2] != at:
            raise damaged("its list of parts cannot be found")
        end = at
    if start + size != end:
        raise damaged("its list of parts cannot be found")
    if size > limit:
        raise too_long("a list of parts")


def _check_parts(parts: dict[str, zipfile.ZipInfo], size: int, limit: int) -> None:
    if any(
        part.compress_type != zipfile.ZIP_STORED or part.file_size != part.compress_size
        for part in parts.values()
    ):
        # A compressed part may be a thousand times as large as the file.
        raise RefusedFileError(
            "is compressed, which torch.save never does",
            "Save it anew with `torch.save(network.state_dict(), …)`",
        )
    if sum(part.file_size for part in parts.values()) > size:
        raise damaged("its parts overlap")
    if "constants.pkl" in parts:
        raise RefusedFileError(
            "was refused, because it holds a program (TorchScript), not weights alone",
            SAVE_STATE_DICT,
        )
    if "data.pkl" not in parts:
        raise RefusedFileError("is a zip file, but none of torch.save", SAVE_STATE_DICT)
    if parts["data.pkl"].file_size > limit:
        raise too_long("an index")


def _legacy_outline(data: bytes, limit: int, meaning: Callable[[Any], _Meaning]) -> _Meaning:
    """Pickles of the magic number, version, system, state dict and order of storages; the values.

    Every storage is preceded by its length in 8 bytes.
    """
    file = io.BytesIO(data[:limit])
    unpickler = Outliner(file)
    try:
        for _ in range(3):
            Outliner(file).load_or_refuse()
        state = unpickler.load_or_refuse()
        order = Outliner(file).load_or_refuse()
    except RefusedFileError:
        if file.tell() < min(limit, len(data)):
            raise
        raise (incomplete(len(data)) if len(data) <= limit else too_long("an index")) from None
    found = meaning(state)
    keys = [key for key in order if isinstance(key, str)] if isinstance(order, list) else []
    if sorted(keys) != sorted(unpickler.storages):
        raise damaged("values of a tensor are missing")
    needed = file.tell() + sum(8 + storage.nbytes for storage in unpickler.storages.values())
    if needed > len(data):
        raise incomplete(len(data), needed)
    if needed < len(data):
        raise damaged(f"{len(data) - needed:,} bytes follow its last tensor")
    return found
