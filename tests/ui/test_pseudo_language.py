"""In a language with longer words, also from right to left, nothing is cut and nothing stays English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QLocale
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.installed_languages import ENGLISH
from app.ui.chat.chat_view import ChatView
from app.ui.models.model_card import ModelCard
from app.ui.models.models_tab import SuggestedPage
from app.ui.settings.dialog import SettingsDialog
from app.ui.shell.settings_index import PAGES
from app.ui.window_language import MIRRORED, PSEUDO, use_language
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.helpers.untranslated import untranslated_texts

TABS = ("chat", "summarize", "translate", "write", "models")
MODELS_PAGES = ("installed", "search", "storage", "compare", "blind")
SIZES = ((1280, 800), (640, 480))


@pytest.fixture(params=[PSEUDO, MIRRORED])
def whole(
    request: pytest.FixtureRequest, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Frame]:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    default = QLocale()
    use_language(qapp, request.param)
    try:
        with open_window(qapp, make_chat=ChatView) as frame:
            yield frame
    finally:
        use_language(qapp, ENGLISH)
        QLocale.setDefault(default)


def settle() -> None:
    """Layouts of layouts need a round each."""
    for _ in range(4):
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


def resize(frame: Frame, size: tuple[int, int]) -> None:
    frame.window.setMinimumSize(1, 1)  # as on a screen that is as small
    frame.window.resize(*size)
    settle()


def faults(place: str) -> list[str]:
    """What is cut or English in any open window."""
    settle()
    windows = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    found = [f"cut: {line}" for window in windows for line in clipped_texts(window)]
    found += [f"English: {line}" for window in windows for line in untranslated_texts(window)]
    return [f"{place}: {line}" for line in found]


def test_every_tab_has_room_for_longer_words(whole: Frame, qtbot: QtBot) -> None:
    whole.window.show_tab("models")
    (page,) = whole.window.findChildren(SuggestedPage)
    qtbot.waitUntil(lambda: bool(page.findChildren(ModelCard)) or page.empty.isVisible(), timeout=60_000)
    found = []
    for size in SIZES:
        resize(whole, size)
        for name in TABS:
            whole.window.show_tab(name)
            found += faults(f"{name} {size}")
        for name in MODELS_PAGES:
            whole.window.open_models(name)
            found += faults(f"{name} {size}")
    assert not found, "\n".join(found)


def test_every_page_of_the_settings_has_room_for_longer_words(whole: Frame) -> None:
    found = []
    for size in SIZES:
        resize(whole, size)
        for settings_page in PAGES:
            whole.window.open_settings(settings_page.name)
            found += faults(f"{settings_page.name} {size}")
            for dialog in whole.window.findChildren(SettingsDialog):
                dialog.close()
            settle()
    assert not found, "\n".join(found)
