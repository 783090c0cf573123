"""Catalogues of messages (PO): each message is a segment, and what its msgstr has so far is its translation.

A message with a plural is two segments, its singular and its plural; languages with more forms get the plural's
translation in each of the others. Comments, references, flags but "fuzzy" and obsolete entries stay as they are.

Sources: the gettext manual, "The Format of PO Files" and "Additional functions for plural forms", and the Unicode
CLDR's plural rules for languages that are not in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from app.core.errors import DocumentUnreadable
from app.core.paths import resource_path
from app.documents.encoding import TextFile
from app.documents.formats.catalogs.values import tagged, with_underscore
from app.documents.segments import Content, SegmentKind, Tagged, content_of, marks
from app.documents.source import FileSource, SegmentVisits, TargetLanguage, Visit

# In the header's Content-Type, somewhere in the first entry.
_CHARSET = re.compile(rb"[Cc]harset=([\w.:-]+)")
_SAID = re.compile(r"nplurals\s*=\s*(\d)")


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite a PO file. Raises DocumentUnreadable if it isn't one."""
    file = TextFile(source, _CHARSET)
    _PoWriter(file, SegmentVisits(visit), target).run(list(entries(file.text, str(source.path))))
    if out is not None:
        file.write(out)


class _PoWriter:
    def __init__(self, file: TextFile, visits: SegmentVisits, target: TargetLanguage | None) -> None:
        self._file, self._visits, self._target = file, visits, target
        self._plurals: PluralForms | None = None

    def run(self, found: list[PoEntry]) -> None:
        header = next((entry for entry in found if entry.is_header), None)
        if self._target is not None:
            self._plurals = plurals_of(self._target.language)
        for entry in found:
            if "msgid_plural" in entry.fields:
                self._put_plural(entry)
            elif not entry.is_header and entry.value("msgid") and entry.translations:
                self._write_entry(entry)
        if header is not None and header.translations:
            self._put_header(header, header.translations[0])

    def _write_entry(self, entry: PoEntry) -> None:
        message, place = _message(entry, "msgid"), entry.translations[0]
        new = self._translate_message(message, entry, place.value)
        if new is not None:
            self._set_field(place, new)
            self._mark_finished(entry)

    def _put_plural(self, entry: PoEntry) -> None:
        places = entry.translations
        if not places:
            return
        # Languages with one form only have the plural's; some have the singular elsewhere than first.
        singular = self._plurals.singular if self._plurals is not None else 0
        # The singular and the last form stand for the two questions that a translator answers.
        olds = [places[min(singular, len(places) - 1)].value, places[-1].value]
        news = [
            self._translate_message(_message(entry, name), entry, old)
            for name, old in zip(("msgid", "msgid_plural"), olds, strict=True)
        ]
        count = self._plurals.forms if self._plurals is not None else len(places)
        # Forms that the target has more get what the plural has, as far as all was translated.
        values = [place.value for place in places[:count]] + [olds[1] if all(olds) else ""] * (count - len(places))
        for number in range(count):
            # A language with one form gets the plural's words, in which the number stands.
            new = news[0] if number == singular and count > 1 else news[1]
            values[number] = new if new is not None else values[number]
        if values != [place.value for place in places]:
            self._set_all(places, values)
        if any(new is not None for new in news):
            self._mark_finished(entry)

    def _translate_message(self, message: Tagged, entry: PoEntry, old: str) -> str | None:
        # A message of marks and spaces has no words.
        if not any(isinstance(part, str) and not part.isspace() for part in message.content):
            return None
        context = "\n".join(part for part in (entry.value("msgctxt"), *entry.extracted) if part)
        # A fuzzy translation is not the file's own: it is one to be checked.
        known = _known_translation(old, message) if old and not entry.is_fuzzy else ()
        new = self._visits(message.content, SegmentKind.MESSAGE, context=context, translated=known)
        return message.text_of(new) if new is not None else None

    def _set_field(self, place: PoField, value: str) -> None:
        if value != place.value:
            columns = len(place.name) + 1
            self._file.replace(place.strings, place.end, strings(value, columns, self._file.newline))

    def _set_all(self, places: list[PoField], values: list[str]) -> None:
        """Write the plural forms, as many as the target language has."""
        newline = self._file.newline
        # Columns 10: `msgstr[0] ` stands before the string.
        lines = [f"msgstr[{number}] {strings(value, 10, newline)}" for number, value in enumerate(values)]
        self._file.replace(places[0].start, places[-1].end, newline.join(lines))

    def _mark_finished(self, entry: PoEntry) -> None:
        """Remove what marks an entry as unfinished: the flag "fuzzy", and the previous message (`#|`)."""
        if not entry.is_fuzzy:
            return
        for start, end in entry.flags:
            line = self._file.text[start:end]
            flags = [flag.strip() for flag in line.strip()[2:].split(",")]
            # Other flags, such as c-format, are for msgfmt and stay.
            kept = ", ".join(flag for flag in flags if flag != "fuzzy")
            ending = line[len(line.rstrip("\r\n")) :]
            if len(kept) < len(", ".join(flags)):
                self._file.replace(start, end, f"#, {kept}{ending}" if kept else "")
        for start, end in entry.previous:
            self._file.replace(start, end, "")

    def _put_header(self, header: PoEntry, place: PoField) -> None:
        value = place.value
        if self._target is not None and self._plurals is not None:
            value = _set_header_line(value, "Language", with_underscore(self._target.language), is_added=True)
            has_plurals = _SAID.search(value) is not None or "Plural-Forms" in value
            # Without plurals in the file the line is not needed, and translators' tools would ask about it.
            value = _set_header_line(value, "Plural-Forms", self._plurals.header, is_added=has_plurals)
        # A template says charset=CHARSET, which is no encoding.
        if self._file.is_changed and (self._file.lacks_letters or "charset=CHARSET" in value):
            value = re.sub(r"(?i)charset=[\w.:-]+", "charset=UTF-8", value)
        if value != place.value:
            # An entry a line, as all tools write a header.
            lines = "".join(f'{self._file.newline}"{line}"' for line in _header_lines(value, self._file.newline))
            self._file.replace(place.strings, place.end, f'""{lines}')
            self._mark_finished(header)


