"""Projects, folders of chats with instructions, a model and documents of their own; memories; tags that chats have."""

from __future__ import annotations

import sqlite3
from typing import Any

from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.store.attachments import Attachment, Attachments, DocumentUse
from app.store.conversation_row import Conversation
from app.store.conversations import UNCHANGED, Conversations, UnchangedValue
from app.store.database import Database
from app.store.deletable import DeletableRows, set_columns


@dataclass(frozen=True)
class Project:
    """A project. Times are seconds since 1970; `is_open`: its chats are shown in the list; `model` is a path or ""."""

    id: int
    name: str
    icon: str
    instructions: str
    model: str
    is_open: bool
    created_at: float
    updated_at: float

    @property
    def title(self) -> str:
        """The name: every kind of thing in the trash and in lists has a `title`."""
        return self.name


class Projects(DeletableRows[Project]):
    """All projects, by name regardless of case and accents.

    A conversation's `project_id` counts only while that project is there: one that was deleted keeps its chats, which
    are then in none, until it is restored or purged.
    """

    table = "projects"
    columns = "id, name, icon, instructions, model, is_open, created_at, updated_at"
    order = "fold(name), id"

    @staticmethod
    def _read_row(row: sqlite3.Row) -> Project:
        return Project(**{**dict(row), "is_open": bool(row["is_open"])})

    def create(self, name: str, icon: str = "") -> Project:
        """Create a project without chats, which the list shows open."""
        now = self._clock()
        return self._insert({"name": clean_text(name), "icon": icon, "created_at": now, "updated_at": now})

    def update(
        self,
        project_id: int,
        *,
        name: str | UnchangedValue = UNCHANGED,
        icon: str | UnchangedValue = UNCHANGED,
        instructions: str | UnchangedValue = UNCHANGED,
        model: str | UnchangedValue = UNCHANGED,
        is_open: bool | UnchangedValue = UNCHANGED,
    ) -> None:
        texts = {"name": name, "icon": icon, "instructions": instructions, "model": model}
        values: dict[str, Any] = {key: clean_text(text) for key, text in texts.items() if isinstance(text, str)}
        # Opening and closing it in the list is no change of the project.
        values |= {"updated_at": self._clock()} if values else {}
        values |= {} if isinstance(is_open, UnchangedValue) else {"is_open": is_open}
        self._set_columns(project_id, values)

    def chats_of(self, project_id: int) -> list[Conversation]:
        """Return the conversations in a project, the last used first; none in one that was deleted."""
        with self._database.reading() as connection:
            ids = connection.execute(
                "SELECT c.id FROM conversations c JOIN projects p ON p.id = c.project_id AND p.deleted_at IS NULL"
                " WHERE c.project_id = ? AND c.deleted_at IS NULL ORDER BY c.updated_at DESC, c.id DESC",
                (project_id,),
            ).fetchall()
        # The column is kept when a project is deleted, so it counts only together with a live project.
        conversations = Conversations(self._database)
        chats = (conversations.get(row[0]) for row in ids)
        return [chat for chat in chats if chat is not None]

    def discard(self, project_id: int) -> None:
        """Remove an empty project for good: what a cancelled dialog had made leaves nothing in the trash."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM projects WHERE id = ?", (project_id,))


class ProjectDocuments:
    """Which documents belong to which project, in the order in which they came; writes as in `Projects`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_documents(self, project_id: int | None) -> list[Attachment]:
        """Return the project's documents; empty for a deleted project."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT a.id, a.document_id FROM attachments a"
                " JOIN projects p ON p.id = a.project_id AND p.deleted_at IS NULL"
                " JOIN documents d ON d.id = a.document_id AND d.state = 'complete'"
                " WHERE a.project_id = ? ORDER BY a.id",
                (project_id,),
            ).fetchall()
        # A project's documents are attachments without a message; how they are used is decided for each question.
        return [Attachment(row[0], row[1], None, None, DocumentUse.UNDECIDED) for row in rows]

    def add(self, project_id: int, document_id: int) -> None:
        """Add a document for all chats of the project, unless it is there already."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO attachments (document_id, project_id) SELECT ?1, ?2 WHERE NOT EXISTS"
                " (SELECT 1 FROM attachments WHERE document_id = ?1 AND project_id = ?2)",
                (document_id, project_id),
            )

    def remove(self, attachment_id: int) -> None:
        """Remove a document. Blocks that nothing else uses are purged at the next start."""
        Attachments(self._database).remove(attachment_id)


@dataclass(frozen=True)
class Memory:
    """A fact that the model is told; `project_id` None: in every chat."""

    id: int
    project_id: int | None
    text: str
    created_at: float


