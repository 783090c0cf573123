"""The digest of a document: its most telling sentences, word for word, chosen by counting words. No model is asked.

A sentence counts for the cosine between its words and those of the whole document, weighted by how rare they are in
it (the centroid of Radev et al., Centroid-based summarization of multiple documents, 2004), and for the pairs of words
that other sentences have too (the concepts of Gillick and Favre, A scalable global model for summarization, 2009).
Where a section is an abstract or a conclusion, what it says counts all over the document. Then the words of the title,
the place, and words that announce or sum up (Edmundson, New methods in automatic extracting, 1969). What repeats a
sentence already chosen is taken off (maximal marginal relevance, Carbonell and Goldstein, 1998).

The weights are those of a ridge regression on the train part of ACLSum, the abstract, introduction and conclusion of
each paper with and without the abstract: of what a sentence adds to ROUGE-1 and ROUGE-2 of a summary. Those of the
beginning and of these three sections as such (`overall`) were tried on the same papers with all that stands between.
What speaks against a sentence by itself (`_FAULTS`) was found by reading digests of other texts.

Nothing is kept for a sentence but its place and its score, so that memory does not grow with the square of anything.
"""

from __future__ import annotations

import heapq
import json
import math
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple

from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass
from app.core.paths import resource_path
from app.documents.blocks import Block, BlockKind
from app.features.document_parts import find_apart_blocks
from app.features.summarize.method import SENTENCE_FORMS
from app.features.summarize.sections import SectionReading, runs_under_headings, whole_section
from app.features.summarize.summary_result import (
    ClaimAnchor,
    Form,
    InputDocument,
    Length,
    Method,
    Statement,
    SummarizedDocument,
    Summary,
    SummaryOptions,
)
from app.language.language_detection import SMALL_WORDS
from app.language.language_names import WITHOUT_SPACES
from app.language.sentences import CLOSING, ENDS, ENDS_AT_ONCE, split_sentences

STEM = 7
"""Letters of a word that count: endings say little about meaning."""
CANDIDATES = 25
"""For each sentence that is wanted: the best by themselves, among which repetition decides."""
MEASURED = 2000
"""Sentences by which it is known what is much and what is little in a document."""
MOST_PAIRS = 400_000
"""Of words in a row that are counted; of more, those seen least are forgotten."""
BEGINNING, OPENING, FOLLOWING = 0.1, 0.3, 0.15
"""Decay per sentence of the weight of a document's beginning, a section's opening and a conclusion."""
MOST_PAIRED = 3.0
"""Cap of a sentence's score for recurring pairs, in standard deviations: in what is no prose, everything may repeat."""
MANY_WORDS, WORDS_MORE = 30, 20
FEW_WORDS = 6
FEW_PAIRS = 14
"""The same where words are pairs of characters."""
MOST_SIGNS = 0.12
"""Of the characters of a sentence; a text has less, a command line or a table more."""
SMALL_SHARE = 0.05
"""Share of words that are function words in any prose of a language."""
MORE_SMALL_WORDS = 3
"""Excess of function words of another language that marks a sentence as foreign."""
TITLE_WEIGHT = 2.0
REPETITION, REPETITION_OF = 1.316, 3
"""Penalty of repetition, less for more sentences than this: some are then always alike, or the last ones say little."""
WEIGHTS: Mapping[str, float] = {
    "center": 1.0,
    "pairs": 0.148,
    "title": 0.446,
    "abstract": 1.012,
    "conclusion": 0.356,
    "concluded": -0.268,
    "overall": 0.35,
    "beginning": 0.08,
    "opening": 0.035,
    "announces": 0.059,
    "results": 0.062,
    "sums_up": 0.055,
    "cites": -0.179,
    "elsewhere": -0.124,
    "digits": -1.6,
    "length": -0.226,
    "long": -0.335,
}
_FAULTS: Mapping[str, float] = {
    "fragment": -1.0, "foreign": -0.5, "signs": -0.4, "asks": -0.3, "rights": -0.3, "spoken": -0.15, "aside": -0.15,
    "example": -0.1, "refers_back": -0.1,
}  # fmt: skip

