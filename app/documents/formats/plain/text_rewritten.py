"""Plain text: paragraphs between blank lines, whose lines are joined for translating and wrapped again as they were.

Tables and drawings made of characters and code are left as they are. A list's marks and indents stay.
"""

from __future__ import annotations

from typing import BinaryIO

from app.documents.formats.plain.text_file import TextFile
from app.documents.formats.plain.text_walk import walk
from app.documents.segments import SegmentKind, plain
from app.documents.source import Source
from app.documents.visits import Target, Visit, Visits


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:  # noqa: ARG001 - a plain text says no language
    """Any text is one."""
    file, visits = TextFile(source), Visits(visit)

    def show(words: str, kind: SegmentKind, level: int) -> str | None:
        new = visits((words,), kind, level=level)
        return plain(new) if new is not None else None

    left = walk(file.text, file.newline, show, file.replace)
    if left:
        source.remark("left_blocks", count=left)
    if out is not None:
        file.write(out)
