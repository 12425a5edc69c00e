"""Everything that `make app` and `make test` install has one version, written down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.audit import packages
from tools.audit.packages import CONSTRAINTS, ROOT


def test_requirements_pins_and_installed_packages_agree() -> None:
    assert len(packages.pins()) > 100
    assert packages.differences() == []


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_the_matching_pair_is_the_required_one(name: str) -> None:
    [required] = [line for line in packages.read(packages.APP) if line.name == name]
    assert packages.pins()[name] == packages.pinned(required)


def test_it_names_no_server_and_no_option() -> None:
    text = CONSTRAINTS.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert "://" not in text
    assert [line for line in lines if not re.match(r"[a-z0-9-]+==\S+( ; .+)?$", line)] == []


def test_the_whole_tree_is_found() -> None:
    tree = packages.tree(packages.read(packages.APP))
    assert {"torch", "pandas", "numpy", "typing-extensions"} <= tree.keys()
    assert "pytest" not in tree


def test_everything_is_installed_with_the_pins() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [install] = re.findall(r"pip install.*", makefile)
    assert "-c constraints.txt" in install
    assert re.findall(r"^\t\$\(INSTALL\) -r (\S+)", makefile, re.MULTILINE) == [
        "requirements.txt", "requirements-dev.txt",
    ]  # fmt: skip
    for target in re.findall(r"^\.venv/app\.installed:(.*)", makefile, re.MULTILINE):
        assert "constraints.txt" in target.split()
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install" not in run
    assert "make test" in run


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Requirements and constraints that fit each other and what is installed."""
    requirements, constraints = tmp_path / "requirements.txt", tmp_path / "constraints.txt"
    lines = packages.read(CONSTRAINTS)
    small = {"jinja2", "markupsafe"}
    pins = "".join(f"{line}\n" for line in lines if line.name in small)
    constraints.write_text(pins, encoding="utf-8")
    requirements.write_text(f"# One.\n{pins.splitlines()[0]}\n", encoding="utf-8")
    return requirements, constraints


def told(files: tuple[Path, Path]) -> str:
    requirements, constraints = files
    return "\n".join(packages.differences([requirements], constraints))


def test_what_fits_is_not_spoken_of(files: tuple[Path, Path]) -> None:
    assert told(files) == ""


def test_a_requirement_without_a_pin_is_named(files: tuple[Path, Path]) -> None:
    with files[0].open("a", encoding="utf-8") as file:
        file.write("something-new==1.0\n")
    assert told(files).startswith("something-new==1.0 is required, and constraints.txt pins no")


def test_pins_that_disagree_are_named(files: tuple[Path, Path]) -> None:
    files[0].write_text("jinja2==1.0\n", encoding="utf-8")
    assert "jinja2==1.0 is required, and constraints.txt pins 3" in told(files)


def test_an_installed_package_without_a_pin_is_named(files: tuple[Path, Path]) -> None:
    first, *_ = files[1].read_text(encoding="utf-8").splitlines()
    files[1].write_text(f"{first}\n", encoding="utf-8")
    assert told(files) == "markupsafe is installed and not pinned: run make constraints."


def test_another_installed_version_is_named(files: tuple[Path, Path]) -> None:
    text = files[1].read_text(encoding="utf-8")
    files[1].write_text(re.sub("markupsafe==.*", "markupsafe==9.9", text), encoding="utf-8")
    assert re.search(r"markupsafe \S+ is installed, 9\.9 is pinned", told(files))


def test_a_pin_that_nothing_needs_is_named(files: tuple[Path, Path]) -> None:
    with files[1].open("a", encoding="utf-8") as file:
        file.write("pillow==13.0.0\nonly-there==1.0 ; sys_platform == 'nowhere'\n")
    assert told(files).startswith("pillow is pinned, but not installed or not needed")
    assert "only-there" not in told(files)


@pytest.mark.parametrize("line", ["numpy", "numpy>=2", "numpy==2.*", "numpy>=2,==2.4"])
def test_anything_but_one_version_is_no_pin(line: str) -> None:
    with pytest.raises(ValueError, match="no exact pin"):
        packages.pinned(Requirement(line))