class Memories(DeletableRows[Memory]):
    """All memories: for every chat first, then each project's; oldest first."""

    table = "memories"
    columns = "id, project_id, text, created_at"
    order = "project_id IS NOT NULL, project_id, id"

    @staticmethod
    def _read_row(row: sqlite3.Row) -> Memory:
        return Memory(*row)

    def add(self, text: str, project_id: int | None = None) -> Memory:
        """Add a memory at the end of its list."""
        return self._insert({"project_id": project_id, "text": clean_text(text), "created_at": self._clock()})

    def all(self) -> list[Memory]:
        return self._find_where(
            # Memories of a project in the trash go with it.
            "(project_id IS NULL OR project_id IN (SELECT id FROM projects WHERE deleted_at IS NULL))"
        )

    def list_for_project(self, project_id: int | None) -> list[Memory]:
        """Return the memories given to a chat in this project, or in none."""
        return [memory for memory in self.all() if memory.project_id is None or memory.project_id == project_id]

    def update(
        self,
        memory_id: int,
        *,
        text: str | UnchangedValue = UNCHANGED,
        project_id: int | UnchangedValue | None = UNCHANGED,
    ) -> None:
        values: dict[str, Any] = {} if isinstance(text, UnchangedValue) else {"text": clean_text(text)}
        values |= {} if isinstance(project_id, UnchangedValue) else {"project_id": project_id}
        self._set_columns(memory_id, values)


@dataclass(frozen=True)
class ChatTag:
    """A tag; `colour` is a name from the window's palette, or ""."""

    id: int
    name: str
    colour: str


class Tags(DeletableRows[ChatTag]):
    """All tags, by name regardless of case and accents. Deleting one leaves its chats.

    No two have the same name, whatever its case (of ASCII letters): where one would, both become one.
    """

    table = "tags"
    columns = "id, name, colour"
    order = "fold(name), id"

    @staticmethod
    def _read_row(row: sqlite3.Row) -> ChatTag:
        return ChatTag(*row)

    def create(self, name: str, colour: str = "") -> ChatTag:
        """Return the tag with this name, created if needed."""
        name = clean_text(name)
        with self._database.transaction() as connection:
            known = _find_named(connection, name)
            return (
                ChatTag(*known)
                if known is not None
                else self._insert_into(connection, {"name": name, "colour": colour})
            )

    def of_chats(self) -> dict[int, tuple[int, ...]]:
        """Return the tag ids of each tagged conversation, in order of creation."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT ct.conversation_id, group_concat(ct.tag_id) FROM conversation_tags ct"
                " JOIN tags t ON t.id = ct.tag_id AND t.deleted_at IS NULL GROUP BY ct.conversation_id"
            ).fetchall()
        return {row[0]: tuple(sorted(map(int, row[1].split(",")))) for row in rows}

    def of_chat(self, conversation_id: int) -> list[ChatTag]:
        """Return a conversation's tags by name, without deleted ones."""
        return self._find_where(
            "id IN (SELECT tag_id FROM conversation_tags WHERE conversation_id = ?)", (conversation_id,)
        )

    def set_tag(self, tag_id: int, conversation_id: int, *, is_on: bool = True) -> None:
        """Add the tag to a conversation, or remove it."""
        with self._database.transaction() as connection:
            if is_on:
                connection.execute(
                    # By SELECT, so that a chat or a tag that is gone adds nothing, without an error.
                    "INSERT OR IGNORE INTO conversation_tags (conversation_id, tag_id) SELECT c.id, t.id"
                    " FROM conversations c, tags t WHERE c.id = ? AND t.id = ?",
                    (conversation_id, tag_id),
                )
            else:
                connection.execute(
                    "DELETE FROM conversation_tags WHERE conversation_id = ? AND tag_id = ?", (conversation_id, tag_id)
                )

    def update(
        self, tag_id: int, *, name: str | UnchangedValue = UNCHANGED, colour: str | UnchangedValue = UNCHANGED
    ) -> int:
        """Change the given fields. Return the tag's id, which differs if it merged into another of that name."""
        values: dict[str, Any] = {} if isinstance(colour, UnchangedValue) else {"colour": colour}
        with self._database.transaction() as connection:
            if not isinstance(name, UnchangedValue):
                # Renamed into one that exists: both become one, as names are what people tell tags by.
                known = _find_named(connection, clean_text(name))
                if known is not None and known[0] != tag_id:
                    _merge_tags(connection, tag_id, known[0])
                    return int(known[0])
                values["name"] = clean_text(name)
            set_columns(connection, "tags", tag_id, values)
        return tag_id

    def restore(self, tag_id: int) -> None:
        """Restore a tag; if its name was taken meanwhile, its chats get that tag."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT name FROM tags WHERE id = ?", (tag_id,)).fetchone()
            if row is None:
                raise KeyError(tag_id)
            known = _find_named(connection, row[0])
            if known is not None and known[0] != tag_id:
                _merge_tags(connection, tag_id, known[0])
            else:
                set_columns(connection, "tags", tag_id, {"deleted_at": None})


def _find_named(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = connection.execute(
        "SELECT id, name, colour FROM tags WHERE name = ? COLLATE NOCASE AND deleted_at IS NULL", (name,)
    ).fetchone()
    return found


def _merge_tags(connection: sqlite3.Connection, tag_id: int, into_id: int) -> None:
    """Move a tag's conversations to another one and delete it."""
    connection.execute(
        "INSERT OR IGNORE INTO conversation_tags (conversation_id, tag_id)"  # a chat may have both
        " SELECT conversation_id, ? FROM conversation_tags WHERE tag_id = ?",
        (into_id, tag_id),
    )
    connection.execute("DELETE FROM tags WHERE id = ?", (tag_id,))
