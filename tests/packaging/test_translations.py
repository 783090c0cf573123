"""Translations are brought up to date with the texts, and compared with their English and their glossary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.catalogue import message_key
from app.core.po_file import PoMessage, format_messages, read_messages
from app.core.translation_faults import (
    COMMANDS_DIFFER,
    ENDS_DIFFER,
    FIELDS_DIFFER,
    FORMS_DIFFER,
    LINES_DIFFER,
    MARKUP_DIFFERS,
    message_faults,
)

ROOT = Path(__file__).resolve().parents[2]
HEADER = PoMessage(None, "", None, ("Language: de\n",))


def text(english: str, *forms: str, context: str | None = None, plural: str | None = None, **more: Any) -> PoMessage:
    return PoMessage(context, english, plural, forms or ("",), **more)


def merged(present: list[PoMessage], *wanted: PoMessage, language: str = "de") -> dict[str, PoMessage]:
    from translations import merge_messages

    return {message_key(message): message for message in merge_messages(language, [HEADER, *present], wanted)}


def test_a_file_is_written_as_it_is_read() -> None:
    messages = [
        replace_header("pl"),
        text('a "b"\n\tc\\', 'ą "b"\n\tc\\', context="button"),
        text("1 file", "{count} plik", "{count} pliki", "{count} plików", plural="{count} files"),
        text("Close", "Zamknij", comments=("# by Ada", "#: app/ui/a.py"), is_fuzzy=True),
    ]
    written = format_messages(messages)
    assert [*read_messages(written)] == messages
    assert format_messages(read_messages(written)) == written


def replace_header(language: str) -> PoMessage:
    return PoMessage(None, "", None, (f"Language: {language}\nContent-Type: text/plain; charset=UTF-8\n",))


def test_what_is_translated_stays_and_what_is_gone_goes() -> None:
    found = merged([text("Open", "Öffnen", comments=("# a verb",)), text("Gone", "Weg")], text("Open"), text("New"))
    assert found["Open"].forms == ("Öffnen",) and found["Open"].comments == ("# a verb",)
    assert found["New"].forms == ("",) and not found["New"].is_fuzzy
    assert "Gone" not in found and list(found) == ["", "Open", "New"]


@pytest.mark.parametrize(
    "wanted",
    [
        text("Open", context="state"),
        text("Open", plural="Open {count}"),
        text("1 open", plural="Open", context="state"),
    ],
)
def test_a_text_that_gains_a_context_or_forms_keeps_its_translation_for_review(wanted: PoMessage) -> None:
    kept = merged([text("Open", "Offen")], wanted)[message_key(wanted)]
    assert kept.is_fuzzy and set(kept.forms) == {"Offen"}
    again = merged([kept], wanted)[message_key(wanted)]
    assert again == kept
    reviewed = text(wanted.text, *kept.forms, context=wanted.context, plural=wanted.plural)
    assert not merged([reviewed], wanted)[message_key(wanted)].is_fuzzy


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (text("Open {name}", "Öffnen"), FIELDS_DIFFER),
        (text("Open {name}", "{name} {size} öffnen"), FIELDS_DIFFER),
        (text("{count:,} files", "{count} Dateien"), FIELDS_DIFFER),
        (text("1 file", "Datei", "{number} Dateien", plural="{count} files"), FIELDS_DIFFER),
        (text("1 file in {name}", "Eine", "{count} in {name}", plural="{count} files in {name}"), FIELDS_DIFFER),
        (text("1 file", "Datei", plural="{count} files"), FORMS_DIFFER),
        (text("a\nb", "a b"), LINES_DIFFER),
        (text("<b>a</b>", "a"), MARKUP_DIFFERS),
        (text("Use `--json`", "--json nehmen"), COMMANDS_DIFFER),
        (text("Open…", "Öffnen"), ENDS_DIFFER),
        (text("Places:", "Orte"), ENDS_DIFFER),
        (text(" and ", " und"), ENDS_DIFFER),
    ],
)
def test_a_translation_that_would_be_shown_wrongly_is_a_fault(message: PoMessage, fault: str) -> None:
    assert [*message_faults(message, "de")] == [fault]


@pytest.mark.parametrize(
    ("message", "language"),
    [
        (text("Open {name}…", "{name} öffnen…"), "de"),
        (text("1 file", "Eine Datei", "{count} Dateien", plural="{count} files"), "de"),
        (text("Places:", "Lieux\u00a0:"), "fr"),
        (text("Places:", "場所："), "ja"),
        (text("Open {name}", ""), "de"),
        (text("Open {name}", "doubtful", is_fuzzy=True), "de"),
    ],
)
def test_a_translation_in_the_way_of_its_language_is_no_fault(message: PoMessage, language: str) -> None:
    assert not [*message_faults(message, language)]


def test_terms_are_translated_as_the_glossary_has_them(tmp_path: Path) -> None:
    from translations import read_glossary, report_of

    (tmp_path / "de.glossary.tsv").write_text(
        "model\tModell\t\ncontext window\tKontextfenster\n"
        "memory\tArbeitsspeicher / Speicher\tRAM\nmemory\tErinnerung\tfacts\n"
    )
    messages = [
        text("Load the models", "Die Modelle laden"),
        text("Model", "Netz"),
        text("The context window is full", "Das Kontextfenster ist voll"),
        text("Delete this memory", "Diese Erinnerung löschen"),
        text("Memory is short", "Der Speicher ist knapp"),
        text("remodel", "umbauen"),
        text("New"),
    ]
    path = tmp_path / "de.po"
    path.write_text(format_messages([HEADER, *messages]), "utf-8")
    assert len(read_glossary(path.with_suffix(".glossary.tsv"))) == 3
    found = report_of(path, messages)
    assert (found.translated, found.count, found.faults) == (6, 7, [])
    assert found.other_terms is not None
    assert [line.partition(",")[0] for line in found.other_terms] == ["model"]


def test_the_check_fails_on_faults_and_beyond_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import translations
    from translations import TABLE, TRANSLATED, main

    pages: list[int] = []  # not the help of this checkout, four times
    monkeypatch.setattr(translations, "check_pages", lambda: len(pages))
    (tmp_path / "app").mkdir()
    (tmp_path / "app/a.py").write_text('tr("Open {name}", name="a")\ntr("Close")\n')
    (tmp_path / "pyproject.toml").write_text(f'{TABLE}\n"{TRANSLATED}" = 50\n')
    assert main(["--check"], tmp_path) == 0, "there are no translations yet"
    folder = tmp_path / "resources/translations"
    folder.mkdir(parents=True)
    path = folder / "de.po"
    path.write_text(format_messages([HEADER, text("Close", "Schließen"), text("Gone", "Weg")]), "utf-8")
    assert main([], tmp_path) == 0
    assert "Gone" not in path.read_text("utf-8") and "Open {name}" in path.read_text("utf-8")
    assert main(["--check"], tmp_path) == 0
    path.write_text(path.read_text("utf-8").replace("Schließen", ""), "utf-8")
    assert main(["--check"], tmp_path) == 1
    assert "less than 50 %" in capsys.readouterr().out
    path.write_text(format_messages([HEADER, text("Close", "Zu"), text("Open {name}", "{name} auf")]), "utf-8")
    (folder / "de.glossary.tsv").write_text("close\tschließen\n", "utf-8")
    assert main(["--check"], tmp_path) == 1
    assert main(["--write"], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    pages.append(1)
    assert main(["--check"], tmp_path) == 1
