"""A stretch of inline Markdown as content: its words, and its markup as marks.

Every inline rule of markdown-it is watched: what it adds to the tokens begins where the rule began and ends where it
stopped. A token's `map` holds these two offsets then. What is written is parsed again: where it would not be the same,
more of it is escaped, and emphasis that cannot stand between such neighbours is written as the HTML it means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from app.documents.formats.markdown.read_markdown import CELL_BORDER, MOST_NESTING
from app.documents.formats.plain.plain_text import width_of
from app.documents.formats.web import elements
from app.documents.segments import TAG_LOOKS, Content, Mark, SegmentKind, content_of

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


# Inline Markdown with the place of each piece of markup in its text, which markdown-it does not tell by itself.

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


# Content as inline Markdown that is read as just this content, and lines that stay one block.

# Signs that may begin or end markup anywhere; an ampersand only before what looks like an entity.
_SPECIAL = re.compile(r"[\\`*_\[\]<~$|^]|&(?=#?\w+;)")
# A number, a bullet, a heading or a quote sign at the beginning would make another block of the text.
_START = re.compile(r"(?:\d{1,9}(?=[.)])|(?=[-+#>=:]))")
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_TAGS = {"italic": "em", "bold": "strong", "strike": "del"}
_SIGNS = ("*", "_", "**", "__", "~~")
_BLOCKS = {SegmentKind.HEADING: "# "}


class TextFrame(NamedTuple):
    """Surroundings of a text: further lines begin with `next_`; `most` is the width, 0 for a single line."""

    kind: SegmentKind
    first_columns: int = 0
    next_: str = ""
    most: int = 0
    is_cell: bool = False


class MarkdownText:
    """Write contents as inline Markdown, and check by parsing that they are read as they were meant."""

    def __init__(self, parser: MarkdownIt, env: dict[str, Any]) -> None:
        self._parser, self._env = parser, env

    def write_content(self, content: Content, old: InlineText, frame: TextFrame) -> str:
        """Return the text for a content, which has the marks of the old one; lines are divided by line feeds."""
        content = _move_spaces_out(content, old)
        # Files written for people use the entity, since a no-break space can't be seen.
        nbsp = "&nbsp;" if "&nbsp;" in old.source and "\xa0" not in old.source else "\xa0"
        written = old.written | {("close", number): f"][{label}]" for number, label in _changed_labels(content, old)}
        best = ""
        # As it is, with all signs escaped, then with tags for emphasis: the first that is read back as what was meant.
        for is_escaped, is_html in ((False, False), (True, False), (True, True)):
            if is_html:
                written |= _as_html(content, old)
            pieces = list(_iterate_markup(content, written, is_escaped, frame.is_cell, nbsp))
            # A wrapped text may begin a line with what is a list mark; on one line it does not.
            for most in (frame.most, 0) if frame.most else (0,):
                best = _in_lines(pieces, frame._replace(most=most), is_escaped)
                if self._parses_as(best, content, written, frame):
                    return best
        return best

    def _parses_as(self, text: str, content: Content, written: dict[tuple[str, int], str], frame: TextFrame) -> bool:
        """Return whether a text parses to this content, and as one block."""
        if frame.is_cell:
            if "\n" in text or CELL_BORDER.search(text):
                return False
            text = text.replace("\\|", "|")
        # What is no paragraph of its own: a heading's mark is put before it, and all of it has to be one inline token.
        else:
            tokens = self._parser.parse(_BLOCKS.get(frame.kind, "") + text, {})
            inner = tokens[1].content if len(tokens) == 3 and tokens[1].type == "inline" else None
            if inner is None or inner.split() != text.split():
                return False
        found = inline_of(self._parser, text, self._env)
        return _comparable_shape(found.content, found.written) == _comparable_shape(content, written)


def _changed_labels(content: Content, old: InlineText) -> Iterator[tuple[int, str]]:
    """Yield the links whose words name their definition, and which have other words now."""
    for number, label in old.labels.items():
        if _parts_inside(content, number) != _parts_inside(old.content, number):
            yield number, label


def _parts_inside(content: Content, number: int) -> list[str | tuple[str, int]]:
    """Return the parts between the open and the close mark of a number, marks by their keys."""
    keys = [part.key if isinstance(part, Mark) else part for part in content]
    return keys[keys.index(("open", number)) + 1 : keys.index(("close", number))]


def _comparable_shape(content: Content, written: dict[tuple[str, int], str]) -> list[str]:
    """Return what is compared: words, and what is written for each mark."""
    shape = list[str]()
    for part in content:
        shape.append(" ".join(part.split()) if isinstance(part, str) else f"\0{written[part.key].strip()}")
    return [part for part in shape if part]


def _move_spaces_out(content: Content, old: InlineText) -> Content:
    """Spaces at the inner edges of emphasis go outside, where they must be; emphasis of nothing is left out."""
    parts = [_SPACES.sub(" ", part) if isinstance(part, str) else part for part in content]
    # Repeated until nothing moves: a space may go out through several marks.
    is_moving = True
    while is_moving:
        is_moving = False
        for at in range(len(parts) - 1):
            one, two = parts[at], parts[at + 1]
            # CommonMark 6.2: a delimiter followed by white space does not open emphasis.
            if _is_delimiter(one, old, "open") and isinstance(two, str) and two.startswith(" "):
                parts[at : at + 2] = [" ", one, two[1:]]
            elif _is_delimiter(two, old, "close") and isinstance(one, str) and one.endswith(" "):
                parts[at : at + 2] = [one[:-1], two, " "]
            # Emphasis of nothing would be four asterisks in the text.
            elif isinstance(one, Mark) and _is_delimiter(one, old, "open") and ("close", one.number) == _mark_key(two):
                del parts[at : at + 2]
            else:
                continue
            parts = list(content_of(parts))
            is_moving = True
            break
    return content_of(parts)


def _mark_key(part: str | Mark) -> tuple[str, int] | None:
    return part.key if isinstance(part, Mark) else None


def _is_delimiter(part: str | Mark, old: InlineText, role: str) -> bool:
    return isinstance(part, Mark) and part.role == role and old.written[part.key] in _SIGNS


def _as_html(content: Content, old: InlineText) -> dict[tuple[str, int], str]:
    looks = {part.number: part.look for part in content if isinstance(part, Mark) and _is_delimiter(part, old, "open")}
    found: dict[tuple[str, int], str] = {}
    for number, look in looks.items():
        # HTML needs no flanking rules; renderers that allow none show the words all the same.
        found["open", number], found["close", number] = f"<{_TAGS[look]}>", f"</{_TAGS[look]}>"
    return found


def _iterate_markup(
    content: Content, written: dict[tuple[str, int], str], is_escaped: bool, is_cell: bool, nbsp: str
) -> Iterator[str]:
    """Texts and markup in order; between the words of a text, and nowhere else, is a piece " "."""
    for part in content:
        if isinstance(part, Mark):
            # A bar ends a cell, also within code (GFM, 4.10).
            yield CELL_BORDER.sub(r"\\|", written[part.key]) if is_cell else written[part.key]
            continue
        text = _SPECIAL.sub(r"\\\g<0>", part) if is_escaped else part
        if is_cell:
            text = CELL_BORDER.sub(r"\\|", text)
        for word in re.split("( )", text.replace("\xa0", nbsp)):
            if word:
                yield word


def _in_lines(pieces: list[str], frame: TextFrame, is_escaped: bool) -> str:
    """Wrap pieces into lines if the frame has a width."""
    lines, line = list[str](), ""
    unit = ""

    def room() -> int:
        return frame.most - (width_of(frame.next_.expandtabs()) if lines else frame.first_columns)

    def take() -> None:
        nonlocal line, unit
        # Only the first line of a piece counts: a hard break within starts anew.
        if frame.most and line.strip() and width_of(line) + width_of(unit.split("\n")[0]) > room():
            lines.append(line.rstrip(" "))
            line = ""
        line += unit
        unit = ""
        while "\n" in line:
            whole, _, line = line.partition("\n")
            lines.append(whole)

    for piece in pieces:
        if piece == " ":
            take()
            line += " " if line.strip() or not frame.most else ""
        else:
            unit += piece
    take()
    text = "\n".join([*lines, line]).strip()
    # The first sign of a line decides what block it begins.
    start = _START.match(text) if is_escaped else None
    return f"{start[0]}\\{text[start.end() :]}" if start is not None else text
