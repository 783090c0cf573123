"""What Markdown is read with besides CommonMark: formulas, a few HTML tags, and the end of a text that still grows.

A formula in dollars is one only where a price is not: nothing blank inside of them, no letter or digit outside (the
rule of Pandoc).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

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


# The few HTML tags that mean something in an answer: ``b i kbd sub sup br`` in a line, ``details`` around blocks.
#
# All other HTML stays text. A tag without its other half stays text, too.

TAG = re.compile(r"<(/?)(b|i|kbd|sub|sup|br)[ \t]*/?>", re.IGNORECASE)
BREAK = "br"
END = "</details>"
_DETAILS = re.compile(r"<details(?P<open>[ \t]+open)?[ \t]*>(?P<rest>[^\n]*)", re.IGNORECASE)
_SUMMARY = re.compile(r"[ \t]*<summary>(?P<title>[^\n]*?)</summary>(?P<rest>[^\n]*)", re.IGNORECASE)
_END = re.compile(r"</details>[ \t]*$", re.IGNORECASE)
_HALF_LINE = re.compile(
    r"(?:^|\n)[ \t]*(?:</?[a-z]{0,7}|<details[ \t]*[a-z]*|<summary>(?:(?!</summary>)[^\n])*)$", re.I
)
_HALF_TAG = re.compile(r"</?(?:b|br|k|kb|kbd|s|su|sub|sup|i)?[ \t]*/?$", re.IGNORECASE)


def html_plugin(parser: MarkdownIt) -> None:
    """Tokens ``tag`` with its name and whether it ends in `meta`; ``fold_open``, ``fold_close`` and ``fold_end``."""
    parser.block.ruler.before("blockquote", "details", _details, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.inline.ruler.before("escape", "tag", _tag)


def paired(tokens: Sequence[Token]) -> set[int]:
    """Places of the tags that have their other half."""
    opened: dict[str, list[int]] = {}
    found: set[int] = set()
    for place, token in enumerate(tokens):
        if token.type == "tag" and not token.meta["is_end"]:
            opened.setdefault(token.meta["name"], []).append(place)
        elif token.type == "tag" and opened.get(token.meta["name"]):
            found |= {opened[token.meta["name"]].pop(), place}
    return found


def without_half(text: str) -> str:
    """A text that is being written, without the begun tag at its end."""
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
        token.content, token.map, token.children = text, lines, []
        state.push(f"{name}_close", "", -1)
    state.push("fold_close", "", -1).meta = {"is_open": is_open, "is_whole": is_whole}


# The end of a text that is still being written, shown as what it will most likely become.
#
# Only the unfinished end is touched: marks that say nothing yet are held back for the moment, and emphasis,
# code and links that were begun are completed, so that nothing jumps when their end arrives.


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
    """The open tail, ready to be shown; `is_in_table`: the header of the table that goes on in it is before it."""
    decided = _UNDECIDED.sub("", tail, count=1)
    if len(_FENCE_LINE.findall(decided)) % 2:
        # Inside a code block that belongs to a list or a quote; only its end is undecided.
        last = tail.rpartition("\n")[2].strip()
        return decided if last[:1] in ("`", "~") else tail
    closed = with_end(tail)
    if closed is not None:
        return closed
    tail = without_half(_LABEL.sub("", _DEFINITION.sub("", decided)))
    if not is_in_table and not _TABLE_RULE.search(tail):
        tail = _TABLE_START.sub("", tail)
    starts = [found.start() for found in _ITEM_LINE.finditer(tail)]
    start = starts[-1] if starts else 0
    return tail[:start] + _completed(tail[start:])


def _completed(text: str) -> str:
    """One paragraph with its begun links, emphasis and code completed."""
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
                opened.append(mark)
                break
            begin = end.end()
            continue
        _count(text, run, opened)
    return _closed(text, opened)


def _count_tag(text: str, begin: int, opened: list[str]) -> int:
    """Keeps account of tags; where to go on."""
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
    """Keeps account of emphasis: what a run of marks ends, or else begins."""
    before = text[run.start() - 1] if run.start() else " "
    after = text[run.end()] if run.end() < len(text) else " "
    mark = run.group()
    left = len(mark)
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
    """Without marks at the very end that begin nothing yet, and with the begun ones ended."""
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
