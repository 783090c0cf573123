"""Claim checking of answers about documents: unsupported parts are listed below the answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.events import CancelToken
from app.features.chat.session_messages import ReloadBranch
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.chat.answer_service import AnswerService
    from app.features.claim_checker.answers import AnswerCheckEvent, AnswerCheckProgress, AnswerToCheck
    from app.ui.chat.chat_view import ChatView

CHECKING_THIS_ANSWER_WAITS_FOR_THE_MODEL = "Waiting to check this answer"


class AnswerChecking(QObject):
    """Checks the answers of one chat view, one at a time; does nothing until a checker is chosen."""

    def __init__(self, app: Fireside, notify: Notify, chat: ChatView) -> None:
        super().__init__(chat)
        self._app, self._notify, self._chat = app, notify, chat
        self._waiting: deque[AnswerToCheck] = deque()
        self._failed_path = ""
        """The checker that failed to load; retried only when another is chosen or the program restarts."""
        self._progress: AnswerCheckProgress | None = None
        self._rounds = tasks.RepeatedTask(
            self._work, self, on_event=self._on_event, on_failed=self._on_failed, on_over=self._on_over
        )
        self._begun: dict[int, AnswerService] = {}
        """Service of each answer being written, by its id; another chat may be shown when it ends."""
        chat.answer_started.connect(self._on_answer_started)
        chat.answer_finished.connect(self._on_answer_finished)
        chat.open_chat.shown.connect(self._show_progress)

    @property
    def is_running(self) -> bool:
        return self._rounds.is_running

    def _on_answer_started(self, answer_id: int) -> None:
        self._begun[answer_id] = self._chat.open_chat.talk

    def _on_answer_finished(self, answer_id: int) -> None:
        chats = self._begun.pop(answer_id, self._chat.open_chat.talk)
        path = self._app.settings.models.checker_path
        if answer_id and path and path != self._failed_path:
            self._waiting.append((chats, answer_id))
            self._rounds.start()

    def _work(self, cancel: CancelToken) -> Iterator[AnswerCheckEvent]:
        yield from self._app.answer_checker.check_answers(self._next_answer, cancel)

    def _next_answer(self) -> AnswerToCheck | None:
        return self._waiting.popleft() if self._waiting else None

    def _on_event(self, event: AnswerCheckEvent) -> None:
        from app.features.claim_checker.answers import AnswerChecked, AnswerCheckProgress  # few people have a checker

        if isinstance(event, AnswerCheckProgress):
            self._progress = event
            self._show_progress()
        elif isinstance(event, AnswerChecked):
            self._end_progress()
            if event.unsupported:
                # What was found is kept among the answer's sources, and shown from there.
                self._chat.session.dispatch(ReloadBranch())

    def _show_progress(self) -> None:
        if self._progress is not None:
            waits = self._progress.is_paused
            words = tr(CHECKING_THIS_ANSWER_WAITS_FOR_THE_MODEL) if waits else tr("Checking this answer…")
            self._show_words(self._progress.answer_id, words)

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._show_words(self._progress.answer_id, "")
            self._progress = None

    def _show_words(self, answer_id: int, words: str) -> None:
        """Show a text below the answer being checked, if that is visible."""
        # Code colours and Markdown come with it: 9 MB that a window without an answer does without.
        from app.ui.chat.answer_view import AnswerView

        # A turn far from the view doesn't exist; it shows the result when it is made.
        for turn in self._chat.transcript.turns:
            if isinstance(turn, AnswerView) and turn.message is not None and turn.message.id == answer_id:
                turn.evidence.show_check(words)

    def _on_failed(self, error: BaseException) -> None:
        self._failed_path = self._app.settings.models.checker_path
        # The others would fail for the same reason.
        self._waiting.clear()
        self._notify.error(error)

    def _on_over(self) -> None:
        self._end_progress()
