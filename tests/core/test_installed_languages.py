"""Which languages there are, which one is used, and translations of the person's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.installed_languages import (
    ENGLISH,
    SYSTEM,
    choose_language,
    has_texts,
    load_texts,
    own_file,
    system_languages,
)
from app.core.paths import AppPaths

OWN = """msgid ""
msgstr "Language: de\\n"

msgid "Close"
msgstr "Zumachen"

msgid "Open {name}"
msgstr "{file} öffnen"
"""


@pytest.fixture
def own_german() -> Path:
    path = own_file("de")
    path.parent.mkdir(parents=True)
    path.write_text(OWN, "utf-8")
    return path


def test_the_language_is_the_chosen_one_or_the_first_of_the_system_s(own_german: Path) -> None:
    assert choose_language("de", ["fr_FR"]) == "de"
    assert choose_language(SYSTEM, ["xx_XX", "de_AT", "en_US"]) == "de"
    assert choose_language(SYSTEM, ["de-CH"]) == "de"
    assert choose_language(SYSTEM, ["en_US", "de_DE"]) == ENGLISH
    assert choose_language(SYSTEM, ["C"]) == choose_language("xx", ["de"]) == ENGLISH


def test_a_translation_of_one_s_own_is_used_as_far_as_it_can_be_filled_in(own_german: Path) -> None:
    assert own_german.is_relative_to(AppPaths.from_environment().data)
    assert has_texts("de")
    assert load_texts("de").entries == {"Close": ("Zumachen",)}
    assert load_texts("de").language == "de"


def test_a_translation_that_can_not_be_read_is_english(own_german: Path, caplog: pytest.LogCaptureFixture) -> None:
    own_german.write_bytes(b"\xff\xfe\x00")
    with caplog.at_level("CRITICAL", "app.core.installed_languages"):
        assert (load_texts("de").language, load_texts("de").entries) == (ENGLISH, {})
    assert load_texts(ENGLISH).language == ENGLISH


def test_the_system_s_languages_are_those_of_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert system_languages() == ["de_DE"]
    monkeypatch.setenv("LANGUAGE", "fr:pt_BR")
    assert system_languages() == ["fr", "pt_BR", "de_DE"]
