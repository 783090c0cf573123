"""Restore a daily copy: its days, and what each would bring back, remove and change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout

from app import APP_NAME
from app.core.errors.app_error import AppError
from app.features.exchange.restore_backup import accept, stage_snapshot
from app.store.snapshots import DatabaseSnapshot, SnapshotDifference, compare_snapshot
from app.ui.exchange.backup import RESTORE_AND_RESTART, list_counts
from app.ui.exchange.import_dialog import BAD_ROLE, NOTE_ROLE, ImportedDelegate
from app.ui.i18n import tr
from app.ui.locale_formats import format_number, format_weekday
from app.ui.shared_labels import CANCEL, NEW_CHAT
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout, name_widgets, within_screen

if TYPE_CHECKING:
    from app.bootstrap import Fireside

NO_COPIES = "There are no daily copies yet. The first is made when there is something to copy."
COMES_BACK, GOES_AWAY = "Comes back", "Removed"
NOTHING_DIFFERS = "This day has the same chats and pages as now."
CANT_BE_READ = "can’t be read"

WIDTH_PX, HEIGHT_PX, DAYS_PX = 660, 460, 250
SHOWN_KINDS = ("chats", "messages", "pages")
MOST_TITLES = 200

Compared = tuple[DatabaseSnapshot, SnapshotDifference | None]


def ask_for_day(app: Fireside, ui: UiContext) -> SnapshotDialog:
    """Open the daily copies; they are compared on a thread."""
    # What is still being typed counts as what is here.
    ui.go.store()
    dialog = SnapshotDialog(app, ui)
    dialog.open()
    return dialog


class SnapshotDialog(Dialog):
    """Days at the left, what restoring the chosen one changes at the right."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(ui.window)
        theme = self._theme = ui.theme
        self._app, self._ui = app, ui
        self._compared: Sequence[Compared] = ()
        self.setObjectName("snapshot_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.name_by_heading(tr("Restore a daily copy"))
        self.head = theme.dress(plain_label(self.accessibleName()), font="section")
        self.days = self._make_list(tr("Days"))
        self.days.setItemDelegate(ImportedDelegate(theme, self.days))
        self.days.setFixedWidth(theme.px(DAYS_PX))
        self.days.currentItemChanged.connect(lambda *_: self._show_chosen())
        self.told = plain_label(wraps=True)
        self.titles = self._make_list(tr("What changes"))
        self.titles.setItemDelegate(ImportedDelegate(theme, self.titles))
        self.titles.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        words = tr("{app} restarts. The current data is kept for 30 days, and you can undo this.", app=APP_NAME)
        self.foot = theme.dress(plain_label(words, kind="muted", wraps=True), font="small")
        self.restore = text_button(tr(RESTORE_AND_RESTART), "primary", on_click=self._on_restore)
        cancel = text_button(tr(CANCEL), "quiet", on_click=self.reject)
        right = theme.dress(fill_layout(QVBoxLayout(), self.told, (self.titles, 1)), spacing=8)
        middle = theme.dress(fill_layout(QHBoxLayout(), self.days, (right, 1)), spacing=16)
        row = theme.dress(fill_layout(QHBoxLayout(), (self.foot, 1), cancel, self.restore), spacing=8)
        column = theme.dress(QVBoxLayout(self), margins=(24, 20, 24, 20), spacing=12)
        fill_layout(column, self.head, (middle, 1), row)
        name_widgets(restore_day=self.restore, days=self.days)
        self.resize(within_screen(self, QSize(theme.px(WIDTH_PX), theme.px(HEIGHT_PX))))
        self._compare_days()

    def _make_list(self, name: str) -> QListWidget:
        made = QListWidget()
        made.setAccessibleName(name)
        made.setProperty("elides", True)
        made.setUniformItemSizes(True)
        return made

    def _compare_days(self) -> None:
        """Compare each day with now; reads seven files, so on a thread."""
        self.restore.setEnabled(False)
        snapshots, database = self._app.snapshots, self._app.paths.database

        def compare_all() -> list[Compared]:
            return [(snapshot, _compare_readable(snapshot, database)) for snapshot in snapshots.list_snapshots()]

        tasks.ask(lambda _: compare_all(), self, self._show_days, self._ui.notify.error)

    def _show_days(self, compared: Sequence[Compared]) -> None:
        self._compared = compared
        for snapshot, difference in compared:
            day = QDate(snapshot.day.year, snapshot.day.month, snapshot.day.day)
            counts = {} if difference is None else {kind: difference.counts[kind] for kind in SHOWN_KINDS}
            note = tr(CANT_BE_READ) if difference is None else list_counts(counts)
            _add_row(self.days, format_weekday(day), note, is_bad=difference is None)
        if compared:
            self.days.setCurrentRow(0)
            self.days.setFocus()
        else:
            self.told.setText(tr(NO_COPIES))
        for widget in (self.days, self.titles):
            widget.setVisible(bool(compared))

    @property
    def chosen(self) -> Compared | None:
        row = self.days.currentRow()
        return self._compared[row] if row >= 0 else None

    def _show_chosen(self) -> None:
        chosen = self.chosen
        difference = chosen[1] if chosen is not None else None
        self.titles.clear()
        self.restore.setEnabled(difference is not None)
        if difference is None:
            self.told.setText(tr("This copy can’t be read. Choose another day.") if chosen is not None else "")
            return
        for titles, note in ((difference.only_there, COMES_BACK), (difference.only_here, GOES_AWAY)):
            for title in titles[:MOST_TITLES]:
                _add_row(self.titles, title or tr(NEW_CHAT), tr(note), is_bad=note == GOES_AWAY)
        self.told.setText(_summarize_difference(difference))
        self.titles.setVisible(bool(self.titles.count()))

    def _on_restore(self) -> None:
        if (chosen := self.chosen) is None:
            return
        self.accept()
        paths, restart = self._app.paths, self._ui.notify.actions["restart"]

        def then(_done: object) -> None:
            with self._ui.notify.guard():
                accept(paths)
                restart()

        # The window is the owner: the dialog is gone by then.
        tasks.ask(lambda _: stage_snapshot(chosen[0].path, paths), self._ui.window, then, self._ui.notify.error)


def _compare_readable(snapshot: DatabaseSnapshot, database: Path) -> SnapshotDifference | None:
    try:
        return compare_snapshot(snapshot.path, database)
    except AppError:
        return None


def _summarize_difference(difference: SnapshotDifference) -> str:
    counts = (
        (tr("Comes back: {n}", n=format_number(len(difference.only_there))), difference.only_there),
        (tr("Removed: {n}", n=format_number(len(difference.only_here))), difference.only_here),
        (tr("Changed since, back as it was: {n}", n=format_number(difference.changed)), difference.changed),
    )
    return "\n".join(words for words, there_are in counts if there_are) or tr(NOTHING_DIFFERS)


def _add_row(rows: QListWidget, title: str, note: str, *, is_bad: bool) -> None:
    item = QListWidgetItem(title, rows)
    item.setData(NOTE_ROLE, note)
    item.setData(BAD_ROLE, is_bad)
    item.setToolTip(plain_tip(f"{title}\n{note}"))
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{title}, {note}")
