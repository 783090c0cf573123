"""The Write tab's view with the real store and the engine's real child; what its model writes is a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.bootstrap import build_program
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import Navigation, UiContext
from app.ui.theme import Theme
from app.ui.write.write_tab import WriteView
from tests.helpers.desks.write import WriteDesk
from tests.helpers.lent import Sent
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import write_script

Open = Callable[..., WriteDesk]


@pytest.fixture
def open_page(qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the tab with its model in memory; called again, as after a restart, with the page that was open."""
    opened: list[WriteDesk] = []
    last: list[int | None] = [None]

    def close(desk: WriteDesk) -> None:
        desk.root.close_view()
        last[0] = desk.open_id
        desk.end(desk.root)

    def make(
        *answers: dict[str, Any],
        size: tuple[int, int] = (1000, 700),
        scheme: str = "light",
        is_ready: bool = True,
        load: dict[str, Any] | None = None,
    ) -> WriteDesk:
        while opened:
            close(opened.pop())
        script = write_script(tmp_path / "script", *answers, load=load or {})
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
        app = build_program()
        model = tmp_path / "model.gguf"
        write_model(model, **{"tokenizer.chat_template": "{{ messages }}"})
        app.change_settings("engine", model_path=str(model), known_models=(str(model),))
        theme = Theme(scheme)
        theme.install(qapp)
        notify = Notify(theme)
        loader = ModelLoader(app, notify)
        sent: Any = Sent()
        ui = UiContext(theme, notify, loader, cast("Any", None), cast("Navigation", sent), QWidget())
        with theme.without_sheet():
            view = WriteView(app, ui)
        loader.setParent(view)
        ui.window.setParent(view)
        view.resize(*size)
        view.show()
        qtbot.waitExposed(view)
        view.activateWindow()
        view.show_page(last[0])
        desk = WriteDesk(view, app, notify)
        desk.script = script
        if is_ready:
            loader.start()
            desk.wait(lambda: loader.state == "ready")
        desk.edit.setFocus()
        desk.wait(desk.edit.hasFocus)
        opened.append(desk)
        return desk

    yield make
    while opened:
        close(opened.pop())
    qapp.setStyleSheet("")


@pytest.fixture
def desk(open_page: Open) -> WriteDesk:
    return open_page()
