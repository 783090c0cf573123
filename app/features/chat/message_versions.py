"""New versions of stored messages, as a person edits questions and answers, and how an answer's row is finished."""

from __future__ import annotations

from dataclasses import replace

from app.core.events import Role
from app.store.attachments import Attachments
from app.store.conversations import Conversations, MessageState, StoredMessage


class MessageVersions:
    """Stores a person's versions of messages beside those they were made of."""

    def __init__(self, conversations: Conversations, attachments: Attachments) -> None:
        self._conversations, self._attachments = conversations, attachments

    def get_stored(self, message_id: int) -> StoredMessage:
        """Return a message as the store has it. Raises KeyError if it is gone."""
        if (message := self._conversations.get_message(message_id)) is None:
            raise KeyError(message_id)
        return message

    def edit_question(self, message_id: int, text: str) -> StoredMessage:
        """Store a new version of a question with the same documents. Raises KeyError if it is gone."""
        old = self.get_stored(message_id)
        new = self._conversations.add_message(old.conversation_id, old.parent_id, Role.USER, text)
        self._attachments.copy(old.id, new.id)
        self._conversations.media.copy(old.id, new.id)
        return new

    def edit_answer(self, message_id: int, text: str) -> StoredMessage:
        """Store the user's version of an answer, with the same thinking.

        Raises KeyError if it is gone. It has no statistics, because no model wrote it.
        """
        old = self.get_stored(message_id)
        new = self._conversations.add_message(old.conversation_id, old.parent_id, old.role, text)
        # Thinking isn't part of what `add_message` stores.
        if old.thinking:
            self.finish_answer(replace(new, thinking=old.thinking, thinking_s=old.thinking_s), new.state)
        return new

    def finish_answer(self, answer: StoredMessage, state: MessageState) -> None:
        """Store an answer's text, thinking and statistics as they are here, with this state."""
        self._conversations.finish_message(
            answer.id, answer.text, state, answer.stats, thinking=answer.thinking, thinking_s=answer.thinking_s
        )
