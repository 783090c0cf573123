"""FictionBook e-books (FB2): one XML file of sections in sections, whose notes are a body of their own.

Elements are known by their local names; pictures are left out of the stream. Source: FictionBook 2.1's schema.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, table_text
from app.documents.formats.markup.xml_tree import (
    FICTION_BOOK,
    Element,
    NumberedElement,
    WithoutPictures,
    local_name,
    stream_blocks,
    words_in,
)
from app.documents.source import FileSource, Item, Opened, counted

# Files of old tools have no namespace at all.
_SPACES = ("http://www.gribuser.ru/xml/fictionbook/2.0", "http://www.gribuser.ru/xml/fictionbook/2.1", "")
_CONTAINERS = frozenset(
    f"{{{space}}}{name}" if space else name for space in _SPACES for name in ("FictionBook", "body", "section")
)
_LINES = ("p", "v", "subtitle", "text-author", "date")
_LEFT_OUT = ("description", "stylesheet", "binary", "empty-line")


def read(source: FileSource) -> Iterator[Item]:
    """Sections by their titles, paragraphs and verses; raises DocumentUnreadable."""
    pictures, number, is_opened = 0, "", False
    with source.path.open("rb") as file:
        for numbered in stream_blocks(WithoutPictures(file, FICTION_BOOK), source, _CONTAINERS):
            name = local_name(numbered.element)
            if not is_opened:
                is_opened = True
                # The description comes first in every file, so the title is known before any text.
                title = next(numbered.element.iter("{*}book-title"), None) if name == "description" else None
                yield Opened(title=words_in(title))
            if name not in _LEFT_OUT:
                part = _SectionPart(numbered, number)
                number = part.number
                yield from part.pieces()
            pictures += sum(1 for _ in numbered.element.iter("{*}image", "image"))
    if not is_opened:
        yield Opened()
    yield from counted("pictures", pictures)


class _SectionPart:
    """A part of a section: its title, a paragraph, a poem, a table.

    A note's title is its number, which goes to the note's first paragraph.
    """

    def __init__(self, numbered: NumberedElement, number: str) -> None:
        self._element, self._number = numbered.element, number
        self._place = BlockPlace("", numbered.start, numbered.end)
        above = list(self._element.iterancestors())
        self._depth = sum(local_name(outer) == "section" for outer in above)
        self._is_note = any(
            local_name(ancestor) == "body" and ancestor.get("name") in ("notes", "comments") for ancestor in above
        )
        # A note's title is its number; the paragraph that follows is what is said.
        self.number = words_in(self._element) if self._is_note and local_name(self._element) == "title" else ""
        """Note number for the next part."""

    def pieces(self) -> Iterator[BlockPiece]:
        match local_name(self._element):
            case "title":
                words = " ".join(filter(None, map(words_in, self._iterate_lines())))
                if words and not self._is_note:
                    yield BlockPiece(BlockKind.HEADING, words, place=self._place, level=min(self._depth + 1, 9))
            case "table":
                rows = [
                    [words_in(cell) for cell in row if local_name(cell) in ("td", "th")]
                    for row in self._element.iter("{*}tr")
                ]
                yield BlockPiece(BlockKind.TABLE, table_text(rows), place=self._place)
            case _:
                kind, label = (BlockKind.NOTE, "footnote") if self._is_note else (BlockKind.PARAGRAPH, "")
                for line in self._iterate_lines():
                    yield BlockPiece(kind, f"{self._number} {words_in(line)}".strip(), place=self._place, label=label)
                    self._number = ""

    def _iterate_lines(self) -> Iterator[Element]:
        if local_name(self._element) in _LINES:
            yield self._element
            return
        for element in self._element.iter():
            if local_name(element) in _LINES:
                yield element
