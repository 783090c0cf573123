"""The tools of a chat: the program's own, over this person's documents and chats; their cost, and the model's score."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.events import CancelToken, ModelElsewhere

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.features.chat.answer_service import AnswerService
    from app.features.tools.tool import Tool
    from app.features.tools.tool_scores import ToolScore
    from app.hub.web_fetcher import WebFetcher
    from app.store.document_store import StoredDocument


@dataclass(frozen=True)
class ToolFacts:
    """Tokens that the tools' descriptions take of each question, and the model's score; None if it has none."""

    tokens: int
    score: ToolScore | None


def chat_tools(
    chat: AnswerService, conversation_id: int, web: WebFetcher | None = None, question_id: int | None = None
) -> Sequence[Tool]:
    """Build the tools for one answer. A temporary chat finds its own documents, and no other chats.

    Pages of the web are attached to the question, as if the person had.
    """
    from app.features.tools.own_tools import build_own_tools  # not needed before the window is seen

    documents, database = chat.documents, chat.conversations.database

    def keep_page(document: StoredDocument) -> None:
        if question_id is not None:
            documents.attachments.add_background(question_id, document.id)

    return build_own_tools(
        database,
        documents,
        document_ids=documents.store.list_in_use,
        let_out=lambda ids: chat.documents.let_out(ids, chat.engine.loaded),
        chats=None if chat.is_temporary else database,
        current_chat=lambda: conversation_id,
        web=web,
        keep_page=keep_page,
    )


def find_tool_facts(
    chat: AnswerService, engine: Engine, cache: Path, cancel: CancelToken, web: WebFetcher | None = None
) -> ToolFacts | None:
    """Count the tools' tokens and look up the score of the model that is loaded; None without one that runs here."""
    from app.features.tool_calls import tools_told  # as above
    from app.features.tools.tool_scores import ToolScores

    model = engine.loaded
    if model is None or isinstance(model, ModelElsewhere):
        return None
    told = tools_told([tool.function for tool in chat_tools(chat, 0, web)])
    texts = [json.dumps(fields, ensure_ascii=False) for fields in told]
    return ToolFacts(sum(engine.count_texts(texts, cancel=cancel)), ToolScores(cache).find_score(Path(model.path)))
