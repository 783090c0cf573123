"""Toys: a line that says so, then a paragraph on each line that begins with a star; other lines are for machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.segments import plain
from app.documents.source import FileSource, Item, Opened, SegmentVisits, TargetLanguage, Visit
from app.documents.text_file import TextFile

_PARAGRAPH = re.compile(r"^\* (.*)$", re.MULTILINE)


def read(source: FileSource) -> Iterator[Item]:
    """Its paragraphs."""
    text = TextFile(source).text
    yield Opened(title="A toy")
    for found in _PARAGRAPH.finditer(text):
        yield BlockPiece(BlockKind.PARAGRAPH, found[1], place=BlockPlace("", *found.span(1)))


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Its paragraphs; where it says its language, the target's."""
    file, visits = TextFile(source), SegmentVisits(visit)
    said = re.search(r"^language=(\w+)$", file.text, re.MULTILINE)
    if target is not None and said is not None:
        file.replace(*said.span(1), target.language)
    for found in _PARAGRAPH.finditer(file.text):
        new = visits((found[1],))
        if new is not None:
            file.replace(*found.span(1), plain(new))
    if out is not None:
        file.write(out)
