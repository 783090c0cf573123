"""The fields of a DOCX: which are words to translate, and which stand for something that Word finds out by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.documents.formats.word.styles import W
from app.documents.xml_tree import Element

FIELD = f"{W}fldChar"
INSTRUCTION = f"{W}instrText"
_WORDS = frozenset(
    ("HYPERLINK", "REF", "STYLEREF", "TITLE", "SUBJECT", "KEYWORDS", "COMMENTS", "QUOTE", "IF", "FORMTEXT", "FILLIN")
    + ("ASK", "TOC", "INDEX", "TOA", "BIBLIOGRAPHY", "INCLUDETEXT", "AUTOTEXT", "AUTOTEXTLIST", "GLOSSARY", "FTREF")
)
"""Fields whose result is made of words of this document; the others give numbers, dates, names, or a reference list's
short forms."""


class Raw(NamedTuple):
    """An inline element, and the run that it is in (None for what is in none)."""

    run: Element | None
    element: Element

    @property
    def mark(self) -> str:
        """begin, separate, end, or "" for what is no mark of a field."""
        return self.element.get(f"{W}fldCharType", "") if self.element.tag == FIELD else ""


class Found(NamedTuple):
    """A field: its code with the marks around it, its result, its end. `is_whole`: it begins and ends here."""

    code: list[Raw]
    result: list[Raw]
    end: list[Raw]
    is_whole: bool


def next_field(raws: Sequence[Raw], start: int) -> tuple[Found, int]:
    """The field that begins at an index, and the index after it.

    One that has no end here (a table of contents) is its code only, as far as it goes; its result is read as usual.
    """
    depth, separate = 0, 0
    for index in range(start, len(raws)):
        mark = raws[index].mark
        if mark == "begin":
            depth += 1
        elif mark == "separate" and depth == 1:
            separate = separate or index
        elif mark == "end":
            depth -= 1
            if depth == 0:
                cut = separate or index - 1
                found = Found(list(raws[start : cut + 1]), list(raws[cut + 1 : index]), [raws[index]], True)
                return found, index + 1
    cut = separate + 1 if separate else _code_end(raws, start)
    return Found(list(raws[start:cut]), [], [], False), cut


def _code_end(raws: Sequence[Raw], start: int) -> int:
    """Where the code of a field that is not separated here ends: at the last instruction."""
    last = start
    for index in range(start, len(raws)):
        if raws[index].element.tag == INSTRUCTION or raws[index].mark:
            last = index
    return last + 1


def has_words(instruction: str) -> bool:
    """Whether what a field shows are words to translate."""
    name = instruction.split(maxsplit=1)[0].upper() if instruction.strip() else ""
    return name in _WORDS


def is_link(instruction: str) -> bool:
    """Whether a field is a link."""
    return instruction.strip().upper().startswith("HYPERLINK")


def instruction_of(code: Sequence[Raw]) -> str:
    """What a field is told to do, without what fields inside it are told."""
    depth, words = 0, []
    for raw in code:
        depth += {"begin": 1, "end": -1}.get(raw.mark, 0)
        if raw.element.tag == INSTRUCTION and depth <= 1:
            words.append(raw.element.text or "")
    return "".join(words)
