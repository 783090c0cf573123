"""Incremental Markdown parser: closed blocks never change, only the open one is parsed again.

This is sound, as CommonMark's block structure is built line by line, and a top-level block is closed for good once a
*complete* line starts another. So all but the last block of the complete lines is closed; that block and the unfinished
line are the open tail. Two things reach back, as Markdown demands: definitions of links and of footnotes. Blocks that
name a newly defined label are parsed again. Beyond CommonMark, formulas and a few HTML tags are parsed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import fence
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from app.core.lazy_dataclasses import dataclass, field, replace
from app.ui.text.formula_syntax import GROWING, formula_plugin
from app.ui.text.html_syntax import END, html_plugin
from app.ui.text.pieces import (
    ALLOWED_LINK,
    Code,
    Fold,
    FoldEnd,
    MarkdownTable,
    Piece,
    Prose,
    Spans,
    pieces_of,
    plain_prose,
)
from app.ui.text.unfinished_markdown import calm

# Characters. A longer block is cut at a line, a longer line is shown as plain text, so that every step stays short
# whatever a model writes.
BLOCK_LIMIT = 6_000
LINE_LIMIT = 4_000
LINE_SLACK = 400  # a blank is looked for so far behind the limit, so that no word is cut
# A table is closed after so many rows or characters; each part is parsed with its header.
TABLE_ROWS = 8
TABLE_CHARACTERS = 1_000
# Characters of complete lines that one step parses, however many have come.
WINDOW = 12_000
MAX_NESTING = 40
MAX_BRACKETS = 200  # the search for a link's end is quadratic in them

_FENCE = re.compile(r"( {0,3})(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))\n")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")


@dataclass(frozen=True, slots=True)
class MarkdownContext:
    """Context of a unit: the header of its table, or the number of its list item."""

    header: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class MarkdownBlock:
    """Block that is laid out by itself. Blocks compare by appearance; blank lines after one may belong to it."""

    source: str = field(compare=False)
    pieces: tuple[Piece, ...]
    context: MarkdownContext = MarkdownContext()


@dataclass(slots=True)
class _MarkdownUnit:
    start: int
    context: MarkdownContext
    kind: str
    end: int = 0


@dataclass
class _Definitions:
    """Labels defined so far; the first definition of a label wins."""

    links: dict[str, Any] = field(default_factory=dict)
    notes: frozenset[str] = frozenset()

    def add_definitions(self, env: dict[str, Any]) -> list[str]:
        """Add the definitions of a parse; return the labels that weren't known, footnotes as "^label"."""
        new = [label for label in env.get("references", {}) if label not in self.links]
        self.links |= {label: env["references"][label] for label in new}
        # footnote_plugin stores labels with a colon in front.
        notes = {f"^{ref[1:].lower()}" for ref in env.get("footnotes", {}).get("refs", {})} - self.notes
        self.notes |= notes
        return new + sorted(notes)

    def env(self) -> dict[str, Any]:
        return {"references": dict(self.links)}


