"""Faults of the help's translated pages are found; `make check` looks for them in the pages that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.installed_languages import ENGLISH
from app.features.help_pages import SOURCE_LINE

ROOT = Path(__file__).resolve().parents[2]
ENGLISH_PAGE = "# Chat\n\nPress `Ctrl+K`, **Edit** and **Open…**, see [Models](models.md), Settings › Chat.\n\n* One\n"
GERMAN_PAGE = "# Chat\n\n`Ctrl+K`, **Bearbeiten**, **Öffnen…** [Modelle](models.md) (Einstellungen › Chat).\n\n* Eins\n"
NAMES = {
    "Edit": frozenset({"Bearbeiten"}),
    "Open": frozenset({"Öffnen", "Offen"}),
    "Settings": frozenset({"Einstellungen"}),
    "Chat": frozenset({"Chat"}),
}


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pages of the help in a folder of their own."""
    monkeypatch.setattr("app.features.help_pages.resource_path", lambda name: tmp_path / name)
    for language, text in ((ENGLISH, ENGLISH_PAGE), ("de", GERMAN_PAGE)):
        (tmp_path / "help" / language).mkdir(parents=True)
        (tmp_path / "help" / language / "chat.md").write_text(text, "utf-8")
    return tmp_path / "help"


def faults_with(pages: Path, old: str, new: str) -> list[str]:
    """What is wrong with the German page once it is changed and stamped."""
    from help_translations import page_faults, stamp_pages

    assert old in GERMAN_PAGE
    (pages / "de/chat.md").write_text(GERMAN_PAGE.replace(old, new), "utf-8")
    stamp_pages("de", ["chat"])
    return list(page_faults("chat", "de", NAMES))


def test_a_page_with_the_same_parts_in_another_order_has_no_fault(pages: Path) -> None:
    assert faults_with(pages, "`Ctrl+K`, **Bearbeiten**", "**Bearbeiten**, `Ctrl+K`") == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("(models.md)", "(hub.md)", "links differ: lacks models; has hub"),
        ("`Ctrl+K`", "`Strg+K`", "code differ: lacks Ctrl+K; has Strg+K"),
        ("**Bearbeiten**", "**Ändern**", "“Edit” is called “Bearbeiten” in the program"),
        ("**Bearbeiten**", "**Ändern**", "“Ändern” is no name of the English page"),
        ("**Öffnen…**", "Öffnen", "“Open” is called “Offen” or “Öffnen” in the program"),
        ("**Öffnen…**", "Öffnen", "bold stands 2 times in English, 1 times here"),
        (
            "**Öffnen…** ",
            "**Öffnen…**mit ",
            "bold is shown as **: it has to begin and end at a word, or beside a space",
        ),
        ("Einstellungen › Chat", "Optionen › Chat", "“Settings › Chat” is “Einstellungen › Chat” in the program"),
        ("* Eins", "Eins", "entries of lists differ: lacks *"),
        ("* Eins", "* Eins\n# Zwei", "it has to begin with the line of its source and the one title (see --stamp)"),
    ],
)
def test_a_fault_is_told_in_words_for_the_translator(pages: Path, old: str, new: str, told: str) -> None:
    assert told in faults_with(pages, old, new)


def test_a_page_is_stamped_with_the_english_text_it_was_made_from(
    pages: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import help_translations

    monkeypatch.setattr(help_translations, "HELP_PAGES", ["chat", "models"])
    monkeypatch.setattr(help_translations, "names_in", lambda _language: NAMES)
    assert help_translations.main(["--check", "de"]) == 1, "it has no first line yet"
    assert help_translations.main(["--stamp", "de"]) == help_translations.main(["--check", "de"]) == 0
    assert "de: 1 of 2 pages of the help translated\n" in capsys.readouterr().out
    (pages / "en/chat.md").write_text(ENGLISH_PAGE.replace("Press", "Type"), "utf-8")
    assert help_translations.main(["--check", "de"]) == 0, "an outdated page is shown all the same"
    assert "de: 1 of 2 pages of the help translated; outdated: chat\n" in capsys.readouterr().out
    help_translations.main(["--stamp", "de", "chat"])
    assert len(SOURCE_LINE.findall((pages / "de/chat.md").read_text("utf-8"))) == 1
    assert not help_translations.report_of("de").outdated


def test_the_names_of_a_page_are_printed_as_the_program_has_them(
    pages: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import help_translations

    monkeypatch.setattr(help_translations, "names_in", lambda _language: NAMES)
    assert help_translations.main(["--names", "de", "chat"]) == 0
    assert "  Open\t“Offen” or “Öffnen”\n" in capsys.readouterr().out
