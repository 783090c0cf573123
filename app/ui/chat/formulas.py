"""Formulas of an answer, kept as they were written until they are typeset: where one begins and where it ends.

``$…$`` is one only where a price is not: nothing blank inside the dollars, no letter or digit outside of them (the rule
of Pandoc). ``$$…$$``, ``\\[…\\]`` and ``\\begin{…}`` may stand in lines of their own, as far as the next blank line,
and beyond it where a line has nothing but the mark that begins one.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

GROWING = "growing"
"""A key of a parse's environment: the text is not complete, and a formula at its end may still be closed."""

_OPENING = re.compile(r"\$\$(?!\$)|\\\[|\\begin\{([a-zA-Z]+\*?)\}")
_INLINE = re.compile(
    r"\$\$(?!\$)(?:\\.|[^\\$]|\$(?!\$))+\$\$"
    r"|\$(?![\s$])(?:\\.|[^\\$])*?(?<!\s)\$(?![\w$])"
    r"|\\\((?s:.{1,2000}?)\\\)|\\\[(?s:.{1,2000}?)\\\]"
    r"|\\begin\{([a-zA-Z]+\*?)\}(?s:.{1,2000}?)\\end\{\1\}",
    re.DOTALL,
)
_PRICES = re.compile(r"\$\d[^\\^_{}=]*\s[^\\^_{}=]*\$")
_AFTER = " \t.,;:"
_LINE_START = re.compile(
    rf"^[ \t]*(?:>[ \t]?)*(?:(?:[-+*]|\d{{1,9}}[.)])[ \t]+)?(?P<opening>{_OPENING.pattern})", re.MULTILINE
)
_BLANK_LINE = re.compile(r"\n[ \t>]*\n")
_MOST_LINES = 40
"""Of a formula with blank lines; so long it is waited for its end."""
_SURELY = re.compile(r"[\\^_{}=]")


def formula_plugin(parser: MarkdownIt) -> None:
    """Tokens ``formula_block`` and ``formula``, whose content is the source with its marks."""
    interrupts = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("blockquote", "formula_block", _block, {"alt": interrupts})
    parser.inline.ruler.before("escape", "formula", _inline)


def formula_at(text: str, begin: int) -> int | None:
    """Where the formula ends that begins there; None where none does."""
    before = text[begin - 1] if begin else " "
    if text.startswith("$", begin) and (before.isalnum() or before == "$"):
        return None
    found = _INLINE.match(text, begin)
    return found.end() if found is not None and not _PRICES.fullmatch(found.group()) else None


def missing_end(text: str, begin: int) -> str:
    """What would close a formula that begins there and is still being written; "" where it may be something else."""
    opened = re.compile(r"\\([(\[])|(\$\$?)").match(text, begin)
    if opened is None or (opened[2] and begin and text[begin - 1].isalnum()):
        return ""
    if opened[1]:
        return "\\)" if opened[1] == "(" else "\\]"
    inside = text[opened.end() :]
    if opened[2] == "$" and (not inside.strip() or inside[0].isspace() or not _SURELY.search(inside)):
        return ""  # as likely a price
    return opened[2]


def with_end(text: str) -> str | None:
    """The text with the formula closed that is being written in lines of its own at its end; None without one."""
    begin = 0
    while opened := _LINE_START.search(text, begin):
        closing = _closing_of(opened["opening"])
        end = text.find(closing, opened.end())
        blank = _breaking_off(text, opened, end if end >= 0 else len(text))
        if end < 0 and blank is None:
            bare = text.rstrip("\n\\$ ")
            if opened.end() >= len(bare):  # nothing is in it yet
                return text[: opened.start()].rstrip("\n")
            line = text[opened.start() : opened.start("opening")]
            return f"{bare}\n{re.sub(r'[^>]', ' ', line)}{closing}"
        begin = blank.end() if blank is not None else end + len(closing)
    return None


def _breaking_off(text: str, opened: re.Match[str], end: int) -> re.Match[str] | None:
    """The blank line before `end` that keeps a begun formula from being one."""
    blank = _BLANK_LINE.search(text, opened.end(), end)
    is_in_a_block = opened.start() != opened.start("opening")  # whose indents and quotes end it as well
    if blank is None or is_in_a_block or not _is_alone(text, opened.end()):
        return blank
    return _BLANK_LINE.search(text, opened.end()) if text.count("\n", opened.end(), end) > _MOST_LINES else None


def _is_alone(text: str, at: int) -> bool:
    """Whether the rest of the line is blank."""
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
    """The line that ends the formula, with nothing but punctuation after it; None where it is none of its own."""
    closing, at = _closing_of(opened.group()), opened.end()
    may_be_blank, last = not state.src[at : state.eMarks[line]].strip(), line + _MOST_LINES
    has_blank = False
    least_indent = min(state.blkIndent, state.sCount[line])  # a line that ends a list item may begin a formula below it
    while True:
        found = state.src.find(closing, at, state.eMarks[line])
        if found >= 0:
            rest = state.src[found + len(closing) : state.eMarks[line]]
            return line if not rest.strip(_AFTER) else None
        line += 1
        if line >= end_line:
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
    if end is None or end > state.posMax:
        return False
    if not silent:
        state.push("formula", "", 0).content = state.src[state.pos : end]
    state.pos = end
    return True
