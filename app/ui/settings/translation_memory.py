"""Translation memory: search by words, language or document, and permanent deletion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.core.events import CancelToken
from app.features.translate.translation_memory import MemoryMatches, MemoryTranslation
from app.language.language_names import find_language
from app.store.translation_store import LanguagePair
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number
from app.ui.shared_labels import DELETE_FOR_GOOD, KEEP_LABEL, TRANSLATION
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout, within_screen
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.features.translate.translation_jobs import TranslationJobs

TRANSLATION_COUNT = "{count} translations"
NOTHING_FOUND = "No results."

SIZE_PX, ROW_PX = (720, 520), 32
TYPING_MS = 250
EVERYTHING, THIS_DOCUMENT = "", "document"
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


class MemoryModel(QAbstractTableModel):
    """Table of the newest matches: source and translation, each on one line."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.shown: tuple[MemoryTranslation, ...] = ()
        self.heading_font = QFont()

    def show(self, found: MemoryMatches) -> None:
        self.beginResetModel()
        self.shown = found.newest
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        stored = self.shown[index.row()]
        text = (stored.source, stored.target)[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return " ".join(text.split())
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(text)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("Original"), tr(TRANSLATION))[section]
        if role == Qt.ItemDataRole.FontRole:
            return self.heading_font
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        return None


