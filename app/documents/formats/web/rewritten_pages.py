"""Pages, HTML and XHTML files, written back: all but the translated text stays byte for byte.

Segments are what stands between the borders of blocks, and what is read of attributes and of the head. What is left:
code, formulas, scripts, what a page marks as not to be translated (`translate="no"`, class `notranslate`), and what it
marks as being in another language than itself, such as a quotation.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from app.documents.formats.markup.splice import Visits, spliced
from app.documents.formats.markup.stretches import Edit
from app.documents.formats.web.page_bytes import coded_page, declaration
from app.documents.formats.web.page_walk import PageWalk
from app.documents.segments import Content, content_of
from app.documents.source import Source
from app.documents.visits import Target, Visit
from app.documents.visits import Visits as Numbered

_XML_ENDINGS = (".xhtml", ".xht")
_NEW_LINE = re.compile(r"[\r\n]+")


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """A page with its segments replaced; see `app.documents.visits`."""
    data = source.path.read_bytes()
    coded = coded_page(data, source.encoding)
    is_xml = coded.text.lstrip().startswith("<?xml") or source.path.suffix.lower() in _XML_ENDINGS
    walk = PageWalk(coded.text, is_xml=is_xml)
    edits = Visits(visit).edits(walk.stretches)
    if target is not None:
        edits += walk.languages.edits(target)
    if not is_xml:
        edits += declaration(data, coded.text, edits)
    if out is not None:
        out.write(coded.encoded(spliced(len(coded.text), edits)) if edits else data)


def shown_piece(html: str, visits: Numbered, context: str = "") -> str | None:
    """HTML within a file of another kind, with its texts as those of a page; None where it stays.

    No new line comes into it: a block in Markdown would end there.
    """
    edits: list[Edit] = []
    for stretch in PageWalk(html, is_xml=False).stretches:
        new = visits(stretch.content, stretch.kind, level=stretch.level, context=context)
        if new is not None:
            edits += [stretch.edit(_in_one_line(new)), *stretch.also]
    if not edits:
        return None
    return "".join(each if isinstance(each, str) else html[slice(*each)] for each in spliced(len(html), edits))


def _in_one_line(content: Content) -> Content:
    return content_of([_NEW_LINE.sub(" ", part) if isinstance(part, str) else part for part in content])
