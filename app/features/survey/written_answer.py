"""Writes a survey's answer: the count, the finds with sources, what was read and how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from app import APP_NAME
from app.core.catalogue import CountedTexts, Translatable, tr, tr_count
from app.core.counted_units import count_units
from app.core.joined_texts import end_sentence, join_clauses, join_whole_sentences
from app.core.lazy_dataclasses import dataclass
from app.features.document_frames import page_mark
from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.retrieval.source_places import SourcePlace
from app.features.summarize.export import escape_markdown
from app.features.summarize.laid_out import plain_line
from app.features.summarize.summary_messages import DIGEST_WORDS, check_words, coverage_words
from app.features.summarize.summary_result import ClaimAnchor, InputDocument, Method, SectionRead, Statement, Summary
from app.features.survey.program_finds import FOUND_BY_PROGRAM

MOST_LINES = 1_000
MOST_MARKS = 6
"""Pages named per entry; there may be more."""
_COUNTS: dict[QuestionScope, CountedTexts] = {
    QuestionScope.DATES: ("{count} date", "{count} dates"),
    QuestionScope.MONEY: ("{count} amount of money", "{count} amounts of money"),
    QuestionScope.PERCENTAGES: ("{count} percentage", "{count} percentages"),
    QuestionScope.NUMBERS: ("{count} number with a unit", "{count} numbers with a unit"),
    QuestionScope.EMAILS: ("{count} email address", "{count} email addresses"),
    QuestionScope.LINKS: ("{count} web address", "{count} web addresses"),
    QuestionScope.HEADINGS: ("{count} heading", "{count} headings"),
    QuestionScope.TABLES: ("{count} table", "{count} tables"),
    QuestionScope.FIGURES: ("{count} figure caption", "{count} figure captions"),
}
_NONE: dict[QuestionScope, Translatable] = {
    QuestionScope.DATES: "No dates found.",
    QuestionScope.MONEY: "No amounts of money found.",
    QuestionScope.PERCENTAGES: "No percentages found.",
    QuestionScope.NUMBERS: "No numbers with a unit found.",
    QuestionScope.EMAILS: "No email addresses found.",
    QuestionScope.LINKS: "No web addresses found.",
    QuestionScope.HEADINGS: "No headings found.",
    QuestionScope.TABLES: "No tables found.",
    QuestionScope.FIGURES: "No figure captions found.",
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
        lines.add_paragraph(tr("And {count:,} more.", count=len(statements) - len(shown)))
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
            if (mark := place_mark(unit, anchor)) in seen:
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
            yield tr("and {count:,} more", count=more)


def place_mark(unit: str, anchor: ClaimAnchor) -> str:
    """Format a source as "[p. 3]"; without pages, by paragraph: "[¶ 12]"."""
    if unit and anchor.page is not None:
        return f"[{page_mark(unit, anchor.page)}]"
    return f"[¶ {anchor.block_id}]"


def _count_words(summary: Summary, scope: WantedScope) -> str:
    """Format the count of finds, in bold."""
    if scope.wanted is QuestionScope.ABOUT:
        return ""
    if scope.wanted is QuestionScope.PAGES:
        told = (
            f"{plain_line(document.name)}: {count_units(document.unit, document.coverage.pages)}"
            if document.unit and document.coverage.pages
            else f"{plain_line(document.name)}: {_without_pages(document.coverage.blocks)}"
            for document in summary.documents
        )
        return f"**{escape_markdown(join_clauses(told))}**"
    places = sum(len(statement.anchors) for statement in summary.statements)
    if scope.wanted is QuestionScope.MENTIONS:
        forms = join_clauses(
            tr("“{words}” {times}", words=plain_line(statement.text), times=_count_times(len(statement.anchors)))
            for statement in summary.statements
        )
        return (
            f"**{escape_markdown(forms)}**"
            if forms
            else f"**{escape_markdown(tr('“{words}” doesn’t appear.', words=plain_line(scope.words)))}**"
        )
    # Stopped with nothing so far isn't "none found".
    if not (count := len(summary.statements)) and summary.is_partial:
        return ""
    if not count:
        return f"**{tr(_NONE.get(scope.wanted, 'Nothing found.'))}**"
    counted = tr_count(*_COUNTS.get(scope.wanted, ("{count} found", "{count} found")), count)
    if places > count:
        counted = tr_count("{counted}, in {count} place", "{counted}, in {count} places", places, counted=counted)
    return f"**{counted}**"


def _without_pages(paragraphs: int) -> str:
    return tr_count("{count} paragraph, without pages", "{count} paragraphs, without pages", paragraphs)


def _count_times(count: int) -> str:
    return tr_count("{count} time", "{count} times", count) if count > 1 else tr("once")


_STOPPED: CountedTexts = (
    "Stopped before the end: {read:,} of {count} section read, counted by {app}.",
    "Stopped before the end: {read:,} of {count} sections read, counted by {app}.",
)
_READ_IN_SECTIONS: CountedTexts = (
    "The model read everything in {count} section; {app} counted.",
    "The model read everything in {count} sections; {app} counted.",
)
_OVERFULL: CountedTexts = (
    "{count} section has more than could be listed.",
    "{count} sections have more than could be listed.",
)


def how_words(summary: Summary, scope: WantedScope, overfull: int = 0) -> str:
    """Describe in sentences what was read, where something was found, by whom, and what is missing."""
    coverage = coverage_words(summary)
    pages = {
        (anchor.document, anchor.page)
        for statement in summary.statements
        for anchor in statement.anchors
        if anchor.page is not None
    }
    is_found = bool(summary.statements) and scope.wanted is not QuestionScope.ABOUT
    if is_found and pages:
        unit = summary.documents[0].unit
        coverage = join_clauses([coverage, tr("found on {pages}", pages=count_units(unit, len(pages)))])
    said = [end_sentence(coverage)]
    if summary.is_partial and summary.method is Method.MODEL:
        said.append(tr_count(*_STOPPED, summary.sections, read=summary.sections_read, app=APP_NAME))
    elif summary.method is Method.MODEL and summary.sections > 1:
        said.append(tr_count(*_READ_IN_SECTIONS, summary.sections, app=APP_NAME))
    elif summary.method is Method.MODEL:
        said.append(tr("The model read everything; {app} counted.", app=APP_NAME))
    else:
        by_program = "Found and counted by {app}, without a model."
        said.append(tr(DIGEST_WORDS if scope.wanted is QuestionScope.ABOUT else by_program, app=APP_NAME))
    if overfull:
        said.append(tr_count(*_OVERFULL, overfull))
    if summary.is_partial and summary.method is not Method.MODEL:
        said.append(tr("Stopped before the end."))
    return join_whole_sentences(said)
