"""Check translations by word tables (`app.language.word_tables`) for what weak models change: weekdays, months,
number words, negations, opposites, number separators, untranslated words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache

from app.core.paths import resource_path
from app.language.language_names import base_code, has_word_spaces
from app.language.scripts import find_foreign_letters, script_of
from app.language.text_facts import find_garbled_words
from app.language.word_tables import WordForms, changed_alternative, forms_of, load_tables, split_words

ALWAYS_MISSED = 5
"""From this number on, a missing number word is reported; smaller ones ("both", "a pair") only if another number is
there instead.
"""
LEAST_LETTERS = 3
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_PLAIN_WORD = re.compile(r"(?<![\w\-./@$%&<>«„“\"'`])[^\W\d_]+(?![\w\-/@()<>=»“”\"'`]|[.:]\w)")
"""None in quotes, and none that is a part of a name or of code."""
_QUOTED = re.compile(r"[«»„“”‹›`\"][^«»„“”‹›`\"\n]{1,60}[«»“”‹›`'\"]")
_OR_NOT = re.compile(r"\b(?:or|oder|of) (?:not|nicht|niet)\b|\bnot only\b|\bnicht nur\b|\bniet alleen\b", re.IGNORECASE)
_COUNTS_UP = frozenset(("de", "nl", "pl", "ru", "sv", "da", "nb", "cs", "hu"))
"""Half past six is half of the seventh hour in these."""
_HALF_HOUR = re.compile(
    r"\b(?:half past|halb|half|halv|wpół do|половин\w+) [^\W\d_]+|"
    r"\b[^\W\d_]+ (?:y media|et demie?|e mezz[ao]|e meia)\b",
    re.IGNORECASE,
)
_WITH_DICTIONARY = frozenset(("de", "es", "fr", "it", "nl", "pl", "pt"))
"""Languages of which it is known that they lack the English words of the list: a model puts in others, too ("sick")."""
_DIGITS = re.compile(r"\d+")
_SMALL_NUMBER = re.compile(r"(?<![\w.,:/\-–%])(?:[1-9]|1[0-2])(?![\w:/\-–$]|[.,]\d)")
"""By itself: no part of a code, a time, a placeholder or a larger number."""
_TIME_OF_DAY = re.compile(
    r"\d|\b(?:noon|midday|midnight|mittags?|mitternachts?|midi|minuit|mediod[ií]a|medianoche|mezzogiorno|mezzanotte|"
    r"quarter|viertel|quart|cuarto|quarto)\b",
    re.IGNORECASE,
)
"""If the source has other digits or a time of day in words, different digits may mean the same."""
_ROMAN = re.compile(r"\b[IVX]+\b")
_HALF_A_DAY = 12
_NOT_ALWAYS = re.compile(
    r"\b(?:immer (?:noch|mehr|wieder|weiter|wenn|\w+er)|(?:noch|für|wie) immer|w\w+ (?:auch )?immer|siempre que|"
    r"(?:para|como|desde) siempre|sempre que|(?:para|como|desde) sempre|nog altijd|na zawsze|as always)\b",
    re.IGNORECASE,
)
"""Still, more and more, whenever, for ever."""
_BETWEEN = frozenset(("and", "und", "et", "y", "e", "en", "i", "и"))
"""Two parts of a number in words."""
_ONES = frozenset(("one", "ein", "eins", "un", "une", "uno", "una", "um", "uma", "een", "één", "jeden", "один", "одна"))
_FIGURE = re.compile(r"(?<![\w.,:/\-])\d+(?:[.,]\d+)+(?![\w:/\-]|[.,]\d)")
_MEASURE = re.compile(
    r"\s?(?:[€$£¥%‰°]|(?:euros?|eur|usd|dollars?|pounds?|cents?|percent|prozent|km|m|cm|mm|kg|g|mg|t|l|ml|kwh|mw|kw|ha|"
    r"metres?|meters?|miles?|tonnes?|tons?|litres?|hours?|million|billion|mio|mrd)\b)",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[€$£¥]\s?\Z")


def changed_word(source: str, target: str, pair: tuple[str, str], names: Collection[str] = ()) -> str:
    """Return a weekday, month, number word or "always" missing in the translation;

    "" for none. `names` are terms with the user's own translation.
    """
    ours, theirs = (base_code(code) for code in pair)
    # With a term of the person's own in it, the tables don't decide.
    if ours == theirs or (names and any(name in source for name in names)):
        return ""
    words, there = split_words(source), split_words(target)
    numbers = _whole_numbers(target)
    for kind in ("weekdays", "months"):
        known, wanted = forms_of(kind, ours), forms_of(kind, theirs)
        # Without a table of the target's words nothing can be missed.
        for value, forms in known.items() if wanted else ():
            said = next((word for word in words if forms.says.fullmatch(word)), "")
            is_there = any(wanted[value].may.fullmatch(word) or word == said for word in there)
            # May is a word of its own; a month may be written as a number.
            if said and not is_there and not (kind == "months" and value in numbers):
                return _as_written(source, said)
    return _changed_number(source, target, ours, theirs) or _lost_always(source, there, ours, theirs)


def _lost_always(source: str, there: Sequence[str], ours: str, theirs: str) -> str:
    rows = load_tables()["always"]
    if ours not in rows or theirs not in rows:
        return ""
    says, excuses = WordForms.from_row(rows[ours]).says, WordForms.from_row(rows[theirs]).may
    said = next((word for word in split_words(_NOT_ALWAYS.sub(" ", source)) if says.fullmatch(word)), "")
    is_there = said in there or any(map(excuses.fullmatch, there))
    return _as_written(source, said) if said and not is_there else ""


def _changed_number(source: str, target: str, ours: str, theirs: str) -> str:
    known, wanted = forms_of("numbers", ours), forms_of("numbers", theirs)
    if not known or not wanted:
        return ""
    # Half of the seventh hour in one language, half past six in the other.
    if (ours in _COUNTS_UP) != (theirs in _COUNTS_UP):
        source, target = (_HALF_HOUR.sub(" ", text) for text in (source, target))
    words, there = split_words(source), split_words(target)
    digits, target_digits = (_whole_numbers(text) for text in (source, target))
    told = {value for value, forms in wanted.items() if any(forms.says.fullmatch(word) for word in there)}
    may = {value for value, forms in wanted.items() if any(forms.may.fullmatch(word) for word in there)}
    here = {value for value, forms in known.items() if any(forms.may.fullmatch(word) for word in words)}
    # Digits that appear in place of the word tell that it changed.
    others = (told | target_digits) - digits - here
    for value, word in _single_numbers(source, known, ours):
        # "Both" for "two" is no fault, unless another number stands there.
        if (
            value in wanted
            and value not in may | target_digits
            and word not in there
            and (value >= ALWAYS_MISSED or others)
        ):
            return _as_written(source, word)
    return ""


def _whole_numbers(text: str) -> set[int]:
    return {int(digits) for digits in _DIGITS.findall(text) if len(digits) < 9}


def added_number(source: str, target: str, pair: tuple[str, str]) -> str:
    """Return a small number in digits for which the source has neither digits nor a word; "" for none, or untold.

    Larger ones are compared without tables (`translation_work.different_number`), which lets small ones pass as words.
    """
    ours = base_code(pair[0])
    known, ones = forms_of("numbers", ours), load_tables()["ones"].get(ours, "")
    # Times of day are counted in many ways.
    if not known or not ones or _TIME_OF_DAY.search(source) or _HALF_HOUR.search(source):
        return ""
    words = split_words(source)
    here = {value for value, forms in known.items() if any(forms.may.fullmatch(word) for word in words)}
    here |= {value for value, forms in forms_of("months", ours).items() if any(map(forms.may.fullmatch, words))}
    if any(map(WordForms.from_row(ones).may.fullmatch, words)):
        here.add(1)
    extra = (match[0] for match in _SMALL_NUMBER.finditer(target) if int(match[0]) not in here)
    # Only small ones: larger numbers are compared by value elsewhere.
    return next((number for number in extra if number not in _DIGITS.findall(source)), "")


def lost_number(source: str, target: str, pair: tuple[str, str]) -> str:
    """Return a small number in digits that a translation has neither in digits nor in words; "" for none, or untold."""
    theirs = base_code(pair[1])
    known, ones = forms_of("numbers", theirs), load_tables()["ones"].get(theirs, "")
    if not known or not ones or _DIGITS.search(target) or _ROMAN.search(target) or _HALF_HOUR.search(target):
        return ""
    there = split_words(target)
    # Times of day count to twelve or to twenty-four.
    told = {value for value, forms in known.items() if any(map(forms.may.fullmatch, there))}
    told |= {1} if any(map(WordForms.from_row(ones).may.fullmatch, there)) else set()
    told |= {value - _HALF_A_DAY for value in told} | {value + _HALF_A_DAY for value in told}
    if _TIME_OF_DAY.search(target):
        return ""
    return next((match[0] for match in _SMALL_NUMBER.finditer(source) if int(match[0]) not in told), "")


def _single_numbers(source: str, known: Mapping[int, WordForms], language: str) -> Iterator[tuple[int, str]]:
    """Yield number words that stand alone: parts of "twenty-one" or "six thousand" mean something else."""
    words = [word.casefold() for word in _WORD.findall(source)]
    scales = WordForms.from_row(load_tables()["scales"].get(language, "")).may
    values = [next((value for value, forms in known.items() if forms.says.fullmatch(word)), 0) for word in words]
    is_part = [
        bool(value) or word in _ONES or bool(scales.fullmatch(word)) for word, value in zip(words, values, strict=True)
    ]
    for place, (word, value) in enumerate(zip(words, values, strict=True)):
        is_begun = place > 0 and (
            values[place - 1] or (words[place - 1] in _BETWEEN and any(values[place - 2 : place]))
        )
        goes_on = any(is_part[place + 1 : place + 2]) or (
            words[place + 1 : place + 2] and words[place + 1] in _BETWEEN and any(is_part[place + 2 : place + 3])
        )
        # "Twenty-one" isn't twenty and one.
        if value and not is_begun and not goes_on:
            yield value, word


def _as_written(text: str, word: str) -> str:
    """Return a word as the text spells it."""
    # Words are compared without these differences, and told as the text has them.
    letters = re.escape(word).replace("'", "['’]").replace("ss", "(?:ss|ß)")
    found = re.search(letters, text, re.IGNORECASE)
    return found[0] if found else word


def changed_opposite(source: str, target: str, pair: tuple[str, str]) -> tuple[str, str]:
    """Return a word of the source and one of the translation that excludes it ("narrow", "breit"); two "" for none."""
    if base_code(pair[0]) == base_code(pair[1]):
        return "", ""
    said, instead = changed_alternative(source, target, pair)
    return (_as_written(source, said), _as_written(target, instead)) if said else ("", "")


def changed_negation(source: str, target: str, pair: tuple[str, str]) -> str:
    """Return a negation that only one of the texts has; "" if they match."""
    ours, theirs = (base_code(code) for code in pair)
    # Both ways: a negation may be lost or added.
    for text, other, language, others in ((source, target, ours, theirs), (target, source, theirs, ours)):
        clear, excuses = load_tables()["clear_negations"].get(language, ""), load_tables()["negations"].get(others, "")
        # Without tables for both languages nothing can be told.
        if not clear or not excuses:
            return ""
        said = next((word for word in split_words(_OR_NOT.sub(" ", text)) if word in clear.split()), "")
        if said and not any(WordForms.from_row(excuses).may.fullmatch(word) for word in split_words(other)):
            return _as_written(text, said)
    return ""


def untranslated_word(source: str, target: str, pair: tuple[str, str], names: Collection[str] = ()) -> str:
    """Return an ordinary word of the source language left in the translation and not in the target language;

    "" for none.
    """
    ours, theirs = (base_code(code) for code in pair)
    words = _ordinary_words(ours) | (_english_not_in(theirs) if ours == "en" else frozenset())
    # Without knowing the target's own words, a shared one would be taken for a leftover.
    if not words or ours == theirs or not (_ordinary_words(theirs) or script_of(ours) != script_of(theirs)):
        return ""
    allowed = set(split_words(" ".join(names)))
    here = _WORD.findall(source)
    # Capitals within a sentence are names, which stay.
    small = {word for place, word in enumerate(here) if word.islower() or (place == 0 and not word.isupper())}
    said = {word.casefold() for word in small} & words - _ordinary_words(theirs) - allowed
    # Weak models put in English words that the source doesn't even have.
    of_models = _english_not_in(theirs) - allowed if ours == "en" and theirs in _WITH_DICTIONARY else frozenset()
    # What is quoted may be meant to stay.
    found = _PLAIN_WORD.findall(_QUOTED.sub(" ", target))
    left = (word for word in found if word in of_models or (word.casefold() in said and not word.isupper()))
    return next(left, "")


@cache
def _ordinary_words(language: str) -> frozenset[str]:
    words = load_tables()["ordinary"].get(language, "").split()
    return frozenset(word.casefold() for word in words if len(word) >= LEAST_LETTERS)


@cache
def _english_not_in(language: str) -> frozenset[str]:
    """Return common English words found in neither a dictionary nor program messages of a language.

    Each line of the list is a word with the languages it may occur in.
    """
    lines = (line.split() for line in resource_path("english_words.txt").read_text("utf-8").splitlines())
    return frozenset(word for word, *languages in lines if language not in languages)


def garbled_words(source: str, target: str, language: str, names: Collection[str] = ()) -> str:
    """Return words with letters of neither language's script, or glued together after a full stop; "" for none."""
    known = [source, *names, script_of(language)[0]]
    found = find_garbled_words(target, known)
    # Scripts without spaces have no words to be glued.
    return found if has_word_spaces(language) or find_foreign_letters(target, known) else ""


def foreign_figure(source: str, target: str, pair: tuple[str, str]) -> str:
    """Return a number with the source's separators where the target's language uses others ("12.50" in German);

    "" for none.
    """
    ours, theirs = (_decimal_of(base_code(code)) for code in pair)
    if not ours or not theirs or ours == theirs:
        return ""
    group = "." if ours == "," else ","
    grouped = re.compile(rf"\d{{1,3}}(?:\{group}\d{{3}})+(?:\{ours}\d+)?")
    decimal = re.compile(rf"\d+\{ours}\d{{1,2}}")
    for match in _FIGURE.finditer(target):
        figure = match[0]
        # "12.50" without a unit may be a version or a chapter.
        is_measured = _MEASURE.match(target, match.end()) or _MONEY.search(target, 0, match.start())
        is_foreign = grouped.fullmatch(figure) or (is_measured and decimal.fullmatch(figure))
        # A figure that the model made itself is told by other checks.
        if is_foreign and figure in source:
            return figure
    return ""


def _decimal_of(language: str) -> str:
    return next((sign for sign, row in load_tables()["decimal"].items() if language in row.split()), "")
