"""Looks for a fact to offer as a memory when nothing has been asked for a while."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.errors.app_error import expected_error
from app.features.chat.memory_suggestions import MemorySuggestions
from app.features.models.pool_policy import LeasePriority
from app.ui.chat.chat_view import ChatView
from app.ui.shell import tasks
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

log = logging.getLogger(__name__)

IDLE_MS = 8_000
"""After the title, which is asked for first."""


class OfferedMemories(QObject):
    """Looks for a fact once in each chat, when nothing has been asked for a while; any message ends the search."""

    def __init__(self, chat: ChatView, app: Fireside, *, idle_ms: int = IDLE_MS) -> None:
        super().__init__(chat)
        self._chat, self._app, self._offer = chat, app, chat.memory_offer
        lend = lambda cancel: app.pool.seat.lease(LeasePriority.IDLE, cancel)  # noqa: E731
        self._facts = MemorySuggestions(lend, app.conversations, app.preambles.memories, lambda: app.settings)
        self._task: tasks.BackgroundTask | None = None
        self._timer = new_timer(self, idle_ms, self._look_for_fact)
        chat.answer_started.connect(lambda _: self._stop())
        chat.answer_finished.connect(lambda _: self._timer.start())
        chat.session.listen(self._on_state)
        self._shown_in: int | None = None

    def _stop(self) -> None:
        self._timer.stop()
        self._offer.show_fact("")
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _on_state(self) -> None:
        # Another chat is shown: the line belongs to the one before.
        if self._shown_in is not None and self._chat.conversation_id != self._shown_in:
            self._shown_in = None
            self._offer.show_fact("")

    def _look_for_fact(self) -> None:
        number = self._chat.conversation_id
        if self._chat.busy or self._task is not None or self._chat.models.state != "ready":
            return
        if number is None or self._chat.is_temporary:
            return
        if self._facts.is_wanted(number, self._app.loaded):
            self._task = tasks.run(
                lambda token: self._facts.find_fact(number, token),
                self,
                on_event=lambda fact: self._show(number, fact),
                on_end=self._on_end,
                on_failed=self._on_failed,
            )

    def _show(self, number: int, fact: str) -> None:
        if self._chat.conversation_id == number and not self._chat.busy:
            # One line for each chat, whatever the answer is.
            tasks.ask(lambda _: self._app.conversations.mark_memory_offered(number), self, lambda _: None, self._log)
            self._shown_in = number
            self._offer.show_fact(fact)

    def _on_failed(self, error: BaseException) -> None:
        self._on_end()
        self._log(error)

    def _log(self, error: BaseException) -> None:
        # Nobody asked for it, so an expected error is logged only.
        error = expected_error(error)
        log.info("no fact was looked for, or it wasn't noted: %s", type(error).__name__)

    def _on_end(self) -> None:
        self._task = None
