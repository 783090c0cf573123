"""Find sentence ends: full stops not part of an abbreviation, and the signs of other scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

ENDS = ".!?…۔؟।॥።፧"
"""Signs that end a sentence if white space follows."""
ENDS_AT_ONCE = "。！？｡．"
"""Signs that end a sentence whatever follows."""
CLOSING = "'\"”’»)\\]"
"""Characters that may follow an end. These three are contents of a regular expression's brackets."""
ABBREVIATIONS = (
    "Dr", "Mr", "Mrs", "Ms", "Prof", "St", "No", "Nr", "Fig", "Figs", "Abb", "Eq", "Sec", "Art", "Vol", "Ch", "App",
    "vs", "al", "cf", "Cf", "e.g", "i.e", "z.B", "d.h", "u.a", "ca", "bzw", "vgl", "approx", "resp", "Co", "Sr", "Sra",
    "Gen", "Sen", "Rev", "Mme", "Hr", "Fr", "Abs", "pp", "Jan", "Feb", "Mar", "Apr", "Aug", "Sept", "Oct", "Nov", "Dec",
)  # fmt: skip
"""Words after which a full stop, a space and a capital don't end a sentence."""
AT_AN_END = ("Inc", "Ltd", "Corp", "Jr", "Mio", "Mrd")
"""The same, but as often it is the last word."""
# Behind the sign closing quotes and brackets belong to the sentence.
_END = re.compile(rf"""[{ENDS}]+[{CLOSING}]*(?:\s+|$) | [{ENDS_AT_ONCE}…]+[」』”’）》】]*\s*""", re.VERBOSE)
_LETTER = r"[^\W\d_]"
# A single letter and a point is an initial.
_SHORT = re.compile(rf"(?:^|\W)(?:{_LETTER}|{_LETTER}\.{_LETTER}|{'|'.join(map(re.escape, ABBREVIATIONS))})$")
_SHORT_BEFORE_NUMBER = re.compile(_SHORT.pattern, re.IGNORECASE)
_LONGEST_BEFORE = 12
_ORDINAL = re.compile(
    r"(?:(?:^|\n)\s*|\b(?:de[mnrs]|die|das|[iav]m|vom|zu[mr]|bis|und|seine[mnrs]?|ihre[mnrs]?)\s)\d{1,2}$",
    re.IGNORECASE,
)
"""In a list, and in German, where what is counted is written large ("der 2. Weltkrieg")."""
_DAY = re.compile(r"(?<!\d)\d{1,2}$")
_MONTHS = frozenset(("jan", "feb", "mär", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"))
_GOES_ON = ",;:)"
_LINE = re.compile(r"\n+")
LONGEST_HELD = 40
_WHOLE = re.compile(rf"""(?:[{ENDS}{ENDS_AT_ONCE}][{CLOSING}」』）》】*_~`]*|^\s*```+|^\s*~~~+|\|)\Z""", re.MULTILINE)


def sentence_ends(text: str) -> Iterator[int]:
    """Yield the positions after sentences and the white space behind; the text's end may be one."""
    # Only full stops are ambiguous.
    for match in _END.finditer(text):
        if not match[0].startswith(".") or not _goes_on(text, match.start(), match.end()):
            yield match.end()


def split_sentences(text: str, *, by_line: bool = True) -> Iterator[tuple[int, int]]:
    """Yield the ranges of sentences without surrounding white space; `by_line`, a line's end is also a sentence's."""
    # A heading or an item has no full stop.
    lines = (match.end() for match in _LINE.finditer(text)) if by_line else ()
    for start, end in pairwise(sorted({0, *sentence_ends(text), *lines, len(text)})):
        body = text[start:end].strip()
        if body:
            begin = start + text[start:end].index(body)
            yield begin, begin + len(body)


def whole_sentences_length(text: str) -> int:
    """Return the length of the complete sentences or lines of a growing text, with the white space after them."""
    ends = (*sentence_ends(text), *(match.end() for match in _LINE.finditer(text)))
    # Only if white space follows: the next letter could belong to the same word.
    return max((end for end in ends if text[end - 1].isspace()), default=0)


def written_words(text: str) -> int:
    """Return the length of a growing text up to its last complete word.

    In scripts without spaces each character is one. Words longer than `LONGEST_HELD` aren't waited for.
    """
    for index in range(len(text), 0, -1):
        character = text[index - 1]
        # From here on in Unicode scripts have no spaces between words.
        if character.isspace() or ord(character) > 0x2E7F or character in "-/,.;:!?)|*`_":
            return index
    return len(text) if len(text) > LONGEST_HELD else 0


def is_whole(text: str) -> bool:
    """Return whether a Markdown text is complete: its last sentence, code or table has an end."""
    return _WHOLE.search(text.rstrip()[-LONGEST_HELD:]) is not None


def _goes_on(text: str, at: int, following: int) -> bool:
    """Return whether a full stop doesn't end a sentence: "Dr. Ito", "fig. 3", "12. März", "et al . , 2010"."""
    first = text[following : following + 1]
    # A small letter or a comma behind it: the sentence goes on, whatever the point was.
    if first.islower() or (first and first in _GOES_ON):
        return True
    before = text[max(0, at - _LONGEST_BEFORE) : at]
    if (_SHORT_BEFORE_NUMBER if first.isdigit() else _SHORT).search(before):
        return True
    if _ORDINAL.search(before):
        return True
    # "12. März": in German a day, and the month is large.
    return bool(_DAY.search(before)) and text[following : following + 3].casefold() in _MONTHS
