"""Which documents belong to which message, how they are shown to the model, and what waits in a draft."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.store.database import Database


class Use(StrEnum):
    """How a document is shown to the model."""

    UNDECIDED = ""
    WHOLE = "whole"
    BACKGROUND = "background"
    """For each question the passages that fit it best."""
    PASSAGES = "passages"
    """No document of this message's own: passages of one that was attached above it."""


@dataclass(frozen=True)
class Attachment:
    """One document at one message, or in a draft (`message_id` None; `conversation_id` None: that of a new chat).

    `passages` are the numbers of the blocks that were shown with the message.
    """

    id: int
    document_id: int
    conversation_id: int | None
    message_id: int | None
    use: Use
    passages: tuple[int, ...] = ()


_COLUMNS = "id, document_id, conversation_id, message_id, use, passages"


class Attachments:
    """All attachments; from any thread. Writes may raise DiskFull or FolderNotWritable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_to_draft(self, conversation_id: int | None, document_id: int, use: Use = Use.UNDECIDED) -> Attachment:
        """Puts a document beside what is being written."""
        with self._database.transaction() as connection:
            row = connection.execute(
                f"INSERT INTO attachments (document_id, conversation_id, use) VALUES (?, ?, ?) RETURNING {_COLUMNS}",
                (document_id, conversation_id, use),
            ).fetchone()
        return _attachment(row)

    def in_draft(self, conversation_id: int | None) -> list[Attachment]:
        """What waits to be sent, in its order."""
        return self._find("message_id IS NULL AND conversation_id IS ?", (conversation_id,))

    def chat_waiting_with(self, document_ids: Sequence[int]) -> int | None:
        """A conversation without a message whose draft has these documents, in this order; the newest, or None."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT conversation_id, document_id FROM attachments a WHERE message_id IS NULL"
                " AND conversation_id IN (SELECT id FROM conversations WHERE deleted_at IS NULL)"
                " AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = a.conversation_id) ORDER BY id"
            ).fetchall()
        drafts: dict[int, list[int]] = {}
        for conversation_id, document_id in rows:
            drafts.setdefault(conversation_id, []).append(document_id)
        return max((chat for chat, ids in drafts.items() if ids == list(document_ids)), default=None)

    def of_messages(self, message_ids: Sequence[int]) -> dict[int, list[Attachment]]:
        """The attachments of messages, by message; those without any are absent."""
        found: dict[int, list[Attachment]] = {}
        for one in self._find("message_id IN (SELECT value FROM json_each(?))", (json.dumps(list(message_ids)),)):
            found.setdefault(one.message_id or 0, []).append(one)
        return found

    def send(self, conversation_id: int | None, message_id: int) -> list[Attachment]:
        """What waited in a draft belongs to a message now."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE attachments SET message_id = ?, conversation_id = NULL"
                " WHERE message_id IS NULL AND conversation_id IS ?",
                (message_id, conversation_id),
            )
        return self.of_messages([message_id]).get(message_id, [])

    def add_passages(self, message_id: int, document_id: int, passages: Sequence[int]) -> None:
        """Passages of a document that was attached above this message."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO attachments (document_id, message_id, use, passages) VALUES (?, ?, ?, ?)",
                (document_id, message_id, Use.PASSAGES, json.dumps(list(passages))),
            )

    def set_passages(self, attachment_id: int, passages: Sequence[int]) -> None:
        """Which blocks are shown."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE attachments SET passages = ? WHERE id = ?", (json.dumps(list(passages)), attachment_id)
            )

    def set_use(self, attachment_id: int, use: Use) -> None:
        """How a document is shown."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE attachments SET use = ? WHERE id = ?", (use, attachment_id))

    def copy(self, from_message_id: int, to_message_id: int) -> None:
        """Another version of a question has the same documents; its passages are chosen anew."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO attachments (document_id, message_id, use)"
                " SELECT document_id, ?, use FROM attachments WHERE message_id = ? AND use <> 'passages' ORDER BY id",
                (to_message_id, from_message_id),
            )

    def remove(self, attachment_id: int) -> None:
        """Takes a document away; its blocks go at the next start, where nothing else refers to them."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM attachments WHERE id = ?", (attachment_id,))

    def _find(self, where: str, values: tuple[object, ...]) -> list[Attachment]:
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM attachments WHERE {where} ORDER BY id", values
            ).fetchall()
        return [_attachment(row) for row in rows]


def _attachment(row: sqlite3.Row) -> Attachment:
    values = dict(row)
    return Attachment(**values | {"use": Use(values["use"]), "passages": tuple(json.loads(values["passages"]))})
