"""Source code and data that only programs read: in parts that end where a top-level part of it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from app.core.paths import resource_path
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.encoding import after_the_text, lines, stream, without_nuls
from app.documents.source import FileSource, Item, Opened, counted

LEAST_LINES, MOST_LINES = 60, 120
MOST_LINE_CHARACTERS = 2000
"""Limit of a line; the rest is left out with a remark, being written by a program for a program."""

MOST_CHARACTERS = 16_000

Line = tuple[int, str, int]
"""(offset, text with newline, characters left out)."""

_LANGUAGES = {
    ending: language
    for language, endings in json.loads(resource_path("code.json").read_text("utf-8")).items()
    for ending in endings.split()
}
_NAMES = {"makefile": "makefile", "dockerfile": "dockerfile", "cmakelists.txt": "cmake", "jenkinsfile": "groovy"}
# "#!/usr/bin/env -S python3": the program behind env and its options.
_SHEBANG = re.compile(r"#![ \t]*/(?:\S*/)?([a-z]+)[\d.]*(?:[ \t]+(?:-\S+[ \t]+)*([a-z]+))?")


def language_of(name: str) -> str:
    """Return the language of a file by its name, "" where that says none."""
    name = name.lower()
    return _NAMES.get(name) or _LANGUAGES.get(name.rpartition(".")[2] if "." in name else "", "")


def has_shebang(text: str) -> bool:
    return _SHEBANG.match(text) is not None


def read(source: FileSource) -> Iterator[Item]:
    """Parts of some hundred lines, exactly as they are; their places are in characters of the decoded text."""
    language = language_of(source.name)
    with source.path.open("rb") as file:
        text = stream(file, source.encoding)
        yield Opened(encoding=text.encoding)
        nuls = long_lines = 0
        for part in _group_lines(lines(text, MOST_LINE_CHARACTERS)):
            raw = "".join(line for _, line, _ in part)
            nuls += raw.count("\0")
            long_lines += sum(left_out > 0 for _, _, left_out in part)
            # The first line of the file alone can be a shebang.
            start = part[0][0]
            if not language and start == 0:
                language = _runs_with(raw)
            end = part[-1][0] + len(part[-1][1]) + part[-1][2]
            yield BlockPiece(
                BlockKind.CODE, without_nuls(raw).strip("\n"), place=BlockPlace("", start, end), label=language
            )
        yield from counted("long_lines", long_lines)
        yield from after_the_text(text.encoding, text.odd_bytes + nuls)


def _group_lines(all_lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Yield groups of lines that end before an unindented line after an empty one, if there is any.

    Their length is limited too: long lines make smaller groups.
    """
    part: list[Line] = []
    size = 0
    for line in all_lines:
        # A closing bracket at the margin ends a part and begins none.
        is_top = line[1][:1] not in (" ", "\t", "\r", "\n", "}", ")", "]", "") and part and not part[-1][1].strip()
        if part and ((is_top and len(part) >= LEAST_LINES) or len(part) >= MOST_LINES or size > MOST_CHARACTERS):
            if any(line.strip() for _, line, _ in part):
                yield part
            part, size = [], 0
        part.append(line)
        size += len(line[1])
    if any(line.strip() for _, line, _ in part):
        yield part


def _runs_with(text: str) -> str:
    """Return the language of a program by the line that says which other program runs it."""
    found = _SHEBANG.match(text)
    name = "" if found is None else (found[2] or "") if found[1] == "env" else found[1]
    names = {"node": "javascript", "deno": "typescript"}
    return names.get(name, "shell" if name.endswith("sh") else name)
