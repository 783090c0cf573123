"""What the window lends to a view that stands without one: where a person would have been sent is noted."""

from __future__ import annotations

from typing import Any, cast

from PySide6.QtWidgets import QWidget

from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import Navigation, UiContext
from app.ui.theme import Theme


class Sent:
    """In place of the window and of what looks which model is in memory."""

    def __init__(self) -> None:
        self.pages: list[str] = []

    def open_models(self, page: str = "suggested") -> None:
        """Notes the page."""
        self.pages.append(page)

    def sync_with_engine(self) -> None:
        """There is no model of a chat."""


def lent(theme: Theme, notify: Notify, window: QWidget) -> UiContext:
    """Parts that only the whole window has stand for themselves."""
    sent: Any = Sent()
    return UiContext(theme, notify, sent, cast("Any", None), cast("Navigation", sent), window)
