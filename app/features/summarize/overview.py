"""Collect what is known of documents without a model: extract, key terms, and outline.

Key terms are what a text names, measures, dates and defines, ranked by the number of blocks that have them. In
scripts without capitals, recurring runs of words, or of characters without spaces, with different neighbours count as
names (after Frantzi et al., C-value, 2000). Everything is bounded: single occurrences are dropped when there are too
many candidates, and only a few places of each term are stored.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import NamedTuple
from unicodedata import category

from app.documents.blocks import Block, BlockKind
from app.features.document_parts import find_apart_blocks
from app.features.summarize.digest import UNDER_A_HEADING, digest_summary, load_cues
from app.features.summarize.sections import runs_under_headings
from app.features.summarize.summary_result import (
    ClaimAnchor,
    Form,
    InputDocument,
    Length,
    Statement,
    Summary,
    SummaryOptions,
)
from app.language.dates import MONTHS, Date, find_dates
from app.language.language_names import WITHOUT_SPACES
from app.language.numbers import find_measures
from app.language.proper_names import Name, names_of_language
from app.language.scripts import HAN, KANA
from app.language.sentences import split_sentences


class TermKind(StrEnum):
    DEFINED = "defined"
    NAME = "name"
    NUMBER = "number"
    """With its unit or scale."""
    DATE = "date"


MOST_TERMS: Mapping[TermKind, int] = {
    TermKind.DEFINED: 8,
    TermKind.NAME: 12,
    TermKind.NUMBER: 8,
    TermKind.DATE: 6,
}
MOST_SPOTS = 50
"""Places stored per term; more are counted only."""
MOST_CANDIDATES = 10_000
"""Of a kind, while they are counted."""
MOST_HEADINGS = 400
LONG_BLOCKS = 60
"""A document with more blocks is long: its digest is grouped by headings."""
MOST_UNDER_HEADINGS = {Length.SHORT: 15, Length.MEDIUM: 40, Length.LONG: 100}
"""Sentences under all headings together; if that is less than one for each, the best of all are taken."""
FEW_BLOCKS = 40
"""In so short a document a name need not occur twice."""
_TEXTS = frozenset((BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.NOTE, BlockKind.CAPTION))

Cancelled = Callable[[], bool]


class TermSpot(NamedTuple):
    """A place of a term: `start` to `end` in the text of a block."""

    block_id: int
    page: int | None
    start: int
    end: int


@dataclass(frozen=True)
class KeyTerm:
    """A key term with its places, `spots`, alike but for white space; a defined term's first place is its definition.

    `count` may exceed the number of spots. `meaning` is the definition verbatim, "" without one.
    """

    text: str
    kind: TermKind
    spots: tuple[TermSpot, ...]
    count: int
    meaning: str = ""


@dataclass(frozen=True)
class OutlineHeading:
    """A heading of the document; `level` counts from 1."""

    text: str
    level: int
    block_id: int
    page: int | None


@dataclass(frozen=True)
class DocumentOverview:
    """Of one document. `left_out` headings were too many; they are those of the deepest levels."""

    terms: tuple[KeyTerm, ...]
    headings: tuple[OutlineHeading, ...]
    left_out: int = 0


@dataclass(frozen=True)
class FirstLook:
    """Extract of documents as a summary, by section or by document where that helps, and each one's overview."""

    summary: Summary
    overviews: tuple[DocumentOverview, ...]


