"""What requirements*.txt name, what constraints.txt pins, and what is installed for them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
APP = ROOT / "requirements.txt"
TESTS = ROOT / "requirements-dev.txt"
"""What tests and checks need beside the app."""
CONSTRAINTS = ROOT / "constraints.txt"


def read(file: Path) -> list[Requirement]:
    """The requirements of a file, without those of the files that it includes."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def pinned(requirement: Requirement) -> str:
    """The only version it allows. Raises ValueError when it allows others too."""
    operators = [specifier.operator for specifier in requirement.specifier]
    [version, *_] = [specifier.version for specifier in requirement.specifier] or [""]
    if operators != ["=="] or "*" in version:
        raise ValueError(f"{requirement} is no exact pin.")
    return version


def applies(requirement: Requirement, extras: Iterable[str] = ("",)) -> bool:
    """Whether it is asked for on this system and Python."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


def pins(constraints: Path = CONSTRAINTS) -> dict[str, str]:
    """Package and version of every pin for this system and Python. Raises ValueError."""
    lines = read(constraints)
    versions = [pinned(line) for line in lines]
    return {
        canonicalize_name(line.name): version
        for line, version in zip(lines, versions, strict=True)
        if applies(line)
    }


def tree(requirements: Iterable[Requirement]) -> dict[str, Distribution]:
    """What is installed of the requirements and of all that they need, by package."""
    found: dict[str, Distribution] = {}
    done: set[tuple[str, str]] = set()
    waiting: list[tuple[Requirement, tuple[str, ...]]] = [(line, ("",)) for line in requirements]
    while waiting:
        requirement, asking = waiting.pop()
        if not applies(requirement, asking):
            continue
        name = canonicalize_name(requirement.name)
        extras = ("", *requirement.extras)
        if all((name, extra) in done for extra in extras):
            continue
        done.update((name, extra) for extra in extras)
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # `differences` names it
            continue
        waiting += [(Requirement(line), extras) for line in found[name].requires or ()]
    return found


def differences(files: Iterable[Path] = (APP, TESTS), constraints: Path = CONSTRAINTS) -> list[str]:
    """A sentence on each requirement, pin and installed package that does not fit the others."""
    named = [requirement for file in files for requirement in read(file)]
    expected = pins(constraints)
    installed = {name: found.version for name, found in tree(named).items()}
    sentences = []
    for requirement in named:
        pin = expected.get(canonicalize_name(requirement.name), "no version of it")
        if applies(requirement) and pin != pinned(requirement):
            sentences.append(
                f"{requirement} is required, and constraints.txt pins {pin}: run make constraints."
            )
    for name in sorted(installed.keys() | expected.keys()):
        if name not in expected:
            sentences.append(f"{name} is installed and not pinned: run make constraints.")
        elif name not in installed:
            sentences.append(
                f"{name} is pinned, but not installed or not needed: run make test, then "
                "make constraints."
            )
        elif installed[name] != expected[name]:
            sentences.append(
                f"{name} {installed[name]} is installed, {expected[name]} is pinned: run make test."
            )
    return sentences
