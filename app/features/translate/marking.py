"""Convert a segment to the form shown to a model, `<g1>…</g1>` and `<x2/>` for its marks, and back.

Text that must not change (see `find_spans`) becomes further marks numbered after the segment's own, so that a model
can't change it; tags of one element become a pair, so that they can't be swapped. Marks and white space around the
words aren't shown at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.documents.segments import (
    GENERATED_DESCRIPTIONS,
    Content,
    Mark,
    Segment,
    SegmentKind,
    content_of,
    marks,
    nests,
    plain,
)

PROTECTED = "protected"
"""Look of a mark that stands for text; its `shows` is the text."""
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class ShownContent:
    """Content with protected text replaced by marks:

    `before` and `after` are held back, `core` is shown to the model. Marks in `ordered` must keep their order.
    """

    before: Content
    core: Content
    after: Content
    ordered: tuple[int, ...] = ()
    kind: SegmentKind = SegmentKind.PARAGRAPH

    @cached_property
    def text(self) -> str:
        return to_text(self.core)

    @cached_property
    def words(self) -> str:
        """The text without marks and what they protect."""
        return plain(self.core)

    @property
    def protected(self) -> list[str]:
        """The protected texts in order."""
        return [mark.shows for mark in marks(self.core) if mark.look == PROTECTED]

    @property
    def has_words(self) -> bool:
        # Descriptions that a library writes are no words of the document.
        return _LETTER.search(self.words) is not None and self.words not in GENERATED_DESCRIPTIONS

    def restore_whole(self, core: Content) -> Content:
        """Restore a translated core: ends that were held back, and protected text."""
        return restore_protected((*self.before, *core, *self.after))

    def order_is_kept(self, core: Content) -> bool:
        found = [mark.number for mark in marks(core) if mark.number in set(self.ordered) and mark.role == "single"]
        return found == [number for number in self.ordered if number in set(found)]


def show_segment(segment: Segment) -> ShownContent:
    return shown_content(segment.content, segment.kind)


def shown_content(content: Content, kind: SegmentKind = SegmentKind.PARAGRAPH) -> ShownContent:
    guarded, ordered = _guard_content(content, kind)
    before, core, after = trim_content(guarded)
    return ShownContent(before, core, after, ordered, kind)


def to_text(content: Content) -> str:
    return "".join(part if isinstance(part, str) else tag_of(part) for part in content)


def tag_of(mark: Mark) -> str:
    """Return the mark's tag: `<g1>`, `</g1>` or `<x2/>`."""
    if mark.role == "single":
        return f"<x{mark.number}/>"
    return f"<g{mark.number}>" if mark.role == "open" else f"</g{mark.number}>"


def restore_protected(parts: Iterable[str | Mark]) -> Content:
    """Replace marks of protected text by that text."""
    return content_of([part.shows if isinstance(part, Mark) and part.look == PROTECTED else part for part in parts])


def same_marks(one: Content, other: Content) -> bool:
    """Return whether both have the same marks, and the first's are nested."""
    return Counter(mark.key for mark in marks(one)) == Counter(mark.key for mark in marks(other)) and nests(one)


# What must stay becomes marks.


@dataclass
class _MarkedPiece:
    """A stretch of text, one of the segment's marks, or something protected with its number and role."""

    text: str = ""
    mark: Mark | None = None
    span: ProtectedSpan | None = None
    role: str = "single"
    number: int = 0


def _guard_content(content: Content, kind: SegmentKind) -> tuple[Content, tuple[int, ...]]:
    pieces = [piece for part in content for piece in _split_pieces(part, kind)]
    # Opening and closing tags become one pair, so that a model can't swap them.
    _pair_tags(pieces)
    # Behind the segment's own numbers, which the file's rewriter knows.
    next_number = max((mark.number for mark in marks(content)), default=0) + 1
    ordered: list[int] = []
    parts: list[str | Mark] = []
    numbers: dict[int, int] = {}
    for place, piece in enumerate(pieces):
        if piece.span is None:
            parts.append(piece.mark or piece.text)
            continue
        if piece.role == "close":
            number = numbers[piece.number]
        else:
            number, next_number = next_number, next_number + 1
            numbers[place] = number
        if piece.span.is_ordered:
            ordered.append(number)
        role = piece.role
        assert role in ("open", "close", "single")
        parts.append(Mark(role, number, PROTECTED, piece.text))  # type: ignore[arg-type]
    return content_of(parts), tuple(ordered)


