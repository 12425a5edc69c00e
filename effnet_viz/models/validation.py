"""The pictures that a network of one's own was measured on, which lie in its folder.

`validation.csv` has a line for each, with the columns `path` and `label`. The pictures are in
`pictures`, and in `masks` there may be one for each, white where the thing is: the same path,
ending in .png.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from effnet_viz.images.decode import MAX_BYTES
from effnet_viz.images.photograph import ImageError
from effnet_viz.models import files
from effnet_viz.models.advice import display_name
from effnet_viz.models.weights import OwnFile, RefusedFileError
from effnet_viz.models.zoo import ModelEntry

TABLE, PICTURES, MASKS, CURVES = "validation.csv", "pictures", "masks", "curves.json"
"""Names inside the network's folder."""

MOST_ROWS = 50_000

_TABLE_BYTES = 16 * 2**20


_log = logging.getLogger("effnet_viz")


class ValidationError(RuntimeError):
    """Pictures that cannot be listed; the message says why and what to do."""


@dataclass(frozen=True)
class ValidationPicture:
    """A picture, what it shows, and where that is known to the pixel."""

    path: Path
    name: str
    """Its path below PICTURES."""
    label: str
    mask: Path | None


def folder_of(entry: ModelEntry) -> Path | None:
    """The folder of an own network that has pictures; None for every other network."""
    if not isinstance(entry.weights, OwnFile):
        return None
    folder = entry.weights.path.parent
    return folder if (folder / TABLE).is_file() and (folder / PICTURES).is_dir() else None


def validation_pictures(entry: ModelEntry) -> tuple[ValidationPicture, ...]:
    """All pictures that the table of an own network names and that are there, in its order.

    Nothing outside of the network's folder is read. Raises ValidationError.
    """
    folder = folder_of(entry)
    if folder is None:
        raise ValidationError(
            f"{entry.title} has no pictures. Put {TABLE}, with the columns path and label, and the "
            f"folder {PICTURES} beside its weights, or train it with `effnet-viz finetune`."
        )
    rows = _rows(folder / TABLE)
    unknown = sorted({label for _, label in rows}.difference(entry.labels or ()))
    if unknown:
        raise ValidationError(
            f"{TABLE} of {entry.title} has the label {display_name(unknown[0])}, which the network "
            "does not know. Write its labels as network.json has them."
        )
    found = []
    pictures, masks = (Path(os.path.realpath(folder / name)) for name in (PICTURES, MASKS))
    for name, label in rows:
        path = _inside(pictures, name)
        if path is not None:
            mask = _inside(masks, str(Path(name).with_suffix(".png")))
            found.append(ValidationPicture(path, name, label, mask))
    if not found:
        raise ValidationError(
            f"None of the {len(rows)} pictures in {TABLE} of {entry.title} is in its folder "
            f"{PICTURES}. Put them back, under the paths that the table names."
        )
    return tuple(found)


@dataclass(frozen=True)
class Epoch:
    """How far a network was after an epoch of its training."""

    phase: str
    training_loss: float
    validation_loss: float
    validation_accuracy: float
    """0 to 1."""
    best: bool
    """Whether the weights are those of this epoch."""


def learning_curves(entry: ModelEntry) -> tuple[Epoch, ...]:
    """All epochs of an own network's training; none where nothing readable says them."""
    folder = folder_of(entry)
    try:
        if folder is None or not (folder / CURVES).exists():
            return ()
        if (folder / CURVES).stat().st_size > _TABLE_BYTES:
            return ()
        told = json.loads(files.read(folder / CURVES, _TABLE_BYTES).data)
        return tuple(
            Epoch(
                str(epoch["phase"]),
                float(epoch["training_loss"]),
                float(epoch["validation_loss"]),
                float(epoch["validation_accuracy"]),
                number == told["best"],
            )
            for number, epoch in enumerate(told["epochs"][:MOST_ROWS])
        )
    except (OSError, RefusedFileError, ValueError, LookupError, TypeError, RecursionError):
        _log.warning("%s of %s cannot be read; its curves are not shown.", CURVES, entry.title)
        return ()


def fingerprint(pictures: Iterable[ValidationPicture]) -> str:
    """SHA-256 (hex) that is another one when a picture, a mask or a label is."""
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(f"{picture.name}\0{picture.label}\0".encode())
        for path in filter(None, (picture.path, picture.mask)):
            digest.update(f"{files.state_of(path)}\0".encode())
    return digest.hexdigest()


def _inside(folder: Path, name: str) -> Path | None:
    """The file of this name, if it is one and neither name nor links lead out of the folder.

    The folder is resolved already.
    """
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # links in a circle, a name that no file has
        return None


def _rows(path: Path) -> list[tuple[str, str]]:
    try:
        if path.stat().st_size > _TABLE_BYTES:
            raise ValidationError(
                f"{TABLE} has more than {_TABLE_BYTES // 2**20} MB. Leave out what is not needed."
            )
        text = files.read(path, _TABLE_BYTES).data.decode("utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""))
        if not {"path", "label"} <= set(table.fieldnames or ()):
            raise ValidationError(
                f"{TABLE} has no columns path and label. Name them so in its first line."
            )
        rows = [(row["path"] or "", row["label"] or "") for row in table]
    except (UnicodeDecodeError, csv.Error):
        raise ValidationError(f"{TABLE} is no CSV file in UTF-8. Save it as such.") from None
    except RefusedFileError as refused:
        raise ValidationError(f"{TABLE} {refused.problem}. {refused.remedy}.") from None
    except OSError as error:
        raise ValidationError(
            f"{TABLE} cannot be read ({error.strerror or error}). Give the account that runs "
            "effnet-viz the right to read it."
        ) from error
    if not rows or len(rows) > MOST_ROWS:
        raise ValidationError(f"{TABLE} has {len(rows):,} lines; it may have 1 to {MOST_ROWS:,}.")
    return rows


def content_of(path: Path) -> bytes:
    """All bytes of a picture. Raises ImageError for what is no file or too large."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(
                f"This file has more than {MAX_BYTES // 2**20} MB; save a smaller copy."
            )
        return files.read(path, MAX_BYTES).data
    except OSError as error:
        raise ImageError(
            f"This file cannot be read ({error.strerror or error}); put it back."
        ) from error
    except RefusedFileError as refused:
        raise ImageError(f"This file {refused.problem}. {refused.remedy}.") from None
