"""What a chat has around it, in a file of chats: its project, its assistant and its tags, by what they hold.

Each chat of a file tells all of it by itself, since chats are read one at a time. Where it comes in, a project,
assistant or tag of that name is taken as it is; where there is none, it is made as it was.
"""

from __future__ import annotations

from typing import Any

from app.features.chat.options import EFFORTS
from app.features.exchange.foreign import fields_of, list_of, number_of, text_of
from app.store.assistants import Assistant, AssistantStore
from app.store.conversations import Conversation
from app.store.database import Database
from app.store.documents import DocumentStore
from app.store.projects import Memories, Project, ProjectDocuments, Projects
from app.store.tags import Tags

MOST = 1_000
"""Of tags, memories or documents."""


class Surroundings:
    """Those of the chats of a database. Writes may raise DiskFull or FolderNotWritable."""

    def __init__(self, database: Database) -> None:
        self._projects, self._memories = Projects(database), Memories(database)
        self._project_documents, self._documents = ProjectDocuments(database), DocumentStore(database)
        self._assistants, self._tags = AssistantStore(database), Tags(database)

    def told(self, chat: Conversation) -> dict[str, Any]:
        """The fields `project` (or null), `assistant` (or null), `tags`."""
        project, assistant = self._projects.get(chat.project_id), self._assistants.get(chat.assistant_id)
        return {
            "project": None if project is None else self._project(project),
            "assistant": None if assistant is None else _assistant(assistant),
            "tags": [tag.name for tag in self._tags.of_chat(chat.id)],
        }

    def _project(self, project: Project) -> dict[str, Any]:
        attached = (self._documents.get(one.document_id) for one in self._project_documents.of(project.id))
        return {
            "name": project.name,
            "icon": project.icon,
            "instructions": project.instructions,
            "memories": [one.text for one in self._memories.all() if one.project_id == project.id],
            "documents": [{"name": one.name, "sha256": one.sha256} for one in attached if one is not None],
        }

    def project_of(self, told: dict[str, Any]) -> int | None:
        """The project that a chat is put into."""
        fields = fields_of(told.get("project"))
        name = text_of(fields.get("name")).strip()
        if not name:
            return None
        found = next((one for one in self._projects.all() if one.name == name), None)
        if found is not None:
            return found.id
        project = self._projects.create(name, text_of(fields.get("icon")))
        self._projects.update(project.id, instructions=text_of(fields.get("instructions")))
        for text in filter(None, map(text_of, list_of(fields.get("memories"))[:MOST])):
            self._memories.add(text, project.id)
        for one in map(fields_of, list_of(fields.get("documents"))[:MOST]):
            document = self._documents.find_content(text_of(one.get("sha256")))
            if document is not None:
                self._project_documents.add(project.id, document.id)
        return project.id

    def assistant_of(self, told: dict[str, Any]) -> int | None:
        """The assistant that a chat has."""
        fields = fields_of(told.get("assistant"))
        name = text_of(fields.get("name")).strip()
        if not name:
            return None
        found = next((one for one in self._assistants.all() if one.name == name), None)
        if found is not None:
            return found.id
        sampling = {key: one for key, one in fields_of(fields.get("sampling")).items() if number_of(one) is not None}
        thinking = text_of(fields.get("thinking"))
        return self._assistants.create(
            name,
            text_of(fields.get("icon")),
            instructions=text_of(fields.get("instructions")),
            sampling=sampling,
            thinking=thinking if thinking in ("on", "off", *EFFORTS) else "",
        ).id

    def tag(self, conversation_id: int, told: dict[str, Any]) -> None:
        """A chat that has just come gets its tags."""
        for name in filter(None, (text_of(one).strip() for one in list_of(told.get("tags"))[:MOST])):
            self._tags.put(self._tags.create(name).id, conversation_id)


def _assistant(assistant: Assistant) -> dict[str, Any]:
    names = ("name", "icon", "instructions", "sampling", "thinking")
    return {name: getattr(assistant, name) for name in names}
