"""The source of a finished summary: it opens at the right by itself and follows the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.ui.document.document_panel import DocumentPanel
from app.ui.shell.notify import Notify
from app.ui.summarize.summary_page import ResultPage
from app.ui.summarize.summary_texts import Chip
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside

LEAST_PX = 1000
"""Width of the content from which statements and a page have room next to each other."""
MOST_CLOSED = 200
"""Summaries whose closed source is remembered."""


class SourcePane(QObject):
    """Opens the page of the first statement that differs, else of the first, unless the user closed it before."""

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, document: DocumentPanel, result: ResultPage
    ) -> None:
        super().__init__(document)
        self._app, self._theme, self._notify = app, theme, notify
        self._document, self._result = document, result
        self._offered = 0
        """Id of the summary whose source was opened or left closed since it is shown."""
        self._was_asked = False
        """True once the user opened a source of that summary."""
        document.dismissed.connect(lambda: self._keep_closed(is_closed=True))
        result.statements.opened.connect(lambda _chip: self._on_asked())
        result.statements.place_changed.connect(self._follow)

    def forget(self) -> None:
        """Offer the source anew, as another summary is shown."""
        self._offered, self._was_asked = 0, False

    def offer(self) -> None:
        """Open the source of a finished summary without taking the focus, where there is room for both.

        In a window that got too narrow for both, it gives the statements their room back.
        """
        stored, statements = self._result.stored, self._result.statements
        if stored is not None and stored.id == self._offered:
            if not self._was_asked and self._document.is_narrow:
                self._document.close_document()
                self.forget()
            return
        if stored is None or stored.state != "done" or not self._result.isVisible():
            return
        if self._document.width() < self._theme.px(LEAST_PX):
            return
        self._offered = stored.id
        if self._document.is_open or str(stored.id) in self._app.settings.window.closed_sources:
            return
        shown = [statement_range.shown for statement_range in statements.ranges]
        sourced = [number for number, statement in enumerate(shown[: len(shown) - statements.below]) if statement.chips]
        number = next((number for number in sourced if shown[number].is_flagged), next(iter(sourced), None))
        if number is not None:
            statements.mark_open(number)
            self._open_beside(shown[number].chips[0])

    def _follow(self, number: int, chip: int) -> None:
        """Show the source of the statement at the keyboard's position, if the source is open."""
        statements = self._result.statements
        chips = statements.ranges[number].shown.chips
        if self._document.is_open and chip < len(chips):
            statements.mark_open(number, chip)
            self._open_beside(chips[chip])

    def _on_asked(self) -> None:
        self._was_asked = True
        self._keep_closed(is_closed=False)

    def _open_beside(self, chip: Chip) -> None:
        self._document.open_beside(self._app.documents, chip.document_id, chip.mark)

    def _keep_closed(self, *, is_closed: bool) -> None:
        """Remember for this summary whether the user closed its source."""
        if (stored := self._result.stored) is None or not self._result.isVisible():
            return
        key, closed = str(stored.id), self._app.settings.window.closed_sources
        if is_closed != (key in closed):
            others = tuple(number for number in closed if number != key)
            with self._notify.guard():
                self._app.change_settings(
                    "window", closed_sources=((key, *others) if is_closed else others)[:MOST_CLOSED]
                )
