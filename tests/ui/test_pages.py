"""What holds for the files of all pages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.ui.opening import ROOT

PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_only_calls_stand_alone(page: Path) -> None:
    """Streamlit writes any other expression of a page, such as a second docstring, on the page."""
    docstring, *rest = ast.parse(page.read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    alone = [line.value for line in rest if isinstance(line, ast.Expr)]
    assert all(isinstance(value, ast.Call) for value in alone)
