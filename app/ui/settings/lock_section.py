"""The lock in the settings: set, change and remove the passphrase, lock after idle time or now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from app import APP_NAME
from app.core.paths import is_locked
from app.ui.i18n import tr
from app.ui.settings.settings_pages import Save, SettingsSection
from app.ui.shared_labels import REMOVE
from app.ui.shell.settings_index import label_of
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.labels import show_problem, tell_problem
from app.ui.widgets.layouts import drop_margins, fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

FORGOTTEN_IS_LOST = "If you forget it, your chats can’t be recovered by anyone."
WRONG_PASSPHRASE = "That isn’t the passphrase. Try again."
NOT_THE_SAME = "The two passphrases differ."
SET, CHANGE = "Set passphrase…", "Change…"
SET_AND_RESTART, REMOVE_AND_RESTART, CHANGE_PASSPHRASE = "Lock and restart", "Remove and restart", "Change passphrase"
SERVER_STOPS = "Other programs can’t use the model until you unlock."
MINUTES = (5, 15, 60)


class PassphraseDialog(QuestionDialog):
    """Fields for a passphrase: the one in use, a new one twice, or both. `given` carries the old and the new one."""

    given = Signal(str, str)

    def __init__(
        self, theme: Theme, title: str, words: str, yes: str, parent: QWidget, *, asks_old: bool, asks_new: bool
    ) -> None:
        super().__init__(theme, title, words, parent)
        self.setObjectName("passphrase_dialog")
        self.fields.setDirection(QBoxLayout.Direction.TopToBottom)
        self.old = self._add_field(tr("Passphrase")) if asks_old else None
        self.new = self._add_field(tr("New passphrase")) if asks_new else None
        self.again = self._add_field(tr("New passphrase again")) if asks_new else None
        self.problem = QLabel()
        self.problem.setProperty("kind", "danger")
        self.fields.addWidget(self.problem)
        self.yes_button = self.add_choice(yes, self._on_yes, "primary")
        self._check_fields()
        first = self.old or self.new
        assert first is not None
        first.setFocus()

    def show_wrong(self) -> None:
        """Say that the passphrase in use is another one."""
        assert self.old is not None
        show_problem(self.problem, self.old, tr(WRONG_PASSPHRASE))

    def _add_field(self, name: str) -> QLineEdit:
        field = self._theme.dress(QLineEdit(echoMode=QLineEdit.EchoMode.Password), font="body")
        field.setPlaceholderText(name)
        field.setAccessibleName(name)
        field.textChanged.connect(self._check_fields)
        self.fields.addWidget(field)
        return field

    def _check_fields(self, *_: object) -> None:
        if not hasattr(self, "yes_button"):
            return
        fields = [field for field in (self.old, self.new, self.again) if field is not None]
        differ = self.new is not None and self.again is not None and self.new.text() != self.again.text()
        # Said only once both are typed.
        is_told = differ and self.again is not None and bool(self.again.text())
        if self.old is not None:
            tell_problem(self.old, "")
        if self.again is not None:
            tell_problem(self.again, tr(NOT_THE_SAME) if is_told else "")
        self.problem.setText(tr(NOT_THE_SAME) if is_told else "")
        self.yes_button.setEnabled(all(field.text() for field in fields) and not differ)

    def _on_yes(self) -> None:
        old, new = (field.text() if field is not None else "" for field in (self.old, self.new))
        self.given.emit(old, new)


class LockSection(SettingsSection):
    """Rows of the lock. A change that rewrites the data runs after the window closed; the program starts again."""

    def __init__(self, app: Fireside, ui: UiContext, save: Save, leave: Callable[[], object]) -> None:
        super().__init__(ui.theme, tr("Lock"))
        self._app, self._ui, self._save, self._leave = app, ui, save, leave
        self.is_locked = is_locked(app.paths.data)
        more = tr(
            "Chats, documents, pictures, recordings, pages, settings and daily copies are encrypted. Models and the "
            "list of connections aren’t. Backups you make stay open, and restoring one needs the lock removed."
        )
        self.add_setting("lock", tr(FORGOTTEN_IS_LOST), self._make_buttons(), more)
        idle = self._add_idle()
        now = text_button(tr("Lock now"), on_click=self.lock_now)
        locking = self.add_setting("lock_now", tr("Closes the window; your passphrase opens it again."), now)
        for row in (idle, locking):
            row.setVisible(self.is_locked)
        self.finish()

    def _make_buttons(self) -> QWidget:
        if not self.is_locked:
            return text_button(tr(SET), on_click=self.ask_new)
        buttons = QWidget()
        change = text_button(tr(CHANGE), on_click=self.ask_change)
        remove = text_button(f"{tr(REMOVE)}…", on_click=self.ask_removal)
        fill_layout(drop_margins(QHBoxLayout(buttons), 8), change, remove)
        return buttons

    def _add_idle(self) -> QWidget:
        minutes = self._app.settings.system.lock_after_min
        offered = sorted({*MINUTES, *([minutes] if minutes else [])})  # any number may be in the settings file
        choices = [("0", tr("Never")), *((str(n), tr("After {n} min", n=n)) for n in offered)]
        field = ChoiceButton(self._theme, label_of("lock_after"), choices)
        field.show_value(str(minutes))
        field.changed.connect(lambda chosen: self._save("system", lock_after_min=int(chosen)))
        return self.add_setting("lock_after", tr("Not while something is being written."), field, tr(SERVER_STOPS))

    def ask_new(self) -> PassphraseDialog:
        """Ask for the first passphrase, then lock and restart."""
        words = tr("{app} asks for it at every start. {lost}", app=APP_NAME, lost=tr(FORGOTTEN_IS_LOST))
        dialog = self._open_dialog(tr("Set a passphrase"), words, tr(SET_AND_RESTART), asks_old=False, asks_new=True)
        dialog.given.connect(lambda _old, new: self._set_lock(new))
        return dialog

    def ask_change(self) -> PassphraseDialog:
        """Ask for the passphrase in use and another one, which counts at once."""
        words = tr(FORGOTTEN_IS_LOST)
        title, yes = tr("Change the passphrase"), tr(CHANGE_PASSPHRASE)
        dialog = self._open_dialog(title, words, yes, asks_old=True, asks_new=True)
        dialog.given.connect(self._change_passphrase)
        return dialog

    def ask_removal(self) -> PassphraseDialog:
        """Ask for the passphrase in use, then decrypt and restart."""
        words = tr("Everything is stored unencrypted again.")
        title, yes = tr("Remove the lock?"), tr(REMOVE_AND_RESTART)
        dialog = self._open_dialog(title, words, yes, asks_old=True, asks_new=False)
        dialog.given.connect(lambda old, _new: self._remove_lock(old))
        return dialog

    def _open_dialog(self, title: str, words: str, yes: str, *, asks_old: bool, asks_new: bool) -> PassphraseDialog:
        dialog = PassphraseDialog(self._theme, title, words, yes, self, asks_old=asks_old, asks_new=asks_new)
        dialog.open()
        return dialog

    def _set_lock(self, passphrase: str) -> None:
        from app.features.lock.lock_change import set_lock

        self._restart_with(lambda: set_lock(self._app.paths, passphrase))

    def _change_passphrase(self, old: str, new: str) -> None:
        from app.core.errors.lock_errors import WrongPassphrase
        from app.features.lock.lock_change import change_passphrase

        with self._ui.notify.guard():
            try:
                change_passphrase(self._app.paths, old, new)
            except WrongPassphrase:
                self.ask_change().show_wrong()

    def _remove_lock(self, passphrase: str) -> None:
        from app.core.errors.lock_errors import WrongPassphrase
        from app.features.lock.lock_change import remove_lock
        from app.store.lock_file import read_lock

        try:
            read_lock(self._app.paths.lock, passphrase)
        except WrongPassphrase:
            self.ask_removal().show_wrong()
        else:
            self._restart_with(lambda: remove_lock(self._app.paths, passphrase))

    def _restart_with(self, change: Callable[[], object]) -> None:
        self._app.lock_change = change  # type: ignore[assignment]
        self._leave()
        self._restart()

    def lock_now(self) -> None:
        """Start the program again, which asks for the passphrase."""
        self._leave()
        self._restart()

    def _restart(self) -> None:
        self._ui.notify.actions["restart"]()
