"""Checks of a translation beyond its form: its language, its length, and its numbers."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from statistics import median

from app.language.language_detection import LEAST_LETTERS, LanguageDetector
from app.language.language_names import are_alike, base_code
from app.language.numbers import WrittenNumber, find_quantities, written_numbers
from app.language.scripts import HAN, KANA, LATIN, count_script, script_of

LEAST_SCRIPT_SHARE = 0.3
"""Share of a translation's letters in the script of its language; the rest may be names."""
LEAST_LETTERS_BY_SCRIPT = 12
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_LETTER = re.compile(r"[^\W\d_]")
_ORDINARY_RUN = re.compile(r"(?<![\w\-])[a-z]{2,}(?: [a-z]{2,}){2,}(?![\w\-])")
"""Three words or more in small Latin letters, with nothing but spaces between."""
_CODE = re.compile(r"[\w\-]*(?:[A-Z0-9_]|(?<=\w)-(?=\w))[\w\-]*", re.ASCII)
"""A name, abbreviation or identifier, which may occur in any language."""


def is_other_language(text: str, source: str, target: str, detector: LanguageDetector) -> bool:
    """Return whether a longer text is clearly not in the target language."""
    if script_of(target) != LATIN:
        # Names of products are written in Latin letters everywhere.
        text = _CODE.sub(" ", text)
    # Few letters prove nothing.
    if (letters := len(_LETTER.findall(text))) < LEAST_LETTERS_BY_SCRIPT:
        return False
    share = count_script(script_of(target), text) / letters
    if share < LEAST_SCRIPT_SHARE:
        return True
    # Japanese without kana is Chinese.
    if base_code(target) == "ja" and letters >= LEAST_LETTERS:
        return not count_script(KANA, text)
    # Two languages of one script are held against each other, which needs less text than naming one.
    if script_of(target) == script_of(source) and detector.is_rather(text, source, target):
        return True
    found = detector.detect_clearly(text)
    return bool(found) and not are_alike(found, target)


def is_same(source: str, target: str, source_code: str, target_code: str) -> bool:
    """Return whether a translation equals its source although it has words other than names."""
    # A dialect or variant may leave a text as it is.
    if _normalize_words(source) != _normalize_words(target) or base_code(source_code) == base_code(target_code) != "":
        return False
    words = _WORD.findall(source)
    telling = [word for word in words if not _may_be_a_name(word)]
    # In another script even one ordinary word should have changed.
    if source_code and script_of(source_code) != script_of(target_code):
        return bool(telling)
    return len(telling) >= 2 and len(words) >= 3


def leftover_words(source: str, target: str, source_code: str, target_code: str, names: Iterable[str] = ()) -> str:
    """Return source-script words left in the translation; "" for none, or where both share a script.

    A few Latin words are normal in any language: they count if three ordinary source words follow each other. `names`
    may stay.
    """
    ours, theirs = script_of(source_code), script_of(target_code)
    if not source_code or ours == theirs:
        return ""
    text = target
    for name in names:
        text = text.replace(name, " ")
    if ours == LATIN:
        # Latin words are normal in any language, so three ordinary ones in a row are the least.
        return _leftover_words(source, text)
    foreign = f"(?![{theirs}])[{ours}]"
    for match in re.finditer(rf"(?:{foreign})(?:(?:{foreign})|\ (?={foreign}))+", text):
        if match[0] in source:
            return match[0].strip()
    return ""


def _leftover_words(source: str, text: str) -> str:
    for match in _ORDINARY_RUN.finditer(text):
        if set(match[0].split()) <= set(_WORD.findall(source)):
            return match[0]
    return ""


def _may_be_a_name(word: str) -> bool:
    return not word[0].islower() and not re.match(rf"[{HAN}{KANA}\uac00-\ud7af]", word)


