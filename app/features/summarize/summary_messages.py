"""Everything that is said about a summary, in words that say only what was done; the window translates them."""

from __future__ import annotations

from collections.abc import Sequence

from app.features.document_messages import pages_clause
from app.features.error_messages import count_units
from app.features.retrieval.support_messages import unsupported_words
from app.features.summarize.method import LEAST_SHARE
from app.features.summarize.summary_result import (
    Check,
    CheckReason,
    Coverage,
    Form,
    Method,
    Statement,
    SummarizedDocument,
    Summary,
)
from app.language.language_detection import SMALL_WORDS, language_by_words
from app.language.language_names import base_code, english_name

DIGEST_WORDS = "Key sentences, picked without a model."
NO_TASKS, NOTHING_WRITTEN = "No action items found in {where}.", "Nothing was written about {where}."
_ON = {"p.": "page", "pp.": "page", "page": "page", "pages": "page", "slide": "slide", "sheet": "sheet"}
"""Name of a place by its first word. These take the preposition "on", any other place "in"."""


def check_words(check: Check, pages: str) -> str:
    """Describe one statement's check, such as "It says “3.1 million”, the page says “3.7 million”." `pages` is where
    it was looked for, such as "p. 12".
    """
    place, speaker = _place_words(pages)
    if check.differs:
        there = f"{speaker} says “{check.page_says.rstrip('.')}”."
        return f"This says “{check.said.rstrip('.')}”, {_lower_first(there)}" if check.said else there
    if check.reason is CheckReason.CLOSE_MATCH:
        return f"Found {place}, with slightly different letters."
    if check.found:
        return f"Found {place}."
    if not check.is_compared:
        return f"It’s in a different language than {_lower_first(speaker)} and couldn’t be compared with it."
    if check.reason is CheckReason.GARBLED and not check.said:
        return "It says the same thing twice."
    what = "The quoted text" if check.reason is CheckReason.QUOTE_NOT_FOUND else f"“{check.said}”"
    return f"{what} wasn’t found {place}." if check.said else f"Not found {place}."


def doubt_words(statement: Statement) -> str:
    """Describe the claims without support found by a claim checker; "" for none."""
    return unsupported_words([statement.text[start:end] for start, end in statement.unsupported])


def _place_words(pages: str) -> tuple[str, str]:
    """("on p. 12", "The page"), ("on slide 3", "The slide"), ("in source 2", "The text")."""
    if not pages:
        return "in the text", "The text"
    kind = _ON.get(pages.split(maxsplit=1)[0].casefold(), "")
    return f"{'on' if kind else 'in'} {pages}", f"The {kind or 'text'}"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def digest_words(summary: Summary) -> str:
    """Introduce an extract, such as "Only 1 of the 6 statements that …"."""
    if not summary.set_aside:
        return DIGEST_WORDS
    found, count = sum(statement.check.found for statement in summary.set_aside), len(summary.set_aside)
    if summary.has_given_up:
        return _given_up_words(summary)
    what = f"{f'Only {found:,}' if found else 'None'} of the {count:,} statements that {summary.model} wrote"
    what = what if count > 1 else f"The one statement that {summary.model} wrote"
    was = "was" if found == 1 or count == 1 else "were"
    lost = f"{what} {was}{' not' if count == 1 else ''} found in the text"
    return f"{lost}. Here are sentences from the document instead."


def _given_up_words(summary: Summary) -> str:
    """Explain why the model was stopped: statements or numbers not found."""
    found, count = sum(statement.check.found for statement in summary.set_aside), len(summary.set_aside)
    how_many = f"only {found:,}" if found else "none"
    what = f"{how_many} of its first {count:,} statements {'was' if found == 1 else 'were'} found in the text"
    if found >= LEAST_SHARE * count:
        what = f"too many numbers in its first {count:,} statements are not in the text"
    return f"{summary.model} was stopped: {what}. Here are sentences from the document instead."


