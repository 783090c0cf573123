"""The Translate tab with the real store, pipeline and engine child; the answers of its model are a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.bootstrap import Fireside, build
from app.ui import tasks
from app.ui.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.running import TranslationRunner
from app.ui.translate.text_page import TextPage
from app.ui.translate.translate_view import TranslateView
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import prompts, write_script

MODEL = "Hy-MT2-1.8B-Q4_K_M.gguf"
ENGLISH = "The tenant pays the rent on the fifth day of each month."
PORTUGUESE = "O locatário paga o aluguel no quinto dia de cada mês."
PETS = "Cats and small dogs are allowed once the owner has agreed in writing."
ANIMAIS = "Gatos e cães pequenos são permitidos depois que o dono concordar por escrito."
ANSWERS: tuple[dict[str, Any], ...] = (
    {"when": r"The tenant pays[^\n]*\Z", "text": PORTUGUESE},
    {"when": r"Cats and small dogs[^\n]*\Z", "text": ANIMAIS},
    {"when": r"Keys: two\.", "text": "Chaves: duas."},
)
WAIT_MS = 8_000


@dataclass
class Desk:
    """The parts, and what a person does with them."""

    app: Fireside
    theme: Theme
    notify: Notify
    view: TranslateView
    script: Path
    qtbot: QtBot
    states: list[str] = field(default_factory=list)

    @property
    def page(self) -> TextPage:
        return self.view.text

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=WAIT_MS)

    def type(self, text: str) -> None:
        """Types into the source, as a person does."""
        source = self.page.panes.source
        source.setFocus()
        for place, line in enumerate(text.split("\n")):
            if place:
                self.qtbot.keyClick(source, Qt.Key.Key_Return)
            self.qtbot.keyClicks(source, line)

    def paste(self, text: str) -> None:
        """Puts a text into the source in one step."""
        source = self.page.panes.source
        source.setFocus()
        source.selectAll()
        QApplication.clipboard().setText(text)
        source.paste()

    def click(self, button: QWidget) -> None:
        assert button.isVisible()
        assert button.isEnabled()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def translated(self, *words: str) -> None:
        """Waits until all of it is there, and is this."""
        self.wait(lambda: self.page.paragraphs.is_complete and self.shown == list(words))

    @property
    def shown(self) -> list[str]:
        """The paragraphs of the translation as they are seen, and what is said of them."""
        document = self.page.panes.target.document()
        lines, block = [], document.begin()
        while block.isValid():
            lines.append(block.text())
            block = block.next()
        return lines

    @property
    def asked(self) -> list[str]:
        """The last message of everything that the model was asked, oldest first."""
        return [conversation[-1][1] for conversation in prompts(self.script)]

    @property
    def notices(self) -> list[str]:
        return [notice.text for notice in self.notify.bar.notices]


@pytest.fixture
def open_tab(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Desk]]:
    """Opens the tab; called again, as after a restart."""
    opened: list[Desk] = []

    def close(desk: Desk) -> None:
        desk.view.leave()
        desk.view.runner.stop()
        desk.view.close()
        assert tasks.running.stop_all(10)
        tasks.running.reopen()
        desk.app.close()
        desk.view.deleteLater()
        desk.notify.bar.deleteLater()

    def make(
        *answers: dict[str, Any],
        model: str = MODEL,
        target: str = "pt-BR",
        scheme: str = "light",
        size: tuple[int, int] = (1000, 700),
        zoom: float = 1.0,
    ) -> Desk:
        """`model` is the name of the chat's model; "" leaves the starter."""
        while opened:
            close(opened.pop())
        script = write_script(tmp_path / "script", *(answers or ANSWERS))
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
        app = build()
        if model:
            path = tmp_path / model
            write_model(path, **{"tokenizer.chat_template": "{{ messages }}"})
            app.change("engine", model_path=str(path), known_models=(str(path),))
        if not app.settings.translations.target:
            app.change("translations", target=target)
        theme = Theme(scheme, zoom)
        theme.install(qapp)
        notify = Notify(theme)
        runner = TranslationRunner(app, notify)
        view = TranslateView(app, theme, notify, runner)
        runner.setParent(view)
        view.resize(*size)
        view.show()
        qtbot.waitExposed(view)
        view.activateWindow()
        view.show_new()
        desk = Desk(app, theme, notify, view, script, qtbot)
        desk.wait(lambda: desk.page.capability.able is not None)
        opened.append(desk)
        return desk

    yield make
    while opened:
        close(opened.pop())
    qapp.setStyleSheet("")


@pytest.fixture
def desk(open_tab: Callable[..., Desk]) -> Desk:
    return open_tab()
