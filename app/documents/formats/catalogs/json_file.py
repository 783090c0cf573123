"""JSON: its strings that are language; keys, numbers, comments and all layout stay byte for byte.

Catalogues of messages are known: in ARB (Flutter) what begins with "@" is about the messages, and "@@locale" says the
language; in those of browser extensions a message has a description. Plurals of ICU are translated form by form.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from app.documents.formats.catalogs.icu import forms, in_sentence, is_choice
from app.documents.formats.catalogs.json_strings import String, string, strings
from app.documents.formats.catalogs.locale_codes import is_locale, renamed_locale
from app.documents.formats.catalogs.prose import is_prose
from app.documents.formats.catalogs.tagged import Tagged
from app.documents.formats.catalogs.values import shown_value
from app.documents.formats.plain.text_file import TextFile
from app.documents.segments import SegmentKind, marks, plain
from app.documents.source import Source
from app.documents.visits import Target, Visit, Visits

_LOCALES = (("@@locale",), ("locale",), ("language",))


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """Raises DocumentUnreadable where it is no JSON."""
    file = TextFile(source, is_utf8=True)  # RFC 8259
    _Writing(source, file, Visits(visit)).run(target)
    if out is not None:
        file.write(out)


class _Writing:
    def __init__(self, source: Source, file: TextFile, visits: Visits) -> None:
        self._source, self._file, self._visits = source, file, visits
        self._found = list(strings(file.text, str(source.path)))
        values = [each for each in self._found if not each.is_key]
        self._descriptions = {each.path[:-1]: each.value for each in values if each.path[-1:] == ("description",)}
        messages = {each.path[:-1] for each in values if each.path[-1:] == ("message",)}
        self._about = messages & self._descriptions.keys()
        self._left = 0
        self._is_ascii = (
            file.text.isascii() and re.search(r"\\u(?:00[89A-Fa-f]|0[1-9A-Fa-f]|[1-9A-Fa-f])", file.text) is not None
        )

    def run(self, target: Target | None) -> None:
        tops = [each for each in self._found if each.is_key and not each.path]
        for each in self._found:
            if not each.is_key:
                self._put(each, target)
        if target is not None and len(tops) == 1 and tops[0].has_more:
            self._set(tops[0], renamed_locale(tops[0].value, target.language) or tops[0].value)
        if self._left:
            self._source.remark("left_values", count=self._left)

    def _put(self, each: String, target: Target | None) -> None:
        path = each.path
        if path in _LOCALES[:1] or (path in _LOCALES and is_locale(each.value)):
            if target is not None:
                self._set(each, renamed_locale(each.value, target.language) or target.language)
        elif not self._is_about(path) and is_prose(each.value, _key(path)):
            new = self._translated(each.value, path)
            if new is not None:
                self._set(each, new)

    def _is_about(self, path: tuple[str, ...]) -> bool:
        """Whether a string tells of a message and is none."""
        if any(name.startswith("@") for name in path):
            return True
        return any(path[:depth] in self._about and path[depth] != "message" for depth in range(len(path)))

    def _translated(self, value: str, path: tuple[str, ...]) -> str | None:
        context = ".".join(path)
        if path[:-1] in self._about:
            context += "\n" + self._descriptions[path[:-1]]
        if not is_choice(value):
            return shown_value(value, self._visits, context, key=_key(path))
        found = forms(value)
        if found is None:
            self._left += 1
            return None
        sentence = in_sentence(value, found)
        if sentence is not None:
            return self._sentence(sentence, context)
        parts, at = list[str](), 0
        for form in found:
            new = shown_value(value[form.start : form.end], self._visits, f"{context} ({form.name})")
            parts += [value[at : form.start], new if new is not None else value[form.start : form.end]]
            at = form.end
        return "".join([*parts, value[at:]])

    def _sentence(self, sentence: Tagged, context: str) -> str | None:
        """A message with a choice inside; what comes back with the syntax in another order is not taken."""
        new = self._visits(sentence.content, SegmentKind.VALUE, context=context)
        if new is None:
            return None
        if marks(new) != marks(sentence.content) or is_choice(plain(new)):
            self._left += 1
            return None
        return sentence.text_of(new)

    def _set(self, each: String, new: str) -> None:
        if new != each.value:
            raw = self._file.text[each.start : each.end]
            self._file.replace(each.start, each.end, string(new, raw, is_ascii=self._is_ascii))


def _key(path: tuple[str, ...]) -> str:
    """The name of a value: of the list, for one in a list."""
    return next((name for name in reversed(path) if not name.isdecimal()), "")
