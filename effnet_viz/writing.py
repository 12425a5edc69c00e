"""Files that are whole or not there, whenever the one who writes them is stopped."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name, or another's place, once all of it is on the disk.

    Where that fails or the block raises, what was there before stays. Raises OSError.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):  # what went wrong before is what counts
            part.unlink(missing_ok=True)


def leftovers(path: Path) -> list[Path]:
    """What processes that were killed have left of this file, or others are writing now."""
    return list(path.parent.glob(f".{path.name}.*.part"))
