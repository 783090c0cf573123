"""Which documents belong to which message, how they are shown to the model, and what waits in a draft."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from enum import StrEnum

from app.core.lazy_dataclasses import dataclass
from app.store.database import Database


class DocumentUse(StrEnum):
    """How much of a document is shown to the model with its message."""

    UNDECIDED = ""
    WHOLE = "whole"
    BACKGROUND = "background"
    """Only the passages that match each question best."""
    PASSAGES = "passages"
    """Passages of a document attached to an earlier message."""


@dataclass(frozen=True)
class Attachment:
    """A document at a message, or in a draft (`message_id` None; `conversation_id` None: a new chat's).

    `passages` are numbers of the blocks shown with the message. `has_answer`: whether a passage seemed to answer it;
    None if not judged.
    """

    id: int
    document_id: int
    conversation_id: int | None
    message_id: int | None
    use: DocumentUse
    passages: tuple[int, ...] = ()
    has_answer: bool | None = None


# Documents of a project have no message either, and are in no draft.
_IN_DRAFT = "message_id IS NULL AND queued_id IS NULL AND project_id IS NULL"
_ATTACHED = "id, document_id, conversation_id, message_id, use, passages, has_answer"


class Attachments:
    """All attachments; from any thread. Writes may raise DiskFull or FolderNotWritable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_to_draft(
        self, conversation_id: int | None, document_id: int, use: DocumentUse = DocumentUse.UNDECIDED
    ) -> Attachment:
        """Attach a document to a conversation's draft, or to that of a new chat."""
        with self._database.transaction() as connection:
            row = connection.execute(
                f"INSERT INTO attachments (document_id, conversation_id, use) VALUES (?, ?, ?) RETURNING {_ATTACHED}",
                (document_id, conversation_id, use),
            ).fetchone()
        return _read_attachment(row)

    def in_draft(self, conversation_id: int | None) -> list[Attachment]:
        """Return what waits to be sent, in its order."""
        return self._find_where(f"{_IN_DRAFT} AND conversation_id IS ?", (conversation_id,))

    def chat_waiting_with(self, document_ids: Sequence[int]) -> int | None:
        """Return the newest conversation without messages whose draft has exactly these documents in this order, or
        None.
        """
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
        """Return attachments by message; messages without any are absent."""
        found: dict[int, list[Attachment]] = {}
        for attachment in self._find_where(
            # `json_each` takes any number of ids in one parameter; SQLite limits parameters, and their number would be
            # in the text.
            "message_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(message_ids)),),
        ):
            found.setdefault(attachment.message_id or 0, []).append(attachment)
        return found

    def move_to_message(self, conversation_id: int | None, message_id: int) -> list[Attachment]:
        """Move what waits in a draft to a message, and return all that the message has."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE attachments SET message_id = ?, conversation_id = NULL"
                f" WHERE {_IN_DRAFT} AND conversation_id IS ?",
                (message_id, conversation_id),
            )
        return self.of_messages([message_id]).get(message_id, [])

    def add_passages(
        self, message_id: int, document_id: int, passages: Sequence[int], *, has_answer: bool | None = None
    ) -> None:
        """Save which passages of an earlier attached document are shown with this message."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO attachments (document_id, message_id, use, passages, has_answer) VALUES (?, ?, ?, ?, ?)",
                (document_id, message_id, DocumentUse.PASSAGES, json.dumps(list(passages)), has_answer),
            )

    def add_background(self, message_id: int, document_id: int) -> None:
        """Attach a document to a sent message, once; questions that follow get its passages."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO attachments (document_id, message_id, use) SELECT ?, ?, ? WHERE NOT EXISTS"
                " (SELECT 1 FROM attachments WHERE document_id = ? AND message_id = ?)",
                (document_id, message_id, DocumentUse.BACKGROUND, document_id, message_id),
            )

    def set_passages(self, attachment_id: int, passages: Sequence[int], *, has_answer: bool | None = None) -> None:
        """Save which blocks are shown, and whether they seem to answer the message."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE attachments SET passages = ?, has_answer = ? WHERE id = ?",
                (json.dumps(list(passages)), has_answer, attachment_id),
            )

    def set_use(self, attachment_id: int, use: DocumentUse) -> None:
        with self._database.transaction() as connection:
            connection.execute("UPDATE attachments SET use = ? WHERE id = ?", (use, attachment_id))

    def copy(self, from_message_id: int, to_message_id: int) -> None:
        """Give another version of a question the same documents; its passages are chosen again."""
        with self._database.transaction() as connection:
            # Passages were found for the other wording of the question.
            connection.execute(
                "INSERT INTO attachments (document_id, message_id, use)"
                " SELECT document_id, ?, use FROM attachments WHERE message_id = ? AND use <> 'passages' ORDER BY id",
                (to_message_id, from_message_id),
            )

    def remove(self, attachment_id: int) -> None:
        """Remove an attachment. Blocks that nothing else uses are purged at the next start."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM attachments WHERE id = ?", (attachment_id,))

    def put_back(self, attachment: Attachment) -> None:
        """Restore an attachment removed from a draft, at its place, unless the conversation is gone."""
        # The old id brings it back to its old place; OR IGNORE, as Undo may be pressed twice.
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO attachments (id, document_id, conversation_id, use)"
                " SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM documents WHERE id = ?)"
                " AND (? IS NULL OR EXISTS (SELECT 1 FROM conversations WHERE id = ?))",
                (
                    *(attachment.id, attachment.document_id, attachment.conversation_id, attachment.use),
                    *(attachment.document_id, attachment.conversation_id, attachment.conversation_id),
                ),
            )

    def _find_where(self, where: str, values: tuple[object, ...]) -> list[Attachment]:
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_ATTACHED} FROM attachments WHERE {where} ORDER BY id", values
            ).fetchall()
        return [_read_attachment(row) for row in rows]


def _read_attachment(row: sqlite3.Row) -> Attachment:
    values = dict(row)
    values |= {"use": DocumentUse(values["use"]), "passages": tuple(json.loads(values["passages"]))}
    has_answer = values["has_answer"]
    return Attachment(**values | {"has_answer": None if has_answer is None else bool(has_answer)})
