"""Everything that is said about a summary, in words that say only what was done, in the user's language."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.catalogue import CountedTexts, Translatable, tr, tr_count
from app.core.counted_units import count_units, unit_name
from app.core.joined_texts import join_clauses, join_entries, join_with_last
from app.features.document_messages import ARE_EMPTY, ARE_PICTURES, READ_OF_AMOUNT, pages_clause
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
NO_TASKS: CountedTexts = ("No action items found in it.", "No action items found in them.")
NOTHING_WRITTEN: CountedTexts = ("Nothing was written about it.", "Nothing was written about them.")
"""Of one document, and of several."""
_ON = ("page", "slide", "sheet")
"""Units that take the preposition "on", any other place takes "in"."""
_SAYS: dict[str, Translatable] = {
    "page": "The page says “{says}”.",
    "slide": "The slide says “{says}”.",
    "sheet": "The sheet says “{says}”.",
    "": "The text says “{says}”.",
}
_DIFFERS: dict[str, Translatable] = {
    "page": "This says “{said}”, the page says “{says}”.",
    "slide": "This says “{said}”, the slide says “{says}”.",
    "sheet": "This says “{said}”, the sheet says “{says}”.",
    "": "This says “{said}”, the text says “{says}”.",
}
_NOT_COMPARED: dict[str, Translatable] = {
    "page": "It’s in a different language than the page and couldn’t be compared with it.",
    "slide": "It’s in a different language than the slide and couldn’t be compared with it.",
    "sheet": "It’s in a different language than the sheet and couldn’t be compared with it.",
    "": "It’s in a different language than the text and couldn’t be compared with it.",
}


def check_words(check: Check, pages: str, unit: str = "") -> str:
    """Describe one statement's check, such as "It says “3.1 million”, the page says “3.7 million”." `pages` is where
    it was looked for, such as "p. 12", and `unit` what these are, "" where a document's name comes first.
    """
    kind = unit if pages and unit in _ON else ""
    where = tr("on {pages}" if kind else "in {pages}", pages=pages) if pages else tr("in the text")
    if check.differs:
        text = _DIFFERS[kind] if check.said else _SAYS[kind]
        return tr(text, said=check.said.rstrip("."), says=check.page_says.rstrip("."))
    if check.found or check.reason is CheckReason.CLOSE_MATCH:
        is_close = check.reason is CheckReason.CLOSE_MATCH
        return tr("Found {where}, with slightly different letters." if is_close else "Found {where}.", where=where)
    if not check.is_compared:
        return tr(_NOT_COMPARED[kind])
    if check.reason is CheckReason.GARBLED and not check.said:
        return tr("It says the same thing twice.")
    if not check.said:
        return tr("Not found {where}.", where=where)
    is_quote = check.reason is CheckReason.QUOTE_NOT_FOUND
    text = "The quoted text wasn’t found {where}." if is_quote else "“{said}” wasn’t found {where}."
    return tr(text, said=check.said, where=where)


def doubt_words(statement: Statement) -> str:
    """Describe the claims without support found by a claim checker; "" for none."""
    return unsupported_words([statement.text[start:end] for start, end in statement.unsupported])


def digest_words(summary: Summary) -> str:
    """Introduce an extract, such as "Only 1 of the 6 statements that …"."""
    if not summary.set_aside:
        return tr(DIGEST_WORDS)
    if summary.has_given_up:
        return _given_up_words(summary)
    found, count = sum(statement.check.found for statement in summary.set_aside), len(summary.set_aside)
    if found and count > 1:
        return tr_count(*_ONLY_FOUND, found, found=found, count=count, model=summary.model)
    return tr_count(*_NONE_FOUND, count, model=summary.model)


_ONLY_FOUND: CountedTexts = (
    "Only {found:,} of the {count:,} statements that {model} wrote was found in the text. "
    "Here are sentences from the document instead.",
    "Only {found:,} of the {count:,} statements that {model} wrote were found in the text. "
    "Here are sentences from the document instead.",
)
_NONE_FOUND: CountedTexts = (
    "The one statement that {model} wrote wasn’t found in the text. Here are sentences from the document instead.",
    "None of the {count} statements that {model} wrote were found in the text. "
    "Here are sentences from the document instead.",
)
_STOPPED_FOR_FEW: CountedTexts = (
    "{model} was stopped: only {found:,} of its first {count:,} statements was found in the text. "
    "Here are sentences from the document instead.",
    "{model} was stopped: only {found:,} of its first {count:,} statements were found in the text. "
    "Here are sentences from the document instead.",
)
_STOPPED_FOR_NONE: CountedTexts = (
    "{model} was stopped: none of its first {count} statement was found in the text. "
    "Here are sentences from the document instead.",
    "{model} was stopped: none of its first {count} statements were found in the text. "
    "Here are sentences from the document instead.",
)
_STOPPED_FOR_NUMBERS: CountedTexts = (
    "{model} was stopped: too many numbers in its first {count} statement aren’t in the text. "
    "Here are sentences from the document instead.",
    "{model} was stopped: too many numbers in its first {count} statements aren’t in the text. "
    "Here are sentences from the document instead.",
)


def _given_up_words(summary: Summary) -> str:
    """Explain why the model was stopped: statements or numbers not found."""
    found, count = sum(statement.check.found for statement in summary.set_aside), len(summary.set_aside)
    if found >= LEAST_SHARE * count:
        return tr_count(*_STOPPED_FOR_NUMBERS, count, model=summary.model)
    if not found:
        return tr_count(*_STOPPED_FOR_NONE, count, model=summary.model)
    return tr_count(*_STOPPED_FOR_FEW, found, model=summary.model, found=found, count=count)


_ALL_ON_PAGE: CountedTexts = ("1 statement: found on its page", "{count} statements: all found on their page")
_SOME_ON_PAGE: CountedTexts = (
    "1 statement: {found:,} found on its page",
    "{count} statements: {found:,} found on their page",
)
_NONE_ON_PAGE: CountedTexts = ("1 statement: none found on its page", "{count} statements: none found on their page")
_ALL_IN_TEXT: CountedTexts = ("1 statement: found in the text", "{count} statements: all found in the text")
_SOME_IN_TEXT: CountedTexts = (
    "1 statement: {found:,} found in the text",
    "{count} statements: {found:,} found in the text",
)
_NONE_IN_TEXT: CountedTexts = ("1 statement: none found in the text", "{count} statements: none found in the text")
_ATTENTION: tuple[CountedTexts, ...] = (
    ("{count} differs", "{count} differ"),
    ("{count} not found", "{count} not found"),
    ("{count} couldn’t be compared", "{count} couldn’t be compared"),
    ("{count} questioned by the checker", "{count} questioned by the checker"),
)


def statements_words(statements: Sequence[Statement]) -> tuple[str, str]:
    """Summarize the checks, such as ("6 statements:

    5 found on their page", "1 differs"); the second part needs attention, or is "".
    """
    if not statements:
        return tr("No statements"), ""
    count, found = len(statements), sum(statement.check.found for statement in statements)
    differing = sum(statement.check.differs for statement in statements)
    uncompared = sum(not statement.check.is_compared for statement in statements)
    doubted = sum(bool(statement.unsupported) for statement in statements)
    counts = (differing, count - found - differing - uncompared, uncompared, doubted)
    attention = [tr_count(*texts, number) for texts, number in zip(_ATTENTION, counts, strict=True) if number]
    if any(anchor.page is not None for statement in statements for anchor in statement.anchors):
        texts = _ALL_ON_PAGE if found == count else _SOME_ON_PAGE if found else _NONE_ON_PAGE
    else:
        texts = _ALL_IN_TEXT if found == count else _SOME_IN_TEXT if found else _NONE_IN_TEXT
    return tr_count(*texts, count, found=found), "" if found == count == 1 else join_entries(attention)


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
    written = tr(english_name(found)) if found in SMALL_WORDS else tr("{script} letters", script=found.title())
    return tr("written in {language}, not in {wished}", language=written, wished=tr(english_name(wished)))


_NOT_SENTENCES: dict[Form, Translatable] = {
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
    missing = [tr("not in {language}", language=tr(english_name(wish.language)))] if is_other else []
    missing += [tr(_NOT_SENTENCES[wish.form])] if wish.form in _NOT_SENTENCES else []
    if not missing:
        return ""
    text = "These are the document’s own sentences: {missing}. Use a larger model for that."
    return tr(text, missing=join_with_last(missing))


def unknown_words(summary: Summary) -> str:
    """Name the languages the model wasn't trained for; "" for none."""
    return "" if not summary.unknown_languages else not_made_words(summary.model, summary.unknown_languages)


def unknown_in_short(summary: Summary) -> str:
    """Phrase the unknown languages inside a sentence, such as "by a model that was not made for German"."""
    if not summary.unknown_languages:
        return ""
    names = join_with_last([tr(english_name(code)) for code in summary.unknown_languages])
    return tr("by a model that isn’t made for {languages}", languages=names)


def not_made_words(model: str, codes: Sequence[str]) -> str:
    """Warn that a model, by its file's name, wasn't trained for these languages."""
    names = join_with_last([tr(english_name(code)) for code in codes])
    return tr("{model} isn’t made for {languages}. The summary may not be useful.", model=model, languages=names)


def nothing_words(summary: Summary) -> str:
    """Explain a summary without statements; "" if it has some or was stopped."""
    if summary.statements or summary.is_partial:
        return ""
    count = len(summary.documents)
    if summary.wish.form is Form.ACTIONS and summary.method is Method.MODEL and not summary.sections_failed:
        return tr_count(*NO_TASKS, count)
    return tr_count(*NOTHING_WRITTEN, count)


_DOCUMENTS_READ: CountedTexts = ("{count} document read, {amount}", "{count} documents read, {amount}")
_NOT_SUMMARIZED: CountedTexts = ("1 section couldn’t be summarized", "{count} sections couldn’t be summarized")


def coverage_words(summary: Summary) -> str:
    """Describe coverage, such as "46 of 48 pages read;

    7 and 31 are pictures"; paragraphs are counted if nothing has pages. Several documents are listed one by one,
    unless all were read completely.
    """
    documents = summary.documents
    # Complete documents need no list of them.
    if len(documents) > 1 and all(_is_whole(document) for document in documents):
        parts = [tr_count(*_DOCUMENTS_READ, len(documents), amount=_sum_words(documents))]
    else:
        told = [_document_words(document, is_partial=summary.is_partial) for document in documents]
        named = [
            f"{summarized_document.name}: {words}" for summarized_document, words in zip(documents, told, strict=True)
        ]
        parts = named if len(documents) > 1 else told
    failed = summary.sections_failed
    if failed and not any(document.coverage.unread_pages or document.coverage.partly_read for document in documents):
        parts.append(tr_count(*_NOT_SUMMARIZED, failed))
    return join_clauses(parts)


_UNREAD: CountedTexts = (
    "{unit} {pages}: its section couldn’t be summarized",
    "{units} {pages}: their sections couldn’t be summarized",
)
_PARTLY_READ: CountedTexts = (
    "{unit} {pages} only in part: one of its sections couldn’t be summarized",
    "{units} {pages} only in part: some of their sections couldn’t be summarized",
)


def _document_words(document: SummarizedDocument, *, is_partial: bool) -> str:
    coverage, unit = document.coverage, document.unit
    if not unit or not coverage.pages:
        amount = count_units("paragraph", coverage.blocks)
        return join_clauses([tr(READ_OF_AMOUNT, read=coverage.blocks_read, amount=amount), *_apart_words(coverage)])
    amount, text = count_units(unit, coverage.pages), READ_OF_AMOUNT
    if is_partial and coverage.partly_read:
        text = "{read:,} of {amount} read, {partly:,} of them in part"
    parts = [tr(text, read=coverage.pages_read, amount=amount, partly=len(coverage.partly_read))]
    empty = [page for page in coverage.pages_without_text if page not in coverage.pictures]
    parts += pages_clause(coverage.pictures, ARE_PICTURES)
    parts += pages_clause(empty, ARE_EMPTY)
    parts += _apart_words(coverage)
    if not is_partial:  # where it was stopped, everything after that is missing
        names = {"unit": unit_name(unit), "units": unit_name(unit, is_plural=True)}
        parts += pages_clause(coverage.unread_pages, _UNREAD, **names)
        parts += pages_clause(coverage.partly_read, _PARTLY_READ, **names)
    return join_clauses(parts)


_APART: dict[str, tuple[Translatable, CountedTexts]] = {
    "contents": ("the contents", ("{pages} is the contents", "{pages} are the contents")),
    "index": ("the index", ("{pages} is the index", "{pages} are the index")),
    "sources": ("the references", ("{pages} is the references", "{pages} are the references")),
}
_WITHOUT_TEXT: tuple[Translatable, CountedTexts] = (
    "parts without text",
    ("{pages} has no text", "{pages} have no text"),
)


def _apart_words(coverage: Coverage) -> list[str]:
    """Describe what was left out because it isn't prose, with pages that have nothing else."""
    said, left = [], []
    for left_apart in coverage.apart:
        name, clause = _APART.get(left_apart.what, _WITHOUT_TEXT)
        # Pages that have something else are named with that instead.
        if left_apart.pages:
            said += pages_clause(left_apart.pages, clause)
        else:
            left.append(tr(name))
    if left:
        said.append(tr("without {parts}", parts=join_with_last(left)))
    return said


def _is_whole(document: SummarizedDocument) -> bool:
    coverage = document.coverage
    return coverage.blocks_read == coverage.blocks and not coverage.pages_without_text and not coverage.apart


def _sum_words(documents: Sequence[SummarizedDocument]) -> str:
    """Sum up pages if all are of one kind, else paragraphs."""
    kinds = {document.unit if document.coverage.pages else "" for document in documents}
    if len(kinds) == 1 and kinds != {""}:
        return count_units(kinds.pop(), sum(document.coverage.pages for document in documents))
    return count_units("paragraph", sum(document.coverage.blocks for document in documents))
