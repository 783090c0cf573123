"""Reads OpenDocument texts and presentations (LibreOffice and others), packed or as one flat XML file."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.documents.archive import Archive
from app.documents.blocks import Kind, Piece, Place
from app.documents.formats.office.code_lines import code_joined
from app.documents.formats.opendocument.blocks import Blocks
from app.documents.formats.opendocument.flat import WithoutPictures
from app.documents.formats.opendocument.styles import DRAW, OFFICE, PRESENTATION, STYLE, TEXT, Styles
from app.documents.formats.opendocument.text import PARAGRAPHS, equation_text
from app.documents.source import Item, Opened, PageRead, Remark, Source
from app.documents.xml_tree import Element, Places, parse, stream_blocks

_CONTENT, _STYLES, _META, _MANIFEST = "content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"
_ENCRYPTION = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}encryption-data"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_SECTION = f"{TEXT}section"
_CONTAINERS = frozenset(
    (f"{OFFICE}document", f"{OFFICE}document-content", f"{OFFICE}body", f"{OFFICE}text", f"{OFFICE}drawing", _SECTION)
    + tuple(
        f"{TEXT}{name}"
        for name in ("table-of-content", "alphabetical-index", "illustration-index", "table-index", "object-index")
        + ("user-index", "bibliography", "index-body", "index-title")
    )
)
_DEFINITIONS = (f"{OFFICE}styles", f"{OFFICE}automatic-styles")
_MASTERS, _SLIDE = f"{OFFICE}master-styles", f"{DRAW}page"
_MARGINS = ("header", "footer")
_PEEKED_BYTES = 64 * 1024


def read(source: Source) -> Iterator[Item]:
    """The pieces of an ODT, or the slides of an ODP.

    Notes and comments come after the block that calls them; headers and footers, each once, at the end.
    """
    try:
        with source.path.open("rb") as file:
            is_packed = file.read(2) == b"PK"
        if is_packed:
            with Archive(source) as archive:
                yield from _packed(archive, source)
        else:
            yield from _flat(source)
    except RecursionError:
        raise source.unreadable("too_deep") from None


def _packed(archive: Archive, source: Source) -> Iterator[Item]:
    if _MANIFEST in archive:
        manifest = parse(archive.read(_MANIFEST), source)
        if next(manifest.iter(_ENCRYPTION), None) is not None:
            raise source.unreadable("protected")
    reading = _Reading(source, archive)
    title = _title(parse(archive.read(_META), source)) if _META in archive else ""
    styles = parse(archive.read(_STYLES), source) if _STYLES in archive else None
    if styles is not None:
        reading.styles.add(styles)
    kind = archive.read("mimetype")[:200] if "mimetype" in archive else b""
    archive.refuse_crowd(_CONTENT)
    with archive.open(_CONTENT) as stream:
        yield from reading.body(stream, _CONTENT, title, has_slides=b"presentation" in kind)
    if styles is not None:
        yield from reading.margins(styles, Places(_STYLES, styles))
    yield from reading.remarks()


def _flat(source: Source) -> Iterator[Item]:
    reading = _Reading(source, None)
    with source.path.open("rb") as file:
        peeked = file.read(_PEEKED_BYTES).replace(b"\x00", b"")
        file.seek(0)
        has_slides = b"opendocument.presentation" in peeked
        yield from reading.body(WithoutPictures(file), "", _flat_title(source.path, source), has_slides=has_slides)
    yield from reading.remarks()


def _flat_title(path: Path, source: Source) -> str:
    with path.open("rb") as file:
        for each in stream_blocks(WithoutPictures(file), source, frozenset((f"{OFFICE}document",))):
            if each.element.tag == f"{OFFICE}meta":
                return _title(each.element)
            if each.element.tag in (*_DEFINITIONS, f"{OFFICE}body"):
                break
    return ""


def _title(root: Element) -> str:
    title = next(root.iter(_TITLE), None)
    return " ".join((title.text or "").split()) if title is not None else ""


class _Reading:
    """One document while it is read."""

    def __init__(self, source: Source, archive: Archive | None) -> None:
        self.styles = Styles()
        self._source = source
        self._archive = archive
        self._blocks = Blocks(self.styles, self._equation)
        self._late: list[Piece] = []

    def body(self, stream: BinaryIO, part: str, title: str, *, has_slides: bool) -> Iterator[Item]:
        """Everything of the part with the text, `Opened` first."""
        if has_slides:
            yield from self._presentation(parse(stream, self._source), part, title)
        else:
            yield Opened(title=title)
            yield from code_joined(self._text(stream, part))
        yield from self._late

    def _text(self, stream: BinaryIO, part: str) -> Iterator[Piece]:
        parent, is_hidden = None, False
        for start, end, element in stream_blocks(stream, self._source, _CONTAINERS):
            if element.getparent() is not parent:
                parent = element.getparent()
                is_hidden = _is_hidden(parent)
            tag = element.tag
            if tag in PARAGRAPHS and not is_hidden:
                piece, words = self._blocks.paragraph(element, Place(part, start, end))
                if piece is not None:
                    yield piece
                elif words is None and self._blocks.is_code(element):
                    yield Piece(Kind.CODE, "", None, Place(part, start, end))
                if words is not None:
                    yield from self._blocks.followed(words, Places(part, element, start, end))
            elif tag in _DEFINITIONS:
                self.styles.add(element)
            elif tag == _MASTERS:
                self.styles.add(element)
                self._late += self.margins(element, Places(part, element, start, end))
            elif not is_hidden:
                yield from self._blocks.read(element, Places(part, element, start, end))

    def _presentation(self, root: Element, part: str, title: str) -> Iterator[Item]:
        for each in root.iter(*_DEFINITIONS, _MASTERS):
            self.styles.add(each)
        places = Places(part, root)
        slides = list(root.iter(_SLIDE))
        yield Opened("slide", len(slides), title)
        for number, slide in enumerate(slides, 1):
            if self._source.wants(number):
                yield from self._slide(slide, number, places)
        self._blocks.page = None
        said: set[tuple[str, str]] = set()
        for kind in _MARGINS:
            for each in root.iter(f"{PRESENTATION}{kind}-decl"):
                text = " ".join((each.text or "").split())
                if text and (kind, text) not in said:
                    said.add((kind, text))
                    yield Piece(Kind.NOTE, text, None, places.place(each), label=kind)

    def _slide(self, slide: Element, number: int, places: Places) -> Iterator[Item]:
        self._blocks.page = number
        if self.styles.is_hidden_page(slide.get(f"{DRAW}style-name", "")):
            yield Remark("hidden", {"unit": "slide", "name": str(number)})
        has_text = False
        pictures = self._blocks.pictures
        for child in slide:
            is_title = child.get(f"{PRESENTATION}class") == "title"
            gathered = self._blocks.gathered(child, places, Kind.HEADING) if is_title else None
            for piece in gathered or self._blocks.read(child, places):
                has_text = True
                yield piece
        yield PageRead(number, has_text, is_picture=not has_text and self._blocks.pictures > pictures)

    def margins(self, root: Element, places: Places) -> Iterator[Piece]:
        """The headers and footers of all kinds of pages, those that say the same once."""
        said: set[tuple[str, str]] = set()
        for kind in _MARGINS:
            for each in root.iter(*(f"{STYLE}{kind}{variant}" for variant in ("", "-left", "-first"))):
                for piece in self._blocks.gathered(each, places, Kind.NOTE, kind):
                    if (kind, piece.text) not in said:
                        said.add((kind, piece.text))
                        yield piece

    def remarks(self) -> Iterator[Remark]:
        """What the person should know in the end."""
        if self._blocks.pictures:
            yield Remark("pictures", {"count": self._blocks.pictures})

    def _equation(self, href: str) -> str:
        """An equation is a document of its own inside the archive; other objects have no words that belong here."""
        name = posixpath.normpath(posixpath.join(href, _CONTENT))
        if self._archive is None or name not in self._archive:
            return ""
        root = parse(self._archive.read(name), self._source)
        return equation_text(root) if str(root.tag).endswith("}math") else ""


def _is_hidden(parent: Element | None) -> bool:
    return any(
        each.tag == _SECTION and each.get(f"{TEXT}display") == "none"
        for each in ([parent, *parent.iterancestors()] if parent is not None else ())
    )
