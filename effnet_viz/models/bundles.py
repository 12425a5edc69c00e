"""Weight files of several models in one file, for computers without a network; conversions too.

A bundle is a ZIP archive in which nothing is compressed: `bundle.json`, which lists the files with
their hashes, and the files. It is not trusted: what is put in place has the name of a model's
weight file, its size and its hash. Converted networks have no published hash, and whoever made the
bundle decides what they compute, so they are only taken when they are asked for.
"""

from __future__ import annotations

import errno
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from effnet_viz.engines import conversions
from effnet_viz.engines.conversions import FORWARD, GRADIENTS, Entry, Recipe
from effnet_viz.models import fetching, files
from effnet_viz.models.advice import display_name
from effnet_viz.models.model import recipe_of
from effnet_viz.models.variants import find
from effnet_viz.models.weights import (
    HeldFile,
    OwnFile,
    PackageFile,
    Readiness,
    RefusedFileError,
    UserCheckpoint,
    WeightsError,
    checkpoint_folder,
    folder,
    hash_prefix,
    path_of,
)
from effnet_viz.models.zoo import ModelEntry, UnknownModelError
from effnet_viz.writing import written_whole

FORMAT = 1
LIST = "bundle.json"

_LONGEST_LIST = 1024**2
_CHUNK = 1024**2
_CONVERTED = ("model.xml", "model.bin", "head.npz")
"""The files of a conversion that every machine can use, and no others."""
_LARGEST_CONVERTED = 2**30
"""Bytes of one of them: B7's gradients have 0.6 GB."""

Progress = Callable[[str, int, int], None]
"""Hears a file's name, how many bytes of it are done, and how many there are."""


class BundleError(ValueError):
    """A bundle that cannot be written or used; the message says what happened and what to do."""


@dataclass(frozen=True)
class Bundled:
    """A weight file, or one of a conversion, in a bundle."""

    filename: str
    model: str
    """Key of a model that it belongs to."""
    sha256: str
    size: int
    """In bytes."""


@dataclass(frozen=True)
class Conversion:
    """A converted network in a bundle."""

    model: str
    """Its key."""
    kind: str
    """FORWARD or GRADIENTS."""
    key: str
    """Of its recipe, so of weights, versions and code."""
    told: Mapping[str, Any]
    """What it says of itself; see conversions.Entry."""
    files: tuple[Bundled, ...]
    """Each under the name that it has in the bundle."""

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(one.size for one in self.files)


@dataclass(frozen=True)
class Content:
    """What is in a bundle."""

    files: tuple[Bundled, ...]
    conversions: tuple[Conversion, ...]
    made_with: Mapping[str, str]
    """Versions that the conversions go with; see conversions.made_with."""


@dataclass(frozen=True)
class Placed:
    """What became of a file of a bundle."""

    file: Bundled
    path: Path
    """Where it lies now."""
    was_there: bool


