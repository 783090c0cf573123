"""Settings of the tray, the global shortcut, notifications and documents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QKeySequenceEdit

from app.ui.i18n import tr
from app.ui.settings.settings_pages import Save, SettingsPage
from app.ui.settings.shared_sections import DocumentsSection
from app.ui.shared_labels import QUICK_ASK
from app.ui.shell.settings_index import label_of, page_label
from app.ui.shell.tab_spec import UiContext

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class SystemPage(SettingsPage):
    """Settings of the tray, the global shortcut and notifications; choices apply at once."""

    def __init__(self, app: Fireside, ui: UiContext, save: Save) -> None:
        super().__init__(ui.theme, page_label("system"))
        self._app, self._save, self._system = app, save, ui.system
        self._add_kept("tray", tr("Next to the clock, if your desktop shows tray icons."))
        self._add_kept(
            "keeps_running",
            tr("In the tray. To quit, use the tray’s menu."),
            tr("On desktops without a tray, closing the window quits."),
        )
        self._add_shortcut()
        self.add_heading(tr("Notifications"))
        self._add_kept(
            "notifies",
            tr("When long work finishes while you’re elsewhere."),
            tr("Long work is an answer, a summary, a translation or a download."),
        )
        self._add_kept(
            "notifies_with_words",
            tr("Chat title and first words, even on a locked screen."),
            tr("Anyone who sees your screen can read them."),
        )
        self.add_section(DocumentsSection(app, ui.theme, save, ui))
        self.finish()

    def _add_shortcut(self) -> None:
        self.add_heading(tr(QUICK_ASK))
        self._add_kept(
            "shortcut_on",
            tr("Asks about selected or copied text. Nothing is saved."),
            tr("Opens a small window for a question about the text."),
        )
        keys = QKeySequenceEdit(QKeySequence(self._app.settings.system.shortcut))
        # A global shortcut is one combination of keys; Qt would take a sequence of four.
        keys.setMaximumSequenceLength(1)
        keys.setClearButtonEnabled(False)
        keys.setAccessibleName(label_of("shortcut"))
        keys.editingFinished.connect(lambda: self._on_keys(keys))
        self._theme.dress(keys, width=176)
        self._said = self.muted("")
        self._said.setObjectName("shortcut_said")
        self._keys_row = self.add_setting("shortcut", self._said, keys)
        self._system.shortcut_said.connect(self._show_said)
        self._show_said()

    def _on_keys(self, field: QKeySequenceEdit) -> None:
        # An empty field gets its keys back: the switch above turns the shortcut off.
        if not (keys := field.keySequence().toString(QKeySequence.SequenceFormat.PortableText)):
            field.setKeySequence(QKeySequence(self._app.settings.system.shortcut))
        elif keys != self._app.settings.system.shortcut:
            self._save("system", shortcut=keys)
            self._system.changed.emit()

    def _show_said(self) -> None:
        is_on, words = self._app.settings.system.shortcut_on, self._system.shortcut_words
        self._said.setText(words if is_on else "")
        self._keys_row.setVisible(is_on)

    def _add_kept(self, field: str, explanation: str, more: str = "") -> None:
        is_on = getattr(self._app.settings.system, field)
        self.add_switch(field, explanation, partial(self._change, field), is_on=is_on, more=more)

    def _change(self, field: str, wanted: bool) -> None:
        self._save("system", **{field: wanted})
        self._system.changed.emit()
        self._show_said()
