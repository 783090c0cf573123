"""Store of conversations, their messages and attachments: search, change, delete and restore."""

from __future__ import annotations

import json
import math
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Any

from app.core.events import AnswerStats, Role
from app.core.visible import clean_text
from app.store import message_rows as tree
from app.store.database import Database, fold_text
from app.store.deletable import DeletableRows, remove_rows, set_columns
from app.store.media_store import MediaStore, NewUse, add_uses, copy_uses, uses_of
from app.store.message_rows import MessageState, OutlineMessage, StoredMessage, TreeMessage
from app.store.queued import QueuedMessages, move_draft, take_queued

__all__ = ["Conversation", "Conversations", "MessageState", "OutlineMessage", "StoredMessage", "TreeMessage"]


@dataclass(frozen=True)
class Conversation:
    """A chat. Times are seconds since 1970; `leaf_id` is the last message of the chosen branch.

    `sampling` holds the fields of `protocol.Sampling` this chat sets itself; `thinking` is "" (as in settings), on,
    off, low, medium or high. `first_kept_id` is the first message still sent to the model besides pinned ones; None, or
    a message off the chosen branch, means all. `titled_by` is "" (first words of the chat), model or person. `memory`
    is "" (as in settings), on or off.
    """

    id: int
    title: str
    system_prompt: str
    temperature: float | None
    model: str
    draft: str
    created_at: float
    updated_at: float
    leaf_id: int | None
    pinned: bool
    sampling: dict[str, Any] = field(default_factory=dict)
    thinking: str = ""
    first_kept_id: int | None = None
    project_id: int | None = None
    assistant_id: int | None = None
    titled_by: str = ""
    memory: str = ""


class UnchangedValue(Enum):
    """Sentinel for arguments not given where None has a meaning."""

    UNCHANGED = "unchanged"


UNCHANGED = UnchangedValue.UNCHANGED
BATCH = 200
"""Messages that are read at once where a conversation is walked through."""
ENOUGH_TOKENS = 16  # the speed of a shorter answer says little


