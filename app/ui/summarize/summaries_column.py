"""The left column of the summaries: New summary, search, the summaries in their groups."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.features.summaries import StoredSummary, Summaries
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.notify import Notify
from app.ui.row_list import ID_ROLE, RowList
from app.ui.summarize.summary_list import STATE_ROLE, SummaryListModel
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

SEARCH_DELAY_MS = 120
REFRESH_MS = 250
"""Sections of short texts are read many times a second; nobody reads the list so fast."""


class SummariesColumn(QWidget):
    """Finds, opens, renames and deletes summaries; what is open is the view's business."""

    new_wanted = Signal()
    chosen = Signal(int)
    renamed = Signal(int)
    gone = Signal(int)
    """A summary was deleted; another is to be shown if it was the open one."""
    work_wanted = Signal()
    """Something waits in the queue again."""

    def __init__(self, theme: Theme, summaries: Summaries, notify: Notify) -> None:
        super().__init__()
        self.setObjectName("summaries_column")
        self._theme, self._summaries, self._notify = theme, summaries, notify
        self._open_id: int | None = None
        self._moved: set[int] = set()
        self._is_all_stale = False
        self._new = text_button(tr("New summary"), "new")
        self._new.setObjectName("new_summary")
        self._new.clicked.connect(self.new_wanted)
        self.search = QLineEdit(placeholderText=tr("Search summaries"))
        self.search.setObjectName("search")
        self.search.setAccessibleName(tr("Search summaries"))
        self._glass = QAction(self.search)
        self.search.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self._search_later = QTimer(self, singleShot=True, interval=SEARCH_DELAY_MS)
        self._search_later.timeout.connect(self.reload)
        self.search.textChanged.connect(lambda _: self._search_later.start())
        self._refresh_later = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._refresh_later.timeout.connect(self._refresh)
        self.model = SummaryListModel(self)
        self.model.renamed.connect(self._on_renamed)
        self.list = RowList(theme, self.model, tr("Summaries"))
        self.list.setObjectName("summaries")
        self.list.delete_wanted.connect(self.delete)
        self.list.customContextMenuRequested.connect(self._on_menu)
        for signal in (self.list.clicked, self.list.activated, self.list.moved):
            signal.connect(self._choose)
        self._nothing = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._nothing.setProperty("kind", "muted")
        self._column = QVBoxLayout(self)
        for widget, stretch in ((self._new, 0), (self.search, 0), (self._nothing, 0), (self.list, 1)):
            self._column.addWidget(widget, stretch)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def reload(self) -> None:
        """Reads the summaries again, as the search field says."""
        self._search_later.stop()
        self._refresh_later.stop()
        self._moved.clear()
        self._is_all_stale = False
        self._show(self._found())

    def refresh_soon(self) -> None:
        """Something in the list is another; hidden, it is read when it is shown."""
        self._is_all_stale = True
        self._refresh_in_a_moment()

    def show_progress(self, summary_id: int) -> None:
        """One summary is further."""
        self._moved.add(summary_id)
        self._refresh_in_a_moment()

    def show_open(self, summary_id: int | None) -> None:
        """Marks the open summary; None is one that is being put together, which has no row."""
        self._open_id = summary_id
        if summary_id is not None and not self.model.index_of(summary_id).isValid():
            self.reload()  # it has just been begun
        self.list.mark(self.model.index_of(summary_id))

    def rename(self, index: QModelIndex) -> None:
        """Opens the title for editing in its row."""
        self.list.setFocus()
        self.list.edit(index)

    def delete(self, summary_id: int) -> None:
        """Deletes a summary at once, and offers to take it back."""
        summary = self._summaries.get(summary_id)
        if summary is None or not self._store(self._summaries.delete, summary_id):
            return
        self.gone.emit(summary_id)
        self.reload()
        self._notify.undo(tr("“{title}” was deleted.", title=summary.title), lambda: self._bring_back(summary_id))

    def menu_for(self, index: QModelIndex) -> QMenu:
        """What can be done with one summary."""
        summary_id, state, tokens = index.data(ID_ROLE), index.data(STATE_ROLE), self._theme.tokens
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if state in ("running", "queued"):
            menu.addAction(icon("stop", tokens.muted), tr("Stop"), lambda: self._stop(summary_id))
        elif state in ("paused", "failed"):
            menu.addAction(icon("play", tokens.muted), tr("Go on"), lambda: self._go_on(summary_id))
        menu.addAction(icon("pencil-simple", tokens.muted), tr("Rename") + "\tF2", lambda: self.rename(index))
        menu.addSeparator()
        menu.addAction(icon("trash", tokens.danger), tr("Delete") + "\t" + tr("Del"), lambda: self.delete(summary_id))
        return menu

    def _found(self) -> list[StoredSummary]:
        try:
            return self._summaries.find(self.search.text().strip())
        except AppError as error:
            self._notify.error(error)
            return []

    def _refresh_in_a_moment(self) -> None:
        if not self._refresh_later.isActive():
            self._refresh_later.start()

    def _refresh(self) -> None:
        if self.list.is_editing:
            self._refresh_in_a_moment()  # another word in the row would undo what is being typed there
        elif self.isVisible():
            moved = [self._summaries.get(summary_id) for summary_id in sorted(self._moved)]
            self._moved.clear()
            if self._is_all_stale or not all(one is not None and self.model.update(one) for one in moved):
                self.reload()

    def _show(self, summaries: list[StoredSummary]) -> None:
        position = self.list.verticalScrollBar().value()
        self.model.show(summaries)
        index = self.model.index_of(self._open_id)
        if index != self.list.currentIndex():
            self.list.mark(index, scroll=False)
        self.list.verticalScrollBar().setValue(position)
        self._nothing.setVisible(not summaries)
        is_searched = bool(self.search.text().strip())
        self._nothing.setText(tr("No summary has these words.") if is_searched else tr("Your summaries will be here."))

    def _bring_back(self, summary_id: int) -> None:
        if self._store(self._summaries.restore, summary_id):
            self.reload()
            self.chosen.emit(summary_id)
            self.work_wanted.emit()

    def _stop(self, summary_id: int) -> None:
        self._store(self._summaries.stop, summary_id)
        self.refresh_soon()

    def _go_on(self, summary_id: int) -> None:
        if self._store(self._summaries.resume, summary_id):
            self.work_wanted.emit()
        self.refresh_soon()

    def _choose(self, index: QModelIndex) -> None:
        summary_id = index.data(ID_ROLE)
        if summary_id is not None and summary_id != self._open_id:
            self.chosen.emit(summary_id)

    def _on_renamed(self, summary_id: int, title: str) -> None:
        if self._store(self._summaries.rename, summary_id, title):
            self.reload()
            self.renamed.emit(summary_id)

    def _on_menu(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        if index.data(ID_ROLE) is not None:
            self.menu_for(index).popup(self.list.viewport().mapToGlobal(position))

    def _store(self, do: Callable[..., object], *values: object) -> bool:
        try:
            do(*values)
        except AppError as error:
            self._notify.error(error)
            return False
        return True

    def _on_theme_changed(self) -> None:
        theme, tokens = self._theme, self._theme.tokens
        self._column.setContentsMargins(theme.px(12), theme.px(14), theme.px(12), 0)
        self._column.setSpacing(theme.px(9))
        self._new.setFont(theme.font(14.5, 600))
        self._new.setIcon(icon("file-plus", tokens.accent))
        # A push button keeps its text four pixels from the icon; a wider icon around the same glyph gives it air.
        self._new.setIconSize(QSize(theme.px(32), theme.px(16)))
        self.search.setFont(theme.font(14))
        self._glass.setIcon(icon("magnifying-glass", tokens.muted))
        self._nothing.setFont(theme.font(13.5))
        self._nothing.setContentsMargins(theme.px(15), theme.px(4), theme.px(15), 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.reload()