def first_look(
    documents: Sequence[InputDocument],
    wish: SummaryOptions,
    cancelled: Cancelled = lambda: False,
    progress: Callable[[float], object] = lambda _share: None,
) -> FirstLook | None:
    """Collect everything known before a model is used;

    None when cancelled. Forms that need a model become bullets. `progress` gets the share done, 0 to 1.
    """
    # Sections of a long document, bullets for what sentences can't give: an extract always finds a form.
    form, length = _choose_form(documents, wish)
    watch = _StopWatch(cancelled, progress)
    watch.begin_stage(
        DIGEST_SHARE,
        # The digest looks at each block once and at each sentence twice, once to count and once to score.
        sum(len(input_document.blocks) + 2 * _sentence_count(input_document.blocks) for input_document in documents),
    )
    summary = digest_summary(documents, replace(wish, length=length, form=form, language=""), watch)
    statements = tuple(_group_statements(summary, documents))
    # The wish keeps its own length; a shorter one was only taken under headings.
    summary = replace(summary, statements=statements, wish=replace(summary.wish, length=wish.length))
    overviews = []
    watch.begin_stage(1.0, sum(len(document.blocks) for document in documents))
    for place, document in enumerate(documents):
        if cancelled():
            return None
        told = [anchor for statement in statements for anchor in statement.anchors if anchor.document == place]
        overviews.append(overview_of(document.blocks, document.language, told, watch))
    return None if cancelled() else FirstLook(summary, tuple(overviews))


DIGEST_SHARE = 0.68
TOLD_EVERY = 200
MOST_COUNTED = 300


class _StopWatch:
    """Cancellation check, called per sentence or block, that also reports progress."""

    def __init__(self, cancelled: Cancelled, progress: Callable[[float], object]) -> None:
        self._cancelled, self._progress = cancelled, progress
        self._stage_begin, self._stage_end, self._expected, self._count = 0.0, 0.0, 1, 0

    def begin_stage(self, share: float, expected: int) -> None:
        """Begin a stage that ends at this share of the work; `expected` is about how many checks it makes."""
        self._stage_begin, self._stage_end, self._expected, self._count = self._stage_end, share, max(1, expected), 0

    def __call__(self) -> bool:
        self._count += 1
        if self._count % TOLD_EVERY == 0:
            self._progress(
                self._stage_begin + (self._stage_end - self._stage_begin) * min(1.0, self._count / self._expected)
            )
        return self._cancelled()


