"""Jobs that test_processes has carried out in processes of their own."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Told = tuple[Mapping[str, Any], bytes]


def reverse(request: Mapping[str, Any], content: memoryview) -> Told:
    return {"times": request["times"]}, bytes(content)[::-1] * request["times"]


def spin(_: Mapping[str, Any], __: memoryview) -> Told:
    while True:
        pass


def sleep(request: Mapping[str, Any], _: memoryview) -> Told:
    Path(request["file"]).write_text(str(os.getpid()))
    time.sleep(600)
    return {}, b""


def allocate(request: Mapping[str, Any], _: memoryview) -> Told:
    return {"allocated": len(bytearray(request["nbytes"]))}, b""


def fail(_: Mapping[str, Any], __: memoryview) -> Told:
    raise ValueError("a mistake of ours")


def crash(_: Mapping[str, Any], __: memoryview) -> Told:
    ctypes.string_at(0)
    return {}, b""


def end_from_outside(_: Mapping[str, Any], __: memoryview) -> Told:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}, b""


_left: list[str] = []


def remember(request: Mapping[str, Any], _: memoryview) -> Told:
    """What earlier jobs have left in this module."""
    left = list(_left)
    _left.append(request["left"])
    return {"left": left}, b""


def open_files(_: Mapping[str, Any], __: memoryview) -> Told:
    """What a job could read and write: files in memory by their content, others by their kind."""
    found = set()
    for link in list(Path("/proc/self/fd").iterdir()):
        if link.is_symlink():  # the listing's own is closed by now
            name = str(link.readlink())
            found.add(link.read_text() if name.startswith("/memfd:") else name.split(":")[0])
    return {"files": sorted(found)}, b""
