"""What stands before the window while the data is locked: the question for the passphrase, and a change at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QProgressBar, QVBoxLayout

from app import APP_NAME
from app.core.errors.app_error import AppError
from app.core.paths import AppPaths, is_locked
from app.features.error_messages import PersonMessage
from app.features.lock.lock_change import LockProgress, finish_change
from app.features.lock.open_copies import remove_left_copies, unlock_home
from app.ui.i18n import InContext, sentence_for, tr
from app.ui.shared_labels import QUIT, TRY_AGAIN
from app.ui.shell.desktop import bring_to_front
from app.ui.shell.startup import StartupWindow
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_label, show_problem

IS_LOCKED = PersonMessage(f"{APP_NAME} is locked.", "Enter your passphrase to open your chats.")
UNLOCK = "Unlock"
PASSPHRASE = "Passphrase"
CHANGING_LOCK = PersonMessage("Changing the lock…", "Don’t switch the computer off. If it stops, nothing is lost.")
LOOK_EVERY_MS = 50


class LockScreen(StartupWindow):
    """Asks for the passphrase until it is right; accepted once `unlock` took one, rejected means quit."""

    def __init__(self, theme: Theme, unlock: Callable[[str], object]) -> None:
        super().__init__(theme, "lock_screen", IS_LOCKED)
        self._unlock = unlock
        self.field = theme.dress(QLineEdit(echoMode=QLineEdit.EchoMode.Password), font="body")
        self.field.setAccessibleName(tr(PASSPHRASE))
        self.problem = plain_label(kind="danger", wraps=True)
        self.problem.setVisible(False)
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(2, self.field)
        column.insertWidget(3, self.problem)
        self.add_gap()
        self.add_button(tr(QUIT), self.reject).setAutoDefault(False)
        self.unlock_button = self.add_button(tr(UNLOCK), self.try_passphrase, "primary")
        self.unlock_button.setEnabled(False)
        self.field.textChanged.connect(self._on_typed)
        self.field.setFocus()

    def try_passphrase(self) -> None:
        """Unlock with what was typed, or say why that doesn't work."""
        try:
            self._unlock(self.field.text())
        except AppError as error:
            self.field.clear()
            show_problem(self.problem, self.field, sentence_for(error).text)
        else:
            self.accept()

    def come_forward(self, _wanted: object = None) -> None:
        """Show the screen because of another start; what that wanted to open, the user opens again."""
        bring_to_front(self)

    def _on_typed(self, text: str) -> None:
        self.unlock_button.setEnabled(bool(text))
        if text:
            show_problem(self.problem, self.field, "")


class ChangingLock(StartupWindow):
    """Shows how far a change of the lock is; it can't be closed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "changing_lock", CHANGING_LOCK)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName(CHANGING_LOCK.text)
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(2, self.bar)

    def show_progress(self, progress: LockProgress | None) -> None:
        """Show a step; one without sizes only moves the bar."""
        total = progress.total_bytes if progress is not None else 0
        self.bar.setRange(0, 1000 if total else 0)
        if progress is not None and total:
            self.bar.setValue(round(1000 * progress.done_bytes / total))

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()

    def reject(self) -> None:
        return  # Escape, too: a change goes to its end


def open_locked_home(
    paths: AppPaths, theme: Theme, on_screen: Callable[[LockScreen], object] = lambda _screen: None
) -> AppPaths | None:
    """Finish a change that was interrupted, then ask for the passphrase if there is a lock; None if the user quits.

    `on_screen` is given the screen before it opens.
    """
    while True:
        try:
            finish_change(paths)
            break
        except AppError as error:
            if not _asks_again(theme, error):
                return None
    remove_left_copies(paths)
    if not is_locked(paths.data):
        return paths
    opened: list[AppPaths] = []
    screen = LockScreen(theme, lambda passphrase: opened.append(unlock_home(paths, passphrase)))
    on_screen(screen)
    is_open = screen.exec() == QDialog.DialogCode.Accepted
    screen.deleteLater()
    return opened[0] if is_open else None


def run_lock_change(theme: Theme, change: Callable[[], Iterator[LockProgress]]) -> None:
    """Run a change of the lock on a thread and show its progress; an error is shown, and nothing was changed then."""
    window, loop = ChangingLock(theme), QEventLoop()
    steps: list[LockProgress] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            for step in change():
                steps.append(step)
        except (AppError, OSError) as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="lock change")
    timer = QTimer(window, interval=LOOK_EVERY_MS)

    def show_state() -> None:
        window.show_progress(steps[-1] if steps else None)
        if not thread.is_alive():
            loop.quit()

    timer.timeout.connect(show_state)
    window.show()
    thread.start()
    timer.start()
    loop.exec()
    timer.stop()
    thread.join()
    window.hide()
    window.deleteLater()
    if failed:
        _tell_problem(theme, failed[0])


def _asks_again(theme: Theme, error: Exception) -> bool:
    problem = StartupWindow(theme, "lock_problem", sentence_for(error))
    problem.add_gap()
    problem.add_button(tr(QUIT), problem.reject)
    problem.add_button(tr(TRY_AGAIN), problem.accept, "primary")
    return problem.exec() == QDialog.DialogCode.Accepted


def _tell_problem(theme: Theme, error: Exception) -> None:
    problem = StartupWindow(theme, "lock_problem", sentence_for(error))
    problem.add_gap()
    problem.add_button(tr(InContext("to the next step", "Continue")), problem.accept, "primary")
    problem.exec()
