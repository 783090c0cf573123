"""Questions about whole documents: the offer above the composer, and texts for the progress and the result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.core.errors.app_error import expected_error
from app.core.events import CancelToken
from app.features.chat.session_messages import ReportSent
from app.features.retrieval.question_scope import QuestionScope
from app.features.survey.wanted import QueryOffer, SurveyCoverage, SurveyProgress
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number
from app.ui.shared_labels import MINUTES_AND_SECONDS
from app.ui.shell import tasks
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout
from app.ui.widgets.timers import new_timer
from app.ui.work.doing import time_words

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService
    from app.features.chat.session import ChatSession
    from app.features.survey.surveys import DocumentSurveys
    from app.store.conversations import StoredMessage

SENTENCES_CAN_BE_CHOSEN = "Fireside can pick its key sentences without the model."

KEEP_ANSWER = "Keep this answer"
ANSWERED_WITHOUT_MODEL = "From the whole document, without the model"
ABOUT_ALL_DOCUMENTS = "This question is about all {count} documents."
READ_ALL_TOKENS = "The whole document has {tokens} tokens."
READING_SECTION = "Reading the whole document: section {done} of {sections}"
JOINING_FINDINGS = "Combining the findings"
WAITING_FOR_OTHER_ANSWER = "Waiting for another answer"
READ_WHOLE = "Whole document read: {count} sections"
READ_PARTLY = "Read: {done:,} of {count} sections"
READ_WHOLE_TEXT = "Whole document read"

LOOK_MS = 150
"""Delay after the last key before the text is examined."""


class SurveysOf:
    """Survey service of the chat that asked last; callable from any thread. Created off the window's thread, as that is
    slow.
    """

    def __init__(self, make: Callable[[AnswerService], DocumentSurveys]) -> None:
        self._make = make
        self._made: tuple[AnswerService, DocumentSurveys] | None = None
        self._making = threading.Lock()

    def keep_only(self, talk: AnswerService) -> None:
        """Drop the service of any other chat."""
        # The service holds documents, and those of a temporary chat must go when it is left.
        with self._making:
            if self._made is not None and self._made[0] is not talk:
                self._made = None

    def __call__(self, talk: AnswerService) -> DocumentSurveys:
        with self._making:
            if self._made is None or self._made[0] is not talk:
                self._made = (talk, self._make(talk))
            return self._made[1]


class SurveyOffer(QFrame):
    """Row that offers to read whole documents instead of sending, which Enter still does. Hidden without an offer.

    For a question already sent, it offers to answer that again from the whole documents.
    """

    whole_wanted = Signal()
    passages_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("survey_offer")
        self.offer: QueryOffer | None = None
        """The current offer, or None."""
        self._words = plain_label(kind="muted", wraps=True)
        self.whole = text_button("", "plain", on_click=self.whole_wanted, elides=True)
        self.passages = text_button("", "quiet", on_click=self.passages_wanted, elides=True)
        buttons = QWidget()
        flow = FlowLayout(buttons)
        flow.addWidget(self.whole)
        flow.addWidget(self.passages)
        theme.dress(fill_layout(QVBoxLayout(self), self._words, buttons), margins=(12, 8, 12, 10), spacing=6)
        theme.dress(flow, spacing=6)
        theme.dress(self._words, font="small")
        theme.dress(self.whole, self.passages, font="control")
        self.hide()

    @property
    def text(self) -> str:
        return self._words.text() if not self.isHidden() else ""

    def show_offer(self, offer: QueryOffer | None, *, is_sent: bool = False) -> None:
        """Show an offer, or None for none. Screen readers hear it when it appears, not when its estimate is updated."""
        is_new = self.offer is None
        self.offer = offer
        if offer is not None:
            said = offer_words(offer)
            self._words.setText(said)
            self.setAccessibleName(said)
            self.whole.setText(_button_words(offer))
            self.passages.setText(tr(KEEP_ANSWER) if is_sent else tr("Answer from the passages found"))
            for button in (self.whole, self.passages):
                button.setAccessibleDescription(said)
            if is_new:
                announce(self, said)
        self.setVisible(offer is not None)


def offer_words(offer: QueryOffer) -> str:
    """Return a sentence or two about what reading everything would take."""
    count = len(offer.document_ids)
    about = tr("This question is about the whole document.")
    if count > 1:
        about = tr_count("This question is about {count} document.", ABOUT_ALL_DOCUMENTS, count)
    if offer.is_by_model and offer.tokens is not None:
        figures = {"tokens": format_number(offer.tokens), "time": time_words(offer.seconds or 0.0)}
        if offer.seconds is None:
            return f"{about} {tr(READ_ALL_TOKENS, **figures)}"
        return f"{about} {tr('Reading all {tokens} tokens takes {time}.', **figures)}"
    if offer.is_by_model:
        return about
    if offer.scope.wanted is QuestionScope.ABOUT:
        return f"{about} {tr(SENTENCES_CAN_BE_CHOSEN)}"
    return f"{about} {tr('Fireside can search the whole document without the model.')}"


def _button_words(offer: QueryOffer) -> str:
    if offer.is_by_model:
        return tr("Read whole document")
    return tr("Show key sentences") if offer.scope.wanted is QuestionScope.ABOUT else tr("Search whole document")


def progress_words(progress: SurveyProgress) -> str:
    """Return what an answer from whole documents is doing now, and the time left if that is known."""
    if progress.is_resting:
        return tr(WAITING_FOR_OTHER_ANSWER)
    # With one section nothing is combined.
    if not progress.sections or progress.done == progress.sections > 1:
        return tr(JOINING_FINDINGS)
    words = tr(READING_SECTION, done=progress.done + 1, sections=progress.sections)
    if progress.seconds_left is None:
        return words
    return f"{words} · {tr('{time} left', time=time_words(progress.seconds_left))}"


def made_words(made: SurveyCoverage) -> str:
    """Return one line about how an answer was made."""
    if not made.is_by_model:
        return tr(ANSWERED_WITHOUT_MODEL)
    words = tr_count("Whole document read: {count} section", READ_WHOLE, made.read)
    if made.read < made.sections:
        words = tr_count("Read: {done:,} of {count} section", READ_PARTLY, made.sections, done=made.read)
    if made.sections == made.read == 1:
        words = tr(READ_WHOLE_TEXT)
    minutes, seconds = divmod(round(made.seconds), 60)
    took = tr(MINUTES_AND_SECONDS, minutes=minutes, seconds=seconds) if minutes else tr("{seconds} s", seconds=seconds)
    return f"{words} · {took}"


class SurveyOffering(QObject):
    """Examines the typed question on a thread and offers to answer it from whole documents.

    With an empty field, it examines the last question sent and answered from passages: whoever types fast and presses
    Enter would miss the offer.

    It follows the session; `row` shows the offer.
    """

    def __init__(
        self, theme: Theme, surveys: SurveysOf, session: ChatSession, can_chat: Callable[[], bool], parent: QObject
    ) -> None:
        super().__init__(parent)
        self.row = SurveyOffer(theme)
        self._surveys, self._session, self._can_chat = surveys, session, can_chat
        self._seen: object = None
        self._opened = 0
        self._sent: tuple[int, str] | None = None
        self._task: tasks.BackgroundTask | None = None
        self._looks = 0
        self._delay = new_timer(self, LOOK_MS, self._find_offers)
        session.serve({ReportSent: lambda effect: self._look_at(effect.question)})
        session.listen(self._on_state)

    @property
    def is_looking(self) -> bool:
        """True while the typed text is still to be examined."""
        return self._delay.isActive() or (self._task is not None and not self._task.done)

    @property
    def sent(self) -> int | None:
        """Id of the sent question that the offer is about; None if it is about the typed text."""
        return self._sent[0] if self._sent is not None else None

    def _look_at(self, question: StoredMessage) -> None:
        """Examine a question that was sent and is being answered from passages."""
        self._sent = (question.id, question.text)
        self._delay.start()

    def forget_sent(self) -> None:
        """Withdraw the offer for a sent question, because it was followed or another chat is shown."""
        self._sent = None
        self.row.show_offer(None)
        self._delay.start()

    def _on_state(self) -> None:
        """Examine the text after a pause if it or its documents changed, or an answer ended."""
        state = self._session.state
        if state.opened != self._opened:
            self._opened = state.opened
            self.forget_sent()
        seen = (state.text, state.key, state.held, state.is_busy)
        if seen == self._seen:
            return
        self._seen = seen
        if state.text.strip():
            # The typed text has taken the place of what was sent.
            self._sent = None
        # Withdrawn at once only where nothing is left to ask; else the old offer stays until the new one.
        if self.row.offer is not None and not self._subject:
            self.row.show_offer(None)
        self._delay.start()

    @property
    def _is_free(self) -> bool:
        state = self._session.state
        return self._can_chat() and not state.is_busy and state.held is None

    @property
    def _subject(self) -> str:
        """The text to examine: typed, or sent last; "" for none."""
        written = self._session.state.text if self._is_free else ""
        return written if written.strip() or self._sent is None else self._sent[1]

    def _find_offers(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        text, place, is_free = self._subject, self._session.state.place, self._is_free
        if not text.strip():
            self.row.show_offer(None)
            return

        def find_offer(token: CancelToken) -> Iterator[QueryOffer | None]:
            offer = None
            for offer in self._surveys(place.talk).find_offers(place.conversation_id, text, token):
                yield offer
                # An estimate asks the engine, which must not delay an answer.
                if not is_free:
                    return
            if offer is None:
                yield None

        # The signals capture a number: capturing their own task would keep it and the chat alive.
        self._looks += 1
        number = self._looks
        self._task = tasks.run(
            find_offer,
            self,
            on_event=lambda offer: self._on_offer(number, offer),
            on_failed=lambda error: self._on_failed(number, error),
        )

    def _on_failed(self, number: int, error: BaseException) -> None:
        self._on_offer(number, None)
        # Nobody asked for an offer, so an expected error shows no notice.
        expected_error(error)

    def _on_offer(self, number: int, offer: QueryOffer | None) -> None:
        # Another text is examined by now, or the field was emptied.
        if number == self._looks and self._subject:
            self.row.show_offer(offer, is_sent=self._sent is not None)
