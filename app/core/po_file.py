"""Messages of a PO file, read and written as translators' programs do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.core.lazy_dataclasses import dataclass

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_STRINGS = rf"\s+({_QUOTED}(?:\s*{_QUOTED})*)\s*"
_MESSAGE = re.compile(
    r"((?:^#.*\n)*)"
    rf"(?:^msgctxt{_STRINGS})?^msgid{_STRINGS}(?:^msgid_plural{_STRINGS})?((?:^msgstr(?:\[\d\])?{_STRINGS})+)",
    re.MULTILINE,
)
_FORM = re.compile(rf"msgstr(?:\[\d\])?{_STRINGS}")
_STRING = re.compile(_QUOTED)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_WRITTEN = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_SPECIAL = re.compile(r'[\n\t\r"\\]')
FUZZY = "fuzzy"
_WRITTEN_MESSAGE = re.compile(
    r'^((?:#,.*\n)?(?:msgctxt (".*")\n)?msgid (".*")\n(?:msgid_plural .*\n)?(?:msgstr.*\n?)+)', re.MULTILINE
)


@dataclass(frozen=True)
class PoMessage:
    """A text with its translation: a form for each of the language's plural forms, or one.

    `context` is None where there is none, `plural` the text for other counts than one. `comments` are lines before it,
    without flags; a doubtful one ("fuzzy") is to be looked at by a person.
    """

    context: str | None
    text: str
    plural: str | None
    forms: tuple[str, ...]
    comments: tuple[str, ...] = ()
    is_fuzzy: bool = False

    @property
    def is_header(self) -> bool:
        """Whether this is the first one, which describes the file."""
        return not self.text and self.context is None

    @property
    def is_translated(self) -> bool:
        """Whether all forms are there and none is doubtful."""
        return not self.is_fuzzy and all(self.forms)


def read_messages(po_text: str) -> Iterator[PoMessage]:
    """Yield the messages of a file in order, the header first; obsolete ones are left out."""
    for found in _MESSAGE.finditer(po_text.replace("\r\n", "\n")):
        comments, context, text, plural, forms = found.group(1, 2, 3, 4, 5)
        flags = ""
        lines = tuple(comments.splitlines())
        if "#," in comments:
            flags = "".join(line for line in lines if line.startswith("#,"))
            lines = tuple(line for line in lines if not line.startswith("#,"))
        yield PoMessage(
            _unquote(context) if context is not None else None,
            _unquote(text),
            _unquote(plural) if plural is not None else None,
            tuple(_unquote(form) for form in _FORM.findall(forms)),
            lines,
            FUZZY in flags,
        )


def index_messages(po_text: str) -> dict[tuple[str, str], str] | None:
    """Return where the messages of a file stand that `format_messages` wrote, in a tenth of the time to read them.

    By context ("" if there is none) and text, both as `quote` writes them: the part of the file that `read_messages`
    reads. None for a file whose messages go over several lines.
    """
    if '\n"' in po_text.partition("\n\n")[2] or "\r" in po_text:
        return None
    found = {(context, text): part for part, context, text in _WRITTEN_MESSAGE.findall(po_text)}
    return found if len(found) == len(re.findall("^msgid ", po_text, re.MULTILINE)) else None


def header_field(header: str, name: str) -> str:
    """Return a field of the header's translation, such as "Language"; "" if it is not there."""
    found = re.search(rf"^{name}: *(.*)$", header, re.MULTILINE)
    return found[1].strip() if found else ""


def format_messages(messages: Iterable[PoMessage]) -> str:
    """Return the text of a PO file with these messages, of which the first is its header."""
    return "\n".join("\n".join([*_message_lines(message), ""]) for message in messages)


def _message_lines(message: PoMessage) -> Iterator[str]:
    yield from message.comments
    flags = [FUZZY] if message.is_fuzzy else []
    flags += ["python-brace-format"] if "{" in message.text else []
    if flags:
        yield f"#, {', '.join(flags)}"
    if message.context is not None:
        yield f"msgctxt {quote(message.context)}"
    yield f"msgid {quote(message.text)}"
    if message.plural is not None:
        yield f"msgid_plural {quote(message.plural)}"
        yield from (f"msgstr[{number}] {quote(form)}" for number, form in enumerate(message.forms))
    elif message.is_header:
        yield 'msgstr ""'
        yield from (quote(line) for line in message.forms[0].splitlines(keepends=True))
    else:
        yield f"msgstr {quote(message.forms[0])}"


def quote(text: str) -> str:
    """Return a text as a string of a PO file, in one line."""
    return f'"{_SPECIAL.sub(lambda found: _WRITTEN[found[0]], text)}"'


def _unquote(strings: str) -> str:
    # Nearly all texts are one string, and thousands are read at each start.
    text = strings[1:-1] if strings.count('"') == 2 else "".join(part[1:-1] for part in _STRING.findall(strings))
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text) if "\\" in text else text
