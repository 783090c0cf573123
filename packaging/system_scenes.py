"""What stands beside the window in pictures: the small window, before and after its answer, and what closing asks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.core.errors.lock_errors import WrongPassphrase
from app.store.lock_file import new_key, write_lock
from app.ui.help.help_window import HelpWindow
from app.ui.outside import Outside
from app.ui.settings.check_page import ComputerCheckPage
from app.ui.settings.dialog import SettingsDialog
from app.ui.settings.lock_section import LockSection
from app.ui.shell.desktop import TaskBar
from app.ui.shell.lock_screen import LockScreen
from app.ui.widgets.dialogs import QuestionDialog
from tests.helpers.desks.window import Frame

COPIED = (
    "The tenant may end the lease in writing, with three months’ notice to the end of a quarter. Repairs of up to 100 "
    "euros each are the tenant’s own; in a year no more than 8 % of the rent without heating."
)
WORK = "Summarizing 2 of 5"
ANSWER_MS = 60_000
Step = Callable[[], object]


def lock_screens(frame: Frame, show: Step) -> list[tuple[str, Step, Step]]:
    """The lock in the settings, before and after it is set, and what stands before the window then."""
    window = frame.window

    def close(kind: type[QWidget]) -> Step:
        return lambda: frame.find_step(kind).close()

    def lock_settings() -> None:
        show()
        window.open_settings("data/lock")

    def ask_for_passphrase() -> None:
        lock_settings()
        frame.find_step(LockSection).ask_new()

    locked: list[LockScreen] = []

    def refuse(_passphrase: str) -> None:
        raise WrongPassphrase

    def lock_screen() -> None:
        # Before the window is built: nothing is behind it.
        window.hide()
        locked.append(screen := LockScreen(frame.theme, refuse))
        screen.show()
        screen.move(window.geometry().center() - screen.rect().center())
        screen.field.setText("battery staple")
        screen.try_passphrase()

    def unlock() -> None:
        screen = locked.pop()
        screen.close()
        screen.deleteLater()
        window.show()

    def locked_settings() -> None:
        write_lock(frame.app.paths.lock, "correct horse", new_key())
        lock_settings()

    def remove_lock() -> None:
        close(SettingsDialog)()
        frame.app.paths.lock.unlink()

    return [
        ("lock-settings", lock_settings, close(SettingsDialog)),
        ("lock-question", ask_for_passphrase, close(SettingsDialog)),
        ("lock-set", locked_settings, remove_lock),
        ("lock-screen", lock_screen, unlock),
    ]


def screens(frame: Frame, told: int) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, what to do after it; `told` is a chat that stands behind it."""
    window = frame.window
    outside = Outside(frame.app, window, TaskBar(window), has_tray=lambda: True)
    quick = outside.quick

    def show() -> None:
        frame.show_tab("chat")
        frame.show_chat(told)

    def open_quick() -> None:
        show()
        QGuiApplication.clipboard().setText(COPIED)
        outside.ask()
        frame.wait(lambda: quick.taken is not None)
        quick.move(window.x() + (window.width() - quick.width()) // 2, window.y() + window.height() // 20)

    def answer() -> None:
        open_quick()
        quick.chat.composer.set_text("Who pays for a new tap?")
        quick.chat.composer.submit()
        frame.wait(lambda: quick.chat.busy)
        frame.wait(lambda: not quick.chat.busy, ANSWER_MS)

    def settings() -> None:
        show()
        window.open_settings("system")

    def closing() -> None:
        show()
        window.tab("summarize").state_changed.emit(WORK)
        window.close()

    def stay() -> None:
        close(QuestionDialog)()
        window.tab("summarize").state_changed.emit("")

    def close(kind: type[QWidget]) -> Step:
        return lambda: frame.find_step(kind).close()

    def help_page() -> None:
        show()
        window.open_help("chat")

    def check() -> None:
        show()
        window.open_settings("check")
        page = frame.find_step(ComputerCheckPage)
        frame.wait(page.again.isEnabled)

    return [
        ("help", help_page, close(HelpWindow)),
        ("settings-check", check, close(SettingsDialog)),
        *lock_screens(frame, show),
        ("quick-ask", open_quick, quick.close),
        ("quick-answer", answer, quick.close),
        ("system-settings", settings, close(SettingsDialog)),
        ("closing", closing, stay),
    ]
