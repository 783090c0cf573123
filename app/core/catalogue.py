"""Texts in the person's language: the catalogue in use, `tr`, plural forms, and PO files as translators keep them.

`packaging/texts_template.py` lists all texts for them, as literals of `tr` and `tr_count` and wherever an annotation
says `Translatable`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from app.core.lazy_dataclasses import dataclass, field
from app.core.po_file import PoMessage, header_field, index_messages, quote, read_messages
from app.core.visible import settle_directions, visible_name

Translatable: TypeAlias = str
"""A text that reaches `tr` by way of a variable: fields, parameters, constants and results are annotated with it."""
CountedTexts: TypeAlias = tuple[str, str]
"""The same for a text with a count: of one, and of others, as `tr_count` takes them."""
CONTEXT_END = "\x04"
"""Parts a text from the context before it, as in the files of gettext."""


def _germanic_form(count: int) -> int:
    return int(count != 1)


def _french_form(count: int) -> int:
    return int(count > 1)


def _polish_form(count: int) -> int:
    if count == 1:
        return 0
    return 1 if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else 2


def _russian_form(count: int) -> int:
    if count % 10 == 1 and count % 100 != 11:
        return 0
    return 1 if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else 2


def _arabic_form(count: int) -> int:
    if count < 3:
        return count
    if 3 <= count % 100 <= 10:
        return 3
    return 4 if count % 100 > 10 else 5


def _single_form(count: int) -> int:
    return 0 * count


@dataclass(frozen=True)
class PluralRule:
    """Which form of a text goes with a count; `forms` are CLDR's categories in the order of a PO file.

    Left out is "many" of Romance languages, which is for millions written in words. `header` says the rule as gettext
    has it.
    """

    forms: tuple[str, ...]
    form_index: Callable[[int], int]
    header: str


_TWO = ("one", "other")
_SLAVIC = "n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2"
_GERMANIC = PluralRule(_TWO, _germanic_form, "n!=1")
_FRENCH = PluralRule(_TWO, _french_form, "n>1")
_SINGLE = PluralRule(("other",), _single_form, "0")
PLURAL_RULES = {
    "en": _GERMANIC,
    "de": _GERMANIC,
    "es": _GERMANIC,
    "it": _GERMANIC,
    "fr": _FRENCH,
    "pt": _FRENCH,
    "pl": PluralRule(("one", "few", "many"), _polish_form, f"n==1 ? 0 : {_SLAVIC}"),
    "ru": PluralRule(("one", "few", "many"), _russian_form, f"n%10==1 && n%100!=11 ? 0 : {_SLAVIC}"),
    "ar": PluralRule(
        ("zero", "one", "two", "few", "many", "other"),
        _arabic_form,
        "n<3 ? n : n%100>=3 && n%100<=10 ? 3 : n%100>10 ? 4 : 5",
    ),
    "zh": _SINGLE,
    "ja": _SINGLE,
}
"""Source: Unicode CLDR, supplemental/plurals.xml, for whole numbers."""


def plural_rule(language: str) -> PluralRule:
    """Return the rule of a language code such as "pt" or "pt_BR"; that of English for one that is not known."""
    return PLURAL_RULES.get(re.split("[-_]", language)[0].lower(), _GERMANIC)


@dataclass(frozen=True)
class TextCatalogue:
    """Translations of one language: the forms of each text, by the text with its context before it."""

    language: str = "en"
    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class _CatalogueInUse:
    """The catalogue of this process, and how its language writes a value of a template."""

    def __init__(self) -> None:
        self.catalogue = TextCatalogue()
        self.rule = plural_rule("en")
        self.format_value: Callable[[object, str], str] = format
        self.remember: Callable[..., str] | None = None


_in_use = _CatalogueInUse()
_is_english: ContextVar[bool] = ContextVar("is_english", default=False)
"""In a thread of its own: while a tool is asked, the window is painted in the user's language."""


class InContext(str):
    """A text that has another meaning, and so another translation, elsewhere; `context` tells translators which."""

    context: str

    def __new__(cls, context: str, text: str) -> InContext:
        """Mark a short text with where it stands, such as InContext("button", "Open")."""
        made = super().__new__(cls, text)
        made.context = context
        return made


def use_catalogue(catalogue: TextCatalogue) -> None:
    """Translate all texts with this catalogue from now on; an empty one is English."""
    _in_use.catalogue, _in_use.rule = catalogue, plural_rule(catalogue.language)


def language_in_use() -> str:
    """Return the code of the language that texts are in now."""
    return "en" if _is_english.get() else _in_use.catalogue.language


def use_value_format(format_value: Callable[[object, str], str]) -> None:
    """Write values of templates by this function of value and format from now on."""
    _in_use.format_value = format_value


def use_text_memory(remember: Callable[..., str]) -> None:
    """Tell every text that is made from now on: what is shown, the function that made it and its arguments."""
    _in_use.remember = remember


