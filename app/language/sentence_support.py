"""Facts of a statement that a sentence does not bear out: what a place under an answer needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.language.dates import Date, find_dates
from app.language.numbers import Quantity, find_quantities
from app.language.proper_names import find_codes, missing_name
from app.language.text_facts import is_inside
from app.language.word_order import swapped_words
from app.language.word_tables import changed_alternative, split_words, values_in
from app.language.words import WORD, normalize_signs, stems_of_word, surroundings_closeness, surroundings_of, word_stems

WORD_OR_PERCENT = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|%")
NEGATIONS = frozenset(
    """
    not no never neither nor none nobody nothing cannot nicht kein keine keinen keinem keiner keines nie niemals
    niemand nichts weder pas jamais aucun aucune ni nunca jamás ningún ninguna ninguno não nenhum nenhuma niet geen
    nooit не нет никогда ikke inte ingen
    """.split()  # noqa: SIM905
)
ONLY = re.compile(
    r"more|less|fewer|later|mehr|weniger|only|just|merely|nur|seulement|solo|só|apenas|alleen|только", re.IGNORECASE
)
_NUMBERED = re.compile(r"^\W*\d{1,3}[.)]\s")
# Verbs and prefixes that deny, in the languages with function words.
_DENIES = re.compile(
    r"\b(?:without|un(?!i|der|til|less)\w{4,}|in(?:valid|correct|compatible|active|sufficient)\w*|forbid\w*|prohibit\w*|refus\w*|"
    r"fail\w*|lack\w*|den(?:y|ied|ies)|exclud\w*|avoid\w*|discourag\w*|deprecat\w*|prevent\w*|stop\w*|except|instead|rather|"
    r"ohne|verb[oi][te]\w*|untersag\w*|fehl\w*|kaum|verhinder\w*|vermeid\w*|abgeraten|statt|außer|"
    r"sans|interdi\w*|manqu\w*|évit\w*|empêch\w*|sin|prohib\w*|falt\w*|evit\w*|imped\w*|senza|viet\w*|manc\w*|sem|proib\w*|"
    r"zonder|verbod\w*|bez|brak\w*|zakaz\w*|без|запре\w*)\b",
    re.IGNORECASE,
)
"""Says no without a negation."""
# A negation reaches no further than its clause.
_CLAUSE_ENDS = re.compile(r"[,;:.!?()–]|\b(?:but|aber|mais|pero|sondern|sino|ma|mas|maar)\b", re.IGNORECASE)
_LABEL = re.compile(r"(?<=[^\W\d_A-Z] )[A-Z](?![\w'’.])")
"""A letter for a name: "house B"."""
CLOSER = 1.0
LEAST_YEAR = 1000
"""Smallest number that part of a date can support: a year, no small number."""
_WITHIN = 5
"""Words after and before a negation that it may negate."""


def missing_fact(statement: str, sentence: str, around: Sequence[str] = (), *, language: str = "") -> str:
    """Return a statement's first fact that a sentence doesn't support; "" if all are supported.

    Numbers with units, dates and weekdays must be in the sentence, names there or in the texts `around`; what the
    statement negates must be negated, and no word excluded by another.
    """
    # The number of a list's item is none of the statement's.
    statement = _NUMBERED.sub(" ", statement)
    name = missing_name(statement, [sentence, *around], around)
    return (
        _missing_number(statement, sentence)
        or missing_day(statement, sentence, language)
        or (name.said if name else "")
        or next((element for element in _LABEL.findall(statement) if element not in _LABEL.findall(sentence)), "")
        or changed_alternative(statement, sentence, (language, language), with_units=False)[0]
        or _other_negation(statement, sentence)
        or swapped_words(statement, sentence)
    )


def _missing_number(statement: str, sentence: str) -> str:
    """Return a number or a date that the sentence does not have, or has less often, or says of something else."""
    there = find_quantities(sentence)
    in_codes = list(find_codes(statement))
    # Each number of the sentence bears out one of the statement.
    taken: list[Quantity] = []
    for said in find_quantities(statement):
        if (said.is_part and not statement[said.start].isdigit()) or is_inside(said, in_codes):
            continue
        equal = [other for other in there if other not in taken and _says_as_much(said, other)]
        others = [quantity for quantity in there if quantity not in equal and quantity.dimension == said.dimension]
        # The same number may stand twice for different things, so its neighbours have to fit.
        if not equal or (not said.is_part and _is_said_of_another(said, equal, others, (statement, sentence))):
            return statement[said.start : said.end]
        taken += equal[:1]
    for date in find_dates(statement):
        covering = [other for other in find_dates(sentence) if other.covers_date(date)]
        apart = [other for other in find_dates(sentence) if other not in covering]
        if not covering or _is_said_of_another(date, covering, apart, (statement, sentence)):
            return statement[date.start : date.end]
    return ""


def _is_said_of_another(
    said: Quantity | Date, equal: Sequence[Quantity | Date], others: Sequence[Quantity | Date], texts: tuple[str, str]
) -> bool:
    """Return whether the words around it match those around a different number in the second text better than around
    its equal.
    """
    ours = surroundings_of(texts[0], said.start, said.end)
    best = max(surroundings_closeness(ours, surroundings_of(texts[1], spot.start, spot.end)) for spot in equal)
    return any(
        surroundings_closeness(ours, surroundings_of(texts[1], place.start, place.end)) >= best + CLOSER
        for place in others
    )


def _says_as_much(said: Quantity, other: Quantity) -> bool:
    # The "3" of "3 May" bears out no three.
    if other.is_part and not said.is_part and not (said.plain and said.plain >= LEAST_YEAR):
        return False
    if said.dimension and other.dimension:
        return said.dimension == other.dimension and said.is_as_much_as(other)
    return said.has_figure_of(other)


def missing_day(statement: str, sentence: str, language: str) -> str:
    """Return a weekday or a month that the sentence does not say."""
    # "2024-03-03" says the month without its name.
    dated = {month for date in find_dates(sentence) for month, _ in date.readings}
    for kind, known in (("weekdays", set[int]()), ("months", dated)):
        missing = values_in(kind, statement, language) - values_in(kind, sentence, language) - known
        if word := next((word for word in split_words(statement) if values_in(kind, word, language) & missing), ""):
            return word
    return ""


def _other_negation(statement: str, sentence: str) -> str:
    """Return a negation that only one has, where both have the same words; "" for none."""
    sentence = _clause_of(statement, sentence)
    mine, theirs = (list(_find_negations(text)) for text in (statement, sentence))
    if mine and not theirs:
        # "prohibits" for "must not" is the same.
        return "" if _DENIES.search(sentence) else mine[0][0]
    if mine or not theirs or _DENIES.search(statement):
        shared = {stem for _, near, _ in theirs for stem in near}
        return next((word for word, near, _ in mine if near and shared and not _are_alike(near, shared)), "")
    said = word_stems(statement)
    # Negated with at least half of its words, or with the first of them.
    negated = ((word, first in said or len(near & said) * 2 >= len(near)) for word, near, first in theirs if near)
    return next((word for word, is_said in negated if is_said), "")


def _clause_of(statement: str, sentence: str) -> str:
    """Return the part between semicolons that has all words of the statement, else the whole sentence."""
    said = word_stems(statement)
    return next((clause for clause in sentence.split(";") if said <= word_stems(clause)), sentence)


def _are_alike(some: frozenset[str], others: set[str]) -> bool:
    return any(text.startswith(other) or other.startswith(text) for text in some for other in others)


def _find_negations(text: str) -> Iterator[tuple[str, frozenset[str], str]]:
    """Yield each negation with the stems of the words that it negates, within its clause, and the first of them."""
    plain = normalize_signs(text)
    words = list(WORD_OR_PERCENT.finditer(plain))
    for at, match in enumerate(words):
        word = match[0].casefold()
        following = words[at + 1 : at + 2]
        if not (word in NEGATIONS or word.endswith("n't")) or (following and ONLY.fullmatch(following[0][0])):
            continue
        end = words[min(at + _WITHIN, len(words) - 1)].end()
        clause = _CLAUSE_ENDS.search(plain, match.end(), end)
        behind = plain[match.end() : clause.start() if clause else end]
        before = plain[words[max(at - _WITHIN, 0)].start() : match.start()]
        first = next((stem for word in WORD.findall(behind.casefold()) for stem in stems_of_word(word)), "")
        yield match[0], word_stems(behind) or word_stems(_CLAUSE_ENDS.split(before)[-1]), first
