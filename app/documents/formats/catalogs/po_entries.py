"""The entries of a PO file with the place of each of their parts.

Source: the gettext manual, "The Format of PO Files".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.core.errors import DocumentUnreadable

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_KEYWORD = re.compile(r"[ \t]*(msgctxt|msgid_plural|msgid|msgstr(?:\[\d{1,3}\])?)[ \t]*(?=\")")
_STRING = re.compile(r'[ \t]*"((?:[^"\\]|\\.)*+)"[ \t]*')
_ESCAPE = re.compile(r"\\([abfnrtv\\\"'?]|[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WRITTEN = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}
LINE_COLUMNS = 79


@dataclass
class Field:
    """A keyword with its strings: `start` is the keyword's, `strings` the first quote's, `end` the last quote's."""

    name: str
    start: int
    strings: int
    end: int
    value: str = ""
    lines: int = 1


@dataclass
class Entry:
    """A message. `flags` and `previous` are lines of comments with their newline: where they are."""

    fields: dict[str, Field] = field(default_factory=dict)
    extracted: list[str] = field(default_factory=list)
    flags: list[tuple[int, int]] = field(default_factory=list)
    previous: list[tuple[int, int]] = field(default_factory=list)
    is_fuzzy: bool = False

    def value(self, name: str) -> str:
        """Of a field; "" without it."""
        return self.fields[name].value if name in self.fields else ""

    @property
    def is_header(self) -> bool:
        """The entry of the empty message, which tells of the file."""
        return not self.value("msgid") and "msgctxt" not in self.fields and "msgid" in self.fields

    @property
    def translations(self) -> list[Field]:
        """Its msgstr fields in order."""
        return [each for name, each in self.fields.items() if name.startswith("msgstr")]


def entries(text: str, path: str) -> Iterator[Entry]:
    """All entries in order, but obsolete ones; raises DocumentUnreadable ("damaged"). `path` is for that."""
    entry, last = Entry(), None
    for found in _LINE.finditer(text):
        line, start, end = found[1], found.start(), found.end()
        keyword = _KEYWORD.match(line)
        if line.lstrip().startswith("#"):
            if entry.fields:
                yield entry
                entry, last = Entry(), None
            _comment(entry, line.lstrip(), start, end)
        elif keyword is not None:
            name = keyword[1]
            if (name in ("msgctxt", "msgid") and "msgid" in entry.fields) or name in entry.fields:
                yield entry
                entry = Entry()
            last = Field(name, start + line.index(name), start + keyword.end(), start + keyword.end())
            entry.fields[name] = last
            _add(last, line, keyword.end(), start, path)
        elif line.strip():
            if last is None:
                raise DocumentUnreadable(path, "damaged")
            last.lines += 1
            _add(last, line, 0, start, path)
    if entry.fields:
        yield entry


def _comment(entry: Entry, line: str, start: int, end: int) -> None:
    if line.startswith("#,"):
        entry.flags.append((start, end))
        entry.is_fuzzy = entry.is_fuzzy or "fuzzy" in [flag.strip() for flag in line[2:].split(",")]
    elif line.startswith("#|"):
        entry.previous.append((start, end))
    elif line.startswith("#."):
        entry.extracted.append(line[2:].strip())
    elif line.startswith("#~"):
        entry.extracted.clear()


def _add(last: Field, line: str, at: int, start: int, path: str) -> None:
    found = _STRING.fullmatch(line, at)
    if found is None:
        raise DocumentUnreadable(path, "damaged")
    last.value += _ESCAPE.sub(_unescaped, found[1])
    last.end = start + found.end(1) + 1


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "01234567":
        return chr(int(code, 8) & 0xFF)
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)


def strings(value: str, columns: int, newline: str) -> str:
    """A value as one string, or as a line for each of its lines, filled to the usual width, behind an empty string.

    `columns` is how wide what stands before it is.
    """
    parts = [part for part in re.split(r"(?<=\n)", value) if part]
    lines = [line for part in parts for line in _filled(_escaped(part), LINE_COLUMNS - 2)]
    if len(lines) <= 1 and (not lines or columns + len(lines[0]) + 2 <= LINE_COLUMNS):
        return f'"{"".join(lines)}"'
    return newline.join(['""', *(f'"{line}"' for line in lines)])


def _escaped(value: str) -> str:
    return re.sub(r"[\\\"\n\t\r\a\b\f\v]", lambda found: _WRITTEN[found[0]], value)


def _filled(text: str, most: int) -> Iterator[str]:
    line = ""
    for piece in re.findall(r"\S+\s*|\s+", text):
        if line and len(line) + len(piece) > most:
            yield line
            line = ""
        line += piece
    if line:
        yield line
