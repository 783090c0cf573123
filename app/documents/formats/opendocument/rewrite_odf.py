"""OpenDocument texts, presentations and spreadsheets written back, packed or as one flat XML file.

Segments are paragraphs, with headers and footers, notes, comments, the words for pictures and what the document says
of itself. In a spreadsheet they are the cells with text; formulas, the values they gave, and names of sheets stay,
since formulas name them. A member in which nothing changes keeps its compressed bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import BinaryIO, Literal, NamedTuple

from app.core.lazy_dataclasses import dataclass, replace
from app.documents.archive import Archive, is_zip
from app.documents.archive_copy import copy_archive
from app.documents.formats.markup.markup_tags import (
    TAG,
    AttributeValue,
    attributes_at,
    end_of_other,
    label,
    unescaped,
    words_of,
)
from app.documents.formats.markup.tagged_text import (
    SILENT,
    Spelling,
    TaggedSegment,
    TextEdit,
    TextGatherer,
    edits_of,
    escaped,
    is_blank,
    spell_text,
    spliced,
)
from app.documents.formats.markup.xml_tree import WithoutPictures, encoding_of, parse
from app.documents.formats.office.paragraphs import ParagraphRole
from app.documents.formats.opendocument.style_languages import StyleTags, TargetStyles, default_language, locale_of
from app.documents.formats.opendocument.styles import (
    CONTENT,
    META,
    MOST_SPACES,
    STYLES,
    TextStyles,
    parse_whole,
    refuse_protected,
)
from app.documents.segments import Content, Mark, SegmentKind
from app.documents.source import FileSource, SegmentVisits, TargetLanguage, Visit
from app.documents.text_file import EncodedBytes

_LANGUAGE = re.compile(r"<dc:language>([^<]*)</dc:language>")


@dataclass
class _OdfPart:
    name: str
    coded: EncodedBytes
    walk: _OdfWalk


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite a document's segments; see `app.documents.source`. A segment's page is its slide or sheet.

    Raises DocumentUnreadable: protected, damaged, entities, too_deep, inflates.
    """
    is_packed = is_zip(source.path)
    styles = TextStyles()
    if is_packed:
        with Archive(source) as archive:
            parts = _open_packed(archive, source, styles)
    else:
        parts = [_open_flat(source, styles)]
    changed = _change_parts(parts, styles, visit, target)
    if out is None:
        return
    if is_packed:
        copy_archive(source, out, changed)
    else:
        out.write(changed[""] if changed else source.path.read_bytes())


def _open_packed(archive: Archive, source: FileSource, styles: TextStyles) -> list[_OdfPart]:
    """Return the text first, then objects in it such as charts, the styles, and what the document says of itself."""
    refuse_protected(archive, source)
    objects = [name for name in archive.names if name.endswith(f"/{CONTENT}")]
    names = [CONTENT, *objects, *(text for text in (STYLES, META) if text in archive)]
    members = {name: _read_member(archive, name) for name in names}
    formulas = set()
    for name in reversed(names):  # styles before the text that has them
        # Parsed only to be sure: what is written is the source text with its edits.
        root = parse(members[name], source)  # so it is well-formed, and not too deep
        if name in (CONTENT, STYLES):
            styles.add(root)
        # Formulas have no words; they are read only where they stand in a text.
        elif str(root.tag).endswith("}math"):
            formulas.add(name)
    return [
        _make_part(source, name, data, styles, SegmentKind.LABEL if name in objects else SegmentKind.PARAGRAPH)
        for name, data in members.items()
        if name not in formulas
    ]


def _read_member(archive: Archive, name: str) -> bytes:
    archive.refuse_crowd(name)
    return archive.read(name)


def _open_flat(source: FileSource, styles: TextStyles) -> _OdfPart:
    data = source.path.read_bytes()
    styles.add(parse(WithoutPictures(io.BytesIO(data)), source))
    return _make_part(source, "", data, styles, SegmentKind.PARAGRAPH)


def _make_part(source: FileSource, name: str, data: bytes, styles: TextStyles, kind: SegmentKind) -> _OdfPart:
    coded = EncodedBytes(data, encoding_of(data))
    return _OdfPart(name, coded, _OdfWalk(source, coded.text, styles, kind))


