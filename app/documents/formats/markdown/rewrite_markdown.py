"""Markdown written back: the words of its paragraphs, headings, items, cells and notes; all markup stays.

Left as they are: code, formulas, definitions of links, HTML in quotes, and front matter but for titles and
descriptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.core.errors import DocumentUnreadable
from app.documents.encoding import TextFile
from app.documents.formats.catalogs.values import is_locale, renamed_locale
from app.documents.formats.catalogs.yaml_file import YamlScalar, places, put_value, written_scalar
from app.documents.formats.markdown.inline import ImageMark, InlineText, MarkdownText, TextFrame, inline_of, new_parser
from app.documents.formats.markdown.read_markdown import CELL_BORDER, NEW_LINE, MarkdownLines, portions
from app.documents.formats.plain.plain_text import width_of
from app.documents.formats.web.html_pages import shown_piece
from app.documents.segments import SegmentKind
from app.documents.source import FileSource, SegmentVisits, TargetLanguage, Visit

# A definition may go on in the next line.
_DEFINITION = re.compile(r"^[ \t>]{0,12}\[[^\]\n]{1,999}\]:.*(?:\n[ \t>]+\S.*)?", re.MULTILINE)
_SIGNS = re.compile(r"[^\s>]")
_WORD = re.compile(r"[^\W\d_]{2}")
_HTML_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^<>]*>", re.DOTALL | re.IGNORECASE)


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite a Markdown file. Never refuses: any text is Markdown. See `app.documents.source`."""
    file = TextFile(source)
    _MarkdownWriter(source, file, SegmentVisits(visit), target).run()
    if out is not None:
        file.write(out)


class _MarkdownWriter:
    def __init__(
        self, source: FileSource, file: TextFile, visits: SegmentVisits, target: TargetLanguage | None
    ) -> None:
        self._source, self._file, self._visits, self._target = source, file, visits, target
        self._text = file.text
        self._env: dict[str, Any] = {}
        self._parser = new_parser(has_front_matter=False)
        self._written = MarkdownText(self._parser, self._env)

    def run(self) -> None:
        stretches = list(portions(self._text))
        # Portions are parsed apart, so they know of each other's definitions only if these are read first.
        if len(stretches) > 1:  # a link may be defined in another portion
            definitions = "\n\n".join(found[0] for found in _DEFINITION.finditer(self._text))
            self._parser.parse(definitions, self._env)
        left = lost = 0
        # HTML between quote marks has no lines of its own that could be replaced.
        for start, end in stretches:
            portion = ParsedPortion(self._text, start, end)
            for text in portion.texts(new_parser() if start == 0 else self._parser, self._env):
                if text.type == "html_block":
                    self._put_html(text.lines[0].start, text.lines[0].end)
                elif text.type == "html_lines":
                    left += _WORD.search(_HTML_MARKUP.sub(" ", text.source(self._text))) is not None
                elif text.type == "front_matter":
                    put_front_matter(self._file, text.lines[0].start, text.lines[0].end, self._visits, self._target)
                else:
                    self._write_passage(text)
            lost += portion.lost
        self._source.remark("left_markup", count=left)
        self._source.remark("left_blocks", count=lost)

    def _put_html(self, start: int, end: int) -> None:
        new = shown_piece(self._text[start:end], self._visits)
        if new is not None:
            self._file.replace(start, end, new)

    def _write_passage(self, text: MarkdownPassage) -> None:
        """Visit a text with its images and write the translations."""
        words = text.source(self._text)
        # A bar in a cell is escaped in the file, and not for the parser of its words.
        old = inline_of(self._parser, words.replace("\\|", "|") if text.type == "cell" else words, self._env)
        images = {image: put for image in old.images if (put := self._translate_image(old, image)) is not None}
        has_words = any(isinstance(part, str) and not part.isspace() for part in old.content)
        new = self._visits(old.content, text.kind, level=text.level) if has_words else None
        if new is None and not images:
            return
        for image, written in images.items():
            old.written["single", image.number] = written
        # Only words of pictures changed: the rest of the text stays byte for byte.
        if new is None:
            written = _with_images(old.source, images)
            written = re.sub(r"(?<!\\)\|", r"\\|", written) if text.type == "cell" else written
        else:
            written = self._written.write_content(new, old, self._text_frame(text))
        self._replace(text, written)

    def _translate_image(self, old: InlineText, image: ImageMark) -> str | None:
        """Return an image's source with its alternative text translated; None where it stays."""
        words = old.source[image.first : image.last]
        inner = inline_of(self._parser, words, self._env)
        if not any(isinstance(part, str) and not part.isspace() for part in inner.content):
            return None
        new = self._visits(inner.content, SegmentKind.LABEL)
        if new is None:
            return None
        text = self._written.write_content(new, inner, TextFrame(SegmentKind.LABEL)).replace("\n", " ")
        # Without markup of its own a bracket would end the label.
        if not inner.written:
            text = re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", text)
        return image.written(old.source, text)

    def _text_frame(self, text: MarkdownPassage) -> TextFrame:
        first, next_ = text.lines[0], _next_prefix(text)
        # A heading is one line; what was one line stays one, however long.
        most = text.width(self._text) if len(text.lines) > 1 and text.kind is not SegmentKind.HEADING else 0
        return TextFrame(text.kind, width_of(first.prefix.expandtabs(4)), next_, most, text.type == "cell")

    def _replace(self, text: MarkdownPassage, written: str) -> None:
        lines = written.split("\n")
        between = self._file.newline + _next_prefix(text)
        self._file.replace(text.lines[0].start, text.lines[-1].end, between.join(lines))