class Conversations(DeletableRows[Conversation]):
    """Everything about stored chats, which are listed with the last used first."""

    table = "conversations"
    columns = (
        "id, title, system_prompt, temperature, model, draft, created_at, updated_at, leaf_id, pinned,"
        " sampling, thinking, first_kept_id, project_id, assistant_id, titled_by, memory"
    )
    order = "updated_at DESC, id DESC"
    indexes = ("messages_index", "titles_index")

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        super().__init__(database, clock)
        self.whole = WholeConversations(database)
        """The same, read and added as wholes."""
        self.queued = QueuedMessages(database)
        """Messages waiting for the running answer to end."""
        self.media = MediaStore(database, clock)
        """Pictures and sounds of messages."""

    @staticmethod
    def _read_row(row: sqlite3.Row) -> Conversation:
        return Conversation(**{**dict(row), "pinned": bool(row["pinned"]), "sampling": json.loads(row["sampling"])})

    def create(
        self,
        *,
        title: str = "",
        system_prompt: str = "",
        temperature: float | None = None,
        model: str = "",
        project_id: int | None = None,
    ) -> Conversation:
        """Store a conversation without messages. Values not given follow the settings."""
        now = self._clock()
        return self._insert(
            {
                "title": clean_text(title),
                "titled_by": "person" if title else "",  # no model may replace a title that is given here
                "system_prompt": clean_text(system_prompt),
                "temperature": temperature,
                "model": clean_text(model),
                "project_id": project_id,
                "created_at": now,
                "updated_at": now,
            }
        )

    def find(self, query: str = "") -> list[Conversation]:
        """Conversations whose title contains the query, ignoring case and accents; the last used first."""
        # `fold` is Python's, so this walks all titles; there are few enough, and FTS5 finds whole words only.
        wanted = fold_text(clean_text(query).strip())
        return self._find_where("(:query = '' OR instr(fold(title), :query))", {"query": wanted})

    def update(
        self,
        conversation_id: int,
        *,
        title: str | UnchangedValue = UNCHANGED,
        system_prompt: str | UnchangedValue = UNCHANGED,
        temperature: float | UnchangedValue | None = UNCHANGED,
        model: str | UnchangedValue = UNCHANGED,
        draft: str | UnchangedValue = UNCHANGED,
        pinned: bool | UnchangedValue = UNCHANGED,
        sampling: dict[str, Any] | UnchangedValue = UNCHANGED,
        thinking: str | UnchangedValue = UNCHANGED,
        memory: str | UnchangedValue = UNCHANGED,
        first_kept_id: int | UnchangedValue | None = UNCHANGED,
        project_id: int | UnchangedValue | None = UNCHANGED,
        assistant_id: int | UnchangedValue | None = UNCHANGED,
        titled_by: str = "person",
    ) -> None:
        """Change the given fields without moving the chat in the list. `titled_by` is stored with the title."""
        texts = {"title": title, "system_prompt": system_prompt, "model": model, "draft": draft, "thinking": thinking}
        texts["memory"] = memory
        values: dict[str, Any] = {key: clean_text(text) for key, text in texts.items() if isinstance(text, str)}
        # Who gave the title goes with it, or a model would write over what a person wrote.
        if "title" in values:
            values["titled_by"] = titled_by
        plain = {
            "temperature": temperature,
            "pinned": pinned,
            "first_kept_id": first_kept_id,
            "project_id": project_id,
            "assistant_id": assistant_id,
        }
        values |= {key: value for key, value in plain.items() if not isinstance(value, UnchangedValue)}
        if not isinstance(sampling, UnchangedValue):
            values["sampling"] = json.dumps(sampling, sort_keys=True)
        # `updated_at` stays: whoever pins or renames a chat does not want it at the top of the list.
        self._set_columns(conversation_id, values)

    def append_to_draft(self, conversation_id: int, text: str) -> None:
        """Add a paragraph to a chat's draft, also to that of a deleted one, which may be restored."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE conversations SET draft = draft || CASE draft WHEN '' THEN '' ELSE char(10, 10) END || ?"
                " WHERE id = ?",
                (clean_text(text), conversation_id),
            )

    def set_title_of_model(self, conversation_id: int, title: str) -> bool:
        """Set a generated title unless the user wrote one; return whether it is set."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                # In one statement, as a person may write a title while the model is still thinking of one.
                "UPDATE conversations SET title = ?, titled_by = 'model'"
                " WHERE id = ? AND titled_by <> 'person' AND deleted_at IS NULL",
                (clean_text(title), conversation_id),
            )
        return changed.rowcount > 0

    def fork(self, message_id: int, title: str) -> int:
        """Copy a conversation up to a message, with its documents and settings, into a new one; return its id."""
        now = self._clock()
        with self._database.transaction() as connection:
            number = _conversation_of(connection, message_id)
            same = "system_prompt, temperature, model, sampling, thinking, memory, project_id, assistant_id"
            row = connection.execute(
                f"INSERT INTO conversations (title, titled_by, draft, created_at, updated_at, {same})"
                f" SELECT ?, 'person', '', ?, ?, {same} FROM conversations WHERE id = ? RETURNING id",
                (clean_text(title), now, now, number),
            ).fetchone()
            # The whole branch is copied, not shared: deleting the one chat must not touch the other.
            messages = tree.tree_messages(connection, tree.ids_up_to(connection, message_id))
            ids = tree.insert_tree(connection, row[0], messages)
            connection.executemany(
                "INSERT INTO attachments (document_id, message_id, use, passages, has_answer)"
                " SELECT document_id, ?, use, passages, has_answer FROM attachments WHERE message_id = ? ORDER BY id",
                [(new, old) for old, new in ids.items()],
            )
            copy_uses(connection, ids)
            first = connection.execute("SELECT first_kept_id FROM conversations WHERE id = ?", (number,)).fetchone()[0]
            # Where the first message still sent lies behind the fork, the copy sends all.
            connection.execute("UPDATE conversations SET first_kept_id = ? WHERE id = ?", (ids.get(first), row[0]))
            tree.settle_leaf(connection, row[0])
        return int(row[0])

    def purge_deleted(self, before: float = math.inf) -> list[int]:
        """Remove conversations and messages deleted before that time (seconds since 1970) for good.

        Returns the ids of the conversations; call `erase_traces` afterwards.
        """
        with self._database.transaction() as connection:
            gone = self._remove_where(connection, "deleted_at < ?", (before,))
            # Only those deleted by themselves; messages of a chat went with the chat.
            remove_rows(
                connection, "messages", "deleted_with IS NOT NULL AND deleted_at < ?", (before,), ("messages_index",)
            )
        return gone

    def best_speeds(self) -> dict[str, float]:
        """Return the most tokens per second that an answer was written with, by the name of its model."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT model, max(json_extract(stats, '$.tokens_per_s')) FROM messages"
                # Asked in SQL, since parsing the figures of all answers here would take long.
                " WHERE stats IS NOT NULL AND model <> '' AND json_extract(stats, '$.generated_tokens') >= ?"
                " GROUP BY model",
                (ENOUGH_TOKENS,),
            ).fetchall()
        return {row[0]: float(row[1] or 0) for row in rows}

    def add_message(
        self,
        conversation_id: int,
        parent_id: int | None,
        role: Role,
        text: str,
        *,
        state: MessageState = MessageState.COMPLETE,
        model: str = "",
        title: str = "",
        draft_of: int | None = 0,
        queued_id: int = 0,
    ) -> StoredMessage:
        """Add a message below its parent (None: at the top) and make it the leaf. Siblings are versions of each
        other.

        It takes what is attached to a draft (a conversation's, or None: a new chat's), which it empties, or to a queued
        message, whose place it takes; `title` becomes its conversation's.
        """
        now = self._clock()
        with self._database.transaction() as connection:
            set_columns(connection, "conversations", conversation_id, {"updated_at": now})
            if parent_id is not None:
                # Not only a foreign key: a parent in another chat would make a tree with two roots.
                parent = tree.find_message(connection, parent_id)
                if parent is None or parent.conversation_id != conversation_id:
                    raise KeyError(parent_id)
            values = (role, clean_text(text), state, clean_text(model), now)
            message_id = tree.insert_message(connection, (conversation_id, parent_id), values)
            tree.choose_branch(connection, message_id)
            tree.settle_leaf(connection, conversation_id)
            # All in one transaction: sent twice, or without its documents, it could be otherwise if it fails halfway.
            if draft_of != 0:  # 0 is no conversation's id; None has a meaning here
                move_draft(connection, draft_of, message_id=message_id)
                connection.execute("UPDATE conversations SET draft = '' WHERE id = ?", (draft_of,))
            if queued_id:
                take_queued(connection, queued_id, message_id)
            if title:
                values_of_title = {"title": clean_text(title), "titled_by": ""}
                set_columns(connection, "conversations", conversation_id, values_of_title)
            message = tree.find_message(connection, message_id)
        assert message is not None
        return message

    def move_draft(self, conversation_id: int) -> None:
        """Move what is attached to the draft of a new chat to that of the chat which was stored for it."""
        with self._database.transaction() as connection:
            move_draft(connection, None, to_draft_of=conversation_id)

    # Called every second while an answer is written; the index learns of it when the answer is complete.
    def save_text(self, message_id: int, text: str, thinking: str = "") -> None:
        """Save what has been written of a message so far."""
        with self._database.transaction() as connection:
            set_columns(
                connection, "messages", message_id, {"text": clean_text(text), "thinking": clean_text(thinking)}
            )

    def finish_message(
        self,
        message_id: int,
        text: str,
        state: MessageState,
        stats: AnswerStats | None = None,
        *,
        thinking: str = "",
        thinking_s: float | None = None,
        model: str = "",
    ) -> None:
        """Save a message's full text, reasoning (with its seconds), final state, figures and model if known."""
        values: dict[str, Any] = {"text": clean_text(text), "state": state, "stats": tree.stats_to_text(stats)}
        values |= {"thinking": clean_text(thinking), "thinking_s": thinking_s}
        if model:  # another model may have answered than the one that was asked
            values["model"] = clean_text(model)
        with self._database.transaction() as connection:
            set_columns(connection, "messages", message_id, values)

    def set_message_pinned(self, message_id: int, is_pinned: bool) -> None:
        """Set whether a message stays in the context when older ones are left out."""
        with self._database.transaction() as connection:
            set_columns(connection, "messages", message_id, {"pinned": is_pinned})

    def set_sources(self, message_id: int, sources: Sequence[dict[str, Any]]) -> None:
        """Save an answer's citations of documents, as `app.features.retrieval.citations` writes them."""
        with self._database.transaction() as connection:
            set_columns(connection, "messages", message_id, {"sources": json.dumps(list(sources))})

    def set_recalled(self, message_id: int, recalled: Sequence[int]) -> None:
        """Save the earlier messages shown to the model again with a question."""
        with self._database.transaction() as connection:
            set_columns(connection, "messages", message_id, {"recalled": json.dumps(list(recalled))})

    def get_message(self, message_id: int) -> StoredMessage | None:
        """Return a message, or None if it is deleted or was never there."""
        with self._database.reading() as connection:
            return tree.find_message(connection, message_id)

    def read_branch(self, conversation_id: int) -> list[StoredMessage]:
        """Return the chosen branch, root to leaf; empty for an unknown conversation."""
        with self._database.reading() as connection:
            return tree.load_branch(connection, conversation_id)

    def read_outline(self, conversation_id: int) -> list[OutlineMessage]:
        """Return every live message of all branches with its first words, a parent before what is below it."""
        with self._database.reading() as connection:
            return tree.read_outline(connection, conversation_id)

    def choose_version(self, message_id: int) -> None:
        """Show the branch through this message; below it, the versions chosen last."""
        with self._database.transaction() as connection:
            message = tree.find_message(connection, message_id)
            if message is None:
                raise KeyError(message_id)
            tree.choose_branch(connection, message_id)
            tree.settle_leaf(connection, message.conversation_id)

    def delete_message(self, message_id: int) -> None:
        """Hide a message and its descendants. A sibling's branch is shown then, or the parent."""
        with self._database.transaction() as connection:
            conversation_id = _conversation_of(connection, message_id)
            tree.mark_deleted(connection, message_id, self._clock())
            tree.settle_leaf(connection, conversation_id)

    def restore_message(self, message_id: int) -> None:
        """Restore a deleted message and its descendants, and show them unless another version was chosen since."""
        with self._database.transaction() as connection:
            conversation_id = _conversation_of(connection, message_id)
            tree.mark_restored(connection, message_id)
            tree.settle_leaf(connection, conversation_id)

    def recover(self) -> int:
        """Mark messages that an earlier run left unfinished as interrupted; return how many."""
        # Run at each start: only a program that ended in the middle of an answer leaves such messages.
        with self._database.transaction() as connection:
            return connection.execute("UPDATE messages SET state = 'interrupted' WHERE state = 'writing'").rowcount


