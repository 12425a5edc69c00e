"""What holds for the files of all pages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.ui.opening import ROOT, open_whatever_happens, texts

PARTS = {
    "app.py": "explain.explanation.show_explanation",
    "pages/compare_scaling.py": "compare.comparison.show_comparison",
    "pages/methods.py": "methods.methods.show_methods",
    "pages/mistakes.py": "mistakes.network.choose_network",
    "pages/models.py": "scaling.model_table.show_model_table",
    "pages/scaling_lab.py": "lab.bench.show_bench",
    "pages/scaling_rules.py": "scaling.rule.choose_rule",
}
"""A function of every page."""

PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_only_calls_stand_alone(page: Path) -> None:
    """Streamlit writes any other expression of a page, such as a second docstring, on the page."""
    docstring, *rest = ast.parse(page.read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    alone = [line.value for line in rest if isinstance(line, ast.Expr)]
    assert all(isinstance(value, ast.Call) for value in alone)


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in PAGES])
def test_of_a_mistake_a_visitor_reads_one_sentence(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "/opt/library/src/kernel.cpp:42"

    def fail(*_: object) -> None:
        raise RuntimeError(secret)

    monkeypatch.setattr(f"effnet_viz.ui.{PARTS[page]}", fail)
    opened = open_whatever_happens(page)
    [message] = [error.value for error in opened.error]
    assert message.startswith("Something went wrong in this app")
    assert secret not in texts(opened)
