"""Answer questions about whole documents in a chat: offer, estimate, run, resume.

A list of everything wanted is collected section by section by the model, then counted. It shares the machinery of
summaries: numbered paragraphs, numbers under a grammar, checks against the cited blocks, stored steps
(`app.features.summarize`). Only the request differs, and a section with more entries than an answer holds is asked
again in halves.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from app import APP_NAME
from app.core.errors.app_error import AppError
from app.core.events import CancelToken, FinishReason, ModelLoaded, Role, TextDelta
from app.documents.blocks import PAGE_MARKS, Block, BlockKind, rows_of
from app.engine.contract import Engine
from app.engine.protocol import Ask
from app.features.chat.answer_draft import AnswerDraft
from app.features.chat.answer_service import AnswerService, AnswerStarted
from app.features.error_messages import count_units
from app.features.models.model_languages import weights_of
from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.retrieval.scope import scope_of
from app.features.retrieval.source_places import SourcePlace, source_to_fields
from app.features.summarize import answer_grammars, point_answers, summary_prompts
from app.features.summarize.condensing import SectionMapping
from app.features.summarize.digest import digest_summary
from app.features.summarize.export import escape_markdown
from app.features.summarize.laid_out import plain_line
from app.features.summarize.method import method_for
from app.features.summarize.point_answers import AnswerProblem, SummaryPoint
from app.features.summarize.sections import (
    ReadSection,
    SectionReading,
    TokenBudgets,
    budgets_for,
    sections_of,
    whole_section,
)
from app.features.summarize.summarize import plan_reading, summarize_documents
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_messages import DIGEST_WORDS, check_words, coverage_words
from app.features.summarize.summary_pace import SummaryPace, model_file
from app.features.summarize.summary_result import (
    KIND,
    ClaimAnchor,
    Form,
    InputDocument,
    Length,
    Method,
    Planned,
    SectionRead,
    Statement,
    Steps,
    Summarized,
    SummarizedDocument,
    Summary,
    SummaryEvent,
    SummaryOptions,
    inputs_of,
    unknown_languages,
    writing_language,
)
from app.features.summarize.summary_work import SummaryWork
from app.features.summarize.write_up_sources import distinct_statements
from app.features.survey.wanted import QueryOffer, SurveyCoverage, SurveyProgress, made_to_fields
from app.features.work.asking import TaskAnswer, TaskRests, wake_model
from app.features.work.pace import MeasuredSpeeds
from app.language.dates import find_dates
from app.language.language_names import WITHOUT_SPACES
from app.language.numbers import CLOCK, MONEY, Quantity, find_quantities
from app.language.words import stretch_at
from app.store.conversations import MessageState, StoredMessage
from app.store.database import Database
from app.store.jobs import JobTable

FOUND_BY_PROGRAM = frozenset(QuestionScope) - {QuestionScope.ABOUT, QuestionScope.LIST}
LONGEST_AROUND = 140
LONGEST_TEXT = 160
PERCENTAGES = frozenset({"%", "‰", "percentage points"})
ENDING = 3
"""Letters that a word may have more than what was asked for: "kilns" for "kiln"."""
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[^\W_](?:[\w-]{0,62})\.){1,6}[^\W\d_]{2,24}(?![\w-])")
_LINK = re.compile(
    r"(?:https?|ftp)://[^\s<>\"'“”‘’«»\\^`{|}]+|(?<![\w@./-])www\.[^\W_][\w-]*\.[^\s<>\"'“”‘’«»\\^`{|}]+", re.IGNORECASE
)
_BEHIND_LINK = ".,;:!?…"
_PAIRS = {")": "(", "]": "[", "}": "{", "。": "", "）": "（", "、": ""}


@dataclass(frozen=True)
class SurveyMatch:
    """A stretch of a block that is what was wanted; those with one `key` are the same thing. `level` is a heading's."""

    start: int
    end: int
    key: object
    text: str = ""
    """Label, where the matched text is a poor one."""
    level: int = 0


@dataclass
class _SurveyEntry:
    text: str
    level: int
    anchors: list[ClaimAnchor] = field(default_factory=list)


