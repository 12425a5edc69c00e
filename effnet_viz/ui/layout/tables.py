"""Tables of numbers as plain HTML: they bring no code, and their text can be selected."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

import streamlit as st


def show_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    label: str,
    words: Collection[int] = (),
    strong: Collection[int] = (),
    wrapped: bool = False,
) -> None:
    """A table that scrolls in itself, by keys too, where it is wider than the page.

    With `wrapped`, words take several lines.

    The first cell of a row is its head. `label` says what the table is to those who do not see it;
    the columns `words` hold words and not numbers, the columns `strong` stand out.
    """
    st.html(
        scrolling(
            label,
            f"<table>{head(heads, words)}<tbody>{body(rows, words, strong)}</tbody></table>",
            "table wrapped" if wrapped else "table",
        )
    )


def scrolling(label: str, content: str, look: str = "table") -> str:
    """The region around a table. It has the focus when somebody wants to scroll it by keys."""
    return (
        f'<div class="{look}" role="region" tabindex="0" aria-label="{html.escape(label)}">'
        f"{content}</div>"
    )


def head(heads: Sequence[str], words: Collection[int] = ()) -> str:
    """The row of heads; an empty one is none."""
    cells = "".join(
        f'<th scope="col"{_class(column, words, ())}>{html.escape(text)}</th>'
        if text
        else "<td></td>"
        for column, text in enumerate(heads)
    )
    return f"<thead><tr>{cells}</tr></thead>"


def body(
    rows: Sequence[Sequence[str]], words: Collection[int] = (), strong: Collection[int] = ()
) -> str:
    """Rows of cells, the first of each its head."""
    return "".join(f"<tr>{_cells(row, words, strong)}</tr>" for row in rows)


def _cells(row: Sequence[str], words: Collection[int], strong: Collection[int]) -> str:
    first, *rest = map(html.escape, row)
    cells = "".join(
        f"<td{_class(column, words, strong)}>{text}</td>" for column, text in enumerate(rest, 1)
    )
    return f'<th scope="row">{first}</th>{cells}'


def _class(column: int, words: Collection[int], strong: Collection[int]) -> str:
    names = [
        name
        for name, of in (("words", column == 0 or column in words), ("strong", column in strong))
        if of
    ]
    return f' class="{" ".join(names)}"' if names else ""
