"""EPUB books, chapter by chapter in the order of the spine.

Chapters are read as pages are, so broken markup is no obstacle. A block's part is the chapter's member of the archive,
and its offsets are characters of that member's decoded text. A heading from the table of contents has no place in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.documents.archive import CHUNK_BYTES, Archive
from app.documents.blocks import Kind, Piece, Place
from app.documents.formats.markup.tokens import declares_entities
from app.documents.formats.web.encoding import decode_page
from app.documents.formats.web.epub_package import package_of
from app.documents.formats.web.walker import Walker
from app.documents.source import Item, Opened, PageRead, Remark, Source

MOST_CHAPTER_BYTES = 64_000_000
KEPT_CHARACTERS = 4_000_000
"""Of chapters that were looked into and are not inflated a second time: most books as a whole."""


def read(source: Source) -> Iterator[Item]:
    """A book's blocks; only chapters that have text are counted. Raises DocumentUnreadable: drm, damaged, entities."""
    with Archive(source) as archive:
        package = package_of(archive, source)
        if not package.chapters:
            raise source.unreadable("damaged")
        chapters = _Chapters(archive, source)
        with_text = [name for name in package.chapters if chapters.has_text(name)]
        yield Opened("chapter", len(with_text), package.title)
        for page, name in enumerate(with_text, start=1):
            if source.wants(page):
                yield from _titled(chapters.pieces(name, page), package.headings.get(name))
                yield PageRead(page)
        for part in package.missing:
            yield Remark("missing_part", {"part": part})
        if chapters.pictures:
            yield Remark("pictures", {"count": chapters.pictures})


class _Chapters:
    """The texts of chapters, and the pictures in those that were read or have nothing else."""

    def __init__(self, archive: Archive, source: Source) -> None:
        self.pictures = 0
        self._archive = archive
        self._source = source
        self._kept: dict[str, str] = {}
        self._kept_characters = 0

    def has_text(self, name: str) -> bool:
        """Whether there is a block in it."""
        text = self._text(name)
        walker = Walker(text, is_xml=True)
        if next(walker.pieces(), None) is None:
            self.pictures += walker.pictures
            return False
        if self._kept_characters + len(text) <= KEPT_CHARACTERS:
            self._kept[name] = text
            self._kept_characters += len(text)
        return True

    def pieces(self, name: str, page: int) -> list[Piece]:
        """All its blocks."""
        walker = Walker(self._kept.pop(name, "") or self._text(name), page, name, is_xml=True)
        pieces = list(walker.pieces())
        self.pictures += walker.pictures
        return pieces

    def _text(self, name: str) -> str:
        text = decode_page(self._bytes(name)).text
        if declares_entities(text):
            raise self._source.unreadable("entities")
        return text

    def _bytes(self, name: str) -> bytes:
        """A chapter is in memory as a whole, so it may not be of any size."""
        data = bytearray()
        with self._archive.open(name) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                data += chunk
                if len(data) > MOST_CHAPTER_BYTES:
                    raise self._source.unreadable("inflates")
        return bytes(data)


def _titled(pieces: list[Piece], heading: tuple[int, str] | None) -> list[Piece]:
    """The chapter with its title from the table of contents, unless it has a heading itself.

    Many books have the title as a paragraph that only looks like one; then this becomes the heading.
    """
    if heading is None or any(piece.kind is Kind.HEADING for piece in pieces):
        return pieces
    level, words = heading
    first = pieces[0]
    if first.kind is Kind.PARAGRAPH and " ".join(first.text.split()).casefold() == words.casefold():
        return [first._replace(kind=Kind.HEADING, level=level), *pieces[1:]]
    return [Piece(Kind.HEADING, words, first.page, Place(first.place.part), level), *pieces]
