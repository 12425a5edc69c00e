"""Where measured rows are kept: object by object while a network is measured, then in one file.

An object's rows are written beside their place and moved there, so that whoever stops the command
at any moment loses one object at most and finds nothing that is half written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from effnet_viz.assets import OBJECTS_STUDY
from effnet_viz.study.measuring import Rows, StudyError
from effnet_viz.writing import written_whole

About = Mapping[str, Any]
Measured = tuple[About, Rows]


class Unfinished:
    """The rows of one network, or of anything else that is measured object by object."""

    def __init__(self, folder: Path, about: About) -> None:
        """`about` says what was measured, on which scenes.

        Raises StudyError where the folder holds rows of something else.
        """
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        told = folder / "about.json"
        if not told.exists():
            write(told, json.dumps(about, indent=1).encode())
        elif json.loads(told.read_text(encoding="utf-8")) != json.loads(json.dumps(about)):
            raise StudyError(
                f"{folder} holds rows that were measured with other weights, scenes or versions. "
                "Name another folder with --folder, or remove that one."
            )

    def rows(self, name: str, measure: Callable[[], Rows]) -> Rows:
        """The rows of one object: read, or measured now and kept."""
        path = self._folder / f"{name}.npz"
        if not path.exists():
            write_rows(path, measure())
        return read_rows(path)


def join(parts: Sequence[Rows]) -> Rows:
    """The rows of all objects, one below the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def write_rows(path: Path, rows: Rows) -> None:
    """Compressed, in one step."""
    with written_whole(path) as file:
        np.savez_compressed(file, allow_pickle=False, **cast(Any, rows))


def read_rows(path: Path) -> Rows:
    """All columns of a file; it holds arrays of numbers alone."""
    with np.load(path, allow_pickle=False) as kept:
        return dict(kept)


def write(path: Path, content: bytes) -> None:
    """In one step."""
    with written_whole(path) as file:
        file.write(content)


def ship(key: str, about: About, rows: Rows, folder: Path = OBJECTS_STUDY) -> None:
    """Put the finished rows of a network into the project."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / f"{key}.npz", rows)
    write(folder / f"{key}.json", (json.dumps(about, indent=1) + "\n").encode())


METHODS_OF = "methods-"
"""What the names of files begin with that hold rows of methods."""


def shipped(folder: Path = OBJECTS_STUDY) -> dict[str, Measured]:
    """Every network that was measured, by key."""
    return {key: kept for key, kept in _kept(folder) if not key.startswith(METHODS_OF)}


def shipped_methods(folder: Path = OBJECTS_STUDY) -> dict[str, Measured]:
    """Every network whose methods were measured, by key; see study.methods."""
    kept = _kept(folder)
    return {k.removeprefix(METHODS_OF): one for k, one in kept if k.startswith(METHODS_OF)}


def _kept(folder: Path) -> list[tuple[str, Measured]]:
    return [
        (
            path.stem,
            (
                json.loads(path.with_suffix(".json").read_text(encoding="utf-8")),
                read_rows(path),
            ),
        )
        for path in sorted(folder.glob("*.npz"))
    ]
