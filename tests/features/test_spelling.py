"""Words that no dictionary knows, in the language of each sentence; what is no prose is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors.saving_errors import FolderNotWritable
from app.features.spelling import LoadedDictionary, SpellChecker, found_dictionaries
from tests.helpers.dictionaries import use_dictionaries


@pytest.fixture
def spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SpellChecker:
    use_dictionaries(tmp_path / "hunspell", monkeypatch)
    return SpellChecker(tmp_path / "own" / "words.txt", ("en_US",))


def wrong(spelling: SpellChecker, text: str) -> list[str]:
    return [text[start:end] for start, end in spelling.find_misspelled(text)]


def test_each_sentence_is_held_against_its_own_language(spelling: SpellChecker) -> None:
    assert spelling.languages == ("en", "de")
    text = "Teh quick brown fox jumps over the dog. Das ist ein Hauss und die Straße. 😀 It’s a wrold, don’t you think?"
    assert wrong(spelling, text) == ["Teh", "Hauss", "wrold"]


def test_code_addresses_names_of_files_and_variables_are_left_alone(spelling: SpellChecker) -> None:
    for text in (
        "the fox `teh` and ``` is",
        "```py\nteh recieve\n```",
        "~~~\nteh\nnot closed",
        "http://teh.example/recieve and ada@exampel.org and www.wrold.example",
        "naem.txt ./recieve /etc/paswd C:\\teh snake_caes camelCaes NASAA 12th x=teh teh() @teh #teh",
        "{langauge} $recieve$ <teh> [the](teh)",
        "日本語 のテキスト",
    ):
        assert wrong(spelling, text) == [], text
    assert wrong(spelling, "`a` teh\n\n```\nteh\n```\nwrold, (naem) “recieve”") == ["teh", "wrold", "naem", "recieve"]


def test_a_sentence_in_a_language_without_a_dictionary_is_left_alone(spelling: SpellChecker) -> None:
    assert wrong(spelling, "Dit is een zin in het Nederlands die niemand begrijpt.") == []
    assert wrong(spelling, "Ceci n'est pas une phrase anglaise du tout.") == []
    assert wrong(spelling, "Это предложение по-русски.") == []


def test_parts_of_words_with_hyphens_and_a_stretch_of_a_text(spelling: SpellChecker) -> None:
    assert wrong(spelling, "a state-of-the-art thing, a quik-brown fox") == ["quik"]
    text = "the wrold is the wrold and the wrold"
    assert spelling.find_misspelled(text, 10, 24) == [(17, 22)]
    assert spelling.find_misspelled("```\nteh wrold\nthe naem", 14) == [], "the block of code begins before"


def test_suggestions_are_of_the_language_of_the_sentence(spelling: SpellChecker) -> None:
    text = "Das ist ein Hauss und die Straße. The wrold is quick. Das ist schön."
    assert "Haus" in spelling.suggest_words(text, 12, 17)
    assert "world" in spelling.suggest_words(text, 38, 43)
    assert "world" in spelling.suggest_words("wrold", 0, 5)
    assert spelling.suggest_words("the " + "x" * 100, 4, 104) == []


def test_own_words_are_kept_and_can_be_taken_back(spelling: SpellChecker, tmp_path: Path) -> None:
    assert wrong(spelling, "the Fireside’s wrold") == ["Fireside’s", "wrold"]
    spelling.add_word("Fireside’s")
    spelling.add_word("wrold")
    assert wrong(spelling, "the Fireside's wrold, Wrold") == []
    again = SpellChecker(tmp_path / "own" / "words.txt", ("en_US",))
    assert again.own_words == {"Fireside's", "wrold"}
    again.remove_word("wrold")
    assert wrong(again, "the wrold") == ["wrold"]


def test_words_that_cannot_be_kept_are_right_until_quit(spelling: SpellChecker, tmp_path: Path) -> None:
    (tmp_path / "own").write_text("a file")
    with pytest.raises(FolderNotWritable):
        spelling.add_word("wrold")
    assert wrong(spelling, "the wrold") == []


def test_without_dictionaries_nothing_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DICPATH", "XDG_DATA_DIRS", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    spelling = SpellChecker(tmp_path / "words.txt")
    assert (spelling.languages, wrong(spelling, "teh wrold")) == ((), [])


def test_a_damaged_dictionary_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_dictionaries(tmp_path / "hunspell", monkeypatch)
    (tmp_path / "hunspell" / "en_US.aff").write_text("SET NO-SUCH-LETTERS\n")
    with pytest.raises(ValueError, match="NO-SUCH"):
        LoadedDictionary(found_dictionaries()["en_US"])
    assert wrong(SpellChecker(tmp_path / "words.txt", ("en_US",)), "the quick wrold") == []


def test_two_names_of_one_dictionary_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "hunspell"
    use_dictionaries(folder, monkeypatch)
    for ending in ("aff", "dic"):
        (folder / f"de_AT.{ending}").symlink_to(folder / f"de_DE.{ending}")
        (folder / f"hyph_en_US.{ending}").write_text("UTF-8\n")
    assert sorted(found_dictionaries()) == ["de_DE", "en_US"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="teh `$[]<>{}'’-.\n~\U0001f600äß\u0301#_", max_size=60))
def test_any_text_can_be_looked_at(spelling: SpellChecker, text: str) -> None:
    for start, end in spelling.find_misspelled(text):
        assert text[start:end].strip() == text[start:end]
        assert "`" not in text[start:end]
