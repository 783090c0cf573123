"""HTML and XHTML files, and pages in MHTML files. Nothing else is fetched, run or opened.

Places are offsets into the file's decoded text. In MHTML they are offsets into the page's decoded text, and the part is
its Content-ID or Content-Location.

Rewriting keeps all but the translated text byte for byte. Segments are the text between block borders, and readable
attributes and parts of the head. Left out: code, formulas, scripts, untranslatable parts (`translate="no"`, class
`notranslate`) and parts marked as another language, such as quotations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message
from typing import BinaryIO, Literal

from app.core.lazy_dataclasses import dataclass
from app.documents.encoding import DecodedText, after_the_text
from app.documents.formats.markup import markup_tags, tagged_text
from app.documents.formats.markup.markup_tags import TAG, AttributeValue
from app.documents.formats.markup.tagged_text import (
    TaggedSegment,
    TextEdit,
    TextGatherer,
    edits_of,
    spell_text,
    spliced,
)
from app.documents.formats.web import elements
from app.documents.formats.web.page_encoding import coded_page, declaration, decode_page
from app.documents.formats.web.page_languages import PageLanguages
from app.documents.formats.web.walker import HtmlWalker
from app.documents.segments import Content, SegmentKind, content_of
from app.documents.source import FileSource, Item, Opened, SegmentVisits, TargetLanguage, Visit, counted

MOST_LOOK_BACK = 200
"""Open elements among which an end tag looks for its own; bounds the time on broken pages."""
_OF_A_TABLE = elements.TABLE_SECTIONS | {"table", "tr", "td", "th", "caption"}
_SCOPE_OF_A_TABLE = frozenset(("table",))
_SCOPES_OF_P = elements.SCOPES | elements.NESTED

# A mail's headers at the beginning: MHTML.
_HEADERS = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:From |[A-Za-z][A-Za-z0-9\-]*:)")
_SCRIPTLESS = re.compile(r"<(?:noscript|noframes)\b", re.IGNORECASE)
_PAGE_TYPES = ("text/html", "application/xhtml+xml")

_Role = Literal["block", "opaque block", "opaque", "nested", "inside"]


@dataclass
class _OpenTag:
    name: str
    start: int
    role: _Role
    kind: SegmentKind
    level: int
    is_foreign: bool
    """State before it."""


class PageWalk:
    """Finds the segments of a page, `stretches`, in the order of the text. Raises nothing for any text.

    A segment is what stands between the borders of blocks. Code, formulas, what is marked as not to be translated,
    and what is in another language than the page are left. With `is_xml`, "/>" closes any element, names may have a
    prefix, and nothing is ended unsaid.
    """

    def __init__(self, text: str, *, is_xml: bool, page: int = 0, language: str = "") -> None:
        self.stretches: list[TaggedSegment] = []
        self.languages = PageLanguages(text, is_xml, language)
        self._text = text
        self._is_xml = is_xml
        self._page = page
        self._gatherings = [TextGatherer(text)]
        self._open: list[_OpenTag] = []
        self._count: Counter[str] = Counter()
        self._is_opaque = self._is_foreign = False
        self._opaque_name = ""
        self._kind, self._level = SegmentKind.PARAGRAPH, 0
        self._walk()
        self.stretches.sort(key=lambda stretch: stretch.start)

    def _walk(self) -> None:
        text, position = self._text, 0
        while match := TAG.search(text, position):
            start, end = match.span()
            self._add_words(position, start)
            slash, name, given = match.groups()
            if name is None:
                position = self._other(start, match[0])
            # A tag that the file ends in is text, see `tagged_text`.
            elif end == len(text) and text[-1] != ">":
                position = start
                break
            elif slash:
                self._end_tag(self._named(name), start, end)
                position = end
            else:
                position = self._start_tag(self._named(name), given, start, end, match.start(3))
        self._add_words(position, len(text))
        while self._open:
            self._pop(len(text))
        self._flush()

    def _named(self, name: str) -> str:
        name = name.lower()
        return (name.rpartition(":")[2] or name) if self._is_xml else name

    def _add_words(self, start: int, end: int) -> None:
        if start < end and not self._is_opaque:
            self._gatherings[-1].add(start, end, markup_tags.unescaped(self._text[start:end]))

    def _other(self, start: int, opener: str) -> int:
        """Return a comment or the like; the text of a CDATA section is text in XML."""
        words_start, words_end, position = markup_tags.end_of_other(self._text, start, opener)
        if self._is_opaque:
            return position
        if words_end > words_start and (self._is_xml or self._is_foreign):
            self._gatherings[-1].add(start, position, self._text[words_start:words_end])
        else:
            self._gatherings[-1].single(start, position, "other")
        return position

    def _flush(self) -> None:
        if stretch := self._gatherings[-1].finish(spell_text, self._kind, self._page, self._level):
            self.stretches.append(stretch)

    def _start_tag(self, name: str, given: str, start: int, end: int, given_at: int) -> int:
        """Handle a start tag; return the offset from which the page goes on behind it."""
        # In HTML a slash at the end means nothing but in SVG and MathML (HTML standard, 13.1.2.1).
        is_void = name in elements.VOID or (given.endswith("/") and (self._is_xml or self._is_foreign))
        if not self._is_xml:
            self._end_unsaid(name, start)  # which may end what is opaque
        if self._is_opaque:
            return self._within_opaque(name, start, end, is_void)
        said = markup_tags.attributes_at(given, given_at) if given else {}
        is_other = self.languages.is_other(name, said, given_at)
        is_asked = bool(said) and (is_other or is_left(said))
        if said and not is_asked:
            self.stretches += labels(self._text, name, said, self._page)
        if name in elements.CODE:
            self.languages.take_code(said, given_at)
        is_drawn = self._is_foreign and name in elements.DRAWN_TEXTS
        if name in elements.BORDERS or is_drawn:
            return self._begin_block(name, said, (start, end), is_void=is_void, is_left=is_asked)
        if is_void:
            self._void(name, start, end)
        elif name in elements.RAW:
            return self._raw(name, start, end, is_left=is_asked)
        # A raised number with its link is one mark: its tags would be four.
        elif behind := end_of_call(self._text, name, start):
            self._gatherings[-1].single(start, behind, "note", markup_tags.words_of(self._text, start, behind))
            return behind
        elif name in elements.OPAQUE or is_asked:
            self._push(name, start, "opaque")
        elif name in elements.NESTED:
            self._push(name, start, "nested")
        else:
            self._gatherings[-1].open(start, end, name, elements.LOOKS.get(name, "other"))
        return end

    def _within_opaque(self, name: str, start: int, end: int, is_void: bool) -> int:
        if is_void:
            return end
        if name in elements.RAW and not self._is_foreign:
            return markup_tags.end_of_raw(self._text, name, end)
        if name == self._opaque_name or name not in elements.PLAIN:  # the others end nothing but themselves
            self._push(name, start, "inside")
        return end

    def _begin_block(
        self, name: str, said: dict[str, AttributeValue], at: tuple[int, int], *, is_void: bool, is_left: bool
    ) -> int:
        start, end = at
        self._flush()
        if is_void:
            return end
        # A title is text only in HTML: what looks like a tag in it is none.
        if name == "title":
            until = markup_tags.end_of_raw(self._text, name, end)
            if not is_left:
                self._plain(end, until)
            return until
        if name in elements.RAW:  # xmp and the like
            return len(self._text) if name == "plaintext" else markup_tags.end_of_raw(self._text, name, end)
        self._push(name, start, "opaque block" if is_left or name in elements.PREFORMATTED else "block")
        plain = {key: attribute.value for key, attribute in said.items()}
        if name in elements.HEADINGS:
            self._kind, self._level = SegmentKind.HEADING, elements.HEADINGS[name]
        elif plain.get("role") == "heading":
            self._kind, self._level = SegmentKind.HEADING, elements.number_in(plain.get("aria-level", ""), 2)
        elif plain and elements.is_note(plain):
            self._kind, self._level = SegmentKind.NOTE, 0
        elif name in elements.KINDS and self._kind is not SegmentKind.NOTE:
            self._kind, self._level = elements.KINDS[name], 0
        return end

    def _plain(self, start: int, end: int) -> None:
        """Visit the words of an element without tags inside."""
        gathering = TextGatherer(self._text)
        gathering.add(start, end, markup_tags.unescaped(self._text[start:end]))
        if stretch := gathering.finish(spell_text, SegmentKind.LABEL, self._page):
            self.stretches.append(stretch)

    def _void(self, name: str, start: int, end: int) -> None:
        """Handle an element without content. Two line breaks end a paragraph; an optional break is nothing."""
        gathering = self._gatherings[-1]
        # "<br><br>" is how old pages divide paragraphs.
        if name == "br" and gathering.ends_with("break"):
            self._flush()
        if name != "wbr":
            look = elements.LOOKS.get(name, "other") if name in elements.VOID or name in elements.NESTED else "other"
            gathering.single(start, end, look)

    def _raw(self, name: str, start: int, end: int, *, is_left: bool) -> int:
        """Pass an element that has no tags inside, with its end tag."""
        until = markup_tags.end_of_raw(self._text, name, end)
        closing = TAG.match(self._text, until)
        behind = closing.end() if closing else len(self._text)
        if name == "textarea" and not is_left:
            self._plain(end, until)
        self._gatherings[-1].single(start, behind, elements.LOOKS.get(name, "other"))
        return behind

    def _end_tag(self, name: str, start: int, end: int) -> None:
        beyond = _SCOPE_OF_A_TABLE if name in _OF_A_TABLE else elements.SCOPES
        if self._count[name] and (depth := self._depth_of(name, beyond)):
            self._pop_many(depth - 1, start)
            self._pop(end)
        elif self._is_opaque:
            return
        elif name in elements.BORDERS or (self._is_foreign and name in elements.DRAWN_TEXTS):
            self._flush()
        elif name in elements.VOID:
            self._gatherings[-1].single(start, end, elements.LOOKS.get(name, "other"))
        else:
            self._gatherings[-1].close(start, end, name)

    def _depth_of(self, name: str, beyond: frozenset[str] | tuple[str, ...]) -> int:
        """Return how many open elements the end tag ends; 0 if it isn't open in this scope."""
        for depth, open_tag in enumerate(reversed(self._open[-MOST_LOOK_BACK:]), 1):
            if open_tag.name == name:
                return depth
            if open_tag.name in beyond:
                return 0
        return 0

    def _end_unsaid(self, name: str, start: int) -> None:
        """End the elements that a start tag ends without an end tag of theirs, as HTML allows."""
        # A paragraph ends before any block (HTML standard, 13.1.2.4), but not beyond a cell or a button.
        if name in elements.BLOCKS and self._count["p"] and (depth := self._depth_of("p", _SCOPES_OF_P)):
            self._pop_many(depth, start)
        for ended in elements.ENDS.get(name, ()):
            if self._count[ended] and (depth := self._depth_of(ended, tuple(elements.HOLDS.get(name, ())))):
                self._pop_many(depth, start)

    def _pop_many(self, depth: int, at: int) -> None:
        for _ in range(depth):
            self._pop(at)

    def _push(self, name: str, start: int, role: _Role) -> None:
        self._open.append(_OpenTag(name, start, role, self._kind, self._level, self._is_foreign))
        self._count[name] += 1
        if role.startswith("opaque"):
            self._is_opaque, self._opaque_name = True, name
        # A select or a drawing is one thing in the sentence, and has segments of its own.
        if role == "nested":
            self._gatherings.append(TextGatherer(self._text))
            self._kind = elements.KINDS.get(name, self._kind)
        self._is_foreign = self._is_foreign or name in ("svg", "math")

    def _pop(self, end: int) -> None:
        """End the innermost element, by its end tag or implicitly."""
        element = self._open.pop()
        self._count[element.name] -= 1
        look = elements.LOOKS.get(element.name, "other")
        if element.role == "block":
            self._flush()
        elif element.role == "opaque block":
            self._is_opaque = False
        elif element.role == "opaque":
            self._is_opaque = False
            self._gatherings[-1].single(element.start, end, look, markup_tags.words_of(self._text, element.start, end))
        elif element.role == "nested":
            self._flush()
            self._gatherings.pop()
            self._gatherings[-1].single(element.start, end, look)
        # What was before: kind and level of a block end with it.
        self._kind, self._level, self._is_foreign = element.kind, element.level, element.is_foreign