def _split_pieces(part: str | Mark, kind: SegmentKind) -> list[_MarkedPiece]:
    if isinstance(part, Mark):
        return [_MarkedPiece(mark=part)]
    pieces: list[_MarkedPiece] = []
    at = 0
    for span in find_spans(part, kind):
        if span.start > at:
            pieces.append(_MarkedPiece(part[at : span.start]))
        pieces.append(_MarkedPiece(part[span.start : span.end], span=span))
        at = span.end
    return [*pieces, _MarkedPiece(part[at:])] if at < len(part) else pieces


def _pair_tags(pieces: Sequence[_MarkedPiece]) -> None:
    """Pair the text's tags that enclose something, in step with the segment's own marks."""
    waiting: list[int] = []
    for place, piece in enumerate(pieces):
        tag = piece.span.tag if piece.span else ""
        if piece.mark is not None and piece.mark.role == "open":
            waiting.append(place)
        elif piece.mark is not None and piece.mark.role == "close":
            while waiting and pieces[waiting.pop()].mark is None:  # a tag that is not closed in here
                continue
        elif tag.startswith("/"):
            opened = pieces[waiting[-1]] if waiting else None
            if opened is not None and opened.span is not None and opened.span.tag == tag[1:]:
                opened.role, piece.role, piece.number = "open", "close", waiting.pop()
        elif tag:
            waiting.append(place)


# What stands around the words is kept back.


def trim_content(content: Content) -> tuple[Content, Content, Content]:
    """Split into what precedes the words, the words, and what follows; the middle is properly nested."""
    parts = list(content)
    before: list[str | Mark] = []
    after: list[str | Mark] = []
    # Marks at the ends can't be misplaced when they aren't shown.
    while parts:
        if _moves_alone(parts[0]):
            before.append(parts.pop(0))
        elif _moves_alone(parts[-1]):
            after.insert(0, parts.pop())
        # A pair around all of it, such as a link that is the whole paragraph.
        elif _is_pair(parts[0], parts[-1]):
            before.append(parts.pop(0))
            after.insert(0, parts.pop())
        # An empty pair at an end, such as a bookmark.
        elif _is_pair(parts[0], parts[1] if len(parts) > 1 else ""):
            before += (parts.pop(0), parts.pop(0))
        elif _is_pair(parts[-2] if len(parts) > 1 else "", parts[-1]):
            after[:0] = (parts.pop(-2), parts.pop())
        elif not _moves_space(parts, before, after):
            break
    return content_of(before), content_of(parts), content_of(after)


def _moves_alone(part: str | Mark) -> bool:
    if isinstance(part, str):
        return not part.strip()
    return part.role == "single" and part.look != PROTECTED


def _is_pair(first: str | Mark, last: str | Mark) -> bool:
    # Pairs of the same number only: "<g1>a</g1> <g2>b</g2>" isn't a pair around everything.
    if isinstance(first, str) or isinstance(last, str):
        return False
    return first.role == "open" and last.role == "close" and first.number == last.number


def _moves_space(parts: list[str | Mark], before: list[str | Mark], after: list[str | Mark]) -> bool:
    """Move white space off both ends of the text; False if there is none."""
    moved = False
    if isinstance(parts[0], str) and (core := parts[0].lstrip()) != parts[0]:
        before.append(parts[0][: len(parts[0]) - len(core)])
        parts[0] = core
        moved = True
    if isinstance(parts[-1], str) and (core := parts[-1].rstrip()) != parts[-1]:
        after.insert(0, parts[-1][len(core) :])
        parts[-1] = core
        moved = True
    return moved


# Finds what stands in a text and must come back as it is: code, addresses, variables, formulas, markup, escapes.
#
# Keyboard accelerators of menus (`_File`, `E_xit`, `&File`) stay text: the letter they mark is chosen anew in each
# language. In the texts of programs a word is an identifier only with two underscores, therefore.


