"""Weight files of several models in one file, for computers without a network.

A bundle is a ZIP archive in which nothing is compressed: `bundle.json`, which lists the files with
their hashes, and the files. It is not trusted: what is put in place has the name of a model's
weight file, its size and its hash.
"""

from __future__ import annotations

import errno
import hashlib
import json
import secrets
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from os import fsync
from pathlib import Path
from typing import IO, Any, BinaryIO

from effnet_viz.models import checkpoints, files
from effnet_viz.models.advice import display_name
from effnet_viz.models.variants import find
from effnet_viz.models.weights import (
    HeldFile,
    OwnFile,
    PackageFile,
    Readiness,
    RefusedFileError,
    UserCheckpoint,
    checkpoint_folder,
    folder,
    hash_prefix,
    path_of,
)
from effnet_viz.models.zoo import ModelEntry, UnknownModelError

FORMAT = 1
LIST = "bundle.json"

_LONGEST_LIST = 1024**2
_CHUNK = 1024**2

Progress = Callable[[str, int, int], None]
"""Hears a file's name, how many bytes of it are done, and how many there are."""


class BundleError(ValueError):
    """A bundle that cannot be written or used; the message says what happened and what to do."""


@dataclass(frozen=True)
class Bundled:
    """A weight file in a bundle."""

    filename: str
    model: str
    """Key of a model that it belongs to."""
    sha256: str
    size: int
    """In bytes."""


@dataclass(frozen=True)
class Placed:
    """What became of a file of a bundle."""

    file: Bundled
    path: Path
    """Where it lies now."""
    was_there: bool