def is_left(said: dict[str, AttributeValue]) -> bool:
    """Return whether a page asks that an element is not translated."""
    translate = said.get("translate")
    if translate is not None and translate.value.strip().lower() == "no":
        return True
    kinds = said.get("class")
    return kinds is not None and "notranslate" in kinds.value.split()


def labels(text: str, name: str, said: dict[str, AttributeValue], page: int) -> Iterator[TaggedSegment]:
    for key, attribute in said.items():
        if not tagged_text.is_blank(attribute.value) and attribute.quote != "?" and _is_read(name, key, said):
            stretch = markup_tags.label(text, attribute, page)
            if stretch is not None:
                yield stretch


def _is_read(name: str, key: str, said: dict[str, AttributeValue]) -> bool:
    if key in elements.LABELS:
        return key != "title" or name not in elements.UNREAD_TITLES
    if key == "content" and name == "meta":
        called = said.get("name") or said.get("property")
        return called is not None and called.value.strip().lower() in elements.META
    if key == "value" and name == "input":
        kind = said.get("type")
        return kind is not None and kind.value.strip().lower() in elements.BUTTON_TYPES
    return key in elements.LABELS_OF.get(name, ())


MOST_CHARACTERS = 600
"""Within which a call begins and ends, with all its tags."""
_TAG = r"\s*+<{}\b[^<>]*+>\s*+"
_NUMBER = r"(?:<span\b[^<>]*+>)?\[?(?:\d{1,4}|[a-z]|[ivx]{1,6}|[*†‡§¶]{1,3})\]?(?:</span\s*>)?"
_CALL = re.compile(
    "|".join(
        (
            rf"{_TAG.format('sup')}{_TAG.format('a')}{_NUMBER}\s*+</a\s*>\s*+</sup\s*>",
            rf"{_TAG.format('a')}{_TAG.format('sup')}{_NUMBER}\s*+</sup\s*>\s*+</a\s*>",
            rf"<a\s[^<>]*?noteref[^<>]*+>\s*+{_NUMBER}\s*+</a\s*>",
        )
    ),
    re.IGNORECASE,
)


