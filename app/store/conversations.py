"""Store of conversations and their messages: search, change, delete and restore."""

from __future__ import annotations

import json
import math
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from app.core.errors.app_error import AppError
from app.core.events import AnswerStats, Role
from app.core.visible import clean_text
from app.store import message_rows as tree
from app.store.conversation_row import MEMORY_OFFERED, Conversation
from app.store.database import Database, fold_text
from app.store.deletable import DeletableRows, remove_rows, set_columns
from app.store.media_store import MediaStore, copy_uses
from app.store.message_rows import MessageState, OutlineMessage, StoredMessage, TreeMessage
from app.store.queued import QueuedMessages, move_draft, take_queued
from app.store.whole_conversations import WholeConversations

__all__ = ["Conversations", "MessageState", "OutlineMessage", "StoredMessage", "TreeMessage"]


class UnchangedValue(Enum):
    """Sentinel for arguments not given where None has a meaning."""

    UNCHANGED = "unchanged"


UNCHANGED = UnchangedValue.UNCHANGED
ENOUGH_TOKENS = 16  # the speed of a shorter answer says little


class RefusedEnds:
    """Ends of messages that a failing disk refused, to be saved before messages are read next."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def save_later(self, finish: Callable[[], None]) -> None:
        """Call `finish` again when messages are read."""
        self._waiting.append(finish)

    def save_again(self) -> None:
        """Save what waits; from the first that the disk refuses on, it goes on waiting."""
        waiting, self._waiting = self._waiting, []
        for number, finish in enumerate(waiting):
            try:
                finish()
            except KeyError:  # deleted for good since
                continue
            except AppError:
                self._waiting += waiting[number:]
                return


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
        self.database = database
        self.whole = WholeConversations(database)
        """The same, read and added as wholes."""
        self.queued = QueuedMessages(database)
        """Messages waiting for the running answer to end."""
        self.media = MediaStore(database, clock)
        """Pictures and sounds of messages."""
        self.refused_ends = RefusedEnds()

    @staticmethod
    def _read_row(row: sqlite3.Row) -> Conversation:
        sampling = json.loads(row["sampling"])
        was_offered = sampling.pop(MEMORY_OFFERED, 0) == 1
        own = {"pinned": bool(row["pinned"]), "sampling": sampling, "was_offered_memory": was_offered}
        return Conversation(**{**dict(row), **own})

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
            before = self.get(conversation_id)
            # No choice of the chat's settings takes it back.
            mark = {MEMORY_OFFERED: 1} if before is not None and before.was_offered_memory else {}
            values["sampling"] = json.dumps(sampling | mark, sort_keys=True)
        # `updated_at` stays: whoever pins or renames a chat does not want it at the top of the list.
        self._set_columns(conversation_id, values)

    def mark_memory_offered(self, conversation_id: int) -> None:
        """Note that a memory was suggested after this chat, which happens once."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE conversations SET sampling = json_set(sampling, ?, 1) WHERE id = ?",
                (f"$.{MEMORY_OFFERED}", conversation_id),
            )

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
        self.refused_ends.save_again()
        with self._database.reading() as connection:
            return tree.find_message(connection, message_id)

    def read_branch(self, conversation_id: int) -> list[StoredMessage]:
        """Return the chosen branch, root to leaf; empty for an unknown conversation."""
        self.refused_ends.save_again()
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


def _conversation_of(connection: sqlite3.Connection, message_id: int) -> int:
    row = connection.execute("SELECT conversation_id FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise KeyError(message_id)
    return int(row[0])
