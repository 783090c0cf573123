"""Puts a glossary's term into a translation, where its words tell which ones it takes the place of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.documents.segments import Content, content_of
from app.language.words import WORD, fold

LEAST_ALIKE = 4
"""Letters that two forms of a word begin with."""


def with_term(content: Content, wanted: str) -> Content | None:
    """The content with the term in place of the one run of words that is a part or another form of it.

    None where no run is, or several are: then a person says where it belongs.
    """
    term = [fold(word) for word in WORD.findall(wanted)]
    found: list[tuple[int, int, int]] = []
    for number, part in enumerate(content):
        if isinstance(part, str):
            found += [(number, *span) for span in _runs(part, term)]
    if len(found) != 1:
        return None
    number, start, end = found[0]
    parts = list(content)
    text = parts[number]
    assert isinstance(text, str)
    new = wanted[:1].upper() + wanted[1:] if text[start].isupper() and not text[:start].strip() else wanted
    parts[number] = text[:start] + new + text[end:]
    return content_of(parts)


def _runs(text: str, term: Sequence[str]) -> list[tuple[int, int]]:
    """Stretches of the text whose words are all among the term's; short ones such as "of" begin and end none."""
    runs: list[list[re.Match[str]]] = []
    for match in WORD.finditer(text):
        if not any(_is_form(fold(match[0]), one) for one in term):
            continue
        is_next = bool(runs) and not text[runs[-1][-1].end() : match.start()].strip()
        runs = [*runs[:-1], [*runs[-1], match]] if is_next else [*runs, [match]]
    telling = [[match for match in run if len(match[0]) >= LEAST_ALIKE] for run in runs]
    return [(run[0].start(), run[-1].end()) for run in telling if run]


def _is_form(word: str, other: str) -> bool:
    if word == other:
        return True
    common = 0
    for one, two in zip(word, other, strict=False):
        if one != two:
            break
        common += 1
    return common >= LEAST_ALIKE and common >= max(len(word), len(other)) - 3
