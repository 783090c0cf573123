"""A walk through the whole window, its tabs and pages, in the sizes it is to hold in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QEvent, QLocale
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.installed_languages import ENGLISH
from app.ui.inside.inside_panel import PAGES as PAGES_INSIDE
from app.ui.inside.inside_panel import InsidePanel
from app.ui.models.model_card import ModelCard
from app.ui.models.models_tab import SuggestedPage
from app.ui.settings.dialog import SettingsDialog
from app.ui.shell.settings_index import PAGES
from app.ui.window_language import use_language
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame

TABS = ("chat", "summarize", "translate", "write", "models")
MODELS_PAGES = ("installed", "search", "storage", "compare", "blind")
SIZES = ((1280, 800), (640, 480))


@contextmanager
def shown_in(qapp: QApplication, language: str) -> Iterator[None]:
    """The program in this language, and in English afterwards."""
    default = QLocale()
    use_language(qapp, language)
    try:
        yield
    finally:
        use_language(qapp, ENGLISH)
        QLocale.setDefault(default)


def wait_for_models(frame: Frame, qtbot: QtBot) -> None:
    """Shows the page of models until it has its cards."""
    frame.window.show_tab("models")
    (page,) = frame.window.findChildren(SuggestedPage)
    qtbot.waitUntil(lambda: bool(page.findChildren(ModelCard)) or page.empty.isVisible(), timeout=60_000)


def settle() -> None:
    """Layouts of layouts need a round each."""
    for _ in range(4):
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


def walk_tabs(frame: Frame) -> Iterator[str]:
    """Shows every tab and page of models in every size, and yields where it is."""
    for size in SIZES:
        resize(frame, size)
        for name in TABS:
            frame.window.show_tab(name)
            settle()
            yield f"{name} {size}"
        frame.window.show_tab("chat")
        frame.do("inside")
        for page in PAGES_INSIDE:
            frame.find_step(InsidePanel).show_page(page.name)
            settle()
            yield f"{page.name} {size}"
        frame.do("inside")
        for name in MODELS_PAGES:
            frame.window.open_models(name)
            settle()
            yield f"{name} {size}"


def walk_settings(frame: Frame) -> Iterator[str]:
    """Opens the settings at every page in every size, and yields where it is."""
    for size in SIZES:
        resize(frame, size)
        for settings_page in PAGES:
            frame.window.open_settings(settings_page.name)
            settle()
            yield f"{settings_page.name} {size}"
            for dialog in frame.window.findChildren(SettingsDialog):
                dialog.close()
            settle()


def open_windows() -> list[QWidget]:
    """Every window that is shown."""
    return [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]


def cut_texts() -> list[str]:
    """What is cut in any open window."""
    return [f"cut: {line}" for window in open_windows() for line in clipped_texts(window)]


def resize(frame: Frame, size: tuple[int, int]) -> None:
    """Gives the window a size, also one that its screen would have to be as small for."""
    frame.window.setMinimumSize(1, 1)  # as on a screen that is as small
    frame.window.resize(*size)
    settle()
