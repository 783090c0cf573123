"""The tools of a chat: the program's own, and those of added servers; their cost, and the model's score."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.core.events import CancelToken, ModelElsewhere
from app.core.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from app.core.errors.tool_errors import ToolServerFailed
    from app.engine.contract import Engine
    from app.features.chat.answer_service import AnswerService
    from app.features.tools.tool import Tool
    from app.features.tools.tool_scores import ToolScore
    from app.hub.web_fetcher import WebFetcher
    from app.store.document_store import StoredDocument


@dataclass(frozen=True)
class ServerTools:
    """The tools of all servers that are on, and what went wrong with the others."""

    tools: tuple[Tool, ...] = ()
    problems: tuple[ToolServerFailed, ...] = ()


@dataclass(frozen=True)
class ServerText:
    """A prompt (`is_prompt`) or a resource that a server offers; `key` is what the server knows it by.

    `arguments` are names that a prompt has places for.
    """

    server: str
    key: str
    title: str
    is_prompt: bool
    arguments: tuple[str, ...] = ()


class AddedServers(Protocol):
    """The servers that a person added, as chats use them (`app.features.mcp`)."""

    @property
    def unknown_names(self) -> tuple[str, ...]:
        """Names of the servers that are on and have not told their tools yet."""

    def known_tools(self, taken: Collection[str] = ()) -> tuple[Tool, ...]:
        """Return the tools that servers told before, without connecting to any."""

    def offer_tools(self, taken: Collection[str] = (), is_stopped: Callable[[], bool] = ...) -> ServerTools:
        """Connect, and return the tools by names that are not `taken`."""

    def list_texts(self) -> Sequence[ServerText]:
        """Connect, and return all prompts and resources. Raises ToolServerFailed if no server works."""

    def read_text(self, wanted: ServerText) -> str:
        """Return one of them, arguments in braces where they belong. Raises ToolServerFailed."""


@dataclass(frozen=True)
class ToolFacts:
    """Tokens that the tools' descriptions take of each question, and the model's score; None if it has none.

    `count` is how many tools are on; `unknown` names servers whose tools are not counted yet.
    """

    tokens: int
    score: ToolScore | None
    count: int = 0
    unknown: tuple[str, ...] = ()


def chat_tools(
    chat: AnswerService,
    conversation_id: int,
    web: WebFetcher | None = None,
    question_id: int | None = None,
    *,
    folders: Sequence[Path] = (),
) -> Sequence[Tool]:
    """Build the tools for one answer. A temporary chat finds its own documents, and no other chats.

    Pages of the web are attached to the question, as if the person had. Files in `folders` are read.
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
        folders=lambda: folders,
        web=web,
        keep_page=keep_page,
    )


def find_tool_facts(
    chat: AnswerService,
    engine: Engine,
    cache: Path,
    cancel: CancelToken,
    *,
    servers: Callable[[], AddedServers | None],
    web: WebFetcher | None = None,
    connects: bool = False,
) -> ToolFacts | None:
    """Count the tools' tokens and look up the score of the model that is loaded; None without one that runs here.

    With `connects` the tools of servers are asked for, else only those are counted that are known.
    """
    from app.features.tool_calls import tools_told  # as above
    from app.features.tools.tool_scores import ToolScores

    if (model := engine.loaded) is None or isinstance(model, ModelElsewhere):
        return None
    tools, added = list(chat_tools(chat, 0, web)), servers()
    names = [tool.name for tool in tools]
    if added is not None:
        tools += added.offer_tools(names, lambda: cancel.cancelled).tools if connects else added.known_tools(names)
    told = tools_told([tool.function for tool in tools])
    texts = [json.dumps(fields, ensure_ascii=False) for fields in told]
    tokens, score = sum(engine.count_texts(texts, cancel=cancel)), ToolScores(cache).find_score(Path(model.path))
    return ToolFacts(tokens, score, len(tools), added.unknown_names if added is not None else ())
