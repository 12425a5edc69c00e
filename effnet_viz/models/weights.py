"""Where weights come from: files to download, weights inside packages, the user's checkpoints.

A published weight file carries the first digits of its sha256 in its name. It counts only when its
content agrees with them, whether it was downloaded, put there by hand, or installed. A checkpoint
of the user's counts when it fits its architecture; its hash stands in every result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import metadata
from os import environ
from pathlib import Path


class WeightsError(RuntimeError):
    """Weights that cannot be used; the message says what happened and what to do now."""


class RefusedFileError(ValueError):
    """A weight file that is not used; `advice.unusable` makes a whole sentence of it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        """What is wrong, as it follows the file's name: "is a folder"."""
        self.remedy = remedy
        """What its owner does now, a sentence without its full stop."""


@dataclass(frozen=True)
class RemoteFile:
    """A published weight file, downloaded on first use; its name carries digits of its hash."""

    url: str
    megabytes: float
    """Size (units of 1024 * 1024 bytes)."""
    publisher: str = "torchvision"
    """Who states the address and the hash."""
    stated: bool = True
    """Whether the publisher states the size, too; otherwise it is that of the tensors."""

    @property
    def filename(self) -> str:
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PackageFile:
    """A weight file that comes inside an installed Python package."""

    distribution: str
    filename: str
    megabytes: float
    """Size (units of 1024 * 1024 bytes)."""


@dataclass(frozen=True)
class UserCheckpoint:
    """A weight file that only the user can put there; no hash of it was ever published.

    Its tensors carry the names and shapes of the library's own state dict.
    """

    stem: str
    """File name without its ending."""
    published_as: str | None = None
    """Its name on the Hugging Face Hub; None where no weights were published."""

    @property
    def filenames(self) -> tuple[str, str]:
        """The names it may have; the first one there counts."""
        return f"{self.stem}.safetensors", f"{self.stem}.pth"

    @property
    def filename(self) -> str:
        return self.filenames[0]


@dataclass(frozen=True)
class OwnFile:
    """A checkpoint in the folder of own networks, in which an architecture was recognised."""

    path: Path
    sha256: str
    """Of the content that was recognised: other content may be another network."""

    @property
    def filename(self) -> str:
        return self.path.name


@dataclass(frozen=True)
class HeldFile:
    """A checkpoint that a visitor has opened, in which an architecture was recognised.

    Its bytes are in memory alone, where `models.held` has them.
    """

    filename: str
    sha256: str


KERAS_ENDINGS = (".keras", ".h5", ".hdf5")
"""What the names of files of Keras end with."""

PublishedFile = RemoteFile | PackageFile

WeightSource = PublishedFile | UserCheckpoint | OwnFile | HeldFile


class Readiness(Enum):
    """What it takes to use a model's weights now."""

    READY = "ready"
    DOWNLOADABLE = "downloadable"
    """Absent or damaged, and the server that has the file answers."""
    UNREACHABLE = "unreachable"
    """Absent or damaged, and nothing here can fetch it."""


@dataclass(frozen=True)
class WeightFile:
    """A file that can be used, and the hash of its content."""

    path: Path
    sha256: str
    """All 64 hexadecimal digits."""


def folder() -> Path:
    """Where downloaded files are looked for: torch's own folder, so TORCH_HOME counts."""
    home = environ.get("TORCH_HOME")
    if home is None:
        home = str(Path(environ.get("XDG_CACHE_HOME", "~/.cache"), "torch"))
    return Path(home).expanduser() / "hub" / "checkpoints"


def checkpoint_folder() -> Path:
    """Where the user's checkpoints are looked for: EFFNET_VIZ_CHECKPOINTS, else `folder()`."""
    named = environ.get("EFFNET_VIZ_CHECKPOINTS")
    return Path(named) if named else folder()


def networks_folder() -> Path | None:
    """Where own networks are looked for: EFFNET_VIZ_NETWORKS; None where it is not set."""
    named = environ.get("EFFNET_VIZ_NETWORKS")
    return Path(named) if named else None


def path_of(weights: WeightSource) -> Path | None:
    """Where the file is or would be; None for a package that is not installed, and in memory."""
    if isinstance(weights, HeldFile):
        return None
    if isinstance(weights, OwnFile):
        return weights.path
    if isinstance(weights, RemoteFile):
        return folder() / weights.filename
    if isinstance(weights, UserCheckpoint):
        paths = [checkpoint_folder() / name for name in weights.filenames]
        return next(filter(is_there, paths), paths[0])
    try:
        return _packaged(weights)
    except metadata.PackageNotFoundError:
        return None


def is_there(path: Path) -> bool:
    """Whether there is something at this path, whatever it is and wherever a link leads."""
    try:
        path.stat()
    except OSError:  # Path.exists raises where a folder may not be looked into
        return False
    return True


@cache
def _packaged(weights: PackageFile) -> Path:
    """Looked up once: every page asks several times, and an installed package stays where it is."""
    distribution = metadata.distribution(weights.distribution)
    listed = (file for file in distribution.files or () if file.name == weights.filename)
    return Path(str(distribution.locate_file(next(listed, weights.filename))))


def published_size(weights: PublishedFile) -> int:
    """The most bytes that the file can have: as published, where three decimals are stated.

    Where no size is stated, names, statistics and alignment may add a tenth to the tensors.
    """
    if isinstance(weights, RemoteFile) and not weights.stated:
        return round(1.1 * weights.megabytes * 1024**2)
    return round((weights.megabytes + 0.001) * 1024**2)


def hash_prefix(filename: str) -> str:
    """The first digits of the sha256, from the name. Raises ValueError for a name without them."""
    match = re.search(r"-([0-9a-f]{8,64})\.\w+$", filename)
    if match is None:
        raise ValueError(f"The file name {filename!r} does not carry a hash.")
    return match[1]
