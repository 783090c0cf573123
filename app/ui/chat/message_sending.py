"""Sending a message: asked for by Enter, by an offer, or by what it waited for."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Qt

from app.features.chat.session_messages import AnswerWhole, SendMessage, SubmitMessage, TypeText
from app.ui.chat.chat_options import OwnModel
from app.ui.chat.composer import Composer
from app.ui.chat.open_chat import OpenChat
from app.ui.chat.survey import SurveyOffering


class MessageSending(QObject):
    """Sends what is in the composer if a model can answer it, or follows the offer to answer from whole documents.

    Composer and session have the same text.
    """

    def __init__(self, chat: OpenChat, composer: Composer, own: OwnModel, offering: SurveyOffering) -> None:
        super().__init__(chat)
        self._session, self._composer, self._own, self._offering = chat.session, composer, own, offering
        self._typed = ""
        """Text of the composer as the session was last told."""
        composer.changed.connect(self._on_composer_changed)
        composer.sent.connect(lambda _text: self.send())
        offering.row.whole_wanted.connect(partial(self._send_offered, is_whole=True))
        offering.row.passages_wanted.connect(self._send_offered)
        chat.session.listen(self._on_state)
        chat.session.serve({SubmitMessage: lambda effect: self.send(is_whole=effect.is_whole)})

    def send(self, *, is_whole: bool = False) -> None:
        """Send the draft as Enter does; with `is_whole` it is answered from its whole documents."""
        if self._composer.can_send and self._own.may_answer(lambda: self.send(is_whole=is_whole)):
            self._session.dispatch(SendMessage(is_whole))

    def _send_offered(self, *, is_whole: bool = False) -> None:
        """Follow or decline the offer to answer a question from whole documents."""
        offering = self._offering
        if offering.sent is None:
            self.send(is_whole=is_whole)
        elif is_whole:
            self._session.dispatch(AnswerWhole(offering.sent))
        # Also the one just sent: the choice was made, so it isn't offered again.
        offering.forget_sent()
        self._composer.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_composer_changed(self) -> None:
        # Its buttons change as well, while the field may still show what was sent.
        if self._composer.text != self._typed:
            self._typed = self._composer.text
            self._session.dispatch(TypeText(self._typed))

    def _on_state(self) -> None:
        state = self._session.state
        # Compared with what the session was told: what was typed in this moment is still to be told.
        if state.text != self._typed:
            self._typed = state.text
            self._composer.set_text(state.text)
        self._composer.set_answering(state.is_busy)
        self._composer.set_pictures(are_there=any(not part.error for part in state.pictures))