_PROGRAMS = frozenset((SegmentKind.MESSAGE, SegmentKind.VALUE))
"""Their texts are written for programs, so a percent sign before a letter is no prose."""
_ENDINGS = (
    "bash|bat|bin|bmp|bz2|c|cfg|conf|cpp|css|csv|dat|deb|desktop|dll|docx?|epub|exe|gguf|gif|gz|html?|ico|ini|ipynb|iso|jar|"
    "java|jpe?g|js|json|log|md|mkv|mo|mov|mp[34]|ods|odp|odt|ogg|pdf|php|png|po|pptx?|ps1|py|rb|rpm|rs|rtf|sh|so|sql|"
    "srt|svg|tar|tex|tiff?|toml|ts|tsv|ttf|txt|vtt|wav|webp|xlsx?|xml|xz|ya?ml|zip"
)
_CONVERSION = r"(?:\d+\$)?[-+\#0']*(?:\d+|\*(?:\d+\$)?)?(?:\.(?:\d+|\*(?:\d+\$)?)?)?(?:hh|h|ll|l|L|q|j|z|t|I64|I32)?"
_WITH_SIGNS = r"""
    (?P<own></?\s*[gGxXsS]\s*\d*\s*/?\s*>|[\[({⟦]\s*/?\s*[gGxX]\d+\s*/?\s*[\])}⟧]|<\s*s\s+n\s*=[^<>]*>)
  | (?P<control><\|[^<>|\s]{1,60}\|>|<｜[^<>｜\s]{1,60}｜>)
  | (?P<comment><!--.{0,500}?-->|<!\[CDATA\[.{0,500}?\]\]>)
  | (?P<tag></?(?:[A-Za-z][\w:.-]*|\d+)(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s<>"']+))*\s*/?>)
  | (?P<entity>&(?:[A-Za-z][A-Za-z0-9]{1,31}|\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6});)
  | (?P<code>``(?=\S)[^\n]{1,300}?(?<=\S)``|`(?=\S)[^`\n]*(?<=\S)`)
  | (?P<branches>\{\s*\w+\s*,\s*(?:plural|select|selectordinal)\s*,\s*(?:offset:\d+\s+)?[=\w]+\s*\{
        |\}\s*=?\w+\s*\{|\}\s*\})
  | (?P<variable>\{\{\{?[^{}\n]*\}\}\}?|[$%\#@]\{[^{}\n]*\}|\{%[^\n]{0,300}?%\})
  | (?P<place>\{\}|\{:[^{}\s]*\})
  | (?P<named>\{[\w.!:<>=+\#$@\[\]-]+(?:\s*,\s*(?:number|date|time)[^{}]*)?\})
  | (?P<reference>@(?:\.\w+)?:(?:\([^()\n]*\)|\w[\w.-]*)|\$t\([^()\n]*\))
  | (?P<formula>\$\$[^$]{1,500}\$\$|\\\(.{1,500}?\\\)|\\\[.{1,500}?\\\]
        |\\begin\{(?P<env>\w{1,30}\*?)\}.{0,500}?\\end\{(?P=env)\}
        |(?<![\w$\\])\$(?=[^\s$])(?:\\.|[^$\\\n])*?(?<=\S)\$(?![\w$]))
  | (?P<command>\\[A-Za-z]+\*?(?:\[[^\]\n]*\])?(?:\{(?:[^{}\n]|\{[^{}\n]*\})*\})+)
  | (?P<path>(?<!\S)\\\\[\w.-]+\\[^\s<>"|?*]*[\w\\]
        |(?<![\w/.<])(?:~|\.{1,2})/[\w.@+*/-]*[\w@+*/]|(?<![\w/.<])/[\w.@+-]+/[\w.@+*/-]*[\w@+*/])
  | (?P<option>(?<![\w-])--[A-Za-z][\w-]*(?:=[^\s,;)\]]+)?)
  | (?P<cite>\[\^?\d+(?:\s*[,;–-]\s*\d+)*\]|\[@[^\[\]\n]+\])
"""
_OF_PROGRAMS = rf"""
  | (?P<framed><%{_CONVERSION}[diouxXeEfFgGaAcCsSp]>)
  | (?P<escape>\\{{1,2}}(?:[nrtabfve0"'/]|u[0-9A-Fa-f]{{4}}|U[0-9A-Fa-f]{{8}}|x[0-9A-Fa-f]{{2}})|\\\\)
  | (?P<keyed>%\(\w[\w.]*\){_CONVERSION}[diouxXeEfFgGaAcCsSrp]|%<\w+>|%%)
  | (?P<numbered>%\d+\$[-+\#0']*(?:\d+)?(?:\.\d+)?(?:hh|h|ll|l|L|q|j|z|t)?[diouxXeEfFgGaAcCsSpn@])
  | (?P<sized>%[-+\#0']*(?:\d+|\*)?(?:\.(?:\d+|\*)?)?(?:hh|h|ll|l|L|q|j|z|t)?<PRI\w+>|%<PRI\w+>)
  | (?P<shell>\$[A-Za-z_]\w*|%[A-Z_]{{2,}}%)
  | (?P<printed>%{_CONVERSION}[diouxXeEfFgGaAcCsSpn@])
  | (?P<counted>%L?[1-9]\d?)
  | (?P<clock>%[-_0^\#EO]?[YyHIMBbhkljZzDTRPmNPUVWwrtuv])
"""
_OF_PROSE = rf"""
  | (?P<name>\\[A-Za-z]{{2,}}\b)
  | (?P<escape>\\(?:[nrt0\\"']|u[0-9A-Fa-f]{{4}}))
  | (?P<keyed>%\(\w[\w.]*\){_CONVERSION}[diouxXeEfFgGcsSr](?!\w))
  | (?P<numbered>%\d+\$[-+\#0']*(?:\d+)?(?:\.\d+)?[diouxXeEfFgGcs@](?!\w))
  | (?P<printed>(?<![\d%])%{_CONVERSION}[diouxXeEfFgGcsS@](?!\w))
  | (?P<shell>(?<!\w)\$[A-Z_][A-Z_0-9]+\b|%[A-Z_]{{2,}}%)
"""
_WITH_LETTERS = rf"""
  | (?P<address>(?:https?://|\b(?:ftps?|sftp|file|ssh|git|irc|ldap|smb|wss?|magnet|data)://?|\bmailto:|\bwww\.)
        [^\s<>"'`{{}}|\\^]*[^\s<>"'`{{}}|\\^.,;:!?)\]»”’…。，、])
  | (?P<mail>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<drive>(?<![\w\\])[A-Za-z]:\\[^\s<>"|?*]*[^\s<>"|?*.,;:!)])
  | (?P<file>(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:{_ENDINGS})(?![\w-]))
  | (?P<call>(?<![\w.])[A-Za-z_][\w.:]*\(\))
"""
_NAMES_OF_PROGRAMS = r"""
  | (?P<identifier>\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+){2,}\b)
"""
_NAMES_OF_PROSE = r"""
  | (?P<identifier>\b[A-Za-z][A-Za-z0-9]+(?:_[A-Za-z0-9]+)+\b)
"""
_FIRST_SIGN = r"(?=[<&`{}$%#@\\~./\[({⟦-])(?:"
"""With what all but addresses, file names and identifiers begin: so ordinary prose is passed over quickly."""