def _next_prefix(text: MarkdownPassage) -> str:
    """Return what further lines begin with: as the second line does, or blanks below a list's mark."""
    return text.lines[1].prefix if len(text.lines) > 1 else _SIGNS.sub(" ", text.lines[0].prefix)


def _with_images(source: str, images: dict[ImageMark, str]) -> str:
    parts, at = list[str](), 0
    for image, written in images.items():
        parts += [source[at : image.start], written]
        at = image.end
    return "".join(parts) + source[at:]


# Front matter of a Markdown file: what is read as its title or its description is translated, its language is set.

_TITLES = frozenset(
    "title subtitle description summary abstract excerpt lead linktitle sidebar_label caption".split()  # noqa: SIM905
)
_LANGUAGES = ("lang", "language", "locale")
# Three dashes or more, as the plug-in for front matter takes them.
_INNER = re.compile(r"-{3,}[ \t]*(?:\r\n|\r|\n)(.*?)(?:\r\n|\r|\n)?-{3,}\s*\Z", re.DOTALL)


def put_front_matter(
    file: TextFile, start: int, end: int, visits: SegmentVisits, target: TargetLanguage | None
) -> None:
    """Rewrite front matter; `start` to `end` are its lines with the delimiters. Invalid YAML is left."""
    inner = _INNER.match(file.text[start:end])
    if inner is None:
        return
    try:
        found = list(places(inner[1], ""))
    except DocumentUnreadable:
        return
    offset = start + inner.start(1)
    for place in found:
        # Keys at the top only: what is nested is a theme's settings.
        if place.is_key or len(place.path) != 1:
            continue
        key = place.path[0].lower()
        if key in _TITLES:
            put_value(file, offset, place, visits)
        elif key in _LANGUAGES and target is not None and is_locale(place.value):
            _set_scalar(file, offset, place, renamed_locale(place.value, target.language))
        elif key == "dir" and target is not None and place.value in ("ltr", "rtl"):
            _set_scalar(file, offset, place, "rtl" if target.is_rtl else "ltr")


def _set_scalar(file: TextFile, offset: int, place: YamlScalar, new: str) -> None:
    start, end = place.start + offset, place.end + offset
    if new != place.value:
        file.replace(start, end, written_scalar(file.text[start:end], place, new))


# Where in a Markdown file its texts are: paragraphs, headings, items, notes, cells, line by line.

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
