"""Points: what the model says a part of the text says, each with the numbers of what it comes from.

Models of up to two billion weights write a line a point, `[12] text`; larger ones JSON. Both are read here, and
`- text [12, 13]`, whatever was asked for; and of an answer that was cut off, all that is whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from app.core.events import FinishReason
from app.features.summary.cut_sentences import GOES_ON, sentence_of_larger, sentence_of_small, whole_words

MOST_CHARACTERS = 600
SAME_SCORE = 90
LEAST_TELLING = 4
"""Letters of a word that says something by itself; names may be shorter."""
FORM_SHARE = 0.6
"""Forms of one word begin with so much of the shorter one."""
LOOP_WORDS, LOOP_TIMES = 4, 3
REFUSING = re.compile(
    r"""^\W*(?:
        I(?:['’]m|\ am)\ (?:sorry|unable|not\ able)\b | Sorry,\ (?:but\ )?I\b
        | I\ (?:can(?:['’]t|not)|won['’]t|will\ not|must\ decline\ to)\ (?:help|assist|provide|summari|comply|do\ th
            |fulfil|answer|create|generate|write|process|access|read)
        | As\ an?\ (?:AI\b|(?:artificial|large|language)\ \w+)
        | Es\ tut\ mir\ leid,\ aber\ ich | Désolé,\ (?:mais\ )?je\ ne | Lo\ siento,\ (?:pero\ )?no)""",
    re.IGNORECASE | re.VERBOSE,
)
"""How models begin that will not do it; a letter may well say that its writer cannot come."""
_JSON = re.compile(r"\s*(?:`|\{|\[\s*[\]{])")
_LINE = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])?\s+(?=\S)|^(?=\S)")
_IDS = re.compile(r"\s*\[(\d{1,7}(?:\s*[,;]\s*\d{1,7})*)\]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(
    r"\b(?:not?|never|none|nor|without|cannot|nicht|keine?[mnrs]?|nie|jamais|sans|pas|nunca|sin|não)\b|n['’]t\b",
    re.IGNORECASE,
)
_MEASURED = re.compile(r"\d ?(?:[a-zµ°%€$£¥]|[A-Z][a-z]?\b)|[€$£¥] ?\d")
"""A number with its unit."""
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_ECHO = re.compile(r"^The (?:\d+ )?most important (?:sentence|point)s?(?: of this part)?:\s*(?:\d{1,2}[.)](?:\s+|$))?")
"""The last line of what a small model was asked: it likes to begin with it, and with the number of a list."""


_ASKED = re.compile(
    r"\bmost important (?:sentence|point)s?\b[^.!?]{0,20}\bpart\b|\bthe \d+ most important (?:sentence|point)s\b|"
    r"\byour last answer\b|\bnumbers, dates and names exactly\b|\bWrite in [A-Z]\w+\.|"
    r"\bYou find the most important\b|^Part \d+ of \d+\b",
    re.IGNORECASE,
)
"""Of what a small model was asked; it likes to say it again."""
_SMALL = frozenset({"and", "the", "for", "with", "from", "von", "und", "des", "der", "die", "del", "las", "los", "les"})
LEAST_SHOUTED = 6
"""Words of a line all in capitals that is more than a title."""


class Problem(StrEnum):
    """What is wrong with an answer."""

    EMPTY = "empty"
    UNREADABLE = "unreadable"
    TOO_LONG = "too_long"
    REPEATED = "repeated"
    REFUSED = "refused"
    FAILED = "failed"
    """The engine could not answer this one."""


@dataclass(frozen=True)
class Point:
    """One of them. `quote` is what the model says to have copied word for word."""

    text: str
    ids: tuple[int, ...]
    quote: str = ""


def read_points(answer: str, allowed: Iterable[int]) -> list[Point]:
    """The points of an answer in their order; numbers that were not allowed are left out."""
    known = frozenset(allowed)
    read = _from_json(answer) if _JSON.match(answer) else _from_lines(answer)
    found = [Point(text, tuple(dict.fromkeys(n for n in ids if n in known)), quote) for text, ids, quote in read]
    return [one for one in found if one.text]


def says_something(text: str, titles: Container[str] = ()) -> bool:
    """Whether a text is more than a title, a running head, or a list of names, all of which are no statements."""
    if line_of(text) in titles or all(line_of(part) in titles for part in text.split(" > ")):
        return False
    words = _WORD.findall(text)
    if not any(word.upper() != word.lower() for word in words) or (text.isupper() and len(words) >= LEAST_SHOUTED):
        return bool(words)  # a script without capitals, and what is written all in them
    is_measured = _MEASURED.search(text) is not None
    return is_measured or any(word[0].islower() and len(word) > 2 and word not in _SMALL for word in words)


def repeats_what_was_asked(text: str, source: str = "") -> bool:
    """Whether a model says the words of its prompt again; not where its text has them too."""
    found = _ASKED.search(text)
    return found is not None and found[0].casefold() not in source.casefold()


def line_of(text: str) -> str:
    """A line without its number and the signs around, by which it is known again."""
    return " ".join(_WORD.findall(text)).casefold()


def problem_of(answer: str, finish: FinishReason, points: Sequence[Point], kept: Sequence[Point]) -> Problem | None:
    """What is wrong with an answer that gave these points, of which these were kept; None where it will do."""
    is_cut = finish in (FinishReason.LENGTH, FinishReason.CONTEXT)
    if REFUSING.match(answer) or (points and all(REFUSING.match(one.text) for one in points)):
        return Problem.REFUSED
    if len(kept) * 2 < len(points):
        return Problem.REPEATED
    if is_cut and len(kept) < 2:
        return Problem.TOO_LONG
    if not kept:
        if not answer.strip():
            return Problem.EMPTY
        return None if _is_empty_list(answer) else Problem.UNREADABLE
    return None


T = TypeVar("T")


def without_repeats(
    given: Sequence[T], text_of: Callable[[T], str], join: Callable[[T, T], T] | None = None
) -> list[T]:
    """Each thing that is said only once, in its longest form; what runs in circles not at all.

    The same are texts whose words are (nearly) those of another, with the same numbers and as many denials, and
    without a word each that matters and that the other has not. `join` makes one of the longer and the shorter of two.
    """
    from rapidfuzz import fuzz, utils

    kept: list[T] = []
    known: list[tuple[str, tuple[Any, ...]]] = []
    for one in given:
        text = text_of(one)
        if is_looping(text):
            continue
        plain, facts = utils.default_process(text), _facts(text)
        same = next(
            (
                place
                for place, (other, its_facts) in enumerate(known)
                if facts == its_facts
                and fuzz.token_set_ratio(plain, other) >= SAME_SCORE
                and not _differ(text, text_of(kept[place]))
            ),
            None,
        )
        if same is None:
            kept.append(one)
            known.append((plain, facts))
            continue
        longer, shorter = (one, kept[same]) if len(plain) > len(known[same][0]) else (kept[same], one)
        kept[same] = join(longer, shorter) if join is not None else longer
        if longer is one:
            known[same] = (plain, facts)
    return kept


def _differ(one: str, other: str) -> bool:
    """Whether each has a word of its own, as two sentences of one pattern about two things have."""
    mine, others = _WORD.findall(one), _WORD.findall(other)
    return bool(_own(mine, others)) and bool(_own(others, mine))


def _own(words: Sequence[str], others: Sequence[str]) -> list[str]:
    """Names and longer words of which the others have no form: one that begins alike."""
    known = [word.casefold() for word in others]
    telling = [word.casefold() for word in words if len(word) >= LEAST_TELLING or word[0].isupper()]
    return [word for word in telling if word not in known and not any(_begin_alike(word, one) for one in known)]


def _begin_alike(one: str, other: str) -> bool:
    letters = max(3, round(FORM_SHARE * min(len(one), len(other))))
    return one[:letters] == other[:letters]


def is_looping(text: str) -> bool:
    """Whether the same words come again and again."""
    words = text.casefold().split()
    runs = [tuple(words[at : at + LOOP_WORDS]) for at in range(len(words) - LOOP_WORDS + 1)]
    return any(runs.count(run) >= LOOP_TIMES for run in set(runs)) if len(runs) > len(set(runs)) else False


def cited_runs(line: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The stretches of a line with the numbers in brackets behind them; the last may have none.

    In a line that begins with numbers they stand before what they belong to.
    """
    if _IDS.match(line):
        places = [*_IDS.finditer(line)]
        ends = [*(match.start() for match in places[1:]), len(line)]
        for match, end in zip(places, ends, strict=True):
            if text := _clean(sentence_of_small(line[match.end() : end].strip())):
                yield text, _numbers(match)
        return
    at = 0
    for match in _IDS.finditer(line):
        text = sentence_of_larger(line[at : match.start()].strip())
        at = match.end()
        if line[at : at + 1] in (".", "!", "?", "。", ",", ";"):  # the point stands after the bracket
            text += "" if text.endswith(GOES_ON) else line[at] if line[at] in ".!?。" else "."
            at += 1
        if text.strip():
            yield _clean(text), _numbers(match)
    if line[at:].strip():
        yield _clean(line[at:]), ()


def without_mark(line: str) -> str:
    """A line without the sign or number of a list before it."""
    return _LINE.sub("", line, count=1)


def _numbers(match: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", match[1]))


def _clean(text: str) -> str:
    whole = _SPACE.sub(" ", text).strip()
    text = _ECHO.sub("", whole, count=1)
    if text != whole and text[:1].upper() == text[:1].lower() and not text[:1].isalpha():
        return ""  # it said again what was asked, and then no sentence
    return text if len(text) <= MOST_CHARACTERS else whole_words(text[: MOST_CHARACTERS - 1])


def _facts(text: str) -> tuple[Any, ...]:
    return tuple(sorted(_NUMBER.findall(text))), len(_NEGATION.findall(text))


def _from_lines(answer: str) -> Iterator[tuple[str, tuple[int, ...], str]]:
    for line in answer.splitlines():
        for text, ids in cited_runs(without_mark(line)):
            if ids or text[-1:] in ".!?。！？":
                yield text, ids, ""


def _from_json(answer: str) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """The points of JSON, whole or not: each object with a text in it is one."""
    decoder = json.JSONDecoder(strict=False)
    at = answer.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(answer, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield from _in_value(value)
        at = answer.find("{", end)


def _in_value(value: Any) -> Iterator[tuple[str, tuple[int, ...], str]]:
    if not isinstance(value, dict):
        return
    listed = value.get("points")
    if isinstance(listed, list):
        for one in listed:
            yield from _in_value(one)
    elif isinstance(text := value.get("t"), str):
        ids = value.get("ids")
        numbers = ids if isinstance(ids, list) else [ids]
        quote = value.get("q")
        known = tuple(n for n in numbers if isinstance(n, int) and not isinstance(n, bool))
        yield _clean(sentence_of_larger(text.strip())), known, quote if isinstance(quote, str) else ""


def _is_empty_list(answer: str) -> bool:
    return _SPACE.sub("", answer) in ('{"points":[]}', "[]", "None.", "None")
