"""Rich Text Format: one pass over control words, groups and text, written by hand to lose no footnote and no text box.

A place is in characters of the file read as Latin-1, which is in bytes: RTF writes everything else in escapes.
Source: Rich Text Format Specification 1.9.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, table_text
from app.documents.encoding import decode
from app.documents.formats.office.paragraphs import MOST_ANCESTORS
from app.documents.source import FileSource, Item, Opened, counted

_ROWS = 100
# A control word with its number, a byte, a control symbol, a brace, or text; a blank behind a word belongs to it.
_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n\0]+|([^\\{}\r\n\0]+)|\\",
    re.DOTALL,
)
_TITLE = re.compile(r"\{\\title ([^{}\\]{1,500})\}")
_CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
_WRITTEN = {
    "line": "\n", "tab": "\t", "emdash": "—", "endash": "–", "emspace": "\u2003", "enspace": "\u2002", "bullet": "•",
    "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "~": "\xa0", "_": "\u2011", "{": "{", "}": "}",
    "\\": "\\", "\n": "\n", "\r": "\n", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
_ENDS_PARAGRAPH = frozenset({"par", "sect", "page", "column"})
# Destinations whose text is no text of the document; everything behind \* that is not known is one, too.
_UNSEEN = frozenset(
    ("fonttbl", "colortbl", "stylesheet", "info", "pict", "fldinst", "objdata", "shprslt", "sn", "sv", "nonshppict")
    + ("template", "generator", "listtable", "listoverridetable", "revtbl", "rsidtbl", "themedata", "datastore")
    + ("filetbl", "xe", "tc", "rxe", "xmlnstbl", "passwordhash", "ftnsep", "ftnsepc", "aftnsep", "aftnsepc", "ftncn")
    + ("aftncn", "atnid", "atnauthor", "atndate", "atnref", "atrfstart", "atrfend", "bkmkstart", "bkmkend")
)
_SEEN = frozenset(("shpinst", "pn", "do"))
"""Groups with text in them although they are marked as such that may be passed over."""
_FLOWS = {
    "footnote": "footnote", "annotation": "comment", "header": "header", "headerl": "header", "headerr": "header",
    "headerf": "header", "footer": "footer", "footerl": "footer", "footerr": "footer", "footerf": "footer",
    "shptxt": "text box", "dptxbxtext": "text box", "listtext": "mark", "pntext": "mark",
}  # fmt: skip
"""Groups whose text is none of the paragraph around them."""


class _RtfGroup(NamedTuple):
    is_seen: bool = True
    destination: str = ""
    font: int = -1
    skipped_after_u: int = 1
    is_hidden: bool = False
    flow: int = 0


@dataclass
class _TextFlow:
    """A text on its own: the document's, a footnote's, a list mark's."""

    label: str
    parts: list[str] = field(default_factory=list)
    start: int = -1
    end: int = 0
    level: int = 0
    depth: int = 1
    in_table: bool = False
    mark: str = ""
    cells: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    rows_start: int = -1
    after: list[BlockPiece] = field(default_factory=list)
    """Footnotes and the like, which follow the paragraph that they belong to."""


def read(source: FileSource) -> Iterator[Item]:
    """Yield paragraphs, headings, tables and notes; pictures are counted."""
    data = source.path.read_bytes()
    title = _TITLE.search(data[:65536].decode("latin-1"))
    yield Opened(title=title[1] if title else "")
    walker = RtfWalker(data)
    yield from walker.pieces()
    yield from counted("pictures", walker.pictures)
    yield from counted("odd_bytes", walker.odd_bytes)


