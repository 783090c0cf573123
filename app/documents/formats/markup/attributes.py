"""The attributes of a tag with their places, which of them are read, and which say a language or a direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from app.documents.formats.markup.splice import is_blank, spelling_within
from app.documents.formats.markup.stretches import Gathering, Stretch
from app.documents.formats.markup.tokens import ATTRIBUTE, unescaped
from app.documents.formats.web import names
from app.documents.segments import SegmentKind


class Attribute(NamedTuple):
    """A value and where it stands in the text, within its quotes; `quote` is "" where it has none."""

    value: str
    start: int
    end: int
    quote: str


def attributes_at(given: str, at: int) -> dict[str, Attribute]:
    """The attributes of a tag by their names in lower case, first of two; `given` begins in the text at `at`."""
    found: dict[str, Attribute] = {}
    for match in ATTRIBUTE.finditer(given):
        group = match.lastindex or 1
        if group == 1:
            found.setdefault(match[1].lower(), Attribute("", at + match.end(), at + match.end(), "?"))
        else:
            start, end = match.span(group)
            quote = ("", "", '"', "'", "")[group]
            found.setdefault(match[1].lower(), Attribute(unescaped(match[group]), at + start, at + end, quote))
    return found


def is_left(said: dict[str, Attribute]) -> bool:
    """Whether a page asks that an element is not translated."""
    translate = said.get("translate")
    if translate is not None and translate.value.strip().lower() == "no":
        return True
    kinds = said.get("class")
    return kinds is not None and "notranslate" in kinds.value.split()


def labels(text: str, name: str, said: dict[str, Attribute], page: int) -> Iterator[Stretch]:
    """The segments in a tag."""
    for key, attribute in said.items():
        if not is_blank(attribute.value) and attribute.quote != "?" and _is_read(name, key, said):
            stretch = label(text, attribute, page)
            if stretch is not None:
                yield stretch


def label(text: str, attribute: Attribute, page: int) -> Stretch | None:
    """The segment that a value is."""
    if attribute.quote:
        gathering = Gathering(text)
        gathering.add(attribute.start, attribute.end, attribute.value)
        return gathering.finish(spelling_within(attribute.quote), SegmentKind.LABEL, page)
    # White space cannot be around it, and the whole of it gets quotes.
    return Stretch(attribute.start, attribute.end, (attribute.value,), {}, spelling_within(""), SegmentKind.LABEL, page)


def _is_read(name: str, key: str, said: dict[str, Attribute]) -> bool:
    if key in names.LABELS:
        return key != "title" or name not in names.UNREAD_TITLES
    if key == "content" and name == "meta":
        called = said.get("name") or said.get("property")
        return called is not None and called.value.strip().lower() in names.META
    if key == "value" and name == "input":
        kind = said.get("type")
        return kind is not None and kind.value.strip().lower() in names.BUTTON_TYPES
    return key in names.LABELS_OF.get(name, ())