def _change_parts(
    parts: list[_OdfPart], styles: TextStyles, visit: Visit, target: TargetLanguage | None
) -> dict[str, bytes]:
    visits = SegmentVisits(visit)
    edits = [edits_of(part.walk.stretches, visits) for part in parts]
    if target is not None:
        # After all parts were asked: how each says its language depends on what any of them says now.
        edits = [found + more for found, more in zip(edits, _language_edits(parts, styles, target), strict=True)]
    return {
        part.name: part.coded.encoded(spliced(len(part.coded.text), found), "xmlcharrefreplace")
        for part, found in zip(parts, edits, strict=True)
        if found
    }


def _language_edits(parts: list[_OdfPart], styles: TextStyles, target: TargetLanguage) -> Iterator[list[TextEdit]]:
    """Yield what makes each part say that it is in the target language."""
    locale = locale_of(target.language)
    tags = [part.walk.style_tags for part in parts]
    before = next(filter(None, (default_language(tag, locale) for tag in tags)), "")
    turning = TargetStyles(target, locale, before, tags, styles.is_code)
    for part, style_tags in zip(parts, tags, strict=True):
        named = (TextEdit(*match.span(1), (target.language,)) for match in _LANGUAGE.finditer(part.coded.text))
        yield [*turning.edits(style_tags), *named]


