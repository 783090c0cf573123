"""Half-written marks at the end of growing Markdown: completed, or held back, so that nothing flickers."""

from __future__ import annotations

import re

from app.ui.text.formula_syntax import formula_at, missing_end, with_end
from app.ui.text.html_syntax import TAG, without_half

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
        return decided if tail.rpartition("\n")[2].strip()[:1] in ("`", "~") else tail
    if (closed := with_end(tail)) is not None:
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
        if (run := _RUN.search(text, begin)) is None:
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
            if (end := re.compile(rf"(?<!`){mark}(?!`)").search(text, begin)) is None:
                # In open code all other marks are text.
                opened.append(mark)
                break
            begin = end.end()
            continue
        _count(text, run, opened)
    return _closed(text, opened)


def _count_tag(text: str, begin: int, opened: list[str]) -> int:
    """Track a tag as opened or closed; return where to continue in the text."""
    if (tag := TAG.match(text, begin)) is None:
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
    if (trimmed := re.sub(r"(?<!\\)\\$", "", trimmed)) != bare:
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
