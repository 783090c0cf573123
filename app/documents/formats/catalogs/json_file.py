"""JSON: its strings that are language; keys, numbers, comments and all layout stay byte for byte.

Catalogues of messages are known: in ARB (Flutter) what begins with "@" is about the messages, and "@@locale" says the
language; in those of browser extensions a message has a description. Plurals of ICU are translated form by form.

Source of the grammar: RFC 8259. Comments, commas before a closing bracket and control characters in strings are let
pass, as many programs write them; nothing of that is changed. Several values may follow, each on a line of its own
(JSON Lines). Source of plurals: the ICU user guide, "Formatting Messages": {argument, plural|select|selectordinal,
form {words} …}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.formats.catalogs.icu_messages import forms, in_sentence, is_choice
from app.documents.formats.catalogs.values import is_locale, is_prose, key_of, renamed_locale, shown_value
from app.documents.segments import SegmentKind, Tagged, marks, plain
from app.documents.source import FileSource, SegmentVisits, TargetLanguage, Visit
from app.documents.text_file import TextFile

# ARB has "@@locale"; the others are common in files of messages.
_LOCALES = (("@@locale",), ("locale",), ("language",))


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite strings of a JSON file. Raises DocumentUnreadable if it isn't JSON."""
    file = TextFile(source, is_utf8=True)  # RFC 8259
    _JsonWriter(source, file, SegmentVisits(visit)).run(target)
    if out is not None:
        file.write(out)


class _JsonWriter:
    def __init__(self, source: FileSource, file: TextFile, visits: SegmentVisits) -> None:
        self._source, self._file, self._visits = source, file, visits
        self._found = list(strings(file.text, str(source.path)))
        values = [value for value in self._found if not value.is_key]
        self._descriptions = {value.path[:-1]: value.value for value in values if value.path[-1:] == ("description",)}
        messages = {value.path[:-1] for value in values if value.path[-1:] == ("message",)}
        # A browser extension's message.json: {"name": {"message": …, "description": …}}.
        self._about = messages & self._descriptions.keys()
        self._left = 0
        # Java's tools and others write all letters as \uXXXX; what is written back follows them.
        self._is_ascii = (
            file.text.isascii() and re.search(r"\\u(?:00[89A-Fa-f]|0[1-9A-Fa-f]|[1-9A-Fa-f])", file.text) is not None
        )

    def run(self, target: TargetLanguage | None) -> None:
        tops = [literal for literal in self._found if literal.is_key and not literal.path]
        for literal in self._found:
            if not literal.is_key:
                self._write_string(literal, target)
        # The only key at the top, with an object below, is a language as i18next and Rails have it.
        if target is not None and len(tops) == 1 and tops[0].has_more:
            self._set_literal(tops[0], renamed_locale(tops[0].value, target.language) or tops[0].value)
        self._source.remark("left_values", count=self._left)

    def _write_string(self, literal: JsonString, target: TargetLanguage | None) -> None:
        path = literal.path
        # "@@locale" is one whatever it says; "language" may be a person's word for it, so it has to look like a code.
        if path in _LOCALES[:1] or (path in _LOCALES and is_locale(literal.value)):
            if target is not None:
                self._set_literal(literal, renamed_locale(literal.value, target.language) or target.language)
        elif not self._is_about(path) and is_prose(literal.value, key_of(path)):
            new = self._translate_value(literal.value, path)
            if new is not None:
                self._set_literal(literal, new)

    def _is_about(self, path: tuple[str, ...]) -> bool:
        """Return whether a string tells of a message and is none."""
        # ARB: "@greeting" tells translators about "greeting".
        if any(name.startswith("@") for name in path):
            return True
        return any(path[:depth] in self._about and path[depth] != "message" for depth in range(len(path)))

    def _translate_value(self, value: str, path: tuple[str, ...]) -> str | None:
        context = ".".join(path)
        if path[:-1] in self._about:
            context += "\n" + self._descriptions[path[:-1]]
        if not is_choice(value):
            return shown_value(value, self._visits, context, key=key_of(path))
        found = forms(value)
        # Nested choices have words that depend on each other; no order of segments would be right.
        if found is None:
            self._left += 1
            return None
        # {count, plural, …} amid a sentence: its forms are marks, so that the sentence is translated as one.
        sentence = in_sentence(value, found)
        if sentence is not None:
            return self._translate_choice(sentence, context)
        parts, at = list[str](), 0
        for form in found:
            new = shown_value(value[form.start : form.end], self._visits, f"{context} ({form.name})")
            parts += [value[at : form.start], new if new is not None else value[form.start : form.end]]
            at = form.end
        return "".join([*parts, value[at:]])

    def _translate_choice(self, sentence: Tagged, context: str) -> str | None:
        """Return a message with a choice inside; what comes back with the syntax in another order is not taken."""
        new = self._visits(sentence.content, SegmentKind.VALUE, context=context)
        if new is None:
            return None
        # Each mark has a form's syntax in front of it, so another order is another message.
        if marks(new) != marks(sentence.content) or is_choice(plain(new)):
            self._left += 1
            return None
        return sentence.text_of(new)

    def _set_literal(self, literal: JsonString, new: str) -> None:
        if new != literal.value:
            raw = self._file.text[literal.start : literal.end]
            self._file.replace(literal.start, literal.end, string(new, raw, is_ascii=self._is_ascii))


