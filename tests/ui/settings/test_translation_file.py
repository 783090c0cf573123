"""Mending the window's texts: exported, used from a file, refused with the reason, taken back; and the live choice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from app.core.catalogue import language_in_use
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.exchange_errors import TranslationUnusable
from app.core.installed_languages import ENGLISH, SYSTEM, load_texts, own_file
from app.core.po_file import PoMessage, format_messages, read_messages
from app.core.settings import load_settings
from app.core.translation_faults import FIELDS_DIFFER
from app.features.error_messages import sentence_for
from app.ui.settings.about import MACHINE_TRANSLATED, AboutPage
from app.ui.settings.appearance_page import AppearancePage
from app.ui.settings.translation_file import (
    EXPORT_TEXTS,
    FILE_TRANSLATES,
    OWN_FILE_USED,
    TranslationFileField,
)
from app.ui.shell.settings_index import label_of
from app.ui.window_language import use_language
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame

EXPORTED = "Texte sichern…"
GERMAN = (
    PoMessage(None, "", None, ("Language: de_DE\nContent-Type: text/plain; charset=UTF-8\n",)),
    PoMessage(None, EXPORT_TEXTS, None, (EXPORTED,)),
    PoMessage(None, label_of("interface_language"), None, ("Sprache",)),
    PoMessage(None, FILE_TRANSLATES[0], FILE_TRANSLATES[1], ("Ein Text.", "{count} Texte.")),
)


@pytest.fixture(autouse=True)
def english(qapp: QApplication) -> Iterator[None]:
    default = QLocale()
    yield
    use_language(qapp, ENGLISH)
    QLocale.setDefault(default)


@pytest.fixture
def desk(frame: Frame) -> Iterator[SettingsDesk]:
    opened = SettingsDesk(frame, "appearance")
    yield opened
    opened.close()


def write_po(path: Path, *messages: PoMessage) -> Path:
    path.write_text(format_messages(messages), "utf-8")
    return path


def choose(desk: SettingsDesk, path: Path) -> TranslationFileField:
    field = desk.find_step(TranslationFileField)
    field.use.click()
    desk.choose_file(path, "use_translation")
    desk.wait(lambda: field.use.isEnabled() and not field.state.isHidden())
    return field


def saved_language(frame: Frame) -> str:
    return load_settings(frame.paths.settings)[0].appearance.language


def test_a_file_is_used_at_once_and_taken_back(frame: Frame, desk: SettingsDesk, tmp_path: Path) -> None:
    field = choose(desk, write_po(tmp_path / "mended.po", *GERMAN))
    assert (language_in_use(), saved_language(frame)) == ("de", "de")
    assert field.export.text() == EXPORTED
    assert field.state.text() == f"3 Texte. {OWN_FILE_USED}"
    page = desk.find_step(AppearancePage)
    assert page.language.value == "de"
    assert page.language.button.accessibleName() == "Sprache: Deutsch"
    assert clipped_texts(desk.root) == []
    assert own_file("de").is_relative_to(frame.paths.data)
    field.use_built_in.click()
    assert not own_file("de").exists()
    assert field.use_built_in.isHidden()
    # Whatever the program has itself, which may be nothing.
    assert (field.export.text() == EXPORT_TEXTS) == (EXPORT_TEXTS not in load_texts("de").entries)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("no PO file", "no_texts"),
        (format_messages([PoMessage(None, "", None, ("Language: tlh\n",)), GERMAN[1]]), "language"),
        (format_messages(GERMAN[1:]), "language"),
        (format_messages([GERMAN[0], PoMessage(None, EXPORT_TEXTS, None, ("",))]), "empty"),
        (format_messages([GERMAN[0], PoMessage(None, "Open {name}", None, ("Öffnen",))]), "faulty"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_reason(
    frame: Frame, desk: SettingsDesk, tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "mended.po"
    path.write_text(content, "utf-8")
    fault = FIELDS_DIFFER.format(text="Open {name}") if reason == "faulty" else ""
    assert choose(desk, path).state.text() == sentence_for(TranslationUnusable(str(path), reason, fault)).text
    assert (language_in_use(), saved_language(frame)) == (ENGLISH, SYSTEM)
    assert not own_file("de").exists()


@pytest.mark.parametrize(("data", "reason"), [(b"\xff\xfe\xff", "not_text"), (b"", "empty"), (None, "missing")])
def test_a_file_that_is_none_is_refused(desk: SettingsDesk, tmp_path: Path, data: bytes | None, reason: str) -> None:
    path = tmp_path / "mended.po"
    if data is not None:
        path.write_bytes(data)
    assert choose(desk, path).state.text() == sentence_for(DocumentUnreadable(str(path), reason)).text


def test_the_texts_are_exported_with_what_was_mended(desk: SettingsDesk, tmp_path: Path) -> None:
    field, path = choose(desk, write_po(tmp_path / "mended.po", *GERMAN)), tmp_path / "exported.po"
    field.export.click()
    desk.choose_file(path, "export_translation")
    desk.wait(path.exists)
    found = {message.text: message.forms for message in read_messages(path.read_text("utf-8"))}
    assert found[EXPORT_TEXTS] == (EXPORTED,)
    assert found[""][0].startswith("Language: de")


def test_about_says_who_translated(
    frame: Frame, tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_in = write_po(tmp_path / "de.po", *GERMAN)
    files = {"de": built_in}
    monkeypatch.setattr("app.core.installed_languages.built_in_file", lambda code: files.get(code, tmp_path / "none"))
    desk = SettingsDesk(frame, "about")
    translated = desk.find_step(AboutPage).translated
    assert translated.text() == MACHINE_TRANSLATED
    assert translated.isHidden(), "English is as it was written"
    use_language(qapp, "de")
    frame.theme.changed.emit()
    assert not translated.isHidden()
    write_po(make_folder_of(own_file("de")), *GERMAN)
    frame.theme.changed.emit()
    assert translated.isHidden(), "the person's own"
    desk.close()


def make_folder_of(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    return path
