"""Automatic titles for chats named by their first words, generated after a few idle seconds."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors.app_error import expected_error
from app.features.chat.titles import ChatTitles
from app.features.models.pool_policy import LeasePriority
from app.ui.chat.chat_view import ChatView
from app.ui.shell import tasks
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

log = logging.getLogger(__name__)

IDLE_MS, HELD_MS = 4_000, 1_000
MOST_TRIES = 2
"""Most attempts for a chat in one run of the program; an unusable title counts as one."""


class ChatTitling(QObject):
    """Generates one title at a time and yields to the next answer. A chat is reconsidered after each answer.

    `is_held` returns whether the user is editing a title now.
    """

    titled = Signal(int)
    """A chat got a title; carries its id."""

    def __init__(
        self, chat: ChatView, app: Fireside, is_held: Callable[[], bool] = lambda: False, *, idle_ms: int = IDLE_MS
    ) -> None:
        super().__init__(chat)
        self._chat, self._app, self._is_held = chat, app, is_held
        lend = lambda cancel: app.pool.seat.lease(LeasePriority.IDLE, cancel)  # noqa: E731
        self._titles = ChatTitles(lend, app.conversations, lambda: app.settings)
        self._begun: set[int] = set()
        """Ids of running answers in stored chats."""
        self._waiting: dict[int, None] = {}
        """Ids of the chats that wait for a title, in order."""
        self._tries: Counter[int] = Counter()
        self._number = 0
        """Id of the chat whose title is being generated."""
        self._task: tasks.BackgroundTask | None = None
        self._timer = new_timer(self, idle_ms, self._title_next)
        chat.answer_started.connect(self._on_answer_started)
        chat.answer_finished.connect(self._on_answer_finished)

    def _on_answer_started(self, answer_id: int) -> None:
        self._timer.stop()
        # The engine is needed for the answer; the title gets its turn afterwards.
        if self._task is not None:
            self._task.cancel()
            self._waiting[self._number] = None
        if not self._chat.is_temporary:
            self._begun.add(answer_id)

    def _on_answer_finished(self, answer_id: int) -> None:
        message = self._app.conversations.get_message(answer_id) if answer_id in self._begun else None
        self._begun.discard(answer_id)
        # The answer may have been deleted meanwhile.
        if message is not None:
            self._waiting[message.conversation_id] = None
        self._timer.start()

    def _title_next(self) -> None:
        """Start the title of the next chat, unless the model is busy or a title is being edited."""
        # Asked again when an answer ends, which sets the timer.
        if self._task is not None or self._chat.busy or self._chat.models.state != "ready":
            return
        if self._is_held():
            self._timer.start()
            return
        loaded = self._app.loaded
        for number in list(self._waiting):
            # One that isn't wanted now is reconsidered after its next answer.
            del self._waiting[number]
            if self._tries[number] < MOST_TRIES and self._titles.is_wanted(number, loaded):
                self._begin(number)
                return

    def _begin(self, number: int) -> None:
        self._number = number
        # Bound to the number of now: another chat may be next when its event comes.
        self._task = tasks.run(
            lambda token: self._titles.make_title(number, token),
            self,
            on_event=lambda _: self._update_list(number),
            on_end=self._on_end,
            on_failed=self._on_failed,
        )

    def _update_list(self, number: int) -> None:
        """Emit `titled`, later if the user edits a title in the list now."""
        # Reloading the list would discard what is being typed.
        if self._is_held():
            QTimer.singleShot(HELD_MS, self, lambda: self._update_list(number))
        else:
            self.titled.emit(number)

    def _on_failed(self, error: BaseException) -> None:
        self._on_end()
        # Nobody asked for a title, so an expected error is logged only.
        error = expected_error(error)
        log.info("no title was made: %s", type(error).__name__)

    def _on_end(self) -> None:
        self._task = None
        # A title that made way for an answer waits again and was no attempt.
        self._tries[self._number] += self._number not in self._waiting
        if not self._chat.busy:
            self._timer.start()
