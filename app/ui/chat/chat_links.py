"""Links in the messages of a chat: addresses are asked about, places in documents are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.features.chat.session_messages import ShowDocument
from app.ui.shell import tasks

if TYPE_CHECKING:
    from app.features.chat.message_draft import ChatPlace
    from app.ui.chat.branch_documents import PlaceInDocument
    from app.ui.chat.open_chat import OpenChat
    from app.ui.shell.notify import Notify


class ChatLinks(QObject):
    """Opens the addresses and places in documents that were clicked in the chat's messages."""

    def __init__(self, chat: OpenChat, notify: Notify) -> None:
        super().__init__(chat)
        self._chat, self._notify = chat, notify
        self._search: tasks.BackgroundTask | None = None
        chat.transcript.maker.place_wanted.connect(lambda *place: chat.session.send_request(ShowDocument(*place)))
        chat.transcript.maker.link_clicked.connect(self._on_link)

    def _on_link(self, href: str) -> None:
        # Not before somebody follows a link: it brings what draws text.
        from app.ui.text.links import ask_to_open, page_of_link

        if (page := page_of_link(href)) is None:
            with self._notify.guard():
                ask_to_open(href, self._chat.transcript.window())
            return
        documents, number, sentence = self._chat.transcript.documents, *page
        if self._search is not None:
            # Only the last link counts.
            self._search.abandon()
            self._search = None
        found, where = documents.find_cited(sentence, number), self._chat.session.state.place
        # Paragraphs are found by their number, without a search.
        if found is not None or number < 0:
            self._on_found(where, found)
            return
        find_place = documents.page_search(sentence, number)
        self._search = tasks.ask(
            lambda _: find_place(), self, lambda place: self._on_found(where, place), self._notify.error
        )

    def _on_found(self, where: ChatPlace, place: PlaceInDocument | None) -> None:
        # Another chat may be shown by now.
        if place is not None and where == self._chat.session.state.place:
            self._chat.session.send_request(ShowDocument(*place))
