"""Inline Markdown with the place of each piece of markup in its text, which markdown-it does not tell by itself.

Every inline rule of markdown-it is watched: what it adds to the tokens begins where the rule began and ends where it
stopped. A token's `map` holds these two offsets then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from app.documents.formats.markdown.markdown import MOST_NESTING

Rule = Callable[[StateInline, bool], bool]
_ONE = ("newline", "escape", "backticks", "html_inline", "footnote_ref", "math_inline")
_DELIMITERS = ("emphasis", "strikethrough")


def new_parser(*, has_front_matter: bool = True) -> MarkdownIt:
    """CommonMark with GitHub's tables and strikethrough, footnotes and formulas between dollars.

    `parse` finds the blocks, `inline_tokens` what is in them.
    """
    parser = MarkdownIt("commonmark", {"maxNesting": MOST_NESTING}).enable(["table", "strikethrough"])
    footnote_plugin(parser, inline=False, move_to_end=False, always_match_refs=True)
    dollarmath_plugin(parser, allow_space=False, allow_digits=False, double_inline=True)
    if has_front_matter:
        front_matter_plugin(parser)
    parser.core.ruler.disable(["inline", "text_join"], ignoreInvalid=True)
    parser.inline.ruler2.disable("fragments_join")
    parser.validateLink = lambda url: True  # type: ignore[method-assign] # nothing is followed, and none is text
    for rule in list(parser.inline.ruler.__rules__):
        if (watched := _watched(rule.name, rule.fn)) is not None:
            parser.inline.ruler.at(rule.name, watched)
    return parser


def inline_tokens(parser: MarkdownIt, text: str, env: dict[str, Any]) -> list[Token]:
    """The tokens of a block's text; those that are no text have their place."""
    tokens = parser.inline.parse(text, parser, env, [])
    return _joined(tokens)


def _watched(name: str, rule: Rule) -> Rule | None:
    if name in _ONE:
        return lambda state, silent: _one(rule, state, silent)
    if name in _DELIMITERS:
        return lambda state, silent: _delimiters(rule, state, silent)
    return {"link": _link, "image": _image, "autolink": _autolink}[name](rule) if name in _LABELLED else None


_LABELLED = ("link", "image", "autolink")


def _one(rule: Rule, state: StateInline, silent: bool) -> bool:
    start, before = state.pos, len(state.tokens)
    found = rule(state, silent)
    if found and not silent and len(state.tokens) > before:
        state.tokens[-1].map = [start, state.pos]
    return found


def _delimiters(rule: Rule, state: StateInline, silent: bool) -> bool:
    start = state.pos
    found = rule(state, silent)
    if found and not silent:
        end, at = state.pos, len(state.tokens)
        while end > start:
            at -= 1
            token = state.tokens[at]
            token.map = [end - len(token.content), end]
            end -= len(token.content)
    return found


def _link(rule: Rule) -> Rule:
    def run(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        found = rule(state, silent)
        if found and not silent:
            opening = next(token for token in state.tokens[before:] if token.type == "link_open" and token.map is None)
            opening.map = [start, start + 1]
            state.tokens[-1].map = [_label_end(state, start, True), state.pos]
        return found

    return run


def _image(rule: Rule) -> Rule:
    def run(state: StateInline, silent: bool) -> bool:
        start = state.pos
        found = rule(state, silent)
        if found and not silent:
            state.tokens[-1].map = [start, state.pos]
            state.tokens[-1].meta = {"label": (start + 2, _label_end(state, start + 1, False))}
        return found

    return run


def _label_end(state: StateInline, start: int, no_links: bool) -> int:
    end, state.pos = state.pos, start
    found: int = state.md.helpers.parseLinkLabel(state, start, no_links)
    state.pos = end
    return found


def _autolink(rule: Rule) -> Rule:
    """An address is one token here, for it is no text."""

    def run(state: StateInline, silent: bool) -> bool:
        start = state.pos
        found = rule(state, silent)
        if found and not silent:
            del state.tokens[-2:], state.tokens_meta[-2:]
            token = state.tokens[-1]
            token.type, token.nesting, token.content = "autolink", 0, state.src[start + 1 : state.pos - 1]
            token.map, state.tokens_meta[-1] = [start, state.pos], None
        return found

    return run


def _joined(tokens: list[Token]) -> list[Token]:
    """Without the halves of double delimiters: those that stay hold the place of both."""
    kept: list[Token] = []
    for number, token in enumerate(tokens):
        if token.type == "text" and not token.content and token.map is not None:
            is_first = number + 1 < len(tokens) and tokens[number + 1].type == "strong_open"
            owner = tokens[number + 1] if is_first else tokens[number - 1]
            if owner.map is not None and owner.nesting:
                owner.map = [min(owner.map[0], token.map[0]), max(owner.map[1], token.map[1])]
            continue
        kept.append(token)
    return kept
