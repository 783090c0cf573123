"""A string of a data file shown line by line, with tags of HTML in it as marks; what is a page is shown as one."""

from __future__ import annotations

import re

from app.documents.formats.catalogs.prose import is_page
from app.documents.formats.catalogs.tagged import tagged
from app.documents.formats.web.rewritten_pages import shown_piece
from app.documents.segments import SegmentKind
from app.documents.visits import Visits

_NEW_LINE = re.compile(r"(\r\n|\r|\n)")
_WORD = re.compile(r"[^\W\d_]")


def shown_value(
    value: str, visits: Visits, context: str, kind: SegmentKind = SegmentKind.VALUE, *, key: str = ""
) -> str | None:
    """What a value becomes; None where it stays. White space at the ends of a line stays where it is."""
    if is_page(value, key):
        return shown_piece(value, visits, context)
    lines = _NEW_LINE.split(value)
    new = [_line(line, visits, context, kind) for line in lines]
    return None if new == lines else "".join(new)


def _line(line: str, visits: Visits, context: str, kind: SegmentKind) -> str:
    inner = line.strip()
    if not _WORD.search(inner):
        return line
    message = tagged(inner)
    content = visits(message.content, kind, context=context)
    if content is None:
        return line
    start = line.index(inner)
    return line[:start] + _NEW_LINE.sub(" ", message.text_of(content)).strip() + line[start + len(inner) :]
