"""The words that argparse itself adds to usage, help and errors, in the user's language."""

from __future__ import annotations

import argparse
import re

from app.core.catalogue import Translatable, tr, tr_count

_TEXTS: dict[str, Translatable] = {
    "usage:": "usage:",
    "positional arguments": "positional arguments",
    "options": "options",
    "show this help message and exit": "show this help message and exit",
    "%(prog)s: error: %(message)s": "{prog}: error: {message}",
    "argument %(argument_name)s: %(message)s": "argument {argument_name}: {message}",
    "the following arguments are required: %s": "the following arguments are required: {value}",
    "one of the arguments %s is required": "one of the arguments {value} is required",
    "not allowed with argument %s": "not allowed with argument {value}",
    "unrecognized arguments: %s": "unrecognized arguments: {value}",
    "ambiguous option: %(option)s could match %(matches)s": "ambiguous option: {option} could match {matches}",
    "ignored explicit argument %r": "ignored explicit argument {value}",
    "expected one argument": "expected one argument",
    "expected at most one argument": "expected at most one argument",
    "expected at least one argument": "expected at least one argument",
    # The type is the name of a function of ours.
    "invalid %(type)s value: %(value)r": "invalid value: {value}",
    "invalid choice: %(value)r (choose from %(choices)s)": "invalid choice: {value} (choose from {choices})",
}
_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sr]")


def translate_parsers() -> None:
    """Let argparse ask the catalogue for its texts, where it asks gettext otherwise."""
    vars(argparse).update(_=_translate_text, ngettext=_translate_count)


def _translate_text(text: str) -> str:
    template = _TEXTS.get(text.rstrip())
    if template is None:  # errors of the program, not of whoever types
        return text
    words = tr(template).replace("%", "%%")
    for found in _PLACEHOLDER.finditer(text):
        words = words.replace(f"{{{found[1] or 'value'}}}", found[0])
    return words + text[len(text.rstrip()) :]  # a blank or a line break, which no translator has to keep


def _translate_count(_one: str, _other: str, count: int) -> str:
    return tr_count("expected {count} argument", "expected {count} arguments", count, count="%s")