def end_of_call(text: str, name: str, start: int) -> int:
    """Return where the call of a footnote ends whose first tag is at `start`; 0 where there is none."""
    if name not in ("sup", "a"):
        return 0
    found = _CALL.match(text, start, start + MOST_CHARACTERS)
    return found.end() if found else 0


_XML_ENDINGS = (".xhtml", ".xht")
_NEW_LINE = re.compile(r"[\r\n]+")


def read(source: FileSource) -> Iterator[Item]:
    """Yield the blocks of a page; raises DocumentUnreadable: damaged or too_deep, for an MHTML file without a page."""
    data = source.path.read_bytes()
    part = transported = ""
    if _HEADERS.match(data):
        data, part, transported = _page_of(data, source)
    decoded = decode_page(data, source.encoding, transported)
    del data
    yield from _read_items(decoded, part)


def _read_items(decoded: DecodedText, part: str) -> Iterator[Item]:
    """Yield the page as shown; if that is empty, as shown without scripts."""
    text = decoded.text
    is_xml = text.lstrip().startswith("<?xml")
    walker = HtmlWalker(text, part=part, is_xml=is_xml)
    pieces = walker.pieces()
    first = next(pieces, None)
    # A page that shows nothing without its scripts has its words for browsers without any.
    if first is None and _SCRIPTLESS.search(text):
        walker = HtmlWalker(text, part=part, is_xml=is_xml, has_scripts=False)
        pieces = walker.pieces()
        first = next(pieces, None)
    yield Opened(title=walker.title, encoding=decoded.encoding)
    if first is not None:
        yield first
        yield from pieces
    yield from after_the_text(decoded.encoding, decoded.odd_bytes)
    yield from counted("pictures", walker.pictures)


