"""From the tags of a page to the stretches of text to translate, in one pass; for HTML in any state, and for XHTML."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from app.documents.formats.markup.attributes import Attribute, attributes_at, is_left, labels
from app.documents.formats.markup.elements import words_of
from app.documents.formats.markup.splice import spell_text
from app.documents.formats.markup.stretches import Gathering, Stretch
from app.documents.formats.markup.tokens import TAG, end_of_other, end_of_raw, unescaped
from app.documents.formats.web import elements, names
from app.documents.formats.web.calls import end_of_call
from app.documents.formats.web.languages import Languages
from app.documents.segments import SegmentKind

MOST_LOOK_BACK = 200
"""Open elements among which an end tag looks for its own; bounds the time on broken pages."""
_OF_A_TABLE = elements.TABLE_SECTIONS | {"table", "tr", "td", "th", "caption"}
_SCOPE_OF_A_TABLE = frozenset(("table",))
_SCOPES_OF_P = elements.SCOPES | names.NESTED

_Role = Literal["block", "opaque block", "opaque", "nested", "inside"]


@dataclass
class _Open:
    name: str
    start: int
    role: _Role
    kind: SegmentKind
    level: int
    is_foreign: bool
    """What was so before it."""


class PageWalk:
    """Finds the segments of a page, `stretches`, in the order of the text. Raises nothing for any text.

    A segment is what stands between the borders of blocks. Code, formulas, what is marked as not to be translated,
    and what is in another language than the page are left. With `is_xml`, "/>" closes any element, names may have a
    prefix, and nothing is ended unsaid.
    """

    def __init__(self, text: str, *, is_xml: bool, page: int = 0, language: str = "") -> None:
        self.stretches: list[Stretch] = []
        self.languages = Languages(text, is_xml, language)
        self._text = text
        self._is_xml = is_xml
        self._page = page
        self._gatherings = [Gathering(text)]
        self._open: list[_Open] = []
        self._count: Counter[str] = Counter()
        self._is_opaque = self._is_foreign = False
        self._opaque_name = ""
        self._kind, self._level = SegmentKind.PARAGRAPH, 0
        self._walk()
        self.stretches.sort(key=lambda each: each.start)

    def _walk(self) -> None:
        text, position = self._text, 0
        while match := TAG.search(text, position):
            start, end = match.span()
            self._words(position, start)
            slash, name, given = match.groups()
            if name is None:
                position = self._other(start, match[0])
            elif end == len(text) and text[-1] != ">":
                position = start
                break
            elif slash:
                self._end_tag(self._named(name), start, end)
                position = end
            else:
                position = self._start_tag(self._named(name), given, start, end, match.start(3))
        self._words(position, len(text))
        while self._open:
            self._pop(len(text))
        self._flush()

    def _named(self, name: str) -> str:
        name = name.lower()
        return (name.rpartition(":")[2] or name) if self._is_xml else name

    def _words(self, start: int, end: int) -> None:
        if start < end and not self._is_opaque:
            self._gatherings[-1].add(start, end, unescaped(self._text[start:end]))

    def _other(self, start: int, opener: str) -> int:
        """A comment or the like; the text of a CDATA section is text in XML."""
        words_start, words_end, position = end_of_other(self._text, start, opener)
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

    # Tags

    def _start_tag(self, name: str, given: str, start: int, end: int, given_at: int) -> int:
        """Deals with the tag; gives where to read on."""
        is_void = name in elements.VOID or (given.endswith("/") and (self._is_xml or self._is_foreign))
        if not self._is_xml:
            self._end_unsaid(name, start)
        if self._is_opaque:
            return self._within_opaque(name, start, end, is_void)
        said = attributes_at(given, given_at) if given else {}
        is_other = self.languages.is_other(name, said, given_at)
        is_asked = bool(said) and (is_other or is_left(said))
        if said and not is_asked:
            self.stretches += labels(self._text, name, said, self._page)
        if name in names.CODE:
            self.languages.take_code(said, given_at)
        is_drawn = self._is_foreign and name in names.DRAWN_TEXTS
        if name in names.BORDERS or is_drawn:
            return self._begin_block(name, said, (start, end), is_void=is_void, is_left=is_asked)
        if is_void:
            self._void(name, start, end)
        elif name in elements.RAW:
            return self._raw(name, start, end, is_left=is_asked)
        elif behind := end_of_call(self._text, name, start):
            self._gatherings[-1].single(start, behind, "note", words_of(self._text, start, behind))
            return behind
        elif name in names.OPAQUE or is_asked:
            self._push(name, start, "opaque")
        elif name in names.NESTED:
            self._push(name, start, "nested")
        else:
            self._gatherings[-1].open(start, end, name, names.LOOKS.get(name, "other"))
        return end

    def _within_opaque(self, name: str, start: int, end: int, is_void: bool) -> int:
        if is_void:
            return end
        if name in elements.RAW and not self._is_foreign:
            return end_of_raw(self._text, name, end)
        if name == self._opaque_name or name not in elements.PLAIN:  # the others end nothing but themselves
            self._push(name, start, "inside")
        return end

    def _begin_block(
        self, name: str, said: dict[str, Attribute], at: tuple[int, int], *, is_void: bool, is_left: bool
    ) -> int:
        start, end = at
        self._flush()
        if is_void:
            return end
        if name == "title":
            until = end_of_raw(self._text, name, end)
            if not is_left:
                self._plain(end, until)
            return until
        if name in elements.RAW:  # xmp and the like
            return len(self._text) if name == "plaintext" else end_of_raw(self._text, name, end)
        self._push(name, start, "opaque block" if is_left or name in names.PREFORMATTED else "block")
        plain = {key: attribute.value for key, attribute in said.items()}
        if name in elements.HEADINGS:
            self._kind, self._level = SegmentKind.HEADING, elements.HEADINGS[name]
        elif plain.get("role") == "heading":
            self._kind, self._level = SegmentKind.HEADING, elements.number_in(plain.get("aria-level", ""), 2)
        elif plain and elements.is_note(plain):
            self._kind, self._level = SegmentKind.NOTE, 0
        elif name in names.KINDS and self._kind is not SegmentKind.NOTE:
            self._kind, self._level = names.KINDS[name], 0
        return end

    def _plain(self, start: int, end: int) -> None:
        """The words of an element that has no tags inside."""
        gathering = Gathering(self._text)
        gathering.add(start, end, unescaped(self._text[start:end]))
        if stretch := gathering.finish(spell_text, SegmentKind.LABEL, self._page):
            self.stretches.append(stretch)

    def _void(self, name: str, start: int, end: int) -> None:
        """An element without content. Two line breaks are the border of a paragraph; a place to break is nothing."""
        gathering = self._gatherings[-1]
        if name == "br" and gathering.ends_with("break"):
            self._flush()
        if name != "wbr":
            look = names.LOOKS.get(name, "other") if name in elements.VOID or name in names.NESTED else "other"
            gathering.single(start, end, look)

    def _raw(self, name: str, start: int, end: int, *, is_left: bool) -> int:
        """Passes an element that has no tags inside, with its end tag."""
        until = end_of_raw(self._text, name, end)
        closing = TAG.match(self._text, until)
        behind = closing.end() if closing else len(self._text)
        if name == "textarea" and not is_left:
            self._plain(end, until)
        self._gatherings[-1].single(start, behind, names.LOOKS.get(name, "other"))
        return behind

    def _end_tag(self, name: str, start: int, end: int) -> None:
        beyond = _SCOPE_OF_A_TABLE if name in _OF_A_TABLE else elements.SCOPES
        if self._count[name] and (depth := self._depth_of(name, beyond)):
            for _ in range(depth - 1):
                self._pop(start)
            self._pop(end)
        elif self._is_opaque:
            return
        elif name in names.BORDERS or (self._is_foreign and name in names.DRAWN_TEXTS):
            self._flush()
        elif name in elements.VOID:
            self._gatherings[-1].single(start, end, names.LOOKS.get(name, "other"))
        else:
            self._gatherings[-1].close(start, end, name)

    # Open elements

    def _depth_of(self, name: str, beyond: frozenset[str] | tuple[str, ...] = elements.SCOPES) -> int:
        """How many open elements its end ends; 0 where it is not open in this scope."""
        for depth, each in enumerate(reversed(self._open[-MOST_LOOK_BACK:]), 1):
            if each.name == name:
                return depth
            if each.name in beyond:
                return 0
        return 0

    def _end_unsaid(self, name: str, start: int) -> None:
        """Ends what the tag ends without saying so."""
        if name in elements.BLOCKS and self._count["p"] and (depth := self._depth_of("p", _SCOPES_OF_P)):
            self._pop_many(depth, start)
        for each in names.ENDS.get(name, ()):
            if self._count[each] and (depth := self._depth_of(each, tuple(names.HOLDS.get(name, ())))):
                self._pop_many(depth, start)

    def _pop_many(self, depth: int, at: int) -> None:
        for _ in range(depth):
            self._pop(at)

    def _push(
        self, name: str, start: int, role: Literal["block", "opaque block", "opaque", "nested", "inside"]
    ) -> None:
        self._open.append(_Open(name, start, role, self._kind, self._level, self._is_foreign))
        self._count[name] += 1
        if role.startswith("opaque"):
            self._is_opaque, self._opaque_name = True, name
        if role == "nested":
            self._gatherings.append(Gathering(self._text))
            self._kind = names.KINDS.get(name, self._kind)
        self._is_foreign = self._is_foreign or name in ("svg", "math")

    def _pop(self, end: int) -> None:
        """Ends the innermost element; behind its end tag, or where something else ends it."""
        element = self._open.pop()
        self._count[element.name] -= 1
        look = names.LOOKS.get(element.name, "other")
        if element.role == "block":
            self._flush()
        elif element.role == "opaque block":
            self._is_opaque = False
        elif element.role == "opaque":
            self._is_opaque = False
            self._gatherings[-1].single(element.start, end, look, words_of(self._text, element.start, end))
        elif element.role == "nested":
            self._flush()
            self._gatherings.pop()
            self._gatherings[-1].single(element.start, end, look)
        self._kind, self._level, self._is_foreign = element.kind, element.level, element.is_foreign
