"""The strings of a JSON file with their places, found by a scanner of tokens; comments are passed over.

Source of the grammar: RFC 8259. Comments, commas before a closing bracket and control characters in strings are let
pass, as many programs write them; nothing of that is changed. Several values may follow, each on a line of its own
(JSON Lines).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from app.core.errors import DocumentUnreadable

MOST_DEPTH = 500
_TOKEN = re.compile(
    r'(?P<space>[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)|(?P<string>"(?:[^"\\\r\n]|\\[^\r\n])*+")|(?P<sign>[\[\]{},:])'
    r"|(?P<word>true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)",
    re.DOTALL,
)


class String(NamedTuple):
    """A string: where it is with its quotes, its value, the keys above it, and whether it is a key itself."""

    start: int
    end: int
    value: str
    path: tuple[str, ...]
    is_key: bool = False
    has_more: bool = False
    """Of a key: its value is an object."""


class _Level:
    def __init__(self, is_object: bool) -> None:
        self.is_object, self.name, self.count = is_object, "", 0


def strings(text: str, path: str) -> Iterator[String]:
    """All strings in order, keys too; raises DocumentUnreadable: damaged or too_deep. `path` is for that."""
    levels: list[_Level] = []
    waits = "value"
    tokens = list(_tokens(text, path))
    for at, (kind, start, end) in enumerate(tokens):
        sign = text[start:end] if kind == "sign" else kind
        top = levels[-1] if levels else None
        begins_anew = waits == "comma" and top is None and "\n" in text[tokens[at - 1][2] : start]
        waits = "value" if begins_anew else waits
        if sign in ("]", "}"):
            if top is None or top.is_object != (sign == "}") or waits in ("colon", "member"):
                raise DocumentUnreadable(path, "damaged")
            levels.pop()
            waits = "comma"
        elif sign == "," and waits == "comma" and top is not None:
            top.count += 1
            waits = "key" if top.is_object else "value"
        elif sign == ":" and waits == "colon":
            waits = "member"
        elif sign in ("[", "{") and waits in ("value", "member"):
            levels.append(_Level(sign == "{"))
            if len(levels) > MOST_DEPTH:
                raise DocumentUnreadable(path, "too_deep")
            waits = "key" if sign == "{" else "value"
        elif kind == "string" and waits == "key" and top is not None:
            top.name = _value(text[start:end], path)
            more = at + 2 < len(tokens) and text[tokens[at + 2][1]] == "{"
            yield String(start, end, top.name, _path(levels[:-1]), True, more)
            waits = "colon"
        elif kind in ("string", "word") and waits in ("value", "member"):
            if kind == "string":
                yield String(start, end, _value(text[start:end], path), _path(levels))
            waits = "comma"
        else:
            raise DocumentUnreadable(path, "damaged")
    if levels or waits != "comma":
        raise DocumentUnreadable(path, "damaged")


def _tokens(text: str, path: str) -> Iterator[tuple[str, int, int]]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise DocumentUnreadable(path, "damaged")
        at = found.end()
        if found.lastgroup != "space":
            yield str(found.lastgroup), found.start(), at


def _path(levels: list[_Level]) -> tuple[str, ...]:
    return tuple(level.name if level.is_object else str(level.count) for level in levels)


def _value(raw: str, path: str) -> str:
    try:
        return str(json.loads(raw, strict=False))
    except ValueError:
        raise DocumentUnreadable(path, "damaged") from None


_UNICODE = re.compile(r"(?<!\\)(?:\\\\)*((?:\\u[0-9A-Fa-f]{4})+)")


def string(new: str, raw: str, *, is_ascii: bool) -> str:
    """A string in JSON. What `raw` escapes is escaped in it too; with `is_ascii`, all letters beyond ASCII."""
    found = json.dumps(new, ensure_ascii=is_ascii)
    escaped = {each for run in _UNICODE.findall(raw) for each in json.loads(f'"{run}"')}
    for letter in escaped - set('"\\'):
        if letter.isprintable() and len(letter) == 1 and not 0xD800 <= ord(letter) <= 0xDFFF:
            found = found.replace(
                letter, json.dumps(letter, ensure_ascii=True)[1:-1] if not letter.isascii() else f"\\u{ord(letter):04x}"
            )
    if "\\/" in raw:
        found = found.replace("/", "\\/")
    return re.sub("[\ud800-\udfff]", lambda lone: f"\\u{ord(lone[0]):04x}", found)
