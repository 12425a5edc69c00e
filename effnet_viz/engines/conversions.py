"""Networks in the form that OpenVINO runs, kept on disk: made once, in a process of its own.

Tracing and converting take seconds and much memory, and hold locks of torch. So a child process
does it, and what it leaves is read by every later process, which needs neither torch nor the
weights for it. An entry is a folder that is written once, renamed into its place and never edited,
so that it can be mapped into memory. What is damaged is noticed by its hash and made again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from effnet_viz.engines.engine import Head, lock

if TYPE_CHECKING:
    from effnet_viz.engines.network import Network

_log = logging.getLogger("effnet_viz")


class ConversionError(RuntimeError):
    """A process that converts a network left nothing: the network or the disk is not fit for it."""


FORMAT = 1
"""Of an entry."""

CACHE = "EFFNET_VIZ_CACHE"
"""The setting with the folder for conversions; else that of XDG for caches."""

MOST_BYTES = "EFFNET_VIZ_CACHE_MEGABYTES"
"""The setting with the most that they take together."""

FORWARD, GRADIENTS = "forward", "gradients"

_CONTENT = "content.json"
_USUAL_MEGABYTES = 4000
_PACKAGES = ("openvino", "torch", "torchvision", "timm")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Recipe:
    """How any process makes a network again: a function of a module, and its arguments."""

    module: str
    function: str
    arguments: tuple[str, ...]
    resolution: int

    def network(self) -> Network:
        """The network, new, its batch norms not folded. Raises what the function raises."""
        made: Network = getattr(import_module(self.module), self.function)(*self.arguments)
        return made

    @property
    def key(self) -> str:
        """What a conversion depends on, as the name of a folder."""
        told = [FORMAT, _versions(), _code(), asdict(self)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


@cache
def _versions() -> list[str]:
    return [f"{name} {version(name)}" for name in _PACKAGES]


@cache
def _code() -> str:
    """A hash of the code that makes a network, and a graph of it."""
    digest = hashlib.sha256()
    for room in ("engines", "models"):
        for path in sorted((_ROOT / "effnet_viz" / room).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Entry:
    """A conversion on disk, whole when it was read."""

    folder: Path
    told: Mapping[str, Any]
    """What it says of itself: for gradients the first stage, or why there are none."""

    @property
    def model(self) -> Path:
        """OpenVINO's description; its weights lie beside it."""
        return self.folder / "model.xml"

    def head(self) -> Head | None:
        """The linear head of the network, where it has one."""
        path = self.folder / "head.npz"
        if not path.exists():
            return None
        with np.load(path) as arrays:
            return Head(lock(arrays["weight"]), lock(arrays["bias"]))


def folder() -> Path:
    """Where conversions are kept."""
    chosen = os.environ.get(CACHE)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "effnet-viz"


def read(recipe: Recipe, kind: str) -> Entry | None:
    """The conversion, if it is there; one that is damaged is logged and removed."""
    place = folder() / f"{recipe.key}-{kind}"
    try:
        told = json.loads((place / _CONTENT).read_bytes())
        for name, expected in told["files"].items():
            with (place / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != expected:
                raise ValueError(f"{name} is not what was written")
        with suppress(OSError):  # of a disk that may only be read
            os.utime(place / _CONTENT)  # those used longest ago go first
        return Entry(place, told["told"])
    except FileNotFoundError:
        if not place.exists():
            return None
        _remove_damaged(place, "a file is missing")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        _remove_damaged(place, str(error))
    return None


def is_kept(recipe: Recipe, kind: str) -> bool:
    """Whether the conversion is there; `read` says whether it is whole."""
    return (folder() / f"{recipe.key}-{kind}" / _CONTENT).exists()


def _remove_damaged(place: Path, why: str) -> None:
    _log.warning("%s is damaged (%s) and is made again.", place, why)
    shutil.rmtree(place, ignore_errors=True)


def write(recipe: Recipe, kind: str, fill: Callable[[Path], None], told: Mapping[str, Any]) -> None:
    """Keep what `fill` puts into an empty folder; room is made for it. Raises OSError."""
    root = folder()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = Path(tempfile.mkdtemp(dir=root, prefix=".unfinished-"))
    try:
        fill(unfinished)
        files = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(unfinished.iterdir())
        }
        content = json.dumps({"files": files, "told": dict(told)})
        (unfinished / _CONTENT).write_text(content, encoding="utf-8")
        goal = root / f"{recipe.key}-{kind}"
        if goal.exists():  # damaged, or another process was faster
            shutil.rmtree(goal, ignore_errors=True)
        unfinished.rename(goal)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _make_room(root, keep=goal)


