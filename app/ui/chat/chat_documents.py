"""What the chat does with the documents of its messages: shows them at their turns, has one opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.errors import AppError
from app.ui.chat.answering import Answering
from app.ui.chat.draft_document import DraftDocument
from app.ui.shell.notify import Notify
from app.ui.text.links import ask_to_open, page_of_link

if TYPE_CHECKING:
    from app.store.conversations import StoredMessage
    from app.ui.chat.chat_view import ChatView


class ChatDocuments(QObject):
    """Keeps the transcript's documents in step with the branch that is shown."""

    def __init__(self, chat: ChatView, notify: Notify) -> None:
        super().__init__(chat)
        self._chat, self._notify = chat, notify
        self._branch = chat.transcript.documents
        chat.transcript.place_wanted.connect(self._open)
        chat.transcript.link_clicked.connect(self._on_link)
        chat.attaching.opened.connect(self._open)

    def load(self, messages: Sequence[StoredMessage]) -> None:
        """Before a branch is shown: what belongs to its messages."""
        try:
            self._branch.load(self._chat.talk, messages)
        except AppError as error:
            self._notify.error(error)

    def tell(self) -> None:
        """Another chat is shown: which documents it has, the draft's too."""
        documents = self._chat.talk.documents
        drafted = [one.document.id for one in self._chat.attaching.shown if one.document is not None]
        self._chat.documents_known.emit(frozenset((documents, number) for number in [*self._branch.ids, *drafted]))

    def know_sizes(self, sent: Sequence[DraftDocument]) -> None:
        """What was counted of a draft is told at its message, too."""
        for one in sent:
            if one.document is not None and one.fit is not None:
                self._branch.tokens[one.document.id] = one.fit.tokens

    def follow(self, answering: Answering) -> None:
        """Hears which passages the model is shown."""
        answering.documents_shown.connect(lambda _: self._on_shown(answering.conversation_id))

    def _on_shown(self, conversation_id: int) -> None:
        chat = self._chat
        if chat.conversation_id == conversation_id:
            try:
                self.load(chat.talk.conversations.path(conversation_id))
            except AppError as error:
                self._notify.error(error)
            chat.transcript.show_documents()

    def _open(self, document_id: int, mark: object) -> None:
        self._chat.document_wanted.emit(self._chat.talk.documents, document_id, mark)

    def _on_link(self, href: str) -> None:
        page = page_of_link(href)
        if page is None:
            ask_to_open(href, self._chat)
            return
        try:
            found = self._branch.find_page(page[1], page[0])
        except AppError as error:
            self._notify.error(error)
            return
        if found is not None:
            self._open(*found)