def _normalize_words(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


LEAST_SHARE, MOST_SHARE = 0.4, 2.5
"""Of the length that is expected, in characters."""
SHORT = 25
"""A shorter text may become anything but very long."""
MOST_OF_SHORT, MORE_THAN_SHORT = 4, 20
LEAST_LEARNT = 20
MOST_LEARNT = 500
_DENSITY = {"zh": 0.33, "yue": 0.33, "ja": 0.45, "ko": 0.55, "he": 0.8, "ar": 0.85, "fa": 0.9, "th": 0.9}
"""Characters a language takes for one of English, roughly."""


class ExpectedLengths:
    """Expected length ratios of a pair; learns from translations without other faults."""

    def __init__(self, source: str, target: str) -> None:
        # Before enough was seen, what languages take in general.
        self._guess = _DENSITY.get(base_code(target), 1.0) / _DENSITY.get(base_code(source), 1.0)
        self._length_ratios: deque[float] = deque(maxlen=MOST_LEARNT)

    @property
    def expected(self) -> float:
        """Characters of a translation for one of the source."""
        # The median, since a few texts are much longer or shorter.
        return median(self._length_ratios) if len(self._length_ratios) >= LEAST_LEARNT else self._guess

    def learn_lengths(self, source: str, target: str) -> None:
        if (size := _text_size(source)) >= SHORT:
            self._length_ratios.append(_text_size(target) / size)

    def length_fault(self, source: str, target: str) -> str:
        """Return "short" or "long" if a translation's length is implausible, else ""."""
        size = _text_size(source) * self.expected
        share = _text_size(target) / max(1.0, size)
        if _text_size(source) < SHORT:
            # A word may become a sentence, but hardly ten.
            return "long" if _text_size(target) > MOST_OF_SHORT * size + MORE_THAN_SHORT else ""
        return "short" if share < LEAST_SHARE else "long" if share > MOST_SHARE else ""


def _text_size(text: str) -> int:
    return len("".join(text.split()))


_LARGEST_IN_WORDS = 12
_HALF_PAST = re.compile(r"\bhalf past\b|\bhalb \w|\by media\b|\bet demie?\b|\be mezz[ao]\b|\be meia\b", re.IGNORECASE)
_AFTERNOON = re.compile(r"\bp\.? ?m\b", re.IGNORECASE)


def different_number(source: str, target: str) -> str:
    """Return a number that only one text has, the source's first; "" if all match.

    Numbers are compared by value, with every reading that their separators allow: 1,240 is 1.240 and 1 240; 1,5 is not
    15. Scales count ("2 million", 200万). Whole numbers up to twelve may be words in one of the two texts ("2 days",
    "zwei Tage"), or belong to a month; so one that is only missing, or only added, passes, but not one that became
    another.
    """
    ours, theirs = written_numbers(source), written_numbers(target)
    # By value, with every reading of the separators: 1,240 is 1.240 and 1 240.
    left = [written_number for written_number in ours if not _take_number(written_number, theirs)]
    if not left and not theirs:
        return ""
    # Other groups of the same digits are the same number: dates, versions, phone numbers.
    left, theirs = _without_joined(left, theirs)
    # Half past six is 6:30, and halb sieben.
    if _HALF_PAST.search(source) or _HALF_PAST.search(target):
        left, theirs = (
            [written_number for written_number in some if written_number.text != "30"] for some in (left, theirs)
        )
    if _AFTERNOON.search(source) or _AFTERNOON.search(target):
        # 3 pm is 15 o'clock.
        left = [number for number in left if not _remove_half_a_day_off(number, theirs)]
    left, theirs = _without_words(left, target), _without_words(theirs, source)
    if not left or not theirs:  # all the same kind: written out in one of the texts
        left, theirs = (
            [written_number for written_number in some if not _may_be_words(written_number)] for some in (left, theirs)
        )
    return next((text for text, _ in (*left, *theirs)), "")


def _take_number(number: WrittenNumber, others: list[WrittenNumber]) -> bool:
    """Remove a number from the others; return whether it was there."""
    place = next((n for n, other in enumerate(others) if number.values & other.values), None)
    if place is not None:
        del others[place]
    return place is not None


def _remove_half_a_day_off(number: WrittenNumber, others: list[WrittenNumber]) -> bool:
    place = next(
        (n for n, other in enumerate(others) if any(abs(a - b) == 12 for a in number.values for b in other.values)),
        None,
    )
    if place is not None:
        del others[place]
    return place is not None


def _without_joined(
    left: list[WrittenNumber], others: list[WrittenNumber]
) -> tuple[list[WrittenNumber], list[WrittenNumber]]:
    """Return no difference if both have the same digits in order: only grouping differs (1.2.3, dates, phone
    numbers).
    """
    # A different order of digits is another number.
    is_regrouped = bool(left) and len(left) != len(others) and _number_digits(left) == _number_digits(others)
    return ([], []) if is_regrouped else (left, others)


def _number_digits(numbers: Sequence[WrittenNumber]) -> str:
    return "".join(re.sub(r"\D", "", text) for text, _ in numbers)


def _without_words(numbers: list[WrittenNumber], text: str) -> list[WrittenNumber]:
    """Drop numbers that the other text has in words of a known language."""
    words = {quantity.plain for quantity in find_quantities(text) if quantity.is_word}
    return [number for number in numbers if not number.values & words]


def _may_be_words(number: WrittenNumber) -> bool:
    return any(value <= _LARGEST_IN_WORDS and value == value.to_integral_value() for value in number.values)
