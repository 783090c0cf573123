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
from dataclasses import dataclass, field, replace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, fence
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from app.ui.text.pieces import ALLOWED_LINK, Code, Fold, FoldEnd, MarkdownTable, Piece, pieces_of, plain_prose

GROWING = "growing"
"""Key of the parser's environment: the text is incomplete, and a formula at its end may still be closed."""

_OPENING = re.compile(r"\$\$(?!\$)|\\\[|\\begin\{([a-zA-Z]+\*?)\}")
# Dollars delimit a formula only where they can't be prices: no blank just inside, no letter or digit just outside
# (Pandoc's rule).
_INLINE = re.compile(
    r"\$\$(?!\$)(?:\\.|[^\\$]|\$(?!\$))+\$\$"
    r"|\$(?![\s$])(?:\\.|[^\\$])*?(?<!\s)\$(?![\w$])"
    r"|\\\((?s:.{1,2000}?)\\\)|\\\[(?s:.{1,2000}?)\\\]"
    r"|\\begin\{([a-zA-Z]+\*?)\}(?s:.{1,2000}?)\\end\{\1\}",
    re.DOTALL,
)
# "$5 and $7" has a formula's delimiters, but no sign that only formulas have.
_PRICES = re.compile(r"\$\d[^\\^_{}=]*\s[^\\^_{}=]*\$")
_AFTER = " \t.,;:"
_LINE_START = re.compile(
    rf"^[ \t]*(?:>[ \t]?)*(?:(?:[-+*]|\d{{1,9}}[.)])[ \t]+)?(?P<opening>{_OPENING.pattern})", re.MULTILINE
)
_BLANK_LINE = re.compile(r"\n[ \t>]*\n")
_MOST_LINES = 40
"""Maximum lines to wait for the end of a formula with blank lines."""
_SURELY = re.compile(r"[\\^_{}=]")


def formula_plugin(parser: MarkdownIt) -> None:
    """Add the tokens ``formula_block`` and ``formula``, whose content is the source with delimiters."""
    # Blocks that a formula may interrupt without a blank line, as a fence may.
    interrupts = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("blockquote", "formula_block", _block, {"alt": interrupts})
    # Before escapes, which would take the backslash of \( and \[ for theirs.
    parser.inline.ruler.before("escape", "formula", _inline)


def formula_at(text: str, begin: int) -> int | None:
    """Return the end of the formula that starts at a position, or None."""
    before = text[begin - 1] if begin else " "
    if text.startswith("$", begin) and (before.isalnum() or before == "$"):
        return None
    found = _INLINE.match(text, begin)
    return found.end() if found is not None and not _PRICES.fullmatch(found.group()) else None


def missing_end(text: str, begin: int) -> str:
    """Return what would close the formula being written; "" if it may be something else."""
    opened = re.compile(r"\\([(\[])|(\$\$?)").match(text, begin)
    if opened is None or (opened[2] and begin and text[begin - 1].isalnum()):
        return ""
    if opened[1]:
        return "\\)" if opened[1] == "(" else "\\]"
    inside = text[opened.end() :]
    if opened[2] == "$" and (not inside.strip() or inside[0].isspace() or not _SURELY.search(inside)):
        return ""  # it may as well be a price
    return opened[2]


def with_end(text: str) -> str | None:
    """Return the text with the unfinished display formula at its end closed; None if there is none."""
    begin = 0
    while opened := _LINE_START.search(text, begin):
        closing = _closing_of(opened["opening"])
        end = text.find(closing, opened.end())
        blank = _breaking_off(text, opened, end if end >= 0 else len(text))
        if end < 0 and blank is None:
            # Half of a closing delimiter may be there already.
            bare = text.rstrip("\n\\$ ")
            if opened.end() >= len(bare):  # it is still empty
                return text[: opened.start()].rstrip("\n")
            # The quote signs of the line are kept, so that the added end is in the same quote.
            line = text[opened.start() : opened.start("opening")]
            return f"{bare}\n{re.sub(r'[^>]', ' ', line)}{closing}"
        begin = blank.end() if blank is not None else end + len(closing)
    return None


def _breaking_off(text: str, opened: re.Match[str], end: int) -> re.Match[str] | None:
    """Return the blank line before `end` that prevents a started formula."""
    blank = _BLANK_LINE.search(text, opened.end(), end)
    is_in_a_block = opened.start() != opened.start("opening")  # then indents and quotes end it as well
    if blank is None or is_in_a_block or not _is_alone(text, opened.end()):
        return blank
    # A delimiter alone on its line may have blank lines inside, but not without limit: it may never be closed.
    return _BLANK_LINE.search(text, opened.end()) if text.count("\n", opened.end(), end) > _MOST_LINES else None


