"""Notebooks of versions 3 and 4: words, code and what it wrote, and no picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.markdown.notebook import read
from app.documents.source import FileSource, Item, Opened, ReadingRemark

PICTURE = {"image/png": "iVBORw0KGgo" * 1000, "text/plain": ["<Figure 1>"]}


def items(tmp_path: Path, book: Any) -> list[Item]:
    path = tmp_path / "a.ipynb"
    path.write_text(book if isinstance(book, str) else json.dumps(book), "utf-8")
    return list(read(FileSource(path)))


def pieces(tmp_path: Path, book: Any) -> list[tuple[BlockKind, str, str]]:
    return [(each.kind, each.text, each.label) for each in items(tmp_path, book) if isinstance(each, BlockPiece)]


def test_version_4_with_outputs_errors_and_pictures(tmp_path: Path) -> None:
    book = {
        "nbformat": 4,
        "metadata": {"language_info": {"name": "julia"}, "title": "Sums"},
        "cells": [
            {"cell_type": "markdown", "source": ["# Title\n", "\n", "Some *words*."]},
            {
                "cell_type": "code",
                "source": "1 + 1\n2 + 2",
                "outputs": [
                    {"output_type": "stream", "text": ["printed\n", "lines\n"]},
                    {"output_type": "execute_result", "data": {"text/plain": "4", "text/html": "<b>4</b>"}},
                    {"output_type": "display_data", "data": PICTURE},
                    {
                        "output_type": "error",
                        "ename": "E",
                        "evalue": "v",
                        "traceback": ["\x1b[31mE\x1b[0m: bad", "line 1"],
                    },
                    {"output_type": "error", "ename": "Other", "evalue": "wrong", "traceback": []},
                ],
            },
            {"cell_type": "raw", "source": "raw text"},
        ],
    }
    found = pieces(tmp_path, book)
    assert found[0][:2] == (BlockKind.HEADING, "Title")
    assert found[1][0] is BlockKind.PARAGRAPH
    assert "words" in found[1][1]
    assert found[2:] == [
        (BlockKind.CODE, "1 + 1\n2 + 2", "julia"),
        (BlockKind.CODE, "printed\nlines", "output"),
        (BlockKind.CODE, "4", "output"),
        (BlockKind.CODE, "<Figure 1>", "output"),
        (BlockKind.CODE, "E: bad\nline 1", "output"),
        (BlockKind.CODE, "Other: wrong", "output"),
        (BlockKind.PARAGRAPH, "raw text", ""),
    ]
    everything = items(tmp_path, book)
    assert everything[0] == Opened(title="Sums", encoding="utf-8")
    assert everything[-1] == ReadingRemark("pictures", {"count": 1})
    assert {each.place.part for each in everything if isinstance(each, BlockPiece)} == {"cell 1", "cell 2", "cell 3"}


def test_version_3_keeps_its_cells_in_worksheets(tmp_path: Path) -> None:
    code = {"cell_type": "code", "input": ["a = 1"], "language": "python", "outputs": [
        {"output_type": "pyout", "text": ["1"]}, {"output_type": "display_data", "png": "iVBO"},
        {"output_type": "pyerr", "ename": "E", "evalue": "x", "traceback": []}]}  # fmt: skip
    book = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "heading", "level": 2, "source": "Part"}, code]}]}
    assert pieces(tmp_path, book) == [
        (BlockKind.HEADING, "Part", ""),
        (BlockKind.CODE, "a = 1", "python"),
        (BlockKind.CODE, "1", "output"),
        (BlockKind.CODE, "E: x", "output"),
    ]
    assert ReadingRemark("pictures", {"count": 1}) in items(tmp_path, book)


@pytest.mark.parametrize(
    ("text", "reason"),
    [('{"cells": [', "damaged"), ('{"cells": ' + "[" * 200_000, "too_deep"), ("{'a': 1}", "damaged")],
)
def test_what_is_no_json_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        items(tmp_path, text)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "book",
    [
        {},
        [],
        {"cells": 5},
        {"cells": [1, None, {"cell_type": 7, "source": {"a": 1}, "outputs": "x"}]},
        {"metadata": [1]},
    ],
)
def test_what_is_no_notebook_gives_nothing_and_no_error(tmp_path: Path, book: Any) -> None:
    assert pieces(tmp_path, book) == []
