"""What a chat's session stores: drafts, their attachments, queues and questions; on the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.app_error import AppError
from app.core.visible import visible_name
from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.chat.message_draft import ChatPlace, DraftDocument
from app.features.chat.session_branch_store import BRANCH_EFFECTS
from app.features.chat.titles import first_words
from app.store.attachments import Attachment
from app.store.document_store import StoredDocument
from app.store.queued import QueuedMessage

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.core.settings import Settings
    from app.features.chat.answer_service import AnswerService


class SessionStore:
    """Carries out the effects of a session on the store, and returns the event that answers each.

    `kept` is the service of stored chats, `change` changes settings of a section, `loaded` returns the loaded model,
    and `create_chat` stores the shown new chat with its options and returns its id.
    """

    def __init__(
        self,
        kept: AnswerService,
        settings: Callable[[], Settings],
        change: Callable[..., None],
        *,
        loaded: Callable[[], ModelLoaded | None],
        create_chat: Callable[[], int],
    ) -> None:
        self._kept, self._settings, self._change = kept, settings, change
        self._loaded, self._create_chat = loaded, create_chat
        self.handlers: dict[type, Callable[[Any], object | None]] = {
            m.OpenDraft: self._open_draft,
            m.StoreText: self._store_text,
            m.AppendText: self._append_text,
            f.StoreUnread: self._store_unread,
            f.FindUnread: self._find_unread,
            m.AttachDocument: self._attach_document,
            m.AttachPicture: self._attach_picture,
            m.DetachParts: self._detach_parts,
            m.RestoreParts: self._restore_parts,
            m.StoreDetail: self._store_detail,
            m.ReadDocument: self._read_document,
            m.ReadText: self._read_text,
            m.StoreChat: self._store_chat,
            m.StoreMessage: self._store_message,
            m.StoreNext: self._store_next,
            m.LoadQueue: self._load_queue,
            m.StoreQueued: self._store_queued,
            **BRANCH_EFFECTS,
        }

    def _open_draft(self, effect: m.OpenDraft) -> m.DraftOpened:
        talk, number = effect.place.talk, effect.place.conversation_id
        conversation = talk.conversations.get(number) if number is not None else None
        place = effect.place if conversation is not None else ChatPlace(talk)
        text = "" if talk.is_temporary else self._settings().window.new_chat_draft
        if conversation is not None:
            text = conversation.draft
        attached: list[tuple[Attachment, StoredDocument, Path]] = []
        for attachment in talk.documents.attachments.in_draft(place.conversation_id):
            if (document := talk.documents.store.get(attachment.document_id)) is not None:
                attached.append((attachment, document, document.path.resolve()))
        uses = tuple(talk.conversations.media.in_draft(place.conversation_id))
        return m.DraftOpened(place, text, tuple(attached), uses, self._loaded())

    def _store_text(self, effect: m.StoreText) -> m.TextStored:
        place, text = effect.place, effect.text
        if place.conversation_id is None:
            if text != self._settings().window.new_chat_draft:
                self._change("window", new_chat_draft=text)
        else:
            conversation = place.talk.conversations.get(place.conversation_id)
            # Each save is synced to the disk, so nothing is written that is there. A deleted chat may be restored.
            if conversation is None or conversation.draft != text:
                with suppress(KeyError):
                    place.talk.conversations.update(place.conversation_id, draft=text)
        return m.TextStored(place, text)

    def _append_text(self, effect: m.AppendText) -> None:
        talk, number = effect.place.talk, effect.place.conversation_id
        if number is not None:
            talk.conversations.append_to_draft(number, effect.text)
        else:
            before = self._settings().window.new_chat_draft
            self._change("window", new_chat_draft=f"{before}\n\n{effect.text}" if before else effect.text)

    def _store_unread(self, effect: f.StoreUnread) -> f.UnreadStored:
        self._change("window", unread_files=effect.lines)
        return f.UnreadStored(effect.lines)

    def _find_unread(self, _effect: f.FindUnread) -> f.UnreadFound:
        talk = self._kept
        files: list[tuple[ChatPlace, Path]] = []
        folders: list[tuple[ChatPlace, Path]] = []
        lines = self._settings().window.unread_files
        for line in lines:
            number, _, path = line.partition("=")
            chat_id = int(number) if number.isdecimal() else None
            # The chat may have been deleted since.
            if chat_id is None or talk.conversations.get(chat_id) is not None:
                (folders if Path(path).is_dir() else files).append((ChatPlace(talk, chat_id), Path(path)))
        return f.UnreadFound(lines, tuple(files), tuple(folders))

    def _attach_document(self, effect: m.AttachDocument) -> m.DocumentAttached | m.DocumentKnown:
        place, document = effect.part.place, effect.part.document
        assert document is not None
        attachments = place.talk.documents.attachments
        if document.id in [attachment.document_id for attachment in attachments.in_draft(place.conversation_id)]:
            return m.DocumentKnown(effect.part.key)
        return m.DocumentAttached(effect.part.key, attachments.add_to_draft(place.conversation_id, document.id))

    def _attach_picture(self, effect: m.AttachPicture) -> m.PictureAttached:
        part, place = effect.part, effect.part.place
        media = place.talk.conversations.media
        return m.PictureAttached(part.key, media.put_into_draft(place.conversation_id, effect.sha256, part.path.name))

    def _detach_parts(self, effect: m.DetachParts) -> None:
        for part in effect.parts:
            if isinstance(part, DraftDocument) and part.attachment is not None:
                part.place.talk.documents.attachments.remove(part.attachment.id)
            elif not isinstance(part, DraftDocument) and part.use is not None:
                part.place.talk.conversations.media.remove(part.use.id)

    def _restore_parts(self, effect: m.RestoreParts) -> None:
        for part in effect.parts:
            if isinstance(part, DraftDocument) and part.attachment is not None:
                part.place.talk.documents.attachments.put_back(part.attachment)
            elif not isinstance(part, DraftDocument) and part.use is not None:
                part.place.talk.conversations.media.put_back(part.use)

    def _store_detail(self, effect: m.StoreDetail) -> m.DetailStored:
        use = effect.part.use
        assert use is not None
        effect.part.place.talk.conversations.media.set_most_tokens(use.id, effect.most_tokens)
        return m.DetailStored(effect.part.key, replace(use, most_tokens=effect.most_tokens))

    def _read_document(self, effect: m.ReadDocument) -> m.DocumentRead | None:
        document = effect.part.place.talk.documents.store.get(effect.document_id)
        # It may have been deleted meanwhile.
        return m.DocumentRead(effect.part.key, document) if document is not None else None

    def _read_text(self, effect: m.ReadText) -> m.TextRead:
        part = effect.part
        if not (text := part.text) and part.document is not None:
            text = part.place.talk.documents.text_of(part.document)
        return m.TextRead(part.key, text)

    def _store_chat(self, effect: m.StoreChat) -> m.ChatStored:
        conversations, number = effect.place.talk.conversations, self._create_chat()
        try:
            conversations.move_draft(number)
        except AppError:
            conversations.delete(number)
            raise
        return m.ChatStored(ChatPlace(effect.place.talk, number), effect.is_whole)

    def _store_message(self, effect: m.StoreMessage) -> m.MessageSent | m.MessageQueued:
        talk, number = effect.place.talk, effect.place.conversation_id
        assert number is not None
        if not effect.is_queued:
            question = talk.add_question(number, effect.text, draft_of=number)
            return m.MessageSent(effect.place, question, effect.is_whole)
        # A chat that waits needs a title to be found by.
        if (conversation := talk.conversations.get(number)) is not None and not conversation.title:
            talk.conversations.update(number, title=first_words(effect.text), titled_by="")
        talk.conversations.queued.add(number, effect.text, draft_of=number)
        return m.MessageQueued(effect.place)

    def _store_next(self, effect: m.StoreNext) -> m.QueuedSent | m.QueueFailed | None:
        # A temporary chat has a store of its own, beside that of all others.
        talks = dict.fromkeys((effect.place.talk, self._kept))
        places = [ChatPlace(talk, n) for talk in talks for n in talk.conversations.queued.list_conversations()]
        for place in sorted(places, key=lambda place: place != effect.first):
            message = self._next_of(place)
            if place in effect.allowed and message is not None and message.id != effect.edited_id:
                try:
                    return m.QueuedSent(place, place.talk.send_queued(message))
                except AppError as error:
                    return m.QueueFailed(place, error)
        return None

    @staticmethod
    def _next_of(place: ChatPlace) -> QueuedMessage | None:
        assert place.conversation_id is not None
        waiting = place.talk.conversations.queued.list_waiting(place.conversation_id)
        return waiting[0] if waiting else None

    def _load_queue(self, effect: m.LoadQueue) -> m.QueueLoaded:
        talk, number = effect.place.talk, effect.place.conversation_id
        messages = tuple(talk.conversations.queued.list_waiting(number)) if number is not None else ()
        return m.QueueLoaded(effect.place, messages, tuple(_names_of(talk, message) for message in messages))

    def _store_queued(self, effect: m.StoreQueued) -> None:
        queued = effect.place.talk.conversations.queued
        if effect.text_of is not None:
            queued.edit_text(*effect.text_of)
        if effect.order:
            queued.set_order(effect.order)
        if effect.removed_id:
            queued.remove(effect.removed_id)
        if effect.restored is not None:
            queued.put_back(effect.restored)


def _names_of(talk: AnswerService, message: QueuedMessage) -> tuple[str, ...]:
    names = [visible_name(name) for _, name, _ in message.media]
    found = [talk.documents.store.get(number) for number, _ in message.documents]
    return (*names, *(document.name for document in found if document is not None))
