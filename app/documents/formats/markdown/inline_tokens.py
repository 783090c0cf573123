"""Inline Markdown with the place of each piece of markup in its text, which markdown-it does not tell by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from app.documents.formats.markdown.read_markdown import MOST_NESTING

Rule = Callable[[StateInline, bool], bool]
# These rules push one token each, so its place is from where the rule began to where it ended.
_ONE = ("newline", "escape", "backticks", "html_inline", "footnote_ref", "math_inline")
_DELIMITERS = ("emphasis", "strikethrough")


def new_parser(*, has_front_matter: bool = True) -> MarkdownIt:
    """Return a parser for CommonMark with GitHub's tables and strikethrough, footnotes and dollar formulas.

    `parse` finds blocks, `inline_tokens` their content.
    """
    # CommonMark as it is, without the typographer, which changes quotes and dashes.
    parser = MarkdownIt("commonmark", {"maxNesting": MOST_NESTING}).enable(["table", "strikethrough"])
    footnote_plugin(parser, inline=False, move_to_end=False, always_match_refs=True)
    # "$5 and $6" is money: no space inside, and no digit behind.
    dollarmath_plugin(parser, allow_space=False, allow_digits=False, double_inline=True)
    if has_front_matter:
        front_matter_plugin(parser)
    # Joining adjacent texts would lose their places.
    parser.core.ruler.disable(["inline", "text_join"], ignoreInvalid=True)
    parser.inline.ruler2.disable("fragments_join")
    # By default javascript: and the like are no links, and would be shown as text.
    parser.validateLink = lambda url: True  # type: ignore[method-assign] # nothing is followed, and none is text
    for rule in list(parser.inline.ruler.__rules__):
        if (watched := _watch_rule(rule.name, rule.fn)) is not None:
            parser.inline.ruler.at(rule.name, watched)
    return parser


def inline_tokens(parser: MarkdownIt, text: str, env: dict[str, Any]) -> list[Token]:
    """Return a block's inline tokens, with the places of those that aren't text."""
    tokens = parser.inline.parse(text, parser, env, [])
    return _join_delimiters(tokens)


def _watch_rule(name: str, rule: Rule) -> Rule | None:
    if name in _ONE:
        return lambda state, silent: _watch_token(rule, state, silent)
    if name in _DELIMITERS:
        return lambda state, silent: _watch_delimiters(rule, state, silent)
    labelled = {"link": _watch_link, "image": _watch_image, "autolink": _watch_autolink}
    return labelled[name](rule) if name in _LABELLED else None


_LABELLED = ("link", "image", "autolink")


def _watch_token(rule: Rule, state: StateInline, silent: bool) -> bool:
    start, before = state.pos, len(state.tokens)
    found = rule(state, silent)
    if found and not silent and len(state.tokens) > before:
        state.tokens[-1].map = [start, state.pos]
    return found


def _watch_delimiters(rule: Rule, state: StateInline, silent: bool) -> bool:
    start = state.pos
    found = rule(state, silent)
    if found and not silent:
        # A run of delimiters gives a token each; backwards, since their number is not told.
        end, at = state.pos, len(state.tokens)
        while end > start:
            at -= 1
            token = state.tokens[at]
            token.map = [end - len(token.content), end]
            end -= len(token.content)
    return found


def _watch_link(rule: Rule) -> Rule:
    def run(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        found = rule(state, silent)
        if found and not silent:
            # The rule has parsed the label first, which may hold images, but no other link.
            opening = next(token for token in state.tokens[before:] if token.type == "link_open" and token.map is None)
            opening.map = [start, start + 1]
            state.tokens[-1].map = [_label_end(state, start, True), state.pos]
        return found

    return run


def _watch_image(rule: Rule) -> Rule:
    def run(state: StateInline, silent: bool) -> bool:
        start = state.pos
        found = rule(state, silent)
        if found and not silent:
            state.tokens[-1].map = [start, state.pos]
            state.tokens[-1].meta = {"label": (start + 2, _label_end(state, start + 1, False))}
        return found

    return run


def _label_end(state: StateInline, start: int, no_links: bool) -> int:
    # The parser's position is where the rule left it, and has to be there afterwards.
    end, state.pos = state.pos, start
    found: int = state.md.helpers.parseLinkLabel(state, start, no_links)
    state.pos = end
    return found


def _watch_autolink(rule: Rule) -> Rule:
    """Watch a rule whose address is one token here, for it is no text."""

    def run(state: StateInline, silent: bool) -> bool:
        start = state.pos
        found = rule(state, silent)
        if found and not silent:
            # The rule pushes an opening token, a text and a closing one.
            del state.tokens[-2:], state.tokens_meta[-2:]
            token = state.tokens[-1]
            token.type, token.nesting, token.content = "autolink", 0, state.src[start + 1 : state.pos - 1]
            token.map, state.tokens_meta[-1] = [start, state.pos], None
        return found

    return run


def _join_delimiters(tokens: list[Token]) -> list[Token]:
    """Drop the empty halves of double delimiters; those kept have the place of both."""
    kept: list[Token] = []
    for number, token in enumerate(tokens):
        # markdown-it makes `strong` of two pairs of delimiters and empties the tokens of one.
        if token.type == "text" and not token.content and token.map is not None:
            is_first = number + 1 < len(tokens) and tokens[number + 1].type == "strong_open"
            owner = tokens[number + 1] if is_first else tokens[number - 1]
            if owner.map is not None and owner.nesting:
                owner.map = [min(owner.map[0], token.map[0]), max(owner.map[1], token.map[1])]
            continue
        kept.append(token)
    return kept
