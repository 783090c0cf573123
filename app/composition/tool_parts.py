"""What tools of chats need besides models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.composition.model_parts import ModelParts
from app.core.lazy_part import LazyPart

if TYPE_CHECKING:
    from app.core.events import CancelToken
    from app.features.chat.answer_service import AnswerService
    from app.features.mcp.tool_servers import ToolServers
    from app.features.tools.stored_grants import ChatGrants, StoredGrants
    from app.features.tools.tool_offer import ToolFacts
    from app.hub.web_fetcher import WebFetcher


class ToolParts(ModelParts):
    """What tools need besides models: servers that were added, what was granted to them, and the web."""

    @LazyPart
    def tool_servers(self) -> ToolServers:
        from app.features.mcp.tool_servers import build_tool_servers

        forget = self.tool_grants.forget_server
        return build_tool_servers(
            self.paths.data, lambda: self.settings, self.change_settings, self.ledger, forget, kept=self.token
        )

    @LazyPart
    def tool_grants(self) -> StoredGrants:
        """Return what the tools of servers may do without asking."""
        from app.features.tools.stored_grants import StoredGrants

        return StoredGrants(lambda: self.settings, self.change_settings)

    @LazyPart
    def chat_grants(self) -> ChatGrants:
        """Return what the tools of servers may do in chats: for good, or in one of them."""
        from app.features.tools.stored_grants import ChatGrants

        return ChatGrants(self.tool_grants)

    def _answer_with_tools(self, *asked: Any) -> Iterator[Any]:
        from app.features.tools.chat_answers import ChatToolSettings, answer_in_chat  # with the first such answer

        rounds, servers = self.settings.tools.rounds, self._added_servers()
        folders = [Path(folder) for folder in self.settings.tools.folders]
        settings = ChatToolSettings(self.paths.cache, servers, self.chat_grants, self.web, rounds, folders)
        return answer_in_chat(*asked, settings=settings)

    @LazyPart
    def web(self) -> WebFetcher:
        """Return what fetches pages of the web for tools, where that is switched on."""
        from app.hub.web_fetcher import WebFetcher

        return WebFetcher(lambda: self.settings, self.ledger, self.token)

    def _added_servers(self) -> ToolServers | None:
        # Most people have none, and what speaks to them need not be imported.
        return self.tool_servers if self.settings.tools.servers else None

    def _find_tool_facts(self, chat: AnswerService, cancel: CancelToken, *, connects: bool) -> ToolFacts | None:
        from app.features.tools.tool_offer import find_tool_facts

        servers, web = self._added_servers, self.web
        return find_tool_facts(chat, self.engine, self.paths.cache, cancel, servers=servers, web=web, connects=connects)
