"""Messages in the syntax of ICU: the words of each form of a plural or a choice, apart from the syntax around them.

Source: the ICU user guide, "Formatting Messages": {argument, plural|select|selectordinal, form {words} …}.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from app.documents.formats.catalogs.values import Tagged
from app.documents.segments import Mark, content_of

_CHOICE = re.compile(r"\{\s*[\w.]+\s*,\s*(?:plural|select|selectordinal)\s*,")
_OFFSET = re.compile(r"\s*offset:\s*\d+")
_FORM = re.compile(r"\s*(=\d+|[\w-]+)\s*\{")


class Form(NamedTuple):
    """Where the words of a form are, and its name, such as "one" or "=0"."""

    start: int
    end: int
    name: str


def is_choice(message: str) -> bool:
    """Whether there are plurals or choices in a message."""
    return _CHOICE.search(message) is not None


def forms(message: str) -> list[Form] | None:
    """The forms of the one plural or choice of a message; None where there is another one in it or beside it."""
    opening = _CHOICE.search(message)
    if opening is None:
        return None
    at = opening.end()
    offset = _OFFSET.match(message, at)
    at = offset.end() if offset is not None else at
    found = list[Form]()
    while (form := _FORM.match(message, at)) is not None:
        end = _closing(message, form.end())
        if end < 0:
            return None
        found.append(Form(form.end(), end, form[1]))
        at = end + 1
    is_closed = re.match(r"\s*\}", message[at:]) is not None
    is_only = len(_CHOICE.findall(message)) == 1
    return found if found and is_closed and is_only else None


def in_sentence(message: str, found: list[Form]) -> Tagged | None:
    """A message whose choice stands inside a sentence, with the syntax as marks; None where it is by itself.

    The marks must stay in their order.
    """
    opening = _CHOICE.search(message)
    start = opening.start() if opening is not None else 0
    end = message.index("}", found[-1].end + 1) + 1
    if not re.search(r"[^\W\d_]", message[:start] + message[end:]):
        return None
    written, at = dict[tuple[str, int], str](), start
    borders = [(form.start, form.end) for form in found] + [(end, len(message))]
    content: list[str | Mark] = [message[:start]]
    for number, (first, last) in enumerate(borders, 1):
        mark = Mark("single", number, "other", message[at:first])
        content += [mark, message[first:last]]
        written[mark.key] = message[at:first]
        at = last
    return Tagged(content_of(content), written)


def _closing(message: str, start: int) -> int:
    """The brace that closes what is open at a place; what stands between apostrophes before a brace is no syntax."""
    depth, at = 1, start
    while at < len(message):
        if message[at] == "'" and message[at + 1 : at + 2] in ("{", "}", "#"):
            at = message.find("'", at + 1)
            if at < 0:
                return -1
        elif message[at] == "{":
            depth += 1
        elif message[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    return -1
