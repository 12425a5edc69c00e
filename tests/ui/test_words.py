"""The sentences of all pages, in one module."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from effnet_viz.ui import words


def test_no_sentence_takes_the_name_of_another() -> None:
    tree = ast.parse(Path(words.__file__).read_text(encoding="utf-8"))
    given = Counter(
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    )
    assert [name for name, times in given.items() if times > 1] == []