def match_expression(query: str) -> str:
    """Turn input into an FTS5 expression: each word quoted, the last a prefix; "" without words."""
    # Quotes take all meaning from FTS5's own words and signs: AND, NEAR, ^, - and a colon would be operators.
    # A word of signs only would be an empty phrase.
    words = [word for word in clean_text(query).split() if any(_is_letter_or_digit(char) for char in word)]
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    return " ".join(quoted) + "*" if quoted else ""


def _is_letter_or_digit(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"  # what SQLite's unicode61 takes as part of a word


def _clean_fields(values: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: clean_text(getattr(values, name)) for name in names}


def _conversation_of(connection: sqlite3.Connection, message_id: int) -> int:
    row = connection.execute("SELECT conversation_id FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise KeyError(message_id)
    return int(row[0])


# Which documents belong to which message, how they are shown to the model, and what waits in a draft.


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


# Whole conversations, as they leave for a file or come from one.


Attached = Mapping[int | None, Sequence[tuple[int, DocumentUse]]]
"""Documents and their use, by the message that they are attached to; None: the draft."""
Media = Mapping[int | None, Sequence[NewUse]]
"""Pictures and sounds, in the same way."""


class WholeConversations:
    """Reads all branches of a conversation some messages at a time, and adds one as a whole; from any thread.

    Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all_messages(self, conversation_id: int) -> Iterator[TreeMessage]:
        """Yield every live message of all branches, each after its parent; some are read at a time."""
        return self._iterate_messages(tree.tree_ids, conversation_id)

    def iterate_branch(self, conversation_id: int) -> Iterator[TreeMessage]:
        """Yield the chosen branch as `read_branch` has it; some are read at a time."""
        return self._iterate_messages(tree.branch_ids, conversation_id)

    def _iterate_messages(
        self, ids_of: Callable[[sqlite3.Connection, int], list[int]], conversation_id: int
    ) -> Iterator[TreeMessage]:
        # Ids first and texts in batches: a chat may be larger than memory, and others want the database in between.
        with self._database.reading() as connection:
            ids = ids_of(connection, conversation_id)
        # Each batch is a transaction of its own, so a message deleted meanwhile is simply missing.
        for first in range(0, len(ids), BATCH):
            with self._database.reading() as connection:
                found = tree.tree_messages(connection, ids[first : first + BATCH])
            yield from found

    def message_count(self, conversation_id: int) -> int:
        """Return how many live messages all branches have together."""
        with self._database.reading() as connection:
            return len(tree.tree_ids(connection, conversation_id))

    def add_tree(
        self,
        chat: Conversation,
        messages: Sequence[TreeMessage],
        attached: Attached | None = None,
        media: Media | None = None,
    ) -> int:
        """Add a whole conversation from elsewhere, with its times, in one transaction; return its id.

        `chat` counts but for its ids: `first_kept_id` and the ids of messages, each after its parent, are only among
        themselves. `attached` are documents of messages by these ids, None for the draft's. Raises KeyError for a
        parent that is not there.
        """
        plain = ("temperature", "created_at", "updated_at", "pinned", "project_id", "assistant_id")
        values = {name: getattr(chat, name) for name in plain}
        # Texts from other programs may hold lone surrogates or zero bytes, which SQLite refuses or cuts at.
        values |= _clean_fields(chat, ("title", "system_prompt", "model", "draft", "thinking"))
        values["sampling"] = json.dumps(chat.sampling, sort_keys=True)
        values["titled_by"] = "person" if chat.title else ""
        names = ", ".join(values)
        with self._database.transaction() as connection:
            row = connection.execute(
                f"INSERT INTO conversations ({names}) VALUES ({', '.join(f':{name}' for name in values)}) RETURNING id",
                values,
            ).fetchone()
            conversation_id = int(row[0])
            ids, _ = _insert_messages(connection, conversation_id, messages, attached or {}, media or {})
            # Ids of the messages are new here, so what refers to one is translated.
            kept_id = None if chat.first_kept_id is None else ids.get(chat.first_kept_id)
            connection.execute("UPDATE conversations SET first_kept_id = ? WHERE id = ?", (kept_id, conversation_id))
        return conversation_id

    def add_new(
        self,
        conversation_id: int,
        messages: Sequence[TreeMessage],
        attached: Attached | None = None,
        updated_at: float = 0,
        *,
        media: Media | None = None,
    ) -> int:
        """Add the messages of a tree that the conversation lacks, in one transaction; return how many.

        Messages with the same role and text below the same parent count as present. The shown branch stays, and
        continues if new messages follow it. `messages` and `attached` as in `add_tree`.
        """
        # One transaction: a person who looks meanwhile sees all of it or nothing.
        with self._database.transaction() as connection:
            at_messages: Attached = {
                place: documents for place, documents in (attached or {}).items() if place is not None
            }
            at_places: Media = {place: uses for place, uses in (media or {}).items() if place is not None}
            _, added = _insert_messages(connection, conversation_id, messages, at_messages, at_places)
            if added:
                # Only if something came: importing the same export again must not reorder the list.
                connection.execute(
                    "UPDATE conversations SET updated_at = max(updated_at, ?) WHERE id = ?",
                    (updated_at, conversation_id),
                )
        return added

    def read_start_times(self) -> dict[int, float]:
        """Return the creation time of each conversation that isn't deleted, by id."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, created_at FROM conversations WHERE deleted_at IS NULL").fetchall()
        return {row[0]: row[1] for row in rows}

    def first_text(self, conversation_id: int) -> str | None:
        """Return the first message of a conversation; None without any."""
        with self._database.reading() as connection:
            row = connection.execute(
                # The + keeps SQLite from the index by parent, which holds the beginnings of all chats together.
                "SELECT text FROM messages WHERE conversation_id = ? AND +parent_id IS NULL AND deleted_at IS NULL"
                " ORDER BY id LIMIT 1",
                (conversation_id,),
            ).fetchone()
        return None if row is None else str(row[0])


def _insert_messages(
    connection: sqlite3.Connection,
    conversation_id: int,
    messages: Sequence[TreeMessage],
    attached: Attached,
    media: Media,
) -> tuple[dict[int, int], int]:
    """Insert messages with their documents and media; return their new ids and how many are new or completed."""
    cleaned = [
        replace(
            message,
            **_clean_fields(message, ("text", "model", "thinking")),
            other_texts=tuple((clean_text(there), clean_text(merged)) for there, merged in message.other_texts),
        )
        for message in messages
    ]
    # New ones have higher ids than all before, as AUTOINCREMENT gives none out twice.
    before = connection.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0]
    ids = tree.insert_tree(connection, conversation_id, cleaned)
    new = {old_id: number for old_id, number in ids.items() if number > before}
    # Known messages whose other copy lacks some pictures.
    partly, fuller = (
        {tree_message.id for tree_message in cleaned if tree_message.other_texts},
        0,
    )
    for place, documents in attached.items():
        if place is None or place in new:
            owner = (None, new[place]) if place is not None else (conversation_id, None)
            connection.executemany(
                "INSERT INTO attachments (document_id, conversation_id, message_id, use) VALUES (?, ?, ?, ?)",
                [(document_id, *owner, use) for document_id, use in documents],
            )
    for place, uses in media.items():
        if place is None:
            add_uses(connection, "conversation_id", conversation_id, uses)
        elif place in new:
            add_uses(connection, "message_id", new[place], uses)
        # The same question with and without its picture is one message; what it lacks is added.
        elif place in partly:
            here = uses_of(connection, ids[place])
            lacking = [use for use in uses if use[0] not in here]
            add_uses(connection, "message_id", ids[place], lacking)
            fuller += bool(lacking)
    # Chosen anew, as messages may have come below the one that was shown.
    tree.settle_leaf(connection, conversation_id)
    return ids, len(new) + fuller