class RtfWalker:
    """Reads one document; `pictures` and `odd_bytes` are known as far as it has come."""

    def __init__(self, data: bytes) -> None:
        self._text = data.decode("latin-1")
        self._levels = _heading_levels(self._text)
        self.pictures = self.odd_bytes = 0
        self._code_page = "cp1252"
        self._charsets: dict[int, str] = {}
        self._default_font = self._defined_font = -1
        self._group = _RtfGroup()
        self._stack: list[_RtfGroup] = []
        self._flows = [_TextFlow("")]
        self._waiting = bytearray()
        self._skip = 0
        self._is_optional = False
        self._at = 0

    def pieces(self) -> Iterator[BlockPiece]:
        match, out = _TOKEN.match, self._flows[0].after
        at, length = 0, len(self._text)
        while at < length:
            found = match(self._text, at)
            if found is None:
                break
            self._at, at = at, found.end()
            word, number, code, symbol, brace, run = found.groups()
            if word is not None:
                value = int(number) if number else None
                # \bin N: N raw bytes follow, which may hold braces.
                if word == "bin":
                    at += max(0, value or 0)
                self._take_word(word, value)
            elif run is not None:
                self._take_run(run)
            elif code is not None:
                self._take_byte(int(code, 16))
            elif brace is not None:
                self._take_brace(brace)
            elif symbol is not None:
                self._take_symbol(symbol)
            # Notes are held back until their paragraph is complete.
            if out and not self._flows[0].parts and not self._flows[0].rows:
                yield from out
                out.clear()
        while len(self._flows) > 1:
            self._leave_flow()
        self._end_paragraph(self._flows[0])
        self._end_table(self._flows[0])
        yield from out

    def _take_brace(self, brace: str) -> None:
        self._flush()
        # What \u skips ends with its group.
        self._skip = 0
        if brace == "{":
            self._stack.append(self._group)
        elif self._stack:
            before = self._group
            self._group = self._stack.pop()
            if before.flow > self._group.flow:
                self._leave_flow()
        self._is_optional = False

    def _take_symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._is_optional = True
        elif symbol in ("\n", "\r"):
            self._take_word("par", None)
        elif symbol in _WRITTEN:
            self._write(_WRITTEN[symbol])

    def _take_word(self, word: str, value: int | None) -> None:
        group = self._group
        is_optional, self._is_optional = self._is_optional, False
        # \* marks a destination that an older reader is to pass over.
        if word in _UNSEEN or (is_optional and word not in _SEEN and word not in _FLOWS):
            self.pictures += word == "pict" and group.is_seen
            self._flush()
            self._group = group._replace(is_seen=False, destination=word)
        elif group.destination == "fonttbl" or word in ("ansicpg", "mac", "pca", "deff"):
            self._define_encoding(word, value)
        elif group.is_seen:
            self._seen_word(word, value)

    def _seen_word(self, word: str, value: int | None) -> None:
        group, flow = self._group, self._flows[-1]
        match word:
            case "u":
                # \u is signed 16 bits; characters beyond U+FFFF come as two surrogates.
                self._write(chr((value or 0) & 0xFFFF))
                # A replacement for old readers follows, \ucN characters or bytes of it.
                self._skip = group.skipped_after_u
            case "uc":
                self._group = group._replace(skipped_after_u=max(0, value or 0))
            case "f" | "plain":
                self._flush()
                font = value if word == "f" and value is not None else self._default_font
                self._group = group._replace(font=font, is_hidden=group.is_hidden and word == "f")
            case "v" | "deleted":
                self._flush()
                self._group = group._replace(is_hidden=value != 0)
            case "pard":
                flow.level, flow.in_table, flow.depth = 0, False, 1
            case "ilvl":
                flow.depth = value + 1 if value is not None and 0 <= value < 9 else 1
            case "intbl" | "itap":
                flow.in_table = value != 0
            case "s":
                flow.level = self._levels.get(value or 0, 0)
            case "outlinelevel":
                flow.level = value + 1 if value is not None and 0 <= value < 9 else 0
            case "ftnalt":
                # \ftnalt in a footnote makes it an endnote.
                flow.label = "endnote" if flow.label == "footnote" else flow.label
            case _:
                self._take_structure(word, flow)

    def _take_structure(self, word: str, flow: _TextFlow) -> None:
        self._flush()
        if word in ("cell", "nestcell"):
            self._end_cell(flow)
        elif word in ("row", "nestrow"):
            self._end_row(flow)
        elif word in _FLOWS:
            self._flows.append(_TextFlow(_FLOWS[word]))
            self._group = self._group._replace(flow=len(self._flows) - 1)
        # In a cell a paragraph's end is a line break.
        elif word in _ENDS_PARAGRAPH and not flow.in_table:
            self._end_paragraph(flow)
        elif word in _ENDS_PARAGRAPH or word in _WRITTEN:
            self._write(_WRITTEN.get(word, "\n"))

    def _define_encoding(self, word: str, value: int | None) -> None:
        """Record the code page of a font, or the document's own."""
        if word == "f":
            self._defined_font = value or 0
        elif word == "fcharset" and value in _CHARSETS:
            self._charsets[self._defined_font] = _CHARSETS[value]
        elif word == "deff":
            self._default_font = value or 0
        elif word in ("mac", "pca"):
            self._code_page = {"mac": "mac_roman", "pca": "cp850"}[word]
        elif word == "ansicpg" and value:
            self._code_page = "utf-8" if value == 65001 else f"cp{value}"

    def _take_run(self, run: str) -> None:
        if self._skip:
            skipped = min(self._skip, len(run))
            self._skip -= skipped
            run = run[skipped:]
        self._is_optional = False
        if run and self._group.is_seen and not self._group.is_hidden:
            self._touch_block(len(run))
            self._waiting += run.encode("latin-1")

    def _take_byte(self, value: int) -> None:
        if self._skip:
            self._skip -= 1
        elif self._group.is_seen and not self._group.is_hidden:
            self._touch_block(4)
            self._waiting.append(value)

    def _touch_block(self, length: int) -> None:
        flow = self._flows[-1]
        flow.start = self._at if flow.start < 0 else flow.start
        flow.end = self._at + length

    def _write(self, text: str) -> None:
        self._flush()
        if self._group.is_seen and not self._group.is_hidden:
            self._touch_block(2)
            self._flows[-1].parts.append(text)

    def _flush(self) -> None:
        """Decode the bytes that wait, in the code page of the current font;

        called before anything that may change it.
        """
        if self._waiting:
            font = self._group.font if self._group.font >= 0 else self._default_font
            decoded = decode(bytes(self._waiting), self._charsets.get(font, self._code_page))
            self.odd_bytes += decoded.odd_bytes
            self._flows[-1].parts.append(decoded.text)
            self._waiting.clear()

    def _take_flow(self, flow: _TextFlow) -> tuple[str, BlockPlace]:
        text, place = "".join(flow.parts), BlockPlace("", max(flow.start, 0), flow.end)
        if not text.isascii():  # characters beyond U+FFFF come as two halves
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        flow.parts.clear()
        flow.start = -1
        return text.strip(), place

    def _end_paragraph(self, flow: _TextFlow) -> None:
        self._flush()
        notes = flow.after[:]
        flow.after.clear()
        self._end_table(flow)
        text, place = self._take_flow(flow)
        is_heading = flow.level and flow is self._flows[0]
        kind = BlockKind.HEADING if is_heading else BlockKind.LIST_ITEM if flow.mark else BlockKind.PARAGRAPH
        level = {BlockKind.HEADING: flow.level, BlockKind.LIST_ITEM: flow.depth}.get(kind, 0)
        if flow.label in ("footnote", "endnote", "comment"):
            kind, level = BlockKind.NOTE, 0
        # The mark of an empty item is all there is of it.
        if text or flow.mark:
            flow.after.append(
                BlockPiece(kind, text or flow.mark, place=place, level=level, label=flow.mark or flow.label)
            )
        flow.after += notes
        flow.mark = ""

    def _end_cell(self, flow: _TextFlow) -> None:
        self._flush()
        text, place = self._take_flow(flow)
        flow.rows_start = place.start if flow.rows_start < 0 and text else flow.rows_start
        flow.cells.append(f"{flow.mark} {text}".strip())
        flow.mark = ""

    def _end_row(self, flow: _TextFlow) -> None:
        if flow.cells:
            flow.rows.append(flow.cells)
            flow.cells = []
        if len(flow.rows) >= _ROWS:
            self._end_table(flow)

    def _end_table(self, flow: _TextFlow) -> None:
        rows = [*flow.rows, *([flow.cells] if flow.cells else [])]
        if any(any(row) for row in rows):
            place = BlockPlace("", max(flow.rows_start, 0), self._at)
            flow.after.append(BlockPiece(BlockKind.TABLE, table_text(rows), place=place, label=flow.label))
        flow.rows, flow.cells, flow.rows_start = [], [], -1

    def _leave_flow(self) -> None:
        self._flush()
        flow = self._flows.pop()
        above = self._flows[-1]
        if flow.label == "mark":
            above.mark = self._take_flow(flow)[0]
        else:
            self._end_paragraph(flow)
            self._end_table(flow)
        above.after += flow.after


