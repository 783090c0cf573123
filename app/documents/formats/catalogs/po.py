"""Catalogues of messages (PO): each message is a segment, and what its msgstr has so far is its translation.

A message with a plural is two segments, its singular and its plural; languages with more forms get the plural's
translation in each of the others. Comments, references, flags but "fuzzy" and obsolete entries stay as they are.

Sources: the gettext manual, "The Format of PO Files" and "Additional functions for plural forms", and the Unicode
CLDR's plural rules for languages that are not in it.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from app.documents.formats.catalogs.po_entries import PluralForms, PoEntry, PoField, entries, plurals_of, strings
from app.documents.formats.catalogs.values import tagged, with_underscore
from app.documents.segments import Content, SegmentKind, Tagged, content_of, marks
from app.documents.source import FileSource, SegmentVisits, TargetLanguage, Visit
from app.documents.text_file import TextFile

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