class MarkdownStream:
    """Stream parser: takes pieces of any size; `closed` grows, `open_blocks()` may still change."""

    def __init__(self) -> None:
        self.closed: list[MarkdownBlock] = []
        self.revision = 0
        """Incremented whenever closed blocks were parsed again."""
        self._tail = ""
        self._context = MarkdownContext()
        self._folds = 0  # open folds at the start of the tail
        self._seen = 0
        self._definitions = _Definitions()
        self._carriage = ""
        self._finished = False

    def feed(self, text: str) -> None:
        # A piece may end between the two characters of a Windows line end.
        text = self._carriage + text
        self._carriage = "\r" if text.endswith("\r") else ""
        text = text[: len(text) - len(self._carriage)].replace("\r\n", "\n").replace("\r", "\n")
        self._tail += text
        while self._tail and self._step():
            pass

    def finish(self) -> None:
        """Close what is open, as the answer is complete."""
        if self._finished:
            return
        self._finished = True
        # Blocks are closed at complete lines only, and the last line may lack its end.
        self.feed("\n")
        if opened := _FENCE.match(self._tail):
            self.closed.append(
                MarkdownBlock(self._tail, (_code(opened, self._tail.removesuffix("\n"), is_open=False),))
            )
        elif self._tail.strip():
            self._close(self._units(self._tail, is_growing=False), self._tail)
        self._tail = ""

    def blocks(self) -> list[MarkdownBlock]:
        """Return closed and open blocks, as they are to be shown now."""
        return self.closed + self.open_blocks()

    def open_blocks(self) -> list[MarkdownBlock]:
        """Return the blocks of the open tail, without half-written marks."""
        if opened := _FENCE.match(self._tail):
            return [MarkdownBlock(self._tail, (_code(opened, self._tail, is_open=True),))]
        shown = calm(self._tail, is_in_table=bool(self._context.header))
        if not shown.strip():
            return []
        blocks = [
            self._block(shown[unit.start : unit.end], unit.context)
            for unit in self._units(shown, keep=False, is_growing=False)
        ]
        if shown not in self._tail:
            blocks[-1] = _with_growing_formulas(blocks[-1], self._tail)
        return _with_stray_ends(blocks, self._folds)[0]

    def _step(self) -> bool:
        """Close what can be closed at the start of the tail; return True if there may be more."""
        if blank := _BLANK_LINES.match(self._tail):
            self._tail, self._seen = self._tail[blank.end() :], 0
            return True
        # Code may be long: an open fence is searched for its end, never parsed.
        if opened := _FENCE.match(self._tail):
            return self._close_fence(opened)
        end, is_giant_next = self._window()
        if end == 0:
            return is_giant_next and self._close_giant_line()
        # No complete line has come since the last step.
        if end <= self._seen and not is_giant_next:
            return False
        units = self._units(self._tail[:end])
        for index, unit in enumerate(units):
            cut = self._tail.find("\n", unit.start + BLOCK_LIMIT, unit.end) + 1
            # The second half of a cut fence would be no fence; tables are closed by rows anyway.
            if cut and unit.kind not in ("fence", "table_open"):
                self._close([*units[:index], replace(unit, end=cut)], self._tail)
                self._start_at(cut, MarkdownContext())
                return True
        # An over-long line is a block of its own, so all before it is complete, except a fence, which it continues.
        is_last_closed = is_giant_next and units[-1].kind != "fence"
        closed = units if is_last_closed else self._surely_closed(units, end)
        self._seen = end
        if closed:
            self._close(closed, self._tail)
            self._start_at(closed[-1].end, MarkdownContext() if is_last_closed else units[len(closed)].context)
        return bool(closed)

    def _surely_closed(self, units: list[_MarkdownUnit], end: int) -> list[_MarkdownUnit]:
        """Return the units before the last one, and before what a formula goes on with if it turns out to be none."""
        if (closed := units[:-1]) and units[-1].kind == "formula_block":
            starts = {unit.start for unit in self._units(self._tail[:end], keep=False, is_growing=False)}
            while closed and closed[-1].end not in starts:
                del closed[-1]
        return closed

    def _window(self) -> tuple[int, bool]:
        """Return the end of the complete lines to parse, and whether an over-long line follows."""
        start = 0
        while start <= WINDOW:
            newline = self._tail.find("\n", start)
            if (newline if newline >= 0 else len(self._tail)) - start > LINE_LIMIT + LINE_SLACK:
                return start, True
            if newline < 0:
                break
            start = newline + 1
        return start, False

    def _close_giant_line(self) -> bool:
        cut = self._tail.find(" ", LINE_LIMIT, LINE_LIMIT + LINE_SLACK) + 1 or LINE_LIMIT + LINE_SLACK
        self.closed.append(MarkdownBlock(self._tail[:cut], (plain_prose(self._tail[:cut]),)))
        self._start_at(cut, MarkdownContext())
        return True

    def _close_fence(self, opened: re.Match[str]) -> bool:
        marker = opened[2] or opened[4]
        closing = re.compile(rf"^ {{0,3}}{marker[0]}{{{len(marker)},}}[ \t]*\n", re.MULTILINE)
        # Only new lines are searched: from the beginning each time, the work would be quadratic.
        if (found := closing.search(self._tail, max(opened.end(), self._seen))) is None:
            self._seen = self._tail.rfind("\n") + 1
            return False
        code = _code(opened, self._tail[: max(found.start() - 1, opened.end())], is_open=False)
        self.closed.append(MarkdownBlock(self._tail[: found.end()], (code,)))
        self._start_at(found.end(), MarkdownContext())
        return True

    def _close(self, units: list[_MarkdownUnit], text: str) -> None:
        blocks = [self._block(text[unit.start : unit.end], unit.context) for unit in units]
        blocks, self._folds = _with_stray_ends(blocks, self._folds)
        self.closed += blocks

    def _start_at(self, offset: int, context: MarkdownContext) -> None:
        self._tail, self._context, self._seen = self._tail[offset:], context, 0

    def _units(self, text: str, *, keep: bool = True, is_growing: bool = True) -> list[_MarkdownUnit]:
        """Return the units of the tail with their ranges; with `keep`, its definitions count from now on."""
        header = self._context.header
        env: dict[str, Any] = {GROWING: is_growing}
        tokens = _STRUCTURE.parse(header + text, env)
        if keep:
            self._read_again(self._definitions.add_definitions(env))
        offsets = [0]
        for line in (header + text).split("\n"):
            offsets.append(offsets[-1] + len(line) + 1)
        units = [
            _MarkdownUnit(max(offsets[line] - len(header), 0), _with_header(context, header + text, offsets), kind)
            for line, context, kind in _starts(tokens, offsets, len(header), self._context.number)
        ] or [_MarkdownUnit(0, MarkdownContext(), "paragraph")]
        units[0].start, units[0].context = 0, self._context if units[0].context.number is None else units[0].context
        for unit, following in itertools.pairwise(units):
            unit.end = following.start
        units[-1].end = len(text)
        return units

    def _block(self, source: str, context: MarkdownContext) -> MarkdownBlock:
        if source.count("[") > MAX_BRACKETS and not source.lstrip().startswith(("```", "~~~")):
            return MarkdownBlock(source, (plain_prose(source),), context)
        tokens = _FULL.parse(context.header + source, self._definitions.env())
        if any(token.level >= MAX_NESTING - 2 for token in tokens):
            return MarkdownBlock(source, (plain_prose(source),), context)  # the parser would drop deeper parts
        pieces = pieces_of(tokens, self._definitions.notes, context.number)
        if context.header and pieces and isinstance(pieces[0], MarkdownTable):
            pieces[0] = replace(pieces[0], continues=True)
        return MarkdownBlock(source, tuple(pieces), context)

    def _read_again(self, labels: list[str]) -> None:
        """Parse closed blocks again that name a newly defined label."""
        for index, block in enumerate(self.closed if labels else []):
            source = " ".join(block.source.split()).lower()
            if any(f"[{label.lower()}]" in source for label in labels) and not _FENCE.match(block.source):
                before = _with_stray_ends(self.closed[:index], 0)[1]
                (self.closed[index],), _ = _with_stray_ends([self._block(block.source, block.context)], before)
                self.revision += 1


