"""What a person would be ashamed of in a model's text: found in the text itself, whatever the model meant."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from app.language.language_detection import language_by_words
from app.language.sentences import split_sentences

LEAST_REPEATED_WORDS = 4
LOOP_WORDS, LOOP_TIMES = 6, 3
_GLUED = re.compile(r"(?:[^\W\d_]{2,}|\d)[.!?…][\"”’)]?(?:_|[^\W\d_]{2,})[^\W_]*|[^\W_]_[^\W_]?|\w[.!?…]{2}(?![.!?…])")
"""A letter or underscore straight behind a sentence's end, and two full stops."""


def find_blemishes(text: str, source: str = "", language: str = "") -> list[str]:
    """Name each thing that is wrong; `source` is what was written about, `language` a code as "en"."""
    if not text.strip():
        return ["empty"]
    found = [f"foreign letters: {letters}" for letters in foreign_letters(text, source)]
    found += [f"glued: {match}" for match in glued_words(text, source)]
    found += [f"repeated: {sentence}" for sentence in repeated_sentences(text)]
    said = language_by_words(text)
    if language and said and said != language:
        found.append(f"language: {said}")
    return found


def script_of_letter(letter: str) -> str:
    """LATIN, CYRILLIC, CJK and so on, as Unicode names letters; "" for one without a name."""
    return unicodedata.name(letter, "").partition(" ")[0]


def foreign_letters(text: str, source: str) -> list[str]:
    """Runs of letters of scripts that are not Latin and that the source does not have."""
    known = {script_of_letter(letter) for letter in set(source) if letter.isalpha()} | {"LATIN", "MICRO", "MODIFIER"}
    runs = "".join(one if one.isalpha() and script_of_letter(one) not in known else " " for one in text)
    return runs.split()


def glued_words(text: str, source: str) -> list[str]:
    """Words without a space behind the end of a sentence, where the source does not have them either."""
    return [match[0] for match in _GLUED.finditer(text) if match[0].casefold() not in source.casefold()]


def repeated_sentences(text: str) -> list[str]:
    """Sentences that stand there twice, and words that go round and round."""
    whole = [" ".join(re.findall(r"\w+", text[start:end].casefold())) for start, end in split_sentences(text)]
    twice = [one for one, times in Counter(whole).items() if times > 1 and len(one.split()) >= LEAST_REPEATED_WORDS]
    words = text.casefold().split()
    runs = Counter(tuple(words[at : at + LOOP_WORDS]) for at in range(len(words) - LOOP_WORDS + 1))
    return twice + [" ".join(run) for run, times in runs.items() if times >= LOOP_TIMES]