def _header_lines(value: str, newline: str) -> list[str]:
    return [
        strings(line, 0, newline).removeprefix(f'""{newline}')[1:-1] for line in re.split(r"(?<=\n)", value) if line
    ]


def _set_header_line(header: str, name: str, value: str, *, is_added: bool) -> str:
    """Return a header with the value of this line set."""
    found = re.search(rf"^{name}:.*$", header, re.MULTILINE)
    if found is not None:
        # Compared without brackets: the same rule is written in several ways.
        is_same = _normalize_plural(found[0].partition(":")[2]) == _normalize_plural(value)
        return header if is_same else f"{header[: found.start()]}{name}: {value}{header[found.end() :]}"
    if not is_added:
        return header
    border = "" if header.endswith("\n") or not header else "\n"
    return f"{header}{border}{name}: {value}\n"


def _normalize_plural(value: str) -> str:
    """Return a plural rule without spaces and brackets, for comparison."""
    return re.sub(r"[\s()]|;$", "", value.strip())


def _message(entry: PoEntry, name: str) -> Tagged:
    return tagged(entry.value(name), has_breaks=True)


def _known_translation(old: str, message: Tagged) -> Content:
    """Return an existing translation, with the message's own marks where they match."""
    # The file's translation may have lost a tag; then it is shown as plain text.
    found = tagged(old, has_breaks=True).content
    is_alike = sorted(mark.key for mark in marks(found)) == sorted(mark.key for mark in marks(message.content))
    return found if is_alike else content_of([old])


# The entries of a PO file with the place of each of their parts.

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


# How many plural forms a language has in gettext, and the rule that chooses among them.


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
