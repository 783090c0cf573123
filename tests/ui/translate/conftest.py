"""The Translate tab with the real store, pipeline and engine child; the answers of its model are a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.bootstrap import build_program
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.language_row import LastWish
from app.ui.translate.translate_tab import TranslateView, new_runner
from tests.helpers.desks.translate import TranslateDesk
from tests.helpers.lent import lent
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import write_script

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


Open = Callable[..., TranslateDesk]


@pytest.fixture
def open_tab(qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the tab; called again, as after a restart."""
    opened: list[TranslateDesk] = []

    def close(desk: TranslateDesk) -> None:
        view = desk.view
        view.close_view()
        view.runner.stop()
        desk.end(view)

    def make(
        *answers: dict[str, Any],
        model: str = MODEL,
        target: str = "pt-BR",
        scheme: str = "light",
        size: tuple[int, int] = (1000, 700),
        zoom: float = 1.0,
    ) -> TranslateDesk:
        """`model` is the name of the chat's model; "" leaves the starter."""
        while opened:
            close(opened.pop())
        script = write_script(tmp_path / "script", *(answers or ANSWERS))
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
        app = build_program()
        if model:
            path = tmp_path / model
            write_model(path, **{"tokenizer.chat_template": "{{ messages }}"})
            app.change_settings("engine", model_path=str(path), known_models=(str(path),))
        if not app.settings.translations.target:
            app.change_settings("translations", target=target)
        theme = Theme(scheme, zoom)
        theme.install(qapp)
        notify = Notify(theme)
        runner = new_runner(app, notify)
        ui = lent(theme, notify, QWidget())
        last = LastWish(lambda: app.settings, app.change_settings, notify)
        with theme.without_sheet():
            view = TranslateView(app.translations, app.models, last, ui, runner)
        ui.window.setParent(view)
        runner.setParent(view)
        view.resize(*size)
        view.show()
        qtbot.waitExposed(view)
        view.activateWindow()
        view.show_new()
        desk = TranslateDesk(view, app, notify, script)
        desk.sent = ui.go.pages
        desk.wait(lambda: desk.is_model_known)
        opened.append(desk)
        return desk

    yield make
    while opened:
        close(opened.pop())
    qapp.setStyleSheet("")


@pytest.fixture
def desk(open_tab: Open) -> TranslateDesk:
    return open_tab()
