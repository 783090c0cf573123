"""Counts of pages, slides, chats and the like in words, and the names of these units."""

from __future__ import annotations

from app.core.catalogue import Translatable, tr, tr_count

COUNTED_UNITS: dict[str, tuple[str, str]] = {
    "page": ("{count} page", "{count} pages"),
    "slide": ("{count} slide", "{count} slides"),
    "sheet": ("{count} sheet", "{count} sheets"),
    "chapter": ("{count} chapter", "{count} chapters"),
    "section": ("{count} section", "{count} sections"),
    "paragraph": ("{count} paragraph", "{count} paragraphs"),
    "minute": ("{count} minute", "{count} minutes"),
    "second": ("{count} second", "{count} seconds"),
    "chat": ("{count} chat", "{count} chats"),
    "project": ("{count} project", "{count} projects"),
    "assistant": ("{count} assistant", "{count} assistants"),
    "message": ("{count} message", "{count} messages"),
    "statement": ("{count} statement", "{count} statements"),
    "document": ("{count} document", "{count} documents"),
    "file": ("{count} file", "{count} files"),
    "segment": ("{count} segment", "{count} segments"),
    "item": ("{count} item", "{count} items"),
    "existing chat": ("{count} existing chat", "{count} existing chats"),
}
"""Of one and of other counts, for every unit that `count_units` is asked for."""


def count_units(unit: str, count: int) -> str:
    """Format a count of pages, slides, sheets or chapters, such as "1 page" or "1,200 slides"."""
    return tr_count(*COUNTED_UNITS.get(unit, COUNTED_UNITS["page"]), count)


UNIT_NAMES: dict[str, tuple[Translatable, Translatable]] = {
    "page": ("page", "pages"),
    "slide": ("slide", "slides"),
    "sheet": ("sheet", "sheets"),
    "chapter": ("chapter", "chapters"),
    "minute": ("minute", "minutes"),
    "file": ("file", "files"),
}
"""What a document's parts are called within a sentence: one of them, and several."""


def unit_name(unit: str, *, is_plural: bool = False) -> str:
    """Return what a document's parts are called in the user's language; pages if they have no name."""
    return tr(UNIT_NAMES.get(unit, UNIT_NAMES["page"])[is_plural])


def counted_unit_name(unit: str, count: int) -> str:
    """Return what a document's parts are called beside their number."""
    return tr_count(*UNIT_NAMES.get(unit, UNIT_NAMES["page"]), count)