def _sentence_count(blocks: Sequence[Block]) -> int:
    """Estimate the number of sentences from a sample of blocks."""
    # Splitting all of a long text only for a progress bar would cost as much as counting it.
    step = max(1, len(blocks) // MOST_COUNTED)
    texts = [block.text for block in blocks[::step] if block.kind in _TEXTS]
    return step * sum(1 for text in texts for _ in split_sentences(text, by_line=False))


def _choose_form(documents: Sequence[InputDocument], wish: SummaryOptions) -> tuple[Form, Length]:
    """Choose sections, each shorter, if a document is long and has a manageable number of them."""
    is_long = any(len(document.blocks) > LONG_BLOCKS for document in documents)
    if is_long or wish.form is Form.SECTIONS:
        groups = sum(len(list(runs_under_headings(input_document.blocks))) for input_document in documents)
        shorter = list(Length)[list(Length).index(wish.length) :: -1]
        # With one heading a document, sections would be the documents themselves.
        for length in shorter if groups > len(documents) else ():
            # The longest length at which all headings together stay readable.
            if groups * UNDER_A_HEADING[length] <= MOST_UNDER_HEADINGS[wish.length]:
                return Form.SECTIONS, length
    return (wish.form if wish.form is Form.PARAGRAPHS else Form.BULLETS), wish.length


def _group_statements(summary: Summary, documents: Sequence[InputDocument]) -> Iterator[Statement]:
    """Yield statements grouped by document if there are several, and by heading if it is long."""
    heading_of = [
        {block.id: heading for heading, run in runs_under_headings(document.blocks) for block in run}
        if len(document.blocks) > LONG_BLOCKS
        else {}
        for document in documents
    ]
    for statement in summary.statements:
        place = statement.anchors[0].document
        group = statement.group or heading_of[place].get(statement.anchors[0].block_id, "")
        if len(documents) > 1:
            name = documents[place].title or documents[place].name
            # A heading may begin with the document's title already.
            group = group if group.startswith(name) else f"{name}: {group}" if group else name
        yield replace(statement, group=group, paragraph=place)


def overview_of(
    blocks: Sequence[Block], language: str = "", told: Sequence[ClaimAnchor] = (), cancelled: Cancelled = lambda: False
) -> DocumentOverview:
    """Return key terms and outline of a document; when cancelled, those found so far.

    `language` is a code. Among equally frequent figures, those in `told` places come first.
    """
    apart = find_apart_blocks(blocks)
    # Contents, indexes and lists of sources would be full of names and pages.
    kept = [block for block in blocks if block.id not in apart]
    headings, left_out = _make_outline(kept)
    texts = [
        block
        for block in kept
        if block.kind in _TEXTS and not any(map(load_cues().not_summed_up.search, block.heading_path))
    ]
    return DocumentOverview(_TermCounter(texts, language, cancelled).choose_terms(told), headings, left_out)


# The outline.


def _make_outline(blocks: Iterable[Block]) -> tuple[tuple[OutlineHeading, ...], int]:
    """Build the outline; if there are too many headings, the deepest levels go first, then the last ones."""
    found = [block for block in blocks if block.kind is BlockKind.HEADING and block.text.strip()]
    deepest = max((max(block.level, 1) for block in found), default=1)
    kept = found
    # Deepest first: an outline without chapters would be none, one without subsections is.
    while len(kept) > MOST_HEADINGS and deepest > 1:
        deepest -= 1
        kept = [block for block in kept if block.level <= deepest] or kept
    kept = kept[:MOST_HEADINGS]
    headings = (OutlineHeading(_one_line(block.text), max(block.level, 1), block.id, block.page) for block in kept)
    return tuple(headings), len(found) - len(kept)


def _one_line(text: str) -> str:
    return " ".join(text.split())


# Key terms.


@dataclass
class _TermCandidate:
    """A term that may be chosen; `last` is the last block that held it."""

    spots: list[TermSpot] = field(default_factory=list)
    count: int = 0
    blocks: int = 0
    last: int = 0
    sure: int = 0
    """Count of certain occurrences: a capital at a sentence's start proves nothing."""
    numbered: int = 0
    """Count of occurrences next to a number: "Table 3" is a place in the text, "3 MB" a unit."""
    meaning: str = ""

    def add_spot(self, spot: TermSpot, *, is_sure: bool = True, is_numbered: bool = False) -> None:
        self.count += 1
        self.sure += is_sure
        self.numbered += is_numbered
        # Blocks come in order, so comparing with the last one counts each block once.
        if spot.block_id != self.last or not self.blocks:
            self.blocks, self.last = self.blocks + 1, spot.block_id
        if len(self.spots) < MOST_SPOTS:
            self.spots.append(spot)

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Sort key, smallest first: in many blocks, often, early."""
        first = self.spots[0]
        return (-self.blocks, -self.count, first.block_id, first.start)


class _TermCounter:
    """Counts the candidates of all kinds in one walk over the texts."""

    def __init__(self, blocks: Sequence[Block], language: str, cancelled: Cancelled) -> None:
        self._blocks, self._language, self._cancelled = blocks, language, cancelled
        self._found: dict[TermKind, dict[str, _TermCandidate]] = {kind: {} for kind in TermKind}
        for block in blocks:
            if cancelled():
                break
            self._find_terms_in(block)

    def choose_terms(self, told: Sequence[ClaimAnchor] = ()) -> tuple[KeyTerm, ...]:
        """Choose at most `MOST_TERMS` of each kind: defined terms, names, numbers, dates."""
        most = MOST_TERMS[TermKind.NAME]
        recurring = list(self._recurring_terms())
        names = [*islice(self._frequent_names(), most // 2 if recurring else most), *recurring][:most]
        # Names and recurring runs share the places; a text in both kinds of script gets some of each.
        defined = list(self._defined_terms())
        meant = {
            text
            for key_term in defined
            for text in (key_term.text, key_term.meaning.removesuffix(f" ({key_term.text})"))
        }
        # A term that is defined is told once, with its meaning.
        names = [name for name in names if name.text not in meant]
        return (*defined, *names, *self._figure_terms(TermKind.NUMBER, told), *self._figure_terms(TermKind.DATE, told))

    def _find_terms_in(self, block: Block) -> None:
        text = block.text
        has_digits = any(map(str.isdigit, text))
        dated = find_dates(text) if has_digits else ()
        for date in dated:
            if _is_whole(date, text[date.start : date.end]):
                self._add_candidate(TermKind.DATE, block, date.start, date.end)
        if has_digits:
            for start, end in find_measures(text):
                is_part = text[start - 1 : start] == "-" and text[start - 2 : start - 1].isalnum()  # "gemma-3-270m"
                # A date has its own kind, and its day and year would come again as numbers.
                if not is_part and not any(date.start < end and start < date.end for date in dated):
                    self._add_candidate(TermKind.NUMBER, block, start, end)
        for start, end, meaning in find_definitions(text):
            # The first definition counts; later ones are uses.
            if not self._add_candidate(TermKind.DEFINED, block, start, end).meaning:
                self._found[TermKind.DEFINED][_one_line(text[start:end])].meaning = meaning
        self._look_for_names(block, dated)

    def _look_for_names(self, block: Block, dated: Sequence[Date]) -> None:
        text = block.text
        found = list(names_of_language(text, self._language))
        # In a title or in capitals throughout, every word looks like a name.
        if _is_titled(text, found, self._language):
            return
        for name in found:
            is_month = len(name.words) == 1 and name.words[0].casefold() in MONTHS
            if is_month or any(date.start < name.end and name.start < date.end for date in dated):
                continue
            beside = _NUMBER_FOLLOWS.match(text, name.end) or _NUMBER_BEFORE.search(text[: name.start][-3:])
            # "Table 3" points at a place; "Apollo 11 Guidance" is longer than a word and remains a name.
            is_numbered = len(name.words) == 1 and bool(beside)
            # At a sentence's start a capital proves nothing, unless there are several.
            is_sure = not name.is_first or len(name.words) > 1 or sum(map(str.isupper, name.words[0])) > 1
            end = name.end - len(_GENITIVE.search(text[name.start : name.end])[0])  # type: ignore[index]
            self._add_candidate(TermKind.NAME, block, name.start, end, is_sure=is_sure, is_numbered=is_numbered)

    def _add_candidate(
        self, kind: TermKind, block: Block, start: int, end: int, *, is_sure: bool = True, is_numbered: bool = False
    ) -> _TermCandidate:
        found = self._found[kind]
        candidate = found.setdefault(_one_line(block.text[start:end]), _TermCandidate())
        candidate.add_spot(TermSpot(block.id, block.page, start, end), is_sure=is_sure, is_numbered=is_numbered)
        if len(found) > MOST_CANDIDATES:
            self._give_up_some(kind)
        return candidate

    def _give_up_some(self, kind: TermKind) -> None:
        """Drop the rarest candidates until there is room again (lossy counting, Manku and Motwani, 2002)."""
        least = 1
        while len(self._found[kind]) > MOST_CANDIDATES // 2:
            self._found[kind] = {
                text: candidate for text, candidate in self._found[kind].items() if candidate.blocks > least
            }
            least += 1

    def _frequent_names(self) -> Iterator[KeyTerm]:
        """Yield the most frequent names first; of "Keiko Tanaka" and "Tanaka" the more frequent one."""
        # In a short document every name may be told once only.
        least = 1 if len(self._blocks) <= FEW_BLOCKS else 2
        taken: list[frozenset[str]] = []
        ranked = sorted(self._found[TermKind.NAME].items(), key=lambda item: item[1].rank)
        for text, candidate in ranked:
            words = frozenset(text.casefold().split())
            # Words that begin sentences are met without a capital elsewhere; units and labels beside numbers.
            is_sure = candidate.sure > candidate.count * LEAST_SURE and candidate.numbered * 2 <= candidate.count
            is_name = is_sure and not _ABBREVIATION.fullmatch(text)
            if is_name and candidate.count >= least and not any(words <= other or other <= words for other in taken):
                taken.append(words)
                yield KeyTerm(text, TermKind.NAME, tuple(candidate.spots), candidate.count)

    def _defined_terms(self) -> Iterator[KeyTerm]:
        """Yield defined terms with their other uses."""
        uses = self._found[TermKind.NAME]
        found: list[tuple[int, KeyTerm]] = []
        for text, candidate in self._found[TermKind.DEFINED].items():
            used = uses.get(text, _TermCandidate())
            # The definition's own place leads, wherever the other uses are.
            spots = dict.fromkeys([candidate.spots[0], *sorted({*candidate.spots, *used.spots})])
            count = max(candidate.count, used.count, len(spots))
            found.append((count, KeyTerm(text, TermKind.DEFINED, tuple(spots)[:MOST_SPOTS], count, candidate.meaning)))
        found.sort(key=lambda pair: (-pair[0], pair[1].spots[0]))
        yield from (term for _, term in found[: MOST_TERMS[TermKind.DEFINED]])

    def _figure_terms(self, kind: TermKind, told: Sequence[ClaimAnchor]) -> list[KeyTerm]:
        where: defaultdict[int, list[ClaimAnchor]] = defaultdict(list)
        for claim_anchor in told:
            where[claim_anchor.block_id].append(claim_anchor)

        def rank(item: tuple[str, _TermCandidate]) -> tuple[int, bool, int, int]:
            one = item[1]
            is_told = any(
                anchor.start <= spot.start < anchor.end for spot in one.spots for anchor in where.get(spot.block_id, ())
            )
            # Of equally frequent figures, those in the digest are told first.
            return (-one.blocks, not is_told, one.spots[0].block_id, one.spots[0].start)

        chosen = sorted(self._found[kind].items(), key=rank)[: MOST_TERMS[kind]]
        return [KeyTerm(text, kind, tuple(candidate.spots), candidate.count) for text, candidate in chosen]

    def _recurring_terms(self) -> Iterator[KeyTerm]:
        """Yield recurring runs of a script without capitals, found in a sample and counted in the whole text."""
        sample = list(_sample_texts(self._blocks))
        # Finding runs takes memory by their length, so a sample decides and the whole text is only searched.
        for text in recurring_runs(sample)[: MOST_TERMS[TermKind.NAME]]:
            candidate = _TermCandidate()
            for block in self._blocks:
                if self._cancelled():
                    return
                for start in _find_places(block.text, text):
                    candidate.add_spot(TermSpot(block.id, block.page, start, start + len(text)))
            if candidate.spots:
                yield KeyTerm(text, TermKind.NAME, tuple(candidate.spots), candidate.count)


_NUMBER_FOLLOWS = re.compile(r"\s?\d")
_NUMBER_BEFORE = re.compile(r"\d\s?$")
_ABBREVIATION = re.compile(r"[^\W\d_](?:\.[^\W\d_])*")
""" "z.B", and a letter alone."""
_GENITIVE = re.compile(r"(?:['’]s)?$")


def _is_whole(date: Date, text: str) -> bool:
    """More than a month alone; in figures alone the year has four of them ("3.2. 10" is a section), and "2 may" go."""
    has_letters = any(map(str.isalpha, text))
    # "2 may" is more often a verb after a number than a date.
    return bool(date.year or date.readings[0][1]) and "may" not in text and (has_letters or bool(_YEAR.search(text)))


_YEAR = re.compile(r"\d{4}")
LEAST_SURE = 0.4
"""Of the times that a name is met; a word that often begins sentences is met elsewhere, too, after a list's number."""
MANY_CAPITALS = 0.45
_SENTENCE_END = re.compile(r"[.!?:;。]\W*$")


def _is_titled(text: str, found: Sequence[Name], language: str) -> bool:
    """Return whether capitals mean nothing here, as in titles and all-caps text."""
    words = len(text.split())
    capitals = sum(len(name.words) for name in found)
    is_line = words < 8 and not _SENTENCE_END.search(text)
    # German writes all nouns with capitals, so many of them mean nothing there.
    return bool(capitals) and (is_line or (language != "de" and words > 3 and capitals / words > MANY_CAPITALS))


# Definitions: "Key Performance Indicator (KPI)", “Deposit” means …, (the “Tenant”).


_QUOTED = r"[\"“„«‹「『‘]\s?(?P<term>[^\"“”„«»‹›「」『』‘’\n]{2,60}?)\s?[\"”“»›」』’]"
_MEANS = (
    r"means|shall mean|refers? to|is defined as|denotes|designates|bedeutet|bezeichnet|meint|ist definiert als|"
    r"désigne|signifie|s['’]entend|significa|se entiende|designa|denomina|entende-se|si intende|indica|betekent|"
    r"wordt verstaan|oznacza|означает|обозначает"
)
_MEANS_EAST_ASIAN = r"とは|是指|指的是|란\s|이란\s"
_QUOTED_MEANS = re.compile(rf"{_QUOTED}(?:\s?,?\s(?:{_MEANS})\b|\s?(?:{_MEANS_EAST_ASIAN})|\s[—–]\s(?:это\s)?)")
_PLAIN_MEANS = re.compile(
    rf"(?:^|(?<=[.;:!?]\s))(?P<term>[^\W\d_](?:[\w'’-]+)(?: [\w'’-]+){{0,3}}) (?:{_MEANS})\b", re.MULTILINE
)
_CALLED = re.compile(rf"\((?:[^():=\"“”„«»]{{0,40}}\s)?{_QUOTED}\)")
_SHORT_FORM = re.compile(r"\((?P<term>[^\W\d_][\w&/.-]{1,9})\)")
_CLAUSE_END = re.compile(r"[.;:!?()\n]")
MOST_MEANING = 160
SHORT_WORD = 3


def find_definitions(text: str) -> Iterator[tuple[int, int, str]]:
    """Find defined terms: start, end, and the words of the definition."""
    taken: set[int] = set()
    for pattern in (_QUOTED_MEANS, _CALLED, _PLAIN_MEANS):
        for match in pattern.finditer(text):
            start, end = match.span("term")
            is_call = pattern is _CALLED
            if start not in taken and (pattern is _QUOTED_MEANS or _may_be_defined(match["term"])):
                # Each term once a text, by the most certain pattern.
                taken.add(start)
                yield start, end, _sentence_before(text, match.end()) if is_call else _sentence_from(text, match)
    for match in _SHORT_FORM.finditer(text):
        start = match.start("term")
        # The letters before the bracket decide, so an aside in brackets is no short form.
        begin = _long_form(text, match.start(), match["term"]) if start not in taken else None
        if begin is not None:
            yield start, match.end("term"), _one_line(text[begin : match.end()])


_PRONOUNS = frozenset(
    """this that it which what he she they we i dies das es was er sie wir ce cela il elle on esto eso lo que isto isso
    questo ciò dit dat это""".split()  # noqa: SIM905
)


def _may_be_defined(term: str) -> bool:
    """Return whether a text can be a defined term: not "This" in "This means", nor quoted speech, which seldom has
    capitals ("Effective Date" has).
    """
    words = term.split()
    is_written_large = all(word[0].isupper() or not word[0].islower() for word in words if len(word) > SHORT_WORD)
    return is_written_large and not term[0].islower() and not _PRONOUNS.intersection(map(str.casefold, words))


def _sentence_from(text: str, match: re.Match[str]) -> str:
    # A full stop inside "2.1" ends no sentence; one before a blank does.
    end = next((sentence_end.end() for sentence_end in re.finditer(r"[.;。](?=\s|$)|\n", text[match.end() :])), None)
    stop = len(text) if end is None else match.end() + end
    return _cut_meaning(text[match.start() : stop])


def _sentence_before(text: str, end: int) -> str:
    begin = max(text.rfind(". ", 0, end), text.rfind("\n", 0, end), end - MOST_MEANING) + 1
    return _one_line(text[max(0, begin) : end])


def _cut_meaning(text: str) -> str:
    text = _one_line(text)
    return text if len(text) <= MOST_MEANING else text[: MOST_MEANING - 1].rstrip() + "…"


def _long_form(text: str, end: int, short: str) -> int | None:
    """Find the start of the long form that an abbreviation in brackets stands for (Schwartz and Hearst, 2003);

    None without one.
    """
    letters = [letter for letter in short.casefold() if letter.isalnum()]
    if len(letters) < 2 or not any(map(str.isupper, short)):
        return None
    # The long form stands right before its bracket, within a few words for each letter.
    near = max(0, end - 14 * (len(letters) + 3))
    near = max([near, *(match.end() + near for match in _CLAUSE_END.finditer(text[near:end]))])
    # Not across a sentence's end or another bracket.
    before = text[near:end].casefold()
    at = len(before) if near + len(before) == end else 0  # a few letters are longer when folded
    for place, letter in reversed(list(enumerate(letters))):
        at = before.rfind(letter, 0, at)
        while place == 0 and at > 0 and before[at - 1].isalnum():  # the first one begins a word
            at = before.rfind(letter, 0, at)
        if at < 0:
            return None
    words = len(before[at:].split())
    # Scattered letters can be found in any sentence, so the number of words is bounded, too.
    return near + at if 1 < words <= min(len(letters) + 5, 2 * len(letters)) else None


# What recurs in scripts without capitals.


MOST_SAMPLED = 200_000
LEAST_TIMES = 3
LONGEST_RUN = 3
"""Words."""
LONGEST_CHARACTERS = 8
GLUE_SHARE = 0.12
"""A word in more of the blocks than this holds sentences together and names nothing."""
LEAST_LETTERS = 4
MANY_NEIGHBOURS = 2
_CASELESS_WORD = re.compile(r"[\u0590-\u08ff\u0900-\u0dff\u10d0-\u10ff\u1200-\u137f\uac00-\ud7af\ufb1d-\ufdff]{2,}")
_CHARACTERS = re.compile(rf"{WITHOUT_SPACES.pattern}")
_HELPING = frozenset("的了是在和与與及或也就都而其对對于於从從以这這那有不为為被把之所等个個们們到上中下并並但")
_EAST_ASIAN = re.compile(rf"[{HAN}{KANA}]")
_HIRAGANA = re.compile(r"[\u3040-\u309f]")


def _sample_texts(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield every n-th text, so that they total at most `MOST_SAMPLED` characters."""
    # Every n-th, not the first ones: terms may come only late.
    step = max(1, -(-sum(len(block.text) for block in blocks) // MOST_SAMPLED))
    for block in blocks[::step]:
        yield block.text


def recurring_runs(texts: Sequence[str]) -> list[str]:
    """Return recurring runs of words and characters in scripts without capitals, most informative first."""
    counted = _word_runs(texts) + _character_runs(texts)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    chosen: list[str] = []
    for run, _ in ranked:
        if len(chosen) == MOST_TERMS[TermKind.NAME]:
            break
        # A run inside a chosen one, or around it, would say the same again.
        if not any(run in text or text in run for text in chosen):
            chosen.append(run)
    return chosen


def _word_runs(texts: Sequence[str]) -> Counter[str]:
    """Score runs of words. Words found in many texts separate runs."""
    in_texts: Counter[str] = Counter()
    for text in texts:
        in_texts.update(set(_CASELESS_WORD.findall(text)))
    # Function words separate runs; in few texts a frequent word may be the very subject.
    glue = {word for word, count in in_texts.items() if len(texts) >= FEW_BLOCKS and count > GLUE_SHARE * len(texts)}
    counts: Counter[str] = Counter()
    for text in texts:
        run: list[re.Match[str]] = []
        for match in _CASELESS_WORD.finditer(text):
            is_next = bool(run) and text[run[-1].end() : match.start()] == " "
            run = [*run[-(LONGEST_RUN - 1) :], match] if is_next else [match]
            if match[0] in glue:
                run = []
            for size in range(1, len(run) + 1):
                counts[text[run[-size].start() : match.end()]] += 1
    least = LEAST_TIMES if len(texts) > FEW_BLOCKS else 2
    worth = {
        # A longer run says more: its count is weighed by its words.
        run: count * (1 + run.count(" "))
        for run, count in counts.items()
        if count >= least and len(run) >= LEAST_LETTERS
    }
    return Counter(worth)


def _character_runs(texts: Sequence[str]) -> Counter[str]:
    """Score runs of characters without spaces: one with different neighbours on both sides is a word."""
    runs = [_CHARACTERS.findall(text) for text in texts]
    # A part in most of the texts is grammar, not a name; in few texts that can't be told.
    most = GLUE_SHARE * len(texts) if len(texts) >= FEW_BLOCKS else len(texts)
    frequent: dict[str, int] = {}
    before: set[str] = set()
    for size in range(2, LONGEST_CHARACTERS + 1):
        counts: Counter[str] = Counter()
        for mine in runs:
            counts.update({part for run in mine for part in _frequent_parts(run, size, before)})
        # A run can only be frequent if its parts are (Apriori), so each size begins with the last one's survivors.
        before = {part for part, count in counts.items() if count >= LEAST_TIMES}
        frequent |= {part: counts[part] for part in before if counts[part] <= most and _may_name(part)}
    neighbours = _part_neighbours([run for mine in runs for run in mine], frequent.keys())
    worth = {
        part: frequent[part] * (len(part) - 1)
        for part, (left, right) in neighbours.items()
        # With one neighbour on a side it is a part of a longer word.
        if min(len(left), len(right)) == MANY_NEIGHBOURS
    }
    return Counter(worth)


def _frequent_parts(run: str, size: int, before: Set[str]) -> Iterator[str]:
    """Yield the parts of a run that can be frequent because their own parts are."""
    for at in range(len(run) - size + 1):
        part = run[at : at + size]
        if size == 2 or (part[:-1] in before and part[1:] in before):
            yield part


def _may_name(part: str) -> bool:
    if not _EAST_ASIAN.match(part):
        return len(part) > LEAST_LETTERS and not category(part[0]).startswith("M")
    # Hiragana is grammar, and a particle at an end belongs to the sentence.
    return not _HIRAGANA.search(part) and not _HELPING.intersection((part[0], part[-1]))


def _part_neighbours(runs: Sequence[str], parts: Set[str]) -> dict[str, tuple[set[str], set[str]]]:
    """Collect the characters before and after each part; the end of a run counts as one."""
    found: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    sizes = sorted({len(part) for part in parts})
    for run in runs:
        for at in range(len(run)):
            for size in sizes:
                part = run[at : at + size]
                if len(part) == size and part in parts:
                    left, right = found[part]
                    # Two different ones are enough, so no more are held.
                    if len(left) < MANY_NEIGHBOURS:
                        left.add(run[at - 1] if at else f"^{len(left)}")
                    if len(right) < MANY_NEIGHBOURS:
                        right.add(run[at + size] if at + size < len(run) else f"${len(right)}")
    return found


def _find_places(text: str, wanted: str) -> Iterator[int]:
    """Find a text's positions; a word isn't found inside another."""
    at = text.find(wanted)
    is_word = not _CHARACTERS.match(wanted)
    while at >= 0:
        end = at + len(wanted)
        if not is_word or not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            yield at
        at = text.find(wanted, end)
