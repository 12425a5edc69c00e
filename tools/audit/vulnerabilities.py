"""Asks a database of known vulnerabilities about every pin, with pip-audit."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools.audit.packages import CONSTRAINTS, pinned, read

DATABASE = "https://api.osv.dev/v1/query"
"""OSV has the advisories of Python's packages; a mirror of packages has none."""


class DatabaseError(RuntimeError):
    """The database gave no answer about every pin; the message says why."""


def known(constraints: Path = CONSTRAINTS, database: str = DATABASE) -> list[str]:
    """A sentence on each vulnerability of a pinned version, for whatever system it is pinned.

    Raises DatabaseError.
    """
    # Without markers: pip-audit would leave out what other systems get.
    lines = sorted({f"{pin.name}=={pinned(pin)}" for pin in read(constraints)})
    with TemporaryDirectory() as folder:
        file = Path(folder, "pins.txt")
        file.write_text("\n".join(lines), encoding="utf-8")
        ended = subprocess.run(
            [sys.executable, "-m", "pip_audit", "--progress-spinner=off", "--format=json",
             "--vulnerability-service=osv", "--osv-url", database,
             "--disable-pip", "--no-deps", "--requirement", file],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if not ended.stdout.strip():  # it prints nothing unless it has asked about all
        reason = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise DatabaseError(textwrap.shorten(reason[-1], 300))
    answered: list[dict[str, Any]] = json.loads(ended.stdout)["dependencies"]
    unanswered = len(lines) - sum("vulns" in package for package in answered)
    if unanswered:
        raise DatabaseError(f"no answer about {unanswered} of {len(lines)} pins")
    return [
        f"{package['name']} {package['version']} has a known vulnerability, {found['id']}; "
        + _advice(found["fix_versions"])
        for package in answered
        for found in package["vulns"]
    ]


def _advice(versions: list[str]) -> str:
    if not versions:
        return "no release mends it yet: read what it needs to be used."
    return f"mended in {', '.join(versions)}: run make constraints, or change requirements.txt."
