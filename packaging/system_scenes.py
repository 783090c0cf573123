"""What stands beside the window in pictures: the small window, before and after its answer, and what closing asks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.ui.outside import Outside
from app.ui.settings.dialog import SettingsDialog
from app.ui.shell.desktop import TaskBar
from app.ui.widgets.dialogs import QuestionDialog
from tests.helpers.desks.window import Frame

COPIED = (
    "The tenant may end the lease in writing, with three months’ notice to the end of a quarter. Repairs of up to 100 "
    "euros each are the tenant’s own; in a year no more than 8 % of the rent without heating."
)
WORK = "Summarizing 2 of 5"
ANSWER_MS = 60_000
Step = Callable[[], object]


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

    return [
        ("quick-ask", open_quick, quick.close),
        ("quick-answer", answer, quick.close),
        ("system-settings", settings, close(SettingsDialog)),
        ("closing", closing, stay),
    ]
