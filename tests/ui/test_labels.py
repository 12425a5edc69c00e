"""What widgets of the pages say stands in the words of the pages."""

from __future__ import annotations

import ast
from pathlib import Path

from effnet_viz.ui import words

WIDGETS = {
    *("button", "toggle", "checkbox", "selectbox", "multiselect", "radio", "slider", "_slider"),
    *("select_slider", "segmented_control", "file_uploader", "expander", "popover", "dialog"),
    *("section", "waiting", "dropdown", "onward", "offer_file", "how_to_read"),
    *("NumberColumn", "Column", "ProgressColumn"),
}
WRITTEN = {"label", "help", "placeholder", "title", "text"}


def _written(call: ast.Call) -> list[str]:
    """What of a widget's arguments somebody reads, as far as it stands there."""
    named = [keyword.value for keyword in call.keywords if keyword.arg in WRITTEN]
    found: list[str] = []
    waiting: list[ast.AST] = [*call.args[:1], *named]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Subscript):  # keys are no words
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        spec = getattr(node, "format_spec", None)
        waiting += [child for child in ast.iter_child_nodes(node) if child is not spec]
    return found


def test_labels_buttons_and_help_are_words() -> None:
    found = []
    for path in Path(words.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name not in WIDGETS:
                continue
            found += [
                f"{path.name}:{node.lineno}: {text}"
                for text in _written(node)
                if any(letter.isalpha() for letter in text)
            ]
    assert not found, "\n".join(found)
