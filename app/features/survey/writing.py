"""An answer from a whole document as it is kept in a chat: Markdown with the pages of each thing, and their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.documents.blocks import PAGE_MARKS
from app.features.chat.documents import Source
from app.features.messages import units
from app.features.summary.export import escaped
from app.features.summary.laid_out import plain
from app.features.summary.messages import DIGEST_WORDS, check_words, coverage_words
from app.features.summary.result import Anchor, InputDocument, Method, SectionRead, Statement, Summary
from app.features.survey.findings import FOUND_BY_PROGRAM
from app.features.survey.wanted import Scope, Wanted

MOST_LINES = 1_000
MOST_MARKS = 6
"""Pages named beside one thing; there may be more."""
_NAMES = {
    Wanted.DATES: ("date", "dates"),
    Wanted.MONEY: ("amount of money", "amounts of money"),
    Wanted.PERCENTAGES: ("percentage", "percentages"),
    Wanted.NUMBERS: ("number with a unit", "numbers with a unit"),
    Wanted.EMAILS: ("e-mail address", "e-mail addresses"),
    Wanted.LINKS: ("web address", "web addresses"),
    Wanted.HEADINGS: ("heading", "headings"),
    Wanted.TABLES: ("table", "tables"),
    Wanted.FIGURES: ("caption of a figure", "captions of figures"),
}


@dataclass(frozen=True)
class Written:
    """The answer, and what each of its lines rests on (`Source` with the stretch of the answer)."""

    text: str
    sources: tuple[Source, ...] = ()


def written(summary: Summary, scope: Scope, *, overfull: int = 0) -> Written:
    """The whole answer: how many, each with its places, what was read and how.

    `overfull` sections have more than is listed.
    """
    is_short = scope.wanted in FOUND_BY_PROGRAM and scope.wanted not in (Wanted.HEADINGS, Wanted.MENTIONS)
    lines = _Lines([(one.id, one.name, one.unit) for one in summary.documents], is_short=is_short)
    lines.add(_count_words(summary, scope))
    statements = summary.statements if scope.wanted is not Wanted.MENTIONS else _each_place(summary.statements)
    shown = statements[:MOST_LINES]
    for document, each in groupby(shown, lambda one: one.anchors[0].document if one.anchors else 0):
        lines.add_list(document, list(each), is_tree=scope.wanted is Wanted.HEADINGS)
    if len(shown) < len(statements):
        lines.add(f"And {len(statements) - len(shown):,} more.")
    lines.add(f"*{escaped(how_words(summary, scope, overfull))}*")
    return Written(lines.text, tuple(lines.sources))


def _each_place(statements: Sequence[Statement]) -> list[Statement]:
    """A line for each sentence that has the words, with how often."""
    anchors = sorted((a for one in statements for a in one.anchors), key=lambda a: (a.document, a.block_id, a.start))
    lines = []
    for (_, _, text), each in groupby(anchors, lambda a: (a.document, a.block_id, a.text)):
        places = list(each)
        lines.append(Statement(text if len(places) == 1 else f"{text} ({_times(len(places))})", (places[0],)))
    return lines


def lines_of(event: SectionRead, documents: Sequence[InputDocument]) -> str:
    """What one section has, as it comes; what is said again elsewhere is joined once all is read."""
    lines = _Lines([(one.id, one.name, one.unit) for one in documents], is_short=False)
    for one in event.points:
        lines.add_line(one)
    return lines.text


class _Lines:
    """Markdown as it grows, with the places of what it says."""

    def __init__(self, documents: Sequence[tuple[int, str, str]], *, is_short: bool) -> None:
        self._documents, self._is_short = documents, is_short
        self.text = ""
        self.sources: list[Source] = []

    def add(self, paragraph: str) -> None:
        """A paragraph of its own."""
        if paragraph:
            self.text += f"\n\n{paragraph}" if self.text else paragraph

    def add_list(self, document: int, statements: Sequence[Statement], *, is_tree: bool) -> None:
        """What stands in one document, under its name where there are several."""
        if len(self._documents) > 1:
            self.add(f"**{escaped(plain(self._documents[document][1]))}**")
        self.text += "\n\n" if self.text else ""
        highest = min(one.paragraph for one in statements)
        for one in statements:
            self.add_line(one, one.paragraph - highest if is_tree else 0)
        self.text = self.text.rstrip("\n")

    def add_line(self, one: Statement, level: int = 0) -> None:
        """One thing, its pages, and the sentence it stands in where it is not a sentence itself."""
        text = escaped(plain(one.text))
        self.text += f"{'  ' * level}- "
        begin = len(self.text)
        self.text += f"**{text}**" if self._is_short else text
        end = len(self.text)
        marks = "".join(f" {mark}" for mark in self._marks(one.anchors, begin, end))
        around = one.anchors[0].text if one.anchors and self._is_short else ""
        self.text += marks
        if len(plain(around)) > len(plain(one.text)) + 3:
            self.text += f" {escaped(plain(around))}"
        if not one.check.found:
            self.text += f" *({escaped(check_words(one.check, ''))})*"
        self.text += "\n"

    def _marks(self, anchors: Sequence[Anchor], begin: int, end: int) -> Iterator[str]:
        seen: set[str] = set()
        more = 0
        for anchor in anchors:
            number, _, unit = self._documents[anchor.document]
            mark = place_mark(unit, anchor)
            if mark in seen:
                continue
            seen.add(mark)
            if len(seen) > MOST_MARKS:
                more += 1
                continue
            yield mark
            page = anchor.page if unit else None
            self.sources.append(
                Source(begin, end, number, anchor.block_id, anchor.start, anchor.end, page, is_named=True)
            )
        if more:
            yield f"and {more:,} more"


def place_mark(unit: str, anchor: Anchor) -> str:
    """Such as "[p. 3]"; where a document has no pages, the number of its paragraph: "[¶ 12]"."""
    if unit and anchor.page is not None:
        return f"[{PAGE_MARKS.get(unit, unit)} {anchor.page}]"
    return f"[¶ {anchor.block_id}]"


def _count_words(summary: Summary, scope: Scope) -> str:
    """How many there are, in bold."""
    if scope.wanted is Wanted.ABOUT:
        return ""
    if scope.wanted is Wanted.PAGES:
        told = (
            f"{plain(one.name)}: {units(one.unit, one.coverage.pages)}"
            if one.unit and one.coverage.pages
            else f"{plain(one.name)}: {one.coverage.blocks:,} paragraphs, without pages"
            for one in summary.documents
        )
        return f"**{escaped('; '.join(told))}**"
    places = sum(len(one.anchors) for one in summary.statements)
    if scope.wanted is Wanted.MENTIONS:
        forms = "; ".join(f"“{plain(one.text)}” {_times(len(one.anchors))}" for one in summary.statements)
        return f"**{escaped(forms)}**" if forms else f"**“{escaped(plain(scope.words))}” does not occur.**"
    one, many = _NAMES.get(scope.wanted, ("", ""))
    count = len(summary.statements)
    if not count and summary.is_partial:
        return ""
    if not count:
        return f"**{f'No {one}' if one else 'Nothing of the kind'} was found.**"
    counted = f"{count:,} {(one if count == 1 else many) or 'found'}"
    return f"**{counted}, in {places:,} places**" if places > count else f"**{counted}**"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def how_words(summary: Summary, scope: Scope, overfull: int = 0) -> str:
    """What was read, where something was found, who looked, and what is missing: sentences."""
    said = [f"{coverage_words(summary)}."]
    pages = {(one.document, one.page) for each in summary.statements for one in each.anchors if one.page is not None}
    is_found = bool(summary.statements) and scope.wanted is not Wanted.ABOUT
    if is_found and pages:
        unit = summary.documents[0].unit
        said[0] = f"{said[0][:-1]}; found on {units(unit, len(pages))}."
    if summary.is_partial and summary.method is Method.MODEL:
        counted = f"{summary.sections_read:,} of {summary.sections:,}"
        said.append(f"Stopped before the end: {counted} sections read; counted by the program.")
    elif summary.method is Method.MODEL and summary.sections > 1:
        said.append(f"Read whole, in {summary.sections:,} sections; counted by the program.")
    elif summary.method is Method.MODEL:
        said.append("Read whole; counted by the program.")
    else:
        said.append(
            DIGEST_WORDS if scope.wanted is Wanted.ABOUT else "Found and counted by the program; no model was asked."
        )
    if overfull:
        counted = "1 section has" if overfull == 1 else f"{overfull:,} sections have"
        said.append(f"{counted} more than could be listed.")
    if summary.is_partial and summary.method is not Method.MODEL:
        said.append("Stopped before the end.")
    return " ".join(said)
