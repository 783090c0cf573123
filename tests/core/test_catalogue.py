"""Texts of a catalogue, with the plural forms of its language."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.core.catalogue import (
    CONTEXT_END,
    PLURAL_RULES,
    InContext,
    TextCatalogue,
    plural_rule,
    read_catalogue,
    tr,
    tr_count,
    use_catalogue,
    use_english,
    use_value_format,
)
from app.core.installed_languages import ENGLISH, OWN_NAMES, built_in_file
from app.core.po_file import index_messages

POLISH = """# Polish
msgid ""
msgstr ""
"Language: pl\\n"
"Plural-Forms: nplurals=3; plural=n==1 ? 0 : 1;\\n"

#: app/ui/a.py:3
msgid "Open “{name}”"
msgstr ""
"Otwórz "
"„{name}”"

msgctxt "state"
msgid "Open"
msgstr "Otwarte"

msgid "1 file"
msgid_plural "{count} files"
msgstr[0] "{count} plik"
msgstr[1] "{count} pliki"
msgstr[2] "{count} plików"

msgid "1 chat"
msgid_plural "{count} chats"
msgstr[0] "czat"
msgstr[1] ""
msgstr[2] ""

#, fuzzy
msgid "Close"
msgstr "Otwórz"

msgid "a \\"b\\"\\n"
msgstr "ą \\"b\\"\\n"
"""
FORMS_BY_CLDR = {
    "en": {"one": [1], "other": [0, 2, 11, 21, 1000]},
    "de": {"one": [1], "other": [0, 2, 11, 21, 1000]},
    "es": {"one": [1], "other": [0, 2, 11, 21, 1000]},
    "it": {"one": [1], "other": [0, 2, 11, 21, 1000]},
    "fr": {"one": [0, 1], "other": [2, 11, 21, 101]},
    "pt": {"one": [0, 1], "other": [2, 11, 21, 101]},
    "pl": {"one": [1], "few": [2, 4, 22, 24, 102], "many": [0, 5, 11, 12, 14, 19, 21, 112, 1000]},
    "ru": {"one": [1, 21, 101], "few": [2, 4, 22, 34, 102], "many": [0, 5, 11, 12, 14, 20, 111, 1000]},
    "ar": {
        "zero": [0],
        "one": [1],
        "two": [2],
        "few": [3, 10, 103, 110],
        "many": [11, 26, 99, 111, 1011],
        "other": [100, 101, 102, 200, 202, 1000],
    },
    "zh": {"other": [0, 1, 2, 1000]},
    "ja": {"other": [0, 1, 2, 1000]},
}
"""Whole numbers that CLDR names as samples of its categories (supplemental/plurals.xml, version 46)."""


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    use_catalogue(TextCatalogue())
    use_value_format(format)


@pytest.mark.parametrize("language", FORMS_BY_CLDR)
def test_each_language_has_the_forms_of_cldr(language: str) -> None:
    rule = plural_rule(language)
    assert set(rule.forms) == set(FORMS_BY_CLDR[language])
    for form, counts in FORMS_BY_CLDR[language].items():
        assert {rule.forms[rule.form_index(count)] for count in counts} == {form}


@pytest.mark.parametrize("language", PLURAL_RULES)
def test_the_rule_that_a_file_states_is_the_rule(language: str) -> None:
    from gettext import c2py  # type: ignore[attr-defined]

    rule = plural_rule(language)
    stated = c2py(rule.header)
    assert [stated(count) for count in range(1200)] == [rule.form_index(count) for count in range(1200)]


def test_a_region_has_the_rule_of_its_language_and_an_unknown_language_that_of_english() -> None:
    assert plural_rule("pt_BR") is plural_rule("pt-PT") is plural_rule("pt")
    assert plural_rule("xx") is plural_rule("en")


def test_english_needs_no_catalogue_for_counts() -> None:
    assert [tr_count("1 file", "{count} files", count) for count in (0, 1, 1200)] == [
        "0 files",
        "1 file",
        "1,200 files",
    ]
    assert tr_count("1 of {all} files", "{count} of {all} files", 2, all=7) == "2 of 7 files"


def test_counts_of_a_catalogue_take_the_form_of_its_language() -> None:
    use_catalogue(read_catalogue(POLISH))
    said = [tr_count("1 file", "{count} files", count) for count in (1, 3, 5, 22)]
    assert said == ["1 plik", "3 pliki", "5 plików", "22 pliki"]


def test_a_file_of_translations_is_read_as_translators_write_it() -> None:
    catalogue = read_catalogue(POLISH)
    assert catalogue.language == "pl"
    assert catalogue.entries == {
        "Open “{name}”": ("Otwórz „{name}”",),
        f"state{CONTEXT_END}Open": ("Otwarte",),
        "1 file": ("{count} plik", "{count} pliki", "{count} plików"),
        'a "b"\n': ('ą "b"\n',),
    }
    assert read_catalogue(POLISH.replace("\n", "\r\n")) == catalogue


def test_a_text_in_another_context_has_another_translation() -> None:
    use_catalogue(TextCatalogue("pl", {"Open": ("Otwórz",), f"state{CONTEXT_END}Open": ("Otwarte",)}))
    assert (tr("Open"), tr(InContext("state", "Open"))) == ("Otwórz", "Otwarte")
    use_catalogue(TextCatalogue())
    assert tr(InContext("state", "Open")) == "Open"


def test_values_are_written_as_the_language_has_it() -> None:
    use_value_format(lambda value, spec: format(value, spec).replace(",", "."))
    assert tr("{count:,} tokens, {words}", count=1200, words="a") == "1.200 tokens, a"
    assert tr_count("1 token", "{count} tokens", 1200) == "1.200 tokens"


def test_what_a_translation_leaves_out_or_doubles_is_no_error() -> None:
    use_catalogue(TextCatalogue("de", {"{a} of {b}": ("{{{b}}} {b}",)}))
    assert tr("{a} of {b}", a=1, b=2) == "{2} 2"


def test_what_models_read_is_english_while_another_thread_goes_on_in_its_language() -> None:
    use_catalogue(TextCatalogue("de", {"Open": ("Öffnen",), "1 file": ("{count} Datei", "{count} Dateien")}))
    use_value_format(lambda value, spec: format(value, spec).replace(",", "."))
    shown: list[str] = []
    window = threading.Thread(target=lambda: shown.append(f"{tr('Open')}, {tr_count('1 file', '{count} files', 2000)}"))
    with use_english():
        assert (tr("Open"), tr_count("1 file", "{count} files", 2000)) == ("Open", "2,000 files")
        with use_english():
            assert tr_count("1 file", "{count} files", 1) == "1 file"
        assert tr("Open") == "Open"
        window.start()
        window.join()
    assert shown == ["Öffnen, 2.000 Dateien"]
    assert tr("Open") == "Öffnen"


@pytest.mark.parametrize("language", [code for code in OWN_NAMES if code != ENGLISH])
def test_texts_found_one_by_one_are_those_of_the_whole_file(language: str) -> None:
    po_text = built_in_file(language).read_text("utf-8")
    assert index_messages(po_text) is not None, "a file that the program wrote is read text by text"
    found = read_catalogue(po_text)
    assert found.language == language
    # A message in several strings, as translators' programs write it: the whole file is read.
    whole = read_catalogue(po_text + '\nmsgid ""\n"several lines"\nmsgstr "x"\n').entries
    assert {key: found.entries[key] for key in found.entries} | {"several lines": ("x",)} == dict(whole)
    assert "no such text" not in found.entries
