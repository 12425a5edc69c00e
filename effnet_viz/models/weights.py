"""Where weights come from: torchvision's files, weights inside packages, the user's checkpoints.

A published weight file carries the first digits of its sha256 in its name. It counts only when its
content agrees with them, whether it was downloaded, put there by hand, or installed. A checkpoint
of the user's is taken as it is; its hash stands in every result.
"""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib import metadata
from os import environ
from pathlib import Path

import torch


class WeightsError(RuntimeError):
    """Weights that cannot be used; the message says what happened and what to do now."""


@dataclass(frozen=True)
class TorchvisionFile:
    """An official weight file of torchvision, downloaded on first use."""

    url: str
    megabytes: float
    """Size as torchvision states it (units of 1024 * 1024 bytes)."""

    @property
    def filename(self) -> str:
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PackageFile:
    """A weight file that comes inside an installed Python package."""

    distribution: str
    filename: str


@dataclass(frozen=True)
class UserCheckpoint:
    """A weight file that only the user can have: no weights of this architecture were published.

    Its tensors carry the names and shapes of the library's own state dict.
    """

    stem: str
    """File name without its ending."""

    @property
    def filenames(self) -> tuple[str, str]:
        """The names it may have; the first one there counts."""
        return f"{self.stem}.safetensors", f"{self.stem}.pth"

    @property
    def filename(self) -> str:
        return self.filenames[0]


WeightSource = TorchvisionFile | PackageFile | UserCheckpoint


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
    """Where torchvision's files are looked for: torch's own folder, so TORCH_HOME counts."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def checkpoint_folder() -> Path:
    """Where the user's checkpoints are looked for: EFFNET_VIZ_CHECKPOINTS, else `folder()`."""
    named = environ.get("EFFNET_VIZ_CHECKPOINTS")
    return Path(named) if named else folder()


def path_of(weights: WeightSource) -> Path | None:
    """Where the file is or would be; None only for a package that is not installed."""
    if isinstance(weights, TorchvisionFile):
        return folder() / weights.filename
    if isinstance(weights, UserCheckpoint):
        paths = [checkpoint_folder() / name for name in weights.filenames]
        return next((path for path in paths if path.exists()), paths[0])
    try:
        return _packaged(weights)
    except metadata.PackageNotFoundError:
        return None


@cache
def _packaged(weights: PackageFile) -> Path:
    """Looked up once: every page asks several times, and an installed package stays where it is."""
    distribution = metadata.distribution(weights.distribution)
    listed = (file for file in distribution.files or () if file.name == weights.filename)
    return Path(str(distribution.locate_file(next(listed, weights.filename))))


def verified(weights: WeightSource) -> WeightFile | None:
    """The file with its hash; None when absent or damaged. An unchanged file is read only once."""
    path = path_of(weights)
    if path is None:
        return None
    return _hashed(path) if isinstance(weights, UserCheckpoint) else verified_file(path)


# Integrity


@dataclass
class _Digest:
    """What is remembered of one file; the lock makes simultaneous questions read it once."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    size_and_time: tuple[int, int] | None = None
    sha256: str = ""


_digests: dict[Path, _Digest] = {}

_digests_lock = threading.Lock()
"""Guards the dictionary, never a slow step."""


def verified_file(path: Path) -> WeightFile | None:
    found = _hashed(path)
    return found if found and found.sha256.startswith(hash_prefix(path.name)) else None


def _hashed(path: Path) -> WeightFile | None:
    with _digests_lock:
        digest = _digests.setdefault(path, _Digest())
    try:
        with digest.lock:
            state = path.stat()
            # Taken before reading: a file that changes meanwhile is read again next time.
            size_and_time = (state.st_size, state.st_mtime_ns)
            if digest.size_and_time != size_and_time:
                digest.sha256 = _sha256(path)
                digest.size_and_time = size_and_time
            sha256 = digest.sha256
    except OSError:
        return None
    return WeightFile(path, sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_prefix(filename: str) -> str:
    """The first digits of the sha256, from the name. Raises ValueError for a name without them."""
    match = re.search(r"-([0-9a-f]{8,64})\.\w+$", filename)
    if match is None:
        raise ValueError(f"The file name {filename!r} does not carry a hash.")
    return match[1]