def pack(keys: Sequence[str], path: Path, progress: Progress) -> Content:
    """Writes weights and conversions of these models into one file; gives what is in it.

    Weights that come inside packages are left out, for they are installed, and networks of one's
    own, whose folders can be copied as they are. Conversions are those that are in the cache. The
    bundle appears under its name when it is complete. Raises UnknownModelError, and BundleError
    when weights are missing, when nothing is left to pack, or when the file cannot be written.
    """
    sources: dict[Bundled, Path] = {}
    weights: list[Bundled] = []
    converted: list[Conversion] = []
    for key, entry in {entry.key: entry for entry in map(find, keys)}.items():
        is_installed = isinstance(entry.weights, PackageFile)
        is_here = fetching.readiness(entry) is Readiness.READY
        if isinstance(entry.weights, OwnFile | HeldFile) or (is_installed and not is_here):
            continue
        if not is_here:
            raise BundleError(
                f"The weights of {entry.title} are not here. Download them first: effnet-viz fetch "
                f"{key}"
            )
        found = fetching.fetch(entry)
        if not is_installed and found.path.name not in [one.filename for one in weights]:
            size = found.path.stat().st_size
            weights.append(Bundled(found.path.name, key, found.sha256, size))
            sources[weights[-1]] = found.path
        recipe = recipe_of(entry, found)
        for kind in (FORWARD, GRADIENTS):
            if (there := conversions.read(recipe, kind)) is not None:
                of_it = _files(there, key, kind)
                converted.append(Conversion(key, kind, recipe.key, there.told, tuple(of_it)))
                sources |= of_it
    if not sources:
        raise BundleError(
            "There is nothing to pack: these weights come inside packages and are installed with "
            "effnet-viz, and none of these networks is converted yet. Name models whose weights "
            "are downloaded, such as b0."
        )
    content = Content(tuple(weights), tuple(converted), conversions.made_with())
    listed = json.dumps({"format": FORMAT, **asdict(content)}, indent=2)
    with _written(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(LIST, listed)
        for one, source in sources.items():
            info = zipfile.ZipInfo.from_file(source, one.filename)
            with source.open("rb") as read, archive.open(info, "w", force_zip64=True) as write:
                if _copied(read, write, one, progress) != (one.sha256, one.size):
                    raise BundleError(
                        f"{display_name(one.filename)} changed while it was being packed. Wait "
                        "until it is completely written, then try again."
                    )
    return content


def _files(there: Entry, key: str, kind: str) -> dict[Bundled, Path]:
    found = {}
    for path in (there.folder / name for name in _CONVERTED):
        if path.exists():
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            name = _name(key, kind, path.name)
            found[Bundled(name, key, sha256, path.stat().st_size)] = path
    return found


def _name(key: str, kind: str, filename: str) -> str:
    """Of a conversion's file in a bundle."""
    return f"converted/{key}-{kind}/{filename}"


def unpack(path: Path, progress: Progress) -> list[Placed]:
    """Puts the weight files of a bundle in their places; gives where.

    Each appears in its place when it is complete and its hash is right; one that is there already
    is left as it is. Raises BundleError for anything that is no bundle, is damaged, or holds what
    no model of the zoo uses; files before that are in place.
    """
    with _opened(path) as archive:
        return [_place(archive, one, progress) for one in _listed(archive, path).files]


def conversions_in(path: Path) -> tuple[Conversion, ...]:
    """The converted networks of a bundle; nothing of them is read. Raises BundleError."""
    with _opened(path) as archive:
        return _listed(archive, path).conversions


def unpack_conversions(path: Path, progress: Progress) -> tuple[list[Conversion], list[str]]:
    """Puts converted networks into the cache; gives those that are there now, and why not others.

    Only for a bundle of somebody who may decide what these networks compute: OpenVINO reads the
    files, and their hashes in the bundle say only that they arrived as they left. Taken is what
    this installation would convert itself: with the same weights, versions and code. Put the
    weights in place first. Raises BundleError as `unpack` does.
    """
    placed: list[Conversion] = []
    left_out: dict[str, None] = {}
    with _opened(path) as archive:
        content = _listed(archive, path)
        differing = _differing(content.made_with)
        for one in content.conversions:
            entry = find(one.model)
            if differing:
                left_out[differing] = None
                continue
            try:
                if fetching.readiness(entry) is not Readiness.READY:
                    left_out[f"The weights of {entry.title} are not here."] = None
                    continue
                recipe = recipe_of(entry, fetching.fetch(entry))
            except WeightsError as error:
                left_out[str(error)] = None
                continue
            if recipe.key != one.key:
                left_out[f"{entry.title} has other weights here."] = None
                continue
            _keep(archive, one, recipe, progress)
            placed.append(one)
    return placed, list(left_out)


def _differing(made_with: Mapping[str, str]) -> str:
    """Why conversions of these versions are of no use here; nothing if they are."""
    here = conversions.made_with()
    other = [name for name in here if made_with.get(name) != here[name]]
    if not other:
        return ""
    theirs = ", ".join(f"{name} {_plain(made_with.get(name, 'unknown'))}" for name in other)
    ours = ", ".join(f"{name} {here[name]}" for name in other)
    return f"They were made with {theirs}, and here is {ours}."


def _plain(version: str) -> str:
    return "".join(c for c in version[:40] if c.isascii() and (c.isalnum() or c in " .+-()"))


def _keep(archive: zipfile.ZipFile, one: Conversion, recipe: Recipe, progress: Progress) -> None:
    def fill(folder: Path) -> None:
        for file in one.files:
            target = folder / file.filename.rpartition("/")[2]
            with archive.open(file.filename) as read, target.open("xb") as write:
                if _copied(read, write, file, progress) != (file.sha256, file.size):
                    raise BundleError(
                        f"{display_name(file.filename)} is damaged in the bundle. {_ANEW}"
                    )

    with _told_errors(conversions.folder()), conversions.alone(recipe):
        if conversions.read(recipe, one.kind) is None:
            conversions.write(recipe, one.kind, fill, one.told)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
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


def _listed(archive: zipfile.ZipFile, path: Path) -> Content:
    """What the bundle says of itself; every name, size and way of storing is checked."""
    infos = {info.filename: info for info in archive.infolist()}
    if LIST not in infos or not _is_plain(infos[LIST], _LONGEST_LIST):
        raise _no_bundle(path, f"it has no {LIST}")
    try:
        told: Any = json.loads(archive.read(LIST))
        if told["format"] != FORMAT:
            raise _no_bundle(path, f"its format is {told['format']!r}, and this is {FORMAT}")
        content = Content(
            tuple(_as_bundled(one) for one in told["files"]),
            tuple(_as_conversion(one) for one in told.get("conversions", ())),
            {str(name): str(text) for name, text in told.get("made_with", {}).items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, BundleError):
            raise
        raise _no_bundle(path, f"{LIST} does not say what it holds") from error
    for one in content.files:
        name = display_name(one.filename)
        entry = _entry(one.model, name, path)
        if one.filename not in _names(entry):
            raise _no_bundle(path, f"{name} is no weight file of {entry.title}")
        _require_plain(infos, one, fetching.size_limit(entry), path)
    for converted in content.conversions:
        entry = _entry(converted.model, "a conversion", path)
        kinds = () if isinstance(entry.weights, OwnFile | HeldFile) else (FORWARD, GRADIENTS)
        if converted.kind not in kinds:
            kind = display_name(converted.kind)
            raise _no_bundle(path, f"{kind} of {entry.title} is no conversion that is packed")
        known = [_name(entry.key, converted.kind, filename) for filename in _CONVERTED]
        for one in converted.files:
            if one.filename not in known:
                name = display_name(one.filename)
                raise _no_bundle(path, f"{name} is no file of a conversion of {entry.title}")
            _require_plain(infos, one, _LARGEST_CONVERTED, path)
    return content


def _as_bundled(told: Any) -> Bundled:
    return Bundled(
        str(told["filename"]), str(told["model"]), str(told["sha256"]), int(told["size"])
    )


def _as_conversion(told: Any) -> Conversion:
    return Conversion(
        str(told["model"]),
        str(told["kind"]),
        str(told["key"]),
        dict(told["told"]),
        tuple(_as_bundled(one) for one in told["files"]),
    )


def _entry(key: str, what: str, path: Path) -> ModelEntry:
    try:
        return find(key)
    except UnknownModelError:
        raise _no_bundle(path, f"it holds {what} of a model that is not known here") from None


def _require_plain(
    infos: Mapping[str, zipfile.ZipInfo], one: Bundled, limit: int, path: Path
) -> None:
    info, name = infos.get(one.filename), display_name(one.filename)
    if info is None or info.file_size != one.size:
        raise _no_bundle(path, f"{name} is not in it as it is listed")
    if not _is_plain(info, limit):
        raise _no_bundle(path, f"{name} is too large, or compressed")


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
        there = files.identify(path, fetching.size_limit(entry)).sha256
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
    with _told_errors(path), written_whole(path) as file:
        yield file


@contextmanager
def _told_errors(path: Path) -> Iterator[None]:
    """Around what writes there. Raises BundleError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BundleError(
                f"The disk is full: {path} could not be written. Free some space and try again."
            ) from error
        raise BundleError(
            f"{path} cannot be written ({error.strerror or error}). Choose another folder, or make "
            "it writable."
        ) from error
