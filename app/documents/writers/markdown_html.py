"""Blocks of HTML in a Markdown file: their texts are found as those of a page are."""

from __future__ import annotations

import re

from app.documents.segments import Content, content_of
from app.documents.writers.html_walk import PageWalk
from app.documents.writers.markup_splice import spliced
from app.documents.writers.markup_stretch import Edit
from app.documents.writers.splices import TextFile
from app.documents.writers.visits import Visits

_NEW_LINE = re.compile(r"[\r\n]+")


def put_html(file: TextFile, start: int, end: int, visits: Visits) -> None:
    """Shows the texts of a block and writes what comes back. No empty line comes into it: it would end there."""
    html = file.text[start:end]
    edits: list[Edit] = []
    for stretch in PageWalk(html, is_xml=False).stretches:
        new = visits.show(stretch.content, stretch.kind, level=stretch.level)
        if new is not None:
            edits += [stretch.edit(_in_one_line(new)), *stretch.also]
    if edits:
        pieces = spliced(len(html), edits)
        file.replace(start, end, "".join(each if isinstance(each, str) else html[slice(*each)] for each in pieces))


def _in_one_line(content: Content) -> Content:
    return content_of([_NEW_LINE.sub(" ", part) if isinstance(part, str) else part for part in content])