def statements_words(statements: Sequence[Statement]) -> tuple[str, str]:
    """Summarize the checks, such as ("6 statements:

    5 found on their page", "1 differs"); the second part needs attention, or is "".
    """
    if not statements:
        return "No statements", ""
    found = sum(statement.check.found for statement in statements)
    differing = sum(statement.check.differs for statement in statements)
    uncompared = sum(not statement.check.is_compared for statement in statements)
    missing = len(statements) - found - differing - uncompared
    has_pages = any(anchor.page is not None for statement in statements for anchor in statement.anchors)
    place = ("on its page" if len(statements) == 1 else "on their page") if has_pages else "in the text"
    attention = [f"{differing:,} differ{'s' if differing == 1 else ''}"] if differing else []
    attention += [f"{missing:,} not found"] if missing else []
    attention += [f"{uncompared:,} couldn’t be compared"] if uncompared else []
    doubted = sum(bool(statement.unsupported) for statement in statements)
    attention += [f"{doubted:,} questioned by the checker"] if doubted else []
    counted = "1 statement" if len(statements) == 1 else f"{len(statements):,} statements"
    if len(statements) == found == 1:
        return f"{counted}: found {place}", ""
    how_many = "all" if found == len(statements) else f"{found:,}" if found else "none"
    return f"{counted}: {how_many} found {place}", ", ".join(attention)


def language_words(summary: Summary) -> str:
    """Describe a language mismatch such as "written in English, not in German";

    "" if there is none or the two can't be told apart.
    """
    wished = summary.wish.language[:2].casefold()
    found = language_by_words("\n".join(statement.text for statement in summary.statements))
    # Only function words of known languages can tell the two apart.
    if not wished or not found or found == wished or not {found, wished} & set(SMALL_WORDS):
        return ""
    if wished not in SMALL_WORDS and found != "en":  # a neighbour of one that is known looks like it
        return ""
    written = english_name(found) if found in SMALL_WORDS else f"{found.title()} letters"
    return f"written in {written}, not in {english_name(wished)}"


_NOT_SENTENCES = {
    Form.ACTIONS: "not a list of action items",
    Form.QUESTIONS: "not questions and answers",
    Form.OWN: "not following your instruction",
}


def not_given_words(summary: Summary) -> str:
    """Describe wishes that an extract can't fulfil; "" for none."""
    if summary.method is not Method.DIGEST:
        return ""
    wish = summary.wish
    is_other = bool(wish.language and summary.language) and base_code(wish.language) != base_code(summary.language)
    missing = [f"not in {english_name(wish.language)}"] if is_other else []
    missing += [_NOT_SENTENCES[wish.form]] if wish.form in _NOT_SENTENCES else []
    if not missing:
        return ""
    return f"These are the document’s own sentences: {' and '.join(missing)}. Use a larger model for that."


def unknown_words(summary: Summary) -> str:
    """Name the languages the model wasn't trained for; "" for none."""
    if not summary.unknown_languages:
        return ""
    return not_made_words(summary.model, summary.unknown_languages)


def unknown_in_short(summary: Summary) -> str:
    """Phrase the unknown languages inside a sentence, such as "by a model that was not made for German"."""
    names = " and ".join(english_name(code) for code in summary.unknown_languages)
    return f"by a model that isn’t made for {names}" if names else ""


def not_made_words(model: str, codes: Sequence[str]) -> str:
    """Warn that a model, by its file's name, wasn't trained for these languages."""
    names = " and ".join(english_name(code) for code in codes)
    return f"{model} isn’t made for {names}. The summary may not be useful."


def nothing_words(summary: Summary) -> str:
    """Explain a summary without statements; "" if it has some or was stopped."""
    if summary.statements or summary.is_partial:
        return ""
    where = "it" if len(summary.documents) == 1 else "them"
    if summary.wish.form is Form.ACTIONS and summary.method is Method.MODEL and not summary.sections_failed:
        return NO_TASKS.format(where=where)
    return NOTHING_WRITTEN.format(where=where)


