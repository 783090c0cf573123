"""EPUB books, read and written back, chapter by chapter in the order of the spine.

Chapters are read as pages are, so broken markup is no obstacle. A block's part is the chapter's member of the archive,
and its offsets are characters of that member's decoded text. A heading from the table of contents has no place in it.

EPUB 2 and 3 (https://www.w3.org/TR/epub-33/). Elements are known by their local names, since old books have the
namespaces of drafts or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from app.documents.archive import CHUNK_BYTES, Archive
from app.documents.archive_copy import copy_archive
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.formats.markup import markup_tags
from app.documents.formats.markup.tagged_text import TextEdit, edits_of, spliced
from app.documents.formats.web.epub_package import (
    language_edits,
    ncx_labels,
    package_edits,
    package_labels,
    package_language,
    package_of,
)
from app.documents.formats.web.html_pages import PageWalk
from app.documents.formats.web.page_encoding import coded_page, decode_page
from app.documents.formats.web.walker import HtmlWalker
from app.documents.source import (
    FileSource,
    Item,
    Opened,
    PageRead,
    ReadingRemark,
    SegmentVisits,
    TargetLanguage,
    Visit,
    counted,
)
from app.documents.text_file import EncodedBytes

MOST_MEMBER_BYTES = 64_000_000
KEPT_CHARACTERS = 4_000_000
"""Characters of inspected chapters that are kept, to inflate them once: most books as a whole."""


def read(source: FileSource) -> Iterator[Item]:
    """Yield a book's blocks; only chapters that have text are counted. Raises DocumentUnreadable: drm, damaged,
    entities.
    """
    with Archive(source) as archive:
        package = package_of(archive, source)
        if not package.chapters:
            raise source.unreadable("damaged")
        chapters = _ChapterTexts(archive, source)
        with_text = [name for name in package.chapters if chapters.has_text(name)]
        yield Opened("chapter", len(with_text), package.title)
        for page, name in enumerate(with_text, start=1):
            if source.wants(page):
                yield from _add_title(chapters.pieces(name, page), package.headings.get(name))
                yield PageRead(page)
        for part in package.missing:
            yield ReadingRemark("missing_part", {"part": part})
        yield from counted("pictures", chapters.pictures)


class _ChapterTexts:
    """Texts of chapters, and the pictures in those read or without text."""

    def __init__(self, archive: Archive, source: FileSource) -> None:
        self.pictures = 0
        self._archive = archive
        self._source = source
        self._kept: dict[str, str] = {}
        self._kept_characters = 0

    def has_text(self, name: str) -> bool:
        text = self._chapter_text(name)
        walker = HtmlWalker(text, is_xml=True)
        # Covers and pages of pictures are no chapters.
        if next(walker.pieces(), None) is None:
            self.pictures += walker.pictures
            return False
        if self._kept_characters + len(text) <= KEPT_CHARACTERS:
            self._kept[name] = text
            self._kept_characters += len(text)
        return True

    # Kept from `has_text`, so that most chapters are inflated once.
    def pieces(self, name: str, page: int) -> list[BlockPiece]:
        walker = HtmlWalker(self._kept.pop(name, "") or self._chapter_text(name), page, name, is_xml=True)
        pieces = list(walker.pieces())
        self.pictures += walker.pictures
        return pieces

    def _chapter_text(self, name: str) -> str:
        text = decode_page(member_bytes(self._archive, self._source, name)).text
        # `html_pages` resolves no entities, but other readers of the same file would.
        if markup_tags.declares_entities(text):
            raise self._source.unreadable("entities")
        return text


def member_bytes(archive: Archive, source: FileSource, name: str) -> bytes:
    """Return a member's bytes. Raises DocumentUnreadable (inflates) for one too large to be held in memory."""
    data = bytearray()
    with archive.open(name) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            data += chunk
            if len(data) > MOST_MEMBER_BYTES:
                raise source.unreadable("inflates")
    return bytes(data)


def _add_title(pieces: list[BlockPiece], heading: tuple[int, str] | None) -> list[BlockPiece]:
    """Return the chapter with its title from the table of contents, unless it has a heading itself.

    Many books have the title as a paragraph that only looks like one; then this becomes the heading.
    """
    if heading is None or any(piece.kind is BlockKind.HEADING for piece in pieces):
        return pieces
    level, words = heading
    first = pieces[0]
    if first.kind is BlockKind.PARAGRAPH and " ".join(first.text.split()).casefold() == words.casefold():
        return [first._replace(kind=BlockKind.HEADING, level=level), *pieces[1:]]
    return [BlockPiece(BlockKind.HEADING, words, first.page, BlockPlace(first.place.part), level), *pieces]


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite a book; see `app.documents.source`. A segment's page is its chapter, from 1.

    Raises DocumentUnreadable: drm, damaged, entities, inflates.

    Pictures, style sheets, fonts and pages in which nothing changes keep their compressed bytes.
    """
    changed: dict[str, bytes] = {}
    with Archive(source) as archive:
        for name, coded, edits in _EpubBook(archive, source, SegmentVisits(visit), target).members():
            if edits and out is not None:
                changed[name] = coded.encoded(spliced(len(coded.text), edits), "xmlcharrefreplace")
    if out is not None:
        copy_archive(source, out, changed)


class _EpubBook:
    """Walk through the members of a book that have text, in the order in which segments are numbered."""

    def __init__(
        self, archive: Archive, source: FileSource, visits: SegmentVisits, target: TargetLanguage | None
    ) -> None:
        self._archive = archive
        self._source = source
        self._visits = visits
        self._target = target
        self._package = package_of(archive, source)
        if not self._package.chapters:
            raise source.unreadable("damaged")
        self._opf = self._member_encoding(self._package.name)
        self._language = package_language(self._opf.text)

    def members(self) -> Iterator[tuple[str, EncodedBytes, list[TextEdit]]]:
        chapter = 0
        for name in self._package.chapters:
            coded = self._member_encoding(name)
            walk = PageWalk(coded.text, is_xml=True, page=chapter + 1, language=self._language)
            # A page without segments is no chapter to the reader of the book either.
            chapter += bool(walk.stretches)
            yield name, coded, self._page_edits(walk)
        for name in self._package.others:
            coded = self._member_encoding(name)
            yield name, coded, self._page_edits(PageWalk(coded.text, is_xml=True, language=self._language))
        for name in self._package.ncx:
            coded = self._member_encoding(name)
            edits = edits_of(ncx_labels(coded.text), self._visits)
            if self._target is not None:
                edits += language_edits(coded.text, self._target, self._language)
            yield name, coded, edits
        edits = edits_of(package_labels(self._opf.text), self._visits)
        if self._target is not None:
            edits += package_edits(self._opf.text, self._target)
        yield self._package.name, self._opf, edits

    def _page_edits(self, walk: PageWalk) -> list[TextEdit]:
        edits = edits_of(walk.stretches, self._visits)
        return edits + list(walk.languages.edits(self._target)) if self._target else edits

    def _member_encoding(self, name: str) -> EncodedBytes:
        coded = coded_page(member_bytes(self._archive, self._source, name))
        if markup_tags.declares_entities(coded.text):
            raise self._source.unreadable("entities")
        return coded
