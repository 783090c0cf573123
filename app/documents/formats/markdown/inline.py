"""A stretch of inline Markdown as content: its words, and its markup as marks.

Every inline rule of markdown-it is watched: what it adds to the tokens begins where the rule began and ends where it
stopped. A token's `map` holds these two offsets then. What is written is parsed again: where it would not be the same,
more of it is escaped, and emphasis that cannot stand between such neighbours is written as the HTML it means.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.core.lazy_dataclasses import dataclass, field
from app.documents.formats.markdown.inline_tokens import inline_tokens
from app.documents.formats.web import elements
from app.documents.segments import TAG_LOOKS, Content, Mark, content_of

_PAIRS = {"em": "italic", "strong": "bold", "s": "strike", "link": "link"}
_SINGLES = {
    "code_inline": "code", "math_inline": "formula", "math_inline_double": "formula", "autolink": "link",
    "html_inline": "other", "footnote_ref": "note", "image": "image", "hardbreak": "break",
}  # fmt: skip
# Also <a href="…">: attributes belong to the mark.
_TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)[^>]*>")
_OPAQUE = ("code", "kbd", "samp", "var", "tt", "script", "style", "svg", "math")
"""Elements whose content isn't translated."""


class ImageMark(NamedTuple):
    """An image's mark, and where in the text it is and its words are."""

    number: int
    start: int
    first: int
    last: int
    end: int

    def written(self, source: str, words: str) -> str:
        """Return the image with other words. A reference to a definition keeps its label."""
        # "[words][label]" and "[label]" name a definition elsewhere, which keeps its label.
        label, behind = source[self.first : self.last], source[self.last : self.end]
        if behind in ("]", "][]") and words != label:
            behind = f"][{label}]"
        return source[self.start : self.first] + words + behind


@dataclass
class InlineText:
    """`written` maps each mark's key to its source. `labels` are those of links whose own words name their definition,
    by number.
    """

    source: str
    content: Content = ()
    written: dict[tuple[str, int], str] = field(default_factory=dict)
    images: list[ImageMark] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)


def inline_of(parser: MarkdownIt, text: str, env: dict[str, Any]) -> InlineText:
    """Return the content of a block's text, whose lines are divided by line feeds. A soft line break is a space."""
    tokens = inline_tokens(parser, text, env)
    return _InlineReading(text, tokens).result()


class _InlineReading:
    """Read the tokens of a text as content; each mark remembers its source."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text, self._tokens = text, tokens
        self._parts: list[str | Mark] = []
        self._found = InlineText(text)
        self._numbers: list[tuple[int, int]] = []
        self._count = 0
        self._html = _html_pairs(tokens)

    def result(self) -> InlineText:
        behind = 0
        for at, token in enumerate(self._tokens):
            # What a code element encloses is one mark, tags and all.
            if at < behind:
                continue
            if token.type in ("text", "text_special"):
                self._parts.append(token.content)
            elif token.type == "softbreak":
                self._parts.append(" ")
            elif at in self._html and self._html[at].is_opaque:
                behind = self._html[at].other + 1
                self._add_opaque(token, self._tokens[behind - 1])
            else:
                self._add_mark(at, token)
        self._found.content = content_of(self._parts)
        return self._found

    def _add_opaque(self, first: Token, last: Token) -> None:
        (start, begin), (end, behind) = first.map or (0, 0), last.map or (0, 0)
        self._add(0, "code", self._text[begin:end], start, behind)

    def _add_mark(self, at: int, token: Token) -> None:
        start, end = token.map or (0, 0)
        # The spaces before a hard break are its mark.
        if token.type == "hardbreak":
            while start and self._text[start - 1] == " ":
                start -= 1
        nesting: int = token.nesting
        name = token.type.removesuffix("_open").removesuffix("_close")
        look, shows = _PAIRS.get(name) or _SINGLES.get(token.type, "other"), token.content
        if token.type == "html_inline":
            pair = self._html.get(at)
            is_break = re.match(r"<br\b", token.content, re.IGNORECASE) is not None
            nesting, look = (pair.nesting, pair.look) if pair is not None else (0, "break" if is_break else "other")
        elif token.type == "footnote_ref":
            # footnotes and images have more of themselves in `meta`.
            shows = str(token.meta["label"])
        elif token.type in ("image", "hardbreak"):
            shows = ""
        self._add(nesting, look, shows, start, end)
        if token.type == "image":
            first, last = token.meta["label"]
            self._found.images.append(ImageMark(self._count, start, first, last, end))

    def _add(self, nesting: int, look: str, shows: str, start: int, end: int) -> None:
        written = self._text[start:end]
        if nesting < 0:
            number, begun = self._numbers.pop()
            mark = Mark("close", number)
            # A link whose words name their definition: changed words need the label behind them.
            if written in ("]", "][]"):
                self._found.labels[number] = self._text[begun:start]
        else:
            self._count += 1
            if nesting:
                self._numbers.append((self._count, end))
            mark = Mark("open", self._count, look) if nesting else Mark("single", self._count, look, shows)
        self._parts.append(mark)
        self._found.written[mark.key] = written


class _TagPair(NamedTuple):
    """A tag that has another one: 1 or -1, how they look, and the place of the other."""

    nesting: int
    look: str
    other: int
    is_opaque: bool


def _html_pairs(tokens: list[Token]) -> dict[int, _TagPair]:
    """Return the tags that are pairs and nest with all else, by their place among the tokens."""
    found: dict[int, _TagPair] = {}
    waiting: list[tuple[str, int]] = []
    for at, token in enumerate(tokens):
        tag = _TAG.fullmatch(token.content) if token.type == "html_inline" else None
        if tag is not None:
            name, is_closing = tag[2].lower(), bool(tag[1])
            if is_closing and waiting and waiting[-1][0] == name:
                first, look = waiting.pop()[1], TAG_LOOKS.get(name, "other")
                found[first] = _TagPair(1, look, at, name in _OPAQUE)
                found[at] = _TagPair(-1, look, first, name in _OPAQUE)
            elif not is_closing and name not in elements.VOID and not token.content.endswith("/>"):
                waiting.append((name, at))
        elif token.nesting > 0:
            waiting.append(("", at))
        elif token.nesting < 0:
            # A closing token of Markdown ends all tags that were opened since: they don't nest with it.
            while waiting and waiting.pop()[0]:
                pass
    return found
