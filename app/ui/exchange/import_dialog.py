"""Import of chats from files of this and other programs, with a report on each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.core.errors.exchange_errors import ChatsUnreadable
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.core.visible import visible_name
from app.features.exchange.chat_import import (
    KINDS,
    ChatContinued,
    ChatImported,
    ChatIsHere,
    ChatNotRead,
    ImportProgress,
    import_chats,
    left_out_words,
    not_read_words,
)
from app.ui.i18n import sentence_for, tr, tr_count
from app.ui.locale_formats import format_number, join_facts, join_list
from app.ui.shared_labels import CANCEL, NEW_CHAT, OPEN, READING_FILE, RESTORE
from app.ui.shell import tasks
from app.ui.shell.tab_spec import CHAT, UiContext
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import DOCUMENTS, Dialog, file_dialog
from app.ui.widgets.labels import ProgressStripe, announce, plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout, name_widgets, within_screen
from app.ui.widgets.row_list import Index, PlainRowDelegate

if TYPE_CHECKING:
    from app.bootstrap import Fireside

IMPORT_CHATS = "Import chats"
ONE_CHAT_IMPORTED = "1 chat imported"
WAS_HERE_ALREADY = "already here"
MESSAGE_COUNT = "{count} messages"

WIDTH_PX, HEIGHT_PX, ROW_PX = 560, 460, 46
NOTE_ROLE, BAD_ROLE = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2


class Importing:
    """Ask for files and import them, or import dropped ones."""

    def __init__(self, app: Fireside, ui: UiContext, window: QWidget | None = None) -> None:
        self._app, self._ui, self._window = app, ui, window or ui.window

    def ask(self) -> QFileDialog:
        """Ask for files; a folder of another program's chats can be dropped instead."""
        dialog = file_dialog(
            self._window,
            tr(IMPORT_CHATS),
            DOCUMENTS,
            self.import_files,
            name="import_chats",
            mode=QFileDialog.FileMode.ExistingFiles,
            filters=[tr("Exported chats (*.json *.jsonl *.zip)"), tr("All files (*)")],
        )
        dialog.open()
        return dialog

    def import_files(self, paths: Sequence[Path]) -> ImportDialog:
        """Import files with a dialog that shows the progress."""
        dialog = ImportDialog(self._app, self._ui, self._window)
        dialog.open()
        dialog.read(paths)
        return dialog


@dataclass
class _Counts:
    imported: int = 0
    continued: int = 0
    here: int = 0
    failed: int = 0
    messages: int = 0


