"""Controller of the chat that is shown: shows the session's branch, and runs the answers that the session starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.events import CancelToken
from app.features.chat import session_messages as m
from app.ui.chat.answering import LiveAnswer, Work
from app.ui.chat.survey import SurveysOf
from app.ui.chat.transcript import ChatTranscript, is_answer
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService
    from app.features.chat.message_draft import ChatPlace
    from app.features.chat.session import ChatSession
    from app.features.chat.session_state import ChatState
    from app.store.conversations import StoredMessage
    from app.ui.chat.answer_view import AnswerView


class OpenChat(QObject):
    """Shows the branch of the session in the transcript, and runs answers."""

    touched = Signal(int)
    """A chat's row in the list needs a refresh: it is new, renamed or changed."""
    shown = Signal()
    """The turns shown were replaced or removed."""
    answering = Signal(int, object)
    """An answer starts: its key, and the `LiveAnswer` that runs it."""

    def __init__(
        self,
        session: ChatSession,
        transcript: ChatTranscript,
        live: LiveAnswer,
        surveys: SurveysOf,
        *,
        notify: Notify,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._surveys, self._notify, self.session, self.transcript = surveys, notify, session, transcript
        self.live = live
        self.lives = [live]
        """Streams of answers: the chat's, and that of the second model in a comparison."""
        self.pairs: Any
        """The `AnswerPairs` of compared answers; set before a chat is shown."""
        self.alternatives = -1
        """Number of alternative tokens reported for each generated one; -1 for none."""
        self._opened = 0
        self._branch: Sequence[StoredMessage] = ()
        session.serve(
            {
                m.StartAnswer: self._start_answer,
                m.CancelAnswer: self._cancel_answer,
                m.TouchChat: lambda effect: self.touched.emit(effect.place.conversation_id or 0),
            }
        )
        session.listen(self.show_state)

    @property
    def talk(self) -> AnswerService:
        """The service it belongs to: the program's, or that of a temporary chat, deleted when left."""
        return self.session.state.place.talk

    @property
    def conversation_id(self) -> int | None:
        """Its id; None for a new chat, which is stored with its first message."""
        return self.session.state.place.conversation_id

    @property
    def branch(self) -> Sequence[StoredMessage]:
        return self.session.state.branch

    @property
    def is_busy(self) -> bool:
        """True while any answer is running, in this chat or another."""
        return self.session.state.is_busy

    def show_state(self) -> None:
        """Show the session's branch, except for an answer that is being written in it."""
        state = self.session.state
        if state.opened != self._opened:
            self._open_branch(state)
        elif state.branch is not self._branch:
            self._branch = state.branch
            self._load_documents(state)
            # The view of a running answer is ahead of the store.
            if state.answers_in(state.place):
                self.transcript.show_documents()
            else:
                self.transcript.update_to(state.branch)
            self.shown.emit()
        self.transcript.set_hidden(state.hidden)

    def _open_branch(self, state: ChatState) -> None:
        self._opened, self._branch, talk = state.opened, state.branch, state.place.talk
        self._surveys.keep_only(talk)
        self._load_documents(state)
        # Translations are kept in a list, which must have nothing of a temporary chat.
        self.transcript.maker.can_translate = not talk.is_temporary
        self.transcript.open(self.pairs.messages_before(state.branch))
        self.transcript.set_hidden(state.hidden)
        self.pairs.attach(state.place)
        self.shown.emit()

    def _load_documents(self, state: ChatState) -> None:
        """Load the documents of the messages before their branch is shown."""
        with self._notify.guard():
            self.transcript.documents.load(state.place.talk, state.branch)

    def _start_answer(self, effect: m.StartAnswer) -> None:
        state, work = self.session.state, self._work_of(effect)
        if effect.place != state.place:
            self.run(work, effect.place, None)
            return
        self.show_state()
        self.transcript.documents.tokens.update(effect.counts)
        is_asked_here = effect.is_sent and not effect.is_queued and not effect.is_whole
        if is_asked_here and effect.question is not None and self.pairs.ask(effect.question.id):
            return
        turn = self.transcript.turn_of(effect.answer.id) if effect.answer is not None else None
        view = turn if is_answer(turn) else self.transcript.add_answer()
        if is_answer(turn):
            turn.continue_from_here()
        self.shown.emit()
        # For a queued message nobody asked that the view moves.
        if not effect.is_queued:
            self.transcript.jump_to_latest()
        self.run(work, effect.place, view)

    def _cancel_answer(self, effect: m.CancelAnswer) -> None:
        for stream in self.lives:
            stream.cancel(effect.key)

    def _work_of(self, effect: m.StartAnswer) -> Work:
        talk, question, answer, most = effect.place.talk, effect.question, effect.answer, self.alternatives
        if effect.is_whole:
            return self._with_model(effect)
        if answer is None:
            assert question is not None
            return partial(talk.answer, question.id, when_full=effect.when_full, alternatives=most)
        if effect.forced is None:
            return partial(talk.continue_answer, answer.id, when_full=effect.when_full, alternatives=most)
        return partial(talk.answer_from, answer.id, *effect.forced, alternatives=most)

    def _with_model(self, effect: m.StartAnswer) -> Work:
        """Return whole-document work that starts once the chat's model is loaded."""
        (talk, number), surveys = (effect.place.talk, effect.place.conversation_id), self._surveys

        def answered(token: CancelToken) -> Iterator[object]:
            if number is None:
                return
            with talk.lease_engine(number, token) as engine:
                if engine is None:
                    return
                if effect.answer is not None:
                    yield from surveys(talk).continue_answer(effect.answer.id, token)
                elif effect.question is not None:
                    yield from surveys(talk).answer(effect.question.id, token)

        return answered

    def run(self, work: Work, place: ChatPlace, view: AnswerView | None, live: LiveAnswer | None = None) -> int:
        """Run an answer in a chat that may not be shown, and return its key; `live` if it is one of two compared."""
        stream, key = live or self.live, self.session.new_key()
        begun = m.AnswerBegan(key, place, is_main=stream is self.live, is_paired=live is not None)
        stream.run(begun, work, view)
        self.answering.emit(key, stream)
        return key