_STYLE_TOKEN = re.compile(
    r"\\'[0-9a-f]{2}|\\([a-z]{1,32})(-?\d{1,9})? ?|\\.|([{}])|([^\\{};\r\n]+)", re.DOTALL | re.IGNORECASE
)
_HEADING = re.compile(r"heading ([1-9])")
_MOST_CHARACTERS = 2_000_000
_BODY = 9
"""Outline level of body text, counted from 0."""


class _RtfStyle:
    def __init__(self) -> None:
        self.number = 0
        self.parent = -1
        self.level: int | None = None
        self.name = ""
        self.is_for_paragraphs = True

    @property
    def own_level(self) -> int | None:
        """Heading level from 1; 0 for none, None if neither style nor name tells."""
        if self.level is not None:
            return self.level + 1 if 0 <= self.level < _BODY else 0
        name = self.name.strip().lower()
        heading = _HEADING.fullmatch(name)
        return int(heading[1]) if heading else 1 if name == "title" else 0 if name == "subtitle" else None


def _heading_levels(text: str) -> dict[int, int]:
    """Return heading levels by paragraph style number; 0 for none.

    Word states the level, LibreOffice only has style names, English in both.
    """
    styles = {style.number: style for style in _parse_styles(text) if style.is_for_paragraphs}
    return {number: _style_level(styles, style) for number, style in styles.items()}


