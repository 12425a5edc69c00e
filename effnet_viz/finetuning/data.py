"""Pictures and their labels, from a folder of class folders or a table, and their split."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from effnet_viz.models.classes import Classes

Part = Literal["training", "validation"]

LONGEST_LABEL = 100
"""Letters."""

_PARTS: dict[str, Part] = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}
"""Names of folders that are no classes but a split that somebody has made."""

_MASKS = "masks"
"""Folder beside the class folders that holds masks in the same class folders."""

_NAMED = 5
"""How many of several a sentence names."""


class FinetuneError(RuntimeError):
    """Fine-tuning that cannot begin or go on; the message says what happened and what to do now."""


@dataclass(frozen=True)
class LabelledFile:
    """A file that should be a picture, and what it should show."""

    path: Path
    name: str
    """Its path as the data has it, parts separated by “/”."""
    label: str
    part: Part | None
    """Where the data itself says what is for training and what for validation."""
    mask: Path | None = None
    """A picture that is white where the thing is, if there is one."""


def read(source: Path) -> tuple[LabelledFile, ...]:
    """All files with labels, in the order of their names; none of them is opened.

    `source` is a folder with a folder for each class, at any depth below it, or with two such
    folders, `train` and `val` (or `validation`); or a CSV file with the columns `path`, relative to
    its folder, and `label`. Beside them, `masks` may hold a mask for a picture under the same path,
    ending in .png. Names that begin with a dot are left out. Raises FinetuneError where there is no
    such data.
    """
    try:
        if source.is_dir():
            files = _from_folder(source)
        elif source.is_file():
            files = _from_table(source)
        else:
            raise FinetuneError(
                f"There is no folder and no file {source}. Check the path of the pictures."
            )
    except OSError as error:
        raise FinetuneError(
            f"{source} cannot be read ({error.strerror or error}). Check its path and the right to "
            "read it."
        ) from error
    _check_labels(file.label for file in files)
    masks = (source if source.is_dir() else source.parent) / _MASKS
    return tuple(_with_mask(file, masks) for file in sorted(files, key=lambda file: file.name))


def _with_mask(file: LabelledFile, masks: Path) -> LabelledFile:
    mask = masks / Path(file.name).with_suffix(".png")
    return replace(file, mask=mask) if is_inside(file.name) and mask.is_file() else file


def is_inside(name: str) -> bool:
    """Whether a name leads to a file inside the folder that it is relative to."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _from_folder(source: Path) -> list[LabelledFile]:
    folders = [path for path in _visible(source) if path.is_dir()]
    folders = [path for path in folders if not _holds_masks(path, folders)]
    parts = {_PARTS[path.name.lower()] for path in folders if path.name.lower() in _PARTS}
    if len(parts) < 2:
        files = _from_classes(source, folders, None)
    else:
        files = []
        for folder in folders:
            part = _PARTS.get(folder.name.lower())  # None: such as `test`, which is left alone
            if part is not None:
                classes = [path for path in _visible(folder) if path.is_dir()]
                files += _from_classes(source, classes, part)
        _check_parts_agree(files)
    if not files:
        raise FinetuneError(
            f"{source} has no class folders with pictures. Put the pictures of every class into a "
            "folder of their own, named like the class, inside it."
        )
    return files


def _holds_masks(folder: Path, folders: Sequence[Path]) -> bool:
    """Whether it holds nothing but folders named like others: a class of masks holds pictures."""
    names = {other.name for other in folders} - {folder.name}
    inside = _visible(folder) if folder.name == _MASKS else []
    return bool(inside) and all(path.is_dir() and path.name in names for path in inside)


def _from_classes(source: Path, folders: Iterable[Path], part: Part | None) -> list[LabelledFile]:
    files = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(source)
            if not path.is_dir() and not any(each.startswith(".") for each in name.parts):
                files.append(LabelledFile(path, name.as_posix(), folder.name, part))
    return files


def _check_parts_agree(files: Sequence[LabelledFile]) -> None:
    labels = {
        part: {file.label for file in files if file.part == part}
        for part in ("training", "validation")
    }
    lone = sorted(labels["training"] ^ labels["validation"])
    if lone:
        raise FinetuneError(
            f"The classes of training and validation do not match: {_listed(lone)} only in one of "
            "them. Give both the same class folders."
        )


def _from_table(source: Path) -> list[LabelledFile]:
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            columns = table.fieldnames or ()
            if not {"path", "label"} <= set(columns):
                raise FinetuneError(
                    f"{source.name} has no columns `path` and `label`. Name them so in its first "
                    "line, separated by a comma."
                )
            rows = [(table.line_num, row["path"] or "", row["label"] or "") for row in table]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FinetuneError(
            f"{source.name} is no CSV file in UTF-8. Save it as such, with the columns `path` and "
            "`label`, or name a folder."
        ) from error
    if not rows:
        raise FinetuneError(f"{source.name} lists no pictures. Write a line for each of them.")
    labels: dict[str, str] = {}
    for line, name, label in rows:
        if not name.strip() or not label.strip():
            raise FinetuneError(
                f"Line {line} of {source.name} has no {'label' if name.strip() else 'path'}. "
                "Complete it or take it out."
            )
        if labels.setdefault(name.strip(), label.strip()) != label.strip():
            raise FinetuneError(
                f"The labels of {name.strip()} do not match: {source.name} says both "
                f"{labels[name.strip()]!r} and {label.strip()!r}. Keep the right one."
            )
    return [
        LabelledFile(source.parent / name, name.replace("\\", "/"), label, None)
        for name, label in labels.items()
    ]


