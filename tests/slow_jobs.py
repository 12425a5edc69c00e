"""Jobs that test_worker has carried out in a process of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

Told = Mapping[str, Any]
Progress = Callable[[float], None]

_before: list[bytes] = []


def remember(request: Told, content: bytes, progress: Progress) -> tuple[Told, bytes]:
    """What came before in the same process."""
    os.write(1, b"libraries print; among the answers, this would be nonsense")
    for step in range(request["steps"]):
        progress(step / request["steps"])
    _before.append(content)
    return {"process": os.getpid()}, b"|".join(_before)


def hang(*_: object) -> tuple[Told, bytes]:
    time.sleep(600)
    return {}, b""


def work_for_long(_: Told, __: bytes, progress: Progress) -> tuple[Told, bytes]:
    for step in range(6000):
        progress(step / 6000)
        time.sleep(0.1)
    return {}, b""


def fail(*_: object) -> tuple[Told, bytes]:
    raise ValueError("a mistake of ours")


def allocate(request: Told, *_: object) -> tuple[Told, bytes]:
    return {"allocated": len(bytearray(request["nbytes"]))}, b""


def crash(*_: object) -> tuple[Told, bytes]:
    os.abort()
