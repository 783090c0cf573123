"""Key terms of documents, and what recurs in scripts without capitals."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from enum import StrEnum
from itertools import islice
from typing import NamedTuple
from unicodedata import category

from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import Block
from app.features.summarize.definitions import find_definitions, one_line
from app.features.summarize.summary_result import ClaimAnchor
from app.language.dates import MONTHS, Date, find_dates
from app.language.language_names import WITHOUT_SPACES
from app.language.numbers import find_measures
from app.language.proper_names import Name, names_of_language
from app.language.scripts import HAN, KANA


class TermKind(StrEnum):
    DEFINED = "defined"
    NAME = "name"
    NUMBER = "number"
    """With its unit or scale."""
    DATE = "date"


MOST_TERMS: Mapping[TermKind, int] = {TermKind.DEFINED: 8, TermKind.NAME: 12, TermKind.NUMBER: 8, TermKind.DATE: 6}
MOST_SPOTS = 50
"""Places stored per term; more are counted only."""
MOST_CANDIDATES = 10_000
"""Of a kind, while they are counted."""
FEW_BLOCKS = 40
"""In so short a document a name need not occur twice."""
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


class TermCounter:
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
                self._found[TermKind.DEFINED][one_line(text[start:end])].meaning = meaning
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
        candidate = found.setdefault(one_line(block.text[start:end]), _TermCandidate())
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