MOST_DEPTH = 500
_TOKEN = re.compile(
    r'(?P<space>[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)|(?P<string>"(?:[^"\\\r\n]|\\[^\r\n])*+")|(?P<sign>[\[\]{},:])'
    r"|(?P<word>true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)",
    re.DOTALL,
)


class JsonString(NamedTuple):
    """A string: where it is with its quotes, its value, the keys above it, and whether it is a key itself."""

    start: int
    end: int
    value: str
    path: tuple[str, ...]
    is_key: bool = False
    has_more: bool = False
    """True for a key whose value is an object."""


class _JsonLevel:
    def __init__(self, is_object: bool) -> None:
        self.is_object, self.name, self.count = is_object, "", 0


def strings(text: str, path: str) -> Iterator[JsonString]:
    """Yield all strings in order, keys too; raises DocumentUnreadable: damaged or too_deep. `path` is for that."""
    # Keys and numbers of what is open; Python's own parser would not tell where a string stands.
    levels: list[_JsonLevel] = []
    waits = "value"  # what may come next: a value, a key, the colon behind it, its member, or a comma or a bracket
    tokens = list(_iterate_tokens(text, path))
    for at, (kind, start, end) in enumerate(tokens):
        sign = text[start:end] if kind == "sign" else kind
        top = levels[-1] if levels else None
        # JSON Lines: a value after a complete one, on another line.
        begins_anew = waits == "comma" and top is None and "\n" in text[tokens[at - 1][2] : start]
        waits = "value" if begins_anew else waits
        if sign in ("]", "}"):
            if top is None or top.is_object != (sign == "}") or waits in ("colon", "member"):
                raise DocumentUnreadable(path, "damaged")
            # A comma before the bracket leaves "key" or "value" waiting, which is let pass.
            levels.pop()
            waits = "comma"
        elif sign == "," and waits == "comma" and top is not None:
            top.count += 1
            waits = "key" if top.is_object else "value"
        elif sign == ":" and waits == "colon":
            waits = "member"
        elif sign in ("[", "{") and waits in ("value", "member"):
            levels.append(_JsonLevel(sign == "{"))
            if len(levels) > MOST_DEPTH:
                raise DocumentUnreadable(path, "too_deep")
            waits = "key" if sign == "{" else "value"
        elif kind == "string" and waits == "key" and top is not None:
            top.name = _parse_value(text[start:end], path)
            # The token behind the colon: an object below a key.
            more = at + 2 < len(tokens) and text[tokens[at + 2][1]] == "{"
            yield JsonString(start, end, top.name, _value_path(levels[:-1]), True, more)
            waits = "colon"
        elif kind in ("string", "word") and waits in ("value", "member"):
            if kind == "string":
                yield JsonString(start, end, _parse_value(text[start:end], path), _value_path(levels))
            waits = "comma"
        else:
            raise DocumentUnreadable(path, "damaged")
    if levels or waits != "comma":
        raise DocumentUnreadable(path, "damaged")


def _iterate_tokens(text: str, path: str) -> Iterator[tuple[str, int, int]]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise DocumentUnreadable(path, "damaged")
        at = found.end()
        if found.lastgroup != "space":
            yield str(found.lastgroup), found.start(), at


def _value_path(levels: list[_JsonLevel]) -> tuple[str, ...]:
    return tuple(level.name if level.is_object else str(level.count) for level in levels)


def _parse_value(raw: str, path: str) -> str:
    try:
        # Not strict: control characters in strings are an error in JSON, but many programs write them.
        return str(json.loads(raw, strict=False))
    except ValueError:
        raise DocumentUnreadable(path, "damaged") from None


_UNICODE = re.compile(r"(?<!\\)(?:\\\\)*((?:\\u[0-9A-Fa-f]{4})+)")


def string(new: str, raw: str, *, is_ascii: bool) -> str:
    """Return a string in JSON. What `raw` escapes is escaped in it too; with `is_ascii`, all letters beyond ASCII."""
    # json escapes what has to be; the rest is what the old string did beyond it.
    found = json.dumps(new, ensure_ascii=is_ascii)
    escaped = {letter for run in _UNICODE.findall(raw) for letter in json.loads(f'"{run}"')}
    for letter in escaped - set('"\\'):
        # Surrogates and control characters are escaped anyhow.
        if letter.isprintable() and len(letter) == 1 and not 0xD800 <= ord(letter) <= 0xDFFF:
            found = found.replace(
                letter, json.dumps(letter, ensure_ascii=True)[1:-1] if not letter.isascii() else f"\\u{ord(letter):04x}"
            )
    # "<\/script>" inside a page's script has to stay so.
    if "\\/" in raw:
        found = found.replace("/", "\\/")
    # A lone surrogate can't be encoded as UTF-8.
    return re.sub("[\ud800-\udfff]", lambda lone: f"\\u{ord(lone[0]):04x}", found)