def _remembered(shown: str, make: Callable[..., str], /, *arguments: object, **values: object) -> str:
    return _in_use.remember(shown, make, *arguments, **values) if _in_use.remember is not None else shown


@contextmanager
def use_english() -> Iterator[None]:
    """Make `tr` write English within this block and thread: for models, JSON and other programs."""
    before = _is_english.set(True)
    try:
        yield
    finally:
        _is_english.reset(before)


def tr(text: Translatable, /, **values: object) -> str:
    """Translate a text and fill in `{names}`; a value called `name`, such as a file name, is cleaned."""
    if _is_english.get():
        return fill_english(text, **values)
    forms = _in_use.catalogue.entries.get(entry_key(text))
    return _remembered(_fill(forms[0] if forms else text, values, _in_use.format_value), tr, text, **values)


def fill_value(value: object, spec: str) -> str:
    """Write a value by a format such as ".1f" as templates write theirs: by the language in use."""
    return format(value, spec) if _is_english.get() else _in_use.format_value(value, spec)


def fill_english(text: Translatable, /, **values: object) -> str:
    """Fill a text in without translating it: for models and for other programs, whatever the person's language."""
    return _fill(text, values, format)


def tr_count(one: Translatable, other: Translatable, count: int, /, **values: object) -> str:
    """Translate a text for a count, by the plural rules of the language, and fill in; `{count}` is given.

    `one` is the English text for 1, `other` that for all other counts.
    """
    is_english = _is_english.get()
    forms = None if is_english else _in_use.catalogue.entries.get(entry_key(one))
    format_value = format if is_english else _in_use.format_value
    rule, forms = (_in_use.rule, forms) if forms else (_GERMANIC, (one, other))
    form = rule.form_index(abs(count))
    if form >= len(forms):  # the pseudo-language makes each text of its own English
        forms, form = _in_use.catalogue.entries.get(entry_key(other), forms), -1
    text = forms[form]
    if "count" in values:
        shown = _fill(text, values, format_value)
    else:
        values_with_count = {"count": count} | values
        shown = _fill(text.replace("{count}", "{count:,}"), values_with_count, format_value)
    return shown if is_english else _remembered(shown, tr_count, one, other, count, **values)


def entry_key(text: Translatable) -> str:
    """Return the key of a text in a catalogue, its context before it."""
    return f"{text.context}{CONTEXT_END}{text}" if isinstance(text, InContext) else text


_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}|\{\{|\}\}")


def _fill(text: str, values: Mapping[str, object], format_value: Callable[[object, str], str]) -> str:
    if not values:
        return text

    def written(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0][0]
        value = values[found[1]]
        # No value may change the direction of the text after it.
        if isinstance(value, str):
            value = visible_name(value) if found[1] == "name" else settle_directions(value)
        return format_value(value, found[2] or "")

    return _FIELD.sub(written, text)


class CatalogueFile(Mapping[str, tuple[str, ...]]):
    """Entries of a catalogue that are read from their file one by one, when they are asked for.

    A start asks for a few hundred of thousands of texts.
    """

    def __init__(self, places: dict[tuple[str, str], str], language: str) -> None:
        """Take what `index_messages` found in the file of a `language`."""
        self._places, self._language = places, language
        self._read: dict[str, tuple[str, ...] | None] = {}

    def __getitem__(self, key: str) -> tuple[str, ...]:
        if key not in self._read:
            context, end, text = key.rpartition(CONTEXT_END)
            part = self._places.get((quote(context) if end else "", quote(text)))
            self._read[key] = _read_entries(part or "", self._language).get(key)
        forms = self._read[key]
        if forms is None:
            raise KeyError(key)
        return forms

    def __iter__(self) -> Iterator[str]:
        return iter(_read_entries("".join(self._places.values()), self._language))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read_catalogue(po_text: str, language: str = "") -> TextCatalogue:
    """Read a PO file; what is not translated, doubtful ("fuzzy") or without one of its forms is left out.

    The header says the language, unless it is given.
    """
    places = index_messages(po_text)
    if not language:
        header = next((message for message in read_messages(po_text) if message.is_header), None)
        language = header_field(header.forms[0], "Language") if header else ""
    entries = _read_entries(po_text, language) if places is None else CatalogueFile(places, language)
    return TextCatalogue(language or "en", entries)


def _read_entries(po_text: str, language: str) -> dict[str, tuple[str, ...]]:
    return {
        message_key(message): message.forms
        for message in read_messages(po_text)
        if not message.is_header and message.is_translated and len(message.forms) == form_count(message, language)
    }


def form_count(message: PoMessage, language: str) -> int:
    """Return how many forms a message has in a language."""
    return 1 if message.plural is None else len(plural_rule(language).forms)


def message_key(message: PoMessage) -> str:
    """Return the key of a message in a catalogue, as `entry_key` has it."""
    return message.text if message.context is None else message.context + CONTEXT_END + message.text
