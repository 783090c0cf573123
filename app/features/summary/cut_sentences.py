"""Sentences that the rules of an answer ended at their most characters: they get back to their last whole word.

Half a word looks like one that the text does not have, and a stop was put behind it only because a rule wanted it.
"""

from __future__ import annotations

import re

from app.features.summary import grammar

LONGEST_WORD = 40
"""What has no space for longer is no word: there the text is written without spaces."""
GOES_ON = "…"
_ENDS = (".", "!", "?", "。", "！", "？", "।", "؟", "۔", GOES_ON, '"', "”", ")")
_LOOSE = " ,;:(–—-"
_CAPITAL = grammar.CAPITAL
_SHORT = rf"(?:{'|'.join(map(re.escape, grammar.ABBREVIATIONS))})\. "
_GOES = rf"{_SHORT}|[{_CAPITAL}a-zß-ÿ]{{1,4}}\. [a-zß-ÿ0-9(]|(?:[{_CAPITAL}]\.[ -]?){{0,4}}[{_CAPITAL}]\. "
_STEP = re.compile(
    rf"[ (-](?:{_SHORT}){{0,2}}(?:{_GOES}|[{_CAPITAL}](?:\.[{_CAPITAL}]){{1,4}})|[.!?][^ \n\[\]]|[^\n\[\]]"
)
"""What counts as one character in the rules of small models."""


def sentence_of_small(text: str) -> str:
    """As a small model wrote it, with a stop behind so many characters at the latest."""
    is_full = len(_STEP.findall(text[1:-1])) == grammar.MOST_CHARACTERS
    return whole_words(text[:-1]) if is_full else text


def sentence_of_larger(text: str) -> str:
    """As a larger model wrote it, whose rules end a text without a stop."""
    is_full = len(text) >= grammar.MOST_FREE_CHARACTERS - 1 and not text.endswith(_ENDS)
    return whole_words(text) if is_full else text


def question(text: str) -> str:
    """With its question mark, which the rules want after so many characters."""
    is_full = len(text) == grammar.MOST_QUESTION_CHARACTERS + 2
    return f"{whole_words(text[:-1])}?" if is_full else text


def whole_words(text: str) -> str:
    """Without its last word, which may be half of one, and with a sign that it went on."""
    before, _, last = text.rpartition(" ")
    return f"{(before if len(last) <= LONGEST_WORD else text).rstrip(_LOOSE)}{GOES_ON}"
