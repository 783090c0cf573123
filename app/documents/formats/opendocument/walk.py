"""From the tags of a part of an OpenDocument to the stretches of text to translate, in one pass."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from app.documents.formats.markup.stretches import SILENT, Edit, Gathering, Spelling, Stretch, is_blank, spell_text
from app.documents.formats.markup.tokens import TAG, Attribute, attributes_at, end_of_other, label, unescaped, words_of
from app.documents.formats.opendocument import names
from app.documents.formats.opendocument.properties import StyleTags
from app.documents.formats.opendocument.spelling import spelling_with
from app.documents.formats.opendocument.styles import Role
from app.documents.formats.opendocument.text_styles import TextStyles
from app.documents.segments import SegmentKind

_SPACE = re.compile(r'\sxmlns:([^\s=]+)\s*=\s*(?:"([^"]*)"|\'([^\']*)\')')
_STRING_VALUE = re.compile(r"\s+[^\s=]+:string-value\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_MOST_SPACES = 100
_Said = dict[str, Attribute]


class _Context(NamedTuple):
    """What is so for all that stands in an element."""

    kind: SegmentKind = SegmentKind.PARAGRAPH
    level: int = 0
    is_inline: bool = False
    """Whether text here is text of a paragraph."""
    is_value: bool = False
    """Whether the paragraphs show the value of a cell."""
    is_discarded: bool = False
    also: tuple[Edit, ...] = ()


@dataclass
class _Open:
    name: str
    start: int
    role: Literal["paragraph", "pair", "code", "thing", "holder"]
    before: _Context
    spelling: Spelling | None = None
    is_unread: bool = False


class OdfWalk:
    """Finds the segments of a part, `stretches`, in the order of the text; the part is well-formed XML.

    `kind` is what a paragraph is where nothing else says it.
    """

    def __init__(self, text: str, styles: TextStyles, kind: SegmentKind = SegmentKind.PARAGRAPH) -> None:
        self.stretches: list[Stretch] = []
        self._text = text
        self._styles = styles
        self._page = 0
        self._context = _Context(kind)
        self._open: list[_Open] = []
        self._gatherings: list[Gathering] = []
        self._skipped = 0
        self._prefixes: dict[str, str] = {}
        """The file's own prefixes by the usual ones."""
        self.style_tags = StyleTags(self._prefixes)
        self._usual: dict[str, str] = {}
        """The usual ones by others."""
        self._walk()
        self.stretches.sort(key=lambda each: each.start)

    def _walk(self) -> None:
        text, position = self._text, 0
        while match := TAG.search(text, position):
            start, end = match.span()
            if self._context.is_inline and position < start and not self._skipped:
                self._gatherings[-1].add(position, start, unescaped(text[position:start]))
            slash, name, given = match.groups()
            position = end
            if name is None:
                position = self._other(start, match[0])
            elif slash:
                self._end_tag(start, end)
            else:
                self._start_tag(name, given, start, end, match.start(3))

    def _other(self, start: int, opener: str) -> int:
        words_start, words_end, position = end_of_other(self._text, start, opener)
        if self._context.is_inline and not self._skipped:
            if words_end > words_start:
                self._gatherings[-1].add(start, position, self._text[words_start:words_end])
            else:
                self._gatherings[-1].single(start, position, "other")
        return position

    def _named(self, name: str) -> str:
        """A name with its usual prefix."""
        prefix, colon, local = name.partition(":")
        return f"{self._usual.get(prefix, prefix)}:{local}" if colon else name

    def _attributes(self, given: str, at: int) -> _Said:
        said = attributes_at(given, at)
        return {self._named(key): value for key, value in said.items()} if self._usual else said

    # Tags

    def _start_tag(self, name: str, given: str, start: int, end: int, given_at: int) -> None:
        is_empty = given.endswith("/")
        if self._skipped:
            self._skipped += not is_empty
            return
        if "xmlns:" in given:
            self._take_spaces(given)
        raw, name = name, self._named(name)
        if name in names.SKIPPED and not self._context.is_inline:
            self._skipped += not is_empty
            return
        said = self._attributes(given, given_at) if given else {}
        self.style_tags.take(raw, name, said, (given_at, end), is_empty=is_empty)
        if name.startswith(names.LABELLED):
            self._labels(name, said)
        self._open.append(self._opened(raw, name, said, (start, end, given_at)))
        if is_empty:
            self._end_tag(end, end)

    def _take_spaces(self, given: str) -> None:
        for prefix, double, single in _SPACE.findall(given):
            usual = names.PREFIXES.get(double or single)
            if usual is not None:
                self._prefixes[usual] = prefix
                if usual != prefix:
                    self._usual[prefix] = usual

    def _labels(self, name: str, said: _Said) -> None:
        read = names.ENTRIES if name.startswith("text:alphabetical") else names.LABELS
        for key in said.keys() & read:
            if not is_blank(said[key].value) and (stretch := label(self._text, said[key], self._page)) is not None:
                self.stretches.append(stretch)

    def _opened(self, raw: str, name: str, said: _Said, at: tuple[int, int, int]) -> _Open:
        """`at` is where the tag begins, where it ends, and where its attributes begin."""
        before, (start, end, given_at) = self._context, at
        if name in names.PARAGRAPHS or self._is_leaf(name):
            return self._begin_text(raw, name, said, start)
        if before.is_inline and name in names.PAIRS:
            return self._begin_pair(name, said, start, end)
        if before.is_inline:
            self._context = before._replace(is_inline=False)
            self._take_kind(name, said)
            return _Open(name, start, "thing", before)
        self._take_kind(name, said)
        if name in names.CELLS:
            self._begin_cell(said, given_at)
        return _Open(name, start, "holder", before)

    def _is_leaf(self, name: str) -> bool:
        if name in names.META_LEAVES:
            return any(each.name == "office:meta" for each in self._open[-1:])
        return name in names.LEAVES or name in names.MARGIN_LEAVES

    def _begin_text(self, raw: str, name: str, said: _Said, start: int) -> _Open:
        before = self._context
        is_paragraph = name in names.PARAGRAPHS
        is_unread = before.is_discarded or (before.is_value and is_paragraph)
        context = before._replace(is_inline=True)
        if name in names.MARGIN_LEAVES:
            context = context._replace(kind=SegmentKind.HEADER)
        elif not is_paragraph:
            context = context._replace(kind=SegmentKind.LABEL)
        elif before.kind not in names.LASTING:
            context, is_code = self._styled(name, said, context)
            is_unread = is_unread or is_code
        self._context = context
        spelling = spelling_with(raw[:-1]) if is_paragraph else spell_text
        self._gatherings.append(Gathering(self._text))
        return _Open(name, start, "paragraph", before, spelling, is_unread)

    def _styled(self, name: str, said: _Said, context: _Context) -> tuple[_Context, bool]:
        """What a paragraph's style makes of it, and whether it is code."""
        role = self._styles.role(_value(said, "text:style-name"))
        if name == "text:h":
            level = _whole(_value(said, "text:outline-level"), 1)
            context = context._replace(kind=SegmentKind.HEADING, level=level)
        elif role is Role.TITLE and context.kind is SegmentKind.PARAGRAPH:
            context = context._replace(kind=SegmentKind.HEADING, level=1)
        elif role is Role.CAPTION:
            context = context._replace(kind=SegmentKind.CAPTION)
        return context, role is Role.CODE

    def _begin_pair(self, name: str, said: _Said, start: int, end: int) -> _Open:
        style = _value(said, "text:style-name")
        if name == "text:span" and self._styles.is_code(style):
            before = self._context
            self._context = before._replace(is_inline=False)
            return _Open(name, start, "code", before)
        look = names.LOOKS.get(name, "other")
        if name == "text:span":
            look = SILENT if self._styles.is_silent(style) else self._styles.look(style)
        self._gatherings[-1].open(start, end, name, look)
        return _Open(name, start, "pair", self._context)

    def _take_kind(self, name: str, said: _Said) -> None:
        """What holds paragraphs says what they are. A shape or a comment in a cell is not its value."""
        context = self._context
        if name in ("draw:page", "table:table") and not self._gatherings:
            self._page += name == "draw:page" or self._is_sheet()
        elif name in names.KINDS and (context.kind not in names.LASTING or names.KINDS[name] is SegmentKind.NOTE):
            self._context = context = context._replace(kind=names.KINDS[name], level=0)
        elif name.startswith(("style:header", "style:footer")) and not name.endswith("-style"):
            self._context = context = context._replace(kind=SegmentKind.HEADER)
        elif _value(said, "presentation:class") == "title" and context.kind not in names.LASTING:
            self._context = context = context._replace(kind=SegmentKind.HEADING, level=1)
        if (context.is_value or context.also) and name.startswith(("draw:", "office:")):
            self._context = context = context._replace(is_value=False, also=())
        if self._is_of_a_pattern(name, said):
            self._context = context._replace(is_discarded=True)

    def _is_of_a_pattern(self, name: str, said: _Said) -> bool:
        """Whether it only says on a master page where text goes, and is never shown."""
        is_such = name == "presentation:notes" or _value(said, "presentation:placeholder") == "true"
        return is_such and any(each.name == "style:master-page" for each in self._open)

    def _is_sheet(self) -> bool:
        return bool(self._open) and self._open[-1].name == "office:spreadsheet"

    def _begin_cell(self, said: _Said, given_at: int) -> None:
        is_value = "table:formula" in said or _value(said, "office:value-type") in names.VALUES
        also: tuple[Edit, ...] = ()
        if not is_value and (value := said.get("office:string-value")) is not None:
            found = next(match for match in _STRING_VALUE.finditer(self._text, given_at) if match.end() > value.start)
            also = (Edit(found.start(), found.end(), ()),)
        self._context = self._context._replace(is_value=is_value, also=also)

    def _end_tag(self, start: int, end: int) -> None:
        """`start` is where an element's end tag begins, or where an empty one ends."""
        if self._skipped:
            self._skipped -= 1
            return
        element = self._open.pop()
        inside, self._context = self._context, element.before
        if element.role == "paragraph":
            self._finish(element, inside)
        elif element.role == "pair":
            self._gatherings[-1].close(start, end, element.name)
        elif element.role == "code":
            self._gatherings[-1].single(element.start, end, "code", words_of(self._text, element.start, end))
        elif element.role == "thing":
            self._end_thing(element, end)

    def _finish(self, element: _Open, context: _Context) -> None:
        gathering = self._gatherings.pop()
        assert element.spelling is not None  # a paragraph has one
        stretch = gathering.finish(element.spelling, context.kind, self._page, context.level)
        if stretch is not None and not element.is_unread:
            self.stretches.append(replace(stretch, also=context.also) if context.also else stretch)

    def _end_thing(self, element: _Open, end: int) -> None:
        """Something in a paragraph that is no text of it."""
        gathering, name = self._gatherings[-1], element.name
        if name == "text:s":
            tag = TAG.match(self._text, element.start)
            assert tag is not None  # it was found as a tag
            count = _whole(_value(self._attributes(tag[3], tag.start(3)), "text:c"), 1)
            gathering.add(element.start, end, " " * min(count, _MOST_SPACES), is_exact=True)
        elif name in names.ATOMS:
            gathering.single(element.start, end, names.ATOMS[name])
        elif name not in names.NOTHING:
            is_field = name.startswith(("text:", "presentation:")) and name != "text:note"
            shows = words_of(self._text, element.start, end) if is_field else ""
            look = names.LOOKS.get(name, "field" if shows else "image" if name.startswith("draw:") else "other")
            gathering.single(element.start, end, look, shows)


def _value(said: _Said, key: str) -> str:
    found = said.get(key)
    return "" if found is None else found.value


def _whole(value: str, default: int) -> int:
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else default
