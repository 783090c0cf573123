"""Compare a statement with the blocks it cites: quotations, numbers and units, dates, names, shared words.

No judgement and no model: it only looks up whether what is said is there. What that can't detect (a reversed cause,
an omission) passes; `make bench ONLY=claims` counts how much.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from app.core.lazy_dataclasses import dataclass
from app.documents.blocks import Block
from app.features.summarize.summary_result import Check, CheckReason, ClaimAnchor
from app.language.changed_facts import LEAST_WORDS, changed_facts
from app.language.dates import find_dates
from app.language.language_detection import MOST_CHARACTERS, language_by_words, languages_differ, scripts_differ
from app.language.language_names import LETTER_OR_DIGIT_WITH_CASE
from app.language.numbers import find_quantities
from app.language.proper_names import Vocabulary, find_names, holds_name, missing_name, text_vocabulary
from app.language.sentence_support import missing_day
from app.language.text_cache import text_cache
from app.language.text_facts import find_garbled_words, missing_number, repeated_sentence
from app.language.word_tables import changed_alternative
from app.language.words import MissingFact, SentenceStems, sentence_stems, shared_part, stretch_at, word_stems

CLOSE = 92.0
"""Percent of letters that agree (rapidfuzz's partial ratio)."""
LONG_TEXT = 20_000
"""Characters; a longer text is not searched for near matches."""
_QUOTES = frozenset("\"'«»‹›“”„‟‘’‚‛`´「」『』")
_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d")
_CLOSING = frozenset(",.;:!?%)]")
_DIGITS = re.compile(r"\d+")


class QuotationMatch(NamedTuple):
    """A quotation's position in a text; `is_exact` up to spelling (quotes, dashes, spaces, ligatures)."""

    start: int
    end: int
    is_exact: bool


def find_quote(quote: str, text: str) -> QuotationMatch | None:
    """Find a quotation, or nearly the same text with all digits equal; None if absent."""
    if not (wanted := _normal_form(quote.strip(" .…"))[0].strip(" .,;:")):
        return None
    normal, places = _normal_form(text)
    if (at := normal.find(wanted)) >= 0:
        return QuotationMatch(places[at], places[at + len(wanted) - 1] + 1, True)
    # Aligning letters takes time by the length of both, and in a long text something alike turns up by chance.
    if len(normal) > LONG_TEXT or len(wanted) > len(normal):
        return None
    return _near_quotation(wanted, normal, places)


def _near_quotation(wanted: str, normal: str, places: tuple[int, ...]) -> QuotationMatch | None:
    from rapidfuzz.fuzz import partial_ratio_alignment

    best = partial_ratio_alignment(wanted, normal, score_cutoff=CLOSE)
    if best is None or best.dest_end <= best.dest_start:
        return None
    # An alignment may begin inside "1,250"; cut there, "250" would pass for the page's own number.
    start, end = _whole_numbers(normal, best.dest_start, best.dest_end)
    # One other digit hardly changes the ratio, but it changes all that is said.
    if _DIGITS.findall(wanted) != _DIGITS.findall(normal[start:end]):
        return None
    return QuotationMatch(places[start], places[end - 1] + 1, False)


def _whole_numbers(normal: str, start: int, end: int) -> tuple[int, int]:
    """Shrink a range so that it cuts through no number."""
    while start and normal[start].isdigit() and normal[start - 1].isdigit():
        start -= 1
    while end < len(normal) and normal[end - 1].isdigit() and normal[end].isdigit():
        end += 1
    return start, end


@text_cache(1024)
def _normal_form(text: str) -> tuple[str, tuple[int, ...]]:
    """Normalise (NFKD, casefolded, equal spaces and dashes, no soft hyphens).

    Also return each letter's original position.
    """
    letters: list[str] = []
    places: list[int] = []
    for at, character in enumerate(text):
        # Dropped, not unified: models add, nest and change quotation marks freely.
        if character == "\u00ad" or character in _QUOTES:
            continue
        if character.isspace():
            _add_space(letters, places, at)
            continue
        for letter in character.casefold() if character.isascii() else unicodedata.normalize("NFKD", character):
            # French puts a space before ";" and "!", and so do some PDFs before any of these.
            if letter in _CLOSING and letters and letters[-1] == " ":
                letters.pop()
                places.pop()
            # Casefolding may make two letters of one; the first is kept, so each has one original position.
            letters.append("-" if letter in _DASHES else letter.casefold()[:1] or letter)
            places.append(at)
    return "".join(letters), tuple(places)


def _add_space(letters: list[str], places: list[int], at: int) -> None:
    """Append white space as one space; a word hyphenated at a line's end is joined."""
    if len(letters) > 1 and letters[-1] == "-" and letters[-2].isalpha():
        return
    if letters and letters[-1] not in " (":
        letters.append(" ")
        places.append(at)


LEAST_SUPPORT = 0.35
"""Share of a statement's words needed in its source; `tests/benchmarks/claims_bench.py` has the curve."""
CLOSE_SUPPORT = 0.75
"""The same for languages a model wasn't trained for: its own wording there is mostly garbled."""
CARRIES = 0.6
"""A sentence with this share of a statement's words supports it, whatever it cites."""
CLEARLY = 0.25
"""By so much more than what is cited."""
MOST_ANCHORS = 3
MOST_SENTENCES = 4
"""Of a statement, that are looked for as a whole."""
LEAST_ANCHOR = 0.2
LONGEST_TEXT = 1_000
LONGEST_STATEMENT = 4_000
LONGEST_BLOCK = 200_000
"""Characters; what follows is not compared."""

_LONG_WORD = re.compile(rf"{LETTER_OR_DIGIT_WITH_CASE}{{6,}}")


class CitedBlock(NamedTuple):
    """A block of one of the documents of a summary (an index into them)."""

    document: int
    block: Block


@dataclass(frozen=True)
class ClaimVerdict:
    """Result of a comparison, and the best sources with their matching sentences."""

    check: Check
    anchors: tuple[ClaimAnchor, ...]


class _BlockMatch(NamedTuple):
    """A block with its best sentence for a statement, and the share of the statement's words that this holds."""

    cited: CitedBlock
    share: float
    stretch: SentenceStems | None

    @property
    def text(self) -> str:
        return self.cited.block.text[:LONGEST_BLOCK]

    @property
    def anchor(self) -> ClaimAnchor:
        block, stretch = self.cited.block, self.stretch
        if stretch is None:
            return ClaimAnchor(self.cited.document, block.id, block.page, 0, 0, self.text[:LONGEST_TEXT])
        text = self.text[stretch.start : stretch.end]
        return ClaimAnchor(self.cited.document, block.id, block.page, stretch.start, stretch.end, text)


def verify_statement(
    statement: str,
    cited: Sequence[CitedBlock],
    quote: str = "",
    nearby: Sequence[CitedBlock] = (),
    *,
    closely: bool = False,
) -> ClaimVerdict:
    """Compare a statement with its source, and with blocks nearby if it isn't found.

    A statement found only in a nearby block gets that as its source. `quote` is what the model claims to have copied.
    `closely`: every word must occur, perhaps with another ending.
    """
    statement, quote = statement[:LONGEST_STATEMENT], quote[:LONGEST_TEXT]
    wanted = word_stems(statement)
    here = [_best_match(block, statement, wanted) for block in cited]
    known = {(block.document, block.block.id) for block in cited}
    around = [
        _best_match(cited, statement, wanted) for cited in nearby if (cited.document, cited.block.id) not in known
    ]
    chosen, quoted = _find_quotation(quote, _move_to_nearby(here, around, wanted), around)
    check = _find_garbled(statement, [*chosen, *around]) or _compare_facts(statement, wanted, chosen, around)
    # Garbled text stays garbled whatever it rests on, so no other place is looked for.
    if not check.found and check.reason is not CheckReason.GARBLED:
        elsewhere = _better_nearby(chosen, around)
        if elsewhere and _compare_facts(statement, wanted, [*elsewhere, *chosen], around).found:
            chosen, check = [*elsewhere, *chosen], Check()
    # The quotation decides last: a wrong number in the statement says more than a copied phrase.
    if check.found and quote:
        check = quoted
    if check.found and closely:
        check = _compare_closely(statement, wanted, chosen, around) or check
    return ClaimVerdict(check, _make_anchors(chosen))


def _find_garbled(statement: str, places: list[_BlockMatch]) -> Check | None:
    """Return a check for text that is garbled whatever its topic; None if it isn't.

    Models held too tightly by a grammar, or too small, write letters of another script, glue words after a full stop,
    and repeat sentences.
    """
    texts = [text for place in places for text in (place.text, *place.cited.block.heading_path)]
    if garbled := find_garbled_words(statement, texts):
        return Check(False, CheckReason.GARBLED, garbled)
    return Check(False, CheckReason.GARBLED) if repeated_sentence(statement) else None


def _best_match(cited: CitedBlock, statement: str, wanted: frozenset[str]) -> _BlockMatch:
    """Return the sentence of a block that shares most words with a statement, one with its numbers first.

    For a statement of several sentences, a run of as many.
    """
    text = cited.block.text[:LONGEST_BLOCK]
    # A small model copies two sentences and cites them as one, so runs of as many are candidates, too.
    sentences = _runs(sentence_stems(text), min(len(sentence_stems(statement)), MOST_SENTENCES))
    points = [float(len(wanted & stretch.stems)) for stretch in sentences]
    # Parts of another quantity ("2" in "2 to 3") are no figures by themselves.
    figures = [quantity for quantity in find_quantities(statement) if not quantity.is_part]
    for figure in figures:
        places = [quantity.start for quantity in find_quantities(text) if quantity.has_figure_of(figure)]
        # A figure weighs as much as a word: among sentences alike in words, the one with the number is the source.
        for at, sentence in enumerate(sentences):
            points[at] += any(sentence.start <= place < sentence.end for place in places)
    best = max(range(len(points)), key=points.__getitem__, default=0)
    if not points or not points[best]:
        return _BlockMatch(cited, 0.0, None)
    return _BlockMatch(cited, points[best] / (len(wanted) + len(figures)), sentences[best])


def _runs(sentences: Sequence[SentenceStems], most: int) -> list[SentenceStems]:
    """Single sentences first, then those of two and more up to `most` that follow each other."""
    runs = [sentences[at : at + count] for count in range(2, most + 1) for at in range(len(sentences) - count + 1)]
    joined = (
        SentenceStems(run[0].start, run[-1].end, frozenset().union(*(sentence.stems for sentence in run)))
        for run in runs
    )
    return [*sentences, *joined]


def _move_to_nearby(here: list[_BlockMatch], around: list[_BlockMatch], wanted: frozenset[str]) -> list[_BlockMatch]:
    """Return the cited places, or nearby ones that support the statement if the cited ones don't."""
    best = max((block_match.share for block_match in here), default=0.0)
    if not here:
        # Nothing was cited, so each place that supports the statement may be its source.
        carrying = sorted(
            (block_match for block_match in around if block_match.share >= LEAST_SUPPORT), key=lambda one: -one.share
        )
        return carrying[:MOST_ANCHORS]
    carrying = [block_match for block_match in around if block_match.share >= max(CARRIES, best + CLEARLY)]
    # With few words a high share comes by chance; what the model cited stays.
    if not carrying or len(wanted) < LEAST_WORDS:
        return here
    carrying.sort(key=lambda one: -one.share)
    return [*carrying[:1], *here]


def _better_nearby(chosen: list[_BlockMatch], around: list[_BlockMatch]) -> list[_BlockMatch]:
    """Return a nearby place that fits better than every chosen one."""
    best = max((block_match.share for block_match in chosen), default=0.0)
    known = {(block_match.cited.document, block_match.cited.block.id) for block_match in chosen}
    fitting = [
        block_match
        for block_match in around
        if block_match.share >= max(CARRIES, best)
        and (block_match.cited.document, block_match.cited.block.id) not in known
    ]
    return sorted(fitting, key=lambda one: -one.share)[:1]


def _find_quotation(
    quote: str, chosen: list[_BlockMatch], around: list[_BlockMatch]
) -> tuple[list[_BlockMatch], Check]:
    """Return the places, the one with the quotation first, and the result of the search for it."""
    if not quote.strip():
        return chosen, Check()
    for places in (chosen, around):
        near: tuple[_BlockMatch, Check] | None = None
        for place in places:
            if (found := find_quote(quote, place.text)) is None:
                continue
            stretch = stretch_at(place.text, found.start)
            # A found quotation outranks any share of words, so its place becomes the first source.
            placed = place._replace(stretch=stretch, share=max(place.share, 1.0))
            if found.is_exact:
                return [placed, *(other for other in chosen if other is not place)], Check()
            # Another place may have it letter by letter, so the search goes on after a near match.
            near = near or (placed, Check(True, CheckReason.CLOSE_MATCH, quote, place.text[found.start : found.end]))
        if near:
            return [near[0], *(other for other in chosen if other.cited is not near[0].cited)], near[1]
    return chosen, Check(False, CheckReason.QUOTE_NOT_FOUND, quote)


def _compare_facts(
    statement: str, wanted: frozenset[str], chosen: list[_BlockMatch], around: list[_BlockMatch]
) -> Check:
    """Compare numbers, names, wording and support, in this order: a difference says more than an absence."""
    texts = [block_match.text for block_match in chosen]
    headings = [
        " ".join((*block_match.cited.block.heading_path, block_match.cited.block.label)) for block_match in chosen
    ]
    is_foreign = languages_differ(statement, " ".join(texts)[:MOST_CHARACTERS])
    found: list[tuple[CheckReason, MissingFact]] = []
    # A date or figure often stands only in the heading of its section.
    if number := missing_number(statement, [*texts, *filter(str.strip, headings)]):
        found.append((CheckReason.NUMBER, number))
    name = missing_name(
        statement,
        [*texts, *headings],
        [block_match.text for block_match in around] if chosen else [],
        codes_only=is_foreign,
    )
    if name:
        found.append((CheckReason.NAME, name))
    # Between two languages hardly a word is shared, so missing words say nothing.
    if not is_foreign:
        found += _changed_wording(statement, chosen)
        union = frozenset().union(*(word_stems(text) for text in (*texts, *headings)))
        if not chosen or (len(wanted) >= LEAST_WORDS and shared_part(wanted, union) < LEAST_SUPPORT):
            found.append((CheckReason.SUPPORT, MissingFact("", "")))
    elif not _may_be_compared(statement, texts):
        found.append((CheckReason.LANGUAGE, MissingFact("", "")))
    if not found:
        return Check()
    # "The page says 12" helps more than that something wasn't found.
    reason, missing = next((finding for finding in found if finding[1].page_says), found[0])
    return Check(False, reason, missing.said, missing.page_says)


def _compare_closely(
    statement: str, wanted: frozenset[str], chosen: list[_BlockMatch], around: list[_BlockMatch]
) -> Check | None:
    """Return what is wrong with a statement of a model that may invent words; None if nothing."""
    texts = [" ".join((block_match.text, *block_match.cited.block.heading_path)) for block_match in chosen]
    if languages_differ(statement, " ".join(texts)[:MOST_CHARACTERS]):
        return Check(False, CheckReason.LANGUAGE)
    there = [text_vocabulary(text) for text in (*texts, *(block_match.text for block_match in around))]
    for word in _LONG_WORD.findall(statement):
        if not any(holds_name(vocabulary, word) or _has_beginning(vocabulary, word) for vocabulary in there):
            return Check(False, CheckReason.NAME, word)
    union = frozenset().union(*(word_stems(text) for text in texts))
    return Check(False, CheckReason.SUPPORT) if shared_part(wanted, union) < CLOSE_SUPPORT else None


def _has_beginning(text: Vocabulary, word: str) -> bool:
    """Return whether a word occurs that is equal up to its last two letters, as "verwenden" and "verwendet"."""
    beginning = word.casefold()[:-2]
    # The vocabulary is sorted: the first word at or after the beginning tells.
    at = bisect_left(text.words, beginning)
    return at < len(text.words) and text.words[at].startswith(beginning)


def _may_be_compared(statement: str, texts: list[str]) -> bool:
    """Return whether a statement in another language has anything to compare: number, name or code.

    In another script names are spelled otherwise, and a number alone proves little: nothing counts as found there.
    """
    if scripts_differ(statement, " ".join(texts)[:MOST_CHARACTERS]):
        return False
    there = [text_vocabulary(text) for text in texts]
    words = (word for name in find_names(statement) for word in name.words if len(word) > LEAST_WORDS)
    is_named = any(holds_name(vocabulary, word) for word in words for vocabulary in there)
    return (
        is_named
        or any(not (quantity.is_word or quantity.is_part) for quantity in find_quantities(statement))
        or bool(find_dates(statement))
    )


_REASONS = {"number": CheckReason.NUMBER, "name": CheckReason.NAME, "negation": CheckReason.SUPPORT}


def _changed_wording(statement: str, chosen: list[_BlockMatch]) -> list[tuple[CheckReason, MissingFact]]:
    """Return what the best sentence says instead, where the statement nearly repeats it."""
    best = max(chosen, key=lambda one: one.share, default=None)
    if best is None or best.stretch is None:
        return []
    sentence = best.text[best.stretch.start : best.stretch.end]
    found = [
        (_REASONS[fact.kind], MissingFact(fact.said, fact.page_says)) for fact in changed_facts(statement, sentence)
    ]
    # In a sentence that merely resembles the statement, another word is no changed one.
    if best.share < CARRIES:
        # The tables of opposites are by language, and a statement alone is often too short to tell it.
        return found
    language = language_by_words(" ".join((statement, *(block_match.text for block_match in chosen)))[:MOST_CHARACTERS])
    excluded = changed_alternative(statement, sentence, (language, language), with_units=False)
    day = missing_day(statement, " ".join(block_match.text for block_match in chosen), language)
    told = [MissingFact(*excluded)] if excluded[0] else [MissingFact(day, "")] if day else []
    return [*found, *((CheckReason.SUPPORT, missing) for missing in told)]


def _make_anchors(chosen: list[_BlockMatch]) -> tuple[ClaimAnchor, ...]:
    """Return the best places first; if none fits, the first cited block."""
    ordered = sorted(chosen, key=lambda one: -one.share)
    fitting = [
        block_match for block_match in ordered if block_match.share >= LEAST_ANCHOR and block_match.stretch is not None
    ]
    return tuple(block_match.anchor for block_match in (fitting or ordered[:1])[:MOST_ANCHORS])