_WORD = re.compile(r"[^\W\d_]+")
_CITES = re.compile(r"\bet al\b|\(\w+[^()]*\d{4}[a-z]?\)|\[\d+\]")
_FORMULA = re.compile(r"[=<>∈∑]")
_SIGN = re.compile(r"[^\w\s.,;:!?'’“”„«»()、。，；：！？「」『』（）—–-]|_")
_SPOKEN = re.compile(r"[\"'`‘“„«»「『—–]")
_PAIRED = (("(", ")"), ("[", "]"), ("“", "”"), ("«", "»"), ("「", "」"), ("『", "』"), ("（", "）"))
_DIGIT = re.compile(r"\d")
_SPELT = re.compile(r"(?:\b\w\b\W+){6}")
"""Letters spelled one by one, as non-text comes out of a file."""
_ENDED = re.compile(rf"[{ENDS}{ENDS_AT_ONCE}][{CLOSING}」』）》】]*$")


SENTENCES = {Length.SHORT: 3, Length.MEDIUM: 8, Length.LONG: 16}
"""Of a whole summary; a summary by section has a part of it under each heading."""
UNDER_A_HEADING = {Length.SHORT: 1, Length.MEDIUM: 2, Length.LONG: 4}
FORMS = SENTENCE_FORMS


class DigestSentence(NamedTuple):
    """A chosen sentence: `start` to `end` in a block's text, and its score."""

    block_id: int
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class _DigestSentence:
    """A sentence being scored; `number` counts from 0 in the document, `place` in its section."""

    block: Block
    start: int
    end: int
    number: int
    place: int

    @property
    def text(self) -> str:
        return self.block.text[self.start : self.end]


def digest_summary(
    documents: Sequence[InputDocument], wish: SummaryOptions, cancelled: Callable[[], bool] = lambda: False
) -> Summary:
    """Build an extractive summary, in which each sentence is its own source; its form is one of `FORMS`."""
    begun_s = time.monotonic()
    reading = SectionReading(documents)
    statements: list[Statement] = []
    for place, document in enumerate(documents):
        for block in document.blocks:  # each by itself: all of a long text would be searched for each of its blocks
            if cancelled():
                break
            section = whole_section(place, [block])
            reading.mark_answered(section, section.text)
        statements += _document_statements(place, document, len(documents), wish, cancelled)
    told = tuple(
        SummarizedDocument(input_document.id, input_document.name, input_document.title, input_document.unit, coverage)
        for input_document, coverage in zip(documents, reading.make_coverage(), strict=True)
    )
    title = join_entries(document.title or document.name for document in documents)
    return Summary(
        title, told, tuple(statements), wish, documents[0].language if documents else "", "", len(told), len(told),
        is_partial=cancelled(), seconds=time.monotonic() - begun_s, method=Method.DIGEST,
    )  # fmt: skip


def sufficient_digest(
    documents: Sequence[InputDocument], wish: SummaryOptions, cancelled: Callable[[], bool]
) -> Summary | None:
    """Build the extract; None if it is empty, as for tables alone, and a model may write instead."""
    digest = digest_summary(documents, wish, cancelled)
    return digest if digest.statements or digest.is_partial or wish.method is Method.DIGEST else None


def has_sentences(document: InputDocument) -> bool:
    """Return whether there is prose to choose from, not only tables."""
    return any(block.kind in _TEXTS and any(map(str.isalpha, block.text)) for block in document.blocks)


