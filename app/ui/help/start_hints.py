"""What a start has to tell: three hints for newcomers, each once, and where to read what an update changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app import APP_NAME, __version__
from app.features.error_messages import PersonMessage
from app.store.jobs import SUMMARY, TRANSLATION, JobTable
from app.store.message_rows import MessageState
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside

NOW_USING = PersonMessage(
    "You’re now using {name} {version}.", action="whats_new", values={"name": APP_NAME, "version": __version__}
)
HINTS = (
    PersonMessage("Press F1 on any screen to read about it.", action="help"),
    PersonMessage("To ask about a document, drop it on the window. It’s read on this computer."),
    PersonMessage("Ctrl+K finds every command, setting and chat by name."),
)
ANSWERS_BEFORE = 2
"""Complete answers of this start before each hint but the first, which comes after the first answer."""


class StartHints(QObject):
    """Shows at most one hint at a time, after an answer; none to people who had data before hints existed."""

    def __init__(self, app: Fireside, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self._answers = 0

    def begin(self) -> None:
        """Remember this version, and tell where its changes are if another one ran before."""
        if (seen := self._app.settings.help.seen_version) == __version__:
            return
        with self._notify.guard():
            is_new = not seen and not self._has_data()
            known = 0 if is_new else len(HINTS) if not seen else self._app.settings.help.hints_shown
            self._app.change_settings("help", seen_version=__version__, hints_shown=known)
        if seen:
            self._notify.show_notice(NOW_USING, lasts=True)

    def on_answer(self, message_id: int) -> None:
        """Show the next hint after enough complete answers, unless a notice is still there to be read."""
        number, message = self._app.settings.help.hints_shown, self._app.conversations.get_message(message_id)
        if number >= len(HINTS) or message is None or message.state != MessageState.COMPLETE:
            return
        self._answers += 1
        if (number and self._answers <= ANSWERS_BEFORE) or self._notify.bar.notices:
            return
        self._answers = 0
        with self._notify.guard():
            self._app.change_settings("help", hints_shown=number + 1)
        self._notify.show_notice(HINTS[number], lasts=True)

    def _has_data(self) -> bool:
        jobs = JobTable(self._app.database)
        return bool(
            self._app.conversations.find()
            or self._app.pages.find()
            or any(jobs.list_ids(kind) for kind in (SUMMARY, TRANSLATION))
        )
