"""Detect a template's function-call syntax by comparing renderings with and without calls.

The method of llama.cpp's docs/autoparser.md: a conversation whose last answer is text, and the same with one call, two
calls, and one or two arguments, are rendered; the differences are the syntax. No model is known by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.engine.answer_decoder import PAIRS
from app.engine.llama.template import call_told
from app.engine.llama.template_process import TemplateAbandoned, TemplateProblem
from app.engine.protocol import CallSyntax

Render = Callable[[Mapping[str, Any]], str]

# Words that no template has of its own, so that what stands around them in a rendering is the template's.
WORDS = "~plain words~"
NAMES = ("firstfunction", "secondfunction")
KEYS, VALUES, NUMBER = ("firstkey", "secondkey"), ("firstvalue", "secondvalue"), 1234567
# Mistral's template accepts ids of nine letters and digits only.
IDS = ("aaaaaaaa1", "bbbbbbbb2")
"""Call ids of the length that the strictest template requires."""
ANY_ID = "\0"
"""Placeholder in a literal for the call id, which the model chooses."""
CUT_BEGIN, CUT_END = re.compile(r"(<[^<>\s]*)?$"), re.compile(r"([^<>\s]*>)?")
"""Ends and beginnings of a tag that two kinds of answer may share."""
QUOTES = ("'", '"')
"""Between these a text is written as JSON has it, where a template writes it in any of them."""
BRACKETS = (")", "}", "]")
TAG = re.compile(r"<[^<>\s]*>|\[[A-Z_]+\]|<｜[^｜]*｜>")
"""Patterns that may begin a call if nothing else does."""


def call_syntax(render: Render, is_end: Callable[[str], bool] = lambda text: False) -> CallSyntax | None:
    """Return the function-call syntax; None if the template has none or isn't understood.

    `is_end` tells whether a text spells a token that ends an answer. Raises TemplateAbandoned.
    """
    try:
        return _FoundCall(render, is_end).find_syntax()
    except TemplateAbandoned:
        raise
    except (TemplateProblem, _NotUnderstood):
        return None


class _NotUnderstood(Exception):
    pass


class _FoundCall:
    def __init__(self, render: Render, is_end: Callable[[str], bool]) -> None:
        self._render, self._is_end = render, is_end

    def find_syntax(self) -> CallSyntax:
        one = self._render_calls((0, 1))
        try:
            two = self._render_calls((0, 1), (1, 1))
        except (TemplateProblem, _NotUnderstood):
            two = ""
        two = two if NAMES[1] in two else ""  # some write the first call of an answer, and no other
        opening, rest = _split_at(one, NAMES[0])
        inside = json.dumps({KEYS[0]: VALUES[0]})
        # The arguments as JSON with any white space between the signs.
        found = re.search(r"\s*".join(map(re.escape, re.findall(r'"\w+"|\S', inside))), rest)
        if found is None:
            try:
                return self._tagged_syntax(opening, rest, two)
            except _NotUnderstood:
                return self._listed_syntax(opening, rest, two)
        between, closing = rest[: found.start()], rest[found.end() :]
        joiner = ""
        if two:
            first, second = _split_at(two, NAMES[1])
            joiner = first[_last_position(first, found[0]) + len(found[0]) :]
            # The second call has to be written as the first one, or nothing is known of its borders.
            if _with_any_id(second) != _with_any_id(between + found[0] + closing):
                joiner = ""
        return self._checked_syntax(CallSyntax(opening, between, closing, joiner))

    def _tagged_syntax(self, opening: str, rest: str, two: str) -> CallSyntax:
        """Arguments that are not JSON: each with a tag for its name, and its value until another tag."""
        before_key, after_key = _split_at(rest, KEYS[0])
        key_closing, tail = _split_at(after_key, VALUES[0])
        # The last tag before a name opens it, what is before belongs to the call.
        place = before_key.rfind("<")
        if place < 0:
            raise _NotUnderstood
        between, key_opening = before_key[:place], before_key[place:]
        both = self._render_calls((0, 2))
        to_next = _text_between(both, VALUES[0], KEYS[1])
        if not to_next.endswith(key_opening):
            raise _NotUnderstood
        value_closing = to_next[: -len(key_opening)]
        none = self._render_calls((0, 0))
        # Numbers stand without quotes, and so does text then.
        if f"{key_closing}{NUMBER}{value_closing}" not in self._render_calls((0, 1), values=(NUMBER, NUMBER)):
            raise _NotUnderstood
        closing = tail[len(value_closing) :]
        if not tail.startswith(value_closing) or none != opening + NAMES[0] + between + closing:
            raise _NotUnderstood
        if not key_closing or not value_closing.strip().startswith("</"):
            raise _NotUnderstood
        joiner = ""
        if two:
            to_second = _text_between(two, VALUES[0], NAMES[1])
            joiner = to_second[len(value_closing) :] if to_second.startswith(value_closing) else ""
        return self._checked_syntax(
            CallSyntax(opening, between, closing, joiner, key_opening, key_closing, value_closing)
        )

    def _listed_syntax(self, opening: str, rest: str, two: str) -> CallSyntax:
        """Arguments that are not JSON: names and values in brackets, as `f(a='text', b=1)` or `f{a:"text",b:1}`."""
        between, after_key = _split_at(rest, KEYS[0])
        before_value, tail = _split_at(after_key, VALUES[0])
        number = self._render_calls((0, 1), values=(NUMBER, NUMBER))
        key_closing, closing = _split_at(_split_at(number, KEYS[0])[1], str(NUMBER))
        quote = before_value.removeprefix(key_closing)
        if not key_closing or closing[:1] not in BRACKETS or not (quote in QUOTES or re.fullmatch("<[^<>]+>", quote)):
            raise _NotUnderstood
        if before_value != key_closing + quote or tail != quote + closing:
            raise _NotUnderstood
        to_next = _text_between(self._render_calls((0, 2)), VALUES[0], KEYS[1])
        separator = to_next.removeprefix(quote)
        if not separator.strip() or to_next != quote + separator or closing.startswith(separator):
            raise _NotUnderstood
        if self._render_calls((0, 0)) != opening + NAMES[0] + between + closing:
            raise _NotUnderstood
        joiner = _text_between(two, VALUES[0], NAMES[1]).removeprefix(quote) if two else ""
        # Usual quotes are what JSON has anyway; only unusual ones have to be told.
        quote = "" if quote in QUOTES else quote
        return self._checked_syntax(
            CallSyntax(opening, between, closing, joiner, key_closing=key_closing, separator=separator, quote=quote)
        )

    def _checked_syntax(self, found: CallSyntax) -> CallSyntax:
        """Return the syntax for use: without leading white space, end tokens and our call ids."""
        opening, closing = found.opening.lstrip(), found.closing
        # Templates put an empty thought before an answer where thinking is off.
        for begin, end in PAIRS:  # an empty thought
            if opening.startswith(begin) and end in opening:
                opening = opening.partition(end)[2].lstrip()
        # What ends an answer ends the call without being a part of it.
        ends = [match.start() for match in TAG.finditer(closing) if self._is_end(match[0])]
        closing = closing[: min(ends, default=len(closing))]
        # An id before the name could not be left to the model.
        if not opening or any(text in opening for text in IDS):
            raise _NotUnderstood
        tag = TAG.match(opening)
        return replace(
            found,
            opening=opening,
            between=_with_any_id(found.between),
            closing=_with_any_id(closing.rstrip()),
            joiner=_with_any_id(found.joiner),
            begins=tag[0] if tag is not None else opening,
        )

    def _render_calls(self, *calls: tuple[int, int], values: Sequence[object] = VALUES) -> str:
        """Return what an answer with these calls is rendered as; each is a name's number and how many arguments it
        has.
        """
        words = self._render_answer({"role": "assistant", "content": WORDS})
        told = [
            call_told(IDS[number], NAMES[number], dict(list(zip(KEYS, values, strict=True))[:count]))
            for number, count in calls
        ]
        called = self._render_answer({"role": "assistant", "content": "", "tool_calls": told})
        # Longest common beginning and end, then out to whole tags: both kinds of answer begin with the same "<".
        begin = _common_prefix_length(words, called)
        cut = CUT_BEGIN.search(called[:begin])
        begin -= len(cut[0]) if cut else 0
        end = len(called) - _common_prefix_length(words[begin:][::-1], called[begin:][::-1])
        cut = CUT_END.match(called[end:])
        return called[begin : end + (len(cut[0]) if cut else 0)]

    def _render_answer(self, answer: Mapping[str, Any]) -> str:
        return self._render(
            {
                "messages": [{"role": "user", "content": "A question."}, answer],
                "tools": [_probe_function(name) for name in NAMES],
                "add_generation_prompt": False,
            }
        )


def _probe_function(name: str) -> Mapping[str, Any]:
    properties = {key: {"type": "string", "description": "A text."} for key in KEYS}
    parameters = {"type": "object", "properties": properties, "required": [KEYS[0]]}
    return {"type": "function", "function": {"name": name, "description": "Does it.", "parameters": parameters}}


def _with_any_id(text: str) -> str:
    return text.replace(IDS[0], ANY_ID).replace(IDS[1], ANY_ID)


def _common_prefix_length(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _split_at(text: str, at: str) -> tuple[str, str]:
    before, found, after = text.partition(at)
    if not found:
        raise _NotUnderstood
    return before, after


def _text_between(text: str, first: str, second: str) -> str:
    return _split_at(_split_at(text, first)[1], second)[0]


def _last_position(text: str, piece: str) -> int:
    at = text.rfind(piece)
    if at < 0:
        raise _NotUnderstood
    return at
