"""Texts of a package that are in attributes and small elements: words for pictures, titles, properties."""

from __future__ import annotations

from app.documents.formats.office.parts import Part, Parts
from app.documents.formats.office.text import without_forbidden
from app.documents.segments import SegmentKind, plain
from app.documents.visits import Ask, Target
from app.documents.xml_tree import Element

_CORE = "docProps/core.xml"
_DUBLIN = "{http://purl.org/dc/elements/1.1/}"
_PROPERTIES = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
_SAID = tuple(f"{_DUBLIN}{name}" for name in ("title", "subject", "description"))
_SAID += tuple(f"{_PROPERTIES}{name}" for name in ("keywords", "category"))


def attribute(part: Part, element: Element, name: str, ask: Ask, page: int = 0) -> None:
    """The words in an attribute, such as those for a picture."""
    said = element.get(name, "")
    if given := plain_given(said, ask, SegmentKind.LABEL, page):
        element.set(name, given)
        part.is_changed = True


def text(part: Part, element: Element, ask: Ask, kind: SegmentKind = SegmentKind.LABEL, page: int = 0) -> None:
    """The words in an element that can hold no markup."""
    if given := plain_given(element.text or "", ask, kind, page):
        element.text = given
        part.is_changed = True


def plain_given(said: str, ask: Ask, kind: SegmentKind, page: int = 0, context: str = "") -> str:
    """What words without markup become, with the white space around them; "" where nothing changes."""
    if not said.strip():
        return ""
    core = said.strip()
    given = ask((core,), kind, page, 0, context)
    if given is None or not (words := without_forbidden(plain(given)).strip()):
        return ""
    return said.replace(core, words, 1)


def properties(parts: Parts, ask: Ask, target: Target | None) -> None:
    """Title, subject, description, keywords and category of the document, and its language."""
    if _CORE not in parts.archive:
        return
    with parts.opened(_CORE) as part:
        for element in part.root:
            if element.tag in _SAID:
                text(part, element, ask)
            elif element.tag == f"{_DUBLIN}language" and target is not None and element.text != target.language:
                element.text = target.language
                part.is_changed = True