class MemoryTable(QTableView):
    """Table whose Delete key asks to delete the selection."""

    delete_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        half = max(1, self.viewport().width() // 2)
        self.horizontalHeader().resizeSection(0, half)
        self.horizontalHeader().resizeSection(1, self.viewport().width() - half)


class MemoryDialog(Dialog):
    """Dialog of the memory; with `translation_id`, the open document, matches for its segments can be listed."""

    changed = Signal()
    """Entries were deleted."""

    def __init__(
        self,
        translations: TranslationJobs,
        theme: Theme,
        notify: Notify,
        parent: QWidget,
        translation_id: int | None = None,
    ) -> None:
        super().__init__(parent)
        self._translations, self._theme, self._notify = translations, theme, notify
        self._document = translation_id
        self._task: tasks.BackgroundTask | None = None
        self._asked: tuple[int, ...] = ()
        self.found = MemoryMatches()
        self.set_up_window("memory_dialog", tr("Translation memory"))
        self.head = QLabel(tr("Translation memory"))
        self.words = QLabel(
            tr("Reuses earlier translations of the same text. Saved translations don’t depend on it."),
            textFormat=Qt.TextFormat.PlainText,
            wordWrap=True,
        )
        self.words.setProperty("kind", "muted")
        self.search = QLineEdit(placeholderText=tr("Search"))
        self.search.setAccessibleName(tr("Search in the translation memory"))
        self.scope = ChoiceButton(
            theme, tr("Which"), self._scopes({}), shows_change=False, on_change=lambda _value: self.search_memory()
        )
        self.model = MemoryModel(self)
        self.table = MemoryTable()
        self.table.setObjectName("memory_table")
        self.table.setAccessibleName(tr("Translation memory"))
        self.count = plain_label(kind="muted")
        self.delete_chosen = text_button(tr("Delete selected"), "plain", on_click=self.ask_about_chosen)
        self.delete_all = text_button("", "plain", on_click=self.ask_about_all)
        self.close_button = text_button(tr("Close"), "plain", on_click=self.close)
        self.question = plain_label(wraps=True)
        self.keep = text_button(tr(KEEP_LABEL), "quiet", on_click=self._end_question)
        self.yes = text_button(tr(DELETE_FOR_GOOD), "plain", on_click=self._delete)
        self._lay_out()
        self._connect()
        self._dress()
        self.search_memory()

    def search_memory(self) -> None:
        """Search again on a thread, by the field's words and the scope."""
        self._later.stop()
        if self._task is not None:
            self._task.abandon()
        words, scope = self.search.text(), self.scope.value
        document = self._document if scope == THIS_DOCUMENT else None
        pair = LanguagePair(*scope.split(" ")) if " " in scope else None

        def read(cancel: CancelToken) -> Iterator[tuple[dict[LanguagePair, int], MemoryMatches]]:
            found = self._translations.search_memory(cancel, words, pair=pair, translation_id=document)
            yield self._translations.words.count_pairs(), found

        self._task = tasks.run(read, self, on_event=self._take_report, on_failed=self._notify.error)

    def _take_report(self, report: tuple[dict[LanguagePair, int], MemoryMatches]) -> None:
        self._task = None
        pairs, self.found = report
        scope = self.scope.value
        self.scope.offer(self._scopes(pairs))
        if self.scope.value != scope:  # no entries in these languages are left
            self.search_memory()
        self.model.show(self.found)
        self._show()

    def _scopes(self, pairs: dict[LanguagePair, int]) -> list[tuple[str, str]]:
        scopes = [(EVERYTHING, tr("All languages"))]
        if self._document is not None:
            scopes.append((THIS_DOCUMENT, tr("This document")))
        for pair, count in pairs.items():
            names = (_name(pair.source) or tr("Unknown"), _name(pair.target))
            scopes.append((f"{pair.source} {pair.target}", f"{names[0]} → {names[1]} · {format_number(count)}"))
        return scopes

    def _show(self) -> None:
        count, shown = len(self.found.ids), len(self.found.newest)
        words = _counted(count) if count else tr("Nothing saved.")
        if not count and (self.search.text().strip() or self.scope.value):
            words = tr(NOTHING_FOUND)
        if count > shown:
            words = tr("{count}, showing the newest {shown}", count=words, shown=format_number(shown))
        self.count.setText(words)
        self.delete_all.setText(tr("Delete all {count}", count=format_number(count)) if count else tr("Delete all"))
        self.delete_all.setAccessibleName(self.delete_all.text())
        self.delete_all.setEnabled(bool(count))
        self._show_chosen()

    def _show_chosen(self) -> None:
        self.delete_chosen.setEnabled(self.table.selectionModel().hasSelection())

    def ask_about_chosen(self) -> None:
        rows = {index.row() for index in self.table.selectionModel().selectedRows()}
        self._ask(tuple(self.model.shown[row].id for row in sorted(rows)))

    def ask_about_all(self) -> None:
        """Ask to delete all matches, also those beyond the rows shown."""
        self._ask(self.found.ids)

    def _ask(self, ids: tuple[int, ...]) -> None:
        if not ids:
            return
        self._asked = ids
        self.question.setText(tr("{count} will be permanently deleted.", count=_counted(len(ids))))
        self._feet.setCurrentWidget(self._asking)
        # Enter must not delete by accident.
        self.keep.setFocus(Qt.FocusReason.OtherFocusReason)

    def _end_question(self) -> None:
        self._asked = ()
        self._feet.setCurrentWidget(self._foot)
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _delete(self) -> None:
        ids = self._asked
        self._end_question()

        def delete(_cancel: CancelToken) -> Iterator[int]:
            yield self._translations.words.delete_entries(ids)

        tasks.run(delete, self, on_event=lambda _count: self._on_deleted(), on_failed=self._notify.error)

    def _on_deleted(self) -> None:
        self.changed.emit()
        self.search_memory()

    def _lay_out(self) -> None:
        px = self._theme.px
        top, foot, asking = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        fill_layout(top, (self.search, 1), self.scope)
        self._foot, self._asking, self._feet = QWidget(), QWidget(), QStackedWidget()
        for holder, row, widgets in (
            (self._foot, foot, (self.count, self.delete_chosen, self.delete_all, self.close_button)),
            (self._asking, asking, (self.question, self.keep, self.yes)),
        ):
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(px(8))
            for place, widget in enumerate(widgets):
                row.addWidget(widget, 0 if place else 1)
            holder.setLayout(row)
            self._feet.addWidget(holder)
        column = fill_layout(QVBoxLayout(self), self.head, self.words, top, (self.table, 1), self._feet)
        column.setContentsMargins(px(24), px(20), px(24), px(18))
        column.setSpacing(px(10))
        # Both feet are equally high, so that the table doesn't move.
        self._feet.setFixedHeight(self.close_button.sizeHint().height())

    def _connect(self) -> None:
        self._later = new_timer(self, TYPING_MS, self.search_memory)
        self.search.textChanged.connect(lambda _text: self._later.start())
        self.search.returnPressed.connect(self.search_memory)
        self.table.setModel(self.model)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_chosen())
        self.table.delete_wanted.connect(self.ask_about_chosen)

    def _dress(self) -> None:
        theme, table = self._theme, self.table
        self.head.setFont(theme.font("section"))
        self.words.setFont(theme.font("small"))
        self.search.setFont(theme.font("body"))
        self.count.setFont(theme.font("small"))
        self.question.setFont(theme.font("small"))
        for button in (self.delete_chosen, self.delete_all, self.close_button, self.keep, self.yes):
            button.setFont(theme.font("control"))
        table.setFont(theme.font("small"))
        self.model.heading_font = theme.font("caption")
        table.setWordWrap(False)
        table.setShowGrid(False)
        table.setProperty("elides", True)
        table.setTabKeyNavigation(False)
        table.setCornerButtonEnabled(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(theme.px(ROW_PX))
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.horizontalHeader().setHighlightSections(False)
        self.resize(within_screen(self, QSize(theme.px(SIZE_PX[0]), theme.px(SIZE_PX[1]))))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Escape means no here; the dialog stays.
        if event.key() == Qt.Key.Key_Escape and self._feet.currentWidget() is self._asking:
            self._end_question()
        else:
            super().keyPressEvent(event)


def _counted(count: int) -> str:
    return tr_count("1 translation", TRANSLATION_COUNT, count)


def _name(code: str) -> str:
    found = find_language(code) if code else None
    return tr(found.english) if found is not None else code