def _check_labels(labels: Iterable[str]) -> None:
    for label in sorted(set(labels)):
        if len(label) > LONGEST_LABEL or not label.isprintable():
            raise FinetuneError(
                f"{label[:40]!r} is no name for a class: it has more than {LONGEST_LABEL} letters "
                "or some that cannot be printed. Rename the class."
            )


@dataclass(frozen=True)
class Picture:
    """A readable picture."""

    file: LabelledFile
    digest: str
    """SHA-256 (hex) of its bytes."""
    target: int
    """Place of its class."""


@dataclass(frozen=True)
class Split:
    """What is learned from, and what is only looked at to measure."""

    classes: Classes
    training: tuple[Picture, ...]
    validation: tuple[Picture, ...]
    given: bool
    """Whether the data itself says which is which."""
    copies: tuple[str, ...]
    """Names of pictures that are there twice, of which one counts."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all pictures, their labels and the part that they are in."""
        lines = [f"{self.classes[:]}"]
        for part in (self.training, self.validation):
            lines += [f"{picture.digest} {picture.target}" for picture in part] + [""]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def split(files: Sequence[LabelledFile], digests: Sequence[str], seed: int, share: float) -> Split:
    """Readable files, with the SHA-256 of their bytes, in two parts.

    From every class, `share` of the pictures (between 0 and 1, at least one and not all) are drawn
    for validation by the seed and the pictures' bytes alone, so that renamed pictures stay in
    their part. The same picture twice counts once, so that none is in both. Raises FinetuneError
    for one class, a class with too few pictures, and the same picture in two classes.
    """
    chosen, copies = _without_copies(files, digests)
    labels = sorted({file.label for file in files})
    if len(labels) < 2:
        raise FinetuneError(
            f"There is one class only, {labels[0]!r}, and nothing to tell it from. Add pictures of "
            "another class."
        )
    classes = Classes(labels)
    given = any(file.part is not None for file in files)
    by_class: dict[int, list[Picture]] = defaultdict(list)
    for digest, file in sorted(chosen.items()):
        target = classes.index(file.label)
        by_class[target].append(Picture(file, digest, target))
    training: list[Picture] = []
    validation: list[Picture] = []
    for target in range(len(classes)):
        pictures = by_class[target]
        if given:
            held = [picture for picture in pictures if picture.file.part == "validation"]
        else:
            order = np.random.default_rng((seed, target)).permutation(len(pictures)).tolist()
            count = min(max(1, round(share * len(pictures))), len(pictures) - 1)
            held = [pictures[place] for place in order[:count]]
        kept = set(held)
        validation += held
        training += [picture for picture in pictures if picture not in kept]
    lacking = [
        label
        for target, label in enumerate(classes)
        if not all(
            any(picture.target == target for picture in part) for part in (training, validation)
        )
    ]
    if lacking:
        raise FinetuneError(
            f"Too few readable pictures of {_listed(lacking)}: every class needs one to learn from "
            "and another to be measured on. Add pictures, or take the class out."
        )
    return Split(classes, tuple(training), tuple(validation), given, copies)


def _without_copies(
    files: Sequence[LabelledFile], digests: Sequence[str]
) -> tuple[dict[str, LabelledFile], tuple[str, ...]]:
    """One file for each digest; where training and validation share a picture, validation's."""
    chosen: dict[str, LabelledFile] = {}
    copies = []
    for file, digest in zip(files, digests, strict=True):
        first = chosen.setdefault(digest, file)
        if first is file:
            continue
        if first.label != file.label:
            raise FinetuneError(
                f"The labels do not match: {first.name} ({first.label!r}) and {file.name} "
                f"({file.label!r}) are the same picture. Delete the one that is wrong."
            )
        left_out = file
        if file.part == "validation" and first.part == "training":
            chosen[digest], left_out = file, first
        copies.append(left_out.name)
    return chosen, tuple(copies)


def counts(split: Split) -> dict[str, dict[str, int]]:
    """Pictures of every class, in training and in validation."""
    training, validation = (
        Counter(picture.target for picture in part) for part in (split.training, split.validation)
    )
    return {
        label: {"training": training[target], "validation": validation[target]}
        for target, label in enumerate(split.classes)
    }


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - _NAMED
    named = ", ".join(repr(label) for label in labels[:_NAMED])
    return named + (f" and {more} more" if more > 0 else "")
