"""HDF5 files to arrays by their paths, in a process of its own with limits.

HDF5's library is written in C, and damaged files let it crash or run without an end: of 6,000 with
changed bytes, h5py never ended with 32 and crashed with 2. Only what weights are made of is read:
plain arrays that lie in the file as they are, so that none takes more memory than it has bytes
there.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from effnet_viz.models.advice import COPY_AGAIN, damaged, display_name, incomplete
from effnet_viz.models.weights import RefusedFileError
from effnet_viz.processes import Content, ForkServer, JobError, LimitError, Limits

Array = NDArray[np.floating | np.integer]

SIGNATURE = b"\x89HDF\r\n\x1a\n"

MOST_OBJECTS = 20_000
"""Groups and arrays; B7 has 2,500 beside the states of an optimizer."""

_DEEPEST = 16
"""Groups within groups; a network within a network has 6. A group within itself has no end."""

_LONGEST_NAME = 200

_LONGEST_TEXT = 4 * 2**20

_SAVE_ANEW = "Save it anew with Keras, with weights of float32"

_readers = ForkServer(__name__)


class Hdf5Content(NamedTuple):
    """What a file holds."""

    arrays: Mapping[str, Array]
    """By path; not writeable, in the memory where the other process has put them."""
    texts: Mapping[tuple[str, str], str]
    """Attributes by the path of their object, empty for the file's own, and by their name."""


def read(data: Content, without: Collection[str], attributes: Collection[str]) -> Hdf5Content:
    """All arrays of a file, and the texts of these attributes.

    `without` are groups of the first level that are not looked into. Raises RefusedFileError.
    """
    if bytes(data[: len(SIGNATURE)]) != SIGNATURE:
        if SIGNATURE.startswith(bytes(data)):
            raise incomplete(len(data))
        raise RefusedFileError("is no HDF5 file", _SAVE_ANEW)
    request = {"without": list(without), "attributes": list(attributes)}
    try:
        told, made = _readers.run("copy", request, data, limits(len(data)))
    except LimitError as error:
        raise damaged("reading it does not come to an end") from error
    except JobError as error:
        raise damaged("HDF5 cannot read it") from error
    if "refused" in told:
        raise RefusedFileError(*told["refused"])
    index = json.loads(bytes(made[told["index"] :]))
    arrays = {
        path: np.frombuffer(made, dtype, math.prod(shape), offset).reshape(shape)
        for path, (dtype, shape, offset) in index["arrays"].items()
    }
    texts = {(path, name): text for path, name, text in index["texts"]}
    return Hdf5Content(arrays, texts)


def limits(nbytes: int) -> Limits:
    """What reading a file of this size may take: several times what an honest one does."""
    processor = 5 + 10 * nbytes / 10**9
    # The file is mapped and copied, and its largest array is copied once more.
    return Limits(processor, 3 * nbytes + 200 * 10**6, 4 * processor + 5)


# In the other process


def copy(request: Mapping[str, Any], content: memoryview, output: BinaryIO) -> Mapping[str, Any]:
    """Writes the values of all arrays one behind the other, then an index of them in JSON."""
    arrays: dict[str, tuple[str, tuple[int, ...], int]] = {}
    texts: list[tuple[str, str, str]] = []
    end = 0
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            for path, found in _objects(file, request["without"]):
                texts += [(path, *its) for its in _texts(path, found, request["attributes"])]
                if isinstance(found, h5py.Dataset):
                    _check_plain(path, found)
                    if end + found.nbytes > len(content):
                        raise damaged("its arrays overlap")
                    values = np.asarray(found[()], found.dtype.newbyteorder("<"))
                    output.write(values.tobytes())
                    arrays[path] = (values.dtype.str, values.shape, end)
                    end += values.nbytes
    except OSError as error:
        if "truncated file" not in str(error):
            raise
        refused = incomplete(len(content))
        return {"refused": (refused.problem, refused.remedy)}
    except RefusedFileError as refused:
        return {"refused": (refused.problem, refused.remedy)}
    output.write(json.dumps({"arrays": arrays, "texts": texts}).encode())
    return {"index": end}


def _objects(file: h5py.File, without: Collection[str]) -> Iterator[tuple[str, Any]]:
    """The file itself, then all groups and arrays in it, with their paths."""
    yield "", file
    seen = 0
    groups = [("", file)]
    while groups:
        above, group = groups.pop()
        if above.count("/") >= _DEEPEST:
            raise RefusedFileError(
                "was refused, because its groups lie deeper than those of any network", _SAVE_ANEW
            )
        for name in group:
            seen += 1
            if seen > MOST_OBJECTS or len(name) > _LONGEST_NAME:
                raise RefusedFileError(
                    "was refused, because it holds far more than the weights of a network",
                    _SAVE_ANEW,
                )
            if not above and name in without:
                continue
            path = f"{above}{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise RefusedFileError(
                    f"was refused, because {display_name(path)} is a link to something else",
                    _SAVE_ANEW,
                )
            found = group[name]
            yield path, found
            if isinstance(found, h5py.Group):
                groups.append((f"{path}/", found))


def _texts(path: str, found: Any, attributes: Collection[str]) -> Iterator[tuple[str, str]]:
    for name in attributes:
        if name not in found.attrs:
            continue
        attribute = found.attrs.get_id(name)
        if attribute.shape != () or h5py.check_string_dtype(attribute.dtype) is None:
            continue
        text = found.attrs[name]
        text = text.decode() if isinstance(text, bytes) else str(text)
        if len(text) > _LONGEST_TEXT:
            raise RefusedFileError(
                f"was refused, because the text {display_name(f'{path}@{name}')} is too long",
                COPY_AGAIN,
            )
        yield name, text


def _check_plain(path: str, found: h5py.Dataset) -> None:
    """An array of numbers that lies in the file in one piece, as Keras writes every array."""
    if found.dtype.kind not in "fiub":
        raise RefusedFileError(
            f"holds {display_name(path)}, which is no array of numbers", _SAVE_ANEW
        )
    how = found.id.get_create_plist()
    if found.external or found.is_virtual:
        raise RefusedFileError(
            f"was refused, because the values of {display_name(path)} are in another file",
            _SAVE_ANEW,
        )
    if how.get_layout() != h5py.h5d.CONTIGUOUS or how.get_nfilters():
        raise RefusedFileError(
            f"holds {display_name(path)} in pieces or compressed, which Keras never does",
            _SAVE_ANEW,
        )
    if found.id.get_storage_size() != found.nbytes:
        raise damaged(f"values of {display_name(path)} are missing")
