"""Definitions: "Key Performance Indicator (KPI)", “Deposit” means …, (the “Tenant”)."""

from __future__ import annotations

import re
from collections.abc import Iterator


def one_line(text: str) -> str:
    return " ".join(text.split())


_QUOTED = r"[\"“„«‹「『‘]\s?(?P<term>[^\"“”„«»‹›「」『』‘’\n]{2,60}?)\s?[\"”“»›」』’]"
_MEANS = (
    r"means|shall mean|refers? to|is defined as|denotes|designates|bedeutet|bezeichnet|meint|ist definiert als|"
    r"désigne|signifie|s['’]entend|significa|se entiende|designa|denomina|entende-se|si intende|indica|betekent|"
    r"wordt verstaan|oznacza|означает|обозначает"
)
_MEANS_EAST_ASIAN = r"とは|是指|指的是|란\s|이란\s"
_QUOTED_MEANS = re.compile(rf"{_QUOTED}(?:\s?,?\s(?:{_MEANS})\b|\s?(?:{_MEANS_EAST_ASIAN})|\s[—–]\s(?:это\s)?)")
_PLAIN_MEANS = re.compile(
    rf"(?:^|(?<=[.;:!?]\s))(?P<term>[^\W\d_](?:[\w'’-]+)(?: [\w'’-]+){{0,3}}) (?:{_MEANS})\b", re.MULTILINE
)
_CALLED = re.compile(rf"\((?:[^():=\"“”„«»]{{0,40}}\s)?{_QUOTED}\)")
_SHORT_FORM = re.compile(r"\((?P<term>[^\W\d_][\w&/.-]{1,9})\)")
_CLAUSE_END = re.compile(r"[.;:!?()\n]")
MOST_MEANING = 160
SHORT_WORD = 3


def find_definitions(text: str) -> Iterator[tuple[int, int, str]]:
    """Find defined terms: start, end, and the words of the definition."""
    taken: set[int] = set()
    for pattern in (_QUOTED_MEANS, _CALLED, _PLAIN_MEANS):
        for match in pattern.finditer(text):
            start, end = match.span("term")
            is_call = pattern is _CALLED
            if start not in taken and (pattern is _QUOTED_MEANS or _may_be_defined(match["term"])):
                # Each term once a text, by the most certain pattern.
                taken.add(start)
                yield start, end, _sentence_before(text, match.end()) if is_call else _sentence_from(text, match)
    for match in _SHORT_FORM.finditer(text):
        start = match.start("term")
        # The letters before the bracket decide, so an aside in brackets is no short form.
        begin = _long_form(text, match.start(), match["term"]) if start not in taken else None
        if begin is not None:
            yield start, match.end("term"), one_line(text[begin : match.end()])


_PRONOUNS = frozenset(
    """this that it which what he she they we i dies das es was er sie wir ce cela il elle on esto eso lo que isto isso
    questo ciò dit dat это""".split()  # noqa: SIM905
)


def _may_be_defined(term: str) -> bool:
    """Return whether a text can be a defined term: not "This" in "This means", nor quoted speech, which seldom has
    capitals ("Effective Date" has).
    """
    words = term.split()
    is_written_large = all(word[0].isupper() or not word[0].islower() for word in words if len(word) > SHORT_WORD)
    return is_written_large and not term[0].islower() and not _PRONOUNS.intersection(map(str.casefold, words))


def _sentence_from(text: str, match: re.Match[str]) -> str:
    # A full stop inside "2.1" ends no sentence; one before a blank does.
    end = next((sentence_end.end() for sentence_end in re.finditer(r"[.;。](?=\s|$)|\n", text[match.end() :])), None)
    stop = len(text) if end is None else match.end() + end
    return _cut_meaning(text[match.start() : stop])


def _sentence_before(text: str, end: int) -> str:
    begin = max(text.rfind(". ", 0, end), text.rfind("\n", 0, end), end - MOST_MEANING) + 1
    return one_line(text[max(0, begin) : end])


def _cut_meaning(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= MOST_MEANING else text[: MOST_MEANING - 1].rstrip() + "…"


def _long_form(text: str, end: int, short: str) -> int | None:
    """Find the start of the long form that an abbreviation in brackets stands for (Schwartz and Hearst, 2003);

    None without one.
    """
    letters = [letter for letter in short.casefold() if letter.isalnum()]
    if len(letters) < 2 or not any(map(str.isupper, short)):
        return None
    # The long form stands right before its bracket, within a few words for each letter.
    near = max(0, end - 14 * (len(letters) + 3))
    near = max([near, *(match.end() + near for match in _CLAUSE_END.finditer(text[near:end]))])
    # Not across a sentence's end or another bracket.
    before = text[near:end].casefold()
    at = len(before) if near + len(before) == end else 0  # a few letters are longer when folded
    for place, letter in reversed(list(enumerate(letters))):
        at = before.rfind(letter, 0, at)
        while place == 0 and at > 0 and before[at - 1].isalnum():  # the first one begins a word
            at = before.rfind(letter, 0, at)
        if at < 0:
            return None
    words = len(before[at:].split())
    # Scattered letters can be found in any sentence, so the number of words is bounded, too.
    return near + at if 1 < words <= min(len(letters) + 5, 2 * len(letters)) else None
