"""Pages, HTML and XHTML files, written back: all but the translated text stays byte for byte.

Segments are what stands between the borders of blocks, and what is read of attributes and of the head. What is left:
code, formulas, scripts, what a page marks as not to be translated (`translate="no"`, class `notranslate`), and what it
marks as being in another language than itself, such as a quotation.
"""

from __future__ import annotations

from typing import BinaryIO

from app.documents.source import Source
from app.documents.writers import Target, Visit
from app.documents.writers.html_bytes import coded_page, declaration
from app.documents.writers.html_walk import PageWalk
from app.documents.writers.markup_splice import Visits, spliced

_XML_ENDINGS = (".xhtml", ".xht")


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """A page with its segments replaced; see `app.documents.writers`."""
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
