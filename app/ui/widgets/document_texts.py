"""What a chip says of a document: how large it is, which part was read, and what there is to tell of it."""

from __future__ import annotations

from app.documents.source import PageRead, Remark
from app.features.document_messages import pages_words, remark_sentence, units
from app.features.documents import Part
from app.store.documents import StoredDocument
from app.ui.shell.i18n import tr

MOST_NAME = 44


def part_of(document: StoredDocument) -> Part:
    """Which part of the file was read."""
    part = document.info.get("part")
    return Part(**part) if isinstance(part, dict) else Part()


def pages_line(document: StoredDocument) -> str:
    """How many pages, or which of them; "" for a document without any."""
    part, unit = part_of(document), document.unit
    if not unit or not document.pages:
        return ""
    if not part.first_page and not part.last_page:
        return units(unit, document.pages)
    first, last = part.first_page or 1, part.last_page or document.pages
    if first == last:
        return tr("{unit} {page} of {pages}", unit=unit, page=first, pages=f"{document.pages:,}")
    return tr("{unit}s {first} to {last} of {pages}", unit=unit, first=first, last=last, pages=f"{document.pages:,}")


def size_words(document: StoredDocument) -> str:
    """Such as "15 pages · 4,200 words"; what is not known is left out."""
    return " · ".join(_sizes(document))


def spoken_size(document: StoredDocument) -> str:
    """The same for a screen reader."""
    return ", ".join(_sizes(document))


def tokens_words(tokens: int | None) -> str:
    """How long it is for the model that is loaded, for a tool tip; "" where that was not counted."""
    return "" if tokens is None else tr("{count} tokens for this model", count=f"{tokens:,}")


def _sizes(document: StoredDocument) -> list[str]:
    words = document.info.get("words", 0)
    counted = tr("1 word") if words == 1 else tr("{count} words", count=f"{words:,}")
    return [part for part in (pages_line(document), counted if words else "") if part]


def remarks_words(document: StoredDocument) -> str:
    """What the person should know of it; "" where all is as it should be."""
    odd = {page.page: page for page in (PageRead(**fields) for fields in document.info.get("pages", ()))}
    part = part_of(document)
    looked_at = range(part.first_page or 1, (part.last_page or document.pages) + 1)
    seen = [odd.get(page, PageRead(page)) for page in looked_at]
    pages = pages_words(document.unit, document.pages, seen) if odd else ""
    said = [remark_sentence(Remark(one["name"], one["values"])) for one in document.info.get("remarks", ())]
    return " ".join([f"{pages}." if said and pages else pages, *said]).strip()


def short_name(name: str) -> str:
    """A name for a title: the middle of a very long one is left out."""
    return name if len(name) <= MOST_NAME else f"{name[: MOST_NAME // 2]}…{name[-MOST_NAME // 2 + 1 :]}"
