"""Data settings: export, import, backups, and the trash with its expiry."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QListWidget, QListWidgetItem, QPushButton

from app import APP_NAME
from app.core.catalogue import CountedTexts
from app.features.trash import DAY_S, KINDS, TrashedItem, kept_until
from app.store import trash
from app.store.snapshots import KEPT
from app.ui.exchange.backup import BackupFiles
from app.ui.exchange.export_dialog import ChatExports
from app.ui.exchange.import_dialog import NOTE_ROLE, ImportedDelegate, Importing
from app.ui.exchange.snapshot_dialog import ask_for_day
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_day, join_facts
from app.ui.settings.lock_section import LockSection
from app.ui.settings.settings_pages import Save, SettingsPage
from app.ui.shared_labels import CHATS, DELETE_FOR_GOOD, NEW_CHAT, ONE_MEMORY, RESTORE
from app.ui.shell import tab_spec, tasks
from app.ui.shell.settings_index import label_of, page_label
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.input_fields import SegmentedControl
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import FlowLayout, fill_layout, name_widgets

if TYPE_CHECKING:
    from app.bootstrap import Fireside

REMOVED_AT_DATE = "permanently deleted {date}"
GONE_IN_DAYS = "gone in {n} days"
_DAYS: CountedTexts = ("{count} day", "{count} days")

EMPTY_TRASH = "Empty trash"
REMOVED_AT_NEXT_START = "permanently deleted when {app} next starts"
UNTIL_NEXT_START = "Until the next start"


class DataPage(SettingsPage):
    """Data page. Its buttons start work that continues in the window; `leave` closes the settings."""

    def __init__(self, app: Fireside, ui: UiContext, save: Save, leave: Callable[[], object]) -> None:
        super().__init__(ui.theme, page_label("data"))
        self._leave = leave
        exporting, backups = ChatExports.of_window(app, ui), BackupFiles.of_window(app, ui)
        importing = Importing(app, ui)
        self.add_heading(tr(CHATS))
        self._add("export_chats", tr("As PDF, Word, web page, Markdown or JSON."), tr("Export…"), exporting.ask)
        self._add(
            "import_chats",
            tr("{program}, ChatGPT, Claude, LM Studio, Jan, Open WebUI.", program=APP_NAME),
            tr("Import…"),
            importing.ask,
        )
        self.add_heading(tr("Everything"))
        self._add(
            "back_up",
            tr("Everything but models, in one file. It isn’t encrypted."),
            tr("Back up…"),
            backups.ask_where,
            tr("Chats, projects, memories, summaries, translations, pages, glossaries and settings. Keep it private."),
        )
        self._add(
            "restore", tr("Replaces everything. The current data is kept for 30 days."), tr(RESTORE), backups.ask_which
        )
        self._add(
            "snapshots",
            tr_count("Goes back to the last day.", "Goes back to one of the last {count} days.", KEPT),
            tr("Choose day…"),
            lambda: ask_for_day(app, ui),
            tr("{app} makes a copy each day you use it, and shows what each would bring back or remove.", app=APP_NAME),
        )
        put_back = self._add(
            "put_back",
            tr("Brings back the data from before the last restore."),
            tr("Undo restore…"),
            backups.ask_to_put_back,
            tr("The current data is kept for 30 days."),
        )
        put_back.setEnabled(backups.can_put_back())
        self.add_section(LockSection(app, ui, save, leave))
        self.finish()

    def _add(self, key: str, explanation: str, label: str, do: Callable[[], object], more: str = "") -> QPushButton:
        button = text_button(label, on_click=lambda: (self._leave(), do()))
        button.setAccessibleName(f"{label.removesuffix('…')}: {label_of(key)}")
        # Closed first: the dialogs that follow belong to the window.
        self.add_setting(key, explanation, button, more)
        return button


LIST_PX = 220
DAYS = 30
ALL = ""
_NAMES = {
    trash.CHAT: ("Chat", "Chats"),
    trash.MESSAGE: ("Message", "Messages"),
    trash.PROJECT: ("Project", "Projects"),
    trash.ASSISTANT: ("Assistant", "Assistants"),
    trash.MEMORY: (ONE_MEMORY, "Memories"),
    trash.TAG: ("Tag", "Tags"),
    trash.PROMPT: ("Prompt", "Prompts"),
    trash.SUMMARY: ("Summary", "Summaries"),
    trash.TRANSLATION: ("Translation", "Translations"),
    trash.PAGE: ("Page", "Pages"),
}
_TABS = {trash.SUMMARY: tab_spec.SUMMARIZE, trash.TRANSLATION: tab_spec.TRANSLATE, trash.PAGE: tab_spec.WRITE}
"""Tab in which a kind is restored; others are in the chats."""


class TrashPage(SettingsPage):
    """Trash with multiple selection; permanent deletion is confirmed once and runs on a thread."""

    def __init__(self, app: Fireside, ui: UiContext, save: Save) -> None:
        super().__init__(ui.theme, page_label("trash"))
        self._app, self._ui, self._save = app, ui, save
        self._trashed: list[TrashedItem] = []
        self._at_work = False
        self.trash = app.trash
        self._add_choice()
        self.kind = ChoiceButton(ui.theme, tr("Kind"), [(ALL, tr("Everything"))], on_change=lambda _: self._show())
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Deleted"))
        self.list.setProperty("elides", True)
        # Otherwise Qt measures all rows before it shows any.
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setItemDelegate(ImportedDelegate(ui.theme, self.list))
        self.list.itemSelectionChanged.connect(self._show_buttons)
        self.list.itemActivated.connect(lambda _: self.restore())
        self.nothing = self.muted(tr("The trash is empty."))
        self.restore_button = text_button(tr("Restore"), on_click=self.restore)
        self.remove_button = text_button(tr("Delete forever…"), "quiet", on_click=self.ask_to_remove)
        self.empty_button = text_button(tr("Empty trash…"), "quiet", on_click=self.ask_to_empty)
        buttons = ui.theme.dress(FlowLayout(), spacing=8)
        buttons.is_last_at_end = True
        for button in (self.restore_button, self.remove_button, self.empty_button):
            buttons.addWidget(button)
        head = fill_layout(QHBoxLayout(), self.kind, 1)
        fill_layout(self.column, head, self.nothing)
        # `finish` adds a stretch of 1, which would otherwise take half of the room.
        fill_layout(self.column, (self.list, 100), buttons)
        ui.theme.dress(self.list, least_height=LIST_PX)
        name_widgets(trash_list=self.list, restore=self.restore_button, remove=self.remove_button)
        self.finish()

    def _add_choice(self) -> None:
        days = self._app.settings.trash.keep_days
        choices = [(str(DAYS), tr_count(*_DAYS, DAYS)), ("0", tr(UNTIL_NEXT_START))]
        if str(days) not in dict(choices):  # a value from the settings file
            choices.insert(0, (str(days), tr_count(*_DAYS, days)))
        name = label_of("keep_days")
        field = SegmentedControl(self._theme, name, choices, str(days), self._on_days)
        more = tr(
            "What models cached of a deleted chat is deleted immediately. Daily copies lose items when the trash does."
        )
        self.add_setting("keep_days", tr("After that it’s permanently deleted."), field, more)

    def _on_days(self, days: str) -> None:
        self._save("trash", keep_days=int(days))
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.reload()

    def reload(self) -> None:
        with self._ui.notify.guard():
            self._trashed = self.trash.list_items()
        there = {trashed.kind for trashed in self._trashed}
        self.kind.offer([(ALL, tr("Everything")), *((kind, tr(_NAMES[kind][1])) for kind in KINDS if kind in there)])
        self.kind.setVisible(len(there) > 1)
        self._show()

    @property
    def chosen(self) -> list[TrashedItem]:
        return [item.data(Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]

    def restore(self) -> None:
        """Restore the selection and reload the lists of the tabs it belongs to."""
        for trashed in self.chosen:
            with self._ui.notify.guard():
                try:
                    self.trash.restore(trashed)
                except KeyError:  # another window of the program was quicker
                    continue
        # Before reloading, which clears the selection.
        tabs = {_TABS.get(trashed.kind, tab_spec.CHAT) for trashed in self.chosen}
        self.reload()
        for name in sorted(tabs):
            self._ui.go.tab(name).restore_list()

    def ask_to_remove(self) -> QuestionDialog:
        """Ask, then delete the selection permanently on a thread."""
        chosen = self.chosen
        title, words = tr("Delete forever?"), _title(chosen[0])
        if len(chosen) > 1:
            title = tr_count("Delete {count} item forever?", "Delete {count} items forever?", len(chosen))
            words = tr("This can’t be undone.")
        return self.ask(title, words, tr(DELETE_FOR_GOOD), lambda: self._remove(chosen))

    def ask_to_empty(self) -> QuestionDialog:
        """Ask, then delete everything in the trash permanently on a thread."""
        count = len(self._trashed)
        words = tr_count("1 item will be permanently deleted.", "{count} items will be permanently deleted.", count)
        return self.ask(tr("Empty trash?"), words, tr(EMPTY_TRASH), self._empty)

    def _remove(self, chosen: Sequence[TrashedItem]) -> None:
        self._do(lambda: self.trash.remove(*chosen))

    def _empty(self) -> None:
        self._do(self.trash.remove_all)

    def _do(self, work: Callable[[], object]) -> None:
        """Run work on a thread; the window may be closed meanwhile."""
        self._at_work = True
        self._show_buttons()
        # Owned by the window, so that it goes on if the settings are closed meanwhile.
        task = tasks.ask(lambda _: work(), self._ui.window, lambda _: None, self._ui.notify.error)
        for signal in (task.finished, task.failed):
            signal.connect(self._on_done)

    def _on_done(self, *_: object) -> None:
        self._at_work = False
        self.reload()

    def _show(self) -> None:
        wanted, days = self.kind.value, self._app.settings.trash.keep_days
        self.list.clear()
        for trashed in self._trashed:
            if wanted not in (ALL, trashed.kind):
                continue
            item = QListWidgetItem(_title(trashed), self.list)
            item.setData(NOTE_ROLE, _note(trashed, days))
            item.setData(Qt.ItemDataRole.UserRole, trashed)
            # Qt would render a title that looks like HTML.
            item.setToolTip(plain_tip(f"{item.text()}\n{item.data(NOTE_ROLE)}\n{_dates(trashed, days)}"))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}, {item.data(NOTE_ROLE)}")
        has_some = bool(self.list.count())
        self.list.setVisible(has_some)
        self.nothing.setVisible(not has_some)
        self._show_buttons()

    def _show_buttons(self) -> None:
        has_chosen = bool(self.list.selectedItems()) and not self._at_work
        self.restore_button.setEnabled(has_chosen)
        self.remove_button.setEnabled(has_chosen)
        self.empty_button.setEnabled(bool(self._trashed) and not self._at_work)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(420), self._theme.px(420))


def _title(item: TrashedItem) -> str:
    return item.title or (tr(NEW_CHAT) if item.kind == trash.CHAT else tr(_NAMES[item.kind][0]))


def _note(item: TrashedItem, keep_days: int) -> str:
    """Return an entry's kind, how long it is kept, and its origin."""
    until = kept_until(item.deleted_at, keep_days)
    parts = [
        tr(_NAMES[item.kind][0]),
        _time_left(until) if until else tr(REMOVED_AT_NEXT_START, app=APP_NAME),
        tr("in “{title}”", title=item.within) if item.within else "",
    ]
    return join_facts(parts)


def _time_left(until: float) -> str:
    days = math.ceil((until - time.time()) / DAY_S)
    return tr_count("gone in {n} day", GONE_IN_DAYS, days, n=days) if days > 1 else tr("gone within a day")


def _dates(item: TrashedItem, keep_days: int) -> str:
    until = kept_until(item.deleted_at, keep_days)
    deleted = tr("deleted {date}", date=format_day(item.deleted_at))
    return f"{deleted} · {tr(REMOVED_AT_DATE, date=format_day(until))}" if until else deleted
