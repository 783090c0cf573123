"""Places of a Markdown file's texts: paragraphs, headings, items, notes and cells, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.core.lazy_dataclasses import dataclass, field
from app.documents.formats.markdown.read_markdown import CELL_BORDER, NEW_LINE, MarkdownLines
from app.documents.formats.plain.line_wrapping import width_of
from app.documents.segments import SegmentKind

_MARKS = re.compile(r"(?:[\s>]|[-+*](?=\s)|\d{1,9}[.)](?=\s)|\[\^[^\]\s]+\]:(?=\s))*")
_QUOTES = re.compile(r"[\s>]*")
_TASK = re.compile(r"\[[ xX]\][ \t]+(?=\S)")
# GitHub's and Obsidian's callouts: `> [!NOTE]`.
_ALERT = re.compile(r"\[!\w+\][+-]?(?:[ \t]+(?=\S)|$)")
# Pandoc's and PHP Markdown Extra's definition lists.
_TERM = re.compile(r":[ \t]+(?=\S)")
# Attributes of a heading: `# Title {#anchor .class}`.
_HEADING_END = re.compile(r"\{[#.:][^{}]*\}$")
_STRUCTURE = re.compile(
    r":{3,}.*|(?:!!!|\?\?\?\+?)[ \t].*|\{%.*%\}|\{\{[<%].*[%>]\}\}|\[\[?_?TOC_?\]?\]|\$\$|\\[\[\]]|%%.*"
    r"|(?:import|export)[ \t].*[;'\"]|\*\[[^\]]+\]:.*|\\(?:newpage|pagebreak)",
    re.IGNORECASE,
)
"""Lines that other dialects of Markdown have for themselves: containers, template tags, formulas, abbreviations."""
_COLUMNS = re.compile(r"-{2,}(?:[ \t]+-{2,})+")
"""A line of pandoc's tables without bars: their columns are places in a line, which a translation would not keep."""
_LEAVES = ("inline", "fence", "code_block", "html_block", "hr", "front_matter", "math_block", "math_block_label")


class MarkdownLine(NamedTuple):
    """A line of a text: its range in the file, and its prefix."""

    start: int
    end: int
    prefix: str


@dataclass
class MarkdownPassage:
    """A unit of translation; or front matter, or HTML ("html_lines" if its lines have quote marks)."""

    type: str
    lines: list[MarkdownLine]
    kind: SegmentKind = SegmentKind.PARAGRAPH
    level: int = 0

    def source(self, text: str) -> str:
        return "\n".join(text[line.start : line.end] for line in self.lines)

    def width(self, text: str) -> int:
        """Return the width of the widest line with its prefix."""
        return max(
            width_of(line.prefix.expandtabs(4)) + width_of(text[line.start : line.end].rstrip()) for line in self.lines
        )


@dataclass
class _OpenState:
    """Track what is open while tokens pass: which kind of block the next text is."""

    heading: int = 0
    items: int = 0
    notes: int = 0
    in_table: bool = False
    types: list[str] = field(default_factory=list)

    def see(self, token: Token) -> None:
        step = token.nesting
        match token.type:
            case "heading_open":
                self.heading = int(token.tag[1])
            case "heading_close":
                self.heading = 0
            case "list_item_open" | "list_item_close":
                self.items += step
            case "footnote_reference_open" | "footnote_reference_close":
                self.notes += step
            case "table_open" | "table_close":
                self.in_table = step > 0

    @property
    def kind(self) -> SegmentKind:
        if self.notes:
            return SegmentKind.NOTE
        if self.heading:
            return SegmentKind.HEADING
        return SegmentKind.LIST_ITEM if self.items else SegmentKind.PARAGRAPH