def read(text: str) -> list[MarkdownBlock]:
    stream = MarkdownStream()
    stream.feed(text)
    stream.finish()
    return stream.closed


def _with_stray_ends(blocks: list[MarkdownBlock], folds: int) -> tuple[list[MarkdownBlock], int]:
    """Return blocks with unmatched fold ends as text, and the number of open folds, starting from `folds`."""
    found = []
    for block in blocks:
        pieces: list[Piece] = []
        for piece in block.pieces:
            is_stray = isinstance(piece, FoldEnd) and not folds
            pieces.append(plain_prose(END) if is_stray else piece)
            folds += isinstance(piece, Fold) - (isinstance(piece, FoldEnd) and not is_stray)
        found.append(replace(block, pieces=tuple(pieces)))
    return found, folds


def _with_growing_formulas(block: MarkdownBlock, tail: str) -> MarkdownBlock:
    """Return the block with those formulas marked whose end isn't written yet."""

    def marked(spans: Spans) -> Spans:
        return tuple(replace(span, is_growing=span.formula and span.text not in tail) for span in spans)

    last = block.pieces[-1] if block.pieces else None
    if isinstance(last, Prose):
        last = Prose((*last.lines[:-1], replace(last.lines[-1], spans=marked(last.lines[-1].spans))))
    elif isinstance(last, MarkdownTable):
        last = replace(last, rows=(*last.rows[:-1], tuple(marked(cell) for cell in last.rows[-1])))
    return replace(block, pieces=(*block.pieces[:-1], last)) if last is not None else block


