"""Source code: exact, in parts that end where a part of it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.plain.source_code import (
    LEAST_LINES,
    MOST_LINE_CHARACTERS,
    MOST_LINES,
    has_shebang,
    language_of,
    read,
)
from app.documents.source import FileSource, Item, ReadingRemark


def items(path: Path, text: str) -> tuple[list[BlockPiece], list[Item]]:
    path.write_text(text, "utf-8", newline="")
    found = list(read(FileSource(path)))
    pieces = [each for each in found if isinstance(each, BlockPiece)]
    assert all(piece.kind is BlockKind.CODE for piece in pieces)
    return pieces, found


def test_code_is_divided_between_its_functions_and_otherwise_exact(tmp_path: Path) -> None:
    function = "def name():\n" + "    work()\n\n" * 10 + "    return 1\n\n\n"
    text = function * 20
    pieces, _ = items(tmp_path / "a.py", text)
    assert all(piece.text.startswith("def name():") and piece.label == "python" for piece in pieces)
    assert all(LEAST_LINES - 3 <= piece.text.count("\n") <= MOST_LINES for piece in pieces[:-1])
    assert all(text[piece.place.start : piece.place.end].strip("\n") == piece.text for piece in pieces)
    assert "".join(text[piece.place.start : piece.place.end] for piece in pieces) == text


def test_a_minified_file_of_megabytes_is_cut_and_says_so(tmp_path: Path) -> None:
    pieces, found = items(tmp_path / "a.min.js", "/* head */\n" + "var a=1;" * 600_000 + "\nlast();\n")
    assert ReadingRemark("long_lines", {"count": 1}) in found
    assert sum(len(piece.text) for piece in pieces) < MOST_LINE_CHARACTERS + 100
    assert pieces[-1].text.endswith("last();")
    assert {piece.label for piece in pieces} == {"javascript"}


def test_a_script_without_an_ending_is_named_by_what_runs_it(tmp_path: Path) -> None:
    assert items(tmp_path / "tool", "#!/usr/bin/env -S python3 -u\nprint()\n")[0][0].label == "python"
    assert items(tmp_path / "tool", "#!/bin/bash\ntrue\n")[0][0].label == "shell"
    assert items(tmp_path / "yarn.lock", "a@1:\n  version 1\n")[0][0].label == "lock"
    assert has_shebang("#! /usr/bin/perl -w\n")
    assert not has_shebang("# a title\n")


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.PY", "python"),
        ("a.b.rs", "rust"),
        ("Makefile", "makefile"),
        ("py", ""),
        ("a.txt", ""),
        ("a.svg", "xml"),
        (".env", "ini"),
    ],
)
def test_a_language_is_known_by_the_ending(name: str, language: str) -> None:
    assert language_of(name) == language


@given(st.lists(st.sampled_from(["", "}", "    inside", "top {", "\tx", "é" * 30]), min_size=1, max_size=700))
def test_every_line_is_kept_once_and_in_order(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    marked = [f"{line} m{number}" if line.strip() else line for number, line in enumerate(lines)]
    pieces, _ = items(tmp_path_factory.mktemp("code") / "a.c", "\r\n".join(marked))
    found = [line for piece in pieces for line in piece.text.split("\n") if line.strip()]
    assert found == [line for line in marked if line.strip()]
    assert all(piece.text.count("\n") < MOST_LINES for piece in pieces)
