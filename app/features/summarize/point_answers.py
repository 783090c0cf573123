"""Points read from answers: what the model says a part of the text says, with the numbers of what it comes from.

Points: what the model says a part of the text says, each with the numbers of what it comes from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from app.core.events import FinishReason
from app.core.lazy_dataclasses import dataclass
from app.features.summarize.answer_sentences import GOES_ON, sentence_of_larger, sentence_of_small, whole_words
from app.features.work.asking import REFUSING

MOST_CHARACTERS = 600
SAME_SCORE = 90
LEAST_TELLING = 4
"""Letters of a word that says something by itself; names may be shorter."""
FORM_SHARE = 0.6
"""Forms of one word begin with so much of the shorter one."""
LOOP_WORDS, LOOP_TIMES = 4, 3
_JSON = re.compile(r"\s*(?:`|\{|\[\s*[\]{])")
_LINE = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])?\s+(?=\S)|^(?=\S)")
_IDS = re.compile(r"\s*(\[\d{1,7}(?:(?:\s*[,;]\s*|\]\s*\[)\d{1,7})*\])")
_LAST_IDS = re.compile(rf"(?<=[^\]\s]){_IDS.pattern}(?=\s*[.!?]?\s*$)")
_ENDED = re.compile(r"(?:[.!?。！？।؟۔…\]][\"”’)»]*)\s*\Z")
_LIST_SIGNS = "-*•– "
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(
    r"\b(?:not?|never|none|nor|without|cannot|nicht|keine?[mnrs]?|nie|jamais|sans|pas|nunca|sin|não)\b|n['’]t\b",
    re.IGNORECASE,
)
_MEASURED = re.compile(r"\d ?(?:[a-zµ°%€$£¥]|[A-Z][a-z]?\b)|[€$£¥] ?\d")
"""A number with its unit."""
_NONE = re.compile(r"None\.?")
"""A model's ways of saying that a part has nothing, also after a number."""
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_TOLD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]{3,}")
"""Words and numbers that say something."""
_SEPARATORS = re.compile(r"(?:, |; | and | und | et | y )+")
_NUMBERED = re.compile(r"^\[\d+\] ?")
_AROUND_ENTRY = ' \t;,"“”'
_FULL_STOP = re.compile(r"(?<=\w\w)\.+$")
"""A full stop after a word; that of "p.m." belongs to the word."""
LIKELY_SHARE = 0.6
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
CUT = (FinishReason.LENGTH, FinishReason.CONTEXT, FinishReason.REPEATED)
"""An answer that ended before its end."""


class AnswerProblem(StrEnum):
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    TOO_LONG = "too_long"
    REPEATED = "repeated"
    REFUSED = "refused"
    FAILED = "failed"
    """The engine could not answer this one."""


@dataclass(frozen=True)
class SummaryPoint:
    """A point of an answer. `quote` is what the model claims to have copied verbatim."""

    text: str
    ids: tuple[int, ...]
    quote: str = ""


def read_points(answer: str, allowed: Iterable[int]) -> list[SummaryPoint]:
    """Parse an answer's points in order; numbers that weren't allowed are dropped."""
    known = frozenset(allowed)
    # Asked for lines or JSON, models answer in either, so both are read: `[12] text`, `- text [12, 13]`, JSON in a
    # fence.
    read = _from_json(answer) if _JSON.match(answer) else _from_lines(answer)
    # A number that wasn't shown was made up; the claim stays and its place is looked up.
    found = [SummaryPoint(text, tuple(dict.fromkeys(n for n in ids if n in known)), quote) for text, ids, quote in read]
    # Some write "None" after a number.
    return [point for point in found if point.text and not _NONE.fullmatch(point.text)]


def read_list(answer: str, paragraphs: Sequence[tuple[int, str]]) -> list[SummaryPoint]:
    """Read a small model's list: each entry with the paragraphs that contain its words.

    Entries found nowhere are dropped. A line with several entries is split if the text has each of them but not the
    line.
    """
    plain = [(number, _SPACE.sub(" ", text).casefold()) for number, text in paragraphs]
    lines = (_NUMBERED.sub("", without_mark(line)).strip(_AROUND_ENTRY) for line in answer.splitlines())
    # Plain lists have no numbers: places are looked up by the entry's words.
    found = []
    for line in filter(None, (_FULL_STOP.sub("", line) for line in lines)):
        parts = [part for part in _SEPARATORS.split(line) if part]
        are_apart = (
            len(parts) > 1
            and not _paragraphs_with(line, plain)
            # "Ulm, Bonn and Kiel" is three entries only if the text has each of them but not the line.
            and all(_paragraphs_with(part, plain) for part in parts)
        )
        for text in parts if are_apart else [line]:
            if ids := _paragraphs_with(text, plain) or _likely_place(text, plain):
                found.append(SummaryPoint(_clean_line(text), ids))
    return found


