"""What a chip says of a document: size, range read, and warnings."""

from __future__ import annotations

from app.core.counted_units import count_units
from app.core.visible import visible_name
from app.documents.folder import MOST_FILES, ExpandedPaths
from app.features.document_messages import pages_words, remark_sentence
from app.features.files_to_read import part_of
from app.store.document_store import StoredDocument
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number, join_facts, join_list

TOKENS_FOR_MODEL = "{count} tokens for this model"
NO_SUCH_FILE = "The file {name} doesn’t exist."
MOST_NAME = 44


def pages_line(document: StoredDocument) -> str:
    """Return the number or range of pages; "" for documents without pages."""
    part, unit = part_of(document), document.unit
    if not unit or not document.pages:
        return ""
    if not part.first_page and not part.last_page:
        return _length_words(document) or count_units(unit, document.pages)
    first, last = part.first_page or 1, part.last_page or document.pages
    if first == last:
        return tr("{unit} {page} of {pages}", unit=unit, page=first, pages=format_number(document.pages))
    return tr(
        "{unit}s {first} to {last} of {pages}", unit=unit, first=first, last=last, pages=format_number(document.pages)
    )


def _length_words(document: StoredDocument) -> str:
    """Return the length of a recording, such as "10 seconds" or "1:30"; "" if it is unknown."""
    if not (seconds := document.info.get("seconds", 0.0)):
        return ""
    # From 59.5 on, this would be rounded to "60 seconds".
    if seconds < 59.5:
        return count_units("second", max(1, round(seconds)))
    from app.features.transcribe import format_clock

    return format_clock(round(seconds))


def size_words(document: StoredDocument) -> str:
    """Return a document's size, such as "15 pages · 4,200 words", without unknown parts."""
    return join_facts(_sizes(document))


def spoken_size(document: StoredDocument) -> str:
    """Return the size with commas, for screen readers, without unknown parts."""
    # They would speak a dot.
    return join_list(_sizes(document))


def tokens_words(tokens: int | None) -> str:
    """Return the token count for the tooltip; "" if it wasn't counted."""
    return "" if tokens is None else tr_count("{count} token for this model", TOKENS_FOR_MODEL, tokens)


def _sizes(document: StoredDocument) -> list[str]:
    words = document.info.get("words", 0)
    counted = tr_count("1 word", "{count} words", words)
    return [part for part in (pages_line(document), counted if words else "") if part]


def remarks_words(document: StoredDocument) -> str:
    """Return warnings from reading a document; "" if there are none. Scanned pages are reported by `PicturesLine`."""
    from app.documents.source import PageRead, ReadingRemark  # reading happens in another process, mostly

    found = [PageRead(**fields) for fields in document.info.get("pages", ())]
    odd = {page.page: page for page in found if (not page.has_text or page.recognized) and not page.is_picture}
    part = part_of(document)
    looked_at = range(part.first_page or 1, (part.last_page or document.pages) + 1)
    seen = [odd.get(page, PageRead(page)) for page in looked_at]
    pages = pages_words(document.unit, document.pages, seen) if odd else ""
    remarks = [remark for remark in document.info.get("remarks", ()) if remark["name"] != "recognized"]
    said = [remark_sentence(ReadingRemark(remark["name"], remark["values"])) for remark in remarks]
    return " ".join([f"{pages}." if said and pages else pages, *said]).strip()


def short_name(name: str) -> str:
    """Return a name for titles, with the middle of a very long one elided."""
    return name if len(name) <= MOST_NAME else f"{name[: MOST_NAME // 2]}…{name[-MOST_NAME // 2 + 1 :]}"


def told_of(found: ExpandedPaths, *, left: int = 0) -> str:
    """Return a sentence about dropped files that weren't taken; "" if all were."""
    if found.is_cut or left:
        most = "You can attach up to {count} files at once. The others were left out."
        return tr_count("You can attach up to {count} file at once. The others were left out.", most, MOST_FILES)
    odd = [skipped_path for skipped_path in found.skipped if skipped_path.reason != "no_document"]
    if not found.files and not odd:
        return tr("No documents found in it.")
    if len(odd) == 1:
        reason = {"missing": NO_SUCH_FILE, "denied": "You don’t have permission to read {name}."}
        words = reason.get(odd[0].reason, "{name} can’t be read.")
        return tr(words, name=short_name(visible_name(odd[0].path.name)))
    return tr_count("{count} file couldn’t be read.", "{count} files couldn’t be read.", len(odd)) if odd else ""


def left_out_words(found: ExpandedPaths) -> str:
    """Return a notice about files of a folder that were skipped for lack of text; "" if none were."""
    names = [
        short_name(visible_name(skipped_path.path.name))
        for skipped_path in found.skipped
        if skipped_path.reason == "no_document"
    ]
    taken = tr_count("1 file attached.", "{count} files attached.", len(found.files))
    if len(names) == 1:
        return f"{taken} {tr('{name} was left out because it has no text.', name=names[0])}"
    if names:
        left = tr("{n} were left out because they have no text, such as {name}.", n=len(names), name=names[0])
        return f"{taken} {left}"
    return ""
