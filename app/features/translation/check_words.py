"""Checks of a translation by itself: remarks of the model, refusals, control tags, words in a circle."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import NamedTuple

from app.documents.clean import clean_text
from app.features.summary.points import REFUSING
from app.features.translation.problems import Problem, ProblemKind

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


class Tidied(NamedTuple):
    """An answer without what does not belong to the translation, and what that was."""

    text: str
    problems: tuple[Problem, ...]


def tidied(source: str, answer: str) -> Tidied:
    """Takes out what a model says around a translation; `source` is the text it was given, which may say it too."""
    problems: list[Problem] = []
    text = clean_text(answer).strip()
    if (leak := _LEAK.search(text)) and leak[0] not in source:
        problems.append(Problem(ProblemKind.LEAK, leak[0]))
        head = text[: leak.start()].strip()
        text = head or _LEAK.sub("", text).strip()
    if (fence := _FENCE.match(text)) and "```" not in source:
        text = fence[1].strip()
    if (remark := _REMARK.match(text)) and not _REMARK.match(source):
        problems.append(Problem(ProblemKind.REMARK, remark[0].strip()))
        text = text[remark.end() :].strip()
    if (more := _AFTERTHOUGHT.search(text)) and "\n" not in source.strip():
        problems.append(Problem(ProblemKind.REMARK, more[0].strip()[:60]))
        text = text[: more.start()].strip()
    text = _unescaped(source, _unquoted(source, text))
    if "\n" not in source:
        text = re.sub(r"\s*\n\s*", " ", text)
    return Tidied(text, tuple(problems))


def _unquoted(source: str, text: str) -> str:
    for opening, closing in _QUOTES:
        inner = text[1:-1]
        has_both = len(text) > 2 and text.startswith(opening) and text.endswith(closing)
        if (
            has_both
            and opening not in inner
            and closing not in inner
            and not source.lstrip().startswith(_any_opening())
        ):
            return inner.strip()
    return text


def _unescaped(source: str, text: str) -> str:
    """Models like to write signs as entities where the source has them plain."""
    if _ENTITY.search(source):
        return text
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _any_opening() -> tuple[str, ...]:
    return tuple({opening for opening, _ in _QUOTES})


def refuses(source: str, text: str) -> bool:
    """Whether the model says that it will not translate, which the source does not say."""
    return any(one.match(text) and not one.match(source) for one in (REFUSING, _REFUSING_TO_TRANSLATE))


def loop_in(source: str, text: str) -> str:
    """Words that come again and again right behind one another, where the source has nothing like it; "" for none."""
    found = _loop_of_words(text.casefold().split()) or _loop_of_characters(text)
    if not found or _loop_of_words(source.casefold().split(), times=2) or _loop_of_characters(source):
        return ""
    return found


def _loop_of_words(words: Sequence[str], times: int = LOOP_TIMES) -> str:
    for size in range(1, min(MOST_LOOP_WORDS, len(words) // times) + 1):
        streak = 0
        for at in range(size, len(words)):
            streak = streak + 1 if words[at] == words[at - size] else 0
            if streak >= size * (times - 1):
                found = " ".join(words[at - size + 1 : at + 1])
                if len(found) * (streak // size + 1) >= LEAST_LOOP_CHARACTERS:
                    return found
    return ""


_CHARACTERS = re.compile(r"(.{1,20}?)\1{5,}", re.DOTALL)


def _loop_of_characters(text: str) -> str:
    """In scripts without spaces, and runs of one sign."""
    if max(map(len, text.split()), default=0) < LEAST_LOOP_CHARACTERS:
        return ""
    for match in _CHARACTERS.finditer(text):
        if len(match[0]) >= LEAST_LOOP_CHARACTERS and any(one.isalpha() for one in match[1]):
            return match[1].strip()
    return ""