def _is_alone(text: str, at: int) -> bool:
    return not text[at:].partition("\n")[0].strip()


def _closing_of(opening: str) -> str:
    if opening == "$$":
        return "$$"
    return "\\]" if opening == "\\[" else opening.replace("\\begin", "\\end", 1)


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    start = state.bMarks[start_line] + state.tShift[start_line]
    opened = _OPENING.match(state.src, start, state.eMarks[start_line])
    if opened is None or state.is_code_block(start_line):
        return False
    last = _last_line(state, start_line, end_line, opened)
    if last is None:
        return False
    if not silent:
        state.line = last + 1
        token = state.push("formula_block", "", 0)
        token.map = [start_line, state.line]
        lines = state.getLines(start_line, state.line, state.blkIndent, False)
        token.content = "\n".join(
            line.strip() if at == 0 else line.rstrip() for at, line in enumerate(lines.split("\n"))
        )
    return True


def _last_line(state: StateBlock, line: int, end_line: int, opened: re.Match[str]) -> int | None:
    """Return the line that ends a display formula, followed by punctuation at most; None for other formulas."""
    closing, at = _closing_of(opened.group()), opened.end()
    may_be_blank, last = not state.src[at : state.eMarks[line]].strip(), line + _MOST_LINES
    has_blank = False
    least_indent = min(state.blkIndent, state.sCount[line])  # a line that ends a list item may start a formula below
    while True:
        found = state.src.find(closing, at, state.eMarks[line])
        if found >= 0:
            rest = state.src[found + len(closing) : state.eMarks[line]]
            return line if not rest.strip(_AFTER) else None
        line += 1
        if line >= end_line:
            # Still being written: what has come so far is shown as the formula.
            return line - 1 if state.env.get(GROWING) else None
        if state.isEmpty(line):
            has_blank = True
        elif state.sCount[line] < least_indent:
            return None
        if has_blank and (not may_be_blank or line > last):
            return None
        at = state.bMarks[line] + state.tShift[line]


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "\\$":
        return False
    end = formula_at(state.src, state.pos)
    # `posMax` is the end of the emphasis or link that is being parsed; the source goes on behind it.
    if end is None or end > state.posMax:
        return False
    if not silent:
        state.push("formula", "", 0).content = state.src[state.pos : end]
    state.pos = end
    return True


TAG = re.compile(r"<(/?)(b|i|kbd|sub|sup|br)[ \t]*/?>", re.IGNORECASE)
END = "</details>"
_DETAILS = re.compile(r"<details(?P<open>[ \t]+open)?[ \t]*>(?P<rest>[^\n]*)", re.IGNORECASE)
_SUMMARY = re.compile(r"[ \t]*<summary>(?P<title>[^\n]*?)</summary>(?P<rest>[^\n]*)", re.IGNORECASE)
_END = re.compile(r"</details>[ \t]*$", re.IGNORECASE)
_HALF_LINE = re.compile(
    r"(?:^|\n)[ \t]*(?:</?[a-z]{0,7}|<details[ \t]*[a-z]*|<summary>(?:(?!</summary>)[^\n])*)$", re.I
)
_HALF_TAG = re.compile(r"</?(?:b|br|k|kb|kbd|s|su|sub|sup|i)?[ \t]*/?$", re.IGNORECASE)


