"""Arrows point down only, and the core never imports streamlit."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "effnet_viz"

# Module to what it may import of the project. A new module has to be placed here.
ALLOWED: dict[str, set[str]] = {
    "version": set(),
    "zoo": set(),
    "weights": {"zoo"},
    "network": {"zoo"},
    "structure": {"network", "zoo"},
    "published": set(),
    "scaling": {"network", "published", "structure", "zoo"},
    "image": {"zoo"},
    "engine": {"network", "zoo"},
    "explain": set(),
    "metrics": set(),
    "render": set(),
    "model": {"engine", "network", "weights", "zoo"},
    "analysis": {"engine", "explain", "image", "model", "version", "zoo"},
    "doctor": {"analysis", "metrics"},
    "comparison": {
        *("analysis", "doctor", "explain", "image", "metrics", "model", "weights", "zoo"),
        "render",
    },
    "export": {"analysis", "comparison", "explain", "render"},
    "settings": set(),
    "sharing": set(),
    "serving": {"engine", "model", "settings", "sharing", "structure", "weights", "zoo"},
    "samples": set(),
}

# The same for the modules of effnet_viz/lab, whose own imports are written "lab.module".
LAB_ALLOWED: dict[str, set[str]] = {
    "drawings": set(),
    "rebuild": {"lab.drawings"},
    "scenes": {"lab.drawings"},
    "networks": {"lab.drawings", "network"},
    "training": {"lab.drawings", "lab.networks", "lab.scenes"},
    "weights": {"lab.drawings", "lab.networks", "lab.training", "network", "structure"},
    "studio": {"image", "lab.drawings", "lab.scenes"},
    "localization": {"explain"},
    "measuring": {
        "explain", "lab.drawings", "lab.localization", "lab.networks", "lab.scenes",
        "lab.training", "network", "zoo",
    },
    "explaining": {
        "engine", "explain", "lab.drawings", "lab.localization", "lab.measuring", "lab.networks",
        "lab.scenes", "lab.training", "lab.weights", "network", "structure", "zoo",
    },
    "report": {
        "lab.drawings", "lab.measuring", "lab.networks", "lab.scenes", "lab.training",
        "lab.weights", "network", "published",
    },
    "results": {"lab.measuring", "lab.networks", "lab.report", "published", "zoo"},
    "__main__": {
        "lab.drawings", "lab.networks", "lab.rebuild", "lab.report", "lab.training", "lab.weights",
    },
}  # fmt: skip


def streamlit_is_loaded_by(module: str) -> bool:
    """Whether importing the module in a fresh interpreter loads streamlit."""
    code = f"import sys, {module}; print('streamlit' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    return run.stdout.strip() == "True"


def imported_by(path: Path) -> set[str]:
    """First-level modules of effnet_viz that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "effnet_viz":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "effnet_viz.lab":
            found |= {f"lab.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("effnet_viz.lab."):
            found.add((node.module or "").removeprefix("effnet_viz."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("effnet_viz."):
            found.add((node.module or "").split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("effnet_viz.")}
    return found


def test_the_core_does_not_import_streamlit() -> None:
    assert not streamlit_is_loaded_by("effnet_viz")
    for module in ALLOWED:
        source = (PACKAGE / f"{module}.py").read_text()
        assert "import streamlit" not in source


def test_the_streamlit_check_can_fail() -> None:
    assert streamlit_is_loaded_by("effnet_viz.ui.picture_grid")


def test_every_module_has_its_place() -> None:
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert modules == set(ALLOWED)


@pytest.mark.parametrize("module", ALLOWED)
def test_arrows_point_down(module: str) -> None:
    assert imported_by(PACKAGE / f"{module}.py") <= ALLOWED[module]


@pytest.mark.parametrize("module", LAB_ALLOWED)
def test_arrows_of_the_lab_point_down(module: str) -> None:
    assert imported_by(PACKAGE / "lab" / f"{module}.py") <= LAB_ALLOWED[module]


def test_every_module_of_the_lab_has_its_place() -> None:
    modules = {path.stem for path in (PACKAGE / "lab").glob("*.py")} - {"__init__"}
    assert modules == set(LAB_ALLOWED)


def test_the_lab_does_not_import_streamlit() -> None:
    assert not streamlit_is_loaded_by("effnet_viz.lab.__main__")


def test_the_arrow_check_can_fail(tmp_path: Path) -> None:
    wrong = tmp_path / "zoo.py"
    wrong.write_text("from effnet_viz import engine\nimport effnet_viz.ui\n")
    assert imported_by(wrong) == {"engine", "ui"}
    wrong.write_text(
        "from effnet_viz.lab import scenes\nfrom effnet_viz.lab.networks import build\n"
    )
    assert imported_by(wrong) == {"lab.scenes", "lab.networks"}
