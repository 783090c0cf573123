"""Words as they are compared: by their beginnings, sentence by sentence, with variants of one character levelled.

Words are compared by their first letters, since they change at their end; scripts that are written without spaces by
pairs of characters, and those in which words change in the middle or at their beginning by runs of three letters.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from app.language.language_names import INFLECTED_INSIDE, WITHOUT_SPACES
from app.language.scripts import HANGUL
from app.language.sentences import split_sentences
from app.language.text_cache import text_cache

STEM = 5
SHORT = 3
"""Words of so few letters say little of what a sentence is about."""
MANY_CHARACTERS = 2_000
"""A longer sentence is a table or no sentence at all; it is cut."""
AROUND = 50
"""Characters on either side of a number or name, whose words tell its role."""
LONGEST_SHOWN = 48
WORD = re.compile(r"[^\W_]+")
_INFLECTED_INSIDE = re.compile(f"[{INFLECTED_INSIDE}]")
_HANGUL = re.compile(f"[{HANGUL}]")
JOINED_WORD = re.compile(r"\w+(?:['’\-]\w+)*")
"""With what a hyphen or an apostrophe joins to it."""
# A character for a character, so that places in the level text are those of the original.
_SPACES = dict.fromkeys((0xA0, 0x2007, 0x2009, 0x200A, 0x202F, 0x3000), " ")
_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE63, 0xFF0D), "-")
_QUOTES = dict.fromkeys((0x2018, 0x2019, 0x201B, 0x02BC, 0xB4, 0x60), "'")
# The zero of each script's digits; nine more follow it.
_ZEROS = (
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
    0x1040, 0x1090, 0x17E0, 0x1810, 0xFF10,
)  # fmt: skip
DIGITS = {zero + digit: str(digit) for zero in _ZEROS for digit in range(10)}
"""The digits of all scripts, for `str.translate`."""
_SIGNS = {0xFF05: "%", 0x66A: "%", 0xFF0E: ".", 0xFF0C: ",", 0x66B: ".", 0x66C: ","}
_LEVEL = {**_SPACES, **_DASHES, **_QUOTES, **DIGITS, **_SIGNS}


class MissingFact(NamedTuple):
    """A missing fact, and what is there instead ("" for nothing comparable)."""

    said: str
    page_says: str


class SentenceStems(NamedTuple):
    """A sentence of a text, from `start` to `end`, with the stems of its words."""

    start: int
    end: int
    stems: frozenset[str]


def common_start(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def fold_words(text: str) -> str:
    """Fold case and strip accents, for comparing words of any language."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(text for text in spread if not unicodedata.combining(text))


def normalize_signs(text: str) -> str:
    """Unify kinds of spaces, dashes, apostrophes and digits; every character keeps its position."""
    return text.translate(_LEVEL)


@text_cache(4096)
def sentence_stems(text: str) -> tuple[SentenceStems, ...]:
    """Split a text into sentences with their stems; a very long one is cut, to keep comparisons fast."""
    return tuple(
        SentenceStems(a, b, word_stems(text[a:b]))
        for start, end in split_sentences(text)
        for a, b in _cut_span(start, end)
    )


def _cut_span(start: int, end: int) -> list[tuple[int, int]]:
    return [(at, min(at + MANY_CHARACTERS, end)) for at in range(start, end, MANY_CHARACTERS)]


@text_cache(4096)
def word_stems(text: str) -> frozenset[str]:
    """Return the stems of words of more than three letters; numbers are left out, as they are checked separately."""
    found: set[str] = set()
    for match in WORD.finditer(text.replace("\u00ad", "").casefold()):
        found.update(stems_of_word(match[0]))
    return frozenset(found)


def stems_of_word(word: str) -> list[str]:
    """Return the stems of a casefolded word for comparisons; none for short words and numbers."""
    if word.isascii():
        return [word[:STEM]] if len(word) > SHORT and word.isalpha() else []
    if WITHOUT_SPACES.search(word):
        # Pairs of characters, as there are no words to be cut.
        return [run[at : at + 2] for run in WITHOUT_SPACES.findall(word) for at in range(max(len(run) - 1, 1))]
    if not word.isalpha() and not _INFLECTED_INSIDE.search(word):
        return []
    # Korean puts endings behind a word without a blank.
    if _HANGUL.match(word):
        return [word[:2]] if len(word) > 1 else []
    # Runs of three, since Semitic and Indic words change inside.
    if _INFLECTED_INSIDE.match(word):
        return [word[at : at + 3] for at in range(len(word) - 2)] if len(word) > SHORT else []
    return [word[:STEM]] if len(word) > SHORT else []


@text_cache(4096)
def find_words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.replace("\u00ad", "").casefold()))


Surroundings = tuple[list[str], list[str]]


def surroundings_of(text: str, start: int, end: int) -> Surroundings:
    """Return the stems of the words before a range, nearest first, and of those after it."""
    before = [stem for word in _folded_words(text[max(0, start - AROUND) : start]) for stem in stems_of_word(word)]
    behind = [stem for word in _folded_words(text[end : end + AROUND]) for stem in stems_of_word(word)]
    # Nearest first on both sides.
    return before[::-1], behind


def _folded_words(text: str) -> Iterator[str]:
    return (match[0].casefold() for match in WORD.finditer(text))


def surroundings_closeness(ours: Surroundings, theirs: Surroundings) -> float:
    """Score how similar two surroundings are: 1 for equal adjacent words, 0.5 for words further off."""
    score = 0.0
    for mine, others in zip(ours, theirs, strict=True):
        # Four on each side: further off words belong to something else.
        for at, word in enumerate(mine[:4]):
            if word in others[:4]:
                score += 1.0 if at == 0 and others[0] == word else 0.5
    return score


def share_at(text: str, at: int, wanted: frozenset[str]) -> float:
    """Return the share of a statement's words in the sentence at a position."""
    stretch = stretch_at(text, at)
    return shared_part(wanted, stretch.stems) if stretch else 0.0


def stretch_at(text: str, at: int) -> SentenceStems | None:
    """Return the sentence at a position, None before the first."""
    number = sentence_number(text, at)
    return sentence_stems(text)[number] if number >= 0 else None


def sentence_number(text: str, at: int) -> int:
    """Return the index of the sentence at a position, -1 before the first."""
    return bisect_left(sentence_stems(text), (at + 1,)) - 1


def shared_part(wanted: frozenset[str], there: frozenset[str]) -> float:
    """Return the share of `wanted` found; 1 if it is empty."""
    return len(wanted & there) / len(wanted) if wanted else 1.0


def shown_stretch(text: str, start: int, end: int) -> str:
    """Format a range for display: on one line, not too long."""
    return " ".join(text[start:end].split())[:LONGEST_SHOWN]