def _compile_patterns(rules: str, names: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compile a pattern for texts that may have addresses and names, and a faster one for the rest."""
    # The second begins with a sign, so ordinary prose is passed over letter by letter without trying every rule.
    flags = re.VERBOSE | re.DOTALL
    both = re.compile(f"{_WITH_SIGNS}{_WITH_LETTERS}{rules}{names}", flags)
    return both, re.compile(f"{_FIRST_SIGN}{_WITH_SIGNS}{rules})", flags)


_IN_PROGRAMS = _compile_patterns(_OF_PROGRAMS, _NAMES_OF_PROGRAMS)
_IN_PROSE = _compile_patterns(_OF_PROSE, _NAMES_OF_PROSE)
_SIGNS_OF_NAMES = (":/", "www.", "mailto:", "@", "()", ":\\", "_")
_FILE_ENDING = re.compile(rf"\.(?:{_ENDINGS})(?![\w-])")
_ORDERED = frozenset(("printed", "framed", "sized", "place", "branches"))
"""Looks of marks whose order decides which value they stand for."""
_PLACEHOLDERS = frozenset(
    (
        "variable",
        "place",
        "named",
        "reference",
        "keyed",
        "numbered",
        "sized",
        "printed",
        "framed",
        "counted",
        "branches",
        "shell",
    )
)
_TAG_NAME = re.compile(r"<(/?)\s*([\w:.-]+)")


@dataclass(frozen=True)
class ProtectedSpan:
    """A stretch of a text that must stay. `tag` is the name of an element that it begins, "/name" that it ends."""

    start: int
    end: int
    is_ordered: bool = False
    tag: str = ""
    is_placeholder: bool = False


def find_spans(text: str, kind: SegmentKind = SegmentKind.PARAGRAPH) -> list[ProtectedSpan]:
    """Return all spans in order, without nested ones."""
    return list(_iterate_spans(text, kind))


def find_placeholders(text: str, kind: SegmentKind = SegmentKind.MESSAGE) -> list[str]:
    """Return the placeholders in order: {name}, %s, ${x}."""
    return [text[span.start : span.end] for span in _iterate_spans(text, kind) if span.is_placeholder]


def _iterate_spans(text: str, kind: SegmentKind) -> Iterator[ProtectedSpan]:
    # A percent sign before a letter is a placeholder in a program's text, and prose elsewhere.
    slow, quick = _IN_PROGRAMS if kind in _PROGRAMS else _IN_PROSE
    # Addresses and file names begin with letters; their signs tell cheaply whether there may be any.
    may_have_names = any(name in text for name in _SIGNS_OF_NAMES) or _FILE_ENDING.search(text)
    for match in (slow if may_have_names else quick).finditer(text):
        group = match.lastgroup or ""
        yield ProtectedSpan(
            match.start(), match.end(), group in _ORDERED, _tag_name(match, group), group in _PLACEHOLDERS
        )


def _tag_name(match: re.Match[str], group: str) -> str:
    if group not in ("tag", "own") or match[0].endswith("/>"):
        return ""
    name = _TAG_NAME.match(match[0])
    return f"{name[1]}{name[2]}" if name else ""


# A content as text with its marks, as XLIFF-like tags: <g1>…</g1> around, <x2/> alone.


def marked_text(content: Content) -> str:
    """Return the text for editing: marks as the text they stand for, else as tags; line breaks as such."""
    return "".join(part if isinstance(part, str) else _mark_tag(part) for part in content)


def shown_text(content: Content) -> str:
    """Return the text for reading: no tags, marks as the text they stand for, line breaks as such."""
    return "".join(part if isinstance(part, str) else "\n" if part.look == "break" else part.shows for part in content)


def _mark_tag(mark: Mark) -> str:
    if mark.role == "open":
        return f"<g{mark.number}>"
    if mark.role == "close":
        return f"</g{mark.number}>"
    if mark.look == "break":
        return "\n"
    return mark.shows or f"<x{mark.number}/>"


# Protected text that a model wrote out itself: taken for the mark it belongs to, or out of the text.


_SPACES = re.compile(r"(?<=\S) {2,}(?=\S)")


def adopt_marks(source: ShownContent, found: Content) -> tuple[Content, tuple[str, ...]]:
    """Turn the text of missing marks back into those marks; also return what was removed.

    Placeholders that the source lacks (or has fewer of) are removed, because a program would fill them.
    """
    # A model that wrote out `{name}` where it was shown `<x2/>` meant that mark.
    there = {mark.key for mark in marks(found)}
    missing = [
        mark
        for mark in marks(source.core)
        if mark.look == PROTECTED and mark.role == "single" and mark.key not in there
    ]
    parts: list[str | Mark] = []
    for part in found:
        parts += _with_marks(part, missing) if isinstance(part, str) else [part]
    invented: list[str] = []
    cleaned = [_without_invented(part, source, invented) if isinstance(part, str) else part for part in parts]
    return content_of(cleaned), tuple(invented)


def _with_marks(text: str, missing: list[Mark]) -> list[str | Mark]:
    """Replace the text of marks by the marks, each once; removes them from `missing`."""
    # The leftmost first: parts behind it are looked at again.
    hits = sorted((text.find(mark.shows), number) for number, mark in enumerate(missing) if mark.shows in text)
    if not hits:
        return [text]
    at, number = hits[0]
    mark = missing.pop(number)
    return [text[:at], mark, *_with_marks(text[at + len(mark.shows) :], missing)]


def _without_invented(text: str, source: ShownContent, invented: list[str]) -> str:
    found: Sequence[str] = [
        placeholder for placeholder in find_placeholders(text, source.kind) if placeholder not in source.words
    ]
    # A program would fill them, or fail on them.
    for key in dict.fromkeys(found):
        invented.append(key)
        text = _SPACES.sub(" ", text.replace(key, ""))
    return text