def _style_level(styles: dict[int, _RtfStyle], style: _RtfStyle) -> int:
    for _ in range(MOST_ANCESTORS):
        if (level := style.own_level) is not None:
            return level
        if style.parent not in styles:
            break
        style = styles[style.parent]
    return 0


def _parse_styles(text: str) -> list[_RtfStyle]:
    begin = text.find("{\\stylesheet")
    found: list[_RtfStyle] = []
    depth = 0
    # Word's stylesheet is at the beginning; two megabytes are more than any has.
    for match in _STYLE_TOKEN.finditer(text, begin, begin + _MOST_CHARACTERS) if begin >= 0 else ():
        word, number, brace, run = match.groups()
        if brace == "{":
            depth += 1
            # Depth 2: a style within the stylesheet.
            if depth == 2:
                found.append(_RtfStyle())
        elif brace:
            depth -= 1
            if depth == 0:
                break
        elif found and depth == 2:
            _apply_word(found[-1], word, int(number or 0), run)
    return found


def _apply_word(style: _RtfStyle, word: str | None, number: int, run: str | None) -> None:
    if run:
        style.name += run
    elif word == "s":
        style.number = number
    elif word in ("cs", "ds", "ts"):
        style.is_for_paragraphs = False
    elif word == "sbasedon":
        style.parent = number
    elif word == "outlinelevel":
        style.level = number