def pack(keys: Sequence[str], path: Path, progress: Progress) -> list[Bundled]:
    """Writes the weight files of these models into one file; gives what is in it.

    Weights that come inside packages are left out, for they are installed, and networks of one's
    own, whose folders can be copied as they are. The bundle appears under its
    name when it is complete. Raises UnknownModelError, and BundleError when weights are missing,
    when nothing is left to pack, or when the file cannot be written.
    """
    bundled: list[Bundled] = []
    sources: list[Path] = []
    for key in dict.fromkeys(keys):
        entry = find(key)
        if isinstance(entry.weights, PackageFile | OwnFile | HeldFile):
            continue
        if checkpoints.readiness(entry) is not Readiness.READY:
            raise BundleError(
                f"The weights of {entry.title} are not here. Download them first: effnet-viz fetch "
                f"{key}"
            )
        found = checkpoints.fetch(entry)
        if found.path.name not in [one.filename for one in bundled]:
            size = found.path.stat().st_size
            bundled.append(Bundled(found.path.name, key, found.sha256, size))
            sources.append(found.path)
    if not bundled:
        raise BundleError(
            "There is nothing to pack: these weights come inside packages and are installed with "
            "effnet-viz. Name models whose weights are downloaded, such as b0."
        )
    listed = json.dumps({"format": FORMAT, "files": [asdict(one) for one in bundled]}, indent=2)
    with _written(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(LIST, listed)
        for one, source in zip(bundled, sources, strict=True):
            info = zipfile.ZipInfo.from_file(source, one.filename)
            with source.open("rb") as read, archive.open(info, "w", force_zip64=True) as write:
                if _copied(read, write, one, progress) != (one.sha256, one.size):
                    raise BundleError(
                        f"{display_name(one.filename)} changed while it was being packed. Wait "
                        "until it is completely written, then try again."
                    )
    return bundled


def unpack(path: Path, progress: Progress) -> list[Placed]:
    """Puts the weight files of a bundle in their places; gives where.

    Each appears in its place when it is complete and its hash is right; one that is there already
    is left as it is. Raises BundleError for anything that is no bundle, is damaged, or holds what
    no model of the zoo uses; files before that are in place.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_place(archive, one, progress) for one in _listed(archive, path)]
    except zipfile.BadZipFile as error:
        raise _no_bundle(path, "it is incomplete, or was never one") from error
    except OSError as error:
        raise BundleError(
            f"{path} cannot be read ({error.strerror or error}). Check the path and that you may "
            "read it."
        ) from error


def _no_bundle(path: Path, reason: str) -> BundleError:
    return BundleError(
        f"{path} is no bundle: {reason}. Copy it again, or write it anew with effnet-viz bundle."
    )


def _listed(archive: zipfile.ZipFile, path: Path) -> list[Bundled]:
    """What the bundle says of itself; every name, size and way of storing is checked."""
    infos = {info.filename: info for info in archive.infolist()}
    if LIST not in infos or not _is_plain(infos[LIST], _LONGEST_LIST):
        raise _no_bundle(path, f"it has no {LIST}")
    try:
        told: Any = json.loads(archive.read(LIST))
        if told["format"] != FORMAT:
            raise _no_bundle(path, f"its format is {told['format']!r}, and this is {FORMAT}")
        listed = [
            Bundled(str(one["filename"]), str(one["model"]), str(one["sha256"]), int(one["size"]))
            for one in told["files"]
        ]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        if isinstance(error, BundleError):
            raise
        raise _no_bundle(path, f"{LIST} does not say what it holds") from error
    for one in listed:
        name = display_name(one.filename)
        try:
            entry = find(one.model)
        except UnknownModelError:
            raise _no_bundle(path, f"it holds {name} of a model that is not known here") from None
        if one.filename not in _names(entry):
            raise _no_bundle(path, f"{name} is no weight file of {entry.title}")
        info = infos.get(one.filename)
        if info is None or info.file_size != one.size:
            raise _no_bundle(path, f"{name} is not in it as it is listed")
        if not _is_plain(info, checkpoints.size_limit(entry)):
            raise _no_bundle(path, f"{name} is too large, or compressed")
    return listed


def _is_plain(info: zipfile.ZipInfo, limit: int) -> bool:
    """Whether it takes no more than it shows: not compressed, and small enough."""
    stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
    return stored and info.file_size <= limit


def _names(entry: ModelEntry) -> tuple[str, ...]:
    """The names that the model's weight file may have in a bundle."""
    weights = entry.weights
    if isinstance(weights, PackageFile | OwnFile | HeldFile):
        return ()
    return weights.filenames if isinstance(weights, UserCheckpoint) else (weights.filename,)


def _place(archive: zipfile.ZipFile, one: Bundled, progress: Progress) -> Placed:
    entry = find(one.model)
    is_own = isinstance(entry.weights, UserCheckpoint)
    if not is_own and not one.sha256.startswith(hash_prefix(one.filename)):
        raise BundleError(f"{display_name(one.filename)} is not the official file. {_ANEW}")
    path = (checkpoint_folder() if is_own else folder()) / one.filename
    try:
        there = files.identify(path, checkpoints.size_limit(entry)).sha256
    except RefusedFileError:  # none, or a damaged one
        there = None
    if there == one.sha256:
        progress(one.filename, one.size, one.size)
        return Placed(one, path, was_there=True)
    if is_own and path_of(entry.weights) == path and path.exists():
        raise BundleError(
            f"There is another {display_name(one.filename)} already. Move it away first, if the "
            "bundle's is the one that you want."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(one.filename) as read, _written(path) as write:
        if _copied(read, write, one, progress) != (one.sha256, one.size):
            raise BundleError(f"{display_name(one.filename)} is damaged in the bundle. {_ANEW}")
    return Placed(one, path, was_there=False)


_ANEW = "Copy the bundle again, or write it anew with effnet-viz bundle."


def _copied(read: IO[bytes], write: IO[bytes], one: Bundled, progress: Progress) -> tuple[str, int]:
    """Copies it; gives the hash and the number of bytes. No more is read than should be there."""
    digest, count = hashlib.sha256(), 0
    while count <= one.size and (chunk := read.read(min(_CHUNK, one.size + 1 - count))):
        write.write(chunk)
        digest.update(chunk)
        count += len(chunk)
        progress(one.filename, count, one.size)
    return digest.hexdigest(), count


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when all has gone well. Raises BundleError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BundleError(
                f"The disk is full: {path} could not be written. Free some space and try again."
            ) from error
        raise BundleError(
            f"{path} cannot be written ({error.strerror or error}). Choose another folder, or make "
            "it writable."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