_SPACE = re.compile(r'\sxmlns:([^\s=]+)\s*=\s*(?:"([^"]*)"|\'([^\']*)\')')
_STRING_VALUE = re.compile(r"\s+[^\s=]+:string-value\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_Said = dict[str, AttributeValue]


class _Context(NamedTuple):
    kind: SegmentKind = SegmentKind.PARAGRAPH
    level: int = 0
    is_inline: bool = False
    """True if text here is text of a paragraph."""
    is_value: bool = False
    """True if the paragraphs show the value of a cell."""
    is_discarded: bool = False
    also: tuple[TextEdit, ...] = ()


@dataclass
class _OpenElement:
    name: str
    start: int
    role: Literal["paragraph", "pair", "code", "thing", "holder"]
    before: _Context
    spelling: Spelling | None = None
    is_unread: bool = False


class _OdfWalk:
    """Finds the segments of a part, `stretches`, in the order of the text; the part is well-formed XML.

    `kind` is what a paragraph is where nothing else says it.
    """

    def __init__(
        self, source: FileSource, text: str, styles: TextStyles, kind: SegmentKind = SegmentKind.PARAGRAPH
    ) -> None:
        self.stretches: list[TaggedSegment] = []
        self._source = source
        self._text = text
        self._styles = styles
        self._page = 0
        self._context = _Context(kind)
        self._open: list[_OpenElement] = []
        self._gatherings: list[TextGatherer] = []
        self._skipped = 0
        self._prefixes: dict[str, str] = {}
        """The file's own prefixes by the usual ones."""
        self.style_tags = StyleTags(self._prefixes)
        self._usual: dict[str, str] = {}
        """The usual ones by others."""
        self._walk()
        # A stretch is found at its end, so an inner one (a note) comes before the paragraph around it.
        self.stretches.sort(key=lambda stretch: stretch.start)

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
        """Return a name with the usual prefix of its namespace, whatever the file calls it."""
        prefix, colon, local = name.partition(":")
        return f"{self._usual.get(prefix, prefix)}:{local}" if colon else name

    def _parse_attributes(self, given: str, at: int) -> _Said:
        said = attributes_at(given, at)
        return {self._named(key): value for key, value in said.items()} if self._usual else said

    def _start_tag(self, name: str, given: str, start: int, end: int, given_at: int) -> None:
        is_empty = given.endswith("/")
        # What is skipped is counted by depth only.
        if self._skipped:
            self._skipped += not is_empty
            return
        if "xmlns:" in given:
            self._take_spaces(given)
        raw, name = name, self._named(name)
        if name in _SKIPPED and not self._context.is_inline:
            self._skipped += not is_empty
            return
        said = self._parse_attributes(given, given_at) if given else {}
        self.style_tags.read_tag(raw, name, said, (given_at, end), is_empty=is_empty)
        if name.startswith(_LABELLED):
            self._visit_labels(name, said)
        self._open.append(self._open_element(raw, name, said, (start, end, given_at)))
        if is_empty:
            self._end_tag(end, end)

    def _take_spaces(self, given: str) -> None:
        for prefix, double, single in _SPACE.findall(given):
            # By namespace: LibreOffice's prefixes are a habit, not a rule.
            usual = _PREFIXES.get(double or single)
            if usual is not None:
                self._prefixes[usual] = prefix
                if usual != prefix:
                    self._usual[prefix] = usual

    def _visit_labels(self, name: str, said: _Said) -> None:
        read = _ENTRIES if name.startswith("text:alphabetical") else _LABELS
        for key in said.keys() & read:
            if not is_blank(said[key].value) and (stretch := label(self._text, said[key], self._page)) is not None:
                self.stretches.append(stretch)

    def _open_element(self, raw: str, name: str, said: _Said, at: tuple[int, int, int]) -> _OpenElement:
        """`at` holds the tag's start, its end, and where its attributes begin."""
        before, (start, end, given_at) = self._context, at
        if name in _PARAGRAPHS or self._is_leaf(name):
            return self._begin_text(raw, name, said, start)
        if before.is_inline and name in _PAIRS:
            return self._begin_pair(name, said, start, end)
        if before.is_inline:
            self._context = before._replace(is_inline=False)
            self._take_kind(name, said)
            return _OpenElement(name, start, "thing", before)
        self._take_kind(name, said)
        if name in _CELLS:
            self._begin_cell(said, given_at)
        return _OpenElement(name, start, "holder", before)

    def _is_leaf(self, name: str) -> bool:
        if name in _META_LEAVES:
            return any(open_element.name == "office:meta" for open_element in self._open[-1:])
        return name in _LEAVES or name in _MARGIN_LEAVES

    def _begin_text(self, raw: str, name: str, said: _Said, start: int) -> _OpenElement:
        before = self._context
        is_paragraph = name in _PARAGRAPHS
        is_unread = before.is_discarded or (before.is_value and is_paragraph)
        context = before._replace(is_inline=True)
        # Context, kind and spelling are those of the element that begins, and come back with its end.
        if name in _MARGIN_LEAVES:
            context = context._replace(kind=SegmentKind.HEADER)
        elif not is_paragraph:
            context = context._replace(kind=SegmentKind.LABEL)
        elif before.kind not in _LASTING:
            context, is_code = self._apply_style(name, said, context)
            is_unread = is_unread or is_code
        self._context = context
        # The prefix of the text namespace in this file, from the tag itself ("text:p" gives "text:").
        spelling = _spelling_with(raw[:-1]) if is_paragraph else spell_text
        self._gatherings.append(TextGatherer(self._text))
        return _OpenElement(name, start, "paragraph", before, spelling, is_unread)

    def _apply_style(self, name: str, said: _Said, context: _Context) -> tuple[_Context, bool]:
        """Return what a paragraph's style makes of it, and whether it is code."""
        role = self._styles.find(_attribute_value(said, "text:style-name")).role
        if name == "text:h":
            level = parse_whole(_attribute_value(said, "text:outline-level"))
            context = context._replace(kind=SegmentKind.HEADING, level=level)
        elif role is ParagraphRole.TITLE and context.kind is SegmentKind.PARAGRAPH:
            context = context._replace(kind=SegmentKind.HEADING, level=1)
        elif role is ParagraphRole.CAPTION:
            context = context._replace(kind=SegmentKind.CAPTION)
        return context, role is ParagraphRole.CODE

    def _begin_pair(self, name: str, said: _Said, start: int, end: int) -> _OpenElement:
        style = _attribute_value(said, "text:style-name")
        # A span of code is one mark with its words shown, so that a model neither translates nor loses it.
        if name == "text:span" and self._styles.is_code(style):
            before = self._context
            self._context = before._replace(is_inline=False)
            return _OpenElement(name, start, "code", before)
        look = _LOOKS.get(name, "other")
        if name == "text:span":
            look = SILENT if self._styles.is_silent(style) else self._styles.look_of(style)
        self._gatherings[-1].open(start, end, name, look)
        return _OpenElement(name, start, "pair", self._context)

    def _take_kind(self, name: str, said: _Said) -> None:
        """Note the kind of paragraphs in a container. A shape or comment in a cell isn't its value."""
        context = self._context
        if name in ("draw:page", "table:table") and not self._gatherings:
            # A sheet's number, not that of a table in a text.
            self._page += name == "draw:page" or (bool(self._open) and self._open[-1].name == "office:spreadsheet")
        elif name in _KINDS and (context.kind not in _LASTING or _KINDS[name] is SegmentKind.NOTE):
            self._context = context = context._replace(kind=_KINDS[name], level=0)
        elif name.startswith(("style:header", "style:footer")) and not name.endswith("-style"):
            self._context = context = context._replace(kind=SegmentKind.HEADER)
        elif _attribute_value(said, "presentation:class") == "title" and context.kind not in _LASTING:
            self._context = context = context._replace(kind=SegmentKind.HEADING, level=1)
        if (context.is_value or context.also) and name.startswith(("draw:", "office:")):
            # A shape or a comment in a cell is no value of it.
            self._context = context = context._replace(is_value=False, also=())
        if self._is_of_a_pattern(name, said):
            self._context = context._replace(is_discarded=True)

    def _is_of_a_pattern(self, name: str, said: _Said) -> bool:
        """Return whether it only says on a master page where text goes, and is never shown."""
        is_such = name == "presentation:notes" or _attribute_value(said, "presentation:placeholder") == "true"
        return is_such and any(open_element.name == "style:master-page" for open_element in self._open)

    def _begin_cell(self, said: _Said, given_at: int) -> None:
        is_value = "table:formula" in said or _attribute_value(said, "office:value-type") in _VALUES
        also: tuple[TextEdit, ...] = ()
        if not is_value and (value := said.get("office:string-value")) is not None:
            # It says what the paragraphs say, and what it says is shown: a translated cell goes without it.
            found = next(match for match in _STRING_VALUE.finditer(self._text, given_at) if match.end() > value.start)
            also = (TextEdit(found.start(), found.end(), ()),)
        self._context = self._context._replace(is_value=is_value, also=also)

    def _end_tag(self, start: int, end: int) -> None:
        """`start` is where an end tag begins, or where an empty element ends."""
        if self._skipped:
            self._skipped -= 1
            return
        # What parsing cleans away, such as zero bytes, may have been part of a start tag.
        if not self._open:
            raise self._source.unreadable("damaged")
        element = self._open.pop()
        inside, self._context = self._context, element.before
        if element.role == "paragraph":
            self._finish_element(element, inside)
        elif element.role == "pair":
            self._gatherings[-1].close(start, end, element.name)
        elif element.role == "code":
            self._gatherings[-1].single(element.start, end, "code", words_of(self._text, element.start, end))
        elif element.role == "thing":
            self._end_thing(element, end)

    def _finish_element(self, element: _OpenElement, context: _Context) -> None:
        gathering = self._gatherings.pop()
        assert element.spelling is not None  # a paragraph has one
        stretch = gathering.finish(element.spelling, context.kind, self._page, context.level)
        if stretch is not None and not element.is_unread:
            self.stretches.append(replace(stretch, also=context.also) if context.also else stretch)

    def _end_thing(self, element: _OpenElement, end: int) -> None:
        """Add a thing inside a paragraph that isn't text."""
        gathering, name = self._gatherings[-1], element.name
        if name == "text:s":
            tag = TAG.match(self._text, element.start)
            assert tag is not None  # it was found as a tag
            count = parse_whole(_attribute_value(self._parse_attributes(tag[3], tag.start(3)), "text:c"))
            gathering.add(element.start, end, " " * min(count, MOST_SPACES), is_exact=True)
        elif name in _ATOMS:
            gathering.single(element.start, end, _ATOMS[name])
        # Page breaks are set anew by each program, so they need no mark.
        elif name not in _NOTHING:
            is_field = name.startswith(("text:", "presentation:")) and name != "text:note"
            shows = words_of(self._text, element.start, end) if is_field else ""
            look = _LOOKS.get(name, "field" if shows else "image" if name.startswith("draw:") else "other")
            gathering.single(element.start, end, look, shows)


def _attribute_value(said: _Said, key: str) -> str:
    found = said.get(key)
    return "" if found is None else found.value


_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_PREFIXES = {
    f"{_ODF}{name}:1.0": name
    for name in ("office", "text", "style", "table", "presentation", "chart", "form", "meta", "number")
} | {
    f"{_ODF}drawing:1.0": "draw",
    f"{_ODF}svg-compatible:1.0": "svg",
    f"{_ODF}xsl-fo-compatible:1.0": "fo",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.w3.org/1999/xlink": "xlink",
}
"""The usual prefixes of namespaces; a file may have others."""


def _named(prefix: str, text: str) -> frozenset[str]:
    return frozenset(f"{prefix}:{name}" for name in text.split())


_PARAGRAPHS = _named("text", "p h")
_LEAVES = _named("svg", "title desc") | _named("table", "title desc") | _named("text", "index-title-template")
"""Elements that are text themselves, without paragraphs; each a label."""
_MARGIN_LEAVES = _named("presentation", "header-decl footer-decl")
_META_LEAVES = _named("dc", "title subject description")
_SKIPPED = (
    _named("text", "tracked-changes script")
    | _named("table", "tracked-changes")
    | _named("office", "scripts binary-data event-listeners settings font-face-decls change-info")
    | _named("style", "handout-master")
)
"""Deleted text, programs, and what is no text."""
_PAIRS = _named("text", "span a meta meta-field ruby ruby-base ruby-text placeholder text-input")
_ATOMS = {"text:tab": "tab", "text:line-break": "break"}
_NOTHING = _named("text", "soft-page-break s")
"""Elements without a mark: page breaks are set by every program again, spaces are white space."""
_LOOKS = {
    "text:a": "link", "text:note": "note", "office:annotation": "note", "draw:frame": "image", "draw:g": "image",
    "draw:a": "image", "text:ruby-text": "small",
}  # fmt: skip
_KINDS = {
    "text:list-item": SegmentKind.LIST_ITEM, "text:list-header": SegmentKind.LIST_ITEM,
    "text:numbered-paragraph": SegmentKind.LIST_ITEM, "table:table-cell": SegmentKind.CELL,
    "table:covered-table-cell": SegmentKind.CELL, "text:note": SegmentKind.NOTE,
    "office:annotation": SegmentKind.NOTE, "presentation:notes": SegmentKind.NOTE,
    "style:master-page": SegmentKind.HEADER, "chart:title": SegmentKind.LABEL, "chart:subtitle": SegmentKind.LABEL,
    "chart:legend": SegmentKind.LABEL, "table:help-message": SegmentKind.NOTE, "table:error-message": SegmentKind.NOTE,
}  # fmt: skip
_LASTING = (SegmentKind.NOTE, SegmentKind.HEADER, SegmentKind.LABEL)
"""Kinds that contents inherit."""
# A covered cell lies behind a merged one and may still have text.
_CELLS = _named("table", "table-cell covered-table-cell")
_VALUES = frozenset(("float", "percentage", "currency", "date", "time", "boolean"))
"""Types of cells whose text is a value as it is shown."""
_LABELS = {
    "form:label", "form:title", "office:title", "xlink:title", "table:title",
}  # fmt: skip
_LABELLED = ("form:", "text:a", "draw:a", "table:help-message", "table:error-message", "text:alphabetical-index-mark")
"""Elements, or the beginnings of their names, whose attributes are looked at for labels."""
_ENTRIES = frozenset(("text:string-value", "text:key1", "text:key2"))
"""Attributes of an entry in an index."""


_WHITE = re.compile(r" +|[\t\n]")


@cache
def _spelling_with(prefix: str) -> Spelling:
    """Return a writer with this prefix of the text namespace, such as "text:".

    Source: OpenDocument 1.3 part 3, 6.1.2 (white space processing) and 6.1.3 (text:s).
    """

    def spell(content: Content) -> Sequence[str | Mark]:
        found: list[str | Mark] = []
        is_behind_space = True  # as at the beginning of a paragraph
        for part in content:
            if isinstance(part, Mark):
                found.append(part)
                is_behind_space = is_behind_space and part.role != "single"
            else:
                written, is_behind_space = _write_words(part, prefix, is_behind_space)
                found.append(written)
        return found

    return spell


def _write_words(text: str, prefix: str, is_behind_space: bool) -> tuple[str, bool]:
    """Return the words as source, and whether a space behind them would be lost."""
    found, position = "", 0
    text = text.replace("\r", "")
    for match in _WHITE.finditer(text):
        found += escaped(text[position : match.start()])
        # Nothing but marks before: a space here would be the first of the paragraph, which programs drop.
        is_behind_space = is_behind_space and match.start() == position == 0
        position = match.end()
        white = match[0]
        if white == "\t":
            found += f"<{prefix}tab/>"
        elif white == "\n":
            found += f"<{prefix}line-break/>"
        else:
            found += "" if is_behind_space else " "
            # The first space of a run is itself; the others are in text:s, which counts them.
            count = len(white) if is_behind_space else len(white) - 1
            found += f'<{prefix}s {prefix}c="{count}"/>' if count else ""
            is_behind_space = not count
            continue
        is_behind_space = False
    rest = escaped(text[position:])
    return found + rest, is_behind_space and not rest