def _paragraphs_with(text: str, paragraphs: Sequence[tuple[int, str]]) -> tuple[int, ...]:
    """Return the paragraphs that contain a text verbatim."""
    wanted = re.compile(rf"(?<!\w){re.escape(_SPACE.sub(' ', text).casefold())}(?!\w)")
    return tuple(number for number, words in paragraphs if wanted.search(words))[:MOST_IDS]


def _likely_place(text: str, paragraphs: Sequence[tuple[int, str]]) -> tuple[int, ...]:
    """Return the paragraph with most of a text's words, if the share is large enough."""
    if not (wanted := set(_TOLD.findall(text.casefold()))) or not paragraphs:
        return ()
    counts = {number: len(wanted & set(_TOLD.findall(words))) for number, words in paragraphs}
    best = max(counts, key=lambda number: counts[number])
    # Models shorten what they copy; most of the words in one paragraph is place enough.
    return (best,) if counts[best] >= LIKELY_SHARE * len(wanted) else ()


def says_something(text: str, titles: Container[str] = ()) -> bool:
    """Return whether a text is more than a title, a running head or a list of names."""
    # A running head or heading copied as a sentence.
    if line_of(text) in titles or all(line_of(part) in titles for part in text.split(" > ")):
        return False
    words = _WORD.findall(text)
    if not any(word.upper() != word.lower() for word in words) or (text.isupper() and len(words) >= LEAST_SHOUTED):
        return bool(words)  # a script without capitals, and what is written all in them
    is_measured = _MEASURED.search(text) is not None
    # Prose has words in small letters; a list of names has only "and", "von" and the like.
    return is_measured or any(word[0].islower() and len(word) > 2 and word not in _SMALL for word in words)


def repeats_what_was_asked(text: str, source: str = "") -> bool:
    """Return whether a model echoes its prompt, unless the source has the same words."""
    found = _ASKED.search(text)
    # A text about prompts may well say "Write in English."
    return found is not None and found[0].casefold() not in source.casefold()


def line_of(text: str) -> str:
    """Normalise a line for comparison: no number, no punctuation."""
    return " ".join(_WORD.findall(text)).casefold()


def problem_of(
    answer: str, finish: FinishReason, points: Sequence[SummaryPoint], kept: Sequence[SummaryPoint]
) -> AnswerProblem | None:
    """Return what is wrong with an answer, given its points and those that passed the checks; None if it is fine."""
    is_cut = finish in CUT
    # A refusal is the only point, or the whole answer.
    if REFUSING.match(answer) or (points and all(REFUSING.match(point.text) for point in points)):
        return AnswerProblem.REFUSED
    if len(kept) * 2 < len(points):
        return AnswerProblem.REPEATED
    # Cut before two points: the section holds more than the answer may have.
    if is_cut and len(kept) < 2:
        return AnswerProblem.REPEATED if finish is FinishReason.REPEATED else AnswerProblem.TOO_LONG
    if not kept:
        if not answer.strip():
            return AnswerProblem.EMPTY
        # "None" in the form that was asked for is an answer.
        return None if _is_empty_list(answer) else AnswerProblem.UNREADABLE
    return None


T = TypeVar("T")


def without_repeats(
    given: Sequence[T], text_of: Callable[[T], str], join: Callable[[T, T], T] | None = None
) -> list[T]:
    """Drop repetitions, keeping the longest form, and texts that run in circles.

    Texts are equal if their words (nearly) are, with the same numbers and negations, and if not each has a
    significant word the other lacks. `join` merges the longer and the shorter of two.
    """
    from rapidfuzz import fuzz, utils

    kept: list[T] = []
    known: list[tuple[str, tuple[Any, ...]]] = []
    for item in given:
        text = text_of(item)
        if is_looping(text):
            continue
        # Numbers and negations decide: "not" or another year makes another statement of the same words.
        plain, facts = utils.default_process(text), _text_facts(text)
        same = next(
            (
                place
                for place, (other, its_facts) in enumerate(known)
                if facts == its_facts
                and fuzz.token_set_ratio(plain, other) >= SAME_SCORE
                # Two sentences of one pattern about two things are alike in nearly all words.
                and not _texts_differ(text, text_of(kept[place]))
            ),
            None,
        )
        if same is None:
            kept.append(item)
            known.append((plain, facts))
            continue
        # The longer one usually has the condition or the date that the other lacks.
        longer, shorter = (item, kept[same]) if len(plain) > len(known[same][0]) else (kept[same], item)
        kept[same] = join(longer, shorter) if join is not None else longer
        if longer is item:
            known[same] = (plain, facts)
    return kept


def _texts_differ(one: str, other: str) -> bool:
    """Return whether each has a word the other lacks, as in sentences of one pattern about two things."""
    mine, others = _WORD.findall(one), _WORD.findall(other)
    return bool(_own_words(mine, others)) and bool(_own_words(others, mine))


