"""Reader for Markdown: blocks with their inline markup, which models read well.

Block markup becomes kind, level and label: headings, list and quote marks, fences, table rules. Paragraph lines are
joined, hard breaks stay. Link definitions are paragraphs, footnotes begin with their mark, front matter is code in
"yaml", and HTML blocks are read as pages are. Parsed by markdown-it (CommonMark, https://spec.commonmark.org) with
GitHub's tables and footnotes.

Places are offsets into the decoded text, from the first word or fence to the last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, table_text
from app.documents.encoding import after_the_text, decode
from app.documents.formats.web.walker import HtmlWalker
from app.documents.source import FileSource, Item, Opened

PORTION_CHARACTERS = 500_000
"""Approximate size of portions that long files are read in, cut between blocks."""
MOST_NESTING = 60
"""Quotes and lists further inside each other are read as the lines they are; markdown-it would leave them out."""
NEW_LINE = re.compile(r"\r\n?|\n")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# Where a portion may begin: what begins so can't go on with a list or a quote above it.
_BORDER = re.compile(r"(?:#{1,6}\s|[^\W\d_])")
_MARKS = re.compile(r"(?:[\s>]|[-+*](?=\s)|\d{1,9}[.)](?=\s))*")
# A bar that is escaped is no border.
CELL_BORDER = re.compile(r"(?<!\\)\|")
_LEAVES = ("inline", "fence", "code_block", "html_block", "hr", "front_matter")


def read(source: FileSource) -> Iterator[Item]:
    """Yield the blocks of a Markdown file; anything is one."""
    decoded = decode(source.path.read_bytes(), source.encoding)
    yield Opened(encoding=decoded.encoding)
    yield from pieces_of(decoded.text)
    yield from after_the_text(decoded.encoding, decoded.odd_bytes)


def pieces_of(text: str) -> Iterator[BlockPiece]:
    """Yield the blocks of a text in Markdown; their places are offsets into it."""
    parser = _make_parser()
    for start, end in portions(text):
        yield from _OpenPortion(text, start, end).pieces(parser.parse(text[start:end]))
        # Front matter is at the beginning of a file only; three dashes further down are a rule.
        parser = _make_parser(has_front_matter=False) if start == 0 else parser


def _make_parser(*, has_front_matter: bool = True) -> MarkdownIt:
    """Blocks only. Definitions of links would be taken out, so they are none."""
    # Nested deeper, markdown-it drops the content; `_left_out` finds its lines.
    parser = MarkdownIt("commonmark", {"maxNesting": MOST_NESTING}).enable("table").disable("reference")
    footnote_plugin(parser, inline=False, move_to_end=False)
    if has_front_matter:
        front_matter_plugin(parser)
    # Inline markup stays in the text, so it needs no parsing here, which takes most of the time.
    parser.core.ruler.disable(["inline", "text_join"], ignoreInvalid=True)
    return parser


def portions(text: str) -> Iterator[tuple[int, int]]:
    """Yield a text in parts, cut before a line that begins with a letter or a heading after an empty line, outside
    fences.
    """
    if len(text) <= PORTION_CHARACTERS:
        yield 0, len(text)
        return
    begun, fence, was_empty, position = 0, "", False, 0
    while position < len(text):
        new_line = NEW_LINE.search(text, position)
        end = new_line.end() if new_line else len(text)
        # Not inside a fence, where blank lines and letters are code.
        if position - begun >= PORTION_CHARACTERS and was_empty and not fence and _BORDER.match(text, position):
            yield begun, position
            begun = position
        if match := _FENCE.match(text, position, end):
            if not fence:
                fence = match[1]
            # A closing fence is at least as long as the opening one and has no info string (CommonMark 4.5).
            elif match[1].startswith(fence) and not text[match.end() : end].strip():
                fence = ""
        was_empty = not text[position:end].strip()
        position = end
    yield begun, len(text)


class MarkdownLines:
    """Find lines of a part of the text; `_next` is the first one that no block has yet."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._end = end
        self._starts = [start, *(match.end() for match in NEW_LINE.finditer(text, start, end))]
        self._next = 0
        """The first line that no block has yet."""

    def _line(self, number: int) -> str:
        return self._text[self._starts[number] : self._line_end(number)]

    def _line_end(self, number: int) -> int:
        """Return where a line's words end, before its newline."""
        end = self._starts[number + 1] if number + 1 < len(self._starts) else self._end
        while end > self._starts[number] and self._text[end - 1] in "\r\n":
            end -= 1
        return end