def find_all(
    documents: Sequence[InputDocument], scope: WantedScope, cancelled: Callable[[], bool] = lambda: False
) -> Summary:
    """Find everything of a kind in `FOUND_BY_PROGRAM`, as statements with sources, in document order.

    Repeated finds become one statement with all sources, whose texts are the sentences around.
    """
    begun_s = time.monotonic()
    # All blocks count: a list has to hold what stands in an index, too.
    reading = SectionReading(documents, leaves_apart=False)
    entries: dict[object, _SurveyEntry] = {}
    for place, document in enumerate(documents):
        for block in document.blocks:
            if cancelled():
                break
            for found in found_in(block, scope):
                text = found.text or shorten_text(" ".join(block.text[found.start : found.end].split()), LONGEST_TEXT)
                # By key, so that one date in two spellings is one entry with two places.
                entry = entries.setdefault(found.key, _SurveyEntry(text, found.level))
                around = _sentence_around(block, found)
                entry.anchors.append(ClaimAnchor(place, block.id, block.page, found.start, found.end, around))
        section = whole_section(place, document.blocks)
        if not cancelled():
            # Everything was looked at, so all of it counts as read.
            reading.mark_answered(section, section.text)
    told = tuple(
        SummarizedDocument(input_document.id, input_document.name, input_document.title, input_document.unit, coverage)
        for input_document, coverage in zip(documents, reading.make_coverage(), strict=True)
    )
    statements = tuple(
        Statement(survey_entry.text, tuple(survey_entry.anchors), paragraph=survey_entry.level)
        for survey_entry in entries.values()
    )
    return Summary(
        ", ".join(document.title or document.name for document in documents), told, statements,
        SummaryOptions(), "", "", len(told), len(told),
        is_partial=cancelled(), seconds=time.monotonic() - begun_s, method=Method.DIGEST,
    )  # fmt: skip


def found_in(block: Block, scope: WantedScope) -> Iterator[SurveyMatch]:
    """Find what one block has of the wanted kind, in order."""
    text = block.text
    match scope.wanted:
        case QuestionScope.DATES:
            yield from _find_dates(text)
        case QuestionScope.MONEY | QuestionScope.PERCENTAGES | QuestionScope.NUMBERS:
            yield from (
                _quantity_match(text, quantity)
                for quantity in find_quantities(text)
                if _is_wanted(quantity, scope.wanted)
            )
        case QuestionScope.EMAILS:
            yield from (SurveyMatch(*match.span(), match[0].casefold()) for match in _EMAIL.finditer(text))
        case QuestionScope.LINKS:
            yield from _find_links(text)
        case QuestionScope.MENTIONS:
            yield from (
                SurveyMatch(*match.span(), match[0].casefold()) for match in mentions_of(scope.words).finditer(text)
            )
        case QuestionScope.HEADINGS if block.kind is BlockKind.HEADING:
            yield SurveyMatch(0, len(text), block.id, level=max(1, block.level))
        case QuestionScope.TABLES if block.kind is BlockKind.TABLE:
            yield SurveyMatch(0, len(text), block.id, block.label or _first_row(block))
        case QuestionScope.FIGURES if block.kind is BlockKind.CAPTION and not _OF_A_TABLE.match(text):
            yield SurveyMatch(0, len(text), block.id)


_OF_A_TABLE = re.compile(r"\s*(?:tab\.|tables?|tabellen?|tableaux?|tablas?|tabelas?|таблиц\w+|表)\s*\d", re.IGNORECASE)


def _find_dates(text: str) -> Iterator[SurveyMatch]:
    """Find dates that name a day, or a month of a year."""
    for date in find_dates(text):
        if date.year or any(day for _, day in date.readings):
            yield SurveyMatch(date.start, date.end, (date.year, date.readings))


def _is_wanted(quantity: Quantity, wanted: QuestionScope) -> bool:
    # Parts of other quantities, number words and times of day are no amounts.
    if quantity.is_part or quantity.is_word or quantity.dimension == CLOCK:
        return False
    if wanted is QuestionScope.MONEY:
        return quantity.dimension in MONEY
    return quantity.dimension in PERCENTAGES if wanted is QuestionScope.PERCENTAGES else bool(quantity.dimension)


def _quantity_match(text: str, quantity: Quantity) -> SurveyMatch:
    value: Decimal | str = quantity.value if quantity.value is not None else text[quantity.start : quantity.end]
    return SurveyMatch(quantity.start, quantity.end, (quantity.dimension, value))


def _find_links(text: str) -> Iterator[SurveyMatch]:
    for match in _LINK.finditer(text):
        end = match.end()
        while end > match.start() and _ends_outside(text[match.start() : end]):
            end -= 1
        # Without a dot it is a name, not an address.
        if "." in text[match.start() : end]:
            # With and without the last slash it is the same page.
            yield SurveyMatch(match.start(), end, text[match.start() : end].rstrip("/").casefold())