def coverage_words(summary: Summary) -> str:
    """Describe coverage, such as "46 of 48 pages read;

    7 and 31 are pictures"; paragraphs are counted if nothing has pages. Several documents are listed one by one,
    unless all were read completely.
    """
    documents = summary.documents
    # Complete documents need no list of them.
    if len(documents) > 1 and all(_is_whole(document) for document in documents):
        parts = [f"{len(documents)} documents read, {_sum_words(documents)}"]
    else:
        told = [_document_words(document, is_partial=summary.is_partial) for document in documents]
        named = [
            f"{summarized_document.name}: {words}" for summarized_document, words in zip(documents, told, strict=True)
        ]
        parts = named if len(documents) > 1 else told
    failed = summary.sections_failed
    if failed and not any(document.coverage.unread_pages or document.coverage.partly_read for document in documents):
        parts.append(
            "1 section couldn’t be summarized" if failed == 1 else f"{failed:,} sections couldn’t be summarized"
        )
    return "; ".join(parts)


def _document_words(document: SummarizedDocument, *, is_partial: bool) -> str:
    coverage, unit = document.coverage, document.unit
    if not unit or not coverage.pages:
        read = f"{coverage.blocks_read:,} of {_count_text(coverage.blocks, 'paragraph')} read"
        return "; ".join([read, *_apart_words(coverage)])
    parts = [f"{coverage.pages_read:,} of {count_units(unit, coverage.pages)} read"]
    if is_partial and coverage.partly_read:
        parts[0] += f", {len(coverage.partly_read):,} of them in part"
    empty = [page for page in coverage.pages_without_text if page not in coverage.pictures]
    parts += pages_clause(coverage.pictures, "{} is a picture", "{} are pictures")
    parts += pages_clause(empty, "{} is empty", "{} are empty")
    parts += _apart_words(coverage)
    if not is_partial:  # where it was stopped, everything after that is missing
        many = f"{unit}s {{}}: their sections couldn’t be summarized"
        parts += pages_clause(coverage.unread_pages, f"{unit} {{}}: its section couldn’t be summarized", many)
        many = f"{unit}s {{}} only in part: some of their sections couldn’t be summarized"
        parts += pages_clause(
            coverage.partly_read, f"{unit} {{}} only in part: one of its sections couldn’t be summarized", many
        )
    return "; ".join(parts)


_APART = {
    "contents": ("the contents", "{} is the contents", "{} are the contents"),
    "index": ("the index", "{} is the index", "{} are the index"),
    "sources": ("the references", "{} is the references", "{} are the references"),
}


def _apart_words(coverage: Coverage) -> list[str]:
    """Describe what was left out because it isn't prose, with pages that have nothing else."""
    said, left = [], []
    for left_apart in coverage.apart:
        name, page, pages = _APART.get(left_apart.what, ("parts without text", "{} has no text", "{} have no text"))
        # Pages that have something else are named with that instead.
        if left_apart.pages:
            said += pages_clause(left_apart.pages, page, pages)
        else:
            left.append(name)
    if left:
        said.append(f"without {' and '.join(left)}")
    return said


def _is_whole(document: SummarizedDocument) -> bool:
    coverage = document.coverage
    return coverage.blocks_read == coverage.blocks and not coverage.pages_without_text and not coverage.apart


def _sum_words(documents: Sequence[SummarizedDocument]) -> str:
    """Sum up pages if all are of one kind, else paragraphs."""
    kinds = {document.unit if document.coverage.pages else "" for document in documents}
    if len(kinds) == 1 and kinds != {""}:
        return count_units(kinds.pop(), sum(document.coverage.pages for document in documents))
    return _count_text(sum(summarized_document.coverage.blocks for summarized_document in documents), "paragraph")


def _count_text(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
