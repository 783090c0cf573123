"""What a voice says of a written text: sentences of bearable length, and their words without any markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.language.sentences import split_sentences

MOST_CHARACTERS = 400
"""Longer sentences are cut at a comma or a space, so that the mark stays near the words that are heard."""
_LEAST_SHARE = 0.4
_PAUSES = re.compile(r"[;:,،、，；：—–]\s*|\s+")
_LETTERS = re.compile(r"[^\W_]")
_PICTURE = re.compile(r"!\[([^\]\n]*)\]\([^()\s]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\]\([^()\s]*\)")
_NOTE = re.compile(r"\[\^[^\]\n]+\]")
_ADDRESS = re.compile(r"\bhttps?://(?:www\.)?([^\s/?#:)>\]]+)[^\s)>\]]*", re.IGNORECASE)
_BEGIN = re.compile(r"^\s*(?:#{1,6}\s+|(?:>\s?)+|[-+*•‣◦▪☐☑]\s+|\[[ xX]\]\s+)+")
_SIGNS = re.compile(r"\*{1,3}|~~|`+|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|\\(?=[\\`*_{}\[\]()#+.!|~-])|\|")
_SIMPLE_FORMULA = re.compile(r"[\w\s.,+=<>()−-]{1,30}")


def spoken_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of a paragraph's sentences that have words, none longer than `MOST_CHARACTERS`."""
    for start, end in split_sentences(text):
        begin = start
        while begin < end:
            cut = _last_pause(text, begin, begin + MOST_CHARACTERS) if end - begin > MOST_CHARACTERS else end
            if _LETTERS.search(text, begin, cut):
                yield begin, cut
            begin = cut


def spoken_words(text: str) -> str:
    """Return the words of a sentence: links by their words, addresses by their host, Markdown without its signs."""
    text = _LINK.sub(r"\1", _PICTURE.sub(r"\1", _NOTE.sub("", text)))
    text = _SIGNS.sub(lambda found: " " if found[0] == "|" else "", _BEGIN.sub("", _ADDRESS.sub(r"\1", text)))
    return " ".join(text.split())


def spoken_formula(source: str) -> str:
    """Return a formula that can be read as it is written, such as "n = 5"; "" for others."""
    plain = source.strip("$ ")
    return plain if _SIMPLE_FORMULA.fullmatch(plain) else ""


def _last_pause(text: str, start: int, end: int) -> int:
    """Return where a long sentence is cut: behind the last comma that is not too early, else behind a space."""
    least = start + round((end - start) * _LEAST_SHARE)
    found = list(_PAUSES.finditer(text, least, end))
    marks = [pause.end() for pause in found if not pause[0].isspace()]
    return marks[-1] if marks else found[-1].end() if found else end
