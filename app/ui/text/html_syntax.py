"""The HTML that Markdown may hold: a few tags, and sections that fold."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

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
    if (found := TAG.match(state.src, state.pos, state.posMax)) is None:
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
    if (opened := _DETAILS.match(first)) is None:
        return False
    if silent:
        return True
    state.line = start_line + 1
    rest = opened["rest"]
    if (summary := _SUMMARY.match(rest)) is None and not rest.strip() and state.line < end_line:
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
