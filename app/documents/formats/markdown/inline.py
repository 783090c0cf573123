"""A stretch of inline Markdown as content: its words, and its markup as marks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.documents.formats.markdown.spans import inline_tokens
from app.documents.segments import Content, Mark, content_of

_PAIRS = {"em": "italic", "strong": "bold", "s": "strike", "link": "link"}
_SINGLES = {
    "code_inline": "code", "math_inline": "formula", "math_inline_double": "formula", "autolink": "link",
    "html_inline": "other", "footnote_ref": "note", "image": "image", "hardbreak": "break",
}  # fmt: skip
_HTML_LOOKS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline", "s": "strike",
    "del": "strike", "a": "link", "small": "small", "code": "code", "kbd": "code", "samp": "code",
}  # fmt: skip
_TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)[^>]*>")
_OPAQUE = ("code", "kbd", "samp", "var", "tt", "script", "style", "svg", "math")
"""What is inside these is no text to translate."""
_VOID = ("br", "img", "hr", "input", "wbr", "area", "col", "embed", "source", "track", "link", "meta")


class Image(NamedTuple):
    """An image's mark, and where in the text it is and its words are."""

    number: int
    start: int
    first: int
    last: int
    end: int

    def written(self, source: str, words: str) -> str:
        """The image with other words. A reference to a definition keeps its label."""
        label, behind = source[self.first : self.last], source[self.last : self.end]
        if behind in ("]", "][]") and words != label:
            behind = f"][{label}]"
        return source[self.start : self.first] + words + behind


@dataclass
class Inline:
    """`written` is what the text has for each mark, by its key. `labels` are those of links to definitions that their
    own words name, by number."""

    source: str
    content: Content = ()
    written: dict[tuple[str, int], str] = field(default_factory=dict)
    images: list[Image] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)


def inline_of(parser: MarkdownIt, text: str, env: dict[str, Any]) -> Inline:
    """The content of a block's text, whose lines are divided by line feeds. A soft line break is a space."""
    tokens = inline_tokens(parser, text, env)
    return _Reading(text, tokens).result()


class _Reading:
    """One way through the tokens of a text."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text, self._tokens = text, tokens
        self._parts: list[str | Mark] = []
        self._found = Inline(text)
        self._numbers: list[tuple[int, int]] = []
        self._count = 0
        self._html = _html_pairs(tokens)

    def result(self) -> Inline:
        behind = 0
        for at, token in enumerate(self._tokens):
            if at < behind:
                continue
            if token.type in ("text", "text_special"):
                self._parts.append(token.content)
            elif token.type == "softbreak":
                self._parts.append(" ")
            elif at in self._html and self._html[at].is_opaque:
                behind = self._html[at].other + 1
                self._opaque(token, self._tokens[behind - 1])
            else:
                self._mark(at, token)
        self._found.content = content_of(self._parts)
        return self._found

    def _opaque(self, first: Token, last: Token) -> None:
        (start, begin), (end, behind) = first.map or (0, 0), last.map or (0, 0)
        self._add(0, "code", self._text[begin:end], start, behind)

    def _mark(self, at: int, token: Token) -> None:
        start, end = token.map or (0, 0)
        if token.type == "hardbreak":
            while start and self._text[start - 1] == " ":
                start -= 1
        nesting: int = token.nesting
        name = token.type.removesuffix("_open").removesuffix("_close")
        look, shows = _PAIRS.get(name) or _SINGLES.get(token.type, "other"), token.content
        if token.type == "html_inline":
            pair = self._html.get(at)
            nesting, look = (pair.nesting, pair.look) if pair is not None else (0, _look_of_tag(token.content))
        elif token.type == "footnote_ref":
            shows = str(token.meta["label"])
        elif token.type in ("image", "hardbreak"):
            shows = ""
        self._add(nesting, look, shows, start, end)
        if token.type == "image":
            first, last = token.meta["label"]
            self._found.images.append(Image(self._count, start, first, last, end))

    def _add(self, nesting: int, look: str, shows: str, start: int, end: int) -> None:
        written = self._text[start:end]
        if nesting < 0:
            number, begun = self._numbers.pop()
            mark = Mark("close", number)
            if written in ("]", "][]"):
                self._found.labels[number] = self._text[begun:start]
        else:
            self._count += 1
            if nesting:
                self._numbers.append((self._count, end))
            mark = Mark("open", self._count, look) if nesting else Mark("single", self._count, look, shows)
        self._parts.append(mark)
        self._found.written[mark.key] = written


class _Pair(NamedTuple):
    """A tag that has another one: 1 or -1, how they look, and the place of the other."""

    nesting: int
    look: str
    other: int
    is_opaque: bool


def _look_of_tag(tag: str) -> str:
    return "break" if re.match(r"<br\b", tag, re.IGNORECASE) else "other"


def _html_pairs(tokens: list[Token]) -> dict[int, _Pair]:
    """The tags that are pairs and nest with all else, by their place among the tokens."""
    found: dict[int, _Pair] = {}
    waiting: list[tuple[str, int]] = []
    for at, token in enumerate(tokens):
        tag = _TAG.fullmatch(token.content) if token.type == "html_inline" else None
        if tag is not None:
            name, is_closing = tag[2].lower(), bool(tag[1])
            if is_closing and waiting and waiting[-1][0] == name:
                first, look = waiting.pop()[1], _HTML_LOOKS.get(name, "other")
                found[first] = _Pair(1, look, at, name in _OPAQUE)
                found[at] = _Pair(-1, look, first, name in _OPAQUE)
            elif not is_closing and name not in _VOID and not token.content.endswith("/>"):
                waiting.append((name, at))
        elif token.nesting > 0:
            waiting.append(("", at))
        elif token.nesting < 0:
            while waiting and waiting.pop()[0]:
                pass
    return found
