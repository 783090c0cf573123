"""Checks of a translation by itself: remarks of the model, refusals, control tags, words in a circle."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import NamedTuple

from app.documents.clean import clean_text
from app.features.translate.problems import ProblemKind, TranslationProblem
from app.features.work.asking import REFUSING

_LEAK = re.compile(
    r"<\|[^<>\n]{0,40}|<｜[^<>\n]{0,40}|</?hy[-_][^<>\n]{0,40}>?|</?(?:start_of_turn|end_of_turn|eos|bos|im_start|im_end|think)\b[^<>\n]{0,10}>?"
    r"|\[/?INST\]|</?s(?:\s+n\s*=[^<>\n]*)?\s*>"
)
_REMARK = re.compile(
    r"""\A\W*(?:
        (?:(?:sure|certainly|of\ course|okay|ok|absolutely)\b[^\n:.!]{0,30}[!,.:]\s*)?
        (?:here(?:['’]s|\ is|\ are)\ (?:the|your|my|a)\ [^\n:]{0,60}transl[^\n:]{0,60}:
         | (?:the\ )?(?:\w+\ )?translat(?:ion|ed\ text)(?:\ (?:in|into|to|of)\ [^\n:]{0,40})?\s*(?:is|reads)?\s*:
         | (?:voici|voilà)\ (?:la|votre|une)\ traduction[^\n:]{0,50}: | traduction\s*(?:en\ \w+\s*)?:
         | hier\ ist\ (?:die|ihre|deine)\ übersetzung[^\n:]{0,50}: | übersetzung\s*(?:ins\ \w+\s*)?:
         | (?:aquí\ (?:está|tienes?)|esta\ es)\ (?:la|una|tu)\ traducción[^\n:]{0,50}: | traducción\s*(?:al\ \w+\s*)?:
         | (?:aqui\ está|segue)\ (?:a|uma|sua)\ tradução[^\n:]{0,50}: | tradução\s*: | ecco\ la\ traduzione[^\n:]{0,50}:
         | traduzione\s*: | вот\ перевод[^\n:]{0,50}: | перевод\s*:
         | (?:以下是|这是|這是)[^\n:：]{0,20}(?:翻译|翻譯|译文|譯文)[^\n:：]{0,20}[:：]
         | (?:译文|譯文|翻译|翻譯|翻訳|번역)\s*[:：]
        )
        | (?:sure|certainly|of\ course)[!,]\s+(?=\S)
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_AFTERTHOUGHT = re.compile(
    r"""\n\s*[(*\[]*(?:note|please\ note|explanation|translator['’]s\ note|remarque|hinweis|nota|anmerkung
            |примечание|注)
        \s*[:：].*\Z""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_REFUSING_TO_TRANSLATE = re.compile(
    r"\W*(?:Unfortunately,\ )?I(?:['’]m|\ am|\ can(?:['’]t|not)|\ won['’]t|\ do\ not|\ don['’]t)"
    r"\ (?:unable\ to\ |not\ able\ to\ |know\ how\ to\ )?translate\b",
    re.IGNORECASE,
)
_FENCE = re.compile(r"\A\s*```\w*\n(.*?)\n?```\s*\Z", re.DOTALL)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27|nbsp);")
_QUOTES = (('"', '"'), ("“", "”"), ("«", "»"), ("„", "“"), ("‘", "’"), ("「", "」"), ("'", "'"))
LOOP_TIMES = 4
MOST_LOOP_WORDS = 40
LEAST_LOOP_CHARACTERS = 24


class TidiedAnswer(NamedTuple):
    """An answer without what does not belong to the translation, and what that was."""

    text: str
    problems: tuple[TranslationProblem, ...]


def tidy_answer(source: str, answer: str) -> TidiedAnswer:
    """Remove what a model adds around a translation; `source` is the text it was given, which may contain the same."""
    problems: list[TranslationProblem] = []
    text = clean_text(answer).strip()
    if (leak := _LEAK.search(text)) and leak[0] not in source:
        problems.append(TranslationProblem(ProblemKind.LEAK, leak[0]))
        head = text[: leak.start()].strip()
        # What follows a control tag is mostly the beginning of another answer.
        text = head or _LEAK.sub("", text).strip()
    if (fence := _FENCE.match(text)) and "```" not in source:
        text = fence[1].strip()
    if (remark := _REMARK.match(text)) and not _REMARK.match(source):
        problems.append(TranslationProblem(ProblemKind.REMARK, remark[0].strip()))
        text = text[remark.end() :].strip()
    # A note behind a translation of several lines may be a part of it.
    if (more := _AFTERTHOUGHT.search(text)) and "\n" not in source.strip():
        problems.append(TranslationProblem(ProblemKind.REMARK, more[0].strip()[:60]))
        text = text[: more.start()].strip()
    text = _unescape_text(source, _unquote_text(source, text))
    # A source of one line is translated by one line.
    if "\n" not in source:
        text = re.sub(r"\s*\n\s*", " ", text)
    return TidiedAnswer(text, tuple(problems))


def _unquote_text(source: str, text: str) -> str:
    for opening, closing in _QUOTES:
        inner = text[1:-1]
        has_both = len(text) > 2 and text.startswith(opening) and text.endswith(closing)
        # Quotation marks around all of it are the model's, unless the source begins with one.
        if (
            has_both
            and opening not in inner
            and closing not in inner
            and not source.lstrip().startswith(_opening_quotes())
        ):
            return inner.strip()
    return text


def _unescape_text(source: str, text: str) -> str:
    """Unescape entities where the source has plain characters, as models tend to add them."""
    # Entities of the source were protected, so the answer may have its own.
    if _ENTITY.search(source):
        return text
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _opening_quotes() -> tuple[str, ...]:
    return tuple({opening for opening, _ in _QUOTES})


def is_refusal(source: str, text: str) -> bool:
    """Return whether the model refuses, and the source doesn't."""
    return any(pattern.match(text) and not pattern.match(source) for pattern in (REFUSING, _REFUSING_TO_TRANSLATE))


def has_repetition(source: str) -> bool:
    """Return whether the source repeats itself, so that its translation may."""
    return bool(_loop_of_words(source.casefold().split(), times=2) or _loop_of_characters(source))


def loop_in(source: str, text: str) -> str:
    """Return words repeated in immediate succession, unless the source does the like; "" for none."""
    found = _loop_of_words(text.casefold().split()) or _loop_of_characters(text)
    return "" if not found or has_repetition(source) else found


def _loop_of_words(words: Sequence[str], times: int = LOOP_TIMES) -> str:
    # Every size of a repeated run; few, since longer loops end by the limit of tokens.
    for size in range(1, min(MOST_LOOP_WORDS, len(words) // times) + 1):
        streak = 0
        for at in range(size, len(words)):
            streak = streak + 1 if words[at] == words[at - size] else 0
            if streak >= size * (times - 1):
                found = " ".join(words[at - size + 1 : at + 1])
                # "no no no no" is no loop yet.
                if len(found) * (streak // size + 1) >= LEAST_LOOP_CHARACTERS:
                    return found
    return ""


_CHARACTERS = re.compile(r"(.{1,20}?)\1{5,}", re.DOTALL)


def _loop_of_characters(text: str) -> str:
    """Find a loop in unspaced scripts, and runs of one character."""
    # Only a long run without a space can hold one; looking for it takes time by the square.
    if max(map(len, text.split()), default=0) < LEAST_LOOP_CHARACTERS:
        return ""
    for match in _CHARACTERS.finditer(text):
        if len(match[0]) >= LEAST_LOOP_CHARACTERS and any(letter.isalpha() for letter in match[1]):
            return match[1].strip()
    return ""
