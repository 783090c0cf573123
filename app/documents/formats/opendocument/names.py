"""What the elements and attributes of an OpenDocument mean for translating it, by their usual prefixes."""

from __future__ import annotations

from app.documents.segments import SegmentKind

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
PREFIXES = {
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


PARAGRAPHS = _named("text", "p h")
LEAVES = _named("svg", "title desc") | _named("table", "title desc") | _named("text", "index-title-template")
"""Elements that are text themselves, without paragraphs; each a label."""
MARGIN_LEAVES = _named("presentation", "header-decl footer-decl")
META_LEAVES = _named("dc", "title subject description")
SKIPPED = (
    _named("text", "tracked-changes script")
    | _named("table", "tracked-changes")
    | _named("office", "scripts binary-data event-listeners settings font-face-decls change-info")
    | _named("style", "handout-master")
)
"""Deleted text, programs, and what is no text."""
PAIRS = _named("text", "span a meta meta-field ruby ruby-base ruby-text placeholder text-input")
ATOMS = {"text:tab": "tab", "text:line-break": "break"}
NOTHING = _named("text", "soft-page-break s")
"""They leave no mark: one is made anew by every program, the other is white space."""
LOOKS = {
    "text:a": "link", "text:note": "note", "office:annotation": "note", "draw:frame": "image", "draw:g": "image",
    "draw:a": "image", "text:ruby-text": "small",
}  # fmt: skip
KINDS = {
    "text:list-item": SegmentKind.LIST_ITEM, "text:list-header": SegmentKind.LIST_ITEM,
    "text:numbered-paragraph": SegmentKind.LIST_ITEM, "table:table-cell": SegmentKind.CELL,
    "table:covered-table-cell": SegmentKind.CELL, "text:note": SegmentKind.NOTE,
    "office:annotation": SegmentKind.NOTE, "presentation:notes": SegmentKind.NOTE,
    "style:master-page": SegmentKind.HEADER, "chart:title": SegmentKind.LABEL, "chart:subtitle": SegmentKind.LABEL,
    "chart:legend": SegmentKind.LABEL, "table:help-message": SegmentKind.NOTE, "table:error-message": SegmentKind.NOTE,
}  # fmt: skip
LASTING = (SegmentKind.NOTE, SegmentKind.HEADER, SegmentKind.LABEL)
"""What is in these is of these kinds."""
CELLS = _named("table", "table-cell covered-table-cell")
VALUES = frozenset(("float", "percentage", "currency", "date", "time", "boolean"))
"""Types of cells whose text is a value as it is shown."""
LABELS = {
    "form:label", "form:title", "office:title", "xlink:title", "table:title",
}  # fmt: skip
LABELLED = ("form:", "text:a", "draw:a", "table:help-message", "table:error-message", "text:alphabetical-index-mark")
"""Elements, or the beginnings of their names, whose attributes are looked at for labels."""
ENTRIES = frozenset(("text:string-value", "text:key1", "text:key2"))
"""Attributes of an entry in an index."""
