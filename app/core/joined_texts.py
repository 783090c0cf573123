"""Joins texts as the language in use does: entries of lists, clauses and sentences, wherever there is no window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.core.catalogue import language_in_use, tr

_COMMAS = {"ar": "، ", "ja": "、", "zh": "、"}
"""What parts the entries of a list, where it is no comma."""
_SEMICOLONS = {"ar": "؛ ", "ja": "；", "zh": "；"}
_FULL_STOPS = {"ja": "。", "zh": "。"}
"""Sentences behind such a stop follow each other without a blank."""


def comma_of(language: str) -> str:
    """Return what parts the entries of a list in a language, with its blank."""
    return _COMMAS.get(language, ", ")


def join_entries(entries: Iterable[str]) -> str:
    """Join the entries of a list, such as "a, b, c"."""
    return comma_of(language_in_use()).join(entries)


def join_with_last(entries: Sequence[str]) -> str:
    """Join the entries of a list as a sentence does, such as "a, b and c"."""
    if len(entries) < 2:
        return "".join(entries)
    return tr("{first} and {last}", first=join_entries(entries[:-1]), last=entries[-1])


def join_clauses(clauses: Iterable[str]) -> str:
    """Join parts of a sentence that are nearly sentences themselves, such as "46 pages read; 7 is a picture"."""
    return _SEMICOLONS.get(language_in_use(), "; ").join(clauses)


def end_sentence(words: str) -> str:
    """Return words with the full stop that ends a sentence in this language."""
    return words + _FULL_STOPS.get(language_in_use(), ".")


def join_whole_sentences(sentences: Iterable[str]) -> str:
    """Join sentences, which have their full stops, behind each other."""
    return ("" if language_in_use() in _FULL_STOPS else " ").join(sentences)