class _OpenPortion(MarkdownLines):
    """A stretch of the text with what is open in it."""

    def __init__(self, text: str, start: int, end: int) -> None:
        super().__init__(text, start, end)
        self._heading = 0
        self._lists: list[bool] = []
        """True if each open list is ordered."""
        self._mark = ""
        """Mark of the list item whose text is next."""
        self._notes = 0
        self._note_mark = ""
        self._note_line = 0
        self._is_in_table = False

    def pieces(self, tokens: list[Token]) -> Iterator[BlockPiece]:
        """Yield the blocks; and every line with words that markdown-it has left out, as a paragraph."""
        for token in tokens:
            if token.type.startswith("footnote_reference"):
                # A footnote directly behind another one: the first has no text.
                yield from self._lone_mark()
            is_leaf = token.type in _LEAVES and not self._is_in_table
            if token.map and (is_leaf or token.type == "table_open"):
                first, behind = token.map
                # Lines that no token has: markdown-it takes out what it only needs itself, such as definitions.
                yield from self._left_out(first)
                yield from self._leaf(token, first, behind)
                self._next = max(self._next, behind)
            self._border(token)
        yield from self._left_out(len(self._starts))

    def _border(self, token: Token) -> None:
        match token.type:
            case "heading_open":
                self._heading = int(token.tag[1])
            case "heading_close":
                self._heading = 0
            case "bullet_list_open" | "ordered_list_open":
                self._lists.append(token.type == "ordered_list_open")
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._mark = f"{token.info}{token.markup}" if self._lists[-1] else "•"
            case "list_item_close":
                self._mark = ""
            case "footnote_reference_open":
                self._notes += 1
                self._note_mark = f"[^{token.meta['label']}]: "
                self._note_line = token.map[0] if token.map else self._next
            case "footnote_reference_close":
                self._notes -= 1
            case "table_open" | "table_close":
                self._is_in_table = token.type == "table_open"
            case _:
                pass

    def _leaf(self, token: Token, first: int, behind: int) -> Iterator[BlockPiece]:
        if token.type != "inline":
            yield from self._lone_mark()
        match token.type:
            case "inline":
                yield self._text_block(token.content, first, behind)
            # markdown-it drops cells beyond the header's, so a table is read from its lines.
            case "table_open":
                yield self._piece(BlockKind.TABLE, table_text(self._rows(first, behind)), first, behind)
            case "fence":
                yield self._piece(BlockKind.CODE, token.content.rstrip("\n"), first, behind, label=token.info.strip())
            case "code_block":
                yield self._piece(BlockKind.CODE, token.content.rstrip("\n"), first, behind)
            # Read as code, so that a model sees it as data.
            case "front_matter":
                yield self._piece(BlockKind.CODE, token.content.strip("\n"), first, behind, label="yaml")
            case "html_block":
                yield from self._page(token.content, first, behind)
            case _:
                pass

    def _text_block(self, content: str, first: int, behind: int) -> BlockPiece:
        """Return a heading, a note, an item or a paragraph, found again by its first and last line."""
        lines = content.split("\n")
        text = "".join(_with_border(line) for line in lines).rstrip()
        # The parser has taken out marks of quotes and lists, so the words are looked for, not computed.
        start = self._text.find(lines[0], self._starts[first], self._line_end(behind - 1))
        end = self._text.rfind(lines[-1], self._starts[behind - 1], self._line_end(behind - 1))
        # Only the whole block is certain where the words aren't found.
        place = BlockPlace("", start, end + len(lines[-1])) if start >= 0 <= end else self._block_place(first, behind)
        mark, self._mark = self._mark, ""
        if self._notes:
            note_mark, self._note_mark = self._note_mark, ""
            return BlockPiece(BlockKind.NOTE, note_mark + text, place=place, label="footnote")
        if self._heading:
            return BlockPiece(BlockKind.HEADING, text, place=place, level=self._heading)
        if mark:
            return BlockPiece(BlockKind.LIST_ITEM, text, place=place, level=len(self._lists), label=mark)
        return BlockPiece(BlockKind.PARAGRAPH, text, place=place)

    def _piece(self, kind: BlockKind, text: str, first: int, behind: int, label: str = "") -> BlockPiece:
        return BlockPiece(kind, text, place=self._block_place(first, behind), label=label)

    def _rows(self, first: int, behind: int) -> list[list[str]]:
        """Return a table's cells, also beyond its last column, without the rule on the second line."""
        rows = []
        # The second line is the rule of dashes.
        for line in (first, *range(first + 2, behind)):
            words = self._line(line)
            cells = CELL_BORDER.split(words[_length_of_marks(words) :].strip())
            # Bars at the ends of a row are optional.
            rows.append(cells[not cells[0] : len(cells) - (len(cells) > 1 and not cells[-1])])
        return rows

    def _page(self, content: str, first: int, behind: int) -> Iterator[BlockPiece]:
        """Yield a block of HTML. In a quote its lines have marks, so that only the whole can be found again."""
        whole = self._block_place(first, behind)
        is_plain = NEW_LINE.sub("\n", self._text[self._starts[first] : whole.end]) == content.rstrip("\n")
        begin = self._starts[first]
        # Offsets hold only where the HTML is in the file as the parser gives it.
        for piece in HtmlWalker(self._text[begin : whole.end] if is_plain else content).pieces():
            place = BlockPlace("", begin + piece.place.start, begin + piece.place.end) if is_plain else whole
            yield piece._replace(place=place)

    def _lone_mark(self) -> Iterator[BlockPiece]:
        """Yield the mark of a footnote without text; anything after it on the line is dropped."""
        mark, self._note_mark = self._note_mark.strip(), ""
        if not mark:
            return
        start, end = self._starts[self._note_line], self._line_end(self._note_line)
        at = self._text.find(mark, start, end)
        if at >= 0 and not self._text[at + len(mark) : end].strip():
            yield BlockPiece(BlockKind.NOTE, mark, place=BlockPlace("", at, at + len(mark)), label="footnote")
            self._next = max(self._next, self._note_line + 1)

    def _left_out(self, until: int) -> Iterator[BlockPiece]:
        for line in range(self._next, min(until, len(self._starts))):
            start, end = self._starts[line], self._line_end(line)
            start += _length_of_marks(self._text[start:end])
            words = self._text[start:end].strip()
            # The mark itself is read with its note.
            if self._note_mark and self._note_mark.strip() == words:
                continue
            if re.search(r"\w", words):
                yield BlockPiece(BlockKind.PARAGRAPH, words, place=BlockPlace("", start, start + len(words)))
        self._next = max(self._next, until)

    def _block_place(self, first: int, behind: int) -> BlockPlace:
        start, end = self._starts[first], self._line_end(behind - 1)
        return BlockPlace("", start, start + len(self._text[start:end].rstrip()))


def _with_border(line: str) -> str:
    """Return a line of a paragraph with what is between it and the next: two spaces or a backslash keep lines apart."""
    plain = line.strip()
    if plain.endswith("\\"):
        return plain[:-1].rstrip() + "\n"
    # Two blanks at the end are a hard break (CommonMark 6.7).
    return plain + ("\n" if line.endswith("  ") else " ")


def _length_of_marks(line: str) -> int:
    """Return the length of a line's quote and list marks."""
    match = _MARKS.match(line)
    return match.end() if match else 0