def _own_words(words: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return names and longer words without a form (one with the same beginning) among the others."""
    known = [word.casefold() for word in others]
    # Short words are function words, but names may be short.
    telling = [word.casefold() for word in words if len(word) >= LEAST_TELLING or word[0].isupper()]
    return [word for word in telling if word not in known and not any(_begin_alike(word, text) for text in known)]


def _begin_alike(one: str, other: str) -> bool:
    letters = max(3, round(FORM_SHARE * min(len(one), len(other))))
    # Forms of one word differ at their end.
    return one[:letters] == other[:letters]


def is_looping(text: str) -> bool:
    """Return whether the same run of words keeps repeating."""
    words = text.casefold().split()
    # Every run counts: a loop may begin anywhere, after a sensible start.
    runs = [tuple(words[at : at + LOOP_WORDS]) for at in range(len(words) - LOOP_WORDS + 1)]
    return any(runs.count(run) >= LOOP_TIMES for run in set(runs)) if len(runs) > len(set(runs)) else False


def cited_runs(line: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Split a line into texts with the bracketed numbers after each; the last may have none.

    If the line starts with numbers, they precede their text, and numbers inside a sentence belong to the sentence.
    """
    if _IDS.match(line):
        # Numbers at the end as well as at the start: a model that was told to begin with them ends with them, too.
        found = _IDS.finditer(_LAST_IDS.sub("", line))
        places = [
            # Only behind an ended sentence does a number begin the next one; "[3]" inside belongs to the text.
            match
            for match in found
            if not line[: match.start()].strip() or _ENDED.search(line, 0, match.start())
        ]
        ends = [*(match.start() for match in places[1:]), len(line)]
        for match, end in zip(places, ends, strict=True):
            text = _LAST_IDS.sub("", line[match.end() : end]).strip()
            if text := _clean_line(sentence_of_small(text.lstrip(_LIST_SIGNS))):
                yield text, _match_numbers(match)
        return
    at = 0
    for match in _IDS.finditer(line):
        text = sentence_of_larger(line[at : match.start()].strip())
        at = match.end()
        if line[at : at + 1] in (".", "!", "?", "。", ",", ";", ":"):  # the point stands after the bracket
            text += "" if text.endswith(GOES_ON) else line[at] if line[at] in ".!?。" else "."
            at += 1
        if text.strip():
            yield _clean_line(text), _match_numbers(match)
    if line[at:].strip():
        yield _clean_line(line[at:]), ()


def without_mark(line: str) -> str:
    """Strip a list bullet or number from a line."""
    return _LINE.sub("", line, count=1)


def _match_numbers(match: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", match[1]))


def _clean_line(text: str) -> str:
    whole = _SPACE.sub(" ", text).strip()
    # Small models begin with the last line of their prompt.
    text = _ECHO.sub("", whole, count=1)
    if text != whole and text[:1].upper() == text[:1].lower() and not text[:1].isalpha():
        return ""  # it said again what was asked, and then no sentence
    return text if len(text) <= MOST_CHARACTERS else whole_words(text[: MOST_CHARACTERS - 1])


def _text_facts(text: str) -> tuple[Any, ...]:
    return tuple(sorted(_NUMBER.findall(text))), len(_NEGATION.findall(text))


def _from_lines(answer: str) -> Iterator[tuple[str, tuple[int, ...], str]]:
    for line in answer.splitlines():
        for text, ids in cited_runs(without_mark(line)):
            # A line without numbers and full stop is a heading or was cut off.
            if ids or text[-1:] in ".!?。！？":
                yield text, ids, ""


def _from_json(answer: str) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Yield the points of JSON, complete or not: every object with a text."""
    # Line breaks in strings are no fault where the text itself is wanted.
    decoder = json.JSONDecoder(strict=False)
    at = answer.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(answer, at)
        except (ValueError, RecursionError):
            # One broken object costs no others: the next brace is tried.
            end = at + 1
        else:
            yield from _in_value(value)
        at = answer.find("{", end)


def _in_value(value: Any) -> Iterator[tuple[str, tuple[int, ...], str]]:
    if not isinstance(value, dict):
        return
    listed = value.get("points")
    if isinstance(listed, list):
        for point in listed:
            yield from _in_value(point)
    elif isinstance(text := value.get("t"), str):
        ids = value.get("ids")
        numbers = ids if isinstance(ids, list) else [ids]
        quote = value.get("q")
        # `true` is an int in Python.
        known = tuple(n for n in numbers if isinstance(n, int) and not isinstance(n, bool))
        yield _clean_line(sentence_of_larger(text.strip())), known, quote if isinstance(quote, str) else ""


def _is_empty_list(answer: str) -> bool:
    lines = [_IDS.sub("", line).strip() for line in answer.splitlines() if line.strip()]
    bare = _SPACE.sub("", answer).strip("`").removeprefix("json")
    return bare in ('{"points":[]}', "[]") or (bool(lines) and all(map(_NONE.fullmatch, lines)))


MOST_IDS, MOST_CITED_A_LINE = 4, 7