def _code(opened: re.Match[str], source: str, *, is_open: bool) -> Code:
    """Return the content of a fence; while it is open, a last line that may become its end is held back."""
    info = (opened[3] or opened[5] or "").strip()
    text = source[opened.end() :]
    if is_open:
        text = re.sub(r"(^|\n) {0,3}[`~]+$", "", text).removesuffix("\n")
    if indent := len(opened[1]):
        text = re.sub(rf"^ {{1,{indent}}}", "", text, flags=re.MULTILINE)
    # Renderers' options may follow the language in braces, as in "js{1,3}".
    return Code(info.split(" ", 1)[0].split("{", 1)[0][:40], text, 0, is_open)


def _starts(
    tokens: list[Token], offsets: list[int], header_length: int, number: int | None
) -> Iterator[tuple[int, MarkdownContext, str]]:
    """Yield line, context and kind of each unit in the block structure."""
    kind, item, rows, row_start, table_line = "", 0, 0, 0, 0
    for token in tokens:
        line = token.map[0] if token.map else 0
        if token.level == 0 and token.nesting >= 0:
            kind, rows, row_start, table_line = token.type, 0, offsets[line], line
            if kind == "ordered_list_open":
                start = token.attrGet("start")
                item, number = (int(start) if start is not None else 1) if number is None else number, None
            elif kind != "bullet_list_open":
                yield line, MarkdownContext(), kind
        elif token.level == 1 and token.type == "list_item_open":
            yield line, MarkdownContext(number=item if kind == "ordered_list_open" else None), kind
            item += 1
        elif kind == "table_open" and token.type == "tr_open" and line > table_line:
            is_full = rows >= TABLE_ROWS or offsets[line] - max(row_start, header_length) > TABLE_CHARACTERS
            if rows and is_full:
                rows, row_start = 0, offsets[line]
                yield line, MarkdownContext(header=str(table_line)), kind
            rows += 1


def _with_header(context: MarkdownContext, text: str, offsets: list[int]) -> MarkdownContext:
    """Return the context with the header's text instead of its line number."""
    if not context.header:
        return context
    line = int(context.header)
    return MarkdownContext(header=text[offsets[line] : offsets[line + 2]])


def _parser(*, is_full: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING, "inline_definitions": True})
    parser.enable(["table", "strikethrough"])
    # Dashes under text are meant as a rule; a heading would make the line above jump.
    parser.disable(["lheading", "html_block", "html_inline"])
    # Fences come before tables, as the fast path for an open fence assumes.
    parser.disable("fence")
    parser.block.ruler.before(
        "table", "fence_first", fence, {"alt": ["paragraph", "reference", "blockquote", "list", "footnote_def"]}
    )
    footnote_plugin(parser, inline=False, move_to_end=False, always_match_refs=True)
    formula_plugin(parser)
    html_plugin(parser)
    # markdown-it's own rule forbids only a few schemes; here only a few are allowed.
    parser.validateLink = lambda url: bool(ALLOWED_LINK.match(url))  # type: ignore[method-assign]
    # For the block structure inline tokens aren't needed, and they are most of the work.
    if not is_full:
        parser.disable(["inline", "text_join"])
    return parser


_STRUCTURE = _parser(is_full=False)
_FULL = _parser(is_full=True)
