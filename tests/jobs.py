"""Jobs that test_processes has carried out in processes of their own."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

Told = Mapping[str, Any]


def reverse(request: Told, content: memoryview, output: BinaryIO) -> Told:
    output.write(bytes(content)[::-1] * request["times"])
    return {"times": request["times"]}


def spin(*_: object) -> Told:
    while True:
        pass


def sleep(request: Told, *_: object) -> Told:
    Path(request["file"]).write_text(str(os.getpid()))
    time.sleep(600)
    return {}


def allocate(request: Told, *_: object) -> Told:
    return {"allocated": len(bytearray(request["nbytes"]))}


def fail(*_: object) -> Told:
    raise ValueError("a mistake of ours")


def answer_nonsense(request: Told, *_: object) -> Told:
    """What a decoder might say that a hostile file has taken over."""
    for link in Path("/proc/self/fd").iterdir():
        if link.is_symlink() and str(link.readlink()).startswith("socket:"):
            os.write(int(link.name), request["says"].encode())
    os._exit(0)


def crash(*_: object) -> Told:
    ctypes.string_at(0)
    return {}


def end_from_outside(*_: object) -> Told:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


_left: list[str] = []


def remember(request: Told, *_: object) -> Told:
    """What earlier jobs have left in this module."""
    left = list(_left)
    _left.append(request["left"])
    return {"left": left}


def open_files(*_: object) -> Told:
    """What a job could read and write: files in memory by their content, others by their kind."""
    found = set()
    for link in list(Path("/proc/self/fd").iterdir()):
        if link.is_symlink():  # the listing's own is closed by now
            name = str(link.readlink())
            found.add(link.read_text() if name.startswith("/memfd:") else name.split(":")[0])
    return {"files": sorted(found)}
