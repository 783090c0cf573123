"""Word tables for comparing texts without a model: weekdays, months, numbers, negations, and alternatives.

Alternatives exclude each other: narrow and wide, left and right, hours and days (`resources/translation_words.json`).
An entry is a whole word; with * it is part of one, at its beginning, end or anywhere. With a leading ? it only
excuses: the word may mean this, but need not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from app.core.lazy_dataclasses import dataclass
from app.core.paths import resource_path
from app.language.language_names import INFLECTED_INSIDE, WITHOUT_SPACES, base_code
from app.language.text_cache import text_cache

# So short, they would be found inside of too many words.
SHORT_FORM = 4
_WITHIN_ONE = "same language"
"""Groups of prepositions, which are translated in many ways."""
_UNITS = frozenset(("currency", "length_unit", "time_unit", "weight_unit"))
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_OTHER_SCRIPT = re.compile(f"{WITHOUT_SPACES.pattern}|[{INFLECTED_INSIDE}]")


@dataclass(frozen=True)
class WordForms:
    """The words of one language for one thing: those that say it, and those that may (these too)."""

    says: re.Pattern[str]
    may: re.Pattern[str]

    @classmethod
    def from_row(cls, row: str) -> WordForms:
        """Parse a row: forms apart by blanks, those that only excuse with a leading "?"."""
        forms = row.split()
        return cls(
            _forms_pattern(form for form in forms if form[0] != "?"), _forms_pattern(form.lstrip("?") for form in forms)
        )


def _forms_pattern(forms: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(_form_expression(form) for form in forms) or r"(?!)")


def _form_expression(form: str) -> str:
    is_short = len(form) <= SHORT_FORM and not _OTHER_SCRIPT.search(form)
    letters = re.escape(form.casefold())  # words are compared casefolded, which makes "groß" "gross"
    return letters.replace(r"\*", ".{3,}" if is_short else ".*")  # "un*" is not "und"


@cache
def load_tables() -> dict[str, Any]:
    """Load the tables of words, by kind and language."""
    found: dict[str, Any] = json.loads(resource_path("translation_words.json").read_text("utf-8"))
    return found


@cache
def forms_of(kind: str, language: str) -> Mapping[int, WordForms]:
    """Return weekdays and months by number from 1, number words by value; empty for unknown languages."""
    rows = load_tables()[kind].get(language, {})
    # Weekdays and months are lists, number words have their value.
    pairs = enumerate(rows, 1) if isinstance(rows, list) else ((int(value), row) for value, row in rows.items())
    return {value: WordForms.from_row(row) for value, row in pairs}


@cache
def _load_alternatives(language: str) -> Mapping[str, tuple[WordForms, ...]]:
    groups = load_tables()["alternatives"]
    return {name: tuple(map(WordForms.from_row, rows[language])) for name, rows in groups.items() if language in rows}


@text_cache(1024)
def split_words(text: str) -> tuple[str, ...]:
    """Return whole words in small letters; of "Dienstag-Abend" both parts, too."""
    found: list[str] = []
    # Casefolded and with one kind of apostrophe, as in the tables.
    for word in _WORD.findall(text.casefold().replace("’", "'")):
        found += [word, *(re.split(r"['\-]", word) if "-" in word or "'" in word else ())]
    return tuple(found)


def changed_alternative(source: str, target: str, pair: tuple[str, str], *, with_units: bool = True) -> tuple[str, str]:
    """Return a word of the source and one of the target that excludes it ("narrow", "breit"); two "" for none.

    Nothing is reported if the target also has the first, or the source the second. `with_units` is for texts whose
    quantities aren't compared: 60 tonnes are 60,000 kg.
    """
    ours, theirs = (_load_alternatives(base_code(code)) for code in pair)
    here, there = split_words(source), split_words(target)
    # Within one language prepositions can be compared, too.
    is_same = base_code(pair[0]) == base_code(pair[1])
    for group in ours.keys() & theirs.keys() - (frozenset() if with_units else _UNITS):
        if group.startswith(_WITHIN_ONE) and not is_same:
            continue
        known, wanted = ours[group], theirs[group]
        said = {n: word for n, forms in enumerate(known) if (word := _first_match(forms.says, here))}
        # A word that may mean the same excuses.
        lost = [n for n in said if not _first_match(wanted[n].may, there)]
        if not lost:
            continue
        new = (
            word
            for n, forms in enumerate(wanted)
            if n not in lost and not _first_match(known[n].may, here) and (word := _first_match(forms.says, there))
        )
        # Without a word that excludes it, it was only left out.
        if instead := next(new, ""):
            return said[lost[0]], instead
    return "", ""


def _first_match(pattern: re.Pattern[str], words: Iterable[str]) -> str:
    return next((word for word in words if pattern.fullmatch(word)), "")


def values_in(kind: str, text: str, language: str) -> frozenset[int]:
    """Return the weekdays or months that a text says, from 1 on."""
    words = split_words(text)
    return frozenset(
        value for value, forms in forms_of(kind, base_code(language)).items() if _first_match(forms.says, words)
    )
