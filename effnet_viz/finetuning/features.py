"""What the frozen network makes of every picture, computed once and kept on the disk."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from effnet_viz.arrays import Floats
from effnet_viz.engines.engine import Engine
from effnet_viz.finetuning.data import FinetuneError, LabelledFile
from effnet_viz.finetuning.inputs import batched, content_of, in_order
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import ImageError
from effnet_viz.images.preprocessing import Preprocessing

_BATCH = 16


@dataclass(frozen=True, eq=False)
class Extracted:
    """All readable pictures of the data, and what the network makes of them."""

    files: tuple[LabelledFile, ...]
    digests: tuple[str, ...]
    """SHA-256 (hex) of the bytes of each."""
    features: Floats
    """(n, C): what the head gets."""
    skipped: tuple[tuple[str, str], ...]
    """Name and reason of every other file."""


def extract(
    files: Sequence[LabelledFile],
    engine: Engine,
    preprocessing: Preprocessing,
    weights: str,
    folder: Path,
    *,
    progress: bool,
) -> Extracted:
    """The features of all files that are readable pictures, (n, C): means of the last stage.

    What is computed is kept in a file of `folder`, by the SHA-256 of the picture's bytes. Its name
    depends on the network's `weights` (their hash), preprocessing and engine, so that nothing else
    is taken from it. Raises FinetuneError where nothing is readable or can be kept.
    """
    of = f"{weights} {preprocessing} {engine.name}"
    path = folder / f"{hashlib.sha256(of.encode()).hexdigest()[:16]}.sqlite"
    readable: list[tuple[LabelledFile, str]] = []
    skipped: list[tuple[str, str]] = []
    with _errors_told(path), closing(_opened(path)) as store:
        known = {str(digest) for (digest,) in store.execute("SELECT digest FROM features")}

        def prepare(file: LabelledFile) -> tuple[str, Floats | None] | ImageError:
            """Digest, and input (1, 3, R, R) where the features are not known."""
            try:
                content = content_of(file)
                digest = hashlib.sha256(content).hexdigest()
                if digest in known:
                    return digest, None
                return digest, preprocessing(decode(content))[0]
            except ImageError as error:
                return error

        prepared = zip(files, in_order(prepare, files), strict=True)
        with tqdm(total=len(files), desc="pictures", unit="picture", disable=not progress) as bar:
            for part in batched(prepared, _BATCH):
                new: dict[str, Floats] = {}
                for file, made in part:
                    if isinstance(made, ImageError):
                        skipped.append((file.name, str(made)))
                        continue
                    digest, x = made
                    readable.append((file, digest))
                    if x is not None:
                        new[digest] = x
                _keep(store, new, engine)
                bar.update(len(part))
        if not readable:
            first = f" The first one: {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
            raise FinetuneError(
                f"None of the {len(files)} files is a picture that can be read. Check the path of "
                f"the pictures.{first}"
            )
        digests = tuple(digest for _, digest in readable)
        features = np.stack([_features_of(store, digest) for digest in digests])  # (n, C)
    return Extracted(tuple(file for file, _ in readable), digests, features, tuple(skipped))


@contextmanager
def _errors_told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        remedy = (
            "Make room on the disk"
            if "full" in str(error)
            else "Delete that file if it is damaged (only time is lost)"
        )
        raise FinetuneError(
            f"Features could not be kept in {path} ({error}). {remedy} and give the same command "
            "again: it goes on where it was."
        ) from error


def _opened(path: Path) -> sqlite3.Connection:
    store = sqlite3.connect(path)
    store.execute(
        "CREATE TABLE IF NOT EXISTS features (digest TEXT PRIMARY KEY, numbers BLOB NOT NULL)"
    )
    return store


def _keep(store: sqlite3.Connection, new: dict[str, Floats], engine: Engine) -> None:
    """Compute and keep features of inputs by digest, all of them or none."""
    if not new:
        return
    x = np.concatenate(list(new.values()))  # (B, 3, R, R)
    stages = engine.forward(x).stages
    features = stages[max(stages)].mean((2, 3), dtype=np.float32)  # (B, C)
    rows = [
        (digest, row.astype("<f4").tobytes()) for digest, row in zip(new, features, strict=True)
    ]
    with store:  # one transaction
        store.executemany("INSERT OR REPLACE INTO features VALUES (?, ?)", rows)


def _features_of(store: sqlite3.Connection, digest: str) -> Floats:
    query = "SELECT numbers FROM features WHERE digest = ?"
    (numbers,) = store.execute(query, (digest,)).fetchone()
    values: Floats = np.frombuffer(numbers, "<f4").astype(np.float32)  # (C,)
    return values