def _document_statements(
    place: int, document: InputDocument, of: int, wish: SummaryOptions, cancelled: Callable[[], bool]
) -> Iterator[Statement]:
    """Yield one document's sentences, under its headings if wanted."""
    texts = {block.id: block for block in document.blocks}
    title = document.title or next((block.text for block in document.blocks if block.kind is BlockKind.HEADING), "")
    runs: Sequence[tuple[str, Sequence[Block]]] = [("", document.blocks)]
    most = max(1, -(-SENTENCES[wish.length] // of))
    if wish.form is Form.SECTIONS:
        runs, most = list(runs_under_headings(document.blocks)), UNDER_A_HEADING[wish.length]
    for heading, blocks in runs:
        group = f"{document.title or document.name}: {heading}" if heading and of > 1 else heading
        for told in digest_of(blocks, most, title=title, cancelled=cancelled):
            block = texts[told.block_id]
            text = block.text[told.start : told.end]
            anchor = ClaimAnchor(place, block.id, block.page, told.start, told.end, text)
            yield Statement(" ".join(text.split()), (anchor,), group=group)


def digest_of(
    blocks: Sequence[Block], most: int, *, title: str = "", cancelled: Callable[[], bool] = lambda: False
) -> list[DigestSentence]:
    """Choose at most `most` sentences, in document order; fewer if there are fewer, or when cancelled."""
    counting = _WordCounting(blocks, title, cancelled)
    kept: list[tuple[float, int, DigestSentence]] = []
    for sentence in counting.iterate_sentences():
        if cancelled():
            return []
        told = DigestSentence(sentence.block.id, sentence.start, sentence.end, counting.score_sentence(sentence))
        # The number counts backwards so that, of equal scores, the later sentence leaves the heap first.
        entry = (told.score, -sentence.number, told)
        # Only so many are held, whatever the document's length: the rest could hardly win by lacking repetition.
        if len(kept) < most * CANDIDATES:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)
    texts = {block.id: block.text for block in blocks}
    order = {told: -number for _, number, told in kept}
    candidates = [told for _, _, told in sorted(kept, reverse=True)]
    chosen = _without_repetition(
        candidates, most, lambda one: counting.word_vector(words_of(texts[one.block_id][one.start : one.end]))
    )
    return sorted(chosen, key=order.__getitem__)


class SentenceWeights:
    """Scores sentences by their position; the document's words are counted once."""

    def __init__(
        self, blocks: Sequence[Block], *, title: str = "", cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        self._counting = _WordCounting(blocks, title, cancelled)
        self._blocks = {block.id: block for block in blocks}
        self._firsts: dict[int, _DigestSentence] = {}
        for sentence in self._counting.iterate_sentences():
            if cancelled():
                return
            self._firsts.setdefault(sentence.block.id, sentence)

    def weight_of(self, block_id: int, start: int = 0, end: int = 0) -> float:
        """Score a range of a block; both 0: all of it."""
        # A block without prose sentences counts like one far from the beginning.
        block, first = self._blocks[block_id], self._firsts.get(block_id)
        number, place = (first.number, first.place) if first else (len(self._firsts), len(self._firsts))
        return self._counting.score_sentence(_DigestSentence(block, start, end or len(block.text), number, place))


def _without_repetition(
    candidates: Sequence[DigestSentence], most: int, vector_of: Callable[[DigestSentence], Vector]
) -> list[DigestSentence]:
    chosen: list[DigestSentence] = []
    left = {candidate: vector_of(candidate) for candidate in candidates}
    # Of many sentences some are always alike, or the last ones say little, so repetition weighs less.
    repetition = REPETITION * min(1.0, math.sqrt(REPETITION_OF / most))
    nearest = dict.fromkeys(candidates, 0.0)
    while left and len(chosen) < most:
        best = max(left, key=lambda one: one.score - repetition * nearest[one])
        vector = left.pop(best)
        chosen.append(best)
        for other, others_vector in left.items():
            nearest[other] = max(nearest[other], _cosine(vector, others_vector))
    return chosen


Vector = Mapping[str, float]
"""Words with their weights, of length 1."""


class _WordCounting:
    """Count the words of all sentences, then score how much each sentence says of the whole."""

    def __init__(self, blocks: Sequence[Block], title: str, cancelled: Callable[[], bool]) -> None:
        apart = find_apart_blocks(blocks)
        self._blocks = [
            block for block in blocks if block.kind in _TEXTS and block.id not in apart and not _is_left_out(block)
        ]
        self._sentences = 0
        self._in_sentences: Counter[str] = Counter()
        self._pairs = _WordPairs()
        unlike_latin = 0
        in_all: Counter[str] = Counter()
        in_sections: dict[str, Counter[str]] = {name: Counter() for name in ("abstract", "conclusion")}
        for sentence in self.iterate_sentences():
            if cancelled():
                break
            words = words_of(sentence.text)
            in_all.update(words)
            self._in_sentences.update(set(words))
            self._pairs.add_pairs(words)
            self._sentences += 1
            unlike_latin += _is_unlike_latin(sentence.text)
            for name in in_sections.keys() & _sections_of(sentence.block):
                in_sections[name].update(words)
        # In Japanese or Russian a Latin sentence is a name, a command or a licence, not the text's own language.
        self._is_unlike_latin = unlike_latin > self._sentences / 2
        self._language = _guess_language(in_all)
        named = set(words_of(title))
        # The rarer a word among the sentences, the more it says (idf).
        self._rare = {word: math.log(1 + self._sentences / of) for word, of in self._in_sentences.items()}
        self._most_rarity = math.log(1 + self._sentences) or 1.0
        # Words of the title say what the document is about.
        center = {word: times * (TITLE_WEIGHT if word in named else 1.0) for word, times in in_all.items()}
        self._centers = {
            "center": self._center_vector(center),
            "title": self._center_vector(dict.fromkeys(named & in_all.keys(), 1)),
        }
        self._centers |= {name: self._center_vector(words) for name, words in in_sections.items()}
        # The first sentences are a sample large enough; all of them would double the time.
        measured = [
            self._score_pairs(words_of(sentence.text)) for sentence in islice(self.iterate_sentences(), MEASURED)
        ]
        self._mean_of_pairs = statistics.fmean(measured or [0])
        self._spread_of_pairs = statistics.pstdev(measured or [0]) or 1.0

    def iterate_sentences(self) -> Iterator[_DigestSentence]:
        """Yield the sentences of running text, in order.

        Text that only points elsewhere, such as bibliographies, is skipped.
        """
        number, place, path = 0, 0, None
        for block in self._blocks:
            # A list of references or an index is sentences in form only.
            if block.heading_path != path:
                place, path = 0, block.heading_path
            for start, end in split_sentences(block.text, by_line=False):
                if any(map(str.isalpha, block.text[start:end])):
                    yield _DigestSentence(block, start, end, number, place)
                    number, place = number + 1, place + 1

    def score_sentence(self, sentence: _DigestSentence) -> float:
        words = words_of(sentence.text)
        vector = self.word_vector(words)
        score = sum(WEIGHTS[name] * _cosine(vector, center) for name, center in self._centers.items())
        score += WEIGHTS["pairs"] * min(
            MOST_PAIRED, (self._score_pairs(words) - self._mean_of_pairs) / self._spread_of_pairs
        )
        is_foreign = self._is_unlike_latin and not _is_unlike_latin(sentence.text)
        if is_foreign or (self._language and _is_in_another(words, self._language)):
            score += _FAULTS["foreign"]
        return score + sum(weight * strength for weight, strength in _sentence_marks(sentence, words))

    def word_vector(self, words: Sequence[str]) -> Vector:
        counts = Counter(words)
        return _unit_vector({word: (1 + math.log(count)) * self._word_rarity(word) for word, count in counts.items()})

    def _center_vector(self, counts: Mapping[str, float]) -> Vector:
        return _unit_vector({word: count * self._word_rarity(word) for word, count in counts.items()})

    def _word_rarity(self, word: str) -> float:
        return self._rare.get(word, self._most_rarity)

    def _score_pairs(self, words: Sequence[str]) -> float:
        """Score how many word pairs recur in other sentences; common words count little."""
        rare = [self._word_rarity(word) for word in words]
        found = sum(math.log(times) * min(rare[at : at + 2]) for at, times in self._pairs.repeated_pairs(words))
        return found / self._most_rarity**2


class _WordPairs:
    """Count the sentences that share word pairs, in bounded memory (Manku and Motwani's lossy counting, 2002)."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._times: Counter[tuple[int, int]] = Counter()
        self._forgotten = 0

    def add_pairs(self, words: Sequence[str]) -> None:
        numbers = [self._numbers.setdefault(word, len(self._numbers)) for word in words]
        self._times.update(set(pairwise(numbers)))
        while len(self._times) > MOST_PAIRS:
            self._forgotten += 1
            # Lossy counting: each round forgets what was seen too seldom, and memory stays bounded.
            self._times = Counter({pair: times for pair, times in self._times.items() if times > self._forgotten})

    def repeated_pairs(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield a sentence's recurring pairs: the first word's position, and the number of sentences with the pair."""
        numbers = [self._numbers.get(word, -1) for word in words]
        for pair, at in {pair: at for at, pair in enumerate(pairwise(numbers))}.items():
            if (times := self._times.get(pair, 0)) > 1:
                yield at, times


def _sentence_marks(sentence: _DigestSentence, words: Sequence[str]) -> Iterator[tuple[float, float]]:
    """Yield (weight, strength) of other signs for or against a sentence."""
    text = sentence.text
    small = text.lower()
    yield WEIGHTS["opening"], math.exp(-OPENING * sentence.place)
    yield WEIGHTS["beginning"], math.exp(-BEGINNING * sentence.number)
    if sections := _sections_of(sentence.block):
        yield WEIGHTS["overall"], 1.0
    if "conclusion" in sections:
        yield WEIGHTS["concluded"], 1 - math.exp(-FOLLOWING * sentence.place)
    found = [name for name, pattern in load_cues().weighed.items() if pattern.search(small)]
    for name in found:
        yield WEIGHTS[name], 1.0
    # A sentence with a reference tells of other people's work.
    if _CITES.search(text):
        yield WEIGHTS["cites"], 1.0
    if _FORMULA.search(text) or load_cues().elsewhere.search(small):
        yield WEIGHTS["elsewhere"], 1.0
    yield WEIGHTS["digits"], len(_DIGIT.findall(text)) / max(1, len(text))
    yield WEIGHTS["length"], math.log(1 + len(words))
    yield WEIGHTS["long"], max(0, len(words) - MANY_WORDS) / WORDS_MORE
    yield from _sentence_faults(sentence, words, is_announced="announces" in found)


def _sentence_faults(
    sentence: _DigestSentence, words: Sequence[str], *, is_announced: bool
) -> Iterator[tuple[float, float]]:
    """Yield (penalty, strength) of faults that count anywhere in a document."""
    text = sentence.text
    small = text.lower()
    if _is_fragment(text, words):
        yield _FAULTS["fragment"], 1.0
    if len(_SIGN.findall(text)) > MOST_SIGNS * len(text):
        yield _FAULTS["signs"], 1.0
    # The mark may stand before a closing quotation mark.
    if "?" in text[-2:] or "？" in text[-2:]:
        yield _FAULTS["asks"], 1.0
    if _SPOKEN.match(text):
        yield _FAULTS["spoken"], 1.0
    if sentence.block.heading_path and _is_aside_heading(sentence.block.heading_path[-1]):
        yield _FAULTS["aside"], 1.0
    for name, pattern in (("rights", load_cues().rights), ("example", load_cues().example)):
        if pattern.search(small):
            yield _FAULTS[name], 1.0
    if load_cues().refers_back.match(small) and not is_announced:  # "This paper presents …"
        yield _FAULTS["refers_back"], 1.0


def _is_fragment(text: str, words: Sequence[str]) -> bool:
    """Return whether it is a fragment: unfinished, or the rest of a split sentence or quotation."""
    few = FEW_PAIRS if WITHOUT_SPACES.search(text) else FEW_WORDS
    is_repeating = 2 * len(set(words)) < len(words)
    if len(words) < few or is_repeating or not _ENDED.search(text) or text[0].islower() or _SPELT.search(text):
        return True
    # A bullet, a number's rest or an operator at the beginning: a row of something, no sentence.
    is_mark = not text[0].isalnum() and not _SPOKEN.match(text) and text[0] not in "([¿¡（"
    return is_mark or any(text.count(mark) != text.count(other) for mark, other in _PAIRED) or text.count('"') % 2 == 1


def words_of(text: str) -> list[str]:
    """Return a text's words by their first letters; character pairs in unspaced scripts."""
    # Most texts: an order faster than casefolding and looking for scripts without spaces.
    if text.isascii():
        return [word[:STEM] for word in _WORD.findall(text.lower())]
    found: list[str] = []
    # Without spaces, pairs of characters stand in for words.
    for word in _WORD.findall(text.casefold()):
        if WITHOUT_SPACES.match(word):
            found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        else:
            found.append(word[:STEM])
    return found


_TEXTS = (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM)


def _is_left_out(block: Block) -> bool:
    return any(map(_points_elsewhere, block.heading_path))


# Headings come again with each of their blocks.
@lru_cache(maxsize=1024)
def _points_elsewhere(heading: str) -> bool:
    return load_cues().not_summed_up.search(heading) is not None


def _sections_of(block: Block) -> tuple[str, ...]:
    return tuple(name for heading in block.heading_path for name in _sections_called(heading))


def _is_unlike_latin(text: str) -> bool:
    """Return whether most letters take two or three bytes in UTF-8."""
    return not text.isascii() and len(text.encode(errors="replace")) > 1.4 * len(text)


_SMALL_WORDS = {code: frozenset(word[:STEM] for word in row.split()) for code, row in SMALL_WORDS.items()}


def _guess_language(counts: Mapping[str, int]) -> str:
    """Guess the language from function words; "" if it is none of the known ones."""
    found = {code: sum(counts.get(word, 0) for word in known) for code, known in _SMALL_WORDS.items()}
    code = max(found, key=found.__getitem__)
    return code if found[code] > SMALL_SHARE * sum(counts.values()) else ""


def _is_in_another(words: Sequence[str], tongue: str) -> bool:
    """Return whether a sentence has clearly more function words of another language.

    Neighbouring languages share some.
    """
    here = set(words)
    own = len(here & _SMALL_WORDS[tongue])
    # Related languages share function words, so a few more of another prove nothing.
    return any(len(here & known) >= own + MORE_SMALL_WORDS for known in _SMALL_WORDS.values())


@lru_cache(maxsize=1024)
def _is_aside_heading(heading: str) -> bool:
    return load_cues().aside.match(heading) is not None


@lru_cache(maxsize=1024)
def _sections_called(heading: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in load_cues().sections.items() if pattern.search(heading))


def _unit_vector(weights: Mapping[str, float]) -> Vector:
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {word: weight / length for word, weight in weights.items()} if length else {}


def _cosine(one: Vector, other: Vector) -> float:
    """Return the dot product of two unit vectors."""
    few, many = (one, other) if len(one) < len(other) else (other, one)
    return sum(weight * many[word] for word, weight in few.items() if word in many)


@dataclass(frozen=True)
class CuePatterns:
    """Cue patterns of all known languages; sentences in others are scored by words and position alone.

    They match lower-case text: that takes a third of the time of a case-insensitive pattern.
    """

    weighed: Mapping[str, re.Pattern[str]]
    """By the names of the weights."""
    refers_back: re.Pattern[str]
    """Openings of sentences that need the one before."""
    elsewhere: re.Pattern[str]
    example: re.Pattern[str]
    rights: re.Pattern[str]
    aside: re.Pattern[str]
    """Headings of side remarks."""
    sections: Mapping[str, re.Pattern[str]]
    """Section headings that summarize, by the name of their weight, and "introduction".

    "3.1 Introduction to maps" or "A statistical overview" don't match.
    """
    not_summed_up: re.Pattern[str]
    """Sections that point elsewhere, or thank."""


@lru_cache(maxsize=1)
def load_cues() -> CuePatterns:
    """Load the patterns on first use.

    The file has alternatives for each language, each for the beginning of a word. All are searched in each text.
    """
    table: dict[str, dict[str, list[str]]] = json.loads(resource_path("cues.json").read_text("utf-8"))

    def pattern(name: str, before: str = r"\b", after: str = "", flags: int = 0) -> re.Pattern[str]:
        spaced = "|".join(form for code, row in table.items() if code not in _UNSPACED for form in row[name])
        unspaced = "|".join(form for code in _UNSPACED for form in table[code][name])
        anywhere = before if before.startswith("^") else ""
        return re.compile(f"{before}(?:{spaced}){after}" + (f"|{anywhere}(?:{unspaced})" if unspaced else ""), flags)

    return CuePatterns(
        weighed={name: pattern(name) for name in ("announces", "results", "sums_up")},
        # Beginnings of sentences leave out words that mean something else elsewhere (i, o, on, die, so).
        refers_back=pattern("refers_back", before=r"\W*"),
        elsewhere=pattern("elsewhere", before=r"(?<![^\W_])"),
        example=pattern("example"),
        rights=pattern("rights"),
        aside=pattern("aside", before=r"\W*", after=r"\W*$", flags=re.IGNORECASE),
        sections={
            name: pattern(name, before=_NUMBERED, flags=re.IGNORECASE)
            for name in ("abstract", "introduction", "conclusion")
        },
        not_summed_up=pattern("not_summed_up", after=r"\b", flags=re.IGNORECASE),
    )


# No word boundary stands before a cue there.
_UNSPACED = ("ja", "zh")
_NUMBERED = r"^\W*(?:(?:\d+|[IVX]+)\b\W*(?!\d))?"