def _ends_outside(address: str) -> bool:
    """Return whether the last character belongs to the sentence around an address."""
    last = address[-1]
    # A closing bracket belongs to the address only if it was opened in it.
    return last in _BEHIND_LINK or (last in _PAIRS and address.count(last) > address.count(_PAIRS[last] or "\0"))


def mentions_of(words: str) -> re.Pattern[str]:
    """Build a pattern for the words, ignoring case and spacing, perhaps with another ending."""
    parts = [re.escape(part) for part in words.split()]
    joined = r"[\s\u00ad-]+".join(parts)
    if WITHOUT_SPACES.search(words):
        # Without spaces a word may stand anywhere.
        return re.compile(joined, re.IGNORECASE)
    ending = rf"[^\W\d_]{{0,{ENDING}}}" if words[-1:].isalpha() else ""
    return re.compile(rf"(?<!\w){joined}{ending}(?!\w)", re.IGNORECASE)


def _first_row(block: Block) -> str:
    cells = next((row for row in rows_of(block) if any(cell.strip() for cell in row)), [])
    return shorten_text(" · ".join(cell.strip() for cell in cells if cell.strip()), LONGEST_TEXT)


def _sentence_around(block: Block, found: SurveyMatch) -> str:
    """Return the sentence around a match; of a long one only what is near."""
    # A heading is its own sentence.
    if block.kind in (BlockKind.HEADING, BlockKind.TABLE, BlockKind.CAPTION):
        line = block.text[block.text.rfind("\n", 0, found.start) + 1 :].split("\n", 1)[0]
        return shorten_text(" ".join(line.split()), LONGEST_AROUND)
    stretch = stretch_at(block.text, found.start)
    start, end = (stretch.start, stretch.end) if stretch is not None else (0, len(block.text))
    # Half before and half behind, so that the match stays in view.
    half = LONGEST_AROUND // 2
    first, last = max(start, found.start - half), min(end, found.end + half)
    text = " ".join(block.text[first:last].split())
    before = "…" if first > start else ""
    behind = "…" if last < end else ""
    return f"{before}{_whole_words(text, cut_first=bool(before), cut_last=bool(behind))}{behind}"


def _whole_words(text: str, *, cut_first: bool, cut_last: bool) -> str:
    if cut_first and " " in text[:30]:
        text = text.split(" ", 1)[1]
    if cut_last and " " in text[-30:]:
        text = text.rsplit(" ", 1)[0]
    return text


def shorten_text(text: str, most: int) -> str:
    """Shorten to at most `most` characters, cutting at a word."""
    if len(text) <= most:
        return text
    cut = text[:most]
    return f"{(cut.rsplit(' ', 1)[0] if ' ' in cut[-30:] else cut).rstrip(' ,;:')}…"


TOKENS_AN_ENTRY = 24
"""About what a line of an answer takes."""
LONGER = 2
"""A list may be this many times longer than a section's most important points."""


@dataclass(frozen=True)
class SurveyListed:
    """The last event; `overfull` sections have more than could be listed, also when they were asked in halves."""

    summary: Summary
    overfull: int = 0


def list_all(
    documents: Sequence[InputDocument], question: str, engine: Engine, steps: Steps, cancel: CancelToken
) -> Iterator[SummaryEvent | SurveyListed]:
    """Read every block with the model and merge repeated finds.

    Cancelled, it ends with the finds so far. Raises the engine's errors; `steps` then has what was read.
    """
    begun_s = time.monotonic()
    wish = SummaryOptions(form=Form.OWN, instruction=question)
    reading = SectionReading(documents, leaves_apart=False)
    model = wake_model(engine, cancel)
    if model is None:
        yield SurveyListed(
            _make_summary(documents, wish, reading, (), is_partial=True, seconds=time.monotonic() - begun_s)
        )
        return
    work = SummaryWork(
        documents, wish, engine, steps, cancel, model, budgets_of(model), writing_language(documents, wish)
    )
    sections = sections_for(work, question)
    yield Planned(len(sections), sum(section.tokens for section in sections))
    mapping = SectionMapping(work, sections, reading, _SurveyRequest(work, question))
    yield from mapping.run()
    # Repeated finds are merged at the end, when all are known.
    statements = distinct_statements(point for points in mapping.points for point in points)
    summary = _make_summary(
        documents, wish, reading, statements, model=model.path, sections=len(sections), read=mapping.read,
        failed=len(mapping.failed), is_partial=cancel.cancelled, seconds=time.monotonic() - begun_s,
    )  # fmt: skip
    yield SurveyListed(summary, len(mapping.overfull))


