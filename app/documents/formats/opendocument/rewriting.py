"""OpenDocument texts, presentations and spreadsheets written back, packed or as one flat XML file.

Segments are paragraphs, with headers and footers, notes, comments, the words for pictures and what the document says
of itself. In a spreadsheet they are the cells with text; formulas, the values they gave, and names of sheets stay,
since formulas name them. A member in which nothing changes keeps its compressed bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.documents.archive import Archive
from app.documents.archive_copy import copy_archive
from app.documents.formats.markup.stretches import Coded, Edit, Visits, spliced
from app.documents.formats.opendocument.direction import Turning
from app.documents.formats.opendocument.flat import WithoutPictures
from app.documents.formats.opendocument.language import default_language, locale_of
from app.documents.formats.opendocument.text_styles import TextStyles
from app.documents.formats.opendocument.walk import OdfWalk
from app.documents.segments import SegmentKind
from app.documents.source import Source
from app.documents.visits import Target, Visit
from app.documents.xml_text import encoding_of
from app.documents.xml_tree import parse

_CONTENT, _STYLES, _META, _MANIFEST = "content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"
_ENCRYPTION = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}encryption-data"
_LANGUAGE = re.compile(r"<dc:language>([^<]*)</dc:language>")


@dataclass
class _Part:
    name: str
    coded: Coded
    walk: OdfWalk


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """A document with its segments replaced; see `app.documents.visits`. A segment's page is its slide or sheet.

    Raises DocumentUnreadable: protected, damaged, entities, too_deep, inflates.
    """
    with source.path.open("rb") as file:
        is_packed = file.read(2) == b"PK"
    styles = TextStyles()
    if is_packed:
        with Archive(source) as archive:
            parts = _packed(archive, source, styles)
    else:
        parts = [_flat(source, styles)]
    changed = _changed(parts, styles, visit, target)
    if out is None:
        return
    if is_packed:
        copy_archive(source, out, changed)
    else:
        out.write(changed[""] if changed else source.path.read_bytes())


def _packed(archive: Archive, source: Source, styles: TextStyles) -> list[_Part]:
    """The text first, then objects in it such as charts, the styles, and what the document says of itself."""
    if _MANIFEST in archive:
        manifest = parse(archive.read(_MANIFEST), source)
        if next(manifest.iter(_ENCRYPTION), None) is not None:
            raise source.unreadable("protected")
    objects = [name for name in archive.names if name.endswith(f"/{_CONTENT}")]
    names = [_CONTENT, *objects, *(each for each in (_STYLES, _META) if each in archive)]
    members = {name: _member(archive, name) for name in names}
    formulas = set()
    for name in reversed(names):  # styles before the text that has them
        root = parse(members[name], source)  # so it is well-formed, and not too deep
        if name in (_CONTENT, _STYLES):
            styles.add(root)
        elif str(root.tag).endswith("}math"):
            formulas.add(name)
    return [
        _part(name, data, styles, SegmentKind.LABEL if name in objects else SegmentKind.PARAGRAPH)
        for name, data in members.items()
        if name not in formulas
    ]


def _member(archive: Archive, name: str) -> bytes:
    archive.refuse_crowd(name)
    return archive.read(name)


def _flat(source: Source, styles: TextStyles) -> _Part:
    data = source.path.read_bytes()
    styles.add(parse(WithoutPictures(io.BytesIO(data)), source))
    return _part("", data, styles, SegmentKind.PARAGRAPH)


def _part(name: str, data: bytes, styles: TextStyles, kind: SegmentKind) -> _Part:
    coded = Coded(data, encoding_of(data))
    return _Part(name, coded, OdfWalk(coded.text, styles, kind))


def _changed(parts: list[_Part], styles: TextStyles, visit: Visit, target: Target | None) -> dict[str, bytes]:
    """The parts in which something changes, by name."""
    visits = Visits(visit)
    edits = [visits.edits(part.walk.stretches) for part in parts]
    if target is not None:
        edits = [found + more for found, more in zip(edits, _language_edits(parts, styles, target), strict=True)]
    return {
        part.name: part.coded.encoded(spliced(len(part.coded.text), found))
        for part, found in zip(parts, edits, strict=True)
        if found
    }


def _language_edits(parts: list[_Part], styles: TextStyles, target: Target) -> Iterator[list[Edit]]:
    """What makes each part say that it is in the target language."""
    locale = locale_of(target.language)
    tags = [part.walk.style_tags for part in parts]
    before = next(filter(None, (default_language(each, locale) for each in tags)), "")
    turning = Turning(target, locale, before, tags, styles.is_code)
    for part, each in zip(parts, tags, strict=True):
        yield [*turning.edits(each), *_named_languages(part.coded.text, target)]


def _named_languages(text: str, target: Target) -> list[Edit]:
    """What the document says of its language as a whole."""
    return [Edit(*match.span(1), (target.language,)) for match in _LANGUAGE.finditer(text)]