class ParsedPortion(MarkdownLines):
    """Find the passages of one portion, and count the lines that can't be translated."""

    def __init__(self, text: str, start: int, end: int) -> None:
        super().__init__(text, start, end)
        self._start = start
        self._state = _OpenState()
        self._columns: set[int] = set()
        self.lost = 0
        """Lines with words that no block has (markdown-it drops what is nested too deep), and tables of places."""

    def texts(self, parser: MarkdownIt, env: dict[str, Any]) -> Iterator[MarkdownPassage]:
        tokens = parser.parse(self._text[self._start : self._end], env)
        rules = [token.map[0] for token in tokens if token.type == "hr" and token.map]
        # A rule of several dashes in groups is the border of pandoc's simple tables, whose columns are places.
        self._columns = {line for line in rules if _COLUMNS.fullmatch(self._line(line).strip())}
        for token in tokens:
            if token.map and token.type in _LEAVES and not (self._state.in_table and token.type == "inline"):
                first, behind = token.map
                self._skip(first)
                self._next = max(self._next, behind)
                yield from self._leaf(token, first, behind)
            elif token.map and token.type == "tr_open":
                yield from self._row(token.map[0])
                # After the row: `_row` looks at whether any line of the table has passed yet.
                self._skip(token.map[0])
                self._next = max(self._next, token.map[1])
            elif token.map and token.type == "table_open":
                self._skip(token.map[0])
                self._next = token.map[1]
            self._state.see(token)
        self._skip(len(self._starts))

    def _skip(self, until: int) -> None:
        """Remark on lines that no block has and that aren't definitions."""
        for line in range(self._next, min(until, len(self._starts))):
            words = self._line(line)
            words = words[_MARKS.match(words).end() :]  # type: ignore[union-attr]
            # The second line of a definition is its title, and a lone word its address.
            is_definition = re.match(r"\[[^\]]+\]:|[\"'(<]|\S+\s*$", words) is not None
            self.lost += not is_definition and re.search(r"[^\W\d_]{2}", words) is not None
        self._next = max(self._next, until)

    def _leaf(self, token: Token, first: int, behind: int) -> Iterator[MarkdownPassage]:
        if token.type == "inline" and {first - 1, behind} & self._columns:
            self.lost += 1
        elif token.type == "inline":
            yield from self._paragraph(token.content, first)
        elif token.type in ("html_block", "front_matter"):
            start, end = self._starts[first], self._line_end(behind - 1)
            # In a quote the file has marks that the parser has taken out.
            own = NEW_LINE.sub("\n", self._text[start:end]).rstrip()
            is_whole = token.type == "front_matter" or own == token.content.rstrip()
            yield MarkdownPassage(token.type if is_whole else "html_lines", [MarkdownLine(start, end, "")])

    def _paragraph(self, content: str, first: int) -> Iterator[MarkdownPassage]:
        """Yield a text, divided where a line is no part of it."""
        waiting: list[MarkdownLine] = []
        for number, words in enumerate(content.split("\n")):
            line = self._found(first + number, words)
            if line is None:
                self.lost += 1
                yield from self._text_of(waiting)
                waiting = []
                continue
            own = self._text[line.start : line.end]
            is_structure = _STRUCTURE.fullmatch(own.strip()) is not None
            starts = _TERM.match(own) or (_ALERT.match(own) if number == 0 else None)
            task = _TASK.match(own) if number == 0 and self._state.items else None
            if is_structure or starts is not None:
                yield from self._text_of(waiting)
                waiting = []
            cut = starts or task
            if cut is not None:
                line = MarkdownLine(line.start + cut.end(), line.end, line.prefix + cut[0])
            if not is_structure and line.start < line.end:
                waiting.append(line)
        yield from self._text_of(waiting)

    def _text_of(self, lines: list[MarkdownLine]) -> Iterator[MarkdownPassage]:
        if not lines:
            return
        last = lines[-1]
        kept = self._text[last.start : last.end].rstrip()
        end = _HEADING_END.search(kept) if self._state.heading else None
        kept = kept[: end.start()].rstrip() if end is not None else kept
        lines = [*lines[:-1], last._replace(end=last.start + len(kept))]
        yield MarkdownPassage("inline", lines, self._state.kind, self._state.heading)

    def _found(self, number: int, words: str) -> MarkdownLine | None:
        """Return a line of a text in the file;

        None where it differs there, as a tab does of which a list took a part.
        """
        if number >= len(self._starts):
            return None
        start, raw = self._starts[number], self._line(number).replace("\0", "\ufffd")
        words = words.lstrip(" \t")
        at = len(raw) - len(words) if raw.endswith(words) else -1
        if at < 0:
            words = words.rstrip(" \t")
            # A heading's mark may come again behind its words (`## Title ##`), so it is looked for from the left.
            at = raw.find(words, _MARKS.match(raw).end() if self._state.heading else 0)  # type: ignore[union-attr]
            at = raw.rfind(words) if not self._state.heading else at
        if at < 0:
            return None
        return MarkdownLine(start + at, start + at + len(words), raw[:at])

    def _row(self, number: int) -> Iterator[MarkdownPassage]:
        """Yield a row's cells, also beyond the last column."""
        raw, start = self._line(number), self._starts[number]
        pattern = _MARKS if self._next <= number and self._state.items else _QUOTES
        at = pattern.match(raw).end()  # type: ignore[union-attr]
        for cell in [*(found.start() for found in CELL_BORDER.finditer(raw, at)), len(raw)]:
            words = raw[at:cell]
            inner = words.strip()
            if inner:
                first = start + at + words.index(inner)
                yield MarkdownPassage("cell", [MarkdownLine(first, first + len(inner), "")], SegmentKind.CELL)
            at = cell + 1
