"""What there is to tell of a document that was read: remarks, who read it, and which pages have text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.documents.source import PageRead, ReadingRemark
from app.core.catalogue import CountedTexts, tr, tr_count
from app.core.counted_units import count_units
from app.core.joined_texts import join_clauses, join_entries, join_with_last
from app.features.error_messages import model_words, shown_values


def reader_words(method: str, model: str) -> str:
    """Say who read a page (`app.store.document_store.StoredPageReading`), and tesseract's languages."""
    from app.documents.blocks import TESSERACT  # of pages that were read, mostly none
    from app.language.language_names import own_name

    if method != TESSERACT:
        return model_words(model) or method
    names = [own_name(code) for code in model.split("+") if code]
    return f"{method} ({join_entries(names)})" if names else method


MOST_NAMED_PAGES = 12


_REMARKS: dict[str, str | tuple[str, str]] = {
    "really": "This is actually {words}, despite its extension {ending}.",
    "encoding": "Its text was read as {encoding}.",
    "odd_bytes": (
        "1 byte isn’t valid in this encoding and was replaced.",
        "{count:,} bytes aren’t valid in this encoding and were replaced.",
    ),
    "damaged_pages": ("1 page is damaged and wasn’t read.", "{count:,} pages are damaged and weren’t read."),
    "no_recognition": (
        "1 page is a picture. Install tesseract to read it.",
        "{count:,} pages are pictures. Install tesseract to read them.",
    ),
    "read_in": "Its pictures were read by {reader}.",
    "rows_cut": "The sheet {sheet} has {rows:,} rows. Only the first {shown:,} were read.",
    "beside_cells_lost": "The file is damaged. Comments, text boxes and long formula results may be missing.",
    "unclear": (
        "1 part of the recording couldn’t be transcribed completely.",
        "{count:,} parts of the recording couldn’t be transcribed completely.",
    ),
    "hidden": "The {unit} {name} is hidden but was read.",
    "missing_part": "The file is missing its part {part}.",
    "hidden_characters": ("1 hidden character was removed.", "{count:,} hidden characters were removed."),
    "unseen_words": (
        "1 word on its pages can’t be seen but was read.",
        "{count:,} words on its pages can’t be seen but were read.",
    ),
    "legacy_font": "Its text reads “{read}”, but its font shows “{meant}”. Choose the encoding {encoding} to read what "
    "the font shows.",
    "not_read_inside": "The file {name} in it couldn’t be read.",
    "others_inside": ("1 other file in it wasn’t read.", "{count:,} other files in it weren’t read."),
    "recognized": "Text read from a picture may have errors.",
    "no_pages": "This file has no pages to choose from, so all of it was read.",
    "fewer_pages": "It has only {has}, not {last}.",
    "attachment": "The attachment {name} ({size_bytes}) wasn’t read.",
    "pictures": ("1 picture in it wasn’t read.", "{count:,} pictures in it weren’t read."),
    "old_format": "This is {words}. If something is missing, save it in a newer format.",
    "long_lines": ("1 very long line was cut off.", "{count:,} very long lines were cut off."),
    "long_segments": (
        "1 text is too long to translate at once and was left unchanged.",
        "{count:,} texts are too long to translate at once and were left unchanged.",
    ),
    "left_blocks": (
        "1 table, drawing or piece of code was left unchanged.",
        "{count:,} tables, drawings or pieces of code were left unchanged.",
    ),
    "left_markup": ("1 piece of HTML was left unchanged.", "{count:,} pieces of HTML were left unchanged."),
    "left_names": (
        "1 sheet name was left unchanged because formulas use it.",
        "{count:,} sheet names were left unchanged because formulas use them.",
    ),
    "left_values": (
        "1 text with its own structure was left unchanged.",
        "{count:,} texts with their own structure were left unchanged.",
    ),
    "became_utf8": "Saved as UTF-8 because {encoding} lacks some of its letters.",
}
"""For every name that `app.documents.source.ReadingRemark` documents."""


def remark_sentence(remark: ReadingRemark) -> str:
    """Return the sentence for a remark, in the user's language."""
    text, values = _REMARKS[remark.name], dict(remark.values)
    if isinstance(text, tuple):
        return tr_count(*text, int(values["count"]), **shown_values(values))
    if "format" in values:
        from app.documents.formats.registry import words_for  # with what is known of formats: not for every sentence

        values["words"] = words_for(str(values["format"]))
    if "languages" in values:
        values["reader"] = reader_words("tesseract", str(values["languages"]))
    if "pages" in values:
        values["has"] = count_units(str(values["unit"]), int(values["pages"]))
    return tr(text, **shown_values(values))


READ_OF_AMOUNT = "{read:,} of {amount} read"
ARE_PICTURES: CountedTexts = ("{pages} is a picture", "{pages} are pictures")
ARE_EMPTY: CountedTexts = ("{pages} is empty", "{pages} are empty")
_WITHOUT_TEXT: dict[str, CountedTexts] = {
    "file": ("{pages} gave no text", "{pages} gave no text"),
    "minute": ("no speech in {pages}", "no speech in {pages}"),
}
_RECOGNIZED: CountedTexts = (
    "the text of {pages} was recognized in a picture",
    "the text of {pages} was recognized in a picture",
)


def pages_words(unit: str, pages: int, seen: Iterable[PageRead]) -> str:
    """Describe the pages read, such as "46 of 48 pages read;

    7 and 31 are pictures"; "" without pages. `pages` is the document's total; `seen` are those looked at.
    """
    if not pages or not unit:
        return ""
    seen = list(seen)
    read = [page.page for page in seen if page.has_text or page.recognized]
    pictures = [page.page for page in seen if page.is_picture and not page.recognized and not page.has_text]
    empty = [page.page for page in seen if not (page.has_text or page.is_picture or page.recognized)]
    recognized = [page.page for page in seen if page.recognized]
    text = "{amount} read" if len(read) == pages else READ_OF_AMOUNT
    parts = [tr(text, read=len(read), amount=count_units(unit, pages))]
    parts += pages_clause(pictures, ARE_PICTURES)
    parts += pages_clause(empty, _WITHOUT_TEXT.get(unit, ARE_EMPTY))
    parts += pages_clause(recognized, _RECOGNIZED)
    return join_clauses(parts)


def pages_clause(pages: Sequence[int], texts: CountedTexts, **values: str) -> list[str]:
    """Return a clause such as ["7 and 31 are pictures"], {pages} being their numbers; [] without pages."""
    return [tr_count(*texts, len(pages), pages=_page_numbers(pages), **values)] if pages else []


def _page_numbers(pages: Sequence[int]) -> str:
    """Format as "7", "7 and 31" or "3 to 9, 12 and 15"; after a dozen, only the number of the rest."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], page]
        else:
            runs.append([page])
    words: list[str] = []
    for run in runs:
        # two neighbours read better as themselves
        words += (
            [tr("{first} to {last}", first=run[0], last=run[-1])]
            if run[-1] - run[0] > 1
            else [str(page) for page in run]
        )
    if len(words) > MOST_NAMED_PAGES:
        words = [*words[: MOST_NAMED_PAGES - 1], tr("others")]
    return join_with_last(words)