def _page_of(data: bytes, source: FileSource) -> tuple[bytes, str, str]:
    """Return the page in an MHTML file, the name of its part, and the encoding that its headers name."""
    try:
        whole = message_from_bytes(data, policy=policy.compat32)
        parts = [message for message in whole.walk() if message.get_content_type() in _PAGE_TYPES]
    except RecursionError:
        raise source.unreadable("too_deep") from None
    if not parts:
        raise source.unreadable("damaged")
    root = _root(whole, parts)
    body = root.get_payload(decode=True)
    assert isinstance(body, bytes)  # a page is no multipart message
    name = root.get("Content-ID") or root.get("Content-Location") or "page"
    return body, str(name).strip(), str(root.get_param("charset") or "")


def _root(whole: Message, parts: list[Message]) -> Message:
    """Return the part that the message names as its start (RFC 2387), or the first page."""
    start = whole.get_param("start")
    return next((part for part in parts if start and part.get("Content-ID") == start), parts[0])


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite a page; one that becomes more than ASCII without declaring an encoding gets a declaration."""
    data = source.path.read_bytes()
    coded = coded_page(data, source.encoding)
    is_xml = coded.text.lstrip().startswith("<?xml") or source.path.suffix.lower() in _XML_ENDINGS
    walk = PageWalk(coded.text, is_xml=is_xml)
    edits = edits_of(walk.stretches, SegmentVisits(visit))
    if target is not None:
        edits += walk.languages.edits(target)
    if not is_xml:
        edits += declaration(data, coded.text, edits)
    if out is not None:
        out.write(coded.encoded(spliced(len(coded.text), edits), "xmlcharrefreplace") if edits else data)


def shown_piece(html: str, visits: SegmentVisits, context: str = "") -> str | None:
    """Rewrite HTML inside another format; None if unchanged.

    No newline is added: it would end a block in Markdown.
    """
    edits: list[TextEdit] = []
    for stretch in PageWalk(html, is_xml=False).stretches:
        new = visits(stretch.content, stretch.kind, level=stretch.level, context=context)
        if new is not None:
            edits += [stretch.edit(_in_one_line(new)), *stretch.also]
    if not edits:
        return None
    return "".join(piece if isinstance(piece, str) else html[slice(*piece)] for piece in spliced(len(html), edits))


def _in_one_line(content: Content) -> Content:
    return content_of([_NEW_LINE.sub(" ", part) if isinstance(part, str) else part for part in content])
