"""What a page of Inside needs of the window, without the window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.engine.client import EngineClient
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from tests.helpers.engine import load, scripted_client


class ReadyLoader(QObject):
    """A model is in, and stays."""

    changed = Signal()
    state, fraction, path, wakes_up = "ready", 1.0, Path("scripted.gguf"), False

    def sync_with_engine(self) -> None:
        """Nothing has changed."""


@pytest.fixture
def ui(theme: Theme) -> UiContext:
    window: Any = QWidget()
    go = SimpleNamespace(tab=lambda _name: SimpleNamespace(is_at_work=False))
    return UiContext(theme, Notify(theme), ReadyLoader(), SimpleNamespace(), go, window)  # type: ignore[arg-type]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineClient]:
    client = scripted_client(tmp_path / "scripted", {})
    load(client)
    yield client
    client.close()