def budgets_of(model: ModelLoaded) -> TokenBudgets:
    """Return the budgets for a list, with more room for each section's answer than usual."""
    usual = budgets_for(model)
    # A list is longer than a section's most important points, but may not fill the context.
    return replace(usual, points=min(LONGER * usual.points, usual.context // 6))


def sections_for(work: SummaryWork, question: str) -> list[ReadSection]:
    """Split the documents into sections as large as the model reads well."""
    empty = ReadSection(0, "", (), (), None, 0, 100, 100)
    fixed = work.fixed_tokens(summary_prompts.list_messages(work.documents[0], empty, question))
    return sections_of(work.documents, work.budgets.within_context(fixed).section, work.count_tokens)


class _SurveyRequest:
    """Section request for a list; see `app.features.summarize.condensing.SectionRequest`."""

    def __init__(self, work: SummaryWork, question: str) -> None:
        self._work, self._question = work, question
        # Small models are asked in plain words, the smallest are held to a form all the same.
        self.has_form = not work.budgets.is_small or work.budgets.only_chooses

    def make_ask(self, section: ReadSection, attempt: int, problem: AnswerProblem | None) -> Ask:
        document, budgets = self._work.documents[section.document], self._work.budgets
        if not self.has_form:
            messages = summary_prompts.plain_list_messages(section, self._question)
            return replace(self._work.make_ask(messages, budgets.points_limit, "", attempt), stop_on_repetition=True)
        messages = summary_prompts.list_messages(document, section, self._question, problem=problem)
        rules = answer_grammars.entries_grammar(section.ids, most_entries(budgets))
        return self._work.make_ask(messages, budgets.points_limit, rules, attempt)

    def read_answer(self, section: ReadSection, answer: str) -> list[SummaryPoint]:
        if self.has_form:
            return point_answers.read_points(answer, section.ids)
        cited = self._work.cited_blocks(section.document, section.ids)
        return point_answers.read_list(answer, [(block.block.id, block.block.text) for block in cited])

    def is_all(self, answer: TaskAnswer, points: int) -> bool:
        # Cut off, or as long as the grammar allows: there may be more.
        is_cut = answer.finish in (FinishReason.LENGTH, FinishReason.CONTEXT)
        return not is_cut and points < most_entries(self._work.budgets)


def most_entries(budgets: TokenBudgets) -> int:
    """Return how many entries fit into one answer."""
    return max(4, budgets.points_limit // TOKENS_AN_ENTRY)


def _make_summary(
    documents: Sequence[InputDocument],
    wish: SummaryOptions,
    reading: SectionReading,
    statements: Sequence[Statement],
    *,
    model: str = "",
    sections: int = 0,
    read: int = 0,
    failed: int = 0,
    is_partial: bool,
    seconds: float,
) -> Summary:
    told = tuple(
        SummarizedDocument(input_document.id, input_document.name, input_document.title, input_document.unit, coverage)
        for input_document, coverage in zip(documents, reading.make_coverage(), strict=True)
    )
    unknown = unknown_languages(Path(model), documents, wish) if model else ()
    title = ", ".join(document.title or document.name for document in documents)
    return Summary(
        title, told, tuple(statements), wish, documents[0].language, Path(model).name, sections, read, failed,
        is_partial, seconds, unknown,
    )  # fmt: skip


MOST_LINES = 1_000
MOST_MARKS = 6
"""Pages named per entry; there may be more."""
_NAMES = {
    QuestionScope.DATES: ("date", "dates"),
    QuestionScope.MONEY: ("amount of money", "amounts of money"),
    QuestionScope.PERCENTAGES: ("percentage", "percentages"),
    QuestionScope.NUMBERS: ("number with a unit", "numbers with a unit"),
    QuestionScope.EMAILS: ("email address", "email addresses"),
    QuestionScope.LINKS: ("web address", "web addresses"),
    QuestionScope.HEADINGS: ("heading", "headings"),
    QuestionScope.TABLES: ("table", "tables"),
    QuestionScope.FIGURES: ("figure caption", "figure captions"),
}


@dataclass(frozen=True)
class WrittenAnswer:
    """The answer, and what each of its lines rests on (`SourcePlace` with the stretch of the answer)."""

    text: str
    sources: tuple[SourcePlace, ...] = ()


def write_answer(summary: Summary, scope: WantedScope, *, overfull: int = 0) -> WrittenAnswer:
    """Write the whole answer: the count, the finds with sources, what was read and how.

    `overfull` sections have more than is listed.
    """
    is_short = scope.wanted in FOUND_BY_PROGRAM and scope.wanted not in (QuestionScope.HEADINGS, QuestionScope.MENTIONS)
    lines = _GrowingLines(
        [
            (summarized_document.id, summarized_document.name, summarized_document.unit)
            for summarized_document in summary.documents
        ],
        is_short=is_short,
    )
    lines.add_paragraph(_count_words(summary, scope))
    # Mentions are listed sentence by sentence, with how often.
    statements = summary.statements if scope.wanted is not QuestionScope.MENTIONS else _each_place(summary.statements)
    shown = statements[:MOST_LINES]
    for document, iterator in groupby(shown, lambda one: one.anchors[0].document if one.anchors else 0):
        lines.add_list(document, list(iterator), is_tree=scope.wanted is QuestionScope.HEADINGS)
    # Counted, not shown: the answer is a message in a chat.
    if len(shown) < len(statements):
        lines.add_paragraph(f"And {len(statements) - len(shown):,} more.")
    lines.add_paragraph(f"*{escape_markdown(how_words(summary, scope, overfull))}*")
    return WrittenAnswer(lines.text, tuple(lines.sources))


def _each_place(statements: Sequence[Statement]) -> list[Statement]:
    """Return one statement for each sentence with the words, with the number of times."""
    anchors = sorted(
        (a for statement in statements for a in statement.anchors), key=lambda a: (a.document, a.block_id, a.start)
    )
    lines = []
    for (_, _, text), iterator in groupby(anchors, lambda a: (a.document, a.block_id, a.text)):
        places = list(iterator)
        lines.append(Statement(text if len(places) == 1 else f"{text} ({_count_times(len(places))})", (places[0],)))
    return lines


def lines_of(event: SectionRead, documents: Sequence[InputDocument]) -> str:
    """Format one section's finds as they arrive; repetitions are merged at the end."""
    lines = _GrowingLines([(document.id, document.name, document.unit) for document in documents], is_short=False)
    for point in event.points:
        lines.add_line(point)
    return lines.text


class _GrowingLines:
    """Markdown answer being built, with its sources."""

    def __init__(self, documents: Sequence[tuple[int, str, str]], *, is_short: bool) -> None:
        self._documents, self._is_short = documents, is_short
        self.text = ""
        self.sources: list[SourcePlace] = []

    def add_paragraph(self, paragraph: str) -> None:
        if paragraph:
            self.text += f"\n\n{paragraph}" if self.text else paragraph

    def add_list(self, document: int, statements: Sequence[Statement], *, is_tree: bool) -> None:
        """Add one document's finds, under its name if there are several documents."""
        if len(self._documents) > 1:
            self.add_paragraph(f"**{escape_markdown(plain_line(self._documents[document][1]))}**")
        self.text += "\n\n" if self.text else ""
        # The document's own highest level is the list's first.
        highest = min(statement.paragraph for statement in statements)
        for statement in statements:
            self.add_line(statement, statement.paragraph - highest if is_tree else 0)
        self.text = self.text.rstrip("\n")

    def add_line(self, statement: Statement, level: int = 0) -> None:
        """Add one find with its pages, and with its sentence unless it is one."""
        text = escape_markdown(plain_line(statement.text))
        self.text += f"{'  ' * level}- "
        begin = len(self.text)
        self.text += f"**{text}**" if self._is_short else text
        end = len(self.text)
        marks = "".join(f" {mark}" for mark in self._place_marks(statement.anchors, begin, end))
        around = statement.anchors[0].text if statement.anchors and self._is_short else ""
        self.text += marks
        # A find that is its own sentence isn't told twice.
        if len(plain_line(around)) > len(plain_line(statement.text)) + 3:
            self.text += f" {escape_markdown(plain_line(around))}"
        if not statement.check.found:
            self.text += f" *({escape_markdown(check_words(statement.check, ''))})*"
        self.text += "\n"

    def _place_marks(self, anchors: Sequence[ClaimAnchor], begin: int, end: int) -> Iterator[str]:
        seen: set[str] = set()
        more = 0
        for anchor in anchors:
            number, _, unit = self._documents[anchor.document]
            mark = place_mark(unit, anchor)
            if mark in seen:
                continue
            # More pages than anyone reads; they are counted.
            seen.add(mark)
            if len(seen) > MOST_MARKS:
                more += 1
                continue
            yield mark
            page = anchor.page if unit else None
            self.sources.append(
                SourcePlace(begin, end, number, anchor.block_id, anchor.start, anchor.end, page, is_named=True)
            )
        if more:
            yield f"and {more:,} more"


def place_mark(unit: str, anchor: ClaimAnchor) -> str:
    """Format a source as "[p. 3]"; without pages, by paragraph: "[¶ 12]"."""
    if unit and anchor.page is not None:
        return f"[{PAGE_MARKS.get(unit, unit)} {anchor.page}]"
    return f"[¶ {anchor.block_id}]"


def _count_words(summary: Summary, scope: WantedScope) -> str:
    """Format the count of finds, in bold."""
    if scope.wanted is QuestionScope.ABOUT:
        return ""
    if scope.wanted is QuestionScope.PAGES:
        told = (
            f"{plain_line(document.name)}: {count_units(document.unit, document.coverage.pages)}"
            if document.unit and document.coverage.pages
            else f"{plain_line(document.name)}: {document.coverage.blocks:,} paragraphs, without pages"
            for document in summary.documents
        )
        return f"**{escape_markdown('; '.join(told))}**"
    places = sum(len(statement.anchors) for statement in summary.statements)
    if scope.wanted is QuestionScope.MENTIONS:
        forms = "; ".join(
            f"“{plain_line(statement.text)}” {_count_times(len(statement.anchors))}" for statement in summary.statements
        )
        return (
            f"**{escape_markdown(forms)}**"
            if forms
            else f"**“{escape_markdown(plain_line(scope.words))}” doesn’t appear.**"
        )
    one, many = _NAMES.get(scope.wanted, ("", ""))
    count = len(summary.statements)
    # Stopped with nothing so far isn't "none found".
    if not count and summary.is_partial:
        return ""
    if not count:
        return f"**No {many} found.**" if many else "**Nothing found.**"
    counted = f"{count:,} {(one if count == 1 else many) or 'found'}"
    return f"**{counted}, in {places:,} places**" if places > count else f"**{counted}**"


def _count_times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def how_words(summary: Summary, scope: WantedScope, overfull: int = 0) -> str:
    """Describe in sentences what was read, where something was found, by whom, and what is missing."""
    said = [f"{coverage_words(summary)}."]
    pages = {
        (anchor.document, anchor.page)
        for statement in summary.statements
        for anchor in statement.anchors
        if anchor.page is not None
    }
    is_found = bool(summary.statements) and scope.wanted is not QuestionScope.ABOUT
    if is_found and pages:
        unit = summary.documents[0].unit
        said[0] = f"{said[0][:-1]}; found on {count_units(unit, len(pages))}."
    if summary.is_partial and summary.method is Method.MODEL:
        counted = f"{summary.sections_read:,} of {summary.sections:,}"
        said.append(f"Stopped before the end: {counted} sections read, counted by {APP_NAME}.")
    elif summary.method is Method.MODEL and summary.sections > 1:
        said.append(f"The model read everything in {summary.sections:,} sections; {APP_NAME} counted.")
    elif summary.method is Method.MODEL:
        said.append(f"The model read everything; {APP_NAME} counted.")
    else:
        said.append(
            DIGEST_WORDS
            if scope.wanted is QuestionScope.ABOUT
            else f"Found and counted by {APP_NAME}, without a model."
        )
    if overfull:
        counted = "1 section has" if overfull == 1 else f"{overfull:,} sections have"
        said.append(f"{counted} more than could be listed.")
    if summary.is_partial and summary.method is not Method.MODEL:
        said.append("Stopped before the end.")
    return " ".join(said)


WISH = SummaryOptions(Length.MEDIUM, Form.BULLETS)
"""For questions about what a document says in general."""
LIST_WISH = SummaryOptions(form=Form.OWN)
"""A wish that no extract can fulfil, so the model is used."""
ANSWERED_SHARE = 0.4
"""Share of a section's token limit that is typically used."""


SurveyEvent = AnswerStarted | SurveyProgress | TextDelta


class DocumentSurveys:
    """Surveys of one chat's documents; from any thread.

    Owns no thread and no table. Finished sections are remembered while the program runs, so that a stopped answer
    resumes.
    """

    def __init__(self, chat: AnswerService, engine: Engine, database: Database) -> None:
        self._chat, self._engine = chat, engine
        self._speeds = MeasuredSpeeds(KIND, JobTable(database), seconds="worked_s")
        self._steps, self._steps_of = MemorySteps(), 0
        self._estimates: dict[tuple[str, tuple[int, ...]], QueryOffer] = {}

    def find_offers(self, conversation_id: int | None, text: str, cancel: CancelToken) -> Iterator[QueryOffer]:
        """Offer surveys for a question about whole documents of which the model sees only passages.

        None if it isn't one. An offer that needs the model is yielded again with its estimate.
        """
        scope = scope_of(text)
        # Only for documents of which the model is shown passages; the others it sees whole.
        ids = self._chat.looks.documents_beyond_context(conversation_id) if scope is not None else []
        offer = self._make_offer(scope, ids) if scope is not None and ids else None
        if offer is None or cancel.cancelled:
            return
        yield offer
        loaded = self._engine.loaded
        if offer.is_by_model and loaded is not None:
            yield from self._estimate_offer(offer, loaded, cancel)

    def _make_offer(self, scope: WantedScope, ids: Sequence[int]) -> QueryOffer | None:
        is_by_model = self._is_by_model(scope)
        # A list needs a model; without a useful one nothing is offered.
        if not is_by_model and scope.wanted is QuestionScope.LIST:
            return None
        return QueryOffer(scope, tuple(ids), is_by_model)

    def _is_by_model(self, scope: WantedScope) -> bool:
        """Return whether the model is needed. The smallest models invent more than they find, as in summaries."""
        loaded, wish = self._engine.loaded, WISH if scope.wanted is QuestionScope.ABOUT else LIST_WISH
        # The smallest models invent more than they find, as in summaries.
        if loaded is None or method_for(wish, weights_of(loaded)) is Method.DIGEST:
            return False
        return scope.wanted not in FOUND_BY_PROGRAM or (scope.is_narrowed and scope.wanted is not QuestionScope.PAGES)

    def _estimate_offer(self, offer: QueryOffer, loaded: ModelLoaded, cancel: CancelToken) -> Iterator[QueryOffer]:
        key = (f"{loaded.path} {loaded.context_tokens}", offer.document_ids)
        if key not in self._estimates:
            documents = inputs_of(self._chat.documents, offer.document_ids)
            planned = plan_reading(documents, WISH, self._engine, cancel)
            # Cancelled: the question was changed meanwhile.
            if planned is None:
                return
            sections = max(1, len(planned.sections))
            seconds = self._estimate_seconds(loaded, planned.tokens, sections, cancel)
            if cancel.cancelled:
                return
            self._estimates[key] = replace(offer, tokens=planned.tokens, sections=sections, seconds=seconds)
        known = self._estimates[key]
        yield replace(offer, tokens=known.tokens, sections=known.sections, seconds=known.seconds)
        if known.seconds is None:  # somebody else was being answered, say
            del self._estimates[key]

    def _estimate_seconds(self, loaded: ModelLoaded, tokens: int, sections: int, cancel: CancelToken) -> float | None:
        model = model_file(loaded)
        earlier = self._speeds.earlier_speed(model)
        if earlier is not None:
            return tokens / earlier
        speed = self._speeds.probe_speed(model, self._engine, cancel)
        if speed is None:
            return None
        # Each section is read once and answered once.
        return tokens / speed.reading + sections * budgets_for(loaded).points * ANSWERED_SHARE / speed.writing

    def answer(self, question_id: int, cancel: CancelToken) -> Iterator[SurveyEvent]:
        """Answer a stored question from all its documents, as a new version if it has answers.

        Cancelled, the finds so far are stored.
        """
        question = self._stored_message(question_id)
        conversations = self._chat.conversations
        answer = conversations.add_message(
            question.conversation_id, question_id, Role.ASSISTANT, "", state=MessageState.WRITING
        )
        # A continued answer's text is shown already; it is replaced at the end.
        yield from self._write_answer(answer, question, cancel, shows=True)

    def continue_answer(self, answer_id: int, cancel: CancelToken) -> Iterator[SurveyEvent]:
        """Resume a stopped answer; its text is rewritten once complete."""
        answer = self._stored_message(answer_id)
        assert answer.parent_id is not None
        self._chat.conversations.finish_message(answer.id, answer.text, MessageState.WRITING)
        yield from self._write_answer(answer, self._stored_message(answer.parent_id), cancel, shows=False)

    def _write_answer(
        self, answer: StoredMessage, question: StoredMessage, cancel: CancelToken, *, shows: bool
    ) -> Iterator[SurveyEvent]:
        conversations, scope = self._chat.conversations, scope_of(question.text) or WantedScope(QuestionScope.LIST)
        draft = AnswerDraft(conversations, answer.id, answer.text)
        listed, is_empty = None, True
        try:
            yield AnswerStarted(draft)
            # Marked at once, so that an answer cut off by a crash is known as one that can go on.
            conversations.set_sources(answer.id, [made_to_fields(SurveyCoverage())])
            documents = inputs_of(self._chat.documents, self._chat.looks.documents_of(question.id))
            for event in self._survey_documents(documents, question, scope, cancel):
                if isinstance(event, SurveyListed):
                    listed = event
                elif isinstance(event, SurveyProgress):
                    yield event
                elif shows and (text := lines_of(event, documents)):
                    draft.append(TextDelta(text))
                    yield TextDelta(text)
                    is_empty = False
            assert listed is not None
            self._keep_draft(draft, answer.id, listed, scope)
            # Nothing came along the way, so all of it comes now.
            if is_empty and shows:
                yield TextDelta(draft.text)
        except AppError:
            # Text that is there stays as an interrupted answer.
            draft.give_up(MessageState.INTERRUPTED if draft.text else MessageState.FAILED)
            raise
        finally:
            # Also when the generator is closed; after the end it does nothing.
            draft.give_up(MessageState.INTERRUPTED)

    def _survey_documents(
        self, documents: Sequence[InputDocument], question: StoredMessage, scope: WantedScope, cancel: CancelToken
    ) -> Iterator[SurveyListed | SurveyProgress | SectionRead]:
        """Survey the documents; the last event is the result.

        Sections are yielded only if each of their points is a line of it.
        """
        # Which way to take depends on the model, so it is woken first.
        if self._engine.loaded is None and scope.wanted not in FOUND_BY_PROGRAM:
            wake_model(self._engine, cancel)
        if not self._is_by_model(scope) and scope.wanted is not QuestionScope.LIST:
            if scope.wanted is QuestionScope.ABOUT:
                yield SurveyListed(digest_summary(documents, WISH, lambda: cancel.cancelled))
            else:
                yield SurveyListed(find_all(documents, scope, lambda: cancel.cancelled))
            return
        loaded = self._engine.loaded
        self._chat.documents.let_out(self._chat.looks.documents_of(question.id), loaded)
        pace = SummaryPace(None, loaded.sequences if loaded is not None else 1)
        progress = SurveyProgress(0, 0, None)
        for event in self._read_documents(scope, question, documents, cancel):
            if isinstance(event, Summarized | SurveyListed):
                yield event if isinstance(event, SurveyListed) else SurveyListed(event.summary)
                return
            pace.take_event(event)
            if isinstance(event, SectionRead) and scope.wanted is not QuestionScope.ABOUT:
                yield event
            progress = _update_progress(progress, event, pace.seconds_left())
            yield progress

    def _read_documents(
        self, scope: WantedScope, question: StoredMessage, documents: Sequence[InputDocument], cancel: CancelToken
    ) -> Iterator[SummaryEvent | SurveyListed]:
        # Sections of another question say nothing here.
        if question.id != self._steps_of:
            self._steps, self._steps_of = MemorySteps(), question.id
        if scope.wanted is QuestionScope.ABOUT:
            return summarize_documents(documents, WISH, self._engine, self._steps, cancel)
        return list_all(documents, question.text, self._engine, self._steps, cancel)

    def _keep_draft(self, draft: AnswerDraft, answer_id: int, listed: SurveyListed, scope: WantedScope) -> None:
        summary, result = listed.summary, write_answer(listed.summary, scope, overfull=listed.overfull)
        # The final text replaces what grew: repetitions are merged only now.
        draft.text = result.text
        draft.finish(MessageState.STOPPED if summary.is_partial else MessageState.COMPLETE)
        made = SurveyCoverage(summary.sections, summary.sections_read, summary.seconds, summary.method is Method.MODEL)
        fields = [made_to_fields(made), *map(source_to_fields, result.sources)]
        self._chat.conversations.set_sources(answer_id, fields)

    def _stored_message(self, message_id: int) -> StoredMessage:
        message = self._chat.conversations.get_message(message_id)
        if message is None:
            raise KeyError(message_id)
        return message


def _update_progress(before: SurveyProgress, event: SummaryEvent, seconds_left: float | None) -> SurveyProgress:
    match event:
        case Planned(sections=sections):
            return SurveyProgress(0, sections, seconds_left)
        case SectionRead(done=done, sections=sections):
            return SurveyProgress(done, sections, seconds_left)
        case TaskRests(reason=reason):
            return replace(before, is_resting=bool(reason))
        case _:
            return replace(before, seconds_left=seconds_left)