def html_plugin(parser: MarkdownIt) -> None:
    """Add the token ``tag`` with its name and whether it closes in `meta`; ``fold_open``, ``fold_close`` and
    ``fold_end``.

    All other HTML stays text, and so does a tag without its counterpart.
    """
    parser.block.ruler.before("blockquote", "details", _details, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.inline.ruler.before("escape", "tag", _tag)


def without_half(text: str) -> str:
    """Return growing text without a started tag at its end."""
    return _HALF_TAG.sub("", _HALF_LINE.sub("", text))


def _tag(state: StateInline, silent: bool) -> bool:
    found = TAG.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("tag", "", 0)
        token.content = found.group()
        token.meta = {"name": found[2].lower(), "is_end": bool(found[1])}
    state.pos = found.end()
    return True


def _details(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    def line(number: int) -> str:
        return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]

    first = line(start_line)
    if not first.startswith("<") or state.is_code_block(start_line):
        return False
    if _END.match(first):
        if not silent:
            state.line = start_line + 1
            state.push("fold_end", "", 0).map = [start_line, state.line]
        return True
    opened = _DETAILS.match(first)
    if opened is None:
        return False
    if silent:
        return True
    state.line = start_line + 1
    rest = opened["rest"]
    summary = _SUMMARY.match(rest)
    if summary is None and not rest.strip() and state.line < end_line:
        summary = _SUMMARY.match(line(state.line))
        state.line += summary is not None
    title, rest = (summary["title"], summary["rest"]) if summary else ("", rest)
    _push_fold(state, start_line, title.strip(), rest.strip(), is_open=bool(opened["open"]))
    return True


def _push_fold(state: StateBlock, start_line: int, title: str, content: str, *, is_open: bool) -> None:
    is_whole = bool(re.search(_END, content))
    content = _END.sub("", content).strip()
    lines = [start_line, state.line]
    state.push("fold_open", "", 1).map = lines
    parts = [("fold_title", title)] + ([("paragraph", content)] if content else [])
    for name, text in parts:
        state.push(f"{name}_open", "", 1).map = lines
        token = state.push("inline", "", 0)
        # markdown-it's inline rule fills `children` of every "inline" token later.
        token.content, token.map, token.children = text, lines, []
        state.push(f"{name}_close", "", -1)
    state.push("fold_close", "", -1).meta = {"is_open": is_open, "is_whole": is_whole}


# A last line that may still become a heading, a rule, a list item, a fence, a table or a definition.
_UNDECIDED = re.compile(
    r"(?:^|\n)[ \t]*(?:>[ \t]?)*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*"
    r"(?:[-+*_=#>:|]+|\d{1,9}[.)]?|\[[ xX]?\]?|[`~]{3,}[^\n`]*|[`~]+)?[ \t]*$"
)
_DEFINITION = re.compile(r"(?:^|\n[ \t]*\n)[ \t]{0,3}\[(?!\^)[^\]\n]+\]:[^\n]*$")
_LABEL = re.compile(r"!?\[(?:\^[^\]\s]*)?$")
_TABLE_START = re.compile(r"(?:^|\n)([ \t]*\|[^\n]*(?:\n[ \t]*\|?[-:| \t]*)?)$")
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-+:?[ \t]*\|", re.MULTILINE)
_ITEM = re.compile(r"[ \t]*(?:(?:[-+*]|\d{1,9}[.)]|#{1,6}|>|\|)[ \t]+)*")
_ITEM_LINE = re.compile(r"\n(?=[ \t]*(?:[-+*#>|]|\d{1,9}[.)]|\n))")
_HALF_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*(?:\([^()\s]*\)?[^()\s]*)?(?:\s+[\"'][^\"'\n]*[\"']?)?$")
_FENCE_LINE = re.compile(r"^[ \t]*(?:>[ \t]?)*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)?(?:`{3,}|~{3,})", re.MULTILINE)
_RUN = re.compile(r"\\.|\$+|`+|\*+|~~+|_+|<", re.DOTALL)


def calm(tail: str, *, is_in_table: bool = False) -> str:
    """Return the open tail without flickering half-written marks; `is_in_table` says that its table's header was parsed
    before.

    Only the unfinished end changes: marks without a meaning yet are held back, and open emphasis, code and links are
    closed, so that nothing jumps when their end arrives.
    """
    decided = _UNDECIDED.sub("", tail, count=1)
    if len(_FENCE_LINE.findall(decided)) % 2:
        # Inside a code block of a list or quote, only the end is undecided.
        last = tail.rpartition("\n")[2].strip()
        return decided if last[:1] in ("`", "~") else tail
    closed = with_end(tail)
    if closed is not None:
        return closed
    tail = without_half(_LABEL.sub("", _DEFINITION.sub("", decided)))
    # Until its rule has come, a table is a paragraph full of bars, so it is held back.
    if not is_in_table and not _TABLE_RULE.search(tail):
        tail = _TABLE_START.sub("", tail)
    # Emphasis never reaches into another item or paragraph, so only the last can have something open.
    starts = [found.start() for found in _ITEM_LINE.finditer(tail)]
    start = starts[-1] if starts else 0
    return tail[:start] + _completed(tail[start:])


def _completed(text: str) -> str:
    """Return a paragraph with started links, emphasis and code closed."""
    text = _HALF_LINK.sub(lambda m: m[1], text)
    opened: list[str] = []
    position = _ITEM.match(text.lstrip("\n"))
    begin = len(text) - len(text.lstrip("\n")) + (position.end() if position else 0)
    while True:
        run = _RUN.search(text, begin)
        if run is None:
            break
        begin = run.end()
        mark = run.group()
        if mark[0] == "<":
            begin = _count_tag(text, run.start(), opened)
            continue
        if mark[0] in "\\$":
            end_of_formula = formula_at(text, run.start())
            closing = "" if end_of_formula else missing_end(text, run.start())
            if closing:
                return text.rstrip("\\$ ") + closing if len(text) > run.end() else text[: run.start()].rstrip()
            begin = end_of_formula or begin
            continue
        if mark[0] == "`":
            end = re.compile(rf"(?<!`){mark}(?!`)").search(text, begin)
            if end is None:
                # In open code all other marks are text.
                opened.append(mark)
                break
            begin = end.end()
            continue
        _count(text, run, opened)
    return _closed(text, opened)


def _count_tag(text: str, begin: int, opened: list[str]) -> int:
    """Track a tag as opened or closed; return where to continue in the text."""
    tag = TAG.match(text, begin)
    if tag is None:
        return begin + 1
    end = f"</{tag[2].lower()}>"
    if tag[1] and end in opened:
        del opened[len(opened) - 1 - opened[::-1].index(end)]
    elif not tag[1] and end != "</br>":
        opened.append(end)
    return tag.end()


def _count(text: str, run: re.Match[str], opened: list[str]) -> None:
    """Track emphasis: a run of marks closes open ones, or opens new ones."""
    before = text[run.start() - 1] if run.start() else " "
    after = text[run.end()] if run.end() < len(text) else " "
    mark = run.group()
    left = len(mark)
    # CommonMark's flanking: marks close behind a character and open before one; `_` doesn't open inside a word.
    while left and opened and opened[-1][0] == mark[0] and not before.isspace() and len(opened[-1]) <= left:
        left -= len(opened.pop())
    if left and not after.isspace() and not (mark[0] == "_" and before.isalnum()):
        if mark[0] == "~":
            opened.append("~~")
        else:
            opened.extend(["*" * 2] if left == 2 and mark[0] == "*" else [mark[0] * part for part in _parts(left)])


def _parts(length: int) -> list[int]:
    return {1: [1], 2: [2], 3: [1, 2]}.get(length, [])


def _closed(text: str, opened: list[str]) -> str:
    """Drop marks at the very end that open nothing yet, and close the open ones."""
    bare = text.rstrip()
    trimmed = re.sub(r"(?:(?<=\s)|^)(?:\*{1,3}|_{1,3}|~{1,2}|`{1,2}|!?\[|\$)$", "", bare)
    trimmed = re.sub(r"(?<!\\)\\$", "", trimmed)
    if trimmed != bare:
        if opened and bare.endswith(opened[-1]):
            opened = opened[:-1]
        text = bare = trimmed
    if not opened:
        return text
    # A single mark at the end may be the first half of the two that end the emphasis.
    bare = bare.rstrip()
    last = opened[-1]
    if last[0] == "<":
        return text + "".join(reversed(opened))
    if last[0] != "`" and bare.endswith(last[0]) and not bare.endswith(last):
        bare = bare[: -len(last) + 1] if len(last) > 1 else bare
        bare = bare.rstrip(last[0])
    elif last[0] == "`" and len(last) > 1:
        bare = bare.rstrip("`")
    return bare.rstrip() + "".join(reversed(opened))


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
        opened = _FENCE.match(self._tail)
        if opened:
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
        opened = _FENCE.match(self._tail)
        if opened:
            return [MarkdownBlock(self._tail, (_code(opened, self._tail, is_open=True),))]
        shown = calm(self._tail, is_in_table=bool(self._context.header))
        if not shown.strip():
            return []
        blocks = [
            self._block(shown[unit.start : unit.end], unit.context)
            for unit in self._units(shown, keep=False, is_growing=False)
        ]
        return _with_stray_ends(blocks, self._folds)[0]

    def _step(self) -> bool:
        """Close what can be closed at the start of the tail; return True if there may be more."""
        blank = _BLANK_LINES.match(self._tail)
        if blank:
            self._tail, self._seen = self._tail[blank.end() :], 0
            return True
        opened = _FENCE.match(self._tail)
        # Code may be long: an open fence is searched for its end, never parsed.
        if opened:
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
        closed = units if is_last_closed else units[:-1]
        self._seen = end
        if closed:
            self._close(closed, self._tail)
            self._start_at(closed[-1].end, MarkdownContext() if is_last_closed else units[-1].context)
        return bool(closed)

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
        found = closing.search(self._tail, max(opened.end(), self._seen))
        if found is None:
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


def _code(opened: re.Match[str], source: str, *, is_open: bool) -> Code:
    """Return the content of a fence; while it is open, a last line that may become its end is held back."""
    info = (opened[3] or opened[5] or "").strip()
    text = source[opened.end() :]
    if is_open:
        text = re.sub(r"(^|\n) {0,3}[`~]+$", "", text).removesuffix("\n")
    indent = len(opened[1])
    if indent:
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
