"""Formulas in Markdown: where one begins and ends, also while it is being written."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

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
    if (last := _last_line(state, start_line, end_line, opened)) is None:
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
        if (found := state.src.find(closing, at, state.eMarks[line])) >= 0:
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
    # `posMax` is the end of the emphasis or link that is being parsed; the source goes on behind it.
    if (end := formula_at(state.src, state.pos)) is None or end > state.posMax:
        return False
    if not silent:
        state.push("formula", "", 0).content = state.src[state.pos : end]
    state.pos = end
    return True