class ImportDialog(Dialog):
    """Report that fills during the import; Cancel keeps the chats already complete."""

    def __init__(self, app: Fireside, ui: UiContext, parent: QWidget) -> None:
        super().__init__(parent)
        theme = ui.theme
        self._app, self._ui, self._theme = app, ui, theme
        self._counts, self._backup = _Counts(), Path()
        self._task: tasks.BackgroundTask | None = None
        self.set_up_window("import_dialog", tr(IMPORT_CHATS))
        self.head = theme.dress(plain_label(tr(READING_FILE), wraps=True), font="section")
        self.line = ProgressStripe(theme)
        self.line.setAccessibleName(tr("Progress"))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Import results"))
        self.list.setProperty("elides", True)
        self.list.setUniformItemSizes(True)
        self.list.setItemDelegate(ImportedDelegate(theme, self.list))
        self.list.itemActivated.connect(self._on_open)
        self.list.currentItemChanged.connect(lambda *_: self._show_buttons())
        self._restore = text_button(tr(RESTORE), on_click=self._on_restore)
        self._restore.hide()
        self.open_button = text_button(tr(OPEN), on_click=lambda: self._on_open(self.list.currentItem()))
        self.end = text_button(tr(CANCEL), "quiet", on_click=self._on_end)
        row = theme.dress(fill_layout(QHBoxLayout(), self._restore, 1, self.open_button, self.end), spacing=8)
        column = theme.dress(QVBoxLayout(self), margins=(24, 20, 24, 20), spacing=10)
        for widget, stretch in ((self.head, 0), (self.line, 0), (self.list, 1)):
            column.addWidget(widget, stretch)
        column.addLayout(row)
        name_widgets(open_imported=self.open_button, end_import=self.end, restore_instead=self._restore)
        self.resize(within_screen(self, QSize(theme.px(WIDTH_PX), theme.px(HEIGHT_PX))))
        self._show_buttons()

    @property
    def is_reading(self) -> bool:
        return self._task is not None

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Titles or files with their results, as the list shows them."""
        items = [self.list.item(number) for number in range(self.list.count())]
        return [(item.text(), str(item.data(NOTE_ROLE))) for item in items]

    def read(self, paths: Sequence[Path]) -> None:
        """Import one file after the other; an unreadable one doesn't stop the rest."""
        archive = self._app.shelf

        def work(token: CancelToken) -> Iterator[object]:
            for path in paths:
                if token.cancelled:
                    return
                try:
                    yield from import_chats(path, archive, token)
                except ChatsUnreadable as error:
                    yield error

        self._task = tasks.run(work, self, on_event=self._on_event, on_end=self._on_finished, on_failed=self._on_failed)

    def _on_event(self, event: object) -> None:
        counts = self._counts
        match event:
            case ImportProgress():
                self.line.show_share(event.done_bytes, event.total_bytes)
            case ChatImported() | ChatContinued():
                is_new = isinstance(event, ChatImported)
                counts.imported += is_new
                counts.continued += not is_new
                counts.messages += event.messages
                words = tr_count("1 message", MESSAGE_COUNT, event.messages)
                if not is_new:
                    words = tr("already here; {words} added", words=words)
                left = left_out_words(event.left_out)
                self._add(event.title, f"{KINDS[event.kind]} · {words}", left, event.conversation_id)
            case ChatIsHere():
                counts.here += 1
                self._add(event.title, tr(WAS_HERE_ALREADY), "", event.conversation_id)
            case ChatNotRead():
                counts.failed += 1
                self._add(event.title or event.file, "", tr(not_read_words(event.reason)), None)
            case ChatsUnreadable():
                counts.failed += 1
                # A backup holds no exported chats; restoring it is offered instead.
                if event.reason == "backup":
                    self._backup = Path(event.path)
                    self._restore.show()
                self._add(visible_name(Path(event.path).name), "", sentence_for(event).text, None)
        self._show_counts()

    def _add(self, title: str, note: str, lost: str, number: int | None) -> None:
        item = QListWidgetItem(title or tr(NEW_CHAT), self.list)
        item.setData(NOTE_ROLE, join_facts((note, lost)))
        item.setData(BAD_ROLE, number is None)
        item.setData(Qt.ItemDataRole.UserRole, number)
        item.setToolTip(plain_tip(f"{item.text()}\n{item.data(NOTE_ROLE)}"))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}, {item.data(NOTE_ROLE)}")

    def _show_counts(self) -> None:
        counts = self._counts
        parts = [tr_count(ONE_CHAT_IMPORTED, "{count} chats imported", counts.imported)]
        if counts.continued:
            parts.append(tr("{n} got new messages", n=format_number(counts.continued)))
        if counts.here:
            parts.append(tr("{n} already here", n=format_number(counts.here)))
        if counts.failed:
            parts.append(tr("{n} couldn’t be read", n=format_number(counts.failed)))
        self.head.setText(join_list(parts))

    def _on_finished(self) -> None:
        self._task = None
        self._show_counts()
        self.line.hide()
        announce(self.head, self.head.text())
        # For the keyboard, which starts from the current row.
        if self.list.count() and self.list.currentRow() < 0:
            self.list.setCurrentRow(0)
        self._show_buttons()
        self._ui.go.tab(CHAT).restore_list()

    def _on_failed(self, error: BaseException) -> None:
        self._on_finished()
        self._ui.notify.error(error)

    def _show_buttons(self) -> None:
        item = self.list.currentItem()
        has_chat = item is not None and item.data(Qt.ItemDataRole.UserRole) is not None
        self.open_button.setEnabled(has_chat and not self.is_reading)
        self.end.setText(tr(CANCEL) if self.is_reading else tr("Done"))
        self.end.setAccessibleName(self.end.text())

    def _on_open(self, item: QListWidgetItem | None) -> None:
        number = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        if number is not None and not self.is_reading:
            self.accept()
            self._ui.go.show_tab(CHAT).show_stored(number)

    def _on_end(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:
            self.accept()

    def _on_restore(self) -> None:
        from app.ui.exchange.backup import BackupFiles

        self.accept()
        BackupFiles.of_window(self._app, self._ui).read(self._backup)

    def reject(self) -> None:
        # Escape during an import cancels that first.
        if self._task is not None:
            self._task.cancel()
        else:
            super().reject()


class ImportedDelegate(PlainRowDelegate):
    """Paint a title with its result below; failures in the warning colour."""

    row_px = ROW_PX

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        painter.save()
        self.paint_back(painter, option, is_lit=bool(option.state & QStyle.StateFlag.State_Selected))
        room, half = option.rect.adjusted(px(12), px(4), -px(12), -px(4)), option.rect.height() // 2 - px(4)
        note = tokens.warning if index.data(BAD_ROLE) else tokens.muted
        self.write(painter, option, str(index.data()), room.adjusted(0, 0, 0, -half), colour=tokens.text)
        lower = room.adjusted(0, half, 0, 0)
        self.write(painter, option, str(index.data(NOTE_ROLE)), lower, role="small", colour=note)
        painter.restore()