def _make_room(root: Path, keep: Path) -> None:
    """Remove what was used longest ago until the rest is within the bound, and what was cut off."""
    most = float(os.environ.get(MOST_BYTES) or _USUAL_MEGABYTES) * 2**20
    there = []
    for place in root.iterdir():
        try:
            if place.name.startswith(".unfinished-"):
                if time.time() - place.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(place, ignore_errors=True)
            elif (place / _CONTENT).exists():
                size = sum(path.stat().st_size for path in place.iterdir())
                there.append(((place / _CONTENT).stat().st_mtime, size, place))
        except OSError:  # another process removes it
            continue
    total = sum(size for _, size, _ in there)
    for _, size, place in sorted(there):
        if total <= most:
            return
        if place != keep:
            shutil.rmtree(place, ignore_errors=True)
            total -= size


_ABANDONED = 24 * 3600.0
"""Seconds after which a conversion that was cut off is no longer being made."""


# Making them

_children: dict[str, subprocess.Popen[bytes]] = {}
_starting = threading.Lock()
_making: dict[str, threading.Lock] = {}


def fetch(recipe: Recipe) -> Entry:
    """The forward pass, converted now where it is not there yet; all who ask wait for one.

    The gradients follow in the same process; see `read`. Raises ConversionError where it fails.
    """
    with _starting:
        mine = _making.setdefault(recipe.key, threading.Lock())
    with mine:
        found = read(recipe, FORWARD)
        if found is None:
            child = _child(recipe)
            while (found := _arrived(recipe)) is None and child.poll() is None:
                time.sleep(0.05)
            found = found or read(recipe, FORWARD)
        elif not is_kept(recipe, GRADIENTS):
            _child(recipe)
    if found is None:
        _log.warning(
            "Nothing came of the process that converts %s; this one does it, and nothing is kept. "
            "Is there room in %s, and the right to write there?", recipe.arguments[0], folder(),
        )  # fmt: skip
        raise ConversionError
    return found


def _arrived(recipe: Recipe) -> Entry | None:
    return read(recipe, FORWARD) if is_kept(recipe, FORWARD) else None


def prepare(recipes: Sequence[Recipe]) -> None:
    """Have one process convert all of these that are not there yet, for whom `fetch` then waits."""
    _start([recipe for recipe in recipes if not is_kept(recipe, FORWARD)])


def _child(recipe: Recipe) -> subprocess.Popen[bytes]:
    """The process that makes the conversions of a recipe."""
    _start([recipe])
    return _children[recipe.key]


def _start(recipes: Sequence[Recipe]) -> None:
    """One process for all of these that none is making, or has made in vain."""
    with _starting:
        wanted = [recipe for recipe in recipes if not _is_made(recipe)]
        if not wanted:
            return
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        program = [sys.executable, "-P", "-m", "effnet_viz.engines.convert"]
        child = subprocess.Popen(
            [*program, json.dumps([asdict(recipe) for recipe in wanted])],
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # what fails there fails here again, and is told
            start_new_session=True,
        )
        _children.update({recipe.key: child for recipe in wanted})


def _is_made(recipe: Recipe) -> bool:
    """Whether a process is at it, or has been and left the forward pass."""
    child = _children.get(recipe.key)
    return child is not None and (child.poll() is None or read(recipe, FORWARD) is not None)


def wait() -> None:
    """Until all processes that this one has started are done, gradients included."""
    with _starting:
        running = list(_children.values())
    for child in running:
        child.wait()


@contextmanager
def alone(recipe: Recipe) -> Iterator[None]:
    """While it lasts, no other process makes this conversion."""
    root = folder()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(root / f".{recipe.key}.lock"):
        yield


def made_with() -> dict[str, str]:
    """What a conversion depends on beside its recipe: packages with their versions, this code."""
    packages = dict(told.split() for told in _versions())
    return {**packages, "effnet-viz": f"with code {_code()[:8]}"}
