"""Messages in the syntax of ICU: the words of each form of a plural or a choice, apart from the syntax around them."""

from __future__ import annotations

import re
from typing import NamedTuple

from app.documents.segments import Mark, Tagged, content_of

_CHOICE = re.compile(r"\{\s*[\w.]+\s*,\s*(?:plural|select|selectordinal)\s*,")
# `offset:1` comes before the forms of a plural (ICU: "you and 3 others").
_OFFSET = re.compile(r"\s*offset:\s*\d+")
_FORM = re.compile(r"\s*(=\d+|[\w-]+)\s*\{")


class PluralForm(NamedTuple):
    """Place of a plural form's text, and its name, such as "one" or "=0"."""

    start: int
    end: int
    name: str


def is_choice(message: str) -> bool:
    """Return whether there are plurals or choices in a message."""
    return _CHOICE.search(message) is not None


def forms(message: str) -> list[PluralForm] | None:
    """Return the forms of a message's only plural or choice; None if there is another."""
    opening = _CHOICE.search(message)
    if opening is None:
        return None
    at = opening.end()
    offset = _OFFSET.match(message, at)
    at = offset.end() if offset is not None else at
    found = list[PluralForm]()
    while (form := _FORM.match(message, at)) is not None:
        end = _closing_brace(message, form.end())
        if end < 0:
            return None
        found.append(PluralForm(form.end(), end, form[1]))
        at = end + 1
    is_closed = re.match(r"\s*\}", message[at:]) is not None
    # Inside of a form another choice may stand.
    is_only = len(_CHOICE.findall(message)) == 1
    return found if found and is_closed and is_only else None


def in_sentence(message: str, found: list[PluralForm]) -> Tagged | None:
    """Return a message with a choice inside a sentence, its syntax as marks; None if the choice stands alone.

    The marks must stay in order.
    """
    opening = _CHOICE.search(message)
    start = opening.start() if opening is not None else 0
    end = message.index("}", found[-1].end + 1) + 1
    # No word around the choice: its forms are sentences, each translated by itself.
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


def _closing_brace(message: str, start: int) -> int:
    """Return the matching closing brace; quoted braces aren't syntax."""
    depth, at = 1, start
    while at < len(message):
        # An apostrophe quotes only before a brace or a number sign; "don't" is plain text (ICU's default mode).
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
