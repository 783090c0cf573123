"""What there is to tell of a document that was read, in the person's words: remarks, and which pages have text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from app.core.visible import size_words, visible_name
from app.documents.formats.registry import words_for
from app.documents.source import PageRead, Remark

Values = dict[str, str | int]

MOST_NAMED_PAGES = 12


def units(unit: str, count: int) -> str:
    """A count of pages, slides, sheets or chapters, such as "1 page" or "1,200 slides"."""
    return f"{count:,} {unit or 'page'}{'' if count == 1 else 's'}"


def _counted(one: str, many: str) -> Callable[[Values], str]:
    """The sentence for one thing, and the one for several with {count}."""
    return lambda v: one if v["count"] == 1 else many.format(count=f"{v['count']:,}")


_SENTENCES: dict[str, Callable[[Values], str]] = {
    "really": lambda v: f"It is really {words_for(str(v['format']))}, whatever the ending {v['ending']} says.",
    "encoding": lambda v: f"Its letters were read as {v['encoding']}.",
    "odd_bytes": _counted(
        "1 byte means nothing in this encoding and was replaced.",
        "{count} bytes mean nothing in this encoding and were replaced.",
    ),
    "damaged_pages": _counted("1 page is damaged and was not read.", "{count} pages are damaged and were not read."),
    "no_recognition": _counted(
        "1 page is a picture; the program tesseract, which could read it, is not installed.",
        "{count} pages are pictures; the program tesseract, which could read them, is not installed.",
    ),
    "rows_cut": lambda v: f"The sheet {v['sheet']} has {v['rows']:,} rows; the first {v['shown']:,} were read.",
    "beside_cells_lost": lambda _: "It is damaged: comments, text boxes and long results of formulas may be missing.",
    "hidden": lambda v: f"The {v['unit']} {v['name']} is hidden, and was read.",
    "missing_part": lambda v: f"Its part {v['part']} is missing.",
    "hidden_characters": _counted("1 hidden character was taken out.", "{count} hidden characters were taken out."),
    "legacy_font": lambda v: (
        f"Its letters come out as “{v['read']}” where its font shows “{v['meant']}”; "
        f"choose the encoding {v['encoding']} to read it as it is shown."
    ),
    "not_read_inside": lambda v: f"The file {v['name']} in it could not be read.",
    "others_inside": _counted("1 other file in it was not read.", "{count} other files in it were not read."),
    "recognized": lambda _: "Text that was read from a picture may have wrong letters.",
    "no_pages": lambda _: "It has no pages to choose from, so all of it was read.",
    "fewer_pages": lambda v: f"It has {units(str(v['unit']), int(v['pages']))}; there is no {v['unit']} {v['last']}.",
    "attachment": lambda v: f"The attachment {v['name']} ({size_words(int(v['size_bytes']))}) was not read.",
    "pictures": _counted("1 picture in it was not read.", "{count} pictures in it were not read."),
    "old_format": lambda v: f"It was read from {words_for(str(v['format']))}, a format that is no longer made.",
    "long_lines": _counted("1 very long line was cut.", "{count} very long lines were cut."),
    "long_segments": _counted(
        "1 text is too long to be translated as one and was left as it is.",
        "{count} texts are too long to be translated as one and were left as they are.",
    ),
    "left_blocks": _counted(
        "1 table, drawing or piece of code in it was left as it is.",
        "{count} tables, drawings or pieces of code in it were left as they are.",
    ),
    "left_markup": _counted(
        "1 piece of HTML in it was left as it is.",
        "{count} pieces of HTML in it were left as they are.",
    ),
    "left_names": _counted(
        "1 name of a sheet was left as it is, since formulas use it.",
        "{count} names of sheets were left as they are, since formulas use them.",
    ),
    "left_values": _counted(
        "1 text with a structure of its own was left as it is.",
        "{count} texts with a structure of their own were left as they are.",
    ),
    "became_utf8": lambda v: f"It is written as UTF-8, since {v['encoding']} lacks letters of the translation.",
}
"""For every name that `app.documents.source.Remark` documents."""


def remark_sentence(remark: Remark) -> str:
    """The sentence for a remark."""
    return visible_name(_SENTENCES[remark.name](remark.values))


def pages_words(unit: str, pages: int, seen: Iterable[PageRead]) -> str:
    """Which pages were read, such as "46 of 48 pages read; 7 and 31 are pictures". "" where nothing is counted.

    `pages` are all that the document has; `seen` are those that were looked at.
    """
    if not pages or not unit:
        return ""
    seen = list(seen)
    read = [page.page for page in seen if page.has_text or page.recognized]
    pictures = [page.page for page in seen if page.is_picture and not page.recognized and not page.has_text]
    empty = [page.page for page in seen if not (page.has_text or page.is_picture or page.recognized)]
    recognized = [page.page for page in seen if page.recognized]
    parts = [f"{units(unit, pages)} read" if len(read) == pages else f"{len(read):,} of {units(unit, pages)} read"]
    parts += clause(pictures, "{} is a picture", "{} are pictures")
    parts += clause(empty, *(("{} gave no text",) * 2 if unit == "file" else ("{} is empty", "{} are empty")))
    parts += clause(recognized, *("the text of {} was recognized in a picture",) * 2)
    return "; ".join(parts)


def clause(pages: Sequence[int], one: str, many: str) -> list[str]:
    """Such as ["7 and 31 are pictures"], {} being the pages; nothing without any."""
    return [(one if len(pages) == 1 else many).format(_numbers(pages))] if pages else []


def _numbers(pages: Sequence[int]) -> str:
    """Such as "7", "7 and 31" or "3 to 9, 12 and 15"; after a dozen, how many more there are."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], page]
        else:
            runs.append([page])
    words: list[str] = []
    for run in runs:
        # two neighbours read better as themselves
        words += [f"{run[0]} to {run[-1]}"] if run[-1] - run[0] > 1 else [str(page) for page in run]
    if len(words) > MOST_NAMED_PAGES:
        words = [*words[: MOST_NAMED_PAGES - 1], "others"]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
