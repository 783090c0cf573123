"""The settings of the program beside others: its icon, what closing means, notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QKeySequenceEdit

from app.ui.i18n import tr
from app.ui.settings.pages import Save, SettingsPage
from app.ui.shell.tab_spec import SystemLink
from app.ui.theme import Theme
from app.ui.widgets.fields import Switch

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class SystemPage(SettingsPage):
    """What is chosen is in force at once."""

    def __init__(self, app: Fireside, theme: Theme, save: Save, system: SystemLink) -> None:
        super().__init__(theme, tr("System"))
        self._app, self._save, self._system = app, save, system
        self._add_switch("tray", tr("Icon in the tray"), tr("Beside the clock, where the system has a place for it."))
        self._add_switch(
            "keeps_running",
            tr("Keep running when the window is closed"),
            tr("In the tray: work goes on, and Quit in its menu ends it. Without a tray, closing quits."),
        )
        self._add_shortcut()
        self.add_heading(tr("Notifications"))
        self._add_switch(
            "notifies",
            tr("Tell when something is done"),
            tr("A long answer, a summary, a translation or a download that ends while you look at something else."),
        )
        self._add_switch(
            "notifies_with_words",
            tr("Say what it is about"),
            tr("Titles, and how an answer begins. Others who see your screen, also a locked one, may read them."),
        )
        self.finish()

    def _add_shortcut(self) -> None:
        self.add_heading(tr("Quick ask"))
        self._add_switch(
            "shortcut_on",
            tr("Open with keys from any program"),
            tr("A small window for one question, with what is selected or copied there. Nothing of it is kept."),
        )
        keys = QKeySequenceEdit(QKeySequence(self._app.settings.system.shortcut))
        keys.setMaximumSequenceLength(1)
        keys.setClearButtonEnabled(False)
        keys.setAccessibleName(tr("Keys"))
        keys.editingFinished.connect(lambda: self._on_keys(keys))
        self._theme.dress(keys, width=176)
        self._said = self.muted("")
        self._said.setObjectName("shortcut_said")
        self._keys_row = self.add_row(tr("Keys"), self._said, keys)
        self._system.shortcut_said.connect(self._show_said)
        self._show_said()

    def _on_keys(self, field: QKeySequenceEdit) -> None:
        keys = field.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if not keys:
            field.setKeySequence(QKeySequence(self._app.settings.system.shortcut))
        elif keys != self._app.settings.system.shortcut:
            self._save("system", shortcut=keys)
            self._system.changed.emit()

    def _show_said(self) -> None:
        is_on, words = self._app.settings.system.shortcut_on, self._system.shortcut_words
        self._said.setText(words if is_on else "")
        self._keys_row.setVisible(is_on)

    def _add_switch(self, field: str, name: str, explanation: str) -> None:
        switch = Switch(self._theme, name, on=getattr(self._app.settings.system, field))
        switch.toggled.connect(lambda wanted: self._change(field, wanted))
        self.add_row(name, explanation, switch)

    def _change(self, field: str, wanted: bool) -> None:
        self._save("system", **{field: wanted})
        self._system.changed.emit()
        self._show_said()
