"""Entries of a PO file with the place of each of their parts, and the plural forms of languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from app.core.errors.document_errors import DocumentUnreadable
from app.core.lazy_dataclasses import dataclass, field
from app.core.paths import resource_path

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_KEYWORD = re.compile(r"[ \t]*(msgctxt|msgid_plural|msgid|msgstr(?:\[\d{1,3}\])?)[ \t]*(?=\")")
_STRING = re.compile(r'[ \t]*"((?:[^"\\]|\\.)*+)"[ \t]*')
_ESCAPE = re.compile(r"\\([abfnrtv\\\"'?]|[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WRITTEN = {letter: f"\\{code}" for code, letter in _ESCAPES.items()} | {"\\": "\\\\", '"': '\\"'}
LINE_COLUMNS = 79  # gettext's page width is 79


@dataclass
class PoField:
    """A keyword with its strings: `start` is the keyword's, `strings` the first quote's, `end` the last quote's."""

    name: str
    start: int
    strings: int
    end: int
    value: str = ""
    lines: int = 1


@dataclass
class PoEntry:
    """A message. `flags` and `previous` are lines of comments with their newline: where they are."""

    fields: dict[str, PoField] = field(default_factory=dict)
    extracted: list[str] = field(default_factory=list)
    flags: list[tuple[int, int]] = field(default_factory=list)
    previous: list[tuple[int, int]] = field(default_factory=list)
    is_fuzzy: bool = False

    def value(self, name: str) -> str:
        return self.fields[name].value if name in self.fields else ""

    @property
    def is_header(self) -> bool:
        """True for the entry of the empty message, which describes the file."""
        # The empty msgid; with a context it would be a message like others.
        return not self.value("msgid") and "msgctxt" not in self.fields and "msgid" in self.fields

    @property
    def translations(self) -> list[PoField]:
        return [part for name, part in self.fields.items() if name.startswith("msgstr")]


def entries(text: str, path: str) -> Iterator[PoEntry]:
    """Yield all entries in order, but obsolete ones; raises DocumentUnreadable ("damaged"). `path` is for that."""
    entry, last = PoEntry(), None
    for found in _LINE.finditer(text):
        line, start, end = found[1], found.start(), found.end()
        keyword = _KEYWORD.match(line)
        # A comment ends an entry: it belongs to the one that follows.
        if line.lstrip().startswith("#"):
            if entry.fields:
                yield entry
                entry, last = PoEntry(), None
            _note_comment(entry, line.lstrip(), start, end)
        elif keyword is not None:
            name = keyword[1]
            # Some files have no empty line between entries.
            if (name in ("msgctxt", "msgid") and "msgid" in entry.fields) or name in entry.fields:
                yield entry
                entry = PoEntry()
            last = PoField(name, start + line.index(name), start + keyword.end(), start + keyword.end())
            entry.fields[name] = last
            _extend_field(last, line, keyword.end(), start, path)
        elif line.strip():
            if last is None:
                raise DocumentUnreadable(path, "damaged")
            last.lines += 1
            _extend_field(last, line, 0, start, path)
    if entry.fields:
        yield entry


def _note_comment(entry: PoEntry, line: str, start: int, end: int) -> None:
    if line.startswith("#,"):
        entry.flags.append((start, end))
        entry.is_fuzzy = entry.is_fuzzy or "fuzzy" in [flag.strip() for flag in line[2:].split(",")]
    elif line.startswith("#|"):
        entry.previous.append((start, end))
    elif line.startswith("#."):
        entry.extracted.append(line[2:].strip())
    # Comments above an obsolete entry are not those of the next message.
    elif line.startswith("#~"):
        entry.extracted.clear()


def _extend_field(last: PoField, line: str, at: int, start: int, path: str) -> None:
    found = _STRING.fullmatch(line, at)
    if found is None:
        raise DocumentUnreadable(path, "damaged")
    last.value += _ESCAPE.sub(_unescape_match, found[1])
    last.end = start + found.end(1) + 1


def _unescape_match(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "01234567":
        # Octal goes up to 377: a byte.
        return chr(int(code, 8) & 0xFF)
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)


def strings(value: str, columns: int, newline: str) -> str:
    """Return a value as one string, or as a line for each of its lines, filled to the usual width, behind an empty
    string.

    `columns` is how wide what stands before it is.
    """
    # A text of several lines begins with an empty string, so that its lines stand below each other.
    parts = [part for part in re.split(r"(?<=\n)", value) if part]
    lines = [line for part in parts for line in _wrap_text(_escape_value(part), LINE_COLUMNS - 2)]
    if len(lines) <= 1 and (not lines or columns + len(lines[0]) + 2 <= LINE_COLUMNS):
        return f'"{"".join(lines)}"'
    return newline.join(['""', *(f'"{line}"' for line in lines)])


def _escape_value(value: str) -> str:
    return re.sub(r"[\\\"\n\t\r\a\b\f\v]", lambda found: _WRITTEN[found[0]], value)


def _wrap_text(text: str, most: int) -> Iterator[str]:
    line = ""
    for piece in re.findall(r"\S+\s*|\s+", text):
        if line and len(line) + len(piece) > most:
            yield line
            line = ""
        line += piece
    if line:
        yield line


class PluralForms(NamedTuple):
    """`forms` counts them; `singular` is which of them is for one."""

    forms: int
    rule: str
    singular: int = 0

    @property
    def header(self) -> str:
        return f"nplurals={self.forms}; plural={self.rule};"


_ONE = PluralForms(2, "n != 1")
_TABLE = {
    code: PluralForms(forms, rule, singular)
    for codes, forms, rule, singular in json.loads(resource_path("plurals.json").read_text("utf-8"))
    for code in codes.split()
}


def plurals_of(language: str) -> PluralForms:
    """Return a language's plural forms by BCP 47 code; one and other if unknown."""
    # "pt-BR" may have a rule of its own; a country without one has its language's.
    return _TABLE.get(language) or _TABLE.get(language.partition("-")[0]) or _ONE
