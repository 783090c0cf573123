"""Citations of an answer about documents, found when it is complete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.core.events import Role
from app.features.chat.attached_documents import is_unanswered
from app.features.retrieval.absence import rests_on_nothing
from app.features.retrieval.citations import sources_of
from app.features.retrieval.scope import scope_of
from app.features.retrieval.short_answers import sources_of_short_answer
from app.features.retrieval.source_places import source_to_fields
from app.features.retrieval.support import NOT_FOUND
from app.store.conversations import Conversations, StoredMessage

if TYPE_CHECKING:
    from app.features.document_library import DocumentLibrary


def keep_sources(
    conversations: Conversations,
    documents: DocumentLibrary,
    answer: StoredMessage,
    text: str,
    branch: Sequence[StoredMessage],
    *,
    ids: Sequence[int],
    steps: Sequence[dict[str, Any]] = (),
) -> None:
    """Store an answer's citations of the documents with these ids, or that it has none, behind its `steps`."""
    ids = list(dict.fromkeys(ids))
    asked = next((message for message in reversed(branch) if message.role is Role.USER), None)
    question = asked.text if asked is not None else ""
    # The answer's own sentences first; one too short for that is completed by the question.
    found = sources_of(text, ids, documents.store)
    found = found or sources_of_short_answer(text, question, ids, documents.store)
    fields = [*steps, *(source_to_fields(source) for source in found)]
    # Questions about whole documents are answered otherwise; absence isn't judged for them.
    if ids and asked is not None and scope_of(question) is None:
        is_doubted = is_unanswered(documents.attachments.of_messages([asked.id]).get(asked.id, ()))
        if rests_on_nothing(documents.store, ids, question, text, found, is_doubted=is_doubted):
            fields.append(NOT_FOUND)
    # Also where it is empty now: a continued answer may have lost its places.
    if fields or answer.sources:
        conversations.set_sources(answer.id, fields)
