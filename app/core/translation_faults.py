"""What is wrong with a translation beside its English: whatever would be shown wrongly, or could not be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.core.catalogue import Translatable, form_count
from app.core.po_file import PoMessage

FIELDS_DIFFER: Translatable = "The placeholders in braces differ: “{text}”"
FORMS_DIFFER: Translatable = "The number of plural forms is wrong: “{text}”"
LINES_DIFFER: Translatable = "The number of line breaks differs: “{text}”"
MARKUP_DIFFERS: Translatable = "The markup differs: “{text}”"
COMMANDS_DIFFER: Translatable = "The backquotes differ: “{text}”"
ENDS_DIFFER: Translatable = "The end differs, such as its “…” or its colon: “{text}”"
FIELD = re.compile(r"\{\w+(?::[^{}]*)?\}|\{\{|\}\}")
_MARKUP = re.compile(r"[<>]")
_COLONS = (":", "：")
_COUNTS = ("{count", "{n}", "{n:")


def message_faults(message: PoMessage, language: str) -> Iterator[Translatable]:
    """Yield what is wrong with a message whose translation is there, as templates with a `{text}`."""
    if not message.is_translated or message.is_header:
        return
    if len(message.forms) != form_count(message, language):
        yield FORMS_DIFFER
    elif any(not _same_fields(message, form) for form in message.forms):
        yield FIELDS_DIFFER
    else:
        for fault, differs in (
            (LINES_DIFFER, lambda text, form: text.count("\n") != form.count("\n")),
            (MARKUP_DIFFERS, lambda text, form: _MARKUP.findall(text) != _MARKUP.findall(form)),
            (COMMANDS_DIFFER, lambda text, form: text.count("`") != form.count("`")),
            (ENDS_DIFFER, lambda text, form: text_end(text) != text_end(form)),
        ):
            if any(differs(message.plural or message.text, form) for form in message.forms):
                yield fault


def text_end(text: str) -> str:
    """Return what a text's end says: that more is asked, that something follows, and the blanks before what does."""
    before, text = len(text), text.rstrip()
    end = " " * (before - len(text))
    return (text[-1:] if text.endswith("…") else ":" if text.endswith(_COLONS) else "") + end


def _same_fields(message: PoMessage, form: str) -> bool:
    """Return whether a form has the fields of its English; in one of several the count may be a word."""
    found = sorted(FIELD.findall(form))
    if message.plural is None:
        return found == sorted(FIELD.findall(message.text))
    wanted = set(FIELD.findall(message.plural))
    missing = wanted - set(found)
    return set(found) <= wanted and all(field.startswith(_COUNTS) for field in missing)
